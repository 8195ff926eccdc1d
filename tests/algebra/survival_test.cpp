#include "tombola/algebra/survival.hpp"

#include <cmath>
#include <numeric>
#include <vector>

#include "tests/support/checked_mask.hpp"

#include "tombola/algebra/sets.hpp"

using namespace tombola;

TEST_CASE("survival counts are those of the sets, for all k around the planes of the counter") {
  for (const std::size_t n : test::word_sizes) {
    for (const std::size_t k : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 17U}) {
      const auto m = test::random_masks(k, n, 1000 * n + k);
      survival expected;
      expected.units = n;
      expected.units_by_survival.assign(k + 1, 0);
      std::vector<std::uint32_t> by_unit(n, 0);
      for (const auto& c : m) {
        expected.sizes.push_back(c.units().size());
        for (const std::size_t i : c.units()) ++by_unit[i];
      }
      for (const std::uint32_t r : by_unit) ++expected.units_by_survival[r];
      const survival s = count_survival(m);
      CHECK(s == expected);
      CHECK(survival_of_units(m) == by_unit);
      std::vector<mask> masks;
      for (const auto& c : m) masks.push_back(c.bits());
      CHECK(s.kept_by_all() == intersected(masks).count());
      CHECK(s.kept_by_any() == united(masks).count());
      CHECK(s.kept() == std::accumulate(by_unit.begin(), by_unit.end(), std::size_t{0}));
    }
  }
}

TEST_CASE("survival refuses other sizes and takes no masks") {
  CHECK_THROWS_WITH(count_survival(std::vector<mask>{mask{144}, mask{144}, mask{12}}),
                    "count_survival: masks over 144 and 12 units");
  CHECK_THROWS_AS(survival_of_units(std::vector<mask>{mask{2}, mask{3}}), shape_error);
  const survival none = count_survival(std::vector<mask>{});
  CHECK(none == survival{});
  CHECK(none.masks() == 0);
  CHECK(none.kept_by_any() == 0);
  CHECK(count_survival(std::vector<ticket>{}) == survival{});
}

TEST_CASE("the groups of tickets are pooled") {
  const std::vector<group> groups{{"heads", {3}}, {"mlps", {2}}};
  const auto values = [](std::initializer_list<int> v) {
    return mask::from_values(std::vector<int>(v));
  };
  const std::vector<ticket> two{{groups, {values({1, 1, 0}), values({1, 0})}},
                                {groups, {values({1, 0, 0}), values({1, 1})}}};
  CHECK(count_survival(two) == survival{5, {3, 3}, {1, 2, 2}});
  CHECK(count_survival(masks_of_group(two, 1)) == survival{2, {1, 2}, {0, 1, 1}});
  CHECK_THROWS_AS(count_survival(std::vector<ticket>{two[0], ticket{{groups[0]}}}), shape_error);
  const ticket renamed{{groups[0], {"other", {2}}}};
  CHECK_THROWS_AS(count_survival(std::vector<ticket>{two[0], renamed}), shape_error);
  survival s = count_survival(two);
  CHECK_THROWS_WITH(s += count_survival(std::vector<mask>{mask{3}}),
                    "survival: groups under 2 and 1 masks");
}

TEST_CASE("the law of independent survival is that of all outcomes") {
  const std::vector<double> p{0.5, 0.1, 0.9, 0.0, 1.0, 0.3};
  std::vector<double> expected(p.size() + 1, 0.0);
  for (unsigned outcome = 0; outcome < 1U << p.size(); ++outcome) {
    double probability = 1.0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      probability *= (outcome >> i & 1U) != 0 ? p[i] : 1.0 - p[i];
    }
    expected[static_cast<std::size_t>(std::popcount(outcome))] += probability;
  }
  const auto law = poisson_binomial(p);
  REQUIRE(law.size() == expected.size());
  for (std::size_t r = 0; r < law.size(); ++r) CHECK(law[r] == Approx(expected[r]).margin(1e-15));
  CHECK(poisson_binomial({}) == std::vector<double>{1.0});
}

TEST_CASE("expected survival has the moments of independent masks") {
  const survival s{10, {5, 1, 9}, {0, 6, 3, 1}};
  const auto null = expected_survival(s);
  CHECK(null.mean == Approx(1.5).epsilon(1e-15));
  CHECK(null.variance == Approx(0.25 + 0.09 + 0.09).epsilon(1e-15));
  double units = 0.0, mean = 0.0;
  for (std::size_t r = 0; r < null.expected_units_by_survival.size(); ++r) {
    units += null.expected_units_by_survival[r];
    mean += static_cast<double>(r) * null.expected_units_by_survival[r] / 10.0;
  }
  CHECK(units == Approx(10.0).epsilon(1e-14));
  CHECK(mean == Approx(1.5).epsilon(1e-14));
  const auto nothing = expected_survival(count_survival(std::vector<mask>{mask{}, mask{}}));
  CHECK(nothing.expected_units_by_survival == std::vector<double>{0.0, 0.0, 0.0});
}
