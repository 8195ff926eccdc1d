// The study's published scores, read from its result files, and how likely its correlation is.

#include <cmath>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/algebra/correlation_test.hpp"
#include "tombola/analysis/published_scores.hpp"
#include "tombola/io/json.hpp"

using namespace tombola;
using namespace tombola::analysis;
using nlohmann::json;

namespace {

// What the study's table calls its rows, in the order of published_settings.
const std::vector<std::string> row_names{"majority baseline",
                                         "full model",
                                         "'good' subnetwork (pruned)",
                                         "'good' subnetwork (retrained)",
                                         "random subnetwork (pruned)",
                                         "random subnetwork (retrained)",
                                         "'bad' subnetwork (pruned)",
                                         "'bad' subnetwork (retrained)",
                                         "super 'good' subnetwork (pruned)",
                                         "super 'good' subnetwork (retrained)",
                                         "super random subnetwork (pruned)",
                                         "super random subnetwork (retrained)",
                                         "super 'bad' subnetwork (pruned)",
                                         "super 'bad' subnetwork (retrained)",
                                         "magnitude 'good' subnetwork (pruned)",
                                         "magnitude 'good' subnetwork (retrained)",
                                         "magnitude random subnetwork (pruned)",
                                         "magnitude random subnetwork (retrained)",
                                         "magnitude 'bad' subnetwork (pruned)",
                                         "magnitude 'bad' subnetwork (retrained)"};

}  // namespace

TEST_CASE("golden scores: every published result") {
  const auto folder = test::shared("data/lottery-masks/evaluate_masked");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const json expected = io::read_json(*goldens).at("results").at("evaluate_masked_(std_ddof0)");
  const auto all = read_published_scores(*folder);
  std::set<std::string> settings;
  for (const published_score& s : all) {
    INFO(s.setting << ", " << s.task << ", " << s.metric);
    settings.insert(s.setting);
    const json& e = expected.at(s.setting).at(s.task).at(s.metric);
    // Six significant digits of means and five of deviations are recorded.
    CHECK(s.mean == Approx(e.at(0).get<double>()).epsilon(6e-6).margin(1e-12));
    CHECK(s.population_deviation == Approx(e.at(1).get<double>()).epsilon(6e-5).margin(1e-9));
  }
  std::size_t metrics = 0;
  for (const auto& [setting, tasks] : expected.items()) {
    if (settings.count(setting) == 0) {
      WARN("not in the reference data: " << setting);
      continue;
    }
    for (const auto& [task, of_task] : tasks.items()) metrics += of_task.size();
  }
  CHECK(metrics == all.size());
  CHECK(settings.size() >= 36);
}

TEST_CASE("golden scores: the table with the sample's deviation") {
  const auto folder = test::shared("data/lottery-masks/evaluate_masked");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const json printed =
      io::read_json(*goldens).at("notebooks").at("eval_performance_analysis").at("table_mean_std");
  const auto all = read_published_scores(*folder);
  REQUIRE(row_names.size() == published_settings.size());
  REQUIRE(printed.size() == row_names.size());
  std::vector<std::string> tasks;
  for (std::size_t row = 0; row < row_names.size(); ++row) {
    tasks.clear();
    for (const auto& [task, e] : printed.at(row_names[row]).items()) {
      INFO(row_names[row] << ", " << task);
      tasks.push_back(task);
      const published_score* s =
          find_score(all, published_settings[row].folder, task, main_metric(task));
      REQUIRE(s != nullptr);
      CHECK(s->mean == Approx(e.at(0).get<double>()).margin(5.001e-3));
      CHECK(s->sample_deviation().value() == Approx(e.at(1).get<double>()).margin(5.001e-3));
      CHECK(*s->sample_deviation() == Approx(std::sqrt(1.25) * s->population_deviation));
    }
  }
  const table t = published_table(all, tasks);
  CHECK(t.rows.size() == 20 * 9);
  for (const auto& row : t.rows) CHECK(reasons_of(t, row).empty());
}

TEST_CASE("golden scores: how likely the correlation of patterns and survivors is") {
  const auto goldens = test::shared("spec/goldens.json");
  if (!goldens) return;
  const json e = io::read_json(*goldens)
                     .at("notebooks")
                     .at("head_classification")
                     .at("pearson_heterogeneous_vs_super_survivor");
  const auto n = e.at(2).get<std::size_t>();
  REQUIRE(n == 576000);  // 8 tasks x 5 seeds x 100 examples x 144 heads
  const estimate p = p_of_correlation(defined(e.at(0).get<double>()), n);
  // The recorded p comes from an incomplete beta that cancels nine digits at this n; with 40 digits
  // p of the recorded r is 0.08211965088.
  CHECK(p.value == Approx(e.at(1).get<double>()).epsilon(1e-9));
}
