#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tombola/algebra/detail/count_words.hpp"
#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/unit_sets.hpp"
#include "tombola/core/detail/threads.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola {

/// How two masks over the same n units agree, in units. The four counts add up to n.
///
/// Every measure of overlap is a function of these: two masks are read once, nothing is built.
/// Counts up to 2^53 are exact in the measures, which compute in double.
struct overlap {
  std::size_t both = 0;         ///< kept by both masks
  std::size_t first_only = 0;   ///< kept by the first mask alone
  std::size_t second_only = 0;  ///< kept by the second mask alone
  std::size_t neither = 0;      ///< pruned by both

  [[nodiscard]] constexpr std::size_t first() const noexcept { return both + first_only; }
  [[nodiscard]] constexpr std::size_t second() const noexcept { return both + second_only; }
  [[nodiscard]] constexpr std::size_t either() const noexcept { return first() + second_only; }
  /// n, the number of units.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return either() + neither; }

  /// Pools the units of two groups.
  constexpr overlap& operator+=(const overlap& o) noexcept {
    both += o.both;
    first_only += o.first_only;
    second_only += o.second_only;
    neither += o.neither;
    return *this;
  }

  friend constexpr bool operator==(const overlap&, const overlap&) = default;
};

/// The four counts from the sizes of two masks on n units and what they share.
/// Precondition: such masks exist.
[[nodiscard]] constexpr overlap overlap_of_sizes(std::size_t n,
                                                 std::size_t first,
                                                 std::size_t second,
                                                 std::size_t both) noexcept {
  return {both, first - both, second - both, n + both - first - second};
}

/// Counts the overlap of two masks in one pass, without building intersection or union.
///
/// Throws shape_error if the masks have different sizes. Cost: one pass over both at the speed of
/// memory, with whatever vector instructions the processor has; no mask is built. More threads
/// than one pay from some ten million units on.
template <unit_set A, unit_set B>
[[nodiscard]] overlap count_overlap(const A& a, const B& b, std::size_t threads = 1) {
  require_same_size(a, b, "count_overlap");
  const std::span<const std::uint64_t> x = a.words(), y = b.words();
  std::vector<detail::common_counts> counts(
      detail::slices_for(x.size(), detail::block_words, threads));
  detail::in_slices(x.size(), detail::block_words, threads,
                    [&](std::size_t t, std::size_t begin, std::size_t end) {
                      counts[t] = detail::count_words(x.subspan(begin, end - begin),
                                                      y.subspan(begin, end - begin));
                    });
  detail::common_counts n;
  for (const detail::common_counts& c : counts) {
    n.both += c.both, n.first += c.first, n.second += c.second;
  }
  return overlap_of_sizes(a.size(), n.first, n.second, n.both);
}

/// The overlap of two tickets in each group, in their order. Throws shape_error if groups differ.
[[nodiscard]] inline std::vector<overlap> count_overlap_by_group(const ticket& a, const ticket& b) {
  require_same_groups(a, b);
  std::vector<overlap> counts;
  counts.reserve(a.masks().size());
  for (std::size_t g = 0; g < a.masks().size(); ++g) counts.push_back(count_overlap(a[g], b[g]));
  return counts;
}

/// The overlap over the units of all groups, or of any other parts of two masks.
[[nodiscard]] constexpr overlap pooled(std::span<const overlap> parts) noexcept {
  overlap all;
  for (const overlap& o : parts) all += o;
  return all;
}

/// The overlap of two tickets over the units of all groups. Throws shape_error if groups differ.
[[nodiscard]] inline overlap count_overlap(const ticket& a, const ticket& b) {
  return pooled(count_overlap_by_group(a, b));
}

/// One of the pairs that k masks form.
struct pair_overlap {
  std::size_t first = 0;   ///< place of the first mask
  std::size_t second = 0;  ///< place of the second mask; first < second
  overlap counts;
};

namespace detail {

/// Adds the sizes of k masks, and then what each pair of them shares, over words [begin, end), a
/// block at a time: k blocks of 8 KiB lie in the second cache while all pairs are counted.
inline void count_all_pairs(const std::vector<std::span<const std::uint64_t>>& words,
                            std::size_t begin,
                            std::size_t end,
                            std::vector<std::size_t>& counts) noexcept {
  // Half a block of each mask, so that the next half comes in beside it; two masks against two, so
  // that each block is taken from the second cache half as often.
  constexpr std::size_t part = block_words / 2, words_per_line = 8;
  const std::size_t k = words.size();
  const auto pair = [k](std::size_t i, std::size_t j) {
    return k + i * k - i * (i + 1) / 2 + j - i - 1;
  };
  for (std::size_t at = begin; at < end; at += part) {
    const std::size_t length = std::min(part, end - at);
    const auto block = [&](std::size_t i) { return words[i].subspan(at, length); };
    for (std::size_t i = 0; i < k; i += 2) {
      for (std::size_t next = i; next < std::min(i + 2, k); ++next) {
        counts[next] += count_words(block(next));
        for (std::size_t w = at + part; w < std::min(at + 2 * part, end); w += words_per_line) {
          __builtin_prefetch(words[next].data() + w);
        }
      }
      if (i + 1 == k) break;
      counts[pair(i, i + 1)] += count_common(block(i), block(i + 1));
      for (std::size_t j = i + 2; j + 1 < k; j += 2) {
        const square_counts c = count_square(block(i), block(i + 1), block(j), block(j + 1));
        counts[pair(i, j)] += c.first_first;
        counts[pair(i, j + 1)] += c.first_second;
        counts[pair(i + 1, j)] += c.second_first;
        counts[pair(i + 1, j + 1)] += c.second_second;
      }
      if (k % 2 == 1) {
        counts[pair(i, k - 1)] += count_common(block(i), block(k - 1));
        counts[pair(i + 1, k - 1)] += count_common(block(i + 1), block(k - 1));
      }
    }
  }
}

}  // namespace detail

/// The overlap of all k (k - 1) / 2 pairs of k masks, (0, 1), (0, 2), ..., (1, 2), ...
///
/// Throws shape_error if the masks have different sizes. The masks go through the cache in blocks,
/// so memory is read once and not k times. Memory: three counts per pair and thread.
template <unit_sets R>
[[nodiscard]] std::vector<pair_overlap> count_overlaps(const R& masks, std::size_t threads = 1) {
  const std::size_t n = common_size(masks, "count_overlaps"), k = masks.size();
  std::vector<std::span<const std::uint64_t>> words;
  std::vector<pair_overlap> pairs;
  for (std::size_t i = 0; i < k; ++i) {
    words.push_back(masks[i].words());
    for (std::size_t j = i + 1; j < k; ++j) pairs.push_back({i, j, {}});
  }
  // Counts of a thread: sizes of the masks, then what each pair shares.
  std::vector<std::vector<std::size_t>> counts(
      detail::slices_for(words_for(n), detail::block_words, threads));
  detail::in_slices(words_for(n), detail::block_words, threads,
                    [&](std::size_t t, std::size_t begin, std::size_t end) {
                      counts[t].assign(k + pairs.size(), 0);
                      detail::count_all_pairs(words, begin, end, counts[t]);
                    });
  std::vector<std::size_t> sum(k + pairs.size(), 0);
  for (const auto& of_thread : counts) {
    for (std::size_t i = 0; i < of_thread.size(); ++i) sum[i] += of_thread[i];
  }
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    pairs[p].counts = overlap_of_sizes(n, sum[pairs[p].first], sum[pairs[p].second], sum[k + p]);
  }
  return pairs;
}

/// Jaccard index: of the units that either mask keeps, the share that both keep.
///
/// In [0, 1]. Undefined (nothing_kept) where neither keeps a unit. What chance gives is
/// expected(o, jaccard) in chance.hpp. Source: P. Jaccard, "The distribution of the flora in the
/// alpine zone", New Phytologist 11(2), 1912.
[[nodiscard]] constexpr estimate jaccard(const overlap& o) noexcept {
  return detail::ratio(static_cast<double>(o.both), static_cast<double>(o.either()),
                       reason::nothing_kept);
}

/// Dice coefficient: twice what both keep, over the sum of the sizes; 2 J / (1 + J).
///
/// In [0, 1]. Undefined (nothing_kept) where neither keeps a unit. Source: L. R. Dice, "Measures of
/// the amount of ecologic association between species", Ecology 26(3), 1945.
[[nodiscard]] constexpr estimate dice(const overlap& o) noexcept {
  return detail::ratio(2.0 * static_cast<double>(o.both),
                       static_cast<double>(o.first() + o.second()), reason::nothing_kept);
}

/// Of the units that the first mask keeps, the share that the second keeps too.
///
/// In [0, 1]; 1 where the first is a subset. Undefined (first_keeps_nothing) for an empty first
/// mask. Source: A. Broder, "On the resemblance and containment of documents", SEQUENCES 1997.
[[nodiscard]] constexpr estimate containment_of_first(const overlap& o) noexcept {
  return detail::ratio(static_cast<double>(o.both), static_cast<double>(o.first()),
                       reason::first_keeps_nothing);
}

/// The other way round: the share of the second mask's units that the first keeps.
[[nodiscard]] constexpr estimate containment_of_second(const overlap& o) noexcept {
  return detail::ratio(static_cast<double>(o.both), static_cast<double>(o.second()),
                       reason::second_keeps_nothing);
}

/// Overlap coefficient: the containment of the smaller mask in the larger one.
///
/// In [0, 1]. Undefined (a_mask_keeps_nothing) where the smaller mask is empty. Source:
/// D. Szymkiewicz, "Une contribution statistique a la geographie floristique", 1934.
[[nodiscard]] constexpr estimate overlap_coefficient(const overlap& o) noexcept {
  return detail::ratio(static_cast<double>(o.both),
                       static_cast<double>(std::min(o.first(), o.second())),
                       reason::a_mask_keeps_nothing);
}

/// Hamming distance: units on which the masks differ, 0 to n. Always defined. Source: R. Hamming,
/// "Error detecting and error correcting codes", Bell System Technical Journal 29(2), 1950.
[[nodiscard]] constexpr std::size_t hamming(const overlap& o) noexcept {
  return o.first_only + o.second_only;
}

namespace detail {

/// a b - c d to within two units in the last place, however much of it cancels.
/// Source: W. Kahan's algorithm; C.-P. Jeannerod, N. Louvet, J.-M. Muller, Mathematics of
/// Computation 82, 2013.
[[nodiscard]] inline double difference_of_products(double a, double b, double c, double d) {
  const double cd = c * d;
  return std::fma(a, b, -cd) + std::fma(-c, d, cd);
}

/// Determinant of the table of the four counts: both * neither - first_only * second_only.
[[nodiscard]] inline double determinant(const overlap& o) {
  return difference_of_products(static_cast<double>(o.both), static_cast<double>(o.neither),
                                static_cast<double>(o.first_only),
                                static_cast<double>(o.second_only));
}

}  // namespace detail

/// Phi: Pearson's correlation of the two masks as 0/1 variables (Matthews' coefficient).
///
/// In [-1, 1]; chance gives 0. Undefined (a_mask_is_constant) where a mask keeps all or none.
/// Source: G. U. Yule, "On the methods of measuring association between two attributes", JRSS
/// 75(6), 1912.
[[nodiscard]] inline estimate phi(const overlap& o) {
  if (o.size() == 0) return undefined(reason::no_units);
  const double n = static_cast<double>(o.size());
  const double a = static_cast<double>(o.first()), b = static_cast<double>(o.second());
  return detail::ratio(detail::determinant(o), std::sqrt(a * (n - a) * (b * (n - b))),
                       reason::a_mask_is_constant);
}

/// Cohen's kappa: how far agreement on units, kept or pruned, exceeds what the sizes alone give.
///
/// In [-1, 1]; chance gives 0. Undefined (masks_are_constant) where both keep all or both none.
/// Source: J. Cohen, "A coefficient of agreement for nominal scales", Educational and
/// Psychological Measurement 20(1), 1960.
[[nodiscard]] inline estimate cohen_kappa(const overlap& o) {
  if (o.size() == 0) return undefined(reason::no_units);
  const double n = static_cast<double>(o.size());
  const double a = static_cast<double>(o.first()), b = static_cast<double>(o.second());
  return detail::ratio(2.0 * detail::determinant(o), a * (n - b) + b * (n - a),
                       reason::masks_are_constant);
}

/// Mean of a measure over pairs of masks, such as mean_over_pairs(count_overlaps(masks), jaccard).
///
/// Undefined (too_few_masks) without a pair, and where any pair is, with that pair's reason: a mean
/// over the pairs that happen to be defined would compare different things.
template <class Measure>
[[nodiscard]] estimate mean_over_pairs(std::span<const pair_overlap> pairs, Measure measure) {
  if (pairs.empty()) return undefined(reason::too_few_masks);
  double sum = 0.0;
  for (const pair_overlap& p : pairs) {
    const estimate e = measure(p.counts);
    if (!e.defined()) return e;
    sum += e.value;
  }
  return defined(sum / static_cast<double>(pairs.size()));
}

/// Mean Jaccard index of all pairs of k masks. Throws and is undefined as the functions it is of.
template <unit_sets R>
[[nodiscard]] estimate mean_pairwise_jaccard(const R& masks) {
  return mean_over_pairs(count_overlaps(masks), jaccard);
}

}  // namespace tombola
