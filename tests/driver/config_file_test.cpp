// Options of a command from a file.

#include "tests/driver/program.hpp"
#include <nlohmann/json.hpp>

using namespace tombola;
using namespace tombola::test;

TEST_CASE("a config file: options from a file, and the command line wins") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const auto file = here / "train.toml";
  const std::string runs = (here / "runs").string();
  write_text(
      file,
      "# a grid's common part\nmodel = \"" + world.model + "\"\ndata = '" + world.data +
          "'\ntask = pocket-sentiment\nout = \"" + runs +
          "\"\nrate = 3e-3\nepochs = 2\nrows = 40\nthreads = 1\nmax-length = 32\nquiet = true\n");
  const answer made = test::tombola("train --seed 3 --epochs 1 --config " + file.string());
  INFO(made.err);
  REQUIRE(made.code == 0);
  CHECK(made.err.empty());
  const auto run = nlohmann::json::parse(text_of(last_line(made.out) + "/run.json"));
  CHECK(run.at("settings").at("rate") == 3e-3);
  CHECK(run.at("settings").at("epochs") == 1);
  CHECK(run.at("settings").at("rows") == 40);
  // The same options on the command line are the same run.
  write_text(file, "quiet = false\n");
  const answer typed = test::tombola(
      "train --quiet --seed 3 --epochs 1 --rows 40 --rate 3e-3 --threads 1 --max-length 32 "
      "--model " +
      world.model + " --data " + world.data + " --task pocket-sentiment --out " + runs +
      " --config=" + file.string());
  CHECK(typed.code == 0);
  CHECK(last_line(typed.out) == last_line(made.out));

  const std::string line = "train --out " + (here / "no").string() + " --config " + file.string();
  for (const auto& [text, words] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"rat = 1\n", {"'rat' is no option of train"}},
           {"config = x\n", {"'config' is no option of train"}},
           {"= 1\n", {"is no option of train"}},
           {"rate\n", {"--rate"}},
           {"rate = fast\n", {"--rate", "fast"}},
           {"rate = 1\nrate = 2\n", {"--rate"}},
           {"rate = 1\nseed = 2\nrate = 2\n", {"'rate' stands twice"}},
           {"quiet = perhaps\n", {"'quiet' is 'perhaps', expected true or false"}},
           {"[train]\nrate = 1\n", {"section 'train'"}},
           {"seed = 1\n", {"--model is required"}},
           {"seed = [1, 2]\n", {"--seed"}},
           {std::string{"\0\xFF=\x1B[", 5}, {"is no option of train"}}}) {
    write_text(file, text);
    INFO(text);
    refuses(line, words, here / "no");
  }
  refuses("train --out x --config " + (here / "none").string(), {"none"}, here / "x");
  refuses("train --out x --config " + here.str(), {here.str()}, here / "x");
}
