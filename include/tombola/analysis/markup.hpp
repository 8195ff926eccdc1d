#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/printable.hpp"

namespace tombola::analysis {

inline constexpr std::string_view plus_minus = "\xC2\xB1";
inline constexpr std::string_view en_dash = "\xE2\x80\x93";
inline constexpr std::string_view minus_sign = "\xE2\x88\x92";
inline constexpr std::string_view ellipsis = "\xE2\x80\xA6";
inline constexpr std::string_view replacement = "\xEF\xBF\xBD";  ///< U+FFFD, for what is no text

/// `digits` places after the point, whatever the locale. Never `-0.00`.
/// What is not finite is written as `undefined`: no NaN reaches a reader by accident.
[[nodiscard]] inline std::string fixed(double x, int digits) {
  if (!std::isfinite(x)) return "undefined";
  std::array<char, 400> text{};  // 309 digits before the point, the sign, and the places
  const auto end = std::to_chars(text.data(), text.data() + text.size(), x,
                                 std::chars_format::fixed, digits < 0 ? 0 : digits % 32);
  std::string s{text.data(), end.ptr};
  if (s[0] == '-' && s.find_first_not_of("-0.") == std::string::npos) s.erase(0, 1);
  return s;
}

/// The shortest decimal text that reads back as exactly x. `undefined` where x is not finite.
[[nodiscard]] inline std::string shortest(double x) {
  if (!std::isfinite(x)) return "undefined";
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), x);
  return {text.data(), end.ptr};
}

/// A probability for people: three digits, `2.1e-11` where that would be zero. One that is 0 in
/// double is below the smallest number.
[[nodiscard]] inline std::string probability(double p) {
  if (!std::isfinite(p)) return "undefined";
  if (p == 0.0) return "below 1e-300";
  if (p >= 0.001) return fixed(p, 3);
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), p, std::chars_format::scientific, 1);
  return {text.data(), end.ptr};
}

/// Whether a character turns the writing direction around: what follows would be read elsewhere.
[[nodiscard]] constexpr bool turns_direction(char32_t c) noexcept {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/// Text made safe for element content and for quoted attribute values, in HTML and in SVG.
///
/// Names come from files and may be hostile: the five special characters become references;
/// control characters, bytes that are not UTF-8 and the marks that turn the writing direction
/// around (U+202A to U+202E, U+2066 to U+2069) become U+FFFD.
[[nodiscard]] inline std::string escape(std::string_view s) {
  std::string out;
  out.reserve(s.size() + s.size() / 8);
  for (std::size_t i = 0; i < s.size();) {
    const auto [code_point, n] = tombola::detail::first_character(s.substr(i));
    const std::string_view c = s.substr(i, n == 0 ? 1 : n);
    const auto b = static_cast<unsigned char>(c[0]);
    if (n == 0 || turns_direction(code_point) || b == 0x7F ||
        (b < 0x20 && b != '\n' && b != '\t')) {
      out += replacement;
    } else if (b == '&') {
      out += "&amp;";
    } else if (b == '<') {
      out += "&lt;";
    } else if (b == '>') {
      out += "&gt;";
    } else if (b == '"') {
      out += "&quot;";
    } else if (b == '\'') {
      out += "&#39;";
    } else {
      out += c;
    }
    i += c.size();
  }
  return out;
}

/// Text on one line that cannot steer a terminal: control characters, of one byte or two, and line
/// separators become blanks; what is no UTF-8, and marks that turn the writing direction around,
/// the replacement character.
[[nodiscard]] inline std::string on_one_line(std::string_view s) {
  std::string out;
  while (!s.empty()) {
    const auto [c, n] = tombola::detail::first_character(s);
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
    out += n == 0 || turns_direction(c) ? replacement
           : control                    ? std::string_view{" "}
                                        : s.substr(0, n);
    s.remove_prefix(std::max<std::size_t>(n, 1));
  }
  return out;
}

/// The first n characters, with an ellipsis where something is cut: a label of bounded width.
[[nodiscard]] inline std::string shorten(std::string_view s, std::size_t n) {
  std::size_t i = 0, characters = 0;
  while (i < s.size() && characters < n) {
    i += std::max<std::size_t>(tombola::detail::first_character(s.substr(i)).bytes, 1);
    ++characters;
  }
  std::string head{s.substr(0, i)};
  return i < s.size() ? head + std::string{ellipsis} : head;
}

/// One attribute: its name, which the program wrote, and its value, which anybody may have.
using attribute = std::pair<std::string_view, std::string>;

/// Builds HTML or SVG text, element by element, with everything escaped and every element closed.
///
/// Element and attribute names are trusted; values and text are not.
class markup {
public:
  /// Starts an element that close() ends.
  markup& open(std::string_view name, std::initializer_list<attribute> attributes = {}) {
    tag(name, attributes);
    out_ += '>';
    open_.emplace_back(name);
    return *this;
  }

  /// Ends the element opened last. Throws error where none is open.
  markup& close() {
    if (open_.empty()) throw error("markup: close() without an open element");
    out_ += "</" + open_.back() + ">";
    open_.pop_back();
    return *this;
  }

  /// An element without content: `<rect .../>`, `<br/>`.
  markup& empty(std::string_view name, std::initializer_list<attribute> attributes = {}) {
    tag(name, attributes);
    out_ += "/>";
    return *this;
  }

  /// An element that holds only text.
  markup& leaf(std::string_view name,
               std::initializer_list<attribute> attributes,
               std::string_view content) {
    open(name, attributes);
    text(content);
    return close();
  }
  markup& leaf(std::string_view name, std::string_view content) { return leaf(name, {}, content); }

  /// Text, escaped.
  markup& text(std::string_view content) {
    out_ += escape(content);
    return *this;
  }

  /// What another builder finished, or a constant of the program. Never anything read from a file.
  markup& raw(std::string_view finished) {
    out_ += finished;
    return *this;
  }

  /// Starts a new line of the source, between elements where white space means nothing.
  markup& line() {
    out_ += '\n';
    return *this;
  }

  /// The text. Throws error while an element is open, naming it.
  [[nodiscard]] const std::string& str() const {
    if (!open_.empty()) throw error("markup: <" + open_.back() + "> is still open");
    return out_;
  }

private:
  void tag(std::string_view name, std::initializer_list<attribute> attributes) {
    out_ += '<';
    out_ += name;
    for (const auto& [key, value] : attributes) {
      out_ += ' ';
      out_ += key;
      out_ += "=\"" + escape(value) + "\"";
    }
  }

  std::string out_;
  std::vector<std::string> open_;
};

}  // namespace tombola::analysis
