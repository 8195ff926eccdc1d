// Whatever is wrong gets one sentence that names it, exit code 2 (1 while running), and nothing
// half-written.

#include <cstdint>
#include <limits>

#include "tests/driver/program.hpp"

#include "tombola/io/json.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

namespace {

/// A copy of the tiny model that a test may spoil.
fs::path model_copy(const folder& here) {
  const fs::path copy = here / "model";
  fs::copy(pocket_world::instance().model, copy);
  return copy;
}

}  // namespace

TEST_CASE("bad input: a model's files") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const fs::path model = model_copy(here), weights = model / "model.safetensors";
  const fs::path out = here / "runs";
  const std::string line = world.train(model.string(), out.string());
  const std::string good = text_of(weights);

  SECTION("truncated weights") {
    write_text(weights, good.substr(0, good.size() / 2));
    refuses(line, {"model.safetensors", "bytes"}, out);
  }
  SECTION("a header that lies about its length") {
    std::string lying = good;
    lying[4] = '\x7f';
    write_text(weights, lying);
    refuses(line, {"model.safetensors", "header"}, out);
  }
  SECTION("no weights at all") {
    fs::remove(weights);
    refuses(line, {"model.safetensors"}, out);
  }
  SECTION("a config whose sizes are not those of the tensors") {
    auto config = io::read_json(model / "config.json");
    config["intermediate_size"] = 48;
    io::write_json(model / "config.json", config);
    refuses(line, {"model.safetensors", "intermediate.dense.weight", "config.json"}, out);
  }
  SECTION("a config that asks for more memory than there is") {
    auto config = io::read_json(model / "config.json");
    config["hidden_size"] = 65536;
    config["intermediate_size"] = 262144;
    config["num_hidden_layers"] = 1024;
    io::write_json(model / "config.json", config);
    refuses(line, {"model.safetensors", "bytes", "parameters"}, out);
  }
  SECTION("a config of another architecture") {
    auto config = io::read_json(model / "config.json");
    config["model_type"] = "albert";
    io::write_json(model / "config.json", config);
    refuses(line, {"config.json", "albert", "roberta", "distilbert"}, out);
  }
  SECTION("a vocabulary without [UNK]") {
    std::string vocabulary = text_of(model / "vocab.txt");
    vocabulary.replace(vocabulary.find("[UNK]"), 5, "[ANK]");
    write_text(model / "vocab.txt", vocabulary);
    refuses(line, {"vocab.txt", "[UNK]"}, out);
  }
  SECTION("NaN in a weight") {
    std::string spoilt = good;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const io::safetensors_file file{weights};
    const auto bytes = file.at("bert.embeddings.word_embeddings.weight").bytes;
    spoilt.replace(
        good.find(std::string{reinterpret_cast<const char*>(bytes.data()), bytes.size()}), 4,
        reinterpret_cast<const char*>(&nan), 4);
    write_text(weights, spoilt);
    refuses(line, {"model.safetensors", "NaN", "index"}, out);
  }
}

TEST_CASE("bad input: a task's files") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const fs::path data = here / "data", task = data / "pocket-sentiment", out = here / "runs";
  fs::create_directories(data);
  fs::copy(world.data + "/pocket-sentiment", task);
  const std::string line = "train --model " + world.model + " --data " + data.string() +
                           " --task pocket-sentiment --max-length 32 --quiet --out " + out.string();
  SECTION("an empty training file") {
    write_text(task / "train.tsv", "");
    refuses(line, {"train.tsv", "no rows"}, out);
  }
  SECTION("a label that the task does not have") {
    write_text(task / "train.tsv",
               "sentence\tlabel\nthe dog sings .\tpositive\nthe cat .\tsplendid\n");
    refuses(line, {"train.tsv", "line 3", "splendid", "positive"}, out);
  }
  SECTION("a row with a field too many") {
    write_text(task / "train.tsv", "sentence\tlabel\nthe dog sings .\tpositive\tindeed\n");
    refuses(line, {"train.tsv", "line 2", "found 3", "expected 2"}, out);
  }
  SECTION("an unknown task") {
    refuses("train --model " + world.model + " --data " + data.string() +
                " --task SST-3 --quiet --out " + out.string(),
            {"SST-3", "CoLA"}, out);
  }
}

TEST_CASE("bad input: tickets, masks, options, folders") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const fs::path out = here / "runs";
  const std::string line = world.train(world.model, out.string());
  SECTION("a ticket of another model") {
    io::write_ticket(here / "other.safetensors", ticket{{{"heads", {12, 12}}, {"mlps", {12}}}});
    refuses(line + " --ticket " + (here / "other.safetensors").string(),
            {"other.safetensors: has the group heads (12 x 12)", "has heads (2 x 2)"}, out);
  }
  SECTION("a ticket that is none") {
    write_text(here / "no.safetensors", "no");
    refuses(line + " --ticket " + (here / "no.safetensors").string(), {"no.safetensors"}, out);
  }
  SECTION("masks of different sizes") {
    io::write_mask_npy(here / "a.npy", {12, 12}, mask{144}, io::mask_number::float32);
    io::write_mask_npy(here / "b.npy", {12}, mask{12}, io::mask_number::float32);
    refuses("compare " + (here / "a.npy").string() + " " + (here / "b.npy").string(),
            {"b.npy", "a.npy", "12 x 12"}, out);
  }
  SECTION("a mask with a number that is neither 0 nor 1") {
    const std::vector<float> half{1.0F, 0.5F};
    io::write_npy(here / "half.npy", {2}, std::span<const float>{half});
    refuses("compare " + (here / "half.npy").string() + " " + (here / "half.npy").string(),
            {"half.npy", "0.5"}, out);
  }
  SECTION("an output folder that cannot be written") {
    write_text(here / "file", "in the way");
    refuses(world.train(world.model, (here / "file").string()), {"file", "cannot be"}, out);
  }
  SECTION("a run that is none") {
    refuses("find-masks --prune both --run " + here.str() + " --quiet --out " + out.string(),
            {"run.json"}, out);
  }
  SECTION("guards that exclude each other, or that the mode does not have") {
    const std::string search =
        "find-masks --prune both --run " + here.str() + " --quiet --out " + out.string() + " ";
    for (const std::string number : {"nan", "inf", "-inf", "1e999"}) {
      refuses(search + "--guard-at-least=" + number,
              {"--guard-at-least", "found " + number + ", expected a finite number"}, out);
    }
    refuses(search + "--guard-drop inf", {"--guard-drop", "found inf"}, out);
    refuses(search + "--mode study --guard-drop 0.1", {"mode study", "guard_drop"}, out);
    refuses(search + "--mode study --estimator per_batch", {"per_batch", "cumulative"}, out);
  }
  SECTION("numbers that are infinite") {
    for (const std::string option : {"--rate", "--decay", "--clip", "--checkpoint-seconds"}) {
      for (const std::string number : {"inf", "1e400"}) {
        refuses(world.train(world.model, out.string(), option + " " + number),
                {option, "found " + number + ", expected a finite number"}, out);
      }
    }
  }
  SECTION("more tokens than the model has positions") {
    refuses(world.train(world.model, out.string(), "--max-length 1000"),
            {"max length is 1000", "expected at most the 64 positions of the model"}, out);
  }
}

TEST_CASE("bad input: options that nobody has") {
  for (const char* arguments : {"", "prune-everything", "train --epochs minus", "compare"}) {
    const answer a = test::tombola(arguments);
    INFO(arguments << "\n" << a.err);
    CHECK(a.code == 2);
    CHECK_FALSE(a.err.empty());
  }
}

TEST_CASE("bad input: what is missing may be there, misspelt") {
  refuses("train --model m --dta d --task SST-2", {"--data is required", "unknown: --dta"}, {});
  refuses("overlaps a b", {"subcommand is required", "unknown: overlaps"}, {});
  CHECK(test::tombola("train --model m").err.find("unknown") == std::string::npos);
}

TEST_CASE("bad input: a number out of range is answered with the range") {
  const auto says = [](const std::string& arguments, const std::string& sentence) {
    const answer a = test::tombola(arguments);
    CHECK(a.code == 2);
    CHECK_THAT(a.err, Catch::Matchers::Contains(sentence));
  };
  says("train --model m --data d --task t --out o --epochs 0",
       "--epochs: found 0, expected a whole number from 1 to 1000000000");
  says("find-masks --run r --prune both --out o --guard-drop -1",
       "--guard-drop: found -1, expected a number of 0 or more");
  says("find-masks --run r --prune both --out o --guard 0.9 --guard-drop 0.1",
       "--guard excludes --guard-drop");
}

TEST_CASE("a loss that becomes NaN ends the run, names the step and keeps the last checkpoint") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const fs::path out = here / "runs";
  const answer a = test::tombola(
      world.train(world.model, out.string(), "--rate 1e38 --clip 0 --checkpoint-seconds 0"));
  INFO(a.err);
  CHECK(a.code == 1);
  CHECK_THAT(a.err, Catch::Matchers::Contains("NaN or infinite"));
  CHECK_THAT(a.err, Catch::Matchers::Contains("step "));
  bool state = false;
  for (const auto& entry : fs::recursive_directory_iterator{out}) {
    CHECK(entry.path().filename() != "result.json");
    state = state || entry.path().filename() == "state.safetensors";
  }
  CHECK(state);
  CHECK_THAT(a.err, Catch::Matchers::Contains("the last good checkpoint is"));
}
