#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/unit_sets.hpp"

namespace tombola {

// Stability of feature selection: how little a selection of units depends on what was drawn, such
// as the seed. Both are 0 by chance and 1 for identical masks.

/// Kuncheva's index of two masks of one size s on n units: (both n - s^2) / (s (n - s)).
///
/// In [-1, 1]; equal to phi() and cohen_kappa() where it is defined. Undefined: no_units,
/// sizes_differ, a_mask_is_constant (s is 0 or n). Over k masks: mean_over_pairs(pairs, kuncheva).
/// Source: L. I. Kuncheva, "A stability index for feature selection", AIA 2007.
[[nodiscard]] inline estimate kuncheva(const overlap& o) {
  if (o.size() == 0) return undefined(reason::no_units);
  if (o.first() != o.second()) return undefined(reason::sizes_differ);
  const double s = static_cast<double>(o.first());
  return detail::ratio(detail::determinant(o), s * (static_cast<double>(o.size()) - s),
                       reason::a_mask_is_constant);
}

/// Nogueira's stability of k masks with its sampling error, which is undefined where the stability
/// is, and of two masks.
struct stability {
  estimate value;     ///< in [-1 / (k - 1), 1]: Fleiss' kappa of the 0/1 table
  estimate variance;  ///< of the estimate, were the masks drawn again; 0 or more

  /// Ends of the interval of so many standard errors; 1.96 of them: 95 % in large samples.
  [[nodiscard]] estimate lower(double errors = 1.959963984540054) const { return at(-errors); }
  [[nodiscard]] estimate upper(double errors = 1.959963984540054) const { return at(errors); }

private:
  [[nodiscard]] estimate at(double errors) const {
    return variance.defined() ? defined(value.value + errors * std::sqrt(variance.value))
                              : variance;
  }
};

/// Nogueira's stability from the overlaps of all pairs, in the order that count_overlaps() gives.
///
/// The masks need not have one size. Undefined: too_few_masks, no_units, masks_are_constant. With
/// few masks the interval is too narrow: of eight masks' 95 % intervals four in five hold the
/// truth. Of two masks of one size it would always be a single point, as both bear on the estimate
/// alike: below three masks there is no variance (too_few_masks).
/// Source: S. Nogueira, K. Sechidis, G. Brown, "On the stability of feature selection algorithms",
/// JMLR 18(174), 2018: definition 4, theorem 7 and corollary 9.
[[nodiscard]] inline stability nogueira(std::span<const pair_overlap> pairs) {
  const auto none = [](reason why) { return stability{undefined(why), undefined(why)}; };
  if (pairs.empty()) return none(reason::too_few_masks);
  const double n = static_cast<double>(pairs[0].counts.size());
  if (n == 0.0) return none(reason::no_units);
  const std::size_t k = pairs.back().second + 1;
  const double masks = static_cast<double>(k);

  // Of each mask: its size, and the sum over its units of the masks that keep them.
  std::vector<double> sizes(k, 0.0), kept_by(k, 0.0);
  double differing = 0.0;
  for (const pair_overlap& p : pairs) {
    sizes[p.first] = static_cast<double>(p.counts.first());
    sizes[p.second] = static_cast<double>(p.counts.second());
    kept_by[p.first] += static_cast<double>(p.counts.both);
    kept_by[p.second] += static_cast<double>(p.counts.both);
    differing += static_cast<double>(hamming(p.counts));
  }
  double kept = 0.0;
  for (std::size_t i = 0; i < k; ++i) kept += sizes[i], kept_by[i] += sizes[i];
  const double share = kept / masks / n;
  const double chance = share * (1.0 - share);  // variance of a unit at random
  if (kept == 0.0 || kept == masks * n) return none(reason::masks_are_constant);
  const double value = 1.0 - 2.0 * differing / (masks * (masks - 1.0) * n) / (2.0 * chance);
  if (k < 3) return {defined(value), undefined(reason::too_few_masks)};

  // Corollary 9: the influence of each mask on the estimate.
  std::vector<double> influence(k);
  double mean = 0.0;
  for (std::size_t i = 0; i < k; ++i) {
    const double own = sizes[i] / n;
    influence[i] = (kept_by[i] / masks / n - own * share +
                    value / 2.0 * (2.0 * own * share - own - share + 1.0)) /
                   chance;
    mean += influence[i] / masks;
  }
  double variance = 0.0;
  for (const double x : influence) variance += (x - mean) * (x - mean);
  return {defined(value), defined(4.0 / (masks * masks) * variance)};
}

/// The same straight from masks. Throws shape_error if their sizes differ.
template <unit_sets R>
[[nodiscard]] stability nogueira(const R& masks, std::size_t threads = 1) {
  return nogueira(std::span<const pair_overlap>{count_overlaps(masks, threads)});
}

/// Whether two sets of masks differ in stability: the two-sided p of the difference over its error.
///
/// In [0, 1]. Undefined where either is or has no variance, and masks_are_identical where neither
/// has any error.
/// Source: the same, theorem 10.
[[nodiscard]] inline estimate p_of_difference(const stability& a, const stability& b) {
  if (!a.value.defined()) return a.value;
  if (!b.value.defined()) return b.value;
  if (!a.variance.defined()) return a.variance;
  if (!b.variance.defined()) return b.variance;
  const double error = std::sqrt(a.variance.value + b.variance.value);
  if (error == 0.0) return undefined(reason::masks_are_identical);
  return defined(std::erfc(std::abs(a.value.value - b.value.value) / error / std::sqrt(2.0)));
}

}  // namespace tombola
