#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <utf8proc.h>

namespace tombola::data {

/// What BERT's tokenizer does with a character.
enum class character_kind : std::uint8_t {
  letter,       ///< part of a word
  space,        ///< ends a word
  punctuation,  ///< a word of its own
  ideograph,    ///< a word of its own, before any decomposition
  dropped,      ///< as if it were not there
};

/// Blocks of Chinese characters, as the BERT tokenizer lists them.
/// Source: tokenization.py of google-research/bert, 2018.
[[nodiscard]] constexpr bool is_ideograph(std::int32_t c) noexcept {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B820 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

/// Every visible ASCII character that is no letter and no digit counts as punctuation, `$` too.
[[nodiscard]] constexpr bool is_ascii_punctuation(std::int32_t c) noexcept {
  return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
         (c >= 123 && c <= 126);
}

/// Kind of an ASCII character: the control characters but tab, LF and CR are dropped.
[[nodiscard]] constexpr character_kind ascii_kind(std::int32_t c) noexcept {
  if (c == ' ' || c == '\t' || c == '\n' || c == '\r') return character_kind::space;
  if (c < 32 || c == 127) return character_kind::dropped;
  return is_ascii_punctuation(c) ? character_kind::punctuation : character_kind::letter;
}

/// Kind of any character of a text, by its Unicode category.
///
/// Dropped is every code point of a category C*, unassigned ones included, and U+FFFD: the rule
/// of transformers 2.5.1, which the study used (spec 13). Line and paragraph
/// separators end a word as white space does.
[[nodiscard]] inline character_kind kind_of(std::int32_t c) noexcept {
  if (c < 128) return ascii_kind(c);
  if (c == 0xFFFD) return character_kind::dropped;
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
      return character_kind::dropped;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return character_kind::space;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return character_kind::punctuation;
    default:
      return is_ideograph(c) ? character_kind::ideograph : character_kind::letter;
  }
}

/// The kinds of the 128 ASCII characters, for a lookup per byte.
inline constexpr auto ascii_kinds = [] {
  std::array<character_kind, 128> kinds{};
  for (std::size_t c = 0; c < kinds.size(); ++c) kinds[c] = ascii_kind(static_cast<int>(c));
  return kinds;
}();

}  // namespace tombola::data
