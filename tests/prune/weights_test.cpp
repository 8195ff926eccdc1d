#include "tombola/prune/weights.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/support/catch.hpp"

using namespace tombola;

namespace {

using tensors = std::vector<std::vector<float>>;

std::vector<weight_span> spans(const tensors& all) {
  std::vector<weight_span> s;
  for (std::size_t g = 0; g < all.size(); ++g) {
    s.push_back({{"t" + std::to_string(g), {all[g].size()}}, all[g]});
  }
  return s;
}

/// Sizes around words and tiles of the selection; `levels` distinct magnitudes, 0 for a continuum.
tensors drawn(std::uint64_t seed, std::uint64_t levels, std::vector<std::size_t> sizes) {
  const random_stream r{seed, purpose::subset};
  tensors all;
  std::uint64_t i = 0;
  for (const std::size_t n : sizes) {
    std::vector<float> t(n);
    for (float& w : t) {
      w = levels == 0 ? static_cast<float>(r.normal(i))
                      : (static_cast<float>(r.below(2 * levels, i)) - static_cast<float>(levels)) *
                            (r.below(5, i) == 0 ? 1e-41F : 0.1F);
      ++i;
    }
    all.push_back(std::move(t));
  }
  return all;
}

/// Concatenation and a stable sort: everything the library does not do.
std::vector<bool> by_sorting(const tensors& all, std::vector<bool> kept, std::size_t k, removal r) {
  std::vector<float> flat;
  for (const auto& t : all) flat.insert(flat.end(), t.begin(), t.end());
  std::vector<std::size_t> order(flat.size());
  std::iota(order.rbegin(), order.rend(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const float x = std::abs(flat[a]), y = std::abs(flat[b]);
    return r == removal::smallest_first ? x < y : x > y;
  });
  for (const std::size_t i : order) {
    if (k > 0 && kept[i]) kept[i] = false, --k;
  }
  return kept;
}

std::vector<bool> flat(const ticket& t) {
  std::vector<bool> bits;
  for (const mask& m : t.masks()) {
    for (std::size_t i = 0; i < m.size(); ++i) bits.push_back(m[i]);
  }
  return bits;
}

}  // namespace

TEST_CASE("magnitude selection is that of a stable sort, ties and denormals included") {
  for (const std::uint64_t levels : {0U, 1U, 3U, 40U}) {
    const tensors all = drawn(levels, levels, {1, 63, 64, 0, 65, 300, 128});
    const auto weights = spans(all);
    const std::size_t n = full_ticket(weights).size();
    for (const removal r : {removal::smallest_first, removal::largest_first}) {
      for (std::size_t k = 0; k <= n; k += k < 3 || k + 3 >= n ? 1 : 29) {
        REQUIRE(flat(remove_by_magnitude(weights, k, r)) ==
                by_sorting(all, std::vector<bool>(n, true), k, r));
      }
      REQUIRE(remove_by_magnitude(weights, n, r).count() == 0);
    }
  }
}

TEST_CASE("only surviving weights are ranked") {
  for (const std::uint64_t levels : {0U, 2U}) {
    const tensors all = drawn(levels + 10, levels, {100, 3, 200});
    const auto weights = spans(all);
    const ticket half =
        remove_at_random(full_ticket(weights), 150, random_stream{1, purpose::control});
    for (const std::size_t k : {0U, 1U, 70U, 152U, 153U}) {
      CHECK(flat(remove_by_magnitude(weights, half, k)) ==
            by_sorting(all, flat(half), k, removal::smallest_first));
    }
    CHECK_THROWS_WITH(remove_by_magnitude(weights, half, 154),
                      "selection: asked to remove 154 units of 153 kept");
  }
}

TEST_CASE("several tiles and threads give the bits of one") {
  const tensors all = drawn(5, 50, {70000, 7, 140000});
  const auto weights = spans(all);
  const ticket full = full_ticket(weights);
  const std::size_t k = 100003;
  const random_stream r{3, purpose::control};
  const auto first = removal::smallest_first;
  const ticket one = remove_by_magnitude(weights, k, first, 1);
  const ticket random_one = remove_at_random(full, k, r, 1);
  for (const std::size_t threads : {0U, 2U, 3U, 8U}) {
    CHECK(remove_by_magnitude(weights, k, first, threads) == one);
    CHECK(remove_at_random(full, k, r, threads) == random_one);
  }
  CHECK(flat(one) ==
        by_sorting(all, std::vector<bool>(full.size(), true), k, removal::smallest_first));
  CHECK(random_one.count() == full.size() - k);
}

TEST_CASE("zeros of both signs are equal, infinity is the largest") {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> w{-0.0F, 0.0F, -inf, 1.0F, std::numeric_limits<float>::denorm_min()};
  const std::vector<weight_span> weights{{{"w", {5}}, w}};
  CHECK(flat(remove_by_magnitude(weights, 1)) == std::vector<bool>{1, 0, 1, 1, 1});
  CHECK(flat(remove_by_magnitude(weights, 4)) == std::vector<bool>{0, 0, 1, 0, 0});
  CHECK(flat(remove_by_magnitude(weights, 3, removal::largest_first)) ==
        std::vector<bool>{1, 1, 0, 0, 0});
}

TEST_CASE("NaN among weights is refused by group and index, pruned or not") {
  std::vector<float> a(70, 1.0F), b(70, 1.0F);
  b[66] = -std::numeric_limits<float>::quiet_NaN();
  const std::vector<weight_span> weights{{{"a", {70}}, a}, {{"b", {7, 10}}, b}};
  CHECK_THROWS_WITH(remove_by_magnitude(weights, 3),
                    "weights of b (7 x 10): value 66 is NaN, expected a number");
  ticket without = full_ticket(weights);
  without.set(1, 66, false);
  CHECK_THROWS_AS(remove_by_magnitude(weights, without, 3), input_error);
}

TEST_CASE("weights, groups and ticket have to fit") {
  const std::vector<float> w(6, 1.0F);
  const std::vector<weight_span> weights{{{"w", {6}}, w}};
  CHECK_THROWS_WITH(full_ticket(std::vector<weight_span>{{{"w", {2, 4}}, w}}),
                    "weights of w (2 x 4): 6 values, expected 8");
  CHECK_THROWS_AS(remove_by_magnitude(weights, ticket{{{"v", {6}}}}, 1), shape_error);
  CHECK_THROWS_AS(full_ticket(std::vector<weight_span>{{{"w", {6}}, w}, {{"w", {6}}, w}}),
                  input_error);
}

TEST_CASE("random selection removes the units of the lowest keys of its stream") {
  const random_stream r{42, purpose::control, 9};
  const ticket full{{{"a", {65}}, {"b", {2}}, {"c", {40}}}};
  std::vector<std::size_t> order(107);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return r.bits(a) < r.bits(b); });
  for (std::size_t k = 0; k <= 107; ++k) {
    std::vector<bool> expected(107, true);
    for (std::size_t i = 0; i < k; ++i) expected[order[i]] = false;
    REQUIRE(flat(remove_at_random(full, k, r)) == expected);
  }
}

TEST_CASE("keys that share their upper digits are told apart by the lower ones") {
  std::vector<mask> masks{mask::all_kept(6)};
  const std::vector<std::uint64_t> keys{~std::uint64_t{0},     0xFFFF'FFFF'FFFF'0000,
                                        0xFFFF'FFFF'0000'FFFF, ~std::uint64_t{0},
                                        0xFFFF'0000'FFFF'FFFF, ~std::uint64_t{0}};
  const auto key = [&](std::size_t) { return [&](std::size_t u) { return keys[u]; }; };
  const std::vector<std::vector<bool>> kept{{1, 1, 1, 1, 0, 1}, {1, 1, 0, 1, 0, 1},
                                            {1, 0, 0, 1, 0, 1}, {1, 0, 0, 1, 0, 0},
                                            {1, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}};
  for (std::size_t k = 1; k <= 6; ++k) {
    masks = {mask::all_kept(6)};
    remove_lowest_keys(std::span{masks}, k, 64, key);
    CHECK(masks[0] == mask::from_values(kept[k - 1]));
  }
}

TEST_CASE("large selections, bracketed by a sample, equal a stable sort") {
  // 1.2 million weights in three spans: smooth ones, few values with many ties, and mostly zeros.
  constexpr std::size_t n = 400'000;
  const random_stream r{3, purpose::subset};
  for (const int kind : {0, 1, 2}) {
    std::vector<std::vector<float>> values(3, std::vector<float>(n));
    for (std::size_t g = 0; g < 3; ++g) {
      for (std::size_t i = 0; i < n; ++i) {
        const double u = r.uniform(g * n + i);
        values[g][i] = kind == 0   ? static_cast<float>(u - 0.5)
                       : kind == 1 ? std::floor(static_cast<float>(u * 100)) - 50.0F
                                   : (u < 0.9 ? 0.0F : static_cast<float>(u));
      }
    }
    std::vector<weight_span> weights;
    for (std::size_t g = 0; g < 3; ++g) weights.push_back({{std::to_string(g), {n}}, values[g]});
    std::vector<std::size_t> order(3 * n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto magnitude = [&](std::size_t i) { return std::abs(values[i / n][i % n]); };
    // Of equal magnitudes the higher index goes first.
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return magnitude(a) < magnitude(b) || (magnitude(a) == magnitude(b) && a > b);
    });
    for (const std::size_t k : {std::size_t{1}, std::size_t{77}, 3 * n / 10, n, 3 * n - 1, 3 * n}) {
      std::vector<bool> expected(3 * n, true);
      for (std::size_t i = 0; i < k; ++i) expected[order[i]] = false;
      INFO("kind " << kind << ", k " << k);
      const bool same = flat(remove_by_magnitude(weights, k)) == expected;
      REQUIRE(same);  // a million flags are nothing to print
    }
    // And from a ticket that has lost units already.
    const ticket half = remove_by_magnitude(weights, n / 20);
    const bool same = flat(remove_by_magnitude(weights, half, n / 20)) ==
                      flat(remove_by_magnitude(weights, n / 10));
    REQUIRE(same);
  }
}

TEST_CASE("a sample's bracket that misses is noticed") {
  std::vector<float> values(1000);
  std::iota(values.begin(), values.end(), 0.0F);
  const std::vector<mask> masks{mask::all_kept(1000)};
  const auto tiles = detail::cut_into_tiles(masks);
  const auto keys = [&](std::size_t) {
    return [&](std::size_t u) { return static_cast<std::uint32_t>(values[u]); };
  };
  using range = detail::key_range<std::uint32_t>;
  const auto cut = detail::find_cut_in(masks, tiles, 500, range{400, 600}, 300, keys, 2);
  REQUIRE(cut);
  CHECK(cut->bound == 499);
  CHECK(cut->of_bound == 1);
  CHECK(cut->at_bound == 1);
  CHECK_FALSE(detail::find_cut_in(masks, tiles, 300, range{400, 600}, 300, keys, 2));  // below
  CHECK_FALSE(detail::find_cut_in(masks, tiles, 700, range{400, 600}, 300, keys, 2));  // above
  CHECK_FALSE(detail::find_cut_in(masks, tiles, 500, range{0, 999}, 300, keys, 2));    // too many
  // One place beyond either end: the 400th key is 399, the 602nd 601.
  CHECK_FALSE(detail::find_cut_in(masks, tiles, 400, range{400, 600}, 300, keys, 2));
  CHECK_FALSE(detail::find_cut_in(masks, tiles, 602, range{400, 600}, 300, keys, 2));
  CHECK(detail::find_cut_in(masks, tiles, 401, range{400, 600}, 300, keys, 2)->bound == 400);
  CHECK(detail::find_cut_in(masks, tiles, 601, range{400, 600}, 300, keys, 2)->bound == 600);
}
