#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <utf8proc.h>

#include "tombola/data/text.hpp"

namespace tombola::data {

/// The four kinds of characters that GPT-2's pattern tells apart.
enum class pretoken_kind : std::uint8_t {
  letter,  ///< categories L*
  number,  ///< categories N*
  space,   ///< Unicode's White_Space
  other,   ///< all else, bytes that are no UTF-8 among them
};

/// Kind of a character, by its Unicode category.
[[nodiscard]] inline pretoken_kind pretoken_kind_of(std::int32_t c) noexcept {
  if (c < 128) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return pretoken_kind::letter;
    if (c >= '0' && c <= '9') return pretoken_kind::number;
    if (c == ' ' || (c >= 9 && c <= 13)) return pretoken_kind::space;
    return pretoken_kind::other;
  }
  if (c == 0x85) return pretoken_kind::space;  // the one control character beyond ASCII
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return pretoken_kind::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return pretoken_kind::number;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return pretoken_kind::space;
    default:
      return pretoken_kind::other;
  }
}

namespace detail {

/// Bytes of the longest beginning whose characters are all of one kind.
[[nodiscard]] inline std::size_t run_of(pretoken_kind kind, std::string_view text) noexcept {
  std::size_t n = 0;
  while (n < text.size()) {
    const decoded d = decode(text.substr(n));
    if (pretoken_kind_of(d.code_point) != kind) break;
    n += d.bytes;
  }
  return n;
}

/// Bytes of an English ending such as 's or 'll at the beginning, 0 where there is none.
[[nodiscard]] inline std::size_t contraction(std::string_view text) noexcept {
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.starts_with(ending)) return ending.size();
  }
  return 0;
}

}  // namespace detail

/// Bytes of the stretch that the pattern of GPT-2 matches at the beginning of a text: an English
/// ending; letters, digits or other characters in a row with at most one blank before them; white
/// space, whose last character is left to what follows.
///
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// Precondition: text is not empty. Cost: one look at each character of the stretch and one more.
/// Source: encoder.py of openai/gpt-2, 2019.
[[nodiscard]] inline std::size_t first_pretoken(std::string_view text) noexcept {
  if (const std::size_t n = detail::contraction(text)) return n;
  const std::size_t blank = text.front() == ' ' ? 1 : 0;
  const std::string_view rest = text.substr(blank);
  if (!rest.empty()) {
    const pretoken_kind kind = pretoken_kind_of(decode(rest).code_point);
    if (kind != pretoken_kind::space) return blank + detail::run_of(kind, rest);
  }
  std::size_t n = 0, last = 0;
  while (n < text.size()) {
    const decoded d = decode(text.substr(n));
    if (pretoken_kind_of(d.code_point) != pretoken_kind::space) break;
    last = d.bytes;
    n += last;
  }
  return n == text.size() || n == last ? n : n - last;
}

}  // namespace tombola::data
