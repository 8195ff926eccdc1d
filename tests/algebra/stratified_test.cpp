#include "tombola/algebra/stratified.hpp"

#include <cmath>
#include <vector>

#include "tests/support/catch.hpp"

using namespace tombola;

TEST_CASE("chance within strata: one stratum is plain chance, many are their sum") {
  const overlap o = overlap_of_sizes(144, 60, 60, 32);
  const std::vector<overlap> one{o};
  const auto c = chance_within(one, 7, 200'000);
  CHECK(c.expected_both == expected_both(o));
  CHECK(c.variance_of_both == variance_of_both(o));
  CHECK(c.p_at_least == Approx(p_at_least(o)).epsilon(0.05));
  CHECK(chance_within(one, 7, 100).p_at_least == chance_within(one, 7, 100).p_at_least);
  // Two layers, one kept by both, one pruned by both: they agree perfectly, and as chance has it.
  const std::vector<overlap> layers{overlap_of_sizes(50, 50, 50, 50),
                                    overlap_of_sizes(50, 0, 0, 0)};
  CHECK(chance_within(layers, 1, 100).p_at_least == 1.0);
  CHECK(chance_within(layers, 1, 100).expected_both == 50.0);
  CHECK(p_at_least(overlap_of_sizes(100, 50, 50, 50)) < 1e-28);
  // An overlap that no draw reaches still has a p above 0.
  CHECK(chance_within(std::vector<overlap>{overlap_of_sizes(1000, 100, 100, 100)}, 1, 99)
            .p_at_least == 0.01);
  CHECK_THROWS_AS(chance_within(one, 1, 0), input_error);
  CHECK(chance_within({}, 1, 10).p_at_least == 1.0);
}

TEST_CASE("chance within strata: the mean Jaccard index, and one group alone exactly") {
  const overlap o = overlap_of_sizes(144, 60, 50, 32);
  const std::vector<overlap> one{o};
  const auto drawn = chance_within(one, 3, 200'000), exact = chance_within_groups(one);
  CHECK(drawn.expected_jaccard.value == Approx(expected_jaccard(o).value).epsilon(1e-3));
  CHECK(drawn.draws == 200'000);
  CHECK(exact.expected_jaccard.value == expected_jaccard(o).value);
  CHECK(exact.p_at_least == p_at_least(o));
  CHECK(exact.variance_of_both == variance_of_both(o));
  CHECK(exact.draws == 0);
  // A layer kept by both and one pruned by both: over all units they look alike, within none.
  const std::vector<overlap> layers{overlap_of_sizes(50, 50, 50, 50),
                                    overlap_of_sizes(50, 0, 0, 0)};
  CHECK(chance_within_groups(layers).expected_jaccard.value == 1.0);
  CHECK(chance_within_groups(layers).p_at_least == 1.0);
  // Two groups that meet as often as chance says: 10 and 20 of 40, 5 in both.
  const std::vector<overlap> even{overlap_of_sizes(40, 10, 20, 5), overlap_of_sizes(40, 10, 20, 5)};
  const auto c = chance_within_groups(even);
  CHECK(c.draws == 0);
  CHECK(c.expected_both == 10.0);
  CHECK(c.expected_jaccard.value == Approx(0.2).margin(0.01));
  CHECK(c.p_at_least > 0.5);
  CHECK(chance_within_groups(std::vector<overlap>(2, overlap_of_sizes(9, 0, 0, 0)))
            .expected_jaccard.why == reason::nothing_kept);
  CHECK_THROWS_AS(chance_within_groups(even, 0), input_error);
}

TEST_CASE("chance within several small groups is exact") {
  // By hand: 2 and 1 of 3 units, 1 and 1 of 2. Both is 1 + 1 with 2/3 * 1/2, 0 with 1/3 * 1/2.
  const std::vector<overlap> small{overlap_of_sizes(3, 2, 1, 1), overlap_of_sizes(2, 1, 1, 1)};
  const auto c = chance_within_groups(small);
  CHECK(c.draws == 0);
  CHECK(c.p_at_least == Approx(1.0 / 3.0).epsilon(1e-14));
  CHECK(c.log_p_at_least == Approx(std::log(1.0 / 3.0)).epsilon(1e-14));
  // Jaccard: 0 of 5, 1 of 4, 2 of 3 with probability 1/6, 1/2, 1/3.
  CHECK(c.expected_jaccard.value == Approx(0.5 * 0.25 + 2.0 / 9.0).epsilon(1e-14));
  // Drawn it comes near, and where all units of a group are alike it is the law of the other alone.
  const auto drawn = chance_within(small, 1, 100'000);
  CHECK(drawn.p_at_least == Approx(c.p_at_least).margin(0.01));
  CHECK(drawn.log_p_at_least == std::log(drawn.p_at_least));
  CHECK(drawn.expected_jaccard.value == Approx(c.expected_jaccard.value).margin(0.005));
  const overlap heads = overlap_of_sizes(144, 60, 50, 40);
  const std::vector<overlap> beside{heads, overlap_of_sizes(7, 0, 3, 0)};
  CHECK(chance_within_groups(beside).p_at_least == Approx(p_at_least(heads)).epsilon(1e-11));
  // Far below what draws could show: twelve layers of twelve heads, the same six kept in each.
  const std::vector<overlap> same(12, overlap_of_sizes(12, 6, 6, 6));
  CHECK(chance_within_groups(same).log_p_at_least == Approx(-12.0 * std::log(924.0)));
  // Below 1e-290 it is said to be 0, and its logarithm is that bound.
  const std::vector<overlap> tiny(120, overlap_of_sizes(12, 6, 6, 6));
  CHECK(chance_within_groups(tiny).p_at_least == 0.0);
  CHECK(chance_within_groups(tiny).log_p_at_least == std::log(1e-290));
  // Matrices of weights are drawn.
  const std::vector<overlap> matrices(12, overlap_of_sizes(590'000, 295'000, 295'000, 147'500));
  CHECK(chance_within_groups(matrices, 99).draws == 99);
}

TEST_CASE("chance within the groups of many pairs, whatever the number of threads") {
  std::vector<std::vector<pair_overlap>> of(2);
  for (std::size_t i = 0; i < 7; ++i) {
    of[0].push_back({0, i + 1, overlap_of_sizes(40, 10, 20, i)});
    of[1].push_back({0, i + 1, overlap_of_sizes(900'000, 300'000, 450'000, 150'000 + 100 * i)});
  }
  const auto alone = chance_within_groups(of, 500), shared = chance_within_groups(of, 500, 3);
  REQUIRE(alone.size() == 7);
  for (std::size_t i = 0; i < 7; ++i) {
    const auto one =
        chance_within_groups(std::vector<overlap>{of[0][i].counts, of[1][i].counts}, 500);
    CHECK(alone[i].p_at_least == one.p_at_least);
    CHECK(shared[i].p_at_least == one.p_at_least);
    CHECK(shared[i].expected_jaccard.value == one.expected_jaccard.value);
  }
  CHECK(alone[0].p_at_least > alone[6].p_at_least);
  double sum = 0.0;
  for (const stratified_chance& c : alone) sum += c.expected_jaccard.value;
  CHECK(mean_expected_jaccard(alone).value == Approx(sum / 7.0).epsilon(1e-15));
  CHECK(mean_expected_jaccard({}).why == reason::too_few_masks);
  CHECK(mean_expected_jaccard(std::vector<stratified_chance>{
                                  alone[0], {0, 0, undefined(reason::nothing_kept), 1, 0, 0}})
            .why == reason::nothing_kept);
  CHECK(chance_within_groups(std::vector<std::vector<pair_overlap>>{}).empty());
  of[1].pop_back();
  CHECK_THROWS_WITH(chance_within_groups(of),
                    "chance_within_groups: 6 pairs in a group, expected 7 as in the first");
}
