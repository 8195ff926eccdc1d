#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/core/error.hpp"

namespace tombola::io {

/// Text out of a file for a message: printable, at most so many characters, between quotes.
[[nodiscard]] inline std::string shown(std::string_view text, std::size_t most = 80) {
  return "'" + printable(text, most) + "'";
}

/// `(12, 12)`, as Python prints a shape; long ones are cut after eight extents.
[[nodiscard]] inline std::string shown(const std::vector<std::size_t>& extents) {
  constexpr std::size_t most = 8;
  std::string s = "(";
  for (std::size_t i = 0; i < std::min(extents.size(), most); ++i) {
    s += (i == 0 ? "" : ", ") + std::to_string(extents[i]);
  }
  if (extents.size() > most) s += ", ...";
  return s + (extents.size() == 1 ? ",)" : ")");
}

/// The shortest text that reads back as the same number.
template <class T>
requires std::integral<T> || std::floating_point<T>
[[nodiscard]] std::string shown(T x) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), x).ptr;
  return {text.data(), end};
}

}  // namespace tombola::io
