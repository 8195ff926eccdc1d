#include "tombola/prune/select.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "tests/support/catch.hpp"

#include "tombola/core/random.hpp"

using namespace tombola;

namespace {

/// Few distinct values, so that most draws are tied.
scores drawn_scores(const std::string& name, std::size_t n, std::uint64_t seed) {
  const random_stream r{seed, purpose::subset};
  std::vector<float> s(n);
  for (std::size_t i = 0; i < n; ++i) s[i] = static_cast<float>(r.below(4, i)) - 1.0F;
  return {{name, {n}}, std::move(s)};
}

/// One unit at a time: the lowest score, and of equal ones the last.
ticket one_by_one(ticket t, const std::vector<scores>& s, std::size_t k) {
  for (; k > 0; --k) {
    std::size_t bg = 0, bu = 0;
    float lowest = std::numeric_limits<float>::infinity();
    for (std::size_t g = 0; g < s.size(); ++g) {
      for (std::size_t u = 0; u < s[g].size(); ++u) {
        if (t[g][u] && s[g][u] <= lowest) lowest = s[g][u], bg = g, bu = u;
      }
    }
    t.set(bg, bu, false);
  }
  return t;
}

std::vector<std::size_t> units(const mask& m) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < m.size(); ++i) {
    if (m[i]) kept.push_back(i);
  }
  return kept;
}

}  // namespace

TEST_CASE("of equal scores the lower index is kept") {
  const scores s{{"g", {6}}, {1, 0, 1, 0, 1, 0}};
  CHECK(units(keep_highest(s, 3)) == std::vector<std::size_t>{0, 2, 4});
  CHECK(units(keep_highest(s, 2)) == std::vector<std::size_t>{0, 2});
  CHECK(units(keep_highest(s, 5)) == std::vector<std::size_t>{0, 1, 2, 3, 4});
  CHECK(units(keep_highest(s, 0)).empty());
  CHECK(keep_highest(s, 6).count() == 6);
}

TEST_CASE("units already pruned do not count, whatever their score") {
  const scores s{{"g", {5}}, {0, 1, 2, 3, 4}};
  mask m = mask::all_kept(5);
  m.set(0, false);
  m.set(2, false);
  CHECK(units(remove_lowest(m, s, 1)) == std::vector<std::size_t>{3, 4});
  CHECK(units(remove_lowest(m, s, 3)).empty());
  CHECK_THROWS_WITH(remove_lowest(m, s, 4), "selection: asked to remove 4 units of 3 kept");
}

TEST_CASE("infinite scores rank as the largest and the smallest") {
  const float inf = std::numeric_limits<float>::infinity();
  const scores s{{"g", {4}}, {inf, -inf, 0, inf}};
  CHECK(units(keep_highest(s, 2)) == std::vector<std::size_t>{0, 3});
  CHECK(units(keep_highest(s, 1)) == std::vector<std::size_t>{0});
  CHECK(units(keep_highest(s, 3)) == std::vector<std::size_t>{0, 2, 3});
}

TEST_CASE("global selection ranks all groups together, earlier groups first among ties") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const std::vector<scores> s{drawn_scores("a", 5, 3 * seed), drawn_scores("b", 1, 3 * seed + 1),
                                drawn_scores("c", 7, 3 * seed + 2)};
    ticket t{{s[0].group(), s[1].group(), s[2].group()}};
    t.set(2, seed % 7, false);
    for (std::size_t k = 0; k <= 12; ++k) {
      const ticket selected = remove_lowest(t, s, k);
      REQUIRE(selected.count() == 12 - k);
      REQUIRE(selected == one_by_one(t, s, k));
    }
  }
}

TEST_CASE("selection group by group takes from each its own number") {
  const std::vector<scores> s{{{"a", {3}}, {3, 1, 2}}, {{"b", {2}}, {0, 0}}, {{"c", {2}}, {5, 4}}};
  const ticket t{{s[0].group(), s[1].group(), s[2].group()}};
  const ticket out = remove_lowest_of_each(t, s, std::array<std::size_t, 3>{2, 1, 0});
  CHECK(units(out[0]) == std::vector<std::size_t>{0});
  CHECK(units(out[1]) == std::vector<std::size_t>{0});
  CHECK(out[2].count() == 2);
  CHECK_THROWS_AS(remove_lowest_of_each(t, s, std::array<std::size_t, 2>{1, 1}), shape_error);
  CHECK_THROWS_AS(remove_lowest_of_each(t, s, std::array<std::size_t, 3>{0, 3, 0}), input_error);
}

TEST_CASE("scores that do not fit are refused") {
  const scores s{{"g", {3}}, {1, 2, 3}};
  CHECK_THROWS_AS(remove_lowest(mask::all_kept(4), s, 1), shape_error);
  CHECK_THROWS_AS(remove_lowest(ticket{{{"a", {3}}, {"b", {3}}}}, std::array{s}, 1), shape_error);
  CHECK_THROWS_WITH(keep_highest(s, 4), "selection: asked to keep 4 units of g (3)");
}

TEST_CASE("a share is rounded to a number of units, halves to the even one") {
  const std::vector<scores> s{{{"a", {6}}, {6, 1, 5, 2, 4, 3}}, {{"b", {4}}, {9, 0, 8, 7}}};
  ticket t{{s[0].group(), s[1].group()}};
  // Of 10 units 25 % are 2.5, so 2: scores 0 and 1.
  CHECK(remove_lowest_share(t, s, 0.25) == remove_lowest(t, s, 2));
  CHECK(remove_lowest_share(t, s, 0.0) == t);
  CHECK(remove_lowest_share(t, s, 1.0).count() == 0);
  // Of 6 and 4 units 25 % are 1.5, so 2, and 1.
  CHECK(remove_lowest_share_of_each(t, s, 0.25) ==
        remove_lowest_of_each(t, s, std::array<std::size_t, 2>{2, 1}));
  // The share is of what is left: of 3 and 4 units half are 1.5, so 2, and 2.
  for (const std::size_t u : {0U, 1U, 2U}) t.set(0, u, false);
  CHECK(remove_lowest_share_of_each(t, s, 0.5)[0].count() == 1);
  CHECK(remove_lowest_share(t, s, 0.5).count() == 3);  // 3.5 of 7 are 4
  CHECK_THROWS_AS(remove_lowest_share(t, s, 1.1), input_error);
  CHECK_THROWS_AS(remove_lowest_share_of_each(t, s, -0.1), input_error);
}
