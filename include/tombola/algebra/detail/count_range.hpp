#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tombola/algebra/detail/count_words.hpp"
#include "tombola/core/mask.hpp"

namespace tombola::detail {

/// Bits that are 1 among [first, first + count): `word(w)` gives the words at the two ends, of
/// which a part counts, `whole(begin, end)` counts the words between them.
template <class Word, class Whole>
[[nodiscard]] std::size_t count_range(std::size_t first,
                                      std::size_t count,
                                      Word word,
                                      Whole whole) noexcept {
  if (count == 0) return 0;
  const std::size_t begin = first / bits_per_word, last = (first + count - 1) / bits_per_word;
  const std::uint64_t head = ~std::uint64_t{0} << (first % bits_per_word);
  const std::uint64_t tail = tail_bits(first + count);
  const auto ones = [](std::uint64_t bits) {
    return static_cast<std::size_t>(std::popcount(bits));
  };
  if (begin == last) return ones(word(begin) & head & tail);
  return ones(word(begin) & head) + whole(begin + 1, last) + ones(word(last) & tail);
}

/// Of one mask. Precondition here and below: the words hold that many bits.
[[nodiscard]] inline std::size_t count_range(std::span<const std::uint64_t> a,
                                             std::size_t first,
                                             std::size_t count) noexcept {
  return count_range(
      first, count, [a](std::size_t w) { return a[w]; },
      [a](std::size_t begin, std::size_t end) {
        return count_words(a.subspan(begin, end - begin));
      });
}

/// On both sides.
[[nodiscard]] inline std::size_t count_common_range(std::span<const std::uint64_t> a,
                                                    std::span<const std::uint64_t> b,
                                                    std::size_t first,
                                                    std::size_t count) noexcept {
  return count_range(
      first, count, [a, b](std::size_t w) { return a[w] & b[w]; },
      [a, b](std::size_t begin, std::size_t end) {
        return count_common(a.subspan(begin, end - begin), b.subspan(begin, end - begin));
      });
}

}  // namespace tombola::detail
