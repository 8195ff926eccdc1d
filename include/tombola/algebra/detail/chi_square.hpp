#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>

namespace tombola::detail {

/// exp(x) * erfc(sqrt(x)) for x >= 0: the upper tail of chi square with one degree at 2 x,
/// without the exp(-x) that would take it below the smallest double.
[[nodiscard]] inline double scaled_erfc_of_root(double x) {
  if (x < 40.0) return std::exp(x) * std::erfc(std::sqrt(x));
  // 1 / sqrt(pi x) * (1 - 1/(2x) + 3/(2x)^2 - 15/(2x)^3 ...): at x >= 40 the terms fall below
  // 1e-17 of the sum before they grow again.
  double sum = 1.0, term = 1.0;
  for (double i = 1.0; i < 40.0; i += 1.0) {
    term *= -(2.0 * i - 1.0) / (2.0 * x);
    if (std::abs(term) < 1e-18) break;
    sum += term;
  }
  return sum / std::sqrt(std::numbers::pi * x);
}

/// log of the upper tail of chi square at q >= 0, for degrees >= 1. In (-inf, 0].
///
/// For whole degrees the tail is a finite sum of positive terms, so it is exact up to rounding, and
/// in logarithms it never becomes 0. Cost: degrees / 2 terms.
/// Source: M. Abramowitz, I. Stegun, Handbook of Mathematical Functions, 26.4.4 and 26.4.5.
[[nodiscard]] inline double log_chi_square_tail(double q, std::size_t degrees) {
  const double x = 0.5 * q;
  if (x == 0.0) return 0.0;
  const bool odd = degrees % 2 == 1;
  // exp(x) times the tail. Even: sum of x^j / j! for j < degrees / 2. Odd: the tail for one degree,
  // then x^(j - 1/2) / Gamma(j + 1/2).
  double sum = odd ? scaled_erfc_of_root(x) : 1.0;
  double term = odd ? 2.0 * std::sqrt(x * std::numbers::inv_pi) : x;
  double scale = 0.0;
  constexpr double large = 0x1p+512;
  for (std::size_t j = 1; j <= (degrees - 1) / 2; ++j) {
    sum += term;
    term *= x / (static_cast<double>(j) + (odd ? 0.5 : 1.0));
    if (sum > large || term > large) {
      sum /= large;
      term /= large;
      scale += 512.0 * std::numbers::ln2;
    }
  }
  return std::fmin(std::log(sum) + scale - x, 0.0);
}

}  // namespace tombola::detail
