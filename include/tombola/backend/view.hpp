#pragma once

#include <cstddef>
#include <string>
#include <type_traits>

#include "tombola/core/error.hpp"

namespace tombola {

/// A contiguous row-major matrix of rows x cols numbers in a backend's memory, owned by nobody
/// here.
///
/// The pointer may be a device address: only the backend that made it may look through it.
/// A vector of n numbers is n x 1 or 1 x n. An empty view (no rows) stands for "not wanted".
template <class T>
struct view {
  T* data = nullptr;
  std::size_t rows = 0;
  std::size_t cols = 0;

  [[nodiscard]] constexpr std::size_t size() const noexcept { return rows * cols; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size() == 0; }

  /// Rows first to first + count. Precondition: they exist.
  [[nodiscard]] constexpr view rows_from(std::size_t first, std::size_t count) const noexcept {
    return {data + first * cols, count, cols};
  }
  constexpr operator view<const T>() const noexcept  // NOLINT: reading what may be written
      requires(!std::is_const_v<T>) {
    return {data, rows, cols};
  }
};

/// The same view for reading only, where a template needs the exact type.
template <class T>
[[nodiscard]] constexpr view<const T> read_only(const view<T>& v) noexcept {
  return {v.data, v.rows, v.cols};
}

/// `417 x 384`, for messages.
[[nodiscard]] inline std::string shape_text(std::size_t rows, std::size_t cols) {
  return std::to_string(rows) + " x " + std::to_string(cols);
}

/// Throws shape_error unless the view has this shape. `verb` and `name` say where.
template <class T>
void require_shape(
    const view<T>& v, std::size_t rows, std::size_t cols, const char* verb, const char* name) {
  if (v.rows != rows || v.cols != cols) {
    throw shape_error(std::string{verb} + ": " + name + " is " + shape_text(v.rows, v.cols) +
                      ", expected " + shape_text(rows, cols));
  }
}

/// The same, but an empty view is also fine.
template <class T>
void require_shape_or_empty(
    const view<T>& v, std::size_t rows, std::size_t cols, const char* verb, const char* name) {
  if (!v.empty()) require_shape(v, rows, cols, verb, name);
}

/// Throws shape_error unless the view has n numbers, whatever its shape.
template <class T>
void require_length(const view<T>& v, std::size_t n, const char* verb, const char* name) {
  if (v.size() != n) {
    throw shape_error(std::string{verb} + ": " + name + " has " + std::to_string(v.size()) +
                      " numbers, expected " + std::to_string(n));
  }
}

template <class T>
void require_length_or_empty(const view<T>& v, std::size_t n, const char* verb, const char* name) {
  if (!v.empty()) require_length(v, n, verb, name);
}

}  // namespace tombola
