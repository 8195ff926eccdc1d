#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tombola::detail {

// The only places of the algebra that count bits: a kernel chosen at run time replaces them here
// and nowhere else.

/// Bits that are 1.
[[nodiscard]] inline std::size_t count_words(std::span<const std::uint64_t> words) noexcept {
  std::size_t n = 0;
  for (const std::uint64_t w : words) n += static_cast<std::size_t>(std::popcount(w));
  return n;
}

/// Bits that are 1 on both sides. Precondition: as many words on each.
[[nodiscard]] inline std::size_t count_common(std::span<const std::uint64_t> a,
                                              std::span<const std::uint64_t> b) noexcept {
  std::size_t n = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    n += static_cast<std::size_t>(std::popcount(a[i] & b[i]));
  }
  return n;
}

/// Bits that are 1 on both sides, in a, and in b.
struct common_counts {
  std::size_t both = 0;
  std::size_t first = 0;
  std::size_t second = 0;
};

/// All three in one pass. Precondition: as many words on each side.
[[nodiscard]] inline common_counts count_words(std::span<const std::uint64_t> a,
                                               std::span<const std::uint64_t> b) noexcept {
  common_counts n;
  for (std::size_t i = 0; i < a.size(); ++i) {
    n.both += static_cast<std::size_t>(std::popcount(a[i] & b[i]));
    n.first += static_cast<std::size_t>(std::popcount(a[i]));
    n.second += static_cast<std::size_t>(std::popcount(b[i]));
  }
  return n;
}

}  // namespace tombola::detail
