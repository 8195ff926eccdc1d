// The scripts of examples/: what they do on small worlds; and without what they need, one sentence
// or the line of usage, and code 2.

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "tests/driver/program.hpp"

using namespace tombola::test;

namespace {

answer script(const std::string& name, const std::string& arguments) {
  const folder scratch;
  const std::string out = (scratch / "out").string(), err = (scratch / "err").string();
  const std::string line = "env -u TOMBOLA bash examples/" + name + " " + arguments + " >" + out +
                           " 2>" + err + " </dev/null";
  const int status = std::system(line.c_str());
  return {WEXITSTATUS(status), text_of(out), text_of(err)};
}

}  // namespace

TEST_CASE("scripts say that TOMBOLA is not set") {
  const folder here;
  const std::string out = (here / "out").string();
  const std::vector<std::pair<std::string, std::string>> lines{
      {"main_job.sh", "model data SST-2 " + out},
      {"glue_study.sh", "model data " + out + " SST-2"},
      {"rewinding.sh", "model data SST-2 " + out},
      {"demo.sh", out}};
  for (const auto& [name, arguments] : lines) {
    const answer a = script(name, arguments);
    INFO(name);
    CHECK(a.code == 2);
    CHECK(a.err == name + ": TOMBOLA is not set, expected the path of the program tombola\n");
    CHECK_FALSE(std::filesystem::exists(out));
  }
}

TEST_CASE("scripts without arguments show how they are called") {
  for (const std::string name : {"main_job.sh", "glue_study.sh", "rewinding.sh", "demo.sh"}) {
    const answer a = script(name, "");
    INFO(name);
    CHECK(a.code == 2);
    CHECK_THAT(a.err, Catch::Matchers::Contains("TOMBOLA=path/to/tombola " + name));
  }
}

TEST_CASE("the main job goes on from another folder, and paths may hold blanks") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::filesystem::path first = here / "in here", second = here / "and there";
  std::filesystem::create_directories(first);
  std::filesystem::create_directories(second);
  std::filesystem::copy(world.data, first / "the data", std::filesystem::copy_options::recursive);
  const std::string job = std::filesystem::absolute("examples/main_job.sh").string();
  const auto run = [&](const std::filesystem::path& from, const std::string& seeds,
                       const std::string& data, const std::string& out) {
    const std::string line =
        "cd '" + from.string() + "' && TOMBOLA='" + TOMBOLA_DRIVER +
        "' THREADS=1 RETRAINING='--weight-form study' SEEDS='" + seeds + "' bash '" + job + "' '" +
        world.model + "' '" + data + "' pocket-sentiment '" + out +
        "' --epochs 1 --rate 1e-3 --max-length 32 >'" + (here / "answer").string() + "' 2>'" +
        (here / "log").string() + "' </dev/null";
    const int status = std::system(line.c_str());
    INFO(line << "\n" << text_of(here / "log"));
    CHECK(WEXITSTATUS(status) == 0);
  };
  run(first, "1", "the data", "what came out");
  CHECK(text_of(here / "answer").empty());  // one seed agrees with nothing
  run(second, "1 2", "../in here/the data", "../in here/what came out");
  const std::string answer = text_of(here / "answer");
  CHECK_THAT(answer, Catch::Matchers::Contains("Fleiss"));
  std::size_t searches = 0;
  for (const auto& entry : std::filesystem::directory_iterator{first / "what came out/runs"}) {
    CHECK(std::filesystem::exists(entry.path() / "result.json"));
    const std::string name = entry.path().filename().string();
    searches += name.starts_with("find-masks") ? 1U : 0U;
    if (!name.starts_with("train")) continue;
    const auto settings = settings_of(entry.path().string());
    CHECK(settings.at("form") == (settings.at("ticket").is_null() ? "stored_zeros" : "study"));
  }
  CHECK(searches == 4);  // of two kinds of units, for two seeds
}

TEST_CASE("the study of several tasks retrains the first, searches all, and reports") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::filesystem::path out = here / "out";
  const std::string line =
      "TOMBOLA='" + std::string{TOMBOLA_DRIVER} +
      "' SEEDS=1 JOBS=2 SEARCHES='--prune mlps --guard-at-least -1;--prune weights --nm 2:4 "
      "--guard-at-least -1' OPTIONS='--rate 1e-3 "
      "--max-length 32' bash examples/glue_study.sh '" +
      world.model + "' '" + world.data + "' '" + out.string() +
      "' pocket-sentiment:0:1 pocket-acceptability:20:1 >'" + (here / "answer").string() +
      "' 2>&1 </dev/null";
  const int status = std::system(line.c_str());
  INFO(line << "\n" << text_of(here / "answer"));
  REQUIRE(WEXITSTATUS(status) == 0);
  CHECK(std::filesystem::exists(out / "report.html"));
  std::map<std::string, std::size_t> runs;
  for (const auto& entry : std::filesystem::directory_iterator{out / "runs"}) {
    const std::string name = entry.path().filename().string();
    ++runs[name.substr(0, name.find("-s1"))];
  }
  // Of the first the main job searches both and weights too, and trains and scores six tickets.
  CHECK(runs == std::map<std::string, std::size_t>{{"train-pocket-sentiment", 7},
                                                   {"evaluate-pocket-sentiment", 6},
                                                   {"find-masks-pocket-sentiment", 4},
                                                   {"train-pocket-acceptability", 1},
                                                   {"find-masks-pocket-acceptability", 2}});
}
