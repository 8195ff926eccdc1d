#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>

namespace tombola::detail {

/// The smallest x from 0 up at which a rising function reaches `level`, to the last bit that
/// halving an interval of doubles can tell. Precondition: it gets there.
template <class Cdf>
[[nodiscard]] double smallest_reaching(double level, Cdf cdf) {
  double low = 0.0, high = 1.0;
  while (cdf(high) < level) low = high, high *= 2.0;
  for (;;) {
    const double middle = low + (high - low) / 2.0;
    if (middle <= low || middle >= high) return high;
    (cdf(middle) < level ? low : high) = middle;
  }
}

/// Quantile of the standard normal distribution. Precondition: 0.5 <= level < 1.
[[nodiscard]] inline double normal_quantile(double level) {
  const double tail = 1.0 - level;
  if (tail >= 0.5) return 0.0;
  return smallest_reaching(-tail, [](double z) { return -0.5 * std::erfc(z / std::sqrt(2.0)); });
}

/// P(|T| < t) for Student's t with n degrees of freedom, as a finite sum.
/// Source: M. Abramowitz, I. Stegun, "Handbook of mathematical functions", 26.7.3 and 26.7.4.
[[nodiscard]] inline double student_within(double t, std::size_t n) {
  const double angle = std::atan(t / std::sqrt(static_cast<double>(n)));
  const double sine = std::sin(angle), cosine = std::cos(angle), square = cosine * cosine;
  const bool odd = n % 2 == 1;
  double term = odd ? cosine : 1.0, sum = 0.0;
  for (std::size_t i = odd ? 3 : 2; i <= n; i += 2) {
    sum += term;
    const double last = static_cast<double>(i);
    term *= square * (last - 1.0) / last;
  }
  return odd ? 2.0 / std::numbers::pi * (angle + sine * sum) : sine * sum;
}

/// Degrees of freedom from which on the expansion about the normal quantile is as exact as the sum.
inline constexpr std::size_t student_expands_from = 1000;

/// Student's quantile from the normal one, in inverse powers of n. Source: the same, 26.7.5.
[[nodiscard]] inline double student_by_expansion(double level, std::size_t n) {
  const double z = normal_quantile(level), s = z * z, d = static_cast<double>(n);
  const double g1 = z * (s + 1.0) / 4.0;
  const double g2 = z * ((5.0 * s + 16.0) * s + 3.0) / 96.0;
  const double g3 = z * (((3.0 * s + 19.0) * s + 17.0) * s - 15.0) / 384.0;
  return z + (g1 + (g2 + g3 / d) / d) / d;
}

/// Quantile of Student's t with n degrees of freedom. Preconditions: 0.5 <= level < 1, n > 0.
[[nodiscard]] inline double student_quantile(double level, std::size_t n) {
  if (level <= 0.5) return 0.0;
  if (n >= student_expands_from) return student_by_expansion(level, n);
  return smallest_reaching(2.0 * level - 1.0, [n](double t) { return student_within(t, n); });
}

}  // namespace tombola::detail
