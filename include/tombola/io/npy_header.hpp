#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/dtype.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::io::detail {

/// What the header of a .npy file says, and where its data starts.
struct npy_header {
  dtype type = dtype::f64;  ///< of a number, or of both parts of a complex one
  bool complex = false;
  bool swapped = false;  ///< big-endian
  bool fortran_order = false;
  std::vector<std::size_t> extents;
  std::size_t data_at = 0;

  /// Bytes of an element.
  [[nodiscard]] std::size_t width() const noexcept { return info(type).bytes * (complex ? 2 : 1); }
};

inline constexpr std::string_view npy_magic{"\x93NUMPY", 6};
/// Axes and header bytes beyond which no array of numbers goes.
inline constexpr std::size_t max_npy_axes = 64;
inline constexpr std::size_t max_npy_header = std::size_t{1} << 20;

/// Reads the dictionary literal of a .npy header, `{'descr': '<f8', 'fortran_order': False,
/// 'shape': (12, 12), }`: these three keys, in any order, and nothing else.
class npy_dictionary {
public:
  npy_dictionary(std::string_view text, std::string file) : text_{text}, file_{std::move(file)} {}

  [[nodiscard]] npy_header read() {
    expect('{');
    while (!accept('}')) {
      member(string());
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (at_ != text_.size()) complain("has text after its dictionary, expected blanks");
    for (const char* key : {"descr", "fortran_order", "shape"}) {
      if (!has(key)) complain(std::string{"has no "} + key);
    }
    return std::move(header_);
  }

private:
  [[noreturn]] void complain(const std::string& what) const {
    throw format_error(file_, "header " + what);
  }

  [[nodiscard]] bool has(std::string_view key) const {
    return std::find(seen_.begin(), seen_.end(), key) != seen_.end();
  }

  void member(const std::string& key) {
    if (has(key)) complain("has " + shown(key) + " twice");
    expect(':');
    if (key == "descr") {
      skip_blanks();
      if (at_ < text_.size() && text_[at_] == '[') {
        complain("describes records of several fields, expected plain numbers");
      }
      read_type(string());
    } else if (key == "fortran_order") {
      header_.fortran_order = boolean();
    } else if (key == "shape") {
      read_shape();
    } else {
      complain("has the key " + shown(key) + ", expected descr, fortran_order and shape alone");
    }
    seen_.push_back(key);
  }

  void read_type(const std::string& descr) {
    constexpr std::pair<std::string_view, dtype> known[]{
        {"f8", dtype::f64}, {"f4", dtype::f32}, {"f2", dtype::f16}, {"i8", dtype::i64},
        {"i4", dtype::i32}, {"i2", dtype::i16}, {"i1", dtype::i8},  {"u8", dtype::u64},
        {"u4", dtype::u32}, {"u2", dtype::u16}, {"u1", dtype::u8},  {"b1", dtype::boolean},
        {"c8", dtype::f32}, {"c16", dtype::f64}};
    const std::string_view order{descr.data(), descr.find_first_not_of("<>|=") == 1 ? 1U : 0U};
    const std::string_view number = std::string_view{descr}.substr(order.size());
    if (number == "f16" || number == "c32") {
      complain("has the type " + shown(descr) +
               ", a long double, whose bytes differ from machine to machine; expected f8 or less");
    }
    const auto found = std::find_if(std::begin(known), std::end(known),
                                    [&](const auto& k) { return k.first == number; });
    // numpy takes a type without an order, and '=', as the machine's own: that of whoever wrote it,
    // which is not known here unless there is but one byte.
    const bool orderless = found != std::end(known) && info(found->second).bytes == 1;
    if (found == std::end(known) || (order != "<" && order != ">" && !orderless)) {
      complain("has the type " + shown(descr) +
               ", expected f2, f4, f8, c8, c16, i1 to i8, u1 to u8 or b1 with its byte order");
    }
    header_.type = found->second;
    header_.complex = number.front() == 'c';
    header_.swapped = order == ">" && !orderless;
  }

  void read_shape() {
    expect('(');
    while (!accept(')')) {
      if (header_.extents.size() == max_npy_axes) {
        complain("has a shape of more than " + std::to_string(max_npy_axes) + " axes");
      }
      header_.extents.push_back(number());
      if (!accept(',')) {
        // `(12)` is a number in brackets, not a shape of one axis.
        if (header_.extents.size() == 1)
          complain("has a shape that is no tuple, such as (12,) of one axis");
        expect(')');
        break;
      }
    }
  }

  [[nodiscard]] std::size_t number() {
    skip_blanks();
    std::size_t n = 0;
    const char* const from = text_.data() + at_;
    const auto [to, code] = std::from_chars(from, text_.data() + text_.size(), n);
    if (code == std::errc::result_out_of_range) {
      complain("has an extent that does not fit 64 bits");
    }
    if (code != std::errc{}) complain("has a shape of something else than whole numbers");
    at_ += static_cast<std::size_t>(to - from);
    return n;
  }

  [[nodiscard]] bool boolean() {
    skip_blanks();
    for (const auto& [word, value] :
         {std::pair{std::string_view{"True"}, true}, std::pair{std::string_view{"False"}, false}}) {
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    }
    complain("has a fortran_order that is neither True nor False");
  }

  [[nodiscard]] std::string string() {
    skip_blanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') {
      complain("is broken at byte " + std::to_string(at_) + ", expected text in quotes");
    }
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == text_.npos) complain("has a string without its closing quote");
    const std::string s{text_.substr(at_ + 1, end - at_ - 1)};
    at_ = end + 1;
    return s;
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  [[nodiscard]] bool accept(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) {
      complain(std::string{"is broken at byte "} + std::to_string(at_) + ", expected '" + c + "'");
    }
  }

  std::string_view text_;
  std::string file_;
  std::size_t at_ = 0;
  npy_header header_;
  std::vector<std::string> seen_;
};

/// Checks magic, version, header and that the data is exactly as long as type and shape say.
/// Throws format_error, naming the file.
[[nodiscard]] inline npy_header read_npy_header(std::span<const std::byte> bytes,
                                                const std::string& file) {
  // Reading char through std::byte memory is what the aliasing rules allow.
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  if (!text.starts_with(npy_magic)) {
    throw format_error(file, "does not start as a .npy file does");
  }
  const auto require = [&](std::size_t least) {
    if (text.size() >= least) return;
    throw format_error(file, "has " + std::to_string(text.size()) +
                                 " bytes, expected at least the " + std::to_string(least) +
                                 " up to the length of its header");
  };
  require(10);
  const int major = std::to_integer<int>(bytes[6]), minor = std::to_integer<int>(bytes[7]);
  if (major < 1 || major > 3 || minor != 0) {
    throw format_error(file, "is .npy version " + std::to_string(major) + "." +
                                 std::to_string(minor) + ", expected 1.0, 2.0 or 3.0");
  }
  const std::size_t start = major == 1 ? 10 : 12;
  require(start);
  const std::size_t length =
      major == 1 ? load<std::uint16_t>(bytes.data() + 8) : load<std::uint32_t>(bytes.data() + 8);
  if (length > max_npy_header) {
    throw format_error(file, "claims a header of " + std::to_string(length) +
                                 " bytes, expected at most " + std::to_string(max_npy_header));
  }
  if (length > text.size() - start) {
    throw format_error(file, "claims a header of " + std::to_string(length) + " bytes but has " +
                                 std::to_string(text.size() - start) + " after the length");
  }
  npy_header header = npy_dictionary{text.substr(start, length), file}.read();
  header.data_at = start + length;
  const auto numbers = byte_count(header.extents, header.type);
  if (!numbers || *numbers > std::numeric_limits<std::uint64_t>::max() / 2) {
    throw format_error(file,
                       "has shape " + shown(header.extents) + ", whose bytes do not fit 64 bits");
  }
  const std::uint64_t wanted = *numbers * (header.complex ? 2 : 1);
  const std::size_t found = text.size() - header.data_at;
  if (wanted != found) {
    throw format_error(file, "has shape " + shown(header.extents) + ", which takes " +
                                 std::to_string(wanted) + " bytes of data, but has " +
                                 std::to_string(found));
  }
  return header;
}

/// The bytes before the data, as numpy 1.14 to 2.x writes them: version 1.0, the dictionary, blanks
/// and a line break up to a multiple of 64. Room for a first extent of 21 digits is part of the
/// text, so that an array can be appended to in place; for short shapes the length is the same
/// without.
[[nodiscard]] inline std::string npy_header_text(std::string_view descr,
                                                 const std::vector<std::size_t>& extents) {
  std::string shape = "(";
  for (std::size_t i = 0; i < extents.size(); ++i) {
    shape += (i == 0 ? "" : ", ") + std::to_string(extents[i]);
  }
  shape += extents.size() == 1 ? ",)" : ")";
  std::string text =
      "{'descr': '" + std::string{descr} + "', 'fortran_order': False, 'shape': " + shape + ", }";
  if (!extents.empty()) text.append(21 - std::to_string(extents.front()).size(), ' ');
  // Never no blank at all: numpy adds 64 where none would be needed.
  text.append(64 - (npy_magic.size() + 4 + text.size() + 1) % 64, ' ');
  text += '\n';
  std::string head{npy_magic};
  head += '\x01';
  head += '\0';
  head += static_cast<char>(text.size() & 0xFF);
  head += static_cast<char>(text.size() >> 8);
  return head + text;
}

}  // namespace tombola::io::detail
