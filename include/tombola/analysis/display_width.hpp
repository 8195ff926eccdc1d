#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "tombola/core/printable.hpp"

namespace tombola::analysis {

namespace detail {

using code_range = std::pair<char32_t, char32_t>;  ///< first and last

/// Marks that stand on the character before them, and characters that are not seen.
inline constexpr std::array<code_range, 9> no_columns{{{0x0300, 0x036F},
                                                       {0x0483, 0x0489},
                                                       {0x1AB0, 0x1AFF},
                                                       {0x1DC0, 0x1DFF},
                                                       {0x200B, 0x200F},
                                                       {0x2060, 0x2064},
                                                       {0x20D0, 0x20FF},
                                                       {0xFE00, 0xFE0F},
                                                       {0xFE20, 0xFE2F}}};

/// Scripts of East Asia, their full-width forms, and pictures.
inline constexpr std::array<code_range, 15> two_columns{{{0x1100, 0x115F},
                                                         {0x2E80, 0x303E},
                                                         {0x3041, 0x4DBF},
                                                         {0x4E00, 0xA4CF},
                                                         {0xA960, 0xA97C},
                                                         {0xAC00, 0xD7A3},
                                                         {0xF900, 0xFAFF},
                                                         {0xFE10, 0xFE19},
                                                         {0xFE30, 0xFE6F},
                                                         {0xFF01, 0xFF60},
                                                         {0xFFE0, 0xFFE6},
                                                         {0x16FE0, 0x1B2FB},
                                                         {0x1F300, 0x1F64F},
                                                         {0x1F900, 0x1F9FF},
                                                         {0x20000, 0x3FFFD}}};

template <std::size_t N>
[[nodiscard]] constexpr bool in_any(const std::array<code_range, N>& ranges, char32_t c) noexcept {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const code_range& r) { return r.first <= c && c <= r.second; });
}

}  // namespace detail

/// Columns that a terminal gives a text: 2 for each wide character, 0 for a mark on the character
/// before it, 1 for any other and for each byte that is no UTF-8. By whole blocks: marks of scripts
/// other than Latin, Greek and Cyrillic count as 1, and a few pictures are one column off.
/// Source: Unicode Standard Annex 11, East Asian width W and F.
[[nodiscard]] inline std::size_t display_width(std::string_view s) noexcept {
  std::size_t columns = 0;
  while (!s.empty()) {
    const auto [code_point, bytes] = tombola::detail::first_character(s);
    const char32_t c = bytes == 0 ? U'x' : code_point;
    columns += detail::in_any(detail::two_columns, c)  ? 2U
               : detail::in_any(detail::no_columns, c) ? 0U
                                                       : 1U;
    s.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return columns;
}

}  // namespace tombola::analysis
