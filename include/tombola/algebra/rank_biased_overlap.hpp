#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tombola/algebra/rankings.hpp"
#include "tombola/core/error.hpp"

namespace tombola {

/// A ranking, best first: items that are tied stand in one entry. No item stands twice.
using ranking = std::vector<std::vector<std::size_t>>;

/// What rank-biased overlap says of two rankings of which only prefixes are seen.
struct rank_biased {
  double least = 0.0;         ///< if all that is not seen disagrees
  double residual = 0.0;      ///< what the unseen rest may add to it
  double extrapolated = 0.0;  ///< if the rest agrees as what was seen does: the number to report
};

/// The study's own form, whose numbers for lists of different lengths are inconsistent.
struct rank_biased_study {
  double at_depth = 0.0;  ///< the sum cut off at the shorter length
  double least = 0.0;
  double residual = 0.0;
  double extrapolated = 0.0;
  double average_overlap = 0.0;  ///< mean agreement of all depths
};

namespace detail {

inline void require_persistence(double p) {
  if (!(p > 0.0 && p < 1.0)) {
    throw input_error("rank-biased overlap: persistence is " + std::to_string(p) +
                      ", expected a number between 0 and 1");
  }
}

/// Prefixes of two rankings that grow an entry at a time, and what they share.
class growing_prefixes {
public:
  void add_first(std::size_t item) { add(item, 1U, 2U), ++first_; }
  void add_second(std::size_t item) { add(item, 2U, 1U), ++second_; }

  [[nodiscard]] double common() const noexcept { return static_cast<double>(common_); }
  [[nodiscard]] double first() const noexcept { return static_cast<double>(first_); }
  [[nodiscard]] double second() const noexcept { return static_cast<double>(second_); }
  /// Twice what both have over what each has; 0 for two empty prefixes.
  [[nodiscard]] double agreement() const noexcept {
    return first_ + second_ == 0 ? 0.0 : 2.0 * common() / (first() + second());
  }

private:
  void add(std::size_t item, unsigned mine, unsigned other) {
    unsigned& seen = seen_[item];
    if ((seen & mine) != 0) {
      throw input_error("rank-biased overlap: item " + std::to_string(item) +
                        " stands twice in a ranking, expected once");
    }
    seen |= mine;
    if ((seen & other) != 0) ++common_;
  }

  std::unordered_map<std::size_t, unsigned> seen_;
  std::size_t common_ = 0, first_ = 0, second_ = 0;
};

/// The item at depth d + 1. Throws input_error for a tie.
[[nodiscard]] inline std::size_t only_item(const ranking& list, std::size_t d) {
  if (list[d].size() == 1) return list[d][0];
  throw input_error("rank-biased overlap: entry " + std::to_string(d + 1) + " has " +
                    std::to_string(list[d].size()) +
                    " items, expected one; scores with ties go through their own function");
}

/// sum over d = from, ..., to of p^d / d.
[[nodiscard]] inline double log_series(double p, std::size_t from, std::size_t to) {
  double sum = 0.0;
  for (std::size_t d = from; d <= to; ++d) {
    sum += std::pow(p, static_cast<double>(d)) / static_cast<double>(d);
  }
  return sum;
}

/// (1 - p) / p (sum over d <= k of p^d / d (X_d - X_k) - X_k log(1 - p)), X[d - 1] being X_d.
[[nodiscard]] inline double least_overlap(double p, std::span<const double> common) {
  if (common.empty()) return 0.0;
  const double last = common.back();
  double sum = -last * std::log1p(-p);
  for (std::size_t d = 1; d <= common.size(); ++d) {
    sum += std::pow(p, static_cast<double>(d)) / static_cast<double>(d) * (common[d - 1] - last);
  }
  return (1.0 - p) / p * sum;
}

/// What the unseen rest of lists of s <= l entries can add, X_l items being common.
[[nodiscard]] inline double residual_overlap(double p,
                                             std::size_t s,
                                             std::size_t l,
                                             double common) {
  const double shorter = static_cast<double>(s), longer = static_cast<double>(l);
  const auto full = static_cast<std::size_t>(std::ceil(longer + shorter - common));
  const double rest = shorter * log_series(p, s + 1, full) + longer * log_series(p, l + 1, full) +
                      common * (-std::log1p(-p) - log_series(p, 1, full));
  return std::pow(p, shorter) + std::pow(p, longer) - std::pow(p, static_cast<double>(full)) -
         (1.0 - p) / p * rest;
}

}  // namespace detail

/// Rank-biased overlap of two rankings without ties: how much their prefixes share, the depth d
/// weighing (1 - p) p^(d - 1). In [0, 1]; 1 for identical rankings.
///
/// p: persistence, between 0 and 1: 0.9 lets the first ten ranks weigh 86 %.
/// Throws input_error for another p, for an entry of several items and for an item that stands
/// twice. Two empty rankings have least 0, residual 1 and extrapolated 0.
/// Source: W. Webber, A. Moffat, J. Zobel, "A similarity measure for indefinite rankings", ACM
/// Transactions on Information Systems 28(4), 2010: equations 11, 30 and 32.
[[nodiscard]] inline rank_biased rank_biased_overlap(const ranking& first,
                                                     const ranking& second,
                                                     double p) {
  detail::require_persistence(p);
  const ranking& shorter = first.size() <= second.size() ? first : second;
  const ranking& longer = first.size() <= second.size() ? second : first;
  const std::size_t s = shorter.size(), l = longer.size();
  detail::growing_prefixes seen;
  std::vector<double> common;  // X_1, ..., X_l
  for (std::size_t d = 0; d < l; ++d) {
    seen.add_first(detail::only_item(longer, d));
    if (d < s) seen.add_second(detail::only_item(shorter, d));
    common.push_back(seen.common());
  }
  rank_biased r;
  if (l == 0) return {0.0, 1.0, 0.0};
  r.least = detail::least_overlap(p, common);
  r.residual = detail::residual_overlap(p, s, l, common[l - 1]);
  // Equation 32: agreement X_d / d of what was seen, and of the shorter list's end kept up.
  const double at_s = s == 0 ? 0.0 : common[s - 1];
  double sum = 0.0;
  for (std::size_t d = 1; d <= l; ++d) {
    const double depth = static_cast<double>(d), power = std::pow(p, depth);
    sum += power * common[d - 1] / depth;
    if (d > s && s > 0) {
      const double size = static_cast<double>(s);
      sum += power * at_s * (depth - size) / (size * depth);
    }
  }
  const double length = static_cast<double>(l);
  r.extrapolated =
      (1.0 - p) / p * sum + std::pow(p, length) * ((common[l - 1] - at_s) / length +
                                                   (s == 0 ? 0.0 : at_s / static_cast<double>(s)));
  return r;
}

/// Rank-biased overlap of two lists of scores over the same units, best first, extrapolated.
///
/// Equal scores share the first of their ranks: at a depth that cuts through a tie the whole tie
/// counts, and agreement is 2 common / (sizes of both prefixes). 0 for no units.
/// Throws as the functions of rankings.hpp. Source: the same, equation 28.
template <score_list X, score_list Y>
[[nodiscard]] double rank_biased_overlap(const X& first, const Y& second, double p) {
  detail::require_persistence(p);
  const auto [x, y] = detail::scores_of(first, second, "rank-biased overlap");
  const auto a = detail::by_falling_score(x), b = detail::by_falling_score(y);
  const std::size_t n = x.size();
  detail::growing_prefixes seen;
  std::size_t in_a = 0, in_b = 0;
  double sum = 0.0, agreement = 0.0;
  for (std::size_t d = 1; d <= n; ++d) {
    while (in_a < n && (in_a < d || x[a[in_a]] == x[a[in_a - 1]])) seen.add_first(a[in_a++]);
    while (in_b < n && (in_b < d || y[b[in_b]] == y[b[in_b - 1]])) seen.add_second(b[in_b++]);
    agreement = seen.agreement();
    sum += std::pow(p, static_cast<double>(d - 1)) * agreement;
  }
  return (1.0 - p) * sum + std::pow(p, static_cast<double>(n)) * agreement;
}

/// A ranking of units by falling score, equal scores in one entry.
template <score_list X>
[[nodiscard]] ranking ranking_of(const X& x) {
  const std::vector<double> scores = detail::scores_of(x, "ranking_of");
  const auto order = detail::by_falling_score(scores);
  ranking r;
  detail::for_ties(scores, order, [&](std::size_t first, std::size_t last) {
    r.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(first),
                   order.begin() + static_cast<std::ptrdiff_t>(last));
  });
  return r;
}

/// Rank-biased overlap as the study's script computes it: a tie is one rank, and the formulas are
/// used as they stand for lists of different lengths, where they can exceed 1. For parity only.
///
/// Source: the study's rbo.py (spec 7.13). Throws as rank_biased_overlap, but takes ties.
[[nodiscard]] inline rank_biased_study rank_biased_overlap_study(const ranking& first,
                                                                 const ranking& second,
                                                                 double p) {
  detail::require_persistence(p);
  const std::size_t s = std::min(first.size(), second.size());
  const std::size_t l = std::max(first.size(), second.size());
  detail::growing_prefixes seen;
  std::vector<double> agreement, common;  // A_d and X_d for d = 1, ..., l
  for (std::size_t d = 0; d < l; ++d) {
    if (d < first.size()) {
      for (const std::size_t item : first[d]) seen.add_first(item);
    }
    if (d < second.size()) {
      for (const std::size_t item : second[d]) seen.add_second(item);
    }
    agreement.push_back(seen.agreement());
    common.push_back(agreement.back() * static_cast<double>(std::min(d + 1, s)));
  }
  rank_biased_study r;
  if (s == 0) return r;
  const double x_s = common[s - 1], x_l = common[l - 1];
  double mean = 0.0, sum = 0.0;
  for (std::size_t d = 1; d <= l; ++d) {
    const double depth = static_cast<double>(d), power = std::pow(p, depth);
    if (d <= s) {
      r.at_depth += (1.0 - p) / p * power * agreement[d - 1];
      mean += agreement[d - 1];
    }
    sum += power * agreement[d - 1];
    if (d > s)
      sum += power * x_s * (depth - static_cast<double>(s)) / (static_cast<double>(s) * depth);
  }
  r.least = detail::least_overlap(p, std::span<const double>{common}.first(s));
  r.residual = detail::residual_overlap(p, s, l, x_l);
  r.extrapolated = (1.0 - p) / p * sum +
                   std::pow(p, static_cast<double>(l)) *
                       ((x_l - x_s) / static_cast<double>(l) + x_s / static_cast<double>(s));
  r.average_overlap = mean / static_cast<double>(s);
  return r;
}

}  // namespace tombola
