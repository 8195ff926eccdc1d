#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/prune/weights.hpp"

using namespace tombola;

// Selection over spans against a sort of everything, on a thousand random lists: the promise that
// streaming keeps.

namespace {

/// A random list of scores, cut into spans; most of its values are met more than once.
struct random_list {
  std::vector<float> values;
  std::vector<weight_span> spans;

  explicit random_list(std::uint64_t seed) {
    const random_stream r{seed, purpose::subset};
    const std::size_t n = 1 + r.below(700, 0), pieces = 1 + r.below(200, 1);
    const std::uint64_t levels = seed % 3 == 0 ? 1'000'000 : 1 + r.below(12, 2);
    values.resize(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = one_of(r, levels, 1000 + 3 * i);
    // Cuts anywhere, several at one place too: some spans are empty.
    std::vector<std::size_t> cuts{0, n};
    for (std::size_t c = 1; c < pieces; ++c) cuts.push_back(r.below(n + 1, 100'000 + c));
    std::sort(cuts.begin(), cuts.end());
    for (std::size_t c = 0; c + 1 < cuts.size(); ++c) {
      const std::size_t size = cuts[c + 1] - cuts[c];
      spans.push_back(
          {{"t" + std::to_string(c), {size}}, std::span{values}.subspan(cuts[c], size)});
    }
  }

  static float one_of(const random_stream& r, std::uint64_t levels, std::uint64_t i) {
    using limit = std::numeric_limits<float>;
    const float sign = r.below(2, i) == 0 ? 1.0F : -1.0F;
    const auto level = static_cast<float>(r.below(levels, i + 1));
    switch (r.below(8, i + 2)) {
      case 0:
        return sign * 0.0F;
      case 1:
        return sign * limit::infinity();
      case 2:
        return sign * limit::denorm_min() * (1.0F + level);
      case 3:
        return sign * limit::max();
      case 4:
        return sign * limit::min();
      default:
        return sign * 0.37F * level;
    }
  }
};

/// The places of a list, those that go first first: by rising value, and of equal ones the later.
template <class Value>
std::vector<std::size_t> order_of(std::size_t n, Value value) {
  std::vector<std::size_t> order(n);
  std::iota(order.rbegin(), order.rend(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return value(a) < value(b); });
  return order;
}

std::vector<bool> without(std::vector<bool> kept,
                          const std::vector<std::size_t>& order,
                          std::size_t k) {
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

TEST_CASE("a thousand random lists are selected from as by a stable sort, whatever the threads") {
  std::size_t ties_cut = 0, most_spans = 0, wrong = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const random_list list{seed};
    const std::vector<float>& v = list.values;
    const std::size_t n = v.size();
    most_spans = std::max(most_spans, list.spans.size());
    const std::size_t threads = 1 + seed % 8;
    const random_stream r{seed, purpose::control, 9};
    const ticket full = full_ticket(list.spans);
    const ticket current = seed % 2 == 0 ? full : remove_at_random(full, n / 3, r, threads);
    const std::size_t k = r.below(current.count() + 1, 0);
    const std::vector<bool> kept = flat(current);

    const auto magnitude = [&](std::size_t i) { return std::abs(v[i]); };
    const auto opposite = [&](std::size_t i) { return -std::abs(v[i]); };
    const auto score = [&](std::size_t i) { return v[i]; };
    const auto by_score = order_of(n, score);
    wrong += flat(remove_by_magnitude(list.spans, current, k, removal::smallest_first, threads)) !=
             without(kept, order_of(n, magnitude), k);
    wrong += flat(remove_by_magnitude(list.spans, current, k, removal::largest_first, threads)) !=
             without(kept, order_of(n, opposite), k);
    wrong += flat(remove_by_score(list.spans, current, k, threads)) != without(kept, by_score, k);
    if (wrong != 0) {
      FAIL("list " << seed << " of " << n << " scores in " << list.spans.size() << " spans, k " << k
                   << ", " << threads << " threads: not the set that a sort selects");
    }
    // Whether the cut goes through equal scores: the rule for ties is met often, not by chance.
    const std::vector<bool> left = without(kept, by_score, k);
    float highest_gone = -std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < n; ++i) {
      if (kept[i] && !left[i]) highest_gone = std::max(highest_gone, v[i]);
    }
    bool tie = false;
    for (std::size_t i = 0; i < n; ++i) tie = tie || (k > 0 && left[i] && v[i] == highest_gone);
    ties_cut += tie;
  }
  CHECK(ties_cut > 300);
  CHECK(most_spans == 200);
}

TEST_CASE("large lists over many spans give the same bits for 1 to 8 threads") {
  // 1.5 million scores, so that a sample brackets the cut, in 200 spans of unequal size.
  constexpr std::size_t n = 1'500'000;
  std::vector<float> values(n);
  const random_stream r{7, purpose::subset};
  for (std::size_t i = 0; i < n; ++i) values[i] = random_list::one_of(r, 1'000'000, 3 * i);
  std::vector<weight_span> spans;
  for (std::size_t g = 0; g < 200; ++g) {
    const std::size_t first = g * g * n / 40'000, end = (g + 1) * (g + 1) * n / 40'000;
    spans.push_back(
        {{"t" + std::to_string(g), {end - first}}, std::span{values}.subspan(first, end - first)});
  }
  const auto order = order_of(n, [&](std::size_t i) { return values[i]; });
  const ticket full = full_ticket(spans);
  for (const std::size_t k : {std::size_t{1000}, n / 2, n - n / 50}) {
    const std::vector<bool> expected = without(std::vector<bool>(n, true), order, k);
    for (std::size_t threads = 1; threads <= 8; ++threads) {
      INFO("k " << k << ", " << threads << " threads");
      const bool same = flat(remove_by_score(spans, full, k, threads)) == expected;
      REQUIRE(same);  // a million flags are nothing to print
    }
  }
}

TEST_CASE("scores order at both ends: infinities, denormals and zeros of both signs") {
  const float inf = std::numeric_limits<float>::infinity(),
              tiny = std::numeric_limits<float>::denorm_min();
  // Rising: -inf, -1, -tiny, 0 and -0 as equals, tiny, 1, inf.
  const std::vector<float> v{1, -0.0F, inf, -tiny, 0, -inf, tiny, -1};
  const std::vector<weight_span> spans{{{"s", {8}}, v}};
  const ticket full = full_ticket(spans);
  const std::vector<std::size_t> order{5, 7, 3, 4,
                                       1, 6, 0, 2};  // of the zeros the later goes first
  for (std::size_t k = 0; k <= 8; ++k) {
    CHECK(flat(remove_by_score(spans, full, k)) == without(std::vector<bool>(8, true), order, k));
  }
  CHECK_THROWS_WITH(remove_by_score(spans, full, 9),
                    "selection: asked to remove 9 units of 8 kept");
  CHECK_THROWS_AS(remove_by_score(spans, ticket{{{"other", {8}}}}, 1), shape_error);
}

TEST_CASE("NaN is refused by group and index wherever it stands") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    random_list list{seed};
    const random_stream r{seed, purpose::control, 9};
    const std::size_t at = r.below(list.values.size(), 0);
    list.values[at] = seed % 2 == 0 ? nan : -nan;
    // The span that holds it, and its place there.
    std::size_t g = 0, place = at;
    while (place >= list.spans[g].values.size()) place -= list.spans[g++].values.size();
    const std::string rest = " of t" + std::to_string(g) + " (" +
                             std::to_string(list.spans[g].values.size()) + "): value " +
                             std::to_string(place) + " is NaN, expected a number";
    const std::size_t threads = 1 + seed % 8;
    const ticket full = full_ticket(list.spans);
    CHECK_THROWS_WITH(remove_by_magnitude(list.spans, full, 0, removal::smallest_first, threads),
                      "weights" + rest);
    CHECK_THROWS_WITH(remove_by_score(list.spans, full, 0, threads), "scores" + rest);
  }
}
