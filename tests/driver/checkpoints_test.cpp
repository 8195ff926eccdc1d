// mask-of, prune and inspect on checkpoints; the recipes of docs/checkpoints.md, run as they stand.

#include <algorithm>
#include <sstream>

#include "tests/checkpoint/fabricated.hpp"
#include "tests/driver/program.hpp"
#include <nlohmann/json.hpp>

#include "tombola/io/safetensors.hpp"
#include "tombola/io/safetensors_values.hpp"
#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::test;
using io::dtype;
namespace fs = std::filesystem;

namespace {

std::vector<made_tensor> tensors(std::uint64_t seed) {
  return {{"layer.0.attention.query.weight", dtype::f32, {24, 32}, quarters(768, seed)},
          {"layer.0.attention.query.bias", dtype::f32, {24}, quarters(24, seed + 1)},
          {"layer.0.dense.weight", dtype::bf16, {40, 24}, quarters(960, seed + 2)},
          {"position_ids", dtype::i64, {1, 4}, {0, 1, 2, 3}}};
}

/// A folder with `model`, and `first` and `second`, of which half was pruned.
struct models {
  folder here;

  models() {
    int seed = 0;
    for (const std::string name : {"model", "first", "second"}) {
      fs::create_directory(here / name);
      auto made = tensors(static_cast<std::uint64_t>(10 * ++seed));
      for (auto& t : made) {
        for (double& x : t.values) {
          if (name != "model" && std::fabs(x) < 25 && t.shape.size() > 1) x = 0;
        }
      }
      write_checkpoint(here / name / "model.safetensors", made, {{"format", "pt"}});
      put(here / name / "config.json", "{}");
    }
  }
  /// In that folder.
  [[nodiscard]] answer run(const std::string& arguments) const {
    return test::tombola(arguments, "cd " + here.str() + " &&");
  }
  [[nodiscard]] nlohmann::json json(const std::string& arguments) const {
    const answer a = run(arguments + " --json");
    INFO(arguments << "\n" << a.err);
    REQUIRE(a.code == 0);
    return nlohmann::json::parse(a.out);
  }
  void refuses(const std::string& arguments, const std::string& sentence) const {
    const answer a = run(arguments);
    INFO(arguments);
    CHECK(a.code == 2);
    CHECK(a.err == "tombola: " + sentence + "\n");
    for (const auto& entry : fs::recursive_directory_iterator{here / "."}) {
      CHECK(entry.path().string().find(".tmp-") == std::string::npos);
    }
  }
};

}  // namespace

TEST_CASE("the recipes of the page on checkpoints run as they stand") {
  const models m;
  std::istringstream page{text_of("docs/checkpoints.md")};
  std::size_t recipes = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("tombola ")) continue;
    const answer a = m.run(line.substr(8));
    INFO(line << "\n" << a.err);
    CHECK(a.code == 0);
    CHECK(!a.out.empty());
    ++recipes;
  }
  CHECK(recipes == 7);
  const auto half = m.json("inspect half");
  CHECK(half["what"] == "checkpoint");
  const auto patterned = m.json("inspect patterned --nm 2:4");
  for (const auto& t : patterned["tensors"]) {
    if (t["name"].get<std::string>().ends_with(".weight")) {
      CHECK(t["pattern"]["blocks"] == t["pattern"]["fitting"]);
      CHECK(t["sparsity"] >= 0.5);
    }
  }
}

TEST_CASE("shares are never rounded to none or all") {
  const models m;
  std::vector<double> all(200'000, 1.0), one(200'000, 0.0), none(200'000, 0.0);
  all[7] = all[8] = 0;
  one[5] = 1;
  std::fill_n(one.begin(), 4, 1.0);
  write_checkpoint(m.here / "rare.safetensors", {{"all", dtype::f32, {400, 500}, all},
                                                 {"none", dtype::f32, {400, 500}, none},
                                                 {"one", dtype::f32, {400, 500}, one}});
  const answer a = m.run("inspect rare.safetensors --nm 2:4");
  INFO(a.out);
  CHECK(a.out.find("all F32 [400,500]: 0.01 % zero") != std::string::npos);
  CHECK(a.out.find("none F32 [400,500]: 100.00 % zero") != std::string::npos);
  CHECK(a.out.find("2:4 in 100.00 % of blocks") != std::string::npos);
  CHECK(a.out.find("one F32 [400,500]: 99.99 % zero") != std::string::npos);
  CHECK(a.out.find("2:4 in 99.99 % of blocks") != std::string::npos);
  CHECK(m.run("mask-of rare.safetensors --only one --out one.safetensors")
            .out.starts_with("keeps 5 of 200000 weights in 1 group (99.99 % are zero)\n"));
}

TEST_CASE("of nothing there is no share of zeros") {
  const models m;
  write_checkpoint(m.here / "empty.safetensors", {{"w", dtype::f32, {0, 4}, {}}});
  const auto j = m.json("inspect empty.safetensors");
  CHECK(j["sparsity"].is_null());
  CHECK(j["tensors"][0]["sparsity"].is_null());
  CHECK(j["tensors"][0]["kept"] == 0);
  const std::string text = m.run("inspect empty.safetensors").out;
  CHECK(text.find("  w F32 [0,4]\n") != std::string::npos);
  CHECK(text.find("sparsity") == std::string::npos);
  CHECK(m.run("mask-of empty.safetensors --out empty").out ==
        "keeps 0 of 0 weights in 1 group\nempty\n");
  CHECK(m.json("inspect empty")["groups"][0]["sparsity"].is_null());
  CHECK(m.run("inspect empty").out.find("  w [0,4]\n") != std::string::npos);
  CHECK(m.json("inspect model")["sparsity"].is_number());
}

TEST_CASE("inspect says a ticket's kind where somebody has given it one") {
  const models m;
  (void)m.json("mask-of first --out first.safetensors");
  CHECK(m.json("inspect first.safetensors")["kind"].is_null());
  CHECK(m.run("inspect first.safetensors").out.find("kind: none\n") != std::string::npos);
  ticket t = io::read_ticket(m.here / "first.safetensors");
  t.origin.kind = "good";
  io::write_ticket(m.here / "good.safetensors", t);
  CHECK(m.json("inspect good.safetensors")["kind"] == "good");
  // The commands that compare with good tickets take it for one.
  CHECK(m.json(
            "controls --ticket first.safetensors --kind random --out random.safetensors")["kind"] ==
        "random");
}

TEST_CASE("inspect shows what PyTorch's pruning has split as mask-of takes it") {
  const models m;
  write_checkpoint(m.here / "split.safetensors",
                   {{"0.weight_orig", dtype::f32, {2, 2}, {1, 2, 3, 4}},
                    {"0.weight_mask", dtype::f32, {2, 2}, {0, 0, 1, 1}},
                    {"1.weight", dtype::f32, {3, 2}, {1, 0, 0, 0, 0, 0}}});
  CHECK(m.json("mask-of split.safetensors --only '0.weight' --out t")["kept"] == 2);
  const auto tensors = m.json("inspect split.safetensors")["tensors"];
  for (const auto& t : tensors) {
    CHECK(t.contains("mask") == (t["name"] == "0.weight_orig"));
    CHECK(t.contains("sparsity") == (t["name"] != "0.weight_mask"));
    if (!t.contains("mask")) continue;
    CHECK(t["group"] == "0.weight");
    CHECK(t["mask"] == "0.weight_mask");
    CHECK(t["sparsity"] == 0.5);
  }
  const std::string text = m.run("inspect split.safetensors").out;
  INFO(text);
  CHECK(text.find("  0.weight F32 [2,2] (0.weight_orig by 0.weight_mask): 50.00 % zero, "
                  "1 empty row\n") != std::string::npos);
  CHECK(text.find("  0.weight_mask F32 [2,2]\n") != std::string::npos);
  CHECK(text.find("  1.weight F32 [3,2]: 83.33 % zero, 2 empty rows, 1 empty column\n") !=
        std::string::npos);
}

TEST_CASE("names in any script are shown, and none gives a terminal orders") {
  const models m;
  const std::string name = "层.0.größe";
  for (const std::string file : {"a", "b"}) {
    write_checkpoint(m.here / (file + ".safetensors"),
                     {{name, dtype::f32, {1, 4}, {1, 0, 1, 0}},
                      {"x\u202Ey\u009B", dtype::f32, {1, 4}, {1, 0, 1, 0}}});
  }
  const std::string text = m.run("inspect a.safetensors").out;
  CHECK(text.find("  " + name + " F32 [1,4]: 50.00 % zero") != std::string::npos);
  CHECK(text.find("  x?y? F32 [1,4]") != std::string::npos);
  CHECK(m.run("compare a.safetensors b.safetensors").out.find("  " + name + ": keep 2 and 2") !=
        std::string::npos);
  m.refuses("mask-of a.safetensors --only 'größe\u202E' --out x",
            "a.safetensors: no tensor matches 'größe?'");
}

TEST_CASE("a folder of folders is told from a checkpoint, and --only from a ticket's groups") {
  const models m;
  fs::create_directories(m.here / "runs" / "x");
  fs::copy_file(m.here / "first" / "model.safetensors", m.here / "runs" / "x" / "y.safetensors");
  const std::string none =
      "runs: has neither a result.json nor *.safetensors with weights of its "
      "own, expected the folder of a run or a checkpoint, or a file";
  m.refuses("inspect runs", none);
  (void)m.json("mask-of first --out runs/ticket.safetensors");
  m.refuses("inspect runs", none);
  m.refuses("mask-of runs --out t",
            "runs: has no *.safetensors with weights of its own, expected a checkpoint");
  m.refuses("compare runs/ticket.safetensors second --only '*dense*'",
            "second: does not fit runs/ticket.safetensors: tickets differ in group 0: "
            "layer.0.attention.query.weight (24 x 32) and layer.0.dense.weight (40 x 24); --only "
            "chooses tensors of checkpoints, a ticket is taken whole");
  CHECK(m.run("compare --help").out.find("tickets are taken whole") != std::string::npos);
}

TEST_CASE("short work says nothing of its progress where nobody watches") {
  const models m;
  for (const std::string line :
       {"compare first second", "agreement first second model", "inspect model",
        "mask-of model --only '*.weight' --out all.safetensors",
        "prune first --only '*.weight' --share 0.7 --out more"}) {
    const answer a = m.run(line);
    CHECK(a.code == 0);
    CHECK(a.err.empty());
  }
}

TEST_CASE("mask-of replaces a file, prune leaves a folder alone") {
  const models m;
  put(m.here / "t.safetensors", "something else");
  CHECK(m.json("mask-of first --out t.safetensors")["file"] == "t.safetensors");
  CHECK(m.json("inspect t.safetensors")["what"] == "ticket");
  m.refuses("prune first --share 0.5 --out second",
            "second: is there already, expected a new or empty folder");
}

TEST_CASE("a pruned checkpoint has the zeros that its ticket says, and its companions") {
  const models m;
  const auto done = m.json("prune model --criterion magnitude --share 0.75 --out out");
  CHECK(done["size"] == 768 + 960);
  CHECK(done["kept"] == 432);
  CHECK(done["left_out"] == nlohmann::json{{"flat", 1}, {"not_floating", 1}});
  CHECK(fs::exists(m.here / "out" / "config.json"));
  const ticket kept = io::read_ticket(m.here / "out" / "ticket.safetensors");
  CHECK(kept.origin.criterion == "magnitude");
  const auto masked = m.json("mask-of out --out again.safetensors");
  CHECK(masked["kept"] == 432);
  const ticket again = io::read_ticket(m.here / "again.safetensors");
  for (std::size_t g = 0; g < 2; ++g) CHECK(again[g] == kept[g]);
  const auto pairs = m.json("compare out out/ticket.safetensors")["pairs"];
  CHECK(pairs[0]["all"]["jaccard"] == 1.0);
  const auto agreed = m.json("agreement out model first --only '*dense*'");
  CHECK(agreed.dump().find("layer.0.dense.weight") != std::string::npos);
  // Inside a folder of masks, tickets are taken and weights are not.
  CHECK(m.run("compare out/ticket.safetensors again.safetensors").code == 0);
  const auto ticket_seen = m.json("inspect again.safetensors");
  CHECK(ticket_seen["groups"][0].contains("empty_rows"));
}

TEST_CASE("a checkpoint of several files is pruned into as many") {
  const models m;
  fs::create_directory(m.here / "shards");
  write_checkpoint(m.here / "shards" / "a.safetensors",
                   {{"a", dtype::f16, {2, 4}, quarters(8, 1)}});
  write_checkpoint(m.here / "shards" / "b.safetensors",
                   {{"b", dtype::f64, {2, 4}, quarters(8, 2)}});
  io::write_json(m.here / "shards" / "model.safetensors.index.json",
                 {{"weight_map", {{"a", "a.safetensors"}, {"b", "b.safetensors"}}}});
  CHECK(m.json("prune shards --share 0.5 --scope row --out out")["kept"] == 8);
  CHECK(m.json("inspect out")["files"] == 2);
  CHECK(m.json("mask-of out/model.safetensors.index.json --out t")["kept"] == 8);
  fs::remove(m.here / "shards" / "b.safetensors");
  m.refuses("mask-of shards --out t2",
            "shards/b.safetensors: cannot be opened for reading: No such file or directory");
  write_checkpoint(m.here / "shards" / "b.safetensors",
                   {{"a", dtype::f64, {2, 4}, quarters(8, 2)}});
  m.refuses("inspect shards",
            "shards/model.safetensors.index.json: tensor 'a' lies in both 'a.safetensors' and "
            "'b.safetensors', expected one of them");
  CHECK_FALSE(fs::exists(m.here / "t2"));
}

TEST_CASE("bad input: checkpoints") {
  const models m;
  m.refuses("prune model --share 0.5 --out model",
            "model: is the checkpoint's own folder, expected another to write to");
  m.refuses("mask-of model --out model/model.safetensors",
            "model/model.safetensors: is a file of the checkpoint, expected another to write to");
  m.refuses("prune model --share 0.5 --out first",
            "first: is there already, expected a new or empty folder");
  m.refuses("prune model --out x",
            "prune: neither --share nor --nm is given, expected one of them");
  m.refuses("prune model --share 0.5 --only 'nothing*' --out x",
            "model/model.safetensors: no tensor matches 'nothing*'");
  m.refuses(
      "mask-of model --only '*ids' --out x",
      "model/model.safetensors: has no weights to look at among 4 tensors, expected a match in "
      "F64, F32, F16 or BF16");
  m.refuses("prune model --nm 2 --out x",
            "prune: --nm is 2, expected N:M such as 2:4, N from 1 to M");
  for (const std::string none : {"0:4", "0:0"}) {
    m.refuses("prune model --nm " + none + " --out x",
              "prune: --nm is " + none + ", expected N:M such as 2:4, N from 1 to M");
  }
  m.refuses(
      "prune model --nm 2:5 --out x",
      "prune: asked to keep 2 of every 5 weights of layer.0.attention.query.weight (24 x 32), "
      "whose rows of 32 leave a tail, expected a multiple of 5");
  m.refuses("inspect model --nm 5:4",
            "inspect: --nm is 5:4, expected N:M such as 2:4, N from 1 to M");
  for (const std::string share : {"nan", "-nan", "1.5", "half"}) {
    m.refuses("prune model --share " + share + " --out x",
              "--share: found " + share + ", expected a number from 0 to 1; see --help");
  }
  std::string strange = text_of(m.here / "model" / "model.safetensors");
  const auto at = strange.find("\"BF16\"");
  strange.replace(at, 6, "\"F4_X\"");
  put(m.here / "strange.safetensors", strange);
  const answer a = m.run("mask-of strange.safetensors --out x");
  CHECK(a.code == 2);
  CHECK_THAT(a.err, Catch::Matchers::Contains("has dtype 'F4_X', expected F64, F32"));
  CHECK(m.run("prune model --share 0.5 --nm 2:4 --out x").code == 2);
  CHECK(m.run("prune model --share 0.5 --criterion size --out x").code == 2);
  CHECK_FALSE(fs::exists(m.here / "x"));
}

TEST_CASE(
    "a model is trained and scored in the ticket of a checkpoint, whose names have a prefix") {
  const trained world;
  const pocket_world& pocket = pocket_world::instance();
  const std::string here = world.here.str(), half = here + "/half";
  const std::string model = world.full + "/model";
  succeed("prune " + model + " --share 0.5 --only '*.attention.self.*.weight' --out " + half);
  const std::string good = half + "/ticket.safetensors", nonzero = here + "/nonzero.safetensors";
  succeed("mask-of " + half + " --only '*.attention.self.*.weight' --out " + nonzero);
  const std::string query = "encoder.layer.0.attention.self.query.weight";
  for (const std::string& file : {good, nonzero}) {
    const ticket t = io::read_ticket(file);
    REQUIRE(t.find("bert." + query));
    const auto kept = [&](const std::string& run) {
      return nlohmann::json::parse(text_of(run + "/result.json")).at("ticket").at("kept");
    };
    const nlohmann::json expected{{"weights", t.count()}};
    const std::string scored =
        last_line(succeed("evaluate --quiet --run " + world.full + " --ticket " + file + " --out " +
                          here + "/scored"));
    CHECK(kept(scored) == expected);
    const std::string run =
        last_line(succeed(pocket.train(pocket.model, world.runs, "--ticket " + file)));
    CHECK(kept(run) == expected);
    const ticket named = io::read_ticket(run + "/ticket.safetensors");
    CHECK(named.at(query) == t.at("bert." + query));
    const io::safetensors_file after{run + "/model/model.safetensors"};
    const auto values = io::to_floats(*after.find("bert." + query));
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!named.at(query)[i]) REQUIRE(values[i] == 0.0F);
    }
  }
  const std::string bad = here + "/bad.safetensors";
  succeed("controls --kind bad --ticket " + good + " --model " + model + " --out " + bad);
  CHECK(io::read_ticket(bad).count() == io::read_ticket(good).count());
}
