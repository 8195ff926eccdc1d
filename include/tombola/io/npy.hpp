#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/dtype.hpp"
#include "tombola/io/mapped_file.hpp"
#include "tombola/io/npy_header.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::io {

/// An array of numbers, row-major whatever the order in the file.
struct npy_array {
  std::vector<std::size_t> extents;
  std::vector<double> values;
  dtype type = dtype::f64;  ///< of the file
};

/// A 0/1 array as a mask, units numbered row-major over the extents.
struct npy_mask {
  std::vector<std::size_t> extents;
  tombola::mask mask;
};

namespace detail {

/// Counts through an array in the file's order and gives the row-major place of each element.
class npy_walk {
public:
  explicit npy_walk(const npy_header& h) : extents_{h.extents}, fortran_{h.fortran_order} {
    at_.resize(extents_.size());
    strides_.assign(extents_.size(), 1);
    for (std::size_t a = extents_.size(); a > 1; --a) {
      strides_[a - 2] = strides_[a - 1] * extents_[a - 1];
    }
  }

  [[nodiscard]] std::size_t place() const noexcept { return place_; }

  void next() noexcept {
    if (!fortran_) {
      ++place_;
      return;
    }
    // The first axis runs fastest.
    for (std::size_t a = 0; a < extents_.size(); ++a) {
      place_ += strides_[a];
      if (++at_[a] < extents_[a]) return;
      place_ -= strides_[a] * extents_[a];
      at_[a] = 0;
    }
  }

private:
  std::vector<std::size_t> extents_;
  std::vector<std::size_t> strides_;
  std::vector<std::size_t> at_;
  std::size_t place_ = 0;
  bool fortran_;
};

/// `(3, 5)` of a row-major place.
[[nodiscard]] inline std::string npy_index(std::size_t place,
                                           const std::vector<std::size_t>& extents) {
  std::vector<std::size_t> index(extents.size());
  for (std::size_t a = extents.size(); a > 0; --a) {
    index[a - 1] = place % extents[a - 1];
    place /= extents[a - 1];
  }
  return shown(index);
}

/// Reverses the bytes of each number of `width` bytes.
inline void swap_bytes(std::vector<std::byte>& raw, std::size_t width) {
  for (auto at = raw.begin(); at != raw.end(); at += static_cast<std::ptrdiff_t>(width)) {
    std::reverse(at, at + static_cast<std::ptrdiff_t>(width));
  }
}

/// Throws format_error unless the number means what the file says: a true is the byte 1, and a
/// whole number is one that a double tells from its neighbours.
inline void check_npy_value(const npy_header& h,
                            double x,
                            std::size_t place,
                            const std::string& file) {
  if (h.type == dtype::boolean && x > 1) {
    throw format_error(file, "element " + npy_index(place, h.extents) + " is the byte " + shown(x) +
                                 ", expected true (1) or false (0)");
  }
  const bool wide = h.type == dtype::i64 || h.type == dtype::u64;
  if (wide && std::abs(x) >= 0x1p53) {
    throw format_error(file, "element " + npy_index(place, h.extents) + " is about " + shown(x) +
                                 ", expected a whole number below 2^53 in size");
  }
}

/// Calls visit(place, value) for every element, converting a few thousand at a time. Throws
/// format_error, naming the element, as check_npy_value does and for a complex number that is not
/// real.
template <class Visit>
void visit_npy(const npy_header& h,
               std::span<const std::byte> data,
               const std::string& file,
               Visit visit) {
  constexpr std::size_t block = 4096;
  const std::size_t parts = h.complex ? 2 : 1;
  // A byte other than 0 and 1 is read as a number so that it can be refused.
  const dtype type = h.type == dtype::boolean ? dtype::u8 : h.type;
  std::vector<std::byte> raw;
  std::vector<double> values;
  npy_walk walk{h};
  while (!data.empty()) {
    const auto piece = data.first(std::min(data.size(), block * h.width()));
    data = data.subspan(piece.size());
    raw.assign(piece.begin(), piece.end());
    if (h.swapped) swap_bytes(raw, info(h.type).bytes);
    values.resize(raw.size() / info(h.type).bytes);
    convert(type, std::span<const std::byte>{raw}, std::span{values});
    for (std::size_t i = 0; i < values.size(); i += parts, walk.next()) {
      check_npy_value(h, values[i], walk.place(), file);
      if (h.complex && values[i + 1] != 0.0) {
        throw format_error(file, "element " + npy_index(walk.place(), h.extents) +
                                     " has the imaginary part " + shown(values[i + 1]) +
                                     ", expected real numbers");
      }
      visit(walk.place(), values[i]);
    }
  }
}

/// The array in these bytes, which are a whole .npy file; `file` is what messages call it.
[[nodiscard]] inline npy_array npy_array_in(std::span<const std::byte> bytes,
                                            const std::string& file) {
  const auto h = read_npy_header(bytes, file);
  const auto data = bytes.subspan(h.data_at);
  npy_array array{h.extents, std::vector<double>(data.size() / h.width()), h.type};
  visit_npy(h, data, file, [&](std::size_t i, double x) { array.values[i] = x; });
  return array;
}

/// The mask in these bytes, likewise.
[[nodiscard]] inline npy_mask npy_mask_in(std::span<const std::byte> bytes,
                                          const std::string& file) {
  const auto h = read_npy_header(bytes, file);
  const auto data = bytes.subspan(h.data_at);
  npy_mask m{h.extents, tombola::mask{data.size() / h.width()}};
  visit_npy(h, data, file, [&](std::size_t i, double x) {
    if (!(x == 0.0 || x == 1.0)) {
      throw format_error(file, "element " + npy_index(i, h.extents) + " is " + shown(x) +
                                   ", expected 0 or 1 in a mask");
    }
    if (x == 1.0) m.mask.set(i);
  });
  return m;
}

}  // namespace detail

/// Reads an array of numbers: .npy version 1 to 3, either byte order, either axis order; floats of
/// 2, 4 and 8 bytes, integers, booleans, and complex numbers that are real. Long doubles are
/// refused: their bytes differ from machine to machine.
///
/// Throws input_error if the file cannot be opened, format_error if it is not such an array, holds
/// more or fewer bytes than its shape, or a whole number of 2^53 or more in size, which a double
/// does not tell from its neighbours; both name it. Memory: 8 bytes an element.
[[nodiscard]] inline npy_array read_npy(const std::filesystem::path& path) {
  const mapped_file file{path};
  return detail::npy_array_in(file.bytes(), path.string());
}

/// Reads a 0/1 array of any type that read_npy takes. Throws as it does, and format_error, naming
/// value and index, at the first element that is neither 0 nor 1. Memory: one bit an element.
[[nodiscard]] inline npy_mask read_mask_npy(const std::filesystem::path& path) {
  const mapped_file file{path};
  return detail::npy_mask_in(file.bytes(), path.string());
}

namespace detail {

/// Throws input_error, naming the file, unless the extents cover n elements, and would be read
/// again.
inline void check_extents(const std::filesystem::path& path,
                          const std::vector<std::size_t>& extents,
                          std::size_t n) {
  if (extents.size() > max_npy_axes) {
    throw input_error(path.string() + ": an array of " + std::to_string(extents.size()) +
                      " axes, expected at most " + std::to_string(max_npy_axes));
  }
  if (byte_count(extents, dtype::u8) != n) {
    throw shape_error(path.string() + ": " + std::to_string(n) + " elements for shape " +
                      shown(extents));
  }
  // Without elements the other extents may be of any size; readers refuse those that overflow.
  if (!byte_count(extents, dtype::f64)) {
    throw input_error(path.string() + ": an array of shape " + shown(extents) +
                      ", whose bytes do not fit 64 bits");
  }
}

template <class T>
void write_npy_of(const std::filesystem::path& path,
                  const std::vector<std::size_t>& extents,
                  std::span<const T> values,
                  std::string_view descr) {
  check_extents(path, extents, values.size());
  atomic_file out{path};
  out.write(npy_header_text(descr, extents));
  out.write(std::as_bytes(values));
  out.commit();
}

}  // namespace detail

/// Writes a row-major array, byte for byte as numpy.save does; the file appears complete or not at
/// all. Throws shape_error, naming the file, if the extents do not cover the values, input_error if
/// they overflow beside an extent of 0; else as atomic_file does.
inline void write_npy(const std::filesystem::path& path,
                      const std::vector<std::size_t>& extents,
                      std::span<const float> values) {
  detail::write_npy_of(path, extents, values, "<f4");
}
inline void write_npy(const std::filesystem::path& path,
                      const std::vector<std::size_t>& extents,
                      std::span<const double> values) {
  detail::write_npy_of(path, extents, values, "<f8");
}

/// The number that a mask file holds for each unit: 0 or 1 in 4, 8, 1 and 1 bytes.
enum class mask_number { float32, float64, uint8, boolean };

namespace detail {

[[nodiscard]] constexpr std::string_view npy_descr(mask_number n) noexcept {
  constexpr std::array<std::string_view, 4> names{"<f4", "<f8", "|u1", "|b1"};
  return names[static_cast<std::size_t>(n)];
}

/// Calls take(bytes) with the mask's units as T, a few thousand at a time.
template <class T, class Take>
void each_piece_as(const tombola::mask& m, Take take) {
  constexpr std::size_t block = 4096;
  std::vector<T> values;
  for (std::size_t i = 0; i < m.size(); i += block) {
    values.clear();
    for (std::size_t j = i; j < std::min(m.size(), i + block); ++j) values.push_back(m[j] ? 1 : 0);
    take(std::as_bytes(std::span{std::as_const(values)}));
  }
}

template <class Take>
void each_piece(const tombola::mask& m, mask_number number, Take take) {
  switch (number) {
    case mask_number::float32:
      return each_piece_as<float>(m, take);
    case mask_number::float64:
      return each_piece_as<double>(m, take);
    case mask_number::uint8:
    case mask_number::boolean:
      return each_piece_as<std::uint8_t>(m, take);
  }
}

}  // namespace detail

/// Writes a mask as an array of 0 and 1: as float32 and float64 byte for byte the study's files.
/// Throws as write_npy.
inline void write_mask_npy(const std::filesystem::path& path,
                           const std::vector<std::size_t>& extents,
                           const tombola::mask& m,
                           mask_number number) {
  detail::check_extents(path, extents, m.size());
  atomic_file out{path};
  out.write(detail::npy_header_text(detail::npy_descr(number), extents));
  detail::each_piece(m, number, [&](std::span<const std::byte> bytes) { out.write(bytes); });
  out.commit();
}

}  // namespace tombola::io
