#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"
#include "tombola/io/dtype.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::io::detail {

/// One tensor as the header describes it; offsets count from the end of the header.
struct header_entry {
  std::string name;
  dtype type = dtype::u8;
  std::vector<std::size_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Reads the header's JSON event by event, so that nothing is built that does not belong there:
/// memory is in proportion to the header, whatever it holds.
///
/// The shape of the text: {name: {"dtype": string, "shape": [n, ...], "data_offsets": [n, n]}, ...,
/// "__metadata__": {string: string, ...}}. Anything else is a format_error naming file and tensor.
class header_reader {
public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  explicit header_reader(std::string file) : file_{std::move(file)} {}

  std::vector<header_entry> entries;
  std::map<std::string, std::string> metadata;

  bool start_object(std::size_t) {
    if (where_ == place::outside) {
      where_ = place::top;
    } else if (where_ == place::top) {
      where_ = key_ == "__metadata__" ? place::metadata : place::tensor;
      if (where_ == place::tensor) start_tensor();
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(string_t& k) {
    if (where_ == place::tensor) {
      if (k != "dtype" && k != "shape" && k != "data_offsets") {
        complain("has the key " + shown(k) + ", expected dtype, shape and data_offsets alone");
      }
      if (!seen_.insert(k).second) complain("has " + k + " twice");
      member_ = k;
    } else if (where_ == place::metadata) {
      if (metadata.contains(k)) complain("has the key " + shown(k) + " twice");
      member_ = k;
    } else {
      if (!names_.insert(k).second) {
        throw format_error(file_, "header names " + shown(k) + " twice");
      }
      key_ = k;
    }
    return true;
  }

  bool end_object() {
    if (where_ == place::tensor) {
      for (const char* wanted : {"dtype", "shape", "data_offsets"}) {
        if (!seen_.contains(wanted)) complain(std::string{"has no "} + wanted);
      }
    }
    where_ = where_ == place::top ? place::outside : place::top;
    return true;
  }

  bool start_array(std::size_t) {
    if (where_ == place::tensor && member_ == "shape") {
      where_ = place::shape;
    } else if (where_ == place::tensor && member_ == "data_offsets") {
      where_ = place::offsets;
      offsets_ = 0;
    } else {
      unexpected("a list");
    }
    return true;
  }

  bool end_array() {
    if (where_ == place::offsets && offsets_ != 2) {
      complain("has " + std::to_string(offsets_) + " data_offsets, expected 2");
    }
    where_ = place::tensor;
    return true;
  }

  bool string(string_t& s) {
    if (where_ == place::metadata) {
      metadata.emplace(member_, s);
    } else if (where_ == place::tensor && member_ == "dtype") {
      const auto t = dtype_named(s);
      if (!t) {
        complain("has dtype " + shown(s) +
                 ", expected F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8 or BOOL");
      }
      entries.back().type = *t;
    } else {
      unexpected("the string " + shown(s));
    }
    return true;
  }

  bool number_unsigned(number_unsigned_t n) {
    if (where_ == place::shape) {
      entries.back().shape.push_back(n);
    } else if (where_ == place::offsets) {
      (offsets_ == 0 ? entries.back().begin : entries.back().end) = n;
      ++offsets_;
    } else {
      unexpected("the number " + std::to_string(n));
    }
    return true;
  }

  bool number_integer(number_integer_t n) { return unexpected("the number " + std::to_string(n)); }
  bool number_float(number_float_t, const string_t& text) {
    return unexpected("the number " + shown(text));
  }
  bool boolean(bool b) { return unexpected(b ? "true" : "false"); }
  bool null() { return unexpected("null"); }
  bool binary(binary_t&) { return unexpected("bytes"); }

  bool parse_error(std::size_t at, const std::string&, const nlohmann::json::exception& e) {
    throw format_error(
        file_, "header is not JSON at byte " + std::to_string(at) + ": " + complaint(e.what()));
  }

private:
  enum class place { outside, top, tensor, shape, offsets, metadata };

  void start_tensor() {
    entries.emplace_back().name = key_;
    seen_.clear();
  }

  [[noreturn]] void complain(const std::string& what) const {
    throw format_error(
        file_, (key_ == "__metadata__" ? "header: " : "tensor ") + shown(key_) + " " + what);
  }

  bool unexpected(const std::string& found) const {
    switch (where_) {
      case place::outside:
        throw format_error(file_, "header is " + found + ", expected an object");
      case place::top:
        complain("is " + found + ", expected an object");
      case place::tensor:
        complain("has " + found + " as its " + member_ + ", expected " +
                 (member_ == "dtype" ? "a string" : "a list of whole numbers"));
      case place::shape:
        complain("has " + found + " in its shape, expected whole numbers of 0 or more");
      case place::offsets:
        complain("has " + found + " in its data_offsets, expected whole numbers of 0 or more");
      case place::metadata:
        complain("holds " + found + " under " + shown(member_) + ", expected a string");
    }
    return false;
  }

  std::string file_;
  place where_ = place::outside;
  std::string key_;     // of the tensor, or __metadata__
  std::string member_;  // of the object inside it
  std::set<std::string> names_;
  std::set<std::string> seen_;
  std::size_t offsets_ = 0;
};

/// Entries and metadata of a header's text. Throws format_error, naming the file.
[[nodiscard]] inline header_reader read_header(std::string_view text, const std::string& file) {
  header_reader reader{file};
  nlohmann::json::sax_parse(text, &reader);
  return reader;
}

}  // namespace tombola::io::detail
