#include "tombola/analysis/published_scores.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "tests/analysis/fabricated.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::analysis;

namespace {

std::string refusal(const std::string& text) {
  const test::temporary_folder folder;
  test::write_text(folder.path() / "results.json", text);
  try {
    (void)read_published_scores(folder.path());
  } catch (const format_error& e) {
    const std::string s = e.what();
    return s.substr(s.find("results.json: ") + 14);
  }
  return "(nothing was thrown)";
}

}  // namespace

TEST_CASE("published scores: settings by folder, the plain evaluation without its name") {
  const test::temporary_folder folder;
  test::write_text(folder.path() / "head_mlp" / "baseline" / "results.json",
                   R"({"CoLA": {"mcc": [0.5, 0.02]}, "RTE": {"acc": [0.6, 0]}})");
  test::write_text(folder.path() / "hans" / "finetuned" / "results.json",
                   R"({"HANS": {"acc": [1, 0.0]}})");
  test::write_text(folder.path() / "no_mask" / "results.json", R"({"CoLA": {"mcc": [0.56, 0.0]}})");
  test::write_text(folder.path() / "no_mask" / "other.json", "not read");
  const auto all = read_published_scores(folder.path());
  REQUIRE(all.size() == 4);
  CHECK(all[0].setting == "hans/finetuned");
  const published_score* s = find_score(all, "head_mlp", "CoLA", main_metric("CoLA"));
  REQUIRE(s != nullptr);
  CHECK(s->mean == 0.5);
  CHECK(*s->sample_deviation() == Approx(0.02 * std::sqrt(5.0 / 4.0)));
  CHECK(*s->sample_deviation(2) == Approx(0.02 * std::sqrt(2.0)));
  CHECK_FALSE(s->sample_deviation(1));
  CHECK(find_score(all, "head_mlp", "CoLA", "acc") == nullptr);
  // The table says what the files lack.
  const table t = published_table(all, std::vector<std::string>{"CoLA"});
  REQUIRE(t.rows.size() == published_settings.size());
  CHECK(reasons_of(t, t.rows[1]).empty());
  CHECK(reasons_of(t, t.rows[3]).find("no score of head_mlp_retrained on CoLA") !=
        std::string::npos);
}

TEST_CASE("published scores: files that are something else are refused") {
  CHECK(refusal("[1]") == "the file is a list, expected an object of results");
  CHECK(refusal(R"({"CoLA": [0.5, 0.1]})") == "'CoLA' is a list, expected an object of results");
  CHECK(refusal(R"({"CoLA": {"mcc": 0.5}})") ==
        "'CoLA', 'mcc' is '0.5', expected a list of mean and deviation");
  CHECK(refusal(R"({"CoLA": {"mcc": [0.5, null]}})") ==
        "'CoLA', 'mcc' is '[0.5,null]', expected a list of mean and deviation");
  CHECK(refusal(R"({"CoLA": {"mcc": [0.5, -0.1]}})") ==
        "'CoLA', 'mcc' is '[0.5,-0.1]', expected finite numbers, the deviation 0 or more");
  CHECK(refusal("{").starts_with("is not JSON"));
  const test::temporary_folder empty;
  CHECK(read_published_scores(empty.path()).empty());
  CHECK_THROWS_AS(read_published_scores(empty.path() / "none"), input_error);
}
