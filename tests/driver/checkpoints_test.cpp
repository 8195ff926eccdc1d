// mask-of, prune and inspect on checkpoints; the recipes of docs/checkpoints.md, run as they stand.

#include <algorithm>
#include <sstream>

#include "tests/checkpoint/fabricated.hpp"
#include "tests/driver/program.hpp"
#include <nlohmann/json.hpp>

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
            "prune: --nm is 2, expected N:M such as 2:4, N at most M");
  m.refuses(
      "prune model --nm 2:5 --out x",
      "prune: asked to keep 2 of every 5 weights of layer.0.attention.query.weight (24 x 32), "
      "whose rows of 32 leave a tail, expected a multiple of 5");
  m.refuses("inspect model --nm 5:4",
            "inspect: --nm is 5:4, expected N:M such as 2:4, N at most M");
  std::string strange = text_of(m.here / "model" / "model.safetensors");
  const auto at = strange.find("\"BF16\"");
  strange.replace(at, 6, "\"F4_X\"");
  put(m.here / "strange.safetensors", strange);
  const answer a = m.run("mask-of strange.safetensors --out x");
  CHECK(a.code == 2);
  CHECK_THAT(a.err, Catch::Matchers::Contains("has dtype 'F4_X', expected F64, F32"));
  CHECK(m.run("prune model --share 0.5 --nm 2:4 --out x").code == 2);
  CHECK(m.run("prune model --share 1.5 --out x").code == 2);
  CHECK(m.run("prune model --share 0.5 --criterion size --out x").code == 2);
  CHECK_FALSE(fs::exists(m.here / "x"));
}
