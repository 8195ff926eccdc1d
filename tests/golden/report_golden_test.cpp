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
  // Sections 7.1, 7.3, 7.5, 7.6, 7.9 and 9.1 of what the study computes, each by a number of its
  // own.
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

TEST_CASE("golden report: the page and its tables hold the study's numbers") {
  const auto folder = test::shared("data/lottery-masks/masks/heads_mlps");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const auto file = io::read_json(*goldens);
  const report_input in = read_report_input(*folder);
  const report_numbers n = compute(in);
  const std::string page = make_report(in, n);
  const auto holds = [&](const std::string& text) { return page.find(text) != std::string::npos; };

  // 7.3: every pair of tasks, heads and MLPs, on the page as the study prints its means.
  const auto& shared = file.at("computed").at("overlap_task_task");
  for (const std::string part : {"heads", "mlps"}) {
    const auto& e = shared.at(part + "_together");
    const auto tasks = e.at("tasks").get<std::vector<std::string>>();
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        const std::string cell = "<title>task " + tasks[i] + ", task " + tasks[j] + ": " +
                                 shortest(e.at("mean").at(i).at(j).get<double>()) + ", deviation ";
        INFO(cell);
        CHECK(holds(cell));
      }
    }
  }
  // Counted by exact integers apart from this library: pairs of tasks at the three levels.
  std::vector<std::size_t> stars(4, 0), super_stars(4, 0);
  for (const task_pair& p : n.tasks.at(0).at(0).pairs) {
    ++stars[significance_mark(p.adjusted_p).size()];
  }
  for (const super_pair& p : n.supers.at(0).parts.at(0).pairs) {
    ++super_stars[significance_mark(p.adjusted_p).size()];
  }
  CHECK(stars == std::vector<std::size_t>{9 + 22, 2, 3, 9});  // nine tasks with themselves
  CHECK(super_stars == std::vector<std::size_t>{31, 1, 3, 1});
  for (const task_pair& p : n.tasks[0][1].pairs) CHECK(significance_mark(p.adjusted_p).empty());
  CHECK(*n.tasks[0][0].pairs.at(3).p == Approx(0.00538735221424).epsilon(1e-10));
  CHECK(*n.tasks[0][0].pairs.at(3).adjusted_p == Approx(0.113134396499).epsilon(1e-10));
  CHECK(n.supers[0].parts[0].pairs.at(2).p == Approx(0.0259287157297).epsilon(1e-10));
  CHECK(n.supers[0].parts[0].pairs.at(2).adjusted_p == Approx(0.58606820352).epsilon(1e-10));

  // 7.14: super tickets' sizes and pairs; which units are in most of them was counted likewise.
  const auto& supers = file.at("notebooks")
                           .at("smallest_good_intersection_sub_network-Copy1")
                           .at("super_heads_mlps");
  for (const super_part& part : n.supers[0].parts) {
    const std::size_t at = part.part == "heads" ? 0 : 1;
    for (const super_ticket& t : part.tickets) {
      INFO(part.part << ", " << t.task);
      CHECK(t.in_all.count() == supers.at(t.task).at(at).get<std::size_t>());
    }
  }
  std::size_t in_heads = 0, stable_heads = 0, listed_heads = 0, most = 0;
  std::vector<std::size_t> mlps(12, 0);
  for (const super_unit& u : n.supers[0].units) {
    if (u.part == "mlps") {
      mlps.at(u.layer) = u.tasks.size();
      continue;
    }
    ++listed_heads;
    in_heads += u.tasks.size();
    stable_heads += u.stable ? 1U : 0U;
    most += u.tasks.size() == 7 ? 1U : 0U;
    CHECK(u.tasks.size() <= 7);
  }
  CHECK(in_heads == 210);
  CHECK(stable_heads == 60);
  CHECK(listed_heads == 97);
  CHECK(most == 2);
  CHECK(holds("<title>layer 3, head 0: 7</title>"));
  CHECK(holds("<title>layer 5, head 8: 7</title>"));
  CHECK(mlps == std::vector<std::size_t>{3, 0, 1, 1, 4, 5, 2, 4, 4, 5, 0, 1});

  // 7.5: of the seeds of every task, by the study's rule of what no test can tell.
  const auto& stats = file.at("computed").at("stats").at("heads_mlps:head_mask");
  for (const part_agreement& a : n.agreements.at(0)) {
    if (a.part != "heads") continue;
    INFO(a.task);
    const double q = stats.at(a.task).at("Q").get<double>();
    CHECK(holds(">" + fixed(q, 2) + "</td>"));
    CHECK(holds(">" + fixed(stats.at(a.task).at("kripp_alpha").get<double>(), 3) + "</td>"));
  }

  // 7.9: in the order heads of all, MLPs of all, nine tasks' heads, their MLPs.
  const auto& best = file.at("notebooks").at("most_important_component_heatmaps");
  const table t = important_summary(in.important.at(0));
  REQUIRE(t.rows.size() == 20);
  for (std::size_t row = 0; row < 20; ++row) {
    const bool heads = row < 10;
    const std::size_t of_part = row % 10;  // nine tasks, then all
    const std::size_t at = of_part == 9 ? (heads ? 0 : 1) : (heads ? 2 : 11) + of_part;
    INFO(plain_text(t.rows[row][1]) << ", " << plain_text(t.rows[row][2]));
    CHECK(std::stod(plain_text(t.rows[row][5])) ==
          Approx(best.at("mean").at(at).get<double>()).epsilon(1e-11).margin(1e-15));
    CHECK(std::stod(plain_text(t.rows[row][6])) ==
          Approx(best.at("std").at(at).get<double>()).epsilon(1e-11).margin(1e-15));
    CHECK(plain_text(t.rows[row][8]) ==
          std::to_string(best.at("stable").at(at).get<std::size_t>()));
  }

  // 9.1: every score of every file, six digits recorded.
  REQUIRE(in.published);
  const auto& scores = file.at("results").at("evaluate_masked_(std_ddof0)");
  const table all = all_published(in.published->scores);
  CHECK(all.rows.size() >= 400);
  for (const auto& row : all.rows) {
    const auto& e = scores.at(plain_text(row[0])).at(plain_text(row[1])).at(plain_text(row[2]));
    CHECK(std::stod(plain_text(row[3])) ==
          Approx(e.at(0).get<double>()).epsilon(6e-6).margin(1e-12));
    CHECK(std::stod(plain_text(row[4])) ==
          Approx(e.at(1).get<double>()).epsilon(6e-5).margin(1e-9));
    if (!holds("title=\"" + plain_text(row[3]) + "\"")) FAIL("not on the page");
  }
}
