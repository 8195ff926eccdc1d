#include "tombola/experiment/trained_run.hpp"

#include <string>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/error.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

/// What is said of a run's folder with these two files and nothing else.
std::string refusal(const std::string& run, const std::string& result) {
  const scratch_folder folder;
  put(folder / "run.json", run);
  put(folder / "result.json", result);
  return sentence<error>([&] { (void)experiment::open_trained_run(folder.path(), {}); },
                         folder.path().string() + "/");
}

const std::string run = R"({"step": "train", "task": "RTE", "seed": 1,
"settings": {"max_length": 8, "rows": 4}})";

}  // namespace

TEST_CASE("a run that is no training run is refused by what it is") {
  CHECK(refusal(R"({"step": "\u001b[31m", "task": "RTE", "seed": 1, "settings": {}})", "{}") ==
        "run.json: is a run of '?[31m', expected one of train");
}

TEST_CASE("inputs of a run that are no inputs are refused") {
  CHECK(refusal(run, R"({"inputs": [7]})") ==
        "result.json: found '7' where an object with 'name' was expected");
  CHECK(refusal(run, R"({"inputs": [{"name": 7}]})") ==
        "result.json: 'name' is '7', expected a string");
  CHECK(refusal(run, R"({"inputs": [{"name": "dev", "path": null}]})") ==
        "result.json: 'path' is 'null', expected a string");
  // The inputs are good, and the model is looked for.
  CHECK(refusal(run, R"({"inputs": [{"name": "dev", "path": "a/RTE/dev.tsv"}]})")
            .starts_with("model/config.json: cannot be opened"));
}
