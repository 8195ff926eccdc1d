#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/analysis/agreement_section.hpp"
#include "tombola/analysis/agreement_tables.hpp"
#include "tombola/analysis/mask_folder.hpp"
#include "tombola/analysis/report.hpp"
#include "tombola/analysis/report_input.hpp"
#include "tombola/analysis/survivor_maps.hpp"
#include "tombola/analysis/survivor_section.hpp"
#include "tombola/analysis/survivors.hpp"
#include "tombola/analysis/task_matrix.hpp"
#include "tombola/io/json.hpp"

using namespace tombola;
using namespace tombola::analysis;

namespace {

const group_survival& group_of(const std::vector<group_survival>& all, const std::string& name) {
  for (const group_survival& g : all) {
    if (g.units.name == name) return g;
  }
  throw input_error("no group " + name);
}

/// Numbers in one row, whatever their nesting.
std::vector<double> flat(const nlohmann::json& j) {
  if (!j.is_array()) return {j.get<double>()};
  std::vector<double> all;
  for (const auto& inner : j) {
    for (const double x : flat(inner)) all.push_back(x);
  }
  return all;
}

void check_summary(const survival_summary& s, const nlohmann::json& expected, const char* stable) {
  CHECK(s.mean ==
        Approx(expected.at("mean_survival_mean").get<double>()).epsilon(1e-11).margin(1e-15));
  CHECK(*s.deviation ==
        Approx(expected.at("mean_survival_std").get<double>()).epsilon(1e-11).margin(1e-15));
  CHECK(s.above == expected.at(stable).get<std::size_t>());
}

}  // namespace

// The numbers of these tests are in the study's notebooks and recomputed from its masks: twelve
// digits for summaries, as many places as are printed for grids.

TEST_CASE("golden report: survivors over all tasks, grids and summaries") {
  const auto folder = test::shared("data/lottery-masks/masks");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const auto expected = io::read_json(*goldens).at("computed").at("heatmaps_all_tasks");
  const std::vector<std::vector<std::string>> maps{{"heads", "heads", "heads_separate"},
                                                   {"mlps", "mlps", "mlps_separate"},
                                                   {"heads_mlps", "heads", "heads_together"},
                                                   {"heads_mlps", "mlps", "mlps_together"}};
  for (const auto& m : maps) {
    INFO(m[2]);
    const ticket_set set = read_mask_set(*folder / m[0]);
    REQUIRE(set.tasks.size() == 9);
    REQUIRE(common_seeds(set).size() == 5);
    const auto all = survivors_of(set);
    const group_survival& g = group_of(all, m[1]);
    const auto& e = expected.at(m[2]);
    check_summary(summarise(g.over_seeds, stable_threshold(set.tasks.size())), e, "stable_gt5");
    const auto mean = flat(e.at("mean")), deviation = flat(e.at("std"));
    REQUIRE(mean.size() == g.over_seeds.mean.size());
    for (std::size_t u = 0; u < mean.size(); ++u) {
      CHECK(g.over_seeds.mean[u] == Approx(mean[u]).margin(1e-9));
      CHECK(*g.over_seeds.deviation[u] == Approx(deviation[u]).margin(5.1e-5));
    }
  }
}

TEST_CASE("golden report: survivors of each task") {
  const auto folder = test::shared("data/lottery-masks/masks/heads_mlps");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const auto expected = io::read_json(*goldens).at("computed").at("heatmaps_task");
  const ticket_set set = read_mask_set(*folder);
  REQUIRE(set.tasks.size() == expected.size());
  for (const task_tickets& task : set.tasks) {
    INFO(task.task);
    const auto all = survivors_of(task);
    const double always = analysis::detail::in_every_seed(task.seeds.size());
    const auto& e = expected.at(task.task);
    check_summary(summarise(group_of(all, "heads").over_seeds, always), e.at("head_mask"),
                  "stable");
    check_summary(summarise(group_of(all, "mlps").over_seeds, always), e.at("mlp_mask"), "stable");
  }
}

TEST_CASE("golden report: what tasks share") {
  const auto folder = test::shared("data/lottery-masks/masks/heads_mlps");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const auto expected = io::read_json(*goldens).at("computed").at("overlap_task_task");
  const ticket_set set = read_mask_set(*folder);
  for (const std::string part : {"heads", "mlps"}) {
    const auto& e = expected.at(part + "_together");
    const heat_map h = shared_units_map(task_pairs(set, part), false);
    REQUIRE(h.rows == e.at("tasks").get<std::vector<std::string>>());
    const auto mean = flat(e.at("mean")), deviation = flat(e.at("std"));
    for (std::size_t i = 0; i < h.rows.size(); ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        const std::size_t at = i * h.rows.size() + j;
        CHECK(*h.values[at] == Approx(mean[at]).margin(1e-9));
        CHECK(*h.deviations[at] == Approx(deviation[at]).margin(5.1e-7));
      }
    }
  }
}

TEST_CASE("golden report: agreement of the seeds of each task") {
  const auto folder = test::shared("data/lottery-masks/masks/heads_mlps");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const auto expected = io::read_json(*goldens).at("computed").at("stats");
  const auto all = agreements_of(read_mask_set(*folder));
  REQUIRE(all.size() == 18);
  const auto same = [](const estimate& e, const nlohmann::json& number) {
    REQUIRE(e.defined() != number.is_null());
    if (e.defined()) CHECK(e.value == Approx(number.get<double>()).epsilon(1e-11).margin(1e-14));
  };
  for (const part_agreement& a : all) {
    INFO(a.task << " " << a.part);
    const auto& e =
        expected.at(a.part == "heads" ? "heads_mlps:head_mask" : "heads_mlps:mlp_mask").at(a.task);
    same(a.equal_sizes.q, e.at("Q"));
    same(a.equal_sizes.p, e.at("p"));
    same(a.fleiss, e.at("fleiss_kappa"));
    same(a.krippendorff, e.at("kripp_alpha"));
    CHECK(a.counts.kept_by_all() == e.at("survive_all5").get<std::size_t>());
    CHECK(a.counts.kept_by_any() == e.at("survive_any").get<std::size_t>());
    if (a.task != "WNLI") same(a.mean_jaccard, e.at("jaccard_mean"));  // there, empty pairs
  }
}

TEST_CASE("golden report: one command makes the study's figures") {
  const auto folder = test::shared("data/lottery-masks/masks/heads_mlps");
  if (!folder) return;
  const report_input in = read_report_input(*folder);
  const report_numbers n = compute(in);
  const std::string page = make_report(in, n);
  const auto holds = [&](const std::string& text) { return page.find(text) != std::string::npos; };
  // Sections 7.1, 7.3, 7.5, 7.6, 7.9 and 9.1 of what the study computes, each by a number of its own.
  for (const char* id : {"survivors-1", "sizes-1", "tasks-1", "super-1", "importance-1",
                         "agreement-1", "published"}) {
    INFO(id);
    CHECK(holds("<section id=\"" + std::string{id} + "\">"));
  }
  CHECK(holds("Heads: 4.7681 on average (mean deviation 1.3006); 60 of 144"));
  CHECK(holds("<title>task CoLA, task CoLA: 92.2, deviation 18.9"));
  CHECK(holds("<title>task MRPC, task MNLI: 17. Chance gives "));  // super heads
  CHECK(holds("2.1e-11"));                                         // Cochran's Q of CoLA
  CHECK(holds("<title>ticket full model, trained, task CoLA: 0.56"));
  // The study's sizes take 0.21 for the embeddings' share, which is exactly 0.2177 for two labels.
  const std::vector<double> sizes{64.51, 54.66, 57.11, 54.63, 52.51, 54.34, 47.04, 47.08, 6.53};
  REQUIRE(n.sizes.at(0).size() == sizes.size());
  for (std::size_t t = 0; t < sizes.size(); ++t) {
    CHECK(100.0 * (*n.sizes[0][t].over_seeds.mean + 23837184.0 / 109483778.0 - 0.21) ==
          Approx(sizes[t]).margin(0.006));
  }
  REQUIRE(in.important.at(0).size() == 2);
  CHECK(summarise(survivors_of(in.important[0][0].best)[0].over_seeds, 5.0).mean ==
        Approx(0.569444).margin(5e-7));
  CHECK(summarise(survivors_of(in.important[0][1].best)[0].over_seeds, 5.0).mean ==
        Approx(2.0).epsilon(1e-12));
  REQUIRE(in.published);
  CHECK(in.published->tasks.size() == 9);
}
