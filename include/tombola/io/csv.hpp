#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::io {

/// Bytes and columns beyond which no table of this kind goes.
inline constexpr std::size_t max_csv_bytes = std::size_t{1} << 30;
inline constexpr std::size_t max_csv_columns = 100'000;

/// A table of text with a heading line, as RFC 4180 describes it.
class csv_table {
public:
  /// header: names of the columns, each once. records: as long as the header each, with the lines
  /// that they start on. `file` is what messages call it.
  csv_table(std::string file,
            std::vector<std::string> header,
            std::vector<std::string> fields,
            std::vector<std::size_t> lines)
      : file_{std::move(file)},
        header_{std::move(header)},
        fields_{std::move(fields)},
        lines_{std::move(lines)} {}

  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  [[nodiscard]] const std::vector<std::string>& header() const noexcept { return header_; }
  [[nodiscard]] std::size_t columns() const noexcept { return header_.size(); }
  /// Records after the header.
  [[nodiscard]] std::size_t rows() const noexcept { return lines_.size(); }
  /// Precondition: r < rows(), c < columns().
  [[nodiscard]] const std::string& field(std::size_t r, std::size_t c) const noexcept {
    return fields_[r * columns() + c];
  }
  /// The line, counted from 1, on which record r starts.
  [[nodiscard]] std::size_t line(std::size_t r) const noexcept { return lines_[r]; }

  /// The column of a name. Throws format_error, naming the columns there are.
  [[nodiscard]] std::size_t column(std::string_view name) const {
    const auto at = std::find(header_.begin(), header_.end(), name);
    if (at != header_.end()) return static_cast<std::size_t>(at - header_.begin());
    std::string there;
    for (std::size_t c = 0; c < std::min<std::size_t>(columns(), 16); ++c) {
      there += (c == 0 ? "" : ", ") + shown(header_[c]);
    }
    throw format_error(
        file_, "has no column " + shown(name) + ", but " + there + (columns() > 16 ? ", ..." : ""));
  }

  /// A field as a number, all of it: a finite one in decimal notation, or a whole one that T holds.
  /// Throws format_error, naming line and column.
  template <class T = double>
  requires std::floating_point<T> || std::integral<T>
  [[nodiscard]] T number_of(std::size_t r, std::size_t c) const {
    const std::string& text = field(r, c);
    T x{};
    const auto end = std::from_chars(text.data(), text.data() + text.size(), x);
    bool good = end.ec == std::errc{} && end.ptr == text.data() + text.size();
    if constexpr (std::floating_point<T>) good = good && std::isfinite(x);
    if (!good) {
      throw format_error(file_, "line " + std::to_string(line(r)) + ", column " +
                                    shown(header_[c]) + ": " + shown(text) + ", expected " +
                                    expected<T>());
    }
    return x;
  }

private:
  template <class T>
  [[nodiscard]] static std::string expected() {
    if constexpr (std::floating_point<T>) return "a finite number";
    const std::string of = "a whole number of " + std::to_string(8 * sizeof(T)) + " bits";
    return std::is_unsigned_v<T> ? of + " from 0 up" : of;
  }

  std::string file_;
  std::vector<std::string> header_;
  std::vector<std::string> fields_;
  std::vector<std::size_t> lines_;
};

namespace detail {

/// Reads the records of a text, field by field.
class csv_parser {
public:
  csv_parser(std::string_view text, const std::string& file) : text_{text}, file_{file} {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
    if (const auto nul = text_.find('\0'); nul != text_.npos) {
      line_ += static_cast<std::size_t>(
          std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(nul), '\n'));
      complain("a byte 0, expected text");
    }
  }

  [[nodiscard]] csv_table read() {
    if (text_.empty()) throw format_error(file_, "is empty, expected a line with column names");
    std::vector<std::string> header = record();
    std::set<std::string_view> names;
    for (const std::string& name : header) {
      if (!names.insert(name).second) {
        throw format_error(file_,
                           "line 1: the column " + shown(name) + " twice, expected each name once");
      }
    }
    std::vector<std::string> fields;
    std::vector<std::size_t> lines;
    while (at_ < text_.size()) {
      lines.push_back(line_);
      const std::size_t started = line_;
      std::vector<std::string> found = record();
      if (found.size() != header.size()) {
        const bool empty = found.size() == 1 && found[0].empty();
        throw format_error(file_, "line " + std::to_string(started) + ": " +
                                      std::to_string(found.size()) + (empty ? " empty" : "") +
                                      (found.size() == 1 ? " field" : " fields") + ", expected " +
                                      std::to_string(header.size()) + " as in line 1");
      }
      std::move(found.begin(), found.end(), std::back_inserter(fields));
    }
    return {file_, std::move(header), std::move(fields), std::move(lines)};
  }

private:
  [[noreturn]] void complain(const std::string& what) const {
    throw format_error(file_, "line " + std::to_string(line_) + ": " + what);
  }

  [[nodiscard]] std::vector<std::string> record() {
    std::vector<std::string> fields;
    while (true) {
      if (fields.size() == max_csv_columns) {
        complain("more than " + std::to_string(max_csv_columns) + " fields, expected fewer");
      }
      fields.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted() : plain());
      if (at_ == text_.size()) return fields;
      const char c = text_[at_++];
      if (c == ',') continue;
      if (c == '\r') {
        if (at_ == text_.size() || text_[at_] != '\n') {
          complain("a carriage return without a line feed, expected both or a line feed");
        }
        ++at_;
      } else if (c != '\n') {
        complain("text after a closing quote, expected a comma or the line's end");
      }
      ++line_;
      return fields;
    }
  }

  [[nodiscard]] std::string plain() {
    const std::size_t end = std::min(text_.find_first_of(",\"\r\n", at_), text_.size());
    std::string field{text_.substr(at_, end - at_)};
    at_ = end;
    if (at_ < text_.size() && text_[at_] == '"') {
      complain("a quote inside a field that does not start with one, expected one around it too");
    }
    return field;
  }

  [[nodiscard]] std::string quoted() {
    const std::size_t started = line_;
    std::string field;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        if (at_ + 1 == text_.size() || text_[at_ + 1] != '"') {
          ++at_;
          return field;
        }
        ++at_;  // a doubled quote is one
      }
      if (text_[at_] == '\n') ++line_;
      field += text_[at_];
    }
    line_ = started;
    complain("a quoted field without its closing quote");
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace detail

/// Reads text as a table; `file` is what messages call it. Throws as read_csv does.
[[nodiscard]] inline csv_table parse_csv(std::string_view text, const std::string& file) {
  return detail::csv_parser{text, file}.read();
}

/// Reads a table with a heading line: fields between commas, in quotes where they hold a comma, a
/// quote (doubled) or a line break; lines that end in LF or CR LF, the last with or without. A byte
/// order mark in front is skipped. An empty line is a record of one empty field.
///
/// Throws input_error if the file cannot be opened or is larger than max_csv_bytes; format_error,
/// naming the line, where it is not such a table or a record has another number of fields than the
/// heading, or more than max_csv_columns. Memory: about 32 bytes a field, and the text. Source: RFC
/// 4180.
[[nodiscard]] inline csv_table read_csv(const std::filesystem::path& path) {
  return parse_csv(read_text(path, max_csv_bytes), path.string());
}

}  // namespace tombola::io
