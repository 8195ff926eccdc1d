// Tickets that a command can do nothing with: refused by the name of their file, and nothing made.

#include "tests/driver/program.hpp"

#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

TEST_CASE("a ticket without groups is refused by name") {
  const folder here;
  const std::string none = (here / "none.safetensors").string();
  const std::string out = (here / "out.safetensors").string();
  io::write_ticket(none, ticket{std::vector<group>{}});
  const std::vector<std::string> words{"none.safetensors", "has no group", "expected at least one"};
  for (const std::string kind : {"random", "bad", "layers", "inverted"}) {
    refuses("controls --ticket " + none + " --kind " + kind + " --out " + out, words, here.str());
  }
  refuses("controls --ticket " + none + " " + none + " --kind super --out " + out, words,
          here.str());
  refuses("compare " + none + " " + none, words, here.str());
  refuses("agreement " + none + " " + none, words, here.str());
  refuses("convert " + none + " --out " + out, words, here.str());
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("what does not fit is refused before a run's folder is made") {
  const trained world;
  const pocket_world& pocket = pocket_world::instance();
  const folder here;
  const fs::path out = here / "runs";
  const std::string to = " --quiet --out " + out.string();
  const std::string name = (here / "t.safetensors").string();
  const auto with = [&](const std::vector<group>& groups) {
    io::write_ticket(name, ticket{groups});
    return " --ticket " + name;
  };
  const std::string train = pocket.train(pocket.model, out.string());
  const std::string evaluate = "evaluate --run " + world.full + to;
  const std::string compact = "compact --run " + world.full + to;
  const auto refuse = [&](const std::string& line, const std::vector<std::string>& words) {
    refuses(line, words, out);
    CHECK_FALSE(fs::exists(out));
  };
  SECTION("tickets") {
    const std::string query = "encoder.layer.0.attention.self.query.weight";
    for (const std::string& line : {train, evaluate}) {
      refuse(line + with({}), {name + ": the ticket has no group, expected at least one"});
      refuse(line + with({{"heads", {4, 4}}}),
             {name + ": has the group heads (4 x 4), but ", " has heads (2 x 2)"});
      refuse(line + with({{"heads", {4, 1}}}), {"heads (4 x 1)", " has heads (2 x 2)"});
      refuse(line + with({{"neurons", {64}}}), {"neurons (64)", " has neurons (2 x 32)"});
      refuse(line + with({{query, {16, 17}}}), {query + " (16 x 17)", query + " (16 x 16)"});
      refuse(line + with({{"roberta." + query, {16, 16}}}),
             {name + ": has the group roberta." + query, "no parameter of ", "has this name"});
      refuse(line + with({{query, {16, 16}}, {"bert." + query, {16, 16}}}), {"two groups", query});
    }
    refuse(compact + with({}), {name + ": the ticket has no group, expected at least one"});
    refuse(compact + with({{"mlps", {3}}}), {name + ": has the group mlps (3), but ", "mlps (2)"});
    refuse(compact + with({{query, {16, 16}}}),
           {name + ": has the group " + query, "of single weights", "expected masks of heads"});
    succeed(evaluate +
            with({{"heads", {2, 2}}, {query, {16, 16}}, {"classifier.weight", {2, 16}}}));
  }
  SECTION("weights that config.json does not announce") {
    const fs::path other = here / "other", config = other / "config.json";
    const auto announce = [&](const char* key, std::size_t value) {
      fs::remove_all(other);
      fs::copy(fs::path{world.full} / "model", other, fs::copy_options::recursive);
      nlohmann::json j = io::read_json(config);
      j[key] = value;
      io::write_json(config, j);
    };
    const std::string from_other = pocket.train(other.string(), out.string());
    announce("intermediate_size", 31);
    for (const std::string& line : {from_other, evaluate + " --model " + other.string()}) {
      refuse(line, {(other / "model.safetensors").string() + ": tensor bert.encoder.layer.0.",
                    "intermediate.dense.", " config.json announces [31"});
    }
    announce("num_hidden_layers", 3);
    refuse(from_other, {"has no tensor encoder.layer.2.attention.self.query.weight",
                        "which config.json announces"});
  }
  SECTION("the bad ticket of another model's weights") {
    refuse("controls --kind bad --model " + pocket.model + " --out " + out.string() +
               with({{"encoder.layer.0.attention.self.query.weight", {32, 32}}}),
           {name + ": has the group encoder.layer.0.attention.self.query.weight (32 x 32), but " +
                pocket.model,
            "(16 x 16)"});
  }
  SECTION("more batches in a step than an epoch has") {
    refuse(train + " --accumulate 4", {"the 3 batches of an epoch make no step of 4"});
    succeed(train + " --accumulate 3");
  }
  SECTION("a search that removes nothing in a step") {
    const std::string search = "find-masks --run " + world.full + to + " --step 0 --prune ";
    for (const std::string what : {"heads", "mlps", "both", "neurons"}) {
      refuse(search + what, {"share of units in a step is 0", "expected a number above 0"});
    }
  }
}
