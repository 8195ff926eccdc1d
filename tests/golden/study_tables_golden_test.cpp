// The study's tables that masks alone give: sizes, agreement of seeds, overlap of tasks, super
// tickets.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/analysis/agreement_tables.hpp"
#include "tombola/analysis/mask_folder.hpp"
#include "tombola/analysis/size_agreement.hpp"
#include "tombola/analysis/super_tickets.hpp"
#include "tombola/analysis/task_pairs.hpp"
#include "tombola/io/json.hpp"

using namespace tombola;
using namespace tombola::analysis;
using nlohmann::json;

namespace {

// The order in which the recorded lists give the seeds.
const std::vector<std::string> seed_order{"1337", "42", "86", "71", "166"};

std::size_t size_of(const part_agreement& a, const std::string& seed) {
  const auto at = std::find(a.seeds.begin(), a.seeds.end(), seed);
  REQUIRE(at != a.seeds.end());
  return a.counts.sizes[static_cast<std::size_t>(at - a.seeds.begin())];
}

/// Twelve digits are recorded; null stands for undefined.
void same(const estimate& found, const json& e) {
  REQUIRE(found.defined() != e.is_null());
  if (found.defined()) CHECK(found.value == Approx(e.get<double>()).epsilon(1e-11).margin(1e-15));
}

const task_pair& find(const std::vector<task_pair>& all,
                      const std::string& first,
                      const std::string& second) {
  for (const task_pair& p : all) {
    if (p.first == first && p.second == second) return p;
  }
  throw input_error("no pair " + first + ", " + second);
}

}  // namespace

TEST_CASE("golden tables: survivors of every family of masks") {
  const auto folder = test::shared("data/lottery-masks/masks");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const json expected = io::read_json(*goldens).at("computed").at("survivors");
  REQUIRE(expected.size() == 7);
  for (const auto& [family, tasks] : expected.items()) {
    const auto all = agreements_of(read_mask_set(*folder / family));
    std::size_t parts = 0;
    for (const part_agreement& a : all) {
      INFO(family << ", " << a.task << ", " << a.part);
      const json& e = tasks.at(a.task);
      for (std::size_t s = 0; s < seed_order.size(); ++s) {
        CHECK(size_of(a, seed_order[s]) == e.at(a.part).at(s).get<std::size_t>());
      }
      const moments kept = kept_of(a);
      CHECK(*kept.mean == Approx(e.at(a.part + "_mean").get<double>()).epsilon(1e-11));
      CHECK(*kept.deviation ==
            Approx(e.at(a.part + "_std").get<double>()).epsilon(1e-11).margin(1e-15));
      ++parts;
    }
    // Nine tasks, three numbers for each kind of unit.
    std::size_t recorded = 0;
    for (const auto& [task, e] : tasks.items()) recorded += e.size() / 3;
    CHECK(parts == recorded);
  }
}

TEST_CASE("golden tables: agreement of seeds by the study's rule") {
  const auto folder = test::shared("data/lottery-masks/masks/heads_mlps");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const json file = io::read_json(*goldens);
  const json& expected = file.at("computed").at("stats");
  const json& printed = file.at("notebooks").at("statistics_on_pruning");
  std::size_t parts = 0;
  for (const part_agreement& a : agreements_of(read_mask_set(*folder))) {
    INFO(a.task << ", " << a.part);
    const bool heads = a.part == "heads";
    const json& e = expected.at(heads ? "heads_mlps:head_mask" : "heads_mlps:mlp_mask").at(a.task);
    CHECK(pairs_of_one_size(a.pairs, pair_rule::as_study) ==
          e.at("pairs_similar").get<std::size_t>());
    same(mean_over_pairs(a.pairs, jaccard, pair_rule::as_study), e.at("jaccard_mean"));
    same(mean_over_pairs(a.pairs, phi, pair_rule::as_study), e.at("phi_mean"));
    same(share_in_all(a.counts), e.at("inter_over_union"));
    double both = 0.0;
    for (const pair_overlap& p : a.pairs) both += static_cast<double>(p.counts.both);
    CHECK(both / 10.0 == Approx(e.at("overlap_mean").get<double>()).epsilon(1e-11));
    if (heads) {
      // The notebook computes kappa in single precision.
      CHECK(std::abs(a.fleiss.value - printed.at("fleiss_kappa_heads").at(a.task).get<double>()) <=
            4e-7);
    }
    if (a.task == "MNLI" && heads)
      same(share_in_all(a.counts), printed.at("MNLI_intersection_over_union"));
    ++parts;
  }
  CHECK(parts == 18);
}

TEST_CASE("golden tables: identical masks are of one size unless the study is asked") {
  const auto folder = test::shared("data/lottery-masks/masks/heads_mlps");
  if (!folder) return;
  for (const part_agreement& a : agreements_of(read_mask_set(*folder))) {
    if (a.task != "WNLI") continue;
    // Heads: four seeds keep none, one keeps all; MLPs: five seeds keep none. The study counts no
    // similar pair in either.
    const std::size_t identical = a.part == "heads" ? 6 : 10;
    CHECK(pairs_of_one_size(a.pairs, pair_rule::as_study) == 0);
    CHECK(pairs_of_one_size(a.pairs) == identical);
    CHECK_FALSE(mean_over_pairs(a.pairs, jaccard, pair_rule::correct).defined());
  }
}

TEST_CASE("golden tables: what two tasks share, seed by seed") {
  const auto folder = test::shared("data/lottery-masks/masks");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const json expected = io::read_json(*goldens).at("computed").at("overlap_task_task");
  struct recorded {
    const char *key, *family, *part;
  };
  for (const recorded& r : {recorded{"heads_together", "heads_mlps", "heads"},
                            recorded{"heads_separate", "heads", "heads"},
                            recorded{"mlps_together", "heads_mlps", "mlps"},
                            recorded{"mlps_super", "heads_mlps_super", "mlps"}}) {
    INFO(r.key);
    const json& e = expected.at(r.key);
    const auto tasks = e.at("tasks").get<std::vector<std::string>>();
    const auto pairs = task_pairs(read_mask_set(*folder / r.family), r.part);
    REQUIRE(pairs.size() == 45);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      for (std::size_t j = i; j < tasks.size(); ++j) {
        INFO(tasks[i] << ", " << tasks[j]);
        const task_pair& p = find(pairs, tasks[i], tasks[j]);
        CHECK(*p.shared.mean == Approx(e.at("mean").at(i).at(j).get<double>()).margin(1e-9));
        // Recorded with six places.
        CHECK(*p.shared.deviation == Approx(e.at("std").at(i).at(j).get<double>()).margin(5.1e-7));
      }
    }
  }
  // The sixth table, MLPs searched alone, as the study prints it: mean (deviation), row by row of
  // the lower triangle.
  const std::vector<std::vector<std::pair<double, double>>> mlps_alone{
      {{10.6, 0.9}},
      {{7.2, 1.6}, {7.6, 1.3}},
      {{8.2, 1.3}, {5.8, 0.8}, {9.0, 1.6}},
      {{5.8, 0.8}, {4.4, 0.5}, {5.4, 0.5}, {6.4, 0.5}},
      {{5.0, 0.7}, {3.2, 0.8}, {3.8, 0.8}, {3.2, 0.4}, {5.2, 0.4}},
      {{8.2, 1.6}, {6.2, 1.9}, {6.2, 1.1}, {4.8, 0.8}, {3.8, 0.8}, {8.8, 1.3}},
      {{6.6, 1.5}, {4.6, 1.3}, {5.0, 1.6}, {3.4, 1.1}, {4.0, 0.7}, {5.4, 1.5}, {7.2, 1.3}},
      {{6.4, 0.9},
       {4.6, 1.1},
       {5.0, 1.2},
       {3.8, 0.8},
       {3.4, 0.5},
       {5.0, 0.7},
       {4.2, 1.3},
       {6.6, 0.9}}};
  const ticket_set set = read_mask_set(*folder / "mlps");
  const auto pairs = task_pairs(set, "mlps");
  for (std::size_t i = 0; i < mlps_alone.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      INFO(set.tasks[i].task << ", " << set.tasks[j].task);
      const task_pair& p = find(pairs, set.tasks[j].task, set.tasks[i].task);
      CHECK(*p.shared.mean == Approx(mlps_alone[i][j].first).margin(1e-9));
      CHECK(*p.shared.deviation == Approx(mlps_alone[i][j].second).margin(0.0501));
    }
  }
}

TEST_CASE("golden tables: agreement of two tasks' masks") {
  const auto folder = test::shared("data/lottery-masks/masks/heads_mlps");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const json alpha =
      io::read_json(*goldens).at("notebooks").at("statistics_on_pruning").at("krippendorff_alpha");
  const ticket_set set = read_mask_set(*folder);
  for (const auto& [part, single, both] :
       {std::tuple{"heads", "cell9_head_mask", "cell17_head_mask"},
        std::tuple{"mlps", "cell13_mlp_mask", "cell20_mlp_mask"}}) {
    std::size_t of_one = 0, of_two = 0;
    for (const task_pair& p : task_pairs(set, part)) {
      INFO(part << ", " << p.first << ", " << p.second);
      if (p.first == p.second) {
        same(p.krippendorff, alpha.at(single).at(p.first));
        CHECK(p.crossings == 10);
        ++of_one;
      } else {
        same(p.krippendorff, alpha.at(both).at(p.first + "," + p.second));
        CHECK(p.crossings == 25);
        ++of_two;
      }
    }
    // Nine of the study's thirteen tasks, and their pairs.
    for (const auto& [task, unused] : alpha.at(single).items()) {
      if (!std::filesystem::exists(*folder / task)) {
        WARN("not in the reference data: " << part << " of " << task);
      }
    }
    CHECK(of_one == 9);
    CHECK(of_two == 36);
  }
}

TEST_CASE("golden tables: super tickets and what two tasks' share") {
  const auto folder = test::shared("data/lottery-masks/masks");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const json e =
      io::read_json(*goldens).at("notebooks").at("smallest_good_intersection_sub_network-Copy1");
  const auto all = super_tickets(read_mask_set(*folder / "heads_mlps"));
  REQUIRE(all.size() == 18);
  // Units that no seed keeps, heads and MLPs.
  const std::map<std::string, std::pair<std::size_t, std::size_t>> never{
      {"CoLA", {8, 0}}, {"MNLI", {7, 0}},   {"MRPC", {7, 0}},  {"QNLI", {17, 0}}, {"QQP", {10, 0}},
      {"RTE", {18, 0}}, {"SST-2", {29, 0}}, {"STS-B", {9, 1}}, {"WNLI", {0, 12}}};
  const ticket_set published = read_mask_set(*folder / "heads_mlps_super");
  for (const super_ticket& s : all) {
    INFO(s.task << ", " << s.part);
    const bool heads = s.part == "heads";
    CHECK(s.in_all.count() ==
          e.at("super_heads_mlps").at(s.task).at(heads ? 0 : 1).get<std::size_t>());
    CHECK(s.in_none == (heads ? never.at(s.task).first : never.at(s.task).second));
    for (const task_tickets& t : published.tasks) {
      if (t.task != s.task) continue;
      for (const seed_ticket& seed : t.seeds) {
        CHECK(seed.value.at(s.part) == s.in_all.at(s.part));
      }
    }
  }
  std::size_t pairs = 0;
  for (const super_pair& p : super_pairs(all)) {
    INFO(p.part << ", " << p.first << ", " << p.second);
    CHECK(p.counts.both == e.at("overlap_heads_mlps")
                               .at(p.first + "," + p.second)
                               .at(p.part == "heads" ? 0 : 1)
                               .get<std::size_t>());
    ++pairs;
  }
  CHECK(pairs == 72);  // 36 pairs of nine tasks, heads and MLPs
}
