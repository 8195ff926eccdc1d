#pragma once

#include <cmath>
#include <cstddef>

#include "tombola/algebra/detail/chi_square.hpp"
#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/survival.hpp"

namespace tombola {

// k masks as k raters of n units, each rated kept or pruned. All are functions of the survival
// counts: count once (count_survival), ask for as many numbers as wanted.

namespace detail {

/// Sum over units of r (k - r), r being the masks that keep the unit: over all pairs of masks, the
/// units on which they differ. 0 where all masks are identical. Exact below 2^53.
[[nodiscard]] inline double disagreements(const survival& s) {
  const double k = static_cast<double>(s.masks());
  double sum = 0.0;
  for (std::size_t r = 0; r < s.units_by_survival.size(); ++r) {
    const double kept = static_cast<double>(r);
    sum += static_cast<double>(s.units_by_survival[r]) * kept * (k - kept);
  }
  return sum;
}

/// Why no agreement beyond chance can be told, or reason::defined.
[[nodiscard]] inline reason agreement_reason(const survival& s) {
  if (s.masks() < 2) return reason::too_few_masks;
  if (s.units == 0) return reason::no_units;
  const std::size_t kept = s.kept();
  return kept == 0 || kept == s.masks() * s.units ? reason::masks_are_constant : reason::defined;
}

/// 1 - disagreement observed / disagreement expected, where the second of two ratings that chance
/// compares is one of `others`.
[[nodiscard]] inline estimate agreement_beyond_chance(const survival& s, double others) {
  if (const reason why = agreement_reason(s); why != reason::defined) return undefined(why);
  const double k = static_cast<double>(s.masks());
  const double kept = static_cast<double>(s.kept());
  const double pruned = k * static_cast<double>(s.units) - kept;
  return defined(1.0 - disagreements(s) / (k - 1.0) / kept * others / pruned);
}

}  // namespace detail

/// Fleiss' kappa: how often two masks agree on a unit, beyond what their common share gives.
///
/// In [-1 / (k - 1), 1]; 1 for identical masks. Random masks of the sizes at hand score
/// -v / ((k - 1) q (1 - q)) on the average, q being the mean share kept and v the variance of the
/// shares: 0 where the sizes are equal. On 0/1 tables it is Nogueira's stability.
/// Undefined: too_few_masks, no_units, masks_are_constant.
/// Source: J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological
/// Bulletin 76(5), 1971.
[[nodiscard]] inline estimate fleiss_kappa(const survival& s) {
  return detail::agreement_beyond_chance(
      s, static_cast<double>(s.masks()) * static_cast<double>(s.units));
}

/// Krippendorff's alpha for nominal ratings: Fleiss' kappa with the expected disagreement taken
/// without replacement, from k n - 1 other ratings instead of k n.
///
/// In [-1 / (k - 1), 1]; 1 for identical masks; 1 / (k n) by chance where the sizes are equal.
/// Undefined as Fleiss' kappa is.
/// Source: K. Krippendorff, "Computing Krippendorff's alpha-reliability", 2011.
[[nodiscard]] inline estimate krippendorff_alpha(const survival& s) {
  return detail::agreement_beyond_chance(
      s, static_cast<double>(s.masks()) * static_cast<double>(s.units) - 1.0);
}

/// Cochran's Q and its upper tail. All three are undefined together.
struct cochran {
  estimate q;               ///< statistic, 0 or more
  std::size_t degrees = 0;  ///< k - 1
  estimate p;               ///< P(chi square of that many degrees >= q), in [0, 1]
  estimate log_p;           ///< natural logarithm of p; a number also where p is 0 in double
};

/// Cochran's Q: whether k masks keep equally many units.
///
/// It tests equal sizes, not overlap: disjoint masks of one size score Q = 0 and p = 1. Chance
/// gives k - 1 on the average. Undefined: too_few_masks, no_units, masks_are_identical.
/// Source: W. G. Cochran, "The comparison of percentages in matched samples", Biometrika 37, 1950.
[[nodiscard]] inline cochran cochran_q(const survival& s) {
  cochran c;
  c.degrees = s.masks() == 0 ? 0 : s.masks() - 1;
  const double differing = detail::disagreements(s);
  const reason why = s.masks() < 2      ? reason::too_few_masks
                     : s.units == 0     ? reason::no_units
                     : differing == 0.0 ? reason::masks_are_identical
                                        : reason::defined;
  if (why != reason::defined) {
    c.q = c.p = c.log_p = undefined(why);
    return c;
  }
  // k sum of squares - square of the sum, as the sum over pairs of squared differences: at 85
  // million units the two sides of the subtraction would agree in all their digits.
  double spread = 0.0;
  for (std::size_t i = 0; i < s.sizes.size(); ++i) {
    for (std::size_t j = i + 1; j < s.sizes.size(); ++j) {
      const double d = static_cast<double>(s.sizes[i]) - static_cast<double>(s.sizes[j]);
      spread += d * d;
    }
  }
  const double q = static_cast<double>(c.degrees) * spread / differing;
  const double log_p = detail::log_chi_square_tail(q, c.degrees);
  c.q = defined(q);
  c.p = defined(std::exp(log_p));
  c.log_p = defined(log_p);
  return c;
}

/// The three at once, straight from masks or tickets.
/// Throw shape_error if their sizes or groups differ.
template <class R>
requires(unit_sets<R> || tickets<R>) [[nodiscard]] estimate fleiss_kappa(const R& several) {
  return fleiss_kappa(count_survival(several));
}
template <class R>
requires(unit_sets<R> || tickets<R>) [[nodiscard]] estimate krippendorff_alpha(const R& several) {
  return krippendorff_alpha(count_survival(several));
}
template <class R>
requires(unit_sets<R> || tickets<R>) [[nodiscard]] cochran cochran_q(const R& several) {
  return cochran_q(count_survival(several));
}

}  // namespace tombola
