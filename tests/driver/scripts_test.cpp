// The scripts of examples/ without what they need: one sentence or the line of usage, and code 2.

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
