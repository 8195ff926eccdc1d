#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "tombola/algebra/estimate.hpp"
#include "tombola/core/error.hpp"

namespace tombola {

// How two lists of scores over the same units agree, whatever masks they would give.
//
// All throw shape_error unless both have one score per unit, and input_error for a score that is
// NaN, which has no rank. Infinite scores have a rank; pearson() refuses them.

/// A list of scores: a vector, array or span of floats or doubles. Scores are compared in double.
template <class X>
concept score_list = requires(const X& x) {
  requires std::floating_point<std::remove_cvref_t<decltype(*std::begin(x))>>;
  { std::size(x) } -> std::convertible_to<std::size_t>;
};

namespace detail {

/// Scores as doubles. Throws input_error for a NaN.
template <score_list X>
[[nodiscard]] std::vector<double> scores_of(const X& x, const char* what) {
  std::vector<double> scores(std::begin(x), std::end(x));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isnan(scores[i])) {
      throw input_error(std::string{what} + ": score " + std::to_string(i) +
                        " is NaN, expected a number");
    }
  }
  return scores;
}

struct two_lists {
  std::vector<double> x, y;
};

/// Two lists of scores over the same units. Throws shape_error where their lengths differ.
template <score_list X, score_list Y>
[[nodiscard]] two_lists scores_of(const X& x, const Y& y, const char* what) {
  two_lists both{scores_of(x, what), scores_of(y, what)};
  if (both.x.size() != both.y.size()) {
    throw shape_error(std::string{what} + ": " + std::to_string(both.x.size()) + " and " +
                      std::to_string(both.y.size()) + " scores");
  }
  return both;
}

/// Units by falling score; of equal scores the lower unit comes first.
[[nodiscard]] inline std::vector<std::size_t> by_falling_score(std::span<const double> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return order;
}

/// Calls f(first, last) for every run of equal scores in an order by score, [first, last).
template <class F>
void for_ties(std::span<const double> scores, const std::vector<std::size_t>& order, F f) {
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first + 1;
    while (last < order.size() && scores[order[last]] == scores[order[first]]) ++last;
    f(first, last);
    first = last;
  }
}

/// Correlation of two variables; undefined where one does not vary. Sums of deviations from the
/// means, so that large means do not cancel.
[[nodiscard]] inline estimate correlation(std::span<const double> x, std::span<const double> y) {
  if (x.size() < 2) return undefined(reason::too_few_units);
  const double n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xx = 0.0, yy = 0.0, xy = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - mean_x, dy = y[i] - mean_y;
    xx += dx * dx, yy += dy * dy, xy += dx * dy;
  }
  if (xx == 0.0 || yy == 0.0) return undefined(reason::scores_are_constant);
  return defined(std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0));
}

/// Inversions of a sequence: pairs of which the first is larger. Sorts it. Cost: n log n.
[[nodiscard]] inline std::uint64_t inversions(std::span<double> y, std::vector<double>& scratch) {
  if (y.size() < 2) return 0;
  const std::size_t half = y.size() / 2;
  std::uint64_t count = inversions(y.first(half), scratch) + inversions(y.subspan(half), scratch);
  scratch.clear();
  std::size_t a = 0, b = half;
  while (a < half || b < y.size()) {
    if (b == y.size() || (a < half && y[a] <= y[b])) {
      scratch.push_back(y[a++]);
    } else {
      count += half - a;
      scratch.push_back(y[b++]);
    }
  }
  std::copy(scratch.begin(), scratch.end(), y.begin());
  return count;
}

}  // namespace detail

/// Ranks from 1, the lowest score first; equal scores share the mean of their ranks. [n]
/// Throws input_error for a score that is NaN. Cost: n log n.
template <score_list X>
[[nodiscard]] std::vector<double> average_ranks(const X& x) {
  const std::vector<double> scores = detail::scores_of(x, "average_ranks");
  const auto order = detail::by_falling_score(scores);
  std::vector<double> ranks(scores.size());
  detail::for_ties(scores, order, [&](std::size_t first, std::size_t last) {
    // Ranks n - last + 1 to n - first, from the lowest score.
    const double rank = static_cast<double>(scores.size()) -
                        (static_cast<double>(first) + static_cast<double>(last) - 1.0) / 2.0;
    for (std::size_t i = first; i < last; ++i) ranks[order[i]] = rank;
  });
  return ranks;
}

/// Pearson's correlation of two lists of scores. In [-1, 1]; independence gives 0.
///
/// Undefined: too_few_units (below two), scores_are_constant. Throws input_error for scores that
/// are not finite. Source: K. Pearson, Proceedings of the Royal Society 58, 1895.
template <score_list X, score_list Y>
[[nodiscard]] estimate pearson(const X& first, const Y& second) {
  const auto [x, y] = detail::scores_of(first, second, "pearson");
  for (const auto* scores : {&x, &y}) {
    for (const double s : *scores) {
      if (std::isinf(s)) throw input_error("pearson: a score is infinite, expected a number");
    }
  }
  return detail::correlation(x, y);
}

/// Spearman's rho: Pearson's correlation of the average ranks. In [-1, 1]. Undefined as that is.
/// Source: C. Spearman, American Journal of Psychology 15(1), 1904.
template <score_list X, score_list Y>
[[nodiscard]] estimate spearman(const X& first, const Y& second) {
  const auto [x, y] = detail::scores_of(first, second, "spearman");
  return detail::correlation(average_ranks(x), average_ranks(y));
}

/// Kendall's tau-b: pairs of units in the same order less those in the opposite one, over what ties
/// leave. In [-1, 1].
///
/// Undefined: too_few_units, scores_are_constant. Cost: n log n, by counting the inversions of a
/// merge sort. Source: M. G. Kendall, "The treatment of ties in ranking problems", Biometrika
/// 33(3), 1945; W. R. Knight, Journal of the American Statistical Association 61, 1966.
template <score_list X, score_list Y>
[[nodiscard]] estimate kendall_tau_b(const X& first, const Y& second) {
  const auto [x, y] = detail::scores_of(first, second, "kendall_tau_b");
  const std::size_t n = x.size();
  if (n < 2) return undefined(reason::too_few_units);
  // Ascending by x, and by y where x is tied: ties of x then make no inversion.
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&x = x, &y = y](std::size_t a, std::size_t b) {
    return x[a] < x[b] || (x[a] == x[b] && y[a] < y[b]);
  });
  const auto pairs = [](std::size_t m) {
    return static_cast<double>(m) * (static_cast<double>(m) - 1.0) / 2.0;
  };
  double tied_x = 0.0, tied_both = 0.0, tied_y = 0.0;
  detail::for_ties(x, order, [&](std::size_t a, std::size_t b) { tied_x += pairs(b - a); });
  for (std::size_t from = 0, to = 1; from < n; from = to++) {
    while (to < n && x[order[to]] == x[order[from]] && y[order[to]] == y[order[from]]) ++to;
    tied_both += pairs(to - from);
  }
  std::vector<double> ys(n), scratch;
  for (std::size_t i = 0; i < n; ++i) ys[i] = y[order[i]];
  scratch.reserve(n);
  const double discordant = static_cast<double>(detail::inversions(ys, scratch));
  for (std::size_t from = 0, to = 1; from < n; from = to++) {
    while (to < n && ys[to] == ys[from]) ++to;
    tied_y += pairs(to - from);
  }
  const double all = pairs(n);
  if (tied_x == all || tied_y == all) return undefined(reason::scores_are_constant);
  const double concordant = all - tied_x - tied_y + tied_both - discordant;
  return defined(std::clamp(
      (concordant - discordant) / (std::sqrt(all - tied_x) * std::sqrt(all - tied_y)), -1.0, 1.0));
}

/// Units that are among the k best of both lists; of equal scores the lower unit counts as better.
/// k above the number of units takes them all. What chance gives: expected_both of
/// overlap_of_sizes(n, k, k, this).
template <score_list X, score_list Y>
[[nodiscard]] std::size_t top_overlap(const X& first, const Y& second, std::size_t k) {
  const auto [x, y] = detail::scores_of(first, second, "top_overlap");
  const auto a = detail::by_falling_score(x), b = detail::by_falling_score(y);
  const std::size_t most = std::min(k, x.size());
  std::vector<bool> best(x.size());
  for (std::size_t i = 0; i < most; ++i) best[a[i]] = true;
  std::size_t both = 0;
  for (std::size_t i = 0; i < most; ++i) both += best[b[i]] ? 1U : 0U;
  return both;
}

}  // namespace tombola
