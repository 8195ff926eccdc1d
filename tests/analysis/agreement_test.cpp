#include <cstdint>
#include <string>
#include <vector>

#include "tests/analysis/well_formed.hpp"
#include "tests/support/catch.hpp"

#include "tombola/analysis/agreement_section.hpp"
#include "tombola/analysis/agreement_tables.hpp"
#include "tombola/analysis/task_matrix.hpp"
#include "tombola/analysis/ticket_sets.hpp"

using namespace tombola;
using namespace tombola::analysis;

namespace {

ticket heads(std::vector<int> kept) {
  return ticket{{{"heads", {2, 3}}}, {mask::from_values(kept)}};
}

task_tickets three_seeds() {
  return {"t",
          {{"1", heads({1, 1, 1, 0, 0, 0}), {}},
           {"2", heads({1, 1, 0, 1, 0, 0}), {}},
           {"3", heads({1, 1, 1, 0, 0, 0}), {}}}};
}

}  // namespace

TEST_CASE("agreement of three seeds, worked by hand") {
  const auto all = agreements_of({"set", {three_seeds()}});
  REQUIRE(all.size() == 1);
  const part_agreement& a = all[0];
  CHECK(a.part == "heads");
  CHECK(a.counts.kept_by_all() == 2);
  CHECK(a.counts.kept_by_any() == 4);
  REQUIRE(a.pairs.size() == 3);
  CHECK(a.mean_jaccard.value == Approx((0.5 + 1.0 + 0.5) / 3.0));
  // By chance: 0 to 3 common of 3 and 3 in 6 with weights 1, 9, 9, 1 of 20.
  CHECK(a.mean_expected_jaccard.value == Approx((9 * 0.2 + 9 * 0.5 + 1.0) / 20.0));
  CHECK(a.equal_sizes.q.value == 0.0);
  CHECK(a.equal_sizes.p.value == 1.0);
  // Two units differ, each 2 to 1 or 1 to 2: observed 2 * 2 / (3 * 6 * 2) * 2, expected 1/2.
  CHECK(a.fleiss.value == Approx(1.0 - (8.0 / 36.0) / 0.5));
  CHECK(pairs_above_chance(a) == 0);  // identical has p = 1/20, which is not below 5 %
  CHECK(*kept_of(a).mean == 3.0);
  const verdict v = agree_beyond_chance(a);
  CHECK(v.decision == outcome::cannot_tell);  // even the largest overlap has p = 1/20
  CHECK(
      v.finding ==
      "mean Jaccard 0.667, chance gives 0.365; no pair has sizes that could show more than chance");
}

TEST_CASE("seeds agree more than chance in the pairs that could show it") {
  // From words: with AVX-512, g++ 12 at -O3 builds the vector {1, 1, 1, 1, 0, 0, 0, 0} all of ones.
  const auto of = [](std::uint64_t kept) {
    return ticket{{{"heads", {2, 4}}}, {mask::from_words(8, {kept})}};
  };
  const ticket left = of(0b00001111), right = of(0b11110000), all = of(0b11111111);
  const auto judge = [](std::vector<ticket> tickets) {
    task_tickets task{"t", {}};
    for (ticket& t : tickets) task.seeds.push_back({std::to_string(task.seeds.size()), t, {}});
    return agree_beyond_chance(agreements_of({"set", {task}})[0]);
  };
  CHECK(judge({left, left}).decision == outcome::holds);  // p = 1/70
  CHECK(judge({left, right}).decision == outcome::does_not_hold);
  CHECK(judge({left, left, right}).decision == outcome::in_part);
  CHECK(judge({left, left, all}).decision == outcome::holds);  // pairs with `all` tell nothing
  CHECK(judge({all, all}).decision == outcome::cannot_tell);
}

TEST_CASE("of weights chance leaves each matrix its size") {
  // Two matrices of 64: each seed keeps 48 of the first and 8 of the second, other ones.
  const auto weights = [](std::uint64_t first, std::uint64_t second) {
    return ticket{{{"a.weight", {8, 8}}, {"b.weight", {8, 8}}},
                  {mask::from_words(64, {first}), mask::from_words(64, {second})}};
  };
  const ticket one = weights(0x0000FFFFFFFFFFFF, 0xFF), two = weights(0xFFFFFFFFFFFF0000, 0xFF00);
  const auto all = agreements_of({"weights", {{"t", {{"1", one, {}}, {"2", two, {}}}}}});
  REQUIRE(all.size() == 1);
  const part_agreement& a = all[0];
  CHECK(p_at_least(a.pairs[0].counts) < 0.05);  // 32 shared of 56 and 56 in 128: pooled, 24.5
  CHECK(a.chance[0].expected_both == 37.0);     // 36 in the first and 1 in the second
  CHECK(a.chance[0].p_at_least > 0.5);
  CHECK(a.mean_expected_jaccard.value == Approx(37.0 / 75).margin(0.02));
  CHECK(agree_beyond_chance(a).decision == outcome::does_not_hold);
  CHECK(to_csv(overlap_table(all)).find("weights,t,weights,1,2,56,56,32,37,0.4,") !=
        std::string::npos);
}

TEST_CASE("the tables have a row for each part and for each pair") {
  const auto all = agreements_of({"set", {three_seeds()}});
  const std::string pairs = to_csv(overlap_table(all));
  CHECK(pairs.find("set,t,heads,1,3,3,3,3,1.5,1,") != std::string::npos);
  CHECK(to_csv(size_table(all)).find("set,t,heads,6,3,0,0.5,3,3,3\r\n") != std::string::npos);
  const std::string row = to_csv(agreement_table(all));
  CHECK(row.find("set,t,heads,3,6,3,0,2,4,") != std::string::npos);
}

TEST_CASE("found below the diagonal, chance above it") {
  const auto h = overlap_map(agreements_of({"set", {three_seeds()}})[0]);
  CHECK(*h.values[2 * 3 + 0] == 1.0);
  CHECK(*h.values[0 * 3 + 2] == Approx(0.365));
  CHECK_FALSE(h.values[0]);
  CHECK(h.notes[6].find("p = 0.050") != std::string::npos);
}

TEST_CASE("tickets that keep nothing, and one seed alone, have reasons and no NaN") {
  const ticket none = heads({0, 0, 0, 0, 0, 0});
  const ticket_set set{"set",
                       {{"empty", {{"1", none, {}}, {"2", none, {}}}}, {"one", {{"1", none, {}}}}}};
  const auto all = agreements_of(set);
  CHECK(agree_beyond_chance(all[0]).decision == outcome::cannot_tell);
  CHECK(agree_beyond_chance(all[1]).finding == "no overlap to judge: too few masks");
  const std::string page = agreement_section(set, all, "x");
  CHECK(tombola::test::ill_formed(page) == "");
  CHECK(page.find("nan") == std::string::npos);
  CHECK(page.find("neither mask keeps a unit") != std::string::npos);
  const ticket_set alone{"set", {set.tasks[1]}};
  CHECK(agreement_section(alone, agreements_of(alone), "x").find("One seed alone") !=
        std::string::npos);
}

TEST_CASE("what tasks share, matched by seed: mean, deviation, sizes on the diagonal") {
  ticket_set set{"set", {three_seeds(), three_seeds()}};
  set.tasks[1].task = "u";
  set.tasks[1].seeds = {{"2", heads({1, 1, 0, 1, 0, 0}), {}}, {"1", heads({0, 0, 0, 0, 0, 1}), {}}};
  const heat_map h = shared_units_map(task_pairs(set, "heads"), false);
  CHECK(*h.values[0] == 3.0);
  CHECK_FALSE(h.values[1]);
  CHECK(*h.values[2] == 1.5);  // nothing in seed 1, three in seed 2
  CHECK(*h.values[3] == 2.0);
  CHECK(*h.deviations[2] == Approx(std::sqrt(4.5)));
  CHECK(h.high == 6.0);
  CHECK(*shared_units_map(task_pairs(set, "heads"), true).values[2] == 0.25);
}

TEST_CASE("heads, MLPs and all weights together are parts") {
  const ticket t{{{"heads", {1}}, {"w1", {2}}, {"mlps", {1}}, {"w2", {3}}}};
  const auto parts = parts_of({"t", {{"1", t, {}}}});
  REQUIRE(parts.size() == 3);
  CHECK(parts[2].name == "weights");
  CHECK(parts[2].tickets[0].size() == 5);
  const ticket neurons{{{"neurons", {2, 3}}}};
  const auto part = parts_of({"t", {{"1", neurons, {}}}});
  REQUIRE(part.size() == 1);
  CHECK(part[0].name == "neurons");
  CHECK(is_shown_as_share("neurons"));
  CHECK(is_shown_as_share("weights"));
  CHECK_FALSE(is_shown_as_share("heads"));
}
