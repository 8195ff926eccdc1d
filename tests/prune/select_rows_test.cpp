#include "tombola/prune/select_rows.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/core/random.hpp"

using namespace tombola;

namespace {

std::vector<bool> bits(const mask& m) {
  std::vector<bool> b(m.size());
  for (std::size_t i = 0; i < m.size(); ++i) b[i] = m[i];
  return b;
}

/// Few distinct values of both signs, so that most blocks have ties.
std::vector<float> drawn(std::size_t n, std::uint64_t seed) {
  const random_stream r{seed, purpose::subset};
  std::vector<float> s(n);
  for (std::size_t i = 0; i < n; ++i) s[i] = static_cast<float>(r.below(5, i)) - 2.0F;
  return s;
}

mask drawn_mask(std::size_t n, std::uint64_t seed) {
  const random_stream r{seed, purpose::control};
  mask m{n};
  for (std::size_t i = 0; i < n; ++i) m.set(i, r.below(4, i) != 0);
  return m;
}

/// Block by block, one unit at a time: the lowest goes, of equal ones the last.
template <class Value>
mask by_hand(mask kept, std::size_t n, std::size_t m, Value value) {
  for (std::size_t first = 0; first < kept.size(); first += m) {
    for (;;) {
      std::size_t left = 0, lowest = 0;
      for (std::size_t u = first; u < first + m; ++u) {
        if (!kept[u]) continue;
        if (left == 0 || value(u) <= value(lowest)) lowest = u;
        ++left;
      }
      if (left <= n) break;
      kept.set(lowest, false);
    }
  }
  return kept;
}

}  // namespace

TEST_CASE("two of every four, in blocks that end with their row") {
  const scores s{{"w", {2, 4}}, {1, 2, 3, 4, 7, 5, 5, 5}};
  CHECK(bits(keep_n_of_m(s, 2, 4)) == std::vector<bool>{0, 0, 1, 1, 1, 1, 0, 0});
  CHECK(bits(keep_n_of_m(s, 1, 2)) == std::vector<bool>{0, 1, 0, 1, 1, 0, 1, 0});
  CHECK(keep_n_of_m(s, 0, 4).count() == 0);
  CHECK(keep_n_of_m(s, 4, 4).count() == 8);
  const float inf = std::numeric_limits<float>::infinity();
  CHECK(bits(keep_n_of_m({{"w", {4}}, {-inf, inf, -0.0F, 0.0F}}, 2, 4)) ==
        std::vector<bool>{0, 1, 1, 0});
}

TEST_CASE("n of m is what a plain loop finds, ties and pruned units included") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (const std::size_t m : {1U, 2U, 3U, 4U, 8U, 24U}) {
      const scores s{{"w", {5, 24}}, drawn(120, seed)};
      const mask kept = seed % 2 == 0 ? mask::all_kept(120) : drawn_mask(120, seed);
      for (std::size_t n = 0; n <= m; n += m > 8 ? 5 : 1) {
        REQUIRE(keep_n_of_m(kept, s, n, m) ==
                by_hand(kept, n, m, [&](std::size_t u) { return s[u]; }));
      }
    }
  }
}

TEST_CASE("each row keeps its own highest") {
  const scores s{{"w", {2, 3}}, {1, 9, 9, 3, 2, 1}};
  CHECK(bits(keep_highest_of_each_row(s, 1)) == std::vector<bool>{0, 1, 0, 1, 0, 0});
  CHECK(bits(keep_highest_of_each_row(s, 2)) == std::vector<bool>{0, 1, 1, 1, 1, 0});
  CHECK(keep_highest_of_each_row(s, 0).count() == 0);
  CHECK(keep_highest_of_each_row({{"one", {}}, {4}}, 1).count() == 1);
  CHECK(keep_highest_of_each_row({{"none", {3, 0}}, {}}, 0).size() == 0);
  CHECK_THROWS_WITH(
      keep_highest_of_each_row(s, 4),
      "selection: asked to keep 4 units of each row of w (2 x 3), expected at most 3");
}

TEST_CASE("a tail, an empty pattern and another size are refused") {
  const scores s{{"w", {2, 6}}, std::vector<float>(12)};
  CHECK_THROWS_WITH(keep_n_of_m(s, 2, 4),
                    "selection: asked to keep 2 of every 4 units of w (2 x 6), whose rows of 6 "
                    "leave a tail, expected a multiple of 4");
  CHECK_THROWS_AS(keep_n_of_m(s, 2, 12), shape_error);  // 12 divides the group but no row
  CHECK_THROWS_WITH(keep_n_of_m(s, 3, 2),
                    "selection: asked to keep 3 of every 2 units of w (2 x 6), expected at most as "
                    "many as there are, and those at least 1");
  CHECK_THROWS_AS(keep_n_of_m(s, 0, 0), input_error);
  CHECK_THROWS_AS(keep_n_of_m(mask::all_kept(6), s, 1, 2), shape_error);
}

TEST_CASE("threads share neither a block nor a word") {
  for (const std::size_t m : {1U, 2U, 3U, 5U, 64U, 1000U, 1024U, 1025U, 3072U}) {
    CHECK(detail::pattern_tile(m) % m == 0);
    CHECK(detail::pattern_tile(m) % bits_per_word == 0);
    CHECK(detail::pattern_tile(m) > 0);
  }
}

TEST_CASE("n of m over spans of weights, for any number of threads") {
  // Sizes that end within a word, on one, and beyond one tile of 65,536 units.
  const std::vector<std::vector<std::size_t>> extents{{5, 12}, {16, 4}, {0, 4}, {300, 360}, {4}};
  std::vector<std::vector<float>> values;
  std::vector<weight_span> weights;
  for (std::size_t g = 0; g < extents.size(); ++g) {
    const group its{"t" + std::to_string(g), extents[g]};
    values.push_back(drawn(its.size(), g));
    weights.push_back({its, {}});
  }
  values[0][3] = std::numeric_limits<float>::infinity();
  values[0][7] = -std::numeric_limits<float>::denorm_min();
  for (std::size_t g = 0; g < extents.size(); ++g) weights[g].values = values[g];
  ticket current = full_ticket(weights);
  for (std::size_t g = 0; g < extents.size(); ++g) {
    current.replace(g, drawn_mask(values[g].size(), 100 + g));
  }
  for (const auto& [n, m] : {std::pair{2U, 4U}, {1U, 4U}, {1U, 2U}, {0U, 1U}}) {
    ticket expected = current;
    for (std::size_t g = 0; g < extents.size(); ++g) {
      expected.replace(
          g, by_hand(current[g], n, m, [&](std::size_t u) { return std::abs(values[g][u]); }));
    }
    for (std::size_t threads = 1; threads <= 8; ++threads) {
      const bool same = keep_n_of_m(weights, current, n, m, threads) == expected;
      CHECK(same);  // a hundred thousand flags are nothing to print
    }
    const bool same = keep_n_of_m(weights, current, n, m) == expected;
    CHECK(same);
  }
  const ticket half = keep_n_of_m(weights, 2, 4);
  CHECK(half.count() * 2 == half.size());

  CHECK_THROWS_WITH(keep_n_of_m(weights, 1, 5),
                    "selection: asked to keep 1 of every 5 units of t0 (5 x 12), whose rows of 12 "
                    "leave a tail, expected a multiple of 5");
  CHECK_THROWS_AS(keep_n_of_m(weights, ticket{{{"t0", {5, 12}}}}, 2, 4), shape_error);
  values[3][5] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(keep_n_of_m(weights, 2, 4),
                    "weights of t3 (300 x 360): value 5 is NaN, expected a number");
}
