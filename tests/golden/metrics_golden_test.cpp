#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/data/metrics.hpp"

namespace {

using namespace tombola::data;
using nlohmann::json;

void check_value(const measured& found, const json& expected) {
  if (expected.is_null()) {
    CHECK(!found.reason.empty());
    CHECK(found.value == 0);
    return;
  }
  const double value = expected.get<double>();
  CHECK(std::abs(found.value - value) <= 1e-12 * std::max(1.0, std::abs(value)));
}

json read_expected(const std::filesystem::path& folder) {
  std::ifstream in{folder / "expected.json"};
  return json::parse(in);
}

}  // namespace

TEST_CASE("golden metrics: classification", "[golden]") {
  const auto folder = tombola::test::shared("goldens/metrics");
  if (!folder) return;
  const json expected = read_expected(*folder);
  REQUIRE(!expected.at("classification").empty());
  for (const json& c : expected.at("classification")) {
    INFO(c.at("name"));
    const auto p = c.at("predictions").get<std::vector<std::int32_t>>();
    const auto t = c.at("labels").get<std::vector<std::int32_t>>();
    std::size_t compared = 0;
    for (const metric_names& row : all_metrics) {
      if (is_correlation_of_values(row.what) || !c.contains(row.study)) continue;
      INFO(row.name);
      const std::span<const std::int32_t> predictions{p}, labels{t};
      check_value(measure(row.what, predictions, labels), c.at(std::string{row.study}));
      ++compared;
    }
    CHECK(compared >= 2);
  }
}

TEST_CASE("golden metrics: regression", "[golden]") {
  const auto folder = tombola::test::shared("goldens/metrics");
  if (!folder) return;
  const json expected = read_expected(*folder);
  REQUIRE(!expected.at("regression").empty());
  for (const json& c : expected.at("regression")) {
    INFO(c.at("name"));
    const auto x = c.at("x").get<std::vector<double>>(), y = c.at("y").get<std::vector<double>>();
    for (const metric m : {metric::pearson, metric::spearman, metric::pearson_and_spearman}) {
      INFO(to_string(m));
      const measured found = measure(m, std::span{x}, std::span{y});
      check_value(found, c.at(std::string{study_name(m)}));
      CHECK(found.reason.empty() != c.contains("undefined"));
    }
  }
}

TEST_CASE("golden metrics: what each task reports and prunes by", "[golden]") {
  const auto folder = tombola::test::shared("goldens/metrics");
  if (!folder) return;
  const json expected = read_expected(*folder);
  CHECK(expected.at("tasks").size() == glue_tasks().size());
  for (const auto& [name, task] : expected.at("tasks").items()) {
    INFO(name);
    const task_description& ours = find_task(name);
    std::vector<std::string> reported;
    for (const metric m : ours.reported) reported.emplace_back(study_name(m));
    CHECK(reported == task.at("reported").get<std::vector<std::string>>());
    CHECK(study_name(ours.selection) == task.at("pruning").get<std::string>());
  }
}
