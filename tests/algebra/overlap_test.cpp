#include "tombola/algebra/overlap.hpp"

#include <cmath>
#include <vector>

#include "tests/support/checked_mask.hpp"

using namespace tombola;

// 10 units: 2 kept by both, 3 by the first alone, 1 by the second alone, 4 by neither.
constexpr overlap example{2, 3, 1, 4};
static_assert(example.first() == 5 && example.second() == 3 && example.size() == 10);
static_assert(overlap_of_sizes(10, 5, 3, 2) == example);
static_assert(jaccard(example).value == 2.0 / 6 && dice(example).value == 4.0 / 8);
static_assert(containment_of_first(example).value == 2.0 / 5);
static_assert(containment_of_second(example).value == 2.0 / 3);
static_assert(overlap_coefficient(example).value == 2.0 / 3 && hamming(example) == 4);

TEST_CASE("the four counts are those of the sets") {
  for (const std::size_t n : test::word_sizes) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const auto m = test::random_masks(2, n, seed);
      overlap expected;
      for (std::size_t i = 0; i < n; ++i) {
        const bool a = m[0].units().count(i) != 0, b = m[1].units().count(i) != 0;
        ++(a ? (b ? expected.both : expected.first_only)
             : (b ? expected.second_only : expected.neither));
      }
      CHECK(count_overlap(m[0], m[1]) == expected);
      CHECK(count_overlap(m[0].bits(), mask_view{m[1].bits()}) == expected);
    }
  }
  CHECK_THROWS_WITH(count_overlap(mask{144}, mask{12}),
                    "count_overlap: masks over 144 and 12 units");
}

TEST_CASE("phi is the correlation of the bits, kappa agreement beyond the sizes") {
  const auto m = test::random_masks(2, 500, 3);
  const overlap o = count_overlap(m[0], m[1]);
  const double n = 500, a = static_cast<double>(o.first()) / n;
  const double b = static_cast<double>(o.second()) / n;
  const double covariance = static_cast<double>(o.both) / n - a * b;
  CHECK(phi(o).value == Approx(covariance / std::sqrt(a * (1 - a) * b * (1 - b))).epsilon(1e-12));
  const double agree = static_cast<double>(o.both + o.neither) / n;
  const double by_chance = a * b + (1 - a) * (1 - b);
  CHECK(cohen_kappa(o).value == Approx((agree - by_chance) / (1 - by_chance)).epsilon(1e-12));
  CHECK(phi({4, 0, 0, 6}).value == 1.0);
  CHECK(phi({0, 4, 6, 0}).value == -1.0);
  CHECK(cohen_kappa({4, 0, 0, 6}).value == 1.0);
  CHECK(cohen_kappa({0, 5, 5, 0}).value == -1.0);
}

TEST_CASE("degenerate pairs have a reason, and NaN only with one") {
  const overlap none{}, empty{0, 0, 0, 7}, first_empty{0, 0, 3, 4}, full{7, 0, 0, 0};
  const overlap second_full{3, 0, 4, 0}, second_empty{0, 3, 0, 4}, opposite{0, 7, 0, 0};
  const auto why = [](const estimate& e) {
    CHECK(e.defined() != std::isnan(e.value));
    return e.why;
  };
  CHECK(why(jaccard(empty)) == reason::nothing_kept);
  CHECK(why(jaccard(none)) == reason::nothing_kept);
  CHECK(why(dice(empty)) == reason::nothing_kept);
  CHECK(jaccard(first_empty) == defined(0.0));
  CHECK(why(containment_of_first(first_empty)) == reason::first_keeps_nothing);
  CHECK(containment_of_second(first_empty) == defined(0.0));
  CHECK(why(containment_of_second(second_empty)) == reason::second_keeps_nothing);
  CHECK(why(overlap_coefficient(first_empty)) == reason::a_mask_keeps_nothing);
  CHECK(why(overlap_coefficient(second_empty)) == reason::a_mask_keeps_nothing);
  CHECK(why(phi(none)) == reason::no_units);
  for (const overlap& o : {empty, first_empty, full, second_full, second_empty, opposite}) {
    CHECK(why(phi(o)) == reason::a_mask_is_constant);
  }
  CHECK(why(cohen_kappa(none)) == reason::no_units);
  CHECK(why(cohen_kappa(full)) == reason::masks_are_constant);
  CHECK(why(cohen_kappa(empty)) == reason::masks_are_constant);
  CHECK(cohen_kappa(second_full) == defined(0.0));
  CHECK(cohen_kappa(opposite) == defined(0.0));
  CHECK(hamming(none) == 0);
}

TEST_CASE("products of counts of 2^40 units neither overflow nor cancel") {
  const std::size_t q = std::size_t{1} << 38;
  CHECK(phi({q, q, q, q}).value == 0.0);
  // (q + 1)^2 - q^2 = 2 q + 1 over (2 q)^2 and a little: all digits of the products cancel.
  const overlap o{q + 1, q, q, q + 1};
  const double expected = 1.0 / (2.0 * static_cast<double>(q) + 1.0);
  CHECK(phi(o).value == Approx(expected).epsilon(1e-14));
  CHECK(cohen_kappa(o).value == Approx(expected).epsilon(1e-14));
}

TEST_CASE("all pairs at once are the pairs one by one, over several blocks") {
  for (const std::size_t n : {0U, 65U, 2048U * 64U, 2 * 2048U * 64U + 1U}) {
    const auto twins = test::random_masks(n > 1000 ? 3 : 5, n, 8);
    const auto pairs = count_overlaps(twins);
    CHECK(pairs.size() == twins.size() * (twins.size() - 1) / 2);
    std::size_t at = 0;
    for (std::size_t i = 0; i < twins.size(); ++i) {
      for (std::size_t j = i + 1; j < twins.size(); ++j, ++at) {
        CHECK((pairs[at].first == i && pairs[at].second == j));
        CHECK(pairs[at].counts == count_overlap(twins[i], twins[j]));
      }
    }
  }
  // One word past two blocks: the last unit is counted as well.
  const std::size_t n = 2 * 2048 * 64 + 1;
  const std::vector<mask> full{mask::all_kept(n), mask::all_kept(n)};
  CHECK(count_overlaps(full)[0].counts == overlap{n, 0, 0, 0});
  CHECK_THROWS_AS(count_overlaps(std::vector<mask>{mask{2}, mask{2}, mask{3}}), shape_error);
}

TEST_CASE("a mean over pairs is undefined where a pair is") {
  const auto values = [](std::initializer_list<int> v) {
    return mask::from_values(std::vector<int>(v));
  };
  const mask a = values({1, 1, 0, 0}), b = values({1, 0, 1, 0}), c = values({1, 0, 0, 0});
  CHECK(mean_pairwise_jaccard(std::vector<mask>{a, b, c}) ==
        defined((1.0 / 3 + 1.0 / 2 + 1.0 / 2) / 3));
  CHECK(mean_pairwise_jaccard(std::vector<mask>{a}).why == reason::too_few_masks);
  CHECK(mean_pairwise_jaccard(std::vector<mask>{}).why == reason::too_few_masks);
  CHECK(mean_pairwise_jaccard(std::vector<mask>{mask{4}, mask{4}, a}).why == reason::nothing_kept);
}

TEST_CASE("tickets are counted group by group and pooled") {
  const std::vector<group> groups{{"heads", {2}}, {"mlps", {3}}};
  const ticket a{groups, {mask::all_kept(2), mask::all_kept(3)}}, b{groups, {mask{2}, mask{3}}};
  CHECK(count_overlap_by_group(a, b) == std::vector<overlap>{{0, 2, 0, 0}, {0, 3, 0, 0}});
  CHECK(count_overlap(a, b) == overlap{0, 5, 0, 0});
  CHECK(count_overlap(b, complement(a)) == overlap{0, 0, 0, 5});
  CHECK_THROWS_AS(count_overlap(a, ticket{{groups[0]}}), shape_error);
}

TEST_CASE("every reason has its own sentence") {
  std::set<std::string> seen;
  int reasons = 0;
  for (int i = 0; i <= static_cast<int>(reason::chance_has_one_answer); ++i, ++reasons) {
    seen.insert(to_string(static_cast<reason>(i)));
  }
  CHECK(seen.size() == static_cast<std::size_t>(reasons));
  CHECK(seen.count("unknown reason") == 0);
  CHECK(undefined(reason::no_units) == undefined(reason::no_units));
  CHECK_FALSE(undefined(reason::no_units) == undefined(reason::nothing_kept));
  CHECK(undefined(reason::no_units).value_or(-1.0) == -1.0);
}

TEST_CASE("phi keeps its digits where the products of counts differ by one") {
  // (t + 2)^2 - (t + 1) (t + 3) = 1, and neither product is a double.
  const std::size_t t = std::size_t{1} << 30;
  const overlap o{t + 2, t + 1, t + 3, t + 2};
  const double first = static_cast<double>(2 * t + 3), second = static_cast<double>(2 * t + 5);
  CHECK(phi(o).value == Approx(1.0 / (first * second)).epsilon(1e-12));
  CHECK(phi({t + 1, t + 2, t + 2, t + 3}).value == Approx(-1.0 / (first * second)).epsilon(1e-12));
}
