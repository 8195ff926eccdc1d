#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "tombola/algebra/detail/chi_square.hpp"
#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/survival.hpp"

namespace tombola {

/// What agreement of k masks on n units depends on, k masks being k raters who rate each unit kept
/// or pruned. Comes from survival counts or from the overlaps of all pairs; count once, ask for as
/// many numbers as wanted.
struct agreement_counts {
  std::size_t units = 0;           ///< n
  std::vector<std::size_t> sizes;  ///< [k] units that each mask keeps
  double disagreements = 0.0;      ///< over all pairs of masks, units on which they differ; exact
                                   ///< below 2^53

  [[nodiscard]] std::size_t masks() const noexcept { return sizes.size(); }
  /// Kept units of all masks together.
  [[nodiscard]] std::size_t kept() const noexcept {
    std::size_t sum = 0;
    for (const std::size_t s : sizes) sum += s;
    return sum;
  }
};

/// From survival counts: a unit that r of k masks keep sets r (k - r) pairs apart.
[[nodiscard]] inline agreement_counts agreement_counts_of(const survival& s) {
  agreement_counts c{s.units, s.sizes, 0.0};
  const double k = static_cast<double>(s.masks());
  for (std::size_t r = 0; r < s.units_by_survival.size(); ++r) {
    const double kept = static_cast<double>(r);
    c.disagreements += static_cast<double>(s.units_by_survival[r]) * kept * (k - kept);
  }
  return c;
}

/// From the overlaps of all pairs in the order that count_overlaps() gives. No pair means less than
/// two masks, of which nothing is known.
[[nodiscard]] inline agreement_counts agreement_counts_of(std::span<const pair_overlap> pairs) {
  agreement_counts c;
  if (pairs.empty()) return c;
  c.units = pairs[0].counts.size();
  c.sizes.assign(pairs.back().second + 1, 0);
  for (const pair_overlap& p : pairs) {
    c.sizes[p.first] = p.counts.first();
    c.sizes[p.second] = p.counts.second();
    c.disagreements += static_cast<double>(hamming(p.counts));
  }
  return c;
}

namespace detail {

/// Why no agreement beyond chance can be told, or reason::defined.
[[nodiscard]] inline reason agreement_reason(const agreement_counts& c) {
  if (c.masks() < 2) return reason::too_few_masks;
  if (c.units == 0) return reason::no_units;
  const std::size_t kept = c.kept();
  return kept == 0 || kept == c.masks() * c.units ? reason::masks_are_constant : reason::defined;
}

/// 1 - disagreement observed / disagreement expected, where the second of two ratings that chance
/// compares is one of `others`.
[[nodiscard]] inline estimate agreement_beyond_chance(const agreement_counts& c, double others) {
  if (const reason why = agreement_reason(c); why != reason::defined) return undefined(why);
  const double k = static_cast<double>(c.masks());
  const double kept = static_cast<double>(c.kept());
  const double pruned = k * static_cast<double>(c.units) - kept;
  return defined(1.0 - c.disagreements / (k - 1.0) / kept * others / pruned);
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
[[nodiscard]] inline estimate fleiss_kappa(const agreement_counts& c) {
  return detail::agreement_beyond_chance(
      c, static_cast<double>(c.masks()) * static_cast<double>(c.units));
}

/// Fleiss' kappa where chance acts within strata: the layers or matrices of the masks keep their
/// shares, and only agreement beyond that counts. 1 - (disagreements, summed over the strata) /
/// (those that each stratum's own common share gives, summed). Of one stratum it is fleiss_kappa.
///
/// Masks that prune the same layers hardest agree beyond chance over all units together; within
/// strata they score 0 on the average where that is all they have in common. In
/// [-1 / (k - 1), 1]. Undefined: too_few_masks, no_units, masks_are_constant in every stratum.
/// strata: of the same masks, as agreement_counts_of gives them for each.
[[nodiscard]] inline estimate fleiss_kappa_within(std::span<const agreement_counts> strata) {
  double found = 0.0, chance = 0.0;
  reason why = reason::no_units;
  for (const agreement_counts& c : strata) {
    const reason undefined_here = detail::agreement_reason(c);
    if (undefined_here == reason::no_units) continue;
    if (undefined_here != reason::defined) {  // all agree, as chance has it, or there is one mask
      why = undefined_here;
      continue;
    }
    const double k = static_cast<double>(c.masks()), n = static_cast<double>(c.units);
    const double kept = static_cast<double>(c.kept());
    found += c.disagreements;
    chance += (k - 1.0) * (kept / k) * ((k * n - kept) / n);
  }
  return chance > 0.0 ? defined(1.0 - found / chance) : undefined(why);
}

/// Krippendorff's alpha for nominal ratings: Fleiss' kappa with the expected disagreement taken
/// without replacement, from k n - 1 other ratings instead of k n.
///
/// In [-1 / (k - 1), 1]; 1 for identical masks; 1 / (k n) by chance where the sizes are equal.
/// Undefined as Fleiss' kappa is.
/// Source: K. Krippendorff, "Computing Krippendorff's alpha-reliability", 2011.
[[nodiscard]] inline estimate krippendorff_alpha(const agreement_counts& c) {
  return detail::agreement_beyond_chance(
      c, static_cast<double>(c.masks()) * static_cast<double>(c.units) - 1.0);
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
[[nodiscard]] inline cochran cochran_q(const agreement_counts& s) {
  cochran c;
  c.degrees = s.masks() == 0 ? 0 : s.masks() - 1;
  const reason why = s.masks() < 2            ? reason::too_few_masks
                     : s.units == 0           ? reason::no_units
                     : s.disagreements == 0.0 ? reason::masks_are_identical
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
  const double q = static_cast<double>(c.degrees) * spread / s.disagreements;
  const double log_p = detail::log_chi_square_tail(q, c.degrees);
  c.q = defined(q);
  c.p = defined(std::exp(log_p));
  c.log_p = defined(log_p);
  return c;
}

/// The same from survival counts.
[[nodiscard]] inline estimate fleiss_kappa(const survival& s) {
  return fleiss_kappa(agreement_counts_of(s));
}
[[nodiscard]] inline estimate krippendorff_alpha(const survival& s) {
  return krippendorff_alpha(agreement_counts_of(s));
}
[[nodiscard]] inline cochran cochran_q(const survival& s) {
  return cochran_q(agreement_counts_of(s));
}

/// The same straight from masks or tickets. Throw shape_error if their sizes or groups differ.
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
