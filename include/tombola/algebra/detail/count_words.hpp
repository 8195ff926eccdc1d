#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tombola/core/detail/count_bits.hpp"

namespace tombola::detail {

/// Words of one mask that are worked on at a time: 8 KiB, so that what a pass reads twice is still
/// in the nearest cache.
inline constexpr std::size_t block_words = 1024;

/// Bits that are 1.
[[nodiscard]] inline std::size_t count_words(std::span<const std::uint64_t> words) noexcept {
  return static_cast<std::size_t>(fastest_bits().count(words.data(), words.size()));
}

/// Bits that are 1 on both sides. Precondition: as many words on each.
[[nodiscard]] inline std::size_t count_common(std::span<const std::uint64_t> a,
                                              std::span<const std::uint64_t> b) noexcept {
  return static_cast<std::size_t>(fastest_bits().count_and(a.data(), b.data(), a.size()));
}

/// Bits that a or next_to_a shares with b or next_to_b. Precondition: as many words in each.
[[nodiscard]] inline square_counts count_square(std::span<const std::uint64_t> a,
                                                std::span<const std::uint64_t> next_to_a,
                                                std::span<const std::uint64_t> b,
                                                std::span<const std::uint64_t> next_to_b) noexcept {
  return fastest_bits().count_square({a.data(), next_to_a.data()}, {b.data(), next_to_b.data()},
                                     a.size());
}

/// All three in one pass. Precondition: as many words on each side.
[[nodiscard]] inline common_counts count_words(std::span<const std::uint64_t> a,
                                               std::span<const std::uint64_t> b) noexcept {
  return fastest_bits().count_three(a.data(), b.data(), a.size());
}

}  // namespace tombola::detail
