#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "tombola/algebra/detail/log_factorial.hpp"
#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/overlap.hpp"

namespace tombola {

// What chance gives for two masks of these sizes.
//
// Chance: each mask keeps as many units as it does, but which ones is drawn at random, all choices
// alike. What both keep then follows the hypergeometric law of (n, first, second); that is Fisher's
// exact test of a 2 x 2 table. Every function takes the four counts of the observed pair; those
// about the law alone use only their margins. For n up to 2^40; nothing here throws.

/// Units that both masks keep by chance, on the average: first * second / n. 0 without units.
[[nodiscard]] inline double expected_both(const overlap& o) {
  if (o.size() == 0) return 0.0;
  return static_cast<double>(o.first()) * static_cast<double>(o.second()) /
         static_cast<double>(o.size());
}

/// Variance of the units that both masks keep by chance. 0 for less than two units.
[[nodiscard]] inline double variance_of_both(const overlap& o) {
  if (o.size() < 2) return 0.0;
  const double n = static_cast<double>(o.size());
  const double a = static_cast<double>(o.first()), b = static_cast<double>(o.second());
  return a / n * b * ((n - a) / n) * ((n - b) / (n - 1.0));
}

/// By how many of chance's standard deviations the units that both keep exceed their mean.
///
/// Undefined (chance_has_one_answer) where a mask keeps all or none.
[[nodiscard]] inline estimate z_of_both(const overlap& o) {
  const double variance = variance_of_both(o);
  if (variance == 0.0) return undefined(reason::chance_has_one_answer);
  // both - first * second / n, without cancellation: the determinant over n.
  return defined(detail::determinant(o) / static_cast<double>(o.size()) / std::sqrt(variance));
}

namespace detail {

/// log P(exactly o.both) under the hypergeometric law of o's margins. Not above 0.
///
/// The large terms n log n of the nine factorials are taken together as the deviances of the four
/// counts from what is expected of them. Relative error about 1e-14 at n = 10^8.
[[nodiscard]] inline double log_hypergeometric(const overlap& o) {
  const double n = static_cast<double>(o.size());
  if (o.size() == 0) return 0.0;
  const double a = static_cast<double>(o.first()), b = static_cast<double>(o.second());
  const double excess = determinant(o) / n;  // of both and neither; the other two lack it
  const auto part = [n, excess](std::size_t count, double row, double column, double sign) {
    const double x = static_cast<double>(count);
    return deviance(x, row * column / n, sign * excess) + log_factorial_rest(x);
  };
  const double cells = part(o.both, a, b, 1.0) + part(o.first_only, a, n - b, -1.0) +
                       part(o.second_only, n - a, b, -1.0) + part(o.neither, n - a, n - b, 1.0);
  const double margins = log_factorial_rest(a) + log_factorial_rest(n - a) + log_factorial_rest(b) +
                         log_factorial_rest(n - b) - log_factorial_rest(n);
  return std::min(margins - cells, 0.0);
}

/// P(one more in both) / P(this many), and P(one less) / P(this many). 0 where impossible.
[[nodiscard]] inline double odds_of_one_more(const overlap& o) {
  return static_cast<double>(o.first_only) * static_cast<double>(o.second_only) /
         ((static_cast<double>(o.both) + 1.0) * (static_cast<double>(o.neither) + 1.0));
}
[[nodiscard]] inline double odds_of_one_less(const overlap& o) {
  return static_cast<double>(o.both) * static_cast<double>(o.neither) /
         ((static_cast<double>(o.first_only) + 1.0) * (static_cast<double>(o.second_only) + 1.0));
}
[[nodiscard]] constexpr overlap one_more(const overlap& o) noexcept {
  return {o.both + 1, o.first_only - 1, o.second_only - 1, o.neither + 1};
}
[[nodiscard]] constexpr overlap one_less(const overlap& o) noexcept {
  return {o.both - 1, o.first_only + 1, o.second_only + 1, o.neither - 1};
}

/// log of the probability of o and all beyond it, where `odds` lead away from the mean.
///
/// The terms fall at least geometrically once the odds are below 1, which bounds what is left out.
/// Cost: about nine standard deviations of terms, at most.
template <class Odds, class Step>
[[nodiscard]] double log_tail(overlap o, Odds odds, Step step) {
  const double start = log_hypergeometric(o);
  double sum = 1.0, term = 1.0;
  for (double r = odds(o); r > 0.0; r = odds(o)) {
    if (r < 1.0 && term * r < sum * (1.0 - r) * 1e-17) break;
    term *= r;
    sum += term;
    o = step(o);
  }
  return std::min(start + std::log(sum), 0.0);
}

[[nodiscard]] inline double log_upper_tail(const overlap& o) {
  return log_tail(o, odds_of_one_more, one_more);
}
[[nodiscard]] inline double log_lower_tail(const overlap& o) {
  return log_tail(o, odds_of_one_less, one_less);
}

/// log(1 - exp(x)) for x <= 0.
[[nodiscard]] inline double log_complement(double x) {
  return std::min(std::log1p(-std::exp(x)), 0.0);
}

}  // namespace detail

/// log of the probability that chance gives at least this overlap: whether the masks agree.
///
/// Natural logarithm, in (-inf, 0], exact: summed term by term, the shorter side of the mean.
/// Stays a number far below the smallest double (85 million units: down to -58,872,208).
/// Source: R. A. Fisher, "On the interpretation of chi-square from contingency tables", JRSS 85(1),
/// 1922 (the one-sided exact test).
[[nodiscard]] inline double log_p_at_least(const overlap& o) {
  if (o.both == 0 || o.neither == 0) return 0.0;  // no smaller overlap exists
  return detail::determinant(o) >= 0.0
             ? detail::log_upper_tail(o)
             : detail::log_complement(detail::log_lower_tail(detail::one_less(o)));
}

/// log of the probability that chance gives at most this overlap: whether the masks avoid each
/// other.
[[nodiscard]] inline double log_p_at_most(const overlap& o) {
  if (o.first_only == 0 || o.second_only == 0) return 0.0;  // no larger overlap exists
  return detail::determinant(o) <= 0.0
             ? detail::log_lower_tail(o)
             : detail::log_complement(detail::log_upper_tail(detail::one_more(o)));
}

/// The same as probabilities in [0, 1]; below 1e-308 they become 0, their logarithms do not.
[[nodiscard]] inline double p_at_least(const overlap& o) {
  return std::exp(log_p_at_least(o));
}
[[nodiscard]] inline double p_at_most(const overlap& o) {
  return std::exp(log_p_at_most(o));
}

/// The mean of any measure of overlap for random masks of these sizes: expected(o, jaccard).
///
/// Exact up to rounding: summed over the law, outwards from its mode, until what is left is below
/// 1e-17 of the weight. Undefined where the measure is for such masks, with the same reason.
/// Precondition: whether the measure is defined depends on sizes alone, and its values lie in
/// [-1, 1]. Cost: about 18 standard deviations of terms (41,000 for two halves of 85 million).
template <class Measure>
[[nodiscard]] estimate expected(const overlap& o, Measure measure) {
  if (const estimate e = measure(o); !e.defined()) return e;
  const std::size_t n = o.size(), a = o.first(), b = o.second();
  const std::size_t highest = std::min(a, b), lowest = a > n - b ? a - (n - b) : 0;
  const auto mean = static_cast<std::size_t>(expected_both(o));
  const overlap middle = overlap_of_sizes(n, a, b, std::clamp(mean, lowest, highest));

  double weights = 1.0, sum = measure(middle).value;
  const auto add_side = [&](auto odds, auto step) {
    overlap at = middle;
    double weight = 1.0;
    for (double r = odds(at); r > 0.0; r = odds(at)) {
      if (r < 1.0 && weight * r < weights * (1.0 - r) * 1e-17) break;
      at = step(at);
      weight *= r;
      weights += weight;
      sum += weight * measure(at).value;
    }
  };
  add_side(detail::odds_of_one_more, detail::one_more);
  add_side(detail::odds_of_one_less, detail::one_less);
  return defined(sum / weights);
}

/// Mean Jaccard index of random masks of these sizes. Undefined (nothing_kept) if both are empty.
[[nodiscard]] inline estimate expected_jaccard(const overlap& o) {
  return expected(o, jaccard);
}

/// (observed - expected) / (1 - expected): 0 is what chance gives, 1 is identity.
///
/// Undefined where either is, and (chance_has_one_answer) where chance expects 1 already.
/// Source: L. Hubert, P. Arabie, "Comparing partitions", Journal of Classification 2, 1985.
[[nodiscard]] inline estimate corrected_for_chance(const estimate& observed,
                                                   const estimate& chance) {
  if (!observed.defined()) return observed;
  if (!chance.defined()) return chance;
  return detail::ratio(observed.value - chance.value, 1.0 - chance.value,
                       reason::chance_has_one_answer);
}

/// Jaccard index beyond chance, in units of what chance leaves.
[[nodiscard]] inline estimate chance_corrected_jaccard(const overlap& o) {
  return corrected_for_chance(jaccard(o), expected_jaccard(o));
}

}  // namespace tombola
