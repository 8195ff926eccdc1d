#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <utf8proc.h>

#include "tombola/core/error.hpp"
#include "tombola/io/atomic_file.hpp"

namespace tombola::data {

/// No text file of the experiments is near this: the largest of GLUE has 80 MB.
inline constexpr std::size_t longest_text_file = std::size_t{1} << 31;

/// One decoded character: its code point, and how many bytes it took.
struct decoded {
  std::int32_t code_point;
  std::size_t bytes;
};

/// Reads the first character. A byte that begins no UTF-8 sequence is U+FFFD, one byte long, so
/// that every text can be walked. Precondition: text is not empty.
[[nodiscard]] inline decoded decode(std::string_view text) noexcept {
  utf8proc_int32_t code_point = 0;
  // At most four bytes belong to a character; the cast is what utf8proc's signature asks for.
  const utf8proc_ssize_t n = utf8proc_iterate(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
      static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size(), 4)), &code_point);
  if (n <= 0) return {0xFFFD, 1};
  return {code_point, static_cast<std::size_t>(n)};
}

/// Place of the first byte that is not UTF-8; text.size() where all of it is. Cost: one pass.
[[nodiscard]] inline std::size_t first_not_utf8(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i < text.size()) {
    const bool ascii = static_cast<unsigned char>(text[i]) < 0x80;
    const std::size_t n = ascii ? 1 : decode(text.substr(i)).bytes;
    if (!ascii && n == 1) return i;
    i += n;
  }
  return i;
}

/// The text of a file in UTF-8, without a leading byte order mark.
///
/// Throws format_error, naming the line, where it is not UTF-8, and as io::read_text where it
/// cannot be read or has more than max_bytes bytes.
[[nodiscard]] inline std::string read_utf8(const std::filesystem::path& path,
                                           std::size_t max_bytes = longest_text_file) {
  std::string text = io::read_text(path, max_bytes);
  const std::size_t bad = first_not_utf8(text);
  if (bad < text.size()) {
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n');
    throw format_error(path.string(), "line " + std::to_string(line) +
                                          ": found bytes that are not UTF-8, expected text");
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return text;
}

/// The lines of a text, without their ends (LF or CR LF); an end after the last line adds none.
/// The views point into `text`.
[[nodiscard]] inline std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

/// The fields of one line of a tab-separated file. Quotes are ordinary characters.
/// Replaces what is in `fields`, whose memory is used again.
inline void split_fields(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (std::size_t begin = 0;;) {
    const std::size_t end = line.find('\t', begin);
    fields.push_back(line.substr(begin, end - begin));
    if (end == std::string_view::npos) return;
    begin = end + 1;
  }
}

}  // namespace tombola::data
