#include "tombola/analysis/survivors.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/analysis/survivor_maps.hpp"
#include "tombola/analysis/survivor_section.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/core/error.hpp"

using namespace tombola;
using namespace tombola::analysis;

namespace {

mask bits(std::vector<int> values) {
  return mask::from_values(values);
}

ticket heads_mlps(std::vector<int> heads, std::vector<int> mlps) {
  return ticket{{{"heads", {2, 2}}, {"mlps", {2}}},
                {bits(std::move(heads)), bits(std::move(mlps))}};
}

/// Two tasks, seeds 1 and 2; task b has a third seed that a lacks.
ticket_set sample() {
  return {
      "s",
      {{"a",
        {{"1", heads_mlps({1, 1, 0, 0}, {1, 1}), {}}, {"2", heads_mlps({1, 0, 0, 0}, {1, 0}), {}}}},
       {"b",
        {{"2", heads_mlps({1, 1, 0, 1}, {0, 0}), {}},
         {"1", heads_mlps({1, 0, 0, 0}, {1, 1}), {}},
         {"3", heads_mlps({1, 1, 1, 1}, {1, 1}), {}}}}}};
}

}  // namespace

TEST_CASE("survivors are sums over tasks, then mean and sample deviation over seeds") {
  const unit_survival s =
      survivors({{bits({1, 1, 0}), bits({1, 0, 0})}, {bits({1, 1, 1}), bits({1, 1, 0})}});
  CHECK(s.seeds == 2);
  CHECK(s.mean == std::vector<double>{2.0, 1.5, 0.5});
  CHECK(*s.deviation[0] == 0.0);
  CHECK(*s.deviation[1] == Approx(std::sqrt(0.5)));
  const survival_summary all = summarise(s, 1.5);
  CHECK(all.mean == Approx(4.0 / 3.0));
  CHECK(*all.deviation == Approx(2.0 * std::sqrt(0.5) / 3.0));
  CHECK(all.above == 1);  // more than 1.5, not as many
}

TEST_CASE("one seed has no deviation, and shapes that differ are refused") {
  const unit_survival s = survivors({{bits({1, 0})}});
  CHECK_FALSE(s.deviation[0]);
  CHECK_FALSE(summarise(s, 0.5).deviation);
  CHECK_THROWS_AS(survivors({}), input_error);
  CHECK_THROWS_AS(survivors({{bits({1})}, {bits({1, 0})}}), shape_error);
  CHECK_THROWS_AS(survivors({{bits({1})}, {bits({1}), bits({1})}}), shape_error);
  CHECK_THROWS_AS(summarise(survivors({{bits({})}}), 0.5), input_error);
}

TEST_CASE("a sum over tasks takes the seeds that every task has, matched by name") {
  const ticket_set set = sample();
  CHECK(common_seeds(set) == std::vector<std::string>{"1", "2"});
  const auto all = survivors_of(set);
  REQUIRE(all.size() == 2);
  CHECK(all[0].over_seeds.mean == std::vector<double>{2.0, 1.0, 0.0, 0.5});
  CHECK(all[1].over_seeds.mean == std::vector<double>{1.5, 1.0});
  const auto of_b = survivors_of(set.tasks[1]);
  CHECK(of_b[0].over_seeds.mean[0] == 1.0);
  CHECK(of_b[0].over_seeds.mean[2] == Approx(1.0 / 3.0));
}

TEST_CASE("heads and MLPs of equal depth share a map, others do not") {
  const auto all = survivors_of(sample());
  auto maps = survivor_maps(all, "t", 2.0);
  REQUIRE(maps.size() == 1);
  CHECK(maps[0].columns == std::vector<std::string>{"0", "1", "MLP"});
  CHECK(maps[0].gap_before == 2);
  CHECK(*maps[0].values[2] == 1.5);  // MLP of layer 0
  CHECK(*maps[0].values[5] == 1.0);  // MLP of layer 1
  CHECK(*maps[0].values[3] == 0.0);  // head 0 of layer 1
  CHECK(*maps[0].deviations[4] == Approx(std::sqrt(0.5)));
  auto uneven = all;
  uneven[0].units.extents = {4, 1};
  maps = survivor_maps(uneven, "t", 2.0);
  REQUIRE(maps.size() == 2);
  CHECK(maps[1].rows == std::vector<std::string>{"MLP"});
  CHECK(maps[1].columns.size() == 2);
}

TEST_CASE("a group too large to read is not drawn, one of odd shape neither") {
  group_survival g{{"heads", {100, 100}}, {}};
  g.over_seeds.mean.resize(10000);
  CHECK(survivor_maps({g}, "t", 1.0).empty());
  g.units.extents = {8};
  CHECK(survivor_maps({g}, "t", 1.0).empty());
}

TEST_CASE("weights are shares by matrix and layer") {
  const auto make = [](std::vector<int> a, std::vector<int> b, std::vector<int> c) {
    return ticket{{{"encoder.layer.0.key.weight", {2}},
                   {"encoder.layer.10.key.weight", {2}},
                   {"pooler", {4}}},
                  {bits(std::move(a)), bits(std::move(b)), bits(std::move(c))}};
  };
  const task_tickets task{"t",
                          {{"1", make({1, 0}, {1, 1}, {0, 0, 0, 1}), {}},
                           {"2", make({0, 0}, {1, 1}, {0, 0, 0, 1}), {}}}};
  const auto shares = matrix_shares(task);
  REQUIRE(shares.size() == 3);
  CHECK(*shares[0].kept.mean == 0.25);
  CHECK(*shares[0].kept.deviation == Approx(std::sqrt(0.125)));
  const auto map = matrix_map(shares, "t");
  REQUIRE(map);
  CHECK(map->rows == std::vector<std::string>{"key", "pooler"});
  CHECK(map->columns == std::vector<std::string>{"0", "10", "none"});
  CHECK(*map->values[1] == 1.0);
  CHECK_FALSE(map->values[2]);
  CHECK(*map->values[5] == 0.25);
  CHECK_FALSE(matrix_map({}, "t"));
}

TEST_CASE("the caption says what a cell is: a unit, a whole matrix, or either") {
  const auto page = [](const std::string& name, const std::vector<group>& groups) {
    return survivor_section({name, {{"a", {{"1", ticket{groups}, {}}}}}}, "x");
  };
  const auto has = [](const std::string& all, const std::string& part) {
    return all.find(part) != std::string::npos;
  };
  const std::string heads = page("heads", {{"heads", {2, 2}}});
  CHECK(has(heads, "Each cell is one unit: its mean over seeds"));
  CHECK_FALSE(has(heads, "whole"));
  const std::string weights = page("weights, mode study", {{"encoder.layer.0.w", {2, 2}}});
  CHECK(has(weights, "Each cell is one whole matrix: the share of its weights that is kept"));
  CHECK_FALSE(has(weights, "one unit"));
  const std::string mixed = page("structures", {{"heads", {2, 2}}, {"neurons", {2, 8}}});
  CHECK(has(mixed, "Each cell is one unit"));
  CHECK(has(mixed, "Of other groups each cell is one whole group: the share of its neurons"));
  CHECK(has(mixed, "share of neurons kept"));
}

TEST_CASE("stable units: in every seed of a task, more than (T + 1) / 2 of T tasks") {
  CHECK(stable_threshold(9) == 5.0);
  const std::vector<ticket_set> sets{sample()};
  const std::string csv = to_csv(survivor_summary(sets));
  CHECK(csv.find("s,a,heads,4,2,0.375,0.1767766952966369,0.75,1\r\n") != std::string::npos);
  CHECK(csv.find("s,all,heads,4,2,0.875,") != std::string::npos);
  const std::string units = to_csv(survivor_table(sets));
  CHECK(units.find("s,all,mlps,1,0,1,1.4142135623730951\r\n") != std::string::npos);
}
