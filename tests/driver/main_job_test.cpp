// The main job in small: every command, in the order a researcher types them.

#include "tests/driver/program.hpp"

#include "tombola/io/json.hpp"

using namespace tombola;
using namespace tombola::test;

TEST_CASE("main job: train, find masks, controls, retrain, evaluate, compare, agreement, report") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string runs = (here / "runs").string();
  std::vector<std::string> good;
  std::string first;
  for (const std::string seed : {"1", "2"}) {
    const std::string full = last_line(succeed(world.train(world.model, runs) + " --seed " + seed));
    CHECK(std::filesystem::exists(full + "/model/model.safetensors"));
    CHECK_FALSE(std::filesystem::exists(full + "/state.safetensors"));
    if (first.empty()) first = full;
    for (const std::string mode : {"standard", "study"}) {
      for (const std::string what : {"heads", "mlps", "both", "weights"}) {
        const std::string step = what == "weights" ? " --weight-step 0.3" : "";
        const std::string found =
            last_line(succeed("find-masks --quiet --prune " + what + " --mode " + mode + " --run " +
                              full + " --guard 0.7" + step + " --out " + runs));
        const auto result = io::read_json(found + "/result.json");
        const auto& search = result.at("search");
        if (search.at("metric").is_number()) {
          CHECK(search.at("metric").get<double>() >= search.at("threshold").get<double>());
        }
        CHECK(json_of("inspect " + found + "/trace.safetensors").at("steps").size() ==
              search.at("candidates").get<std::size_t>());
        if (mode == "standard" && what == "both") {
          good.push_back(found + "/ticket.safetensors");
          CHECK(std::filesystem::exists(found + "/head_mask.npy"));
        }
      }
    }
    const std::string ticket = good.back();
    for (const std::string kind : {"random", "bad"}) {
      const std::string control = (here / (kind + seed + ".safetensors")).string();
      succeed("controls --ticket " + ticket + " --kind " + kind + " --out " + control);
      const auto a = json_of("inspect " + ticket);
      const auto b = json_of("inspect " + control);
      CHECK(a.at("kept") == b.at("kept"));
      CHECK(b.at("origin").at("parent") == a.at("fingerprint"));
      succeed("evaluate --quiet --run " + full + " --ticket " + control + " --out " + runs);
      const std::string again = last_line(
          succeed(world.train(world.model, runs) + " --seed " + seed + " --ticket " + control));
      CHECK(io::read_json(again + "/result.json").at("retrained") == true);
    }
  }
  // A report has a row for every kind of ticket that controls makes.
  const std::string inverted = (here / "inverted.safetensors").string();
  succeed("controls --ticket " + good[0] + " --kind inverted --out " + inverted);
  succeed("evaluate --quiet --run " + first + " --ticket " + inverted + " --out " + runs);

  const auto pair = json_of("compare " + good[0] + " " + good[1]);
  for (const char* key :
       {"jaccard", "expected_jaccard", "dice", "phi", "cohen_kappa", "p_at_least"}) {
    CHECK(pair.at("pairs")[0].at("all").contains(key));
  }
  const auto all = json_of("agreement " + good[0] + " " + good[1]);
  for (const char* key : {"fleiss_kappa", "krippendorff_alpha", "cochran_q", "cochran_q_p",
                          "nogueira_stability", "nogueira_lower", "mean_kuncheva"}) {
    CHECK(all.at("all").contains(key));
  }
  CHECK(std::filesystem::exists(last_line(succeed("report " + runs))));
  // Searches of both modes lie in one folder: the report keeps them apart.
  const std::string scores = io::read_text(runs + "/tables/scores.csv", 1U << 20);
  for (const std::string variant : {"mode standard", "mode study"}) {
    CHECK(scores.find("\"weights, ") != std::string::npos);
    CHECK(scores.find(variant) != std::string::npos);
  }
  CHECK(scores.find("inverted") != std::string::npos);
  CHECK(std::filesystem::exists(runs + "/tables.json"));
}

TEST_CASE("a guard can allow a drop, or be a floor") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string runs = (here / "runs").string();
  const std::string full = last_line(succeed(world.train(world.model, runs)));
  const auto threshold = [&](const std::string& guard) {
    const std::string found = last_line(
        succeed("find-masks --quiet --prune mlps --run " + full + " --out " + runs + guard));
    const auto search = io::read_json(found + "/result.json").at("search");
    return std::pair{search.at("threshold").get<double>(), search.at("baseline").get<double>()};
  };
  const auto [share, baseline] = threshold("");
  CHECK(share == 0.9 * baseline);
  CHECK(threshold(" --guard-drop 0.25").first == baseline - 0.25);
  CHECK(threshold(" --guard-at-least 0.125").first == 0.125);
}

TEST_CASE("a model below its own guard: nothing is tried, and the answer says so") {
  const trained t;
  const std::string line =
      "find-masks --quiet --run " + t.full + " --out " + t.runs + " --guard-at-least 1.5 --prune ";
  for (const std::string prune : {"both", "weights", "weights --criterion taylor"}) {
    INFO(prune);
    for (int again = 0; again < 2; ++again) {
      const std::string said = succeed(line + prune);
      CHECK(said.starts_with("the model itself does not pass the guard: 0."));
      CHECK(said.find("expected at least 1.5000; nothing was removed\n") != std::string::npos);
    }
    const auto result = json_of(line + prune);
    CHECK(result.at("search").at("candidates") == 1);
    CHECK(result.at("search").at("metric") == result.at("search").at("baseline"));
    for (const auto& [group, kept] : result.at("ticket").at("kept").items()) {
      CHECK(kept == result.at("ticket").at("size").at(group));
    }
  }
  const std::string kept = "find-masks --quiet --prune both --run " + t.full + " --out " + t.runs;
  CHECK(succeed(kept).find("guard") == std::string::npos);
  // The report holds no such ticket against a guard: it is the full model.
  succeed("report " + t.runs);
  const std::string verdicts = text_of(t.runs + "/tables/verdicts.csv");
  CHECK(verdicts.find("by construction") == std::string::npos);
}

TEST_CASE("a finished run is not done again") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string line = world.train(world.model, (here / "runs").string());
  const std::string first = last_line(succeed(line));
  const auto written = std::filesystem::last_write_time(first + "/result.json");
  CHECK(last_line(succeed(line)) == first);
  CHECK(std::filesystem::last_write_time(first + "/result.json") == written);
}

TEST_CASE("killed and resumed, with one thread or two: the same bits") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const auto weights = [&](const std::string& out, const std::string& more,
                           const std::vector<std::string>& kills) {
    const std::string line = world.train(world.model, (here / out).string(), "--epochs 60 " + more);
    std::size_t killed = 0;
    for (const std::string& seconds : kills) {
      killed += test::tombola(line, "timeout -s KILL " + seconds).code == 137 ? std::size_t{1}
                                                                              : std::size_t{0};
    }
    CHECK(killed >= kills.size() / 2);
    return text_of(last_line(succeed(line)) + "/model/model.safetensors");
  };
  const std::string whole = weights("whole", "--threads 1", {});
  CHECK(whole.size() > 1000);
  CHECK(weights("two", "--threads 2", {}) == whole);
  CHECK(weights("killed", "--threads 1 --checkpoint-seconds 0",
                {"0.10", "0.15", "0.12", "0.20", "0.17"}) == whole);
}

TEST_CASE(
    "pretraining says what the frequencies of words alone would lose, and learns more than that") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const auto j =
      json_of("pretrain --quiet --corpus " + world.data + "/corpus.txt --vocab " + world.data +
              "/vocab.txt --layers 1 --hidden 32 --heads 2 --intermediate 64 --epochs 40 --rate "
              "3e-3 --out " +
              here.str());
  const double learnt = j.at("metrics").at("masked_lm_loss"),
               blind = j.at("metrics").at("unigram_loss");
  CHECK(learnt == -j.at("score").get<double>());
  CHECK(blind > 3.0);  // 160 words
  CHECK(blind < 5.1);
  CHECK(learnt < blind - 0.5);
}
