// Options that cannot mean what they say: one sentence with the option's name, and nothing made.

#include <iterator>

#include "tests/driver/program.hpp"

#include "tombola/io/json.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

TEST_CASE("a name that no folder can have is refused, and nothing is written anywhere") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const fs::path out = here / "runs";
  const std::string line = "pretrain --corpus " + world.data + "/corpus.txt --vocab " + world.data +
                           "/vocab.txt --layers 1 --hidden 16 --heads 2 --intermediate 16 "
                           "--quiet --out " +
                           out.string() + " --name ";
  refuses(line + "'x/../../../escaped'", {"'x/../../../escaped' holds a '/'"}, here.str());
  refuses(line + "a/b", {"'a/b' holds a '/'"}, here.str());
  refuses(line + ".", {"'.' is no name"}, here.str());
  refuses(line + "..", {"'..' is no name"}, here.str());
  refuses(line + "\"$(printf 'two\\nlines')\"", {"'two?lines'", "control character"}, here.str());
  refuses(line + "\"$(printf 'a\\377')\"", {"'a?' is not UTF-8"}, here.str());
  refuses(line + std::string(101, 'n'), {"has 101 bytes, more than 100"}, here.str());
  CHECK(std::distance(fs::directory_iterator{here.str()}, {}) == 0);
  const std::string folder_made = last_line(succeed(line + "'two words \u00e9'"));
  CHECK(fs::path{folder_made}.parent_path() == out);
  CHECK(fs::exists(folder_made + "/result.json"));
}

TEST_CASE("a task whose name is too long for a run's folder is refused") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string name(150, 't');
  const fs::path task = here / ("data/" + name);
  fs::create_directories(here / "data");
  fs::copy(world.data + "/pocket-sentiment", task);
  auto description = io::read_json(task / "task.json");
  description["name"] = name;
  io::write_json(task / "task.json", description);
  refuses("train --model " + world.model + " --data " + (here / "data").string() + " --task " +
              name + " --max-length 32 --quiet --out " + (here / "runs").string(),
          {"task's name", "150 bytes"}, here / "runs");
  CHECK_FALSE(fs::exists(here / "runs"));
}
