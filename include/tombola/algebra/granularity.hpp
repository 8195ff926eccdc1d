#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tombola/algebra/unit_sets.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"

namespace tombola {

// From fine units to coarse ones and back: weights to neurons, heads or layers, heads to layers.
// A `place` says which coarse unit a fine one belongs to; those here cover matrices and layers, and
// any function of the unit's number will do.

/// `size` fine units after one another make a coarse one: rows of a matrix (size: its columns),
/// heads of a layer (size: heads per layer), a head's rows of a query matrix (size: rows per head
/// times columns). Precondition: size > 0.
struct blocks {
  std::size_t size = 1;
  [[nodiscard]] constexpr std::size_t operator()(std::size_t unit) const noexcept {
    return unit / size;
  }
};

/// `width` columns of a matrix beside one another make a coarse unit: a head's columns of the
/// attention output (width: size of a head), input neurons (width 1). Precondition: both > 0.
struct column_blocks {
  std::size_t columns = 1;  ///< of the matrix
  std::size_t width = 1;
  [[nodiscard]] constexpr std::size_t operator()(std::size_t unit) const noexcept {
    return unit % columns / width;
  }
};

/// Fine units of each coarse one: how many there are, and how many are kept.
struct unit_counts {
  std::vector<std::size_t> size;  ///< [coarse units]
  std::vector<std::size_t> kept;  ///< [coarse units]
};

/// Counts the fine units of a mask by the coarse unit they belong to.
///
/// Throws shape_error if a fine unit belongs to none of the `coarse` units. Cost: one call of place
/// per fine unit.
template <unit_set A, std::invocable<std::size_t> Place>
[[nodiscard]] unit_counts count_by(const A& fine, std::size_t coarse, Place place) {
  unit_counts c{std::vector<std::size_t>(coarse), std::vector<std::size_t>(coarse)};
  const auto words = std::span<const std::uint64_t>{fine.words()};
  for (std::size_t unit = 0; unit < fine.size(); ++unit) {
    const std::size_t at = place(unit);
    if (at >= coarse) {
      throw shape_error("unit " + std::to_string(unit) + " belongs to coarse unit " +
                        std::to_string(at) + " of " + std::to_string(coarse));
    }
    ++c.size[at];
    c.kept[at] += words[unit / bits_per_word] >> (unit % bits_per_word) & 1U;
  }
  return c;
}

/// When a coarse unit counts as kept. Coarse units without any fine one are pruned by each rule.
class lift_rule {
public:
  /// One fine unit is kept, or more.
  [[nodiscard]] static constexpr lift_rule any() noexcept { return lift_rule{0.0}; }
  /// All fine units are kept.
  [[nodiscard]] static constexpr lift_rule all() noexcept { return lift_rule{1.0}; }
  /// At least this share of the fine units is kept, and one of them. Throws input_error outside
  /// [0, 1].
  [[nodiscard]] static lift_rule share(double at_least) {
    if (!(at_least >= 0.0 && at_least <= 1.0)) {
      throw input_error("lift: a share of " + std::to_string(at_least) +
                        ", expected a number from 0 to 1");
    }
    return lift_rule{at_least};
  }
  [[nodiscard]] constexpr bool keeps(std::size_t kept, std::size_t size) const noexcept {
    // Divided, so that 7 of 100 are a share of 0.07: the product 0.07 * 100 rounds to above 7.
    return kept > 0 && static_cast<double>(kept) / static_cast<double>(size) >= share_;
  }

private:
  explicit constexpr lift_rule(double share) noexcept : share_{share} {}
  double share_;
};

/// The coarse mask of a fine one: heads from weights, layers from heads. Throws as count_by.
template <unit_set A, std::invocable<std::size_t> Place>
[[nodiscard]] mask lift(const A& fine, std::size_t coarse, Place place, lift_rule rule) {
  const unit_counts c = count_by(fine, coarse, place);
  mask m{coarse};
  for (std::size_t i = 0; i < coarse; ++i) m.set(i, rule.keeps(c.kept[i], c.size[i]));
  return m;
}

/// The fine mask of a coarse one: a fine unit is kept where its coarse unit is. `fine` is the
/// number of fine units. Throws shape_error if a fine unit belongs to no coarse one.
template <unit_set A, std::invocable<std::size_t> Place>
[[nodiscard]] mask lower(const A& coarse, std::size_t fine, Place place) {
  const auto words = std::span<const std::uint64_t>{coarse.words()};
  mask m{fine};
  for (std::size_t unit = 0; unit < fine; ++unit) {
    const std::size_t at = place(unit);
    if (at >= coarse.size()) {
      throw shape_error("unit " + std::to_string(unit) + " belongs to coarse unit " +
                        std::to_string(at) + " of " + std::to_string(coarse.size()));
    }
    if ((words[at / bits_per_word] >> (at % bits_per_word) & 1U) != 0) m.set(unit);
  }
  return m;
}

namespace detail {

/// 64 bits from bit `first` on; those past the last word are 0. Precondition: first lies in a word.
[[nodiscard]] inline std::uint64_t bits_from(std::span<const std::uint64_t> words,
                                             std::size_t first) noexcept {
  const std::size_t w = first / bits_per_word, shift = first % bits_per_word;
  const std::uint64_t low = words[w] >> shift;
  if (shift == 0 || w + 1 == words.size()) return low;
  return low | words[w + 1] << (bits_per_word - shift);
}

/// Throws shape_error, starting with `what`, unless n units have [first, first + count) among them.
inline void require_range(std::size_t n, std::size_t first, std::size_t count, const char* what) {
  if (first > n || count > n - first) {
    throw shape_error(std::string{what} + ": " + std::to_string(count) + " units from unit " +
                      std::to_string(first) + " on, expected them among " + std::to_string(n));
  }
}

}  // namespace detail

/// Units [first, first + count) of a mask as a mask of their own, such as a layer's heads.
/// Throws shape_error where there are not so many. Cost: one pass over the words.
template <unit_set A>
[[nodiscard]] mask slice(const A& a, std::size_t first, std::size_t count) {
  detail::require_range(a.size(), first, count, "slice");
  const auto words = std::span<const std::uint64_t>{a.words()};
  mask m{count};
  for (std::size_t w = 0; w < words_for(count); ++w) {
    m.set_word(w, detail::bits_from(words, first + w * bits_per_word));
  }
  return m;
}

/// The other way round: units [first, first + part.size()) of m become those of part, the others
/// stay. Throws shape_error where there are not so many. Nothing is allocated.
/// Precondition: part is no view of m's own words.
template <unit_set B>
void put_slice(mask& m, std::size_t first, const B& part) {
  detail::require_range(m.size(), first, part.size(), "put_slice");
  const auto words = std::span<const std::uint64_t>{part.words()};
  const std::size_t end = first + part.size();
  for (std::size_t at = first, count = 0; at < end; at += count) {
    const std::size_t w = at / bits_per_word, shift = at % bits_per_word;
    count = std::min(bits_per_word - shift, end - at);  // units of this word that change
    const std::uint64_t changed = tail_bits(count) << shift;
    const std::uint64_t bits = detail::bits_from(words, at - first) << shift;
    m.set_word(w, (m.words()[w] & ~changed) | (bits & changed));
  }
}

}  // namespace tombola
