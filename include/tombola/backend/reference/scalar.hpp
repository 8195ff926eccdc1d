#pragma once

// What the reference verbs share: functions of single numbers, in double.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

#include "tombola/backend/forward.hpp"
#include "tombola/core/random.hpp"

namespace tombola::reference {

/// Element (row, column) of a matrix.
template <class T>
[[nodiscard]] constexpr T& at(const view<T>& v, std::size_t row, std::size_t column) noexcept {
  return v.data[row * v.cols + column];
}

/// Sum over i of a[i] * b[i], in double, in the order of i.
template <class T>
[[nodiscard]] double dot(const T* a, const T* b, std::size_t n) noexcept {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// Rounds a result to the element type: once, at the end.
template <class T>
void store(T& place, double value) noexcept {
  place = static_cast<T>(value);
}

/// Share of a standard normal law below z. erfc keeps its digits where z is far below 0, where
/// 1 + erf(z / sqrt 2) cancels.
[[nodiscard]] inline double normal_share(double z) noexcept {
  return 0.5 * std::erfc(-z / std::numbers::sqrt2);
}

/// z (1 + erf(z / sqrt 2)) / 2. Source: Hendrycks and Gimpel, arXiv:1606.08415, the exact form.
[[nodiscard]] inline double gelu(double z) noexcept {
  return z * normal_share(z);
}

/// gelu'(z) = share below z + z * density at z.
[[nodiscard]] inline double gelu_derivative(double z) noexcept {
  constexpr double peak = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
  return normal_share(z) + z * peak * std::exp(-0.5 * z * z);
}

/// What dropout multiplies one element by: 0, or 1 / (1 - rate). See dropout_bits.
[[nodiscard]] inline double dropout_factor(const dropout_bits& d,
                                           std::uint32_t example,
                                           std::uint32_t token,
                                           std::size_t column,
                                           std::size_t head = 0) noexcept {
  if (d.rate == 0.0) return 1.0;
  const auto words = philox4x32(
      {static_cast<std::uint32_t>(column / 4), token, example, static_cast<std::uint32_t>(head)},
      d.key);
  return words[column % 4] >= d.threshold() ? d.scale() : 0.0;
}

/// The same for row `row` of a matrix whose rows stand at `places`, which may be empty at rate 0.
[[nodiscard]] inline double dropout_factor(const dropout_bits& d,
                                           const row_places& places,
                                           std::size_t row,
                                           std::size_t column) noexcept {
  if (d.rate == 0.0) return 1.0;
  return dropout_factor(d, places.example.data[row], places.token.data[row], column);
}

/// log of the sum of exponentials of n numbers, n > 0: the largest is taken out first, so that
/// nothing overflows and the sum is at least 1.
template <class T>
[[nodiscard]] double log_sum_exp(const T* x, std::size_t n) noexcept {
  double largest = static_cast<double>(x[0]);
  for (std::size_t i = 1; i < n; ++i) largest = std::fmax(largest, static_cast<double>(x[i]));
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(x[i]) - largest);
  return largest + std::log(sum);
}

}  // namespace tombola::reference
