// Options that cannot mean what they say: one sentence with the option's name, and nothing made.

#include <iterator>

#include "tests/driver/program.hpp"

#include "tombola/io/json.hpp"
#include "tombola/io/ticket_file.hpp"

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

TEST_CASE("whole numbers that 64 bits do not hold are refused, not wrapped") {
  const std::string to_seed = "expected a whole number from 0 to 18446744073709551615";
  const std::string to_count = "expected a whole number from 1 to 1000000000";
  const std::string to_rows = "expected a whole number from 0 to 1000000000";
  const std::string to_units = "expected a whole number from 0 to 1000000000000";
  const std::string train = "train --model m --data d --task t --out o ";
  const std::string pretrain = "pretrain --corpus c --vocab v --out o ";
  const std::string search = "find-masks --run r --prune weights --out o ";
  const std::string select = "select s --out o.npy ";
  const std::string controls = "controls --ticket t --kind random --out o ";
  for (const std::string& command : {train, pretrain, controls, std::string{"pocket p "}}) {
    for (const std::string found : {"-1", "18446744073709551616", "1.5", "+1", "0x10", "1e3"}) {
      refuses(command + "--seed=" + found, {"--seed: found " + found + ", " + to_seed}, {});
    }
  }
  for (const std::string name : {"--rows", "--epochs", "--batch", "--accumulate", "--max-length"}) {
    const std::string& range = name == "--rows" ? to_rows : to_count;
    refuses(train + name + "=-1", {name + ": found -1, " + range}, {});
    refuses(train + name + "=1000000001", {name + ": found 1000000001, " + range}, {});
  }
  for (const std::string name : {"--layers", "--hidden", "--heads", "--intermediate", "--positions",
                                 "--epochs", "--batch"}) {
    refuses(pretrain + name + "=-1", {name + ": found -1, " + to_count}, {});
  }
  for (const std::string name : {"--keep", "--least", "--most"}) {
    refuses(select + name + "=-1", {name + ": found -1, " + to_units}, {});
  }
  refuses(search + "--weight-steps=-1", {"--weight-steps: found -1", "from 0 to 10000"}, {});
  refuses(search + "--weight-steps=10001", {"--weight-steps: found 10001", "from 0 to 10000"}, {});
  refuses(search + "--threads=-1", {"--threads: found -1", "from 1 to 1024"}, {});
  for (const std::string name : {"--corpus", "--train", "--dev"}) {
    refuses("pocket p " + name + "=-1", {name + ": found -1, " + to_count}, {});
  }
  for (const std::string name : {"--tokens", "--repetitions"}) {
    refuses("compact --run r --out o " + name + "=-1", {name + ": found -1, " + to_count}, {});
  }
  refuses("fetch SST-2 --size=-1", {"--size: found -1, " + to_seed}, {});
  const folder here;
  const std::string file = (here / "train.toml").string();
  write_text(file, "seed = -1\n");
  refuses(train + "--config " + file, {"--seed: found -1, " + to_seed}, {});
}

TEST_CASE("a whole number that starts with 0 is no octal number") {
  const folder here;
  const std::string line = "pocket " + (here / "a").string() + " --corpus 10 --train 010 --dev 10";
  succeed(line);
  const std::string rows = text_of(here / "a/pocket-sentiment/train.tsv");
  CHECK(std::count(rows.begin(), rows.end(), '\n') == 11);  // and the header
}

TEST_CASE("an empty text, as of a variable that is not set, is refused by the option's name") {
  const folder here;
  const fs::path out = here / "runs";
  const std::string empty = ": found an empty text, expected a path, word or number";
  const std::string to = " --out " + out.string() + " ";
  const std::vector<std::pair<std::string, std::vector<std::string>>> commands{
      {"train --model m --data d --task t" + to,
       {"--ticket", "--model", "--data", "--task", "--config"}},
      {"evaluate --run r" + to, {"--ticket", "--model", "--data", "--split", "--run"}},
      {"find-masks --run r --prune both" + to, {"--data", "--run"}},
      {"pretrain --corpus c --vocab v" + to, {"--corpus", "--vocab", "--name"}},
      {"compact --run r" + to, {"--ticket", "--data", "--probes"}},
      {"controls --ticket t --kind random" + to, {"--model", "--ticket"}},
      {"report r ", {"--out"}},
      {"fetch SST-2 ", {"--out", "--from"}},
      {"mask-of c" + to, {"--only"}},
      {"convert t" + to, {"--group"}}};
  for (const auto& [command, options] : commands) {
    for (const std::string& option : options) {
      std::string line = command;
      const std::size_t given = line.find(option + " ");
      if (given != std::string::npos) {  // once is enough
        line.erase(given, line.find(' ', given + option.size() + 1) - given + 1);
      }
      refuses(line + option + " ''", {option + empty}, out);
    }
  }
  refuses("compare a.npy ''", {"files" + empty}, {});
  refuses("report ''", {"source" + empty}, {});
  write_text(here / "train.toml", "ticket = \"\"\n");
  refuses("train --model m --data d --task t" + to + "--config " + (here / "train.toml").string(),
          {"--ticket" + empty}, out);
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("options that would do nothing are refused, with the option that makes them so") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const fs::path out = here / "runs";
  refuses(world.train(world.model, out.string(), "--weight-form study"),
          {"--weight-form: ", "found no --ticket"}, out);
  refuses("find-masks --run r --prune mlps --mode study --step 0.2 --out " + out.string(),
          {"--step: found mode study with --prune mlps"}, out);
  refuses("compact --run " + world.model + " --data /nope --out " + out.string(),
          {world.model + ": is no training run", "--data", "--run"}, out);
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("as many rows as there are, or more, are the run of all rows") {
  const pocket_world& world = pocket_world::instance();  // of 96 rows
  const folder here;
  const std::string runs = (here / "runs").string();
  const std::string all = last_line(succeed(world.train(world.model, runs)));
  CHECK(last_line(succeed(world.train(world.model, runs, "--rows 96"))) == all);
  CHECK(last_line(succeed(world.train(world.model, runs, "--rows 1000"))) == all);
  const std::string fewer = last_line(succeed(world.train(world.model, runs, "--rows 95")));
  CHECK(fewer != all);
  CHECK(settings_of(fewer).at("rows") == 95);
}

TEST_CASE("what to write in place of .npy is what the command can do") {
  const folder here;
  const fs::path out = here / "out.npy";
  const std::string good = (here / "t.safetensors").string();
  io::write_ticket(good, ticket{{{"heads", {2, 2}}, {"mlps", {2}}}});
  const std::string holds = "out.npy: 2 groups, but .npy holds one array; ";
  refuses("controls --kind random --ticket " + good + " --out " + out.string(),
          {holds + "write .npz or .safetensors"}, out);
  refuses("convert " + good + " --out " + out.string(),
          {holds + "name one with --group, or write .npz"}, out);
  CHECK_FALSE(fs::exists(out));
}
