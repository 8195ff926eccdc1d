#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

// Text out of files, made fit for a message. A file chooses its own names; it must not choose what
// a terminal does.

namespace tombola {

namespace detail {

/// The first character of a text in UTF-8, and how many bytes it takes.
struct read_character {
  char32_t code_point = 0;
  std::size_t bytes = 0;  ///< 0: no character begins here
};

/// Strict: what is cut off, longer than it need be, half of a surrogate pair or past U+10FFFF is no
/// character. Source: the Unicode Standard, table 3-7.
[[nodiscard]] constexpr read_character first_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return {};
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xC2 || lead > 0xF4) return {};
  const std::size_t bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < bytes) return {};
  char32_t c = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    c = c << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (c < least[bytes] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return {};
  return {c, bytes};
}

/// Characters that are orders, or that change how what stands around them looks without being seen
/// themselves: first and last of each range.
inline constexpr std::array<std::pair<char32_t, char32_t>, 12> unprintable{
    {{0x0000, 0x001F},      // controls
     {0x007F, 0x009F},      // delete, and the other controls
     {0x00AD, 0x00AD},      // soft hyphen
     {0x061C, 0x061C},      // a mark of direction
     {0x180E, 0x180E},      // no width
     {0x200B, 0x200F},      // no width, marks of direction
     {0x2028, 0x202E},      // ends of lines and paragraphs, overrides of direction
     {0x2060, 0x206F},      // no width, isolates of direction
     {0xFEFF, 0xFEFF},      // byte order mark
     {0xFFF0, 0xFFFB},      // unassigned, marks of annotations
     {0xFFFE, 0xFFFF},      // no characters, whatever comes
     {0xE0000, 0xE0FFF}}};  // tags, which are not seen

[[nodiscard]] constexpr bool is_printable(char32_t c) noexcept {
  // Every plane ends with two that are no characters.
  return (c & 0xFFFEU) != 0xFFFE &&
         std::none_of(unprintable.begin(), unprintable.end(),
                      [c](const auto& r) { return r.first <= c && c <= r.second; });
}

}  // namespace detail

/// Text in UTF-8 made printable: `most` characters at most, with `...` for the rest, and a `?` for
/// each character that is an order to a terminal or cannot be seen, such as a change of direction,
/// and for each byte that is part of no character.
[[nodiscard]] inline std::string printable(std::string_view text, std::size_t most = 80) {
  std::string s;
  for (std::size_t shown = 0; !text.empty(); ++shown) {
    if (shown == most) return s + "...";
    const auto [c, bytes] = detail::first_character(text);
    const bool as_it_is = bytes > 0 && detail::is_printable(c);
    s += as_it_is ? text.substr(0, bytes) : "?";
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return s;
}

/// Whether a terminal may take part of a text in UTF-8 as an order. Names of files that stand in
/// other files must have none: messages repeat paths as they are.
[[nodiscard]] inline bool has_control_characters(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F) return true;
    // U+0080 to U+009F, which take two bytes.
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : ' ');
    if (c == 0xC2 && next >= 0x80 && next < 0xA0) return true;
  }
  return false;
}

}  // namespace tombola
