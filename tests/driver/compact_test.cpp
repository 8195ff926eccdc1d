// compact: smaller models, full-size ones with zeros, and what goes on with them.

#include <set>

#include "tests/driver/program.hpp"
#include <nlohmann/json.hpp>

#include "tombola/core/ticket.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

namespace {

/// A ticket over the pocket model's 2 layers of 2 heads: layer 0 loses a head, layer 1 both.
std::string write_ticket_of(const fs::path& file,
                            std::vector<group> groups,
                            std::vector<std::vector<int>> bits) {
  std::vector<mask> masks;
  for (const auto& b : bits) masks.push_back(mask::from_values(b));
  io::write_ticket(file, {std::move(groups), std::move(masks)});
  return file.string();
}

std::size_t numbers_in(const fs::path& model) {
  const io::safetensors_file f{model / "model.safetensors"};
  std::size_t n = 0;
  for (const auto& t : f.tensors()) n += t.size();
  return n;
}

}  // namespace

TEST_CASE("compact: a run's ticket, its compact model scored, trained, searched and padded") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string runs = (here / "runs").string();
  const std::string full = last_line(succeed(world.train(world.model, runs)));
  std::vector<int> neurons(64, 1);
  for (std::size_t u = 0; u < 10; ++u) neurons[3 * u] = 0;
  const std::string t = write_ticket_of(here / "t.safetensors",
                                        {{"heads", {2, 2}}, {"mlps", {2}}, {"neurons", {2, 32}}},
                                        {{0, 1, 0, 0}, {1, 0}, neurons});
  const std::string line = "compact --run " + full + " --ticket " + t + " --out ";
  const fs::path small = here / "small";
  const auto j = json_of(line + small.string());
  CHECK(j["folder"] == small.string());
  REQUIRE(j["costs"].size() == 2);
  const auto &masked = j["costs"][0], &compact = j["costs"][1];
  CHECK(masked["model"] == "masked");
  CHECK(compact["model"] == "compact");
  CHECK(masked["parameters"] == numbers_in(full + "/model"));
  CHECK(compact["parameters"] == numbers_in(small));
  // 3 of 4 heads (3 * 8 * 17 + 16 * 8 each), 10 neurons of 33, an MLP of 1072.
  const std::size_t gone = 3 * (3 * 8 * 17 + 16 * 8) + 10 * 33 + 1072;
  CHECK(masked["parameters"].get<std::size_t>() - compact["parameters"].get<std::size_t>() == gone);
  CHECK(compact["bytes"].get<double>() < masked["bytes"].get<double>());
  CHECK(compact["flops_per_token"].get<double>() < masked["flops_per_token"].get<double>());
  CHECK(compact["milliseconds"].get<double>() > 0.0);
  std::set<std::string> probes;
  for (const auto& p : j["proofs"]) {
    probes.insert(p["probes"].get<std::string>());
    CHECK(p["difference"].get<double>() <= p["tolerance"].get<double>());
    CHECK(p["largest_logit"].get<double>() > 0.0);
  }
  CHECK(probes == std::set<std::string>{"development set", "random ids"});
  CHECK(io::read_json(small / "config.json")["model_type"] == "tombola-compact-bert");
  CHECK(io::read_json(small / "compaction.json")["ticket"]["fingerprint"] ==
        io::fingerprint(io::read_ticket(t)));

  const auto score = [&](const std::string& more) {
    return json_of("evaluate --run " + full + " --out " + runs + more);
  };
  const auto by_compact = score(" --model " + small.string());
  CHECK(by_compact["setting"].get<std::string>().find(", compact ") != std::string::npos);
  CHECK(by_compact["score"] == score(" --model " + [&] {
          json_of(line + (here / "full").string() + " --padded");
          return (here / "full").string();
        }())["score"]);
  CHECK(numbers_in(here / "full") == numbers_in(full + "/model"));
  CHECK(io::read_json(here / "full/config.json")["model_type"] == "bert");
  // A compact model, whose ticket nobody has, at full size.
  const auto again =
      json_of("compact --padded --run " + small.string() + " --out " + (here / "again").string());
  CHECK(again["costs"][1]["model"] == "padded");
  CHECK(score(" --model " + (here / "again").string())["score"] == by_compact["score"]);

  const std::string trained = last_line(succeed(world.train(small.string(), runs)));
  CHECK(numbers_in(trained + "/model") == numbers_in(small));
  const auto found = json_of("find-masks --prune weights --guard 0.5 --weight-step 0.5 --run " +
                             trained + " --out " + runs);
  CHECK(found["ticket"]["kept"]["weights"].get<std::size_t>() < numbers_in(small));
  refuses("find-masks --quiet --prune both --run " + trained + " --out " + (here / "no").string(),
          {trained, "is compact", "--prune weights"}, here / "no");
  refuses(world.train(small.string(), (here / "no").string()) + " --ticket " + t,
          {"t.safetensors", "compact", "weights"}, here / "no");
}

TEST_CASE("compact: without --ticket, the one that a run was trained under") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string runs = (here / "runs").string();
  const std::string t = write_ticket_of(here / "t.safetensors", {{"heads", {2, 2}}, {"mlps", {2}}},
                                        {{1, 0, 0, 0}, {1, 1}});
  const std::string run = last_line(succeed(world.train(world.model, runs) + " --ticket " + t));
  const answer said = test::tombola("compact --run " + run + " --out " + (here / "small").string());
  for (const char* word : {"parameters", "FLOPs per token", "bytes", "latency", "masked",
                           "compact ", "128 tokens", "median of 11", "allowed"}) {
    CHECK_THAT(said.out, Catch::Matchers::Contains(word));
  }
  CHECK(last_line(said.out) == (here / "small").string());
  const auto scores = [&](const std::string& more) {
    return json_of("evaluate --run " + run + " --out " + runs + more)["score"];
  };
  CHECK(scores("") == scores(" --model " + (here / "small").string()));
  // The study's ways differ in layer 1, which has no head, and in layer 0, which has half of them.
  std::set<std::size_t> sizes{numbers_in(here / "small")};
  for (const std::string mode : {"study", "study_reloaded"}) {
    json_of("compact --run " + run + " --mode " + mode + " --out " + (here / mode).string());
    sizes.insert(numbers_in(here / mode));
  }
  CHECK(sizes.size() == 3);
  CHECK(numbers_in(here / "small") - numbers_in(here / "study") == 16);
}

TEST_CASE("compact: a model's folder, and its answers for other tools") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string t = write_ticket_of(here / "t.safetensors", {{"mlps", {2}}},
                                        std::vector<std::vector<int>>{{0, 0}});
  const auto j =
      json_of("compact --run " + world.model + " --ticket " + t + " --out " +
              (here / "small").string() + " --probes " + (here / "probes.safetensors").string());
  CHECK(j["timing"]["probes"] == "random ids");
  CHECK(j["proofs"].size() == 1);
  const io::safetensors_file f{here / "probes.safetensors"};
  CHECK(f.at("ids").shape == f.at("segments").shape);
  CHECK(f.at("logits").shape[0] == f.at("masked_rows").shape[0]);
}

TEST_CASE("compact: what is said of upper case goes along with the vocabulary") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string said = R"({"do_lower_case": false})";
  fs::copy(world.model, here / "cased");
  io::write_file(here / "cased/tokenizer_config.json", said);
  const std::string t = write_ticket_of(here / "t.safetensors", {{"mlps", {2}}},
                                        std::vector<std::vector<int>>{{1, 0}});
  json_of("compact --run " + (here / "cased").string() + " --ticket " + t + " --out " +
          (here / "small").string());
  CHECK(io::read_text(here / "small/tokenizer_config.json", 100) == said);
}

TEST_CASE("compact: bad input gets one sentence, and nothing is written") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const fs::path out = here / "small";
  const auto line = [&](const std::string& more) {
    return "compact --quiet --run " + world.model + " --out " + out.string() + " " + more;
  };
  const auto refused = [&](const std::string& more, const std::vector<std::string>& words) {
    refuses(line(more), words, here / ".");
    CHECK(!fs::exists(out));
  };
  refused("", {world.model, "no ticket", "--ticket", "heads, mlps or neurons"});
  const std::string weights =
      write_ticket_of(here / "w.safetensors", {{"encoder.layer.0.output.dense.bias", {16}}},
                      {std::vector<int>(16, 0)});
  refused("--ticket " + weights,
          {weights, "encoder.layer.0.output.dense.bias", "heads, mlps or neurons"});
  const std::string wide =
      write_ticket_of(here / "h.safetensors", {{"heads", {3, 2}}}, {std::vector<int>(6, 1)});
  refused("--ticket " + wide, {wide, "heads (3 x 2)", "has heads (2 x 2)"});
  refused("--ticket " + (here / "none").string(), {"none"});
  refused("--mode quick --ticket " + wide, {"--mode", "quick"});
  refused("--tokens 0 --ticket " + wide, {"--tokens", "0"});
  const std::string t = write_ticket_of(here / "t.safetensors", {{"mlps", {2}}},
                                        std::vector<std::vector<int>>{{0, 1}});
  fs::create_directories(here / "full/inside");
  refuses("compact --quiet --run " + world.model + " --ticket " + t + " --out " +
              (here / "full").string(),
          {"full", "is there already"}, here / ".");
  refused("--ticket " + t + " --probes " + (out / "p.safetensors").string(),
          {"p.safetensors", "cannot lie in the new folder"});
  // A head that the folder has no weights of is drawn, and nobody else can draw it.
  const fs::path headless = here / "headless";
  fs::copy(world.model, headless);
  auto other = io::read_json(headless / "config.json");
  other["architectures"] = {"BertForSequenceClassification"};
  io::write_json(headless / "config.json", other);
  refuses("compact --quiet --run " + headless.string() + " --ticket " + t + " --out " +
              out.string() + " --probes " + (here / "p.safetensors").string(),
          {headless.string(), "has no ", "not saved"}, here / ".");
  CHECK(!fs::exists(out));
  succeed(line("--ticket " + t));
  const std::string small =
      "compact --quiet --run " + out.string() + " --out " + (here / "smaller").string();
  refuses(small + " --ticket " + t, {"compact already", "no ticket"}, here / ".");
  refuses(small, {"compact already", "--padded"}, here / ".");
  refuses(small + " --padded --mode study", {"compact already", "mode exact"}, here / ".");
  // A marker that other versions do not know.
  auto config = io::read_json(out / "config.json");
  config["format_version"] = 2;
  io::write_json(out / "config.json", config);
  refuses(small + " --padded", {"config.json", "format_version is 2", "expected 1"}, here / ".");
}
