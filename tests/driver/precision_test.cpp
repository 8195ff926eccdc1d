// --precision: a run of its own for each, and `auto` goes on with what was begun.

#include <cmath>
#include <string>

#include "tests/driver/program.hpp"

#include "tombola/io/json.hpp"

using namespace tombola;
using namespace tombola::test;

TEST_CASE("a run in bfloat16 is one of its own, and auto goes on with what was begun") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  // Wide enough for products that are worth rounding.
  const std::string model =
      last_line(succeed("pretrain --quiet --corpus " + world.data + "/corpus.txt --vocab " +
                        world.data + "/vocab.txt --layers 1 --hidden 64 --heads 2 --intermediate " +
                        "256 --out " + (here / "base").string())) +
      "/model";
  const auto line = [&](const std::string& out, const std::string& precision) {
    return world.train(model, (here / out).string(), "--precision " + precision);
  };
  const answer rounded = test::tombola(line("rounded", "bfloat16"));
  if (rounded.code == 2) {
    CHECK_THAT(rounded.err, Catch::Matchers::Contains("bfloat16"));
    const std::string only = last_line(succeed(line("plain", "auto")));
    CHECK(only == last_line(succeed(line("plain", "float32"))));
    WARN("skipped: this processor has no bfloat16 products");
    return;
  }
  const std::string in_half = last_line(rounded.out);
  const std::string plain = last_line(succeed(line("plain", "float32")));
  CHECK(std::filesystem::path{in_half}.filename() != std::filesystem::path{plain}.filename());
  CHECK(io::read_json(in_half + "/run.json").at("settings").at("precision") == "bfloat16");
  CHECK_FALSE(io::read_json(plain + "/run.json").at("settings").contains("precision"));
  // Rounded products are others, and a model learns with them all the same.
  CHECK(text_of(in_half + "/model/model.safetensors") !=
        text_of(plain + "/model/model.safetensors"));
  const auto loss = [](const std::string& run) {
    return io::read_json(run + "/result.json").at("training").at("last_epoch_loss").get<double>();
  };
  CHECK(std::abs(loss(in_half) - loss(plain)) < 0.1);
  CHECK(last_line(succeed(line("rounded", "auto"))) == in_half);
  CHECK(last_line(succeed(line("plain", "auto"))) == plain);
}
