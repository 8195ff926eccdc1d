#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tombola/algebra/detail/count_words.hpp"
#include "tombola/algebra/detail/vertical_count.hpp"
#include "tombola/algebra/unit_sets.hpp"
#include "tombola/core/detail/threads.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola {

namespace detail {

/// The least number of k masks that is at least this share of them, and one of them.
/// Throws input_error, starting with `what`, for a share outside [0, 1].
[[nodiscard]] inline std::size_t masks_of_share(std::size_t k, double share, const char* what) {
  if (!(share >= 0.0 && share <= 1.0)) {
    throw input_error(std::string{what} + ": a share of " + std::to_string(share) +
                      ", expected a number from 0 to 1");
  }
  // Divided, so that 7 of 100 are a share of 0.07: the product 0.07 * 100 rounds to above 7.
  std::size_t r = std::min<std::size_t>(k, 1);
  while (r < k && static_cast<double>(r) / static_cast<double>(k) < share) ++r;
  return r;
}

/// Throws input_error, starting with `what`, if r of k masks are asked for and there are fewer.
inline void require_masks(std::size_t r, std::size_t k, const char* what) {
  if (r > k) {
    throw input_error(std::string{what} + ": " + std::to_string(r) + " of " + std::to_string(k) +
                      " masks, expected at most all of them");
  }
}

}  // namespace detail

/// How k masks on n units keep them. Every agreement number of agreement.hpp is a function of this.
struct survival {
  std::size_t units = 0;                             ///< n
  std::vector<std::size_t> sizes;                    ///< [k] units that each mask keeps
  std::vector<std::size_t> units_by_survival = {0};  ///< [k + 1] units that r masks keep

  /// k.
  [[nodiscard]] std::size_t masks() const noexcept { return sizes.size(); }
  /// Units that every mask keeps: the size of the `super` mask. All units where there is no mask.
  [[nodiscard]] std::size_t kept_by_all() const noexcept { return units_by_survival.back(); }
  /// Units that some mask keeps.
  [[nodiscard]] std::size_t kept_by_any() const noexcept {
    return units - units_by_survival.front();
  }
  /// Units that no mask keeps.
  [[nodiscard]] std::size_t kept_by_none() const noexcept {
    return masks() == 0 ? 0 : units_by_survival.front();
  }
  /// Units that r masks keep, or more. Throws input_error if r is above the number of masks.
  [[nodiscard]] std::size_t kept_by_at_least(std::size_t r) const {
    detail::require_masks(r, masks(), "kept_by_at_least");
    std::size_t sum = 0;
    for (std::size_t i = r; i < units_by_survival.size(); ++i) sum += units_by_survival[i];
    return sum;
  }
  /// Units that at least this share of the masks keeps, and one of them. Throws input_error outside
  /// [0, 1].
  [[nodiscard]] std::size_t kept_by_share(double share) const {
    return kept_by_at_least(detail::masks_of_share(masks(), share, "kept_by_share"));
  }
  /// Units that some masks keep and others prune. With all and none they add up to n.
  [[nodiscard]] std::size_t in_periphery() const noexcept {
    std::size_t sum = 0;
    for (std::size_t r = 1; r + 1 < units_by_survival.size(); ++r) sum += units_by_survival[r];
    return sum;
  }
  /// Kept units of all masks together.
  [[nodiscard]] std::size_t kept() const noexcept {
    std::size_t sum = 0;
    for (const std::size_t s : sizes) sum += s;
    return sum;
  }

  /// Pools the units of two groups under the same masks.
  /// Throws shape_error if the numbers of masks differ; one without any mask or unit is neutral.
  survival& operator+=(const survival& s) {
    if (masks() == 0 && units == 0) return *this = s;
    if (s.masks() != masks()) {
      throw shape_error("survival: groups under " + std::to_string(masks()) + " and " +
                        std::to_string(s.masks()) + " masks");
    }
    units += s.units;
    for (std::size_t j = 0; j < sizes.size(); ++j) sizes[j] += s.sizes[j];
    for (std::size_t r = 0; r < units_by_survival.size(); ++r) {
      units_by_survival[r] += s.units_by_survival[r];
    }
    return *this;
  }

  friend bool operator==(const survival&, const survival&) = default;
};

namespace detail {

/// Counts of 64 units at once: bit p of a unit's count is its bit of plane p.
class vertical_counter {
public:
  /// Planes for counts up to k.
  explicit vertical_counter(std::size_t k) : planes_(std::max<std::size_t>(std::bit_width(k), 1)) {}

  void clear() noexcept { std::fill(planes_.begin(), planes_.end(), std::uint64_t{0}); }

  /// Adds 1 to every unit whose bit is set. Precondition: no count is k yet.
  void add(std::uint64_t bits) noexcept {
    for (std::size_t p = 0; bits != 0; ++p) {
      const std::uint64_t carry = planes_[p] & bits;
      planes_[p] ^= bits;
      bits = carry;
    }
  }

  /// The units whose count is r.
  [[nodiscard]] std::uint64_t units_at(std::size_t r) const noexcept {
    std::uint64_t units = ~std::uint64_t{0};
    for (std::size_t p = 0; p < planes_.size(); ++p) {
      units &= (r >> p & 1U) != 0 ? planes_[p] : ~planes_[p];
    }
    return units;
  }

  /// The units whose count is r or more: from the highest plane down, those still equal to r and
  /// those already above it.
  [[nodiscard]] std::uint64_t units_at_least(std::size_t r) const noexcept {
    std::uint64_t equal = ~std::uint64_t{0}, above = 0;
    for (std::size_t p = planes_.size(); p-- > 0;) {
      if ((r >> p & 1U) != 0) {
        equal &= planes_[p];
      } else {
        above |= equal & planes_[p];
        equal &= ~planes_[p];
      }
    }
    return equal | above;
  }

private:
  std::vector<std::uint64_t> planes_;
};

/// The words of several masks, side by side.
template <unit_sets R>
[[nodiscard]] std::vector<std::span<const std::uint64_t>> words_of(const R& masks) {
  std::vector<std::span<const std::uint64_t>> words;
  words.reserve(masks.size());
  for (std::size_t j = 0; j < masks.size(); ++j) words.push_back(masks[j].words());
  return words;
}

/// Calls f(first unit, which bits of the word are units, counter) for every 64 units of n.
template <class F>
void for_counted_words(std::size_t n,
                       const std::vector<std::span<const std::uint64_t>>& words,
                       F f) {
  vertical_counter counter{words.size()};
  for (std::size_t w = 0; w < words_for(n); ++w) {
    counter.clear();
    for (const auto& mask_words : words) counter.add(mask_words[w]);
    f(w * bits_per_word, w + 1 == words_for(n) ? tail_bits(n) : ~std::uint64_t{0}, counter);
  }
}

}  // namespace detail

namespace detail {

/// Sizes and survival counts, but that of 0, from words [begin, end) of the masks: in blocks for up
/// to 63 masks, one word after another for more.
[[nodiscard]] inline survival survival_of_words(
    const std::vector<std::span<const std::uint64_t>>& words, std::size_t begin, std::size_t end) {
  const std::size_t k = words.size();
  survival s;
  s.sizes.assign(k, 0);
  s.units_by_survival.assign(k + 1, 0);
  if (planes_for(k) <= most_planes) {
    block_counter counter{k};
    for (std::size_t at = begin; at < end; at += block_words) {
      const std::size_t length = std::min(block_words, end - at);
      counter.count(words, at, length);
      for (std::size_t j = 0; j < k; ++j) s.sizes[j] += count_words(words[j].subspan(at, length));
      for (std::size_t r = 1; r <= k; ++r) {
        s.units_by_survival[r] += count_words(counter.units_at(r));
      }
    }
    return s;
  }
  for (std::size_t j = 0; j < k; ++j) {
    s.sizes[j] = count_words(words[j].subspan(begin, end - begin));
  }
  vertical_counter counter{k};
  for (std::size_t w = begin; w < end; ++w) {
    counter.clear();
    for (const auto& mask_words : words) counter.add(mask_words[w]);
    for (std::size_t r = 1; r <= k; ++r) {
      s.units_by_survival[r] += static_cast<std::size_t>(std::popcount(counter.units_at(r)));
    }
  }
  return s;
}

}  // namespace detail

/// How many units of one group 0, 1, ..., k of k masks keep, and how many each mask keeps.
///
/// Throws shape_error if the masks have different sizes. Cost: one pass over the k masks, about
/// k log k operations per 64 units, four times 64 at once where the processor has AVX2; no list of
/// units is built.
template <unit_sets R>
[[nodiscard]] survival count_survival(const R& masks, std::size_t threads = 1) {
  const std::size_t n = common_size(masks, "count_survival"), k = masks.size();
  const auto words = detail::words_of(masks);
  std::vector<survival> parts(detail::slices_for(words_for(n), detail::block_words, threads));
  detail::in_slices(words_for(n), detail::block_words, threads,
                    [&](std::size_t t, std::size_t begin, std::size_t end) {
                      parts[t] = detail::survival_of_words(words, begin, end);
                    });
  survival s = parts[0];
  for (std::size_t t = 1; t < parts.size(); ++t) s += parts[t];
  s.units = n;
  std::size_t kept_by_some = 0;
  for (std::size_t r = 1; r <= k; ++r) kept_by_some += s.units_by_survival[r];
  s.units_by_survival[0] = n - kept_by_some;
  return s;
}

/// The same over the units of all groups of k tickets. Throws shape_error if their groups differ.
template <tickets R>
[[nodiscard]] survival count_survival(const R& several, std::size_t threads = 1) {
  require_same_groups(several);
  survival all;
  all.sizes.assign(several.size(), 0);
  all.units_by_survival.assign(several.size() + 1, 0);
  if (several.size() == 0) return all;
  for (std::size_t g = 0; g < several[0].groups().size(); ++g) {
    all += count_survival(masks_of_group(several, g), threads);
  }
  return all;
}

/// How many of the masks keep each unit: [n], 0 to k.
///
/// Throws shape_error if the masks have different sizes. Memory: 4 bytes per unit.
template <unit_sets R>
[[nodiscard]] std::vector<std::uint32_t> survival_of_units(const R& masks) {
  const std::size_t n = common_size(masks, "survival_of_units");
  std::vector<std::uint32_t> counts(n, 0);
  detail::for_counted_words(
      n, detail::words_of(masks), [&](std::size_t first, std::uint64_t units, const auto& counter) {
        for (std::size_t r = 1; r <= masks.size(); ++r) {
          for (std::uint64_t at = counter.units_at(r) & units; at != 0; at &= at - 1) {
            counts[first + static_cast<std::size_t>(std::countr_zero(at))] =
                static_cast<std::uint32_t>(r);
          }
        }
      });
  return counts;
}

/// The law of the number of successes of independent trials of these probabilities: [k + 1].
///
/// Sums to 1. Cost: k^2. Source: S. D. Poisson, "Recherches sur la probabilite des jugements",
/// 1837; the convolution is exact up to rounding, all of its terms being positive.
[[nodiscard]] inline std::vector<double> poisson_binomial(std::span<const double> probabilities) {
  std::vector<double> law{1.0};
  for (const double p : probabilities) {
    law.push_back(0.0);
    for (std::size_t r = law.size() - 1; r > 0; --r) law[r] = law[r] * (1.0 - p) + law[r - 1] * p;
    law[0] *= 1.0 - p;
  }
  return law;
}

/// What survival counts would be if the masks, of the sizes they have, were independent.
struct independent_survival {
  std::vector<double> expected_units_by_survival;  ///< [k + 1], sums to n
  double mean = 0.0;      ///< of the number of masks that keep a unit, 0 to k
  double variance = 0.0;  ///< of that number
};

/// The null that survival counts are held against: each mask keeps each unit with its own share
/// (Poisson-binomial). All zeros where there are no units.
[[nodiscard]] inline independent_survival expected_survival(const survival& s) {
  const double n = static_cast<double>(s.units);
  std::vector<double> shares;
  independent_survival null;
  for (const std::size_t size : s.sizes) {
    const double share = s.units == 0 ? 0.0 : static_cast<double>(size) / n;
    shares.push_back(share);
    null.mean += share;
    null.variance += share * (1.0 - share);
  }
  null.expected_units_by_survival = poisson_binomial(shares);
  for (double& units : null.expected_units_by_survival) units *= n;
  return null;
}

}  // namespace tombola
