#include "tombola/prune/select_within.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/core/random.hpp"

using namespace tombola;

namespace {

/// Two groups of 6 and 4 units: three layers of two, and two layers of two.
const std::vector<group> groups{{"a", {3, 2}}, {"b", {2, 2}}};

std::vector<scores> drawn_scores(std::uint64_t seed) {
  const random_stream r{seed, purpose::subset};
  std::vector<float> a(6), b(4);
  for (std::size_t i = 0; i < 6; ++i) a[i] = static_cast<float>(r.below(4, i)) - 1.0F;
  for (std::size_t i = 0; i < 4; ++i) b[i] = static_cast<float>(r.below(4, 6 + i)) - 1.0F;
  return {{groups[0], a}, {groups[1], b}};
}

/// Which part unit i of the ten belongs to.
std::size_t part_of(std::size_t i, part by) {
  return by == part::group ? (i < 6 ? 0 : 1) : i / 2;
}

/// Every one of the 1,024 sets of ten units is tried. Of those within the limits, the one that
/// keeps the highest-ranked units: the rank of unit i is a power of 2, so that one unit outweighs
/// all that rank below it.
std::optional<unsigned> by_trying(const ticket& t,
                                  const std::vector<scores>& s,
                                  std::size_t k,
                                  part by,
                                  const std::vector<limits>& allowed) {
  const auto score = [&](std::size_t i) { return i < 6 ? s[0][i] : s[1][i - 6]; };
  unsigned kept = 0;
  std::array<unsigned, 10> worth{};
  for (std::size_t i = 0; i < 10; ++i) {
    if (i < 6 ? t[0][i] : t[1][i - 6]) kept |= 1U << i;
    for (std::size_t j = 0; j < 10; ++j) {
      worth[i] += score(j) < score(i) || (score(j) == score(i) && j > i) ? 1U : 0U;
    }
  }
  std::optional<unsigned> best;
  unsigned most = 0;
  for (unsigned set = 0; set < 1024; ++set) {
    if ((set & ~kept) != 0) continue;
    if (static_cast<std::size_t>(std::popcount(set)) + k !=
        static_cast<std::size_t>(std::popcount(kept))) {
      continue;
    }
    std::array<std::size_t, 5> in_part{};
    unsigned value = 0;
    for (std::size_t i = 0; i < 10; ++i) {
      if ((set >> i & 1U) == 0) continue;
      ++in_part[part_of(i, by)];
      value += 1U << worth[i];
    }
    bool fits = true;
    for (std::size_t p = 0; p < allowed.size(); ++p) {
      fits = fits && in_part[p] >= allowed[p].least && in_part[p] <= allowed[p].most;
    }
    if (fits && (!best || value > most)) best = set, most = value;
  }
  return best;
}

unsigned bits(const ticket& t) {
  unsigned set = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    if (i < 6 ? t[0][i] : t[1][i - 6]) set |= 1U << i;
  }
  return set;
}

}  // namespace

TEST_CASE("between floors and caps the selection is the best of all that were tried") {
  std::size_t feasible = 0, infeasible = 0, unlike_the_plain_one = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const auto s = drawn_scores(seed);
    const random_stream r{seed, purpose::control};
    ticket t{groups};
    if (seed % 3 == 0) t.set(0, r.below(6, 0), false), t.set(1, r.below(4, 1), false);
    const part by = seed % 2 == 0 ? part::group : part::layer;
    std::vector<limits> allowed;
    for (std::size_t p = 0; p < (by == part::group ? 2U : 5U); ++p) {
      const std::size_t most = by == part::group ? 1 + r.below(6, 10 + p) : r.below(3, 10 + p);
      allowed.push_back(
          {std::min<std::size_t>(most, r.below(2, 20 + p)), seed % 5 == 0 ? limits{}.most : most});
    }
    for (std::size_t k = 0; k <= t.count(); ++k) {
      const auto best = by_trying(t, s, k, by, allowed);
      try {
        const ticket selected = remove_lowest_within(t, s, k, by, allowed);
        REQUIRE(best);
        REQUIRE(bits(selected) == *best);
        ++feasible;
        unlike_the_plain_one += !(selected == remove_lowest(t, s, k));
      } catch (const input_error&) {
        REQUIRE_FALSE(best);
        ++infeasible;
      }
    }
  }
  // Enough of each that the comparison means something.
  CHECK(feasible > 400);
  CHECK(infeasible > 100);
  CHECK(unlike_the_plain_one > 100);
}

TEST_CASE("no layer loses its last head") {
  const std::vector<scores> s{{{"heads", {3, 2}}, {9, 8, 1, 2, 5, 6}}};
  const ticket t{{s[0].group()}};
  const ticket less = remove_lowest_within(t, s, 3, part::layer, std::array{limits{.least = 1}});
  // The three highest are 9, 8 and 6; a floor of one leaves each layer its best instead.
  CHECK(remove_lowest(t, s, 3)[0] == mask::from_values(std::vector<bool>{1, 1, 0, 0, 0, 1}));
  CHECK(less[0] == mask::from_values(std::vector<bool>{1, 0, 0, 1, 0, 1}));
  // A cap on one group makes the other keep more than its rank.
  const std::vector<scores> two{{{"a", {3}}, {9, 8, 7}}, {{"b", {3}}, {1, 2, 3}}};
  const ticket both{{two[0].group(), two[1].group()}};
  const ticket capped =
      remove_lowest_within(both, two, 3, part::group, std::array{limits{.most = 1}, limits{}});
  CHECK(capped[0] == mask::from_values(std::vector<bool>{1, 0, 0}));
  CHECK(capped[1] == mask::from_values(std::vector<bool>{0, 1, 1}));
}

TEST_CASE("every layer loses its share, whatever the others score") {
  const std::vector<scores> s{{{"heads", {3, 2}}, {9, 8, 1, 2, 5, 5}}, {{"mlps", {3}}, {1, 2, 3}}};
  ticket t{{s[0].group(), s[1].group()}};
  const ticket less = remove_lowest_of_each_layer(t, s, std::array<std::size_t, 2>{1, 0});
  CHECK(less[0] == mask::from_values(std::vector<bool>{1, 0, 0, 1, 1, 0}));  // 5 and 5: the later
  CHECK(less[1].count() == 3);
  // Where a layer has less left than is asked for, all of it goes.
  t.set(0, 2, false);
  const ticket none = remove_lowest_of_each_layer(t, s, std::array<std::size_t, 2>{2, 1});
  CHECK(none.count() == 0);
  t.set(0, 0, false);
  const ticket one = remove_lowest_of_each_layer(t, s, std::array<std::size_t, 2>{1, 0});
  CHECK(one[0] == mask::from_values(std::vector<bool>{0, 0, 0, 0, 1, 0}));
  CHECK_THROWS_AS(remove_lowest_of_each_layer(t, s, std::array<std::size_t, 1>{1}), shape_error);
}

TEST_CASE("groups without extents, and of one, have parts too") {
  CHECK(parts_of({"one", {}}, part::layer) == 1);
  CHECK(parts_of({"mlps", {12}}, part::layer) == 12);
  CHECK(parts_of({"heads", {12, 12}}, part::layer) == 12);
  CHECK(parts_of({"heads", {12, 12}}, part::group) == 1);
  const std::vector<scores> s{{{"one", {}}, {1}}, {{"none", {0, 3}}, {}}, {{"mlps", {2}}, {0, 2}}};
  const ticket t{{s[0].group(), s[1].group(), s[2].group()}};
  // One layer and two: three limits.
  const ticket less =
      remove_lowest_within(t, s, 1, part::layer, std::array{limits{}, limits{1}, limits{}});
  CHECK(less[0].count() == 0);
  CHECK(less[2].count() == 2);
}

TEST_CASE("what the limits do not allow is refused with both numbers") {
  const std::vector<scores> s{{{"a", {2, 2}}, {1, 2, 3, 4}}};
  ticket t{{s[0].group()}};
  const std::array one{limits{1, 1}};
  CHECK_THROWS_WITH(remove_lowest_within(t, s, 3, part::layer, one),
                    "selection: asked to remove 3 units of 4 kept, but the limits let go at least "
                    "2 and at most 2");
  CHECK_THROWS_AS(remove_lowest_within(t, s, 1, part::layer, one), input_error);
  CHECK(remove_lowest_within(t, s, 2, part::layer, one).count() == 2);
  CHECK_THROWS_WITH(remove_lowest_within(t, s, 1, part::layer, std::array{limits{2, 1}}),
                    "selection: layer 0 of a (2 x 2) is to keep at least 2 units and at most 1");
  CHECK_THROWS_WITH(
      remove_lowest_within(t, s, 1, part::layer, std::array{limits{}, limits{}, limits{}}),
      "selection: limits for 3 layers, expected 2, or 1 for all");
  CHECK_THROWS_AS(remove_lowest_within(t, s, 1, part::group, {}), shape_error);
  t.set(0, 2, false);
  CHECK_THROWS_WITH(remove_lowest_within(t, s, 1, part::layer, std::array{limits{2, 2}}),
                    "selection: layer 1 of a (2 x 2) has 1 units left, expected at least 2");
  CHECK_THROWS_WITH(remove_lowest_within(t, s, 1, part::group, std::array{limits{4}}),
                    "selection: a (2 x 2) has 3 units left, expected at least 4");
  CHECK_THROWS_AS(remove_lowest_within(t, {}, 1, part::group, one), shape_error);
  const std::vector<scores> other{{{"a", {3}}, {1, 2, 3}}};
  CHECK_THROWS_AS(remove_lowest_within(t, other, 1, part::group, one), shape_error);
}
