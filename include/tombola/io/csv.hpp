#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/mapped_file.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::io {

/// Bytes and columns beyond which no table of results goes.
inline constexpr std::size_t max_csv_bytes = std::size_t{1} << 30;
inline constexpr std::size_t max_csv_columns = 100'000;

namespace detail {

/// Fields of all records, the header's first, one behind another. max_csv_bytes fits 32 bits.
struct csv_fields {
  std::string text;
  std::vector<std::uint32_t> ends;   ///< [field] in `text`
  std::vector<std::uint32_t> lines;  ///< [record] line on which it starts
};

/// Splits comma-separated text, record by record.
class csv_parser {
public:
  csv_parser(std::string_view text, const std::string& file) : text_{text}, file_{file} {}

  [[nodiscard]] csv_fields read() {
    if (text_.size() > max_csv_bytes) {
      throw format_error(file_, "has " + std::to_string(text_.size()) +
                                    " bytes, expected at most " + std::to_string(max_csv_bytes));
    }
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);  // some editors' mark of UTF-8
    if (text_.empty()) {
      throw format_error(file_, "is empty, expected a header with the names of the columns");
    }
    const std::size_t columns = record();
    while (at_ < text_.size()) {
      const std::size_t start = line_, before = at_;
      if (const std::size_t n = record(); n != columns) {
        const bool empty = text_[before] == '\n' || text_[before] == '\r';
        complain(start,
                 empty ? std::string{"is empty"}
                       : "has " + std::to_string(n) + (n == 1 ? " field" : " fields"),
                 "expected " + std::to_string(columns) + " as in the header");
      }
    }
    return std::move(fields_);
  }

private:
  [[noreturn]] void complain(std::size_t line,
                             const std::string& found,
                             const std::string& expected) const {
    throw format_error(file_, "line " + std::to_string(line) + " " + found + ", " + expected);
  }

  /// Number of its fields.
  std::size_t record() {
    fields_.lines.push_back(static_cast<std::uint32_t>(line_));
    for (std::size_t n = 1;; ++n) {
      if (n > max_csv_columns) {
        complain(line_, "has more than " + std::to_string(max_csv_columns) + " fields",
                 "expected at most so many");
      }
      if (at_ < text_.size() && text_[at_] == '"') {
        quoted();
      } else {
        take(text_.find_first_of(std::string_view{",\n\r\"\0", 5}, at_));
      }
      fields_.ends.push_back(static_cast<std::uint32_t>(fields_.text.size()));
      if (at_ == text_.size()) return n;
      if (text_[at_] != ',') {
        line_break();
        return n;
      }
      ++at_;
    }
  }

  /// Moves text up to `end` into the field.
  void take(std::size_t end) {
    end = std::min(end, text_.size());
    fields_.text.append(text_.substr(at_, end - at_));
    at_ = end;
  }

  void quoted() {
    const std::size_t opened = line_;
    ++at_;
    while (true) {
      take(text_.find_first_of(std::string_view{"\"\n\0", 3}, at_));
      if (at_ == text_.size()) {
        complain(opened, "opens a quote that is never closed", "expected a closing quote");
      }
      if (text_[at_] == '\0') refuse_nul();
      if (text_[at_] == '\n') {
        ++line_;
        take(at_ + 1);
      } else if (text_.substr(at_).starts_with("\"\"")) {
        take(at_ + 1);
        ++at_;
      } else {
        ++at_;
        break;
      }
    }
    if (at_ == text_.size()) return;
    if (std::string_view{",\n\r\0", 4}.find(text_[at_]) == std::string_view::npos) {
      complain(line_, "has " + shown(text_.substr(at_, 1)) + " after a closing quote",
               "expected a comma or a line break");
    }
  }

  void line_break() {
    if (text_[at_] == '"') {
      complain(line_, "has a quote inside a field without quotes",
               "expected the field in quotes and the quote doubled");
    }
    if (text_[at_] == '\0') refuse_nul();
    if (text_[at_] == '\r') {
      ++at_;
      if (at_ == text_.size() || text_[at_] != '\n') {
        complain(line_, "has a carriage return without a line feed",
                 "expected both or the line feed alone");
      }
    }
    ++at_;
    ++line_;
  }

  [[noreturn]] void refuse_nul() const { complain(line_, "has a NUL byte", "expected text"); }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  csv_fields fields_;
};

}  // namespace detail

/// What a field can be read as: double, or an integer type that is neither bool nor char.
template <class T>
concept csv_number = std::same_as<T, double> ||
    (std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>);

/// A table out of a CSV file: a header with the names of the columns, and rows of as many fields.
/// Memory: the text, 4 bytes a field, 4 bytes a row.
class csv_table {
public:
  /// Of fields as csv_parser leaves them. Throws format_error if two columns have one name or the
  /// header names none.
  csv_table(std::string file, detail::csv_fields fields)
      : file_{std::move(file)}, fields_{std::move(fields)} {
    const std::size_t columns = fields_.ends.size() / fields_.lines.size();
    std::set<std::string_view> names;
    for (std::size_t c = 0; c < columns; ++c) {
      header_.emplace_back(piece(c));
      if (!names.insert(piece(c)).second) {
        throw format_error(file_, "line 1 names the column " + shown(piece(c)) +
                                      " twice, expected each name once");
      }
    }
    if (columns == 1 && header_[0].empty()) {
      throw format_error(file_, "line 1 names no column, expected one at least");
    }
  }

  /// What messages call it.
  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  /// Names of the columns, each once; one of them may be empty.
  [[nodiscard]] const std::vector<std::string>& header() const noexcept { return header_; }
  [[nodiscard]] std::size_t columns() const noexcept { return header_.size(); }
  /// Number of rows, the header not counted.
  [[nodiscard]] std::size_t rows() const noexcept { return fields_.lines.size() - 1; }

  /// Text of a field without its quotes; valid until the table is moved or goes.
  /// Precondition: r < rows(), c < columns().
  [[nodiscard]] std::string_view field(std::size_t r, std::size_t c) const noexcept {
    return piece((r + 1) * columns() + c);
  }

  /// Place of the column of this name. Throws format_error, naming file, column and the columns
  /// there are, where there is none. Cost: linear in the number of columns.
  [[nodiscard]] std::size_t column(std::string_view name) const {
    const auto found = std::find(header_.begin(), header_.end(), name);
    if (found != header_.end()) return static_cast<std::size_t>(found - header_.begin());
    constexpr std::size_t most = 20;
    std::string s = "has no column " + shown(name) + ", its columns are ";
    for (std::size_t c = 0; c < std::min(columns(), most); ++c) {
      s += (c == 0 ? "" : ", ") + shown(header_[c]);
    }
    throw format_error(file_, s + (columns() > most ? ", ..." : ""));
  }

  /// Line of the file, from 1, on which row r starts; line breaks inside quotes count.
  /// Precondition: r < rows().
  [[nodiscard]] std::size_t line(std::size_t r) const noexcept { return fields_.lines[r + 1]; }

  /// The whole field as a number in decimal digits; no blanks around it, no plus sign in front.
  ///
  /// Throws format_error, naming line, column, the field and what was expected, if it is no number,
  /// infinite, NaN, out of T's range, or for integers not whole. Precondition: as field().
  template <csv_number T = double>
  [[nodiscard]] T number_of(std::size_t r, std::size_t c) const {
    const std::string_view text = field(r, c);
    T value{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = end == text.data() + text.size();
    if (code == std::errc{} && whole) {
      if constexpr (std::integral<T>) {
        return value;
      } else {
        if (std::isfinite(value)) return value;
        refuse(r, c, "a finite number");
      }
    }
    if (code == std::errc::result_out_of_range && whole) {
      if constexpr (std::integral<T>) {
        refuse(r, c,
               "a whole number from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                   std::to_string(std::numeric_limits<T>::max()));
      } else {
        refuse(r, c, "a number within the range of a double");
      }
    }
    refuse(r, c,
           std::unsigned_integral<T> ? "a whole number of 0 or more"
           : std::integral<T>        ? "a whole number"
                                     : "a number");
  }

private:
  [[nodiscard]] std::string_view piece(std::size_t i) const noexcept {
    const std::size_t begin = i == 0 ? 0 : fields_.ends[i - 1];
    return std::string_view{fields_.text}.substr(begin, fields_.ends[i] - begin);
  }

  [[noreturn]] void refuse(std::size_t r, std::size_t c, const std::string& expected) const {
    throw format_error(file_, "line " + std::to_string(line(r)) + ", column " + shown(header_[c]) +
                                  ": " + shown(field(r, c)) + ", expected " + expected);
  }

  std::string file_;
  std::vector<std::string> header_;
  detail::csv_fields fields_;
};

/// A table from text as RFC 4180 (2005) describes it; `file` is what messages call it.
///
/// Fields split by commas; a field in double quotes may hold commas, line breaks, and quotes
/// written twice. Lines end in LF or CRLF, the last may end without. A UTF-8 byte order mark is
/// skipped. Bytes past ASCII are taken as they are; blanks belong to the field.
///
/// An empty line is, by the RFC, a record of one empty field: right in a table of one column,
/// refused as too short in any other.
///
/// Throws format_error, naming file and line, for records of different lengths, text after a
/// closing quote, a quote in a field without quotes, a quote that is never closed, a carriage
/// return alone outside quotes, a NUL byte, a column named twice, more than max_csv_columns columns
/// or max_csv_bytes bytes, and for a text without a header.
[[nodiscard]] inline csv_table parse_csv(std::string_view text, std::string file) {
  detail::csv_fields fields = detail::csv_parser{text, file}.read();
  return {std::move(file), std::move(fields)};
}

/// The same of a file. Throws as parse_csv does, and input_error where it cannot be opened.
/// Memory: in proportion to the file.
[[nodiscard]] inline csv_table read_csv(const std::filesystem::path& path) {
  const mapped_file file{path};
  const auto bytes = file.bytes();
  // Reading char through std::byte memory is what the aliasing rules allow.
  return parse_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

}  // namespace tombola::io
