#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tombola {

/// Text out of a file, made fit for a message: `most` characters at most, and every byte that is
/// not a printable character of ASCII a `?`. A file chooses its own names; it must not choose what
/// a terminal does.
[[nodiscard]] inline std::string printable(std::string_view text, std::size_t most = 80) {
  std::string s{text.substr(0, most)};
  std::replace_if(
      s.begin(), s.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > most ? s + "..." : s;
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

/// Root of everything the library throws. what() is one sentence that names what was found and
/// what was expected.
class error : public std::runtime_error {
public:
  explicit error(const std::string& sentence) : std::runtime_error{sentence} {}
};

/// The caller handed in something unusable: an option, a shape, a file. Nothing was changed.
class input_error : public error {
public:
  using error::error;
};

/// Two shapes that had to agree do not.
class shape_error : public input_error {
public:
  using input_error::input_error;
};

/// A file is not what it claims or ought to be.
///
/// The sentence starts with the file's name, followed by what was found and what was expected.
class format_error : public input_error {
public:
  format_error(const std::string& file, const std::string& complaint)
      : input_error{file + ": " + complaint}, file_{file} {}

  [[nodiscard]] const std::string& file() const noexcept { return file_; }

private:
  std::string file_;
};

/// The input was fine but the work failed: a loss became NaN, a disk is full.
class runtime_failure : public error {
public:
  using error::error;
};

}  // namespace tombola
