#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <string>

#include "tombola/algebra/estimate.hpp"
#include "tombola/core/error.hpp"

namespace tombola {

namespace detail {

/// The continued fraction 1 / (1 + c(1) / (1 + c(2) / (1 + ...))), by the modified Lentz method. It
/// ends when a step changes the value by no more than a rounding, at the latest after a million.
template <class Coefficient>
[[nodiscard]] double continued_fraction(Coefficient c) {
  double above = 1.0, below = 0.0, value = 1.0;
  for (std::size_t j = 1; j <= 1'000'000; ++j) {
    const double coefficient = c(static_cast<double>(j));
    below = 1.0 / (1.0 + coefficient * below);
    above = 1.0 + coefficient / above;
    const double change = above * below;
    value *= change;
    if (std::abs(change - 1.0) <= std::numeric_limits<double>::epsilon()) break;
  }
  return 1.0 / value;
}

/// log of Gamma(a + 1/2) / Gamma(a), a > 0. Two calls of lgamma would cancel ten digits at the
/// hundred thousands of observations that the study has.
/// Source: F. Tricomi, A. Erdelyi, Pacific Journal of Mathematics 1, 1951, for large a; the
/// recurrence of Gamma below.
[[nodiscard]] inline double log_gamma_step(double a) {
  double sum = 0.0;
  for (; a < 20.0; a += 1.0) sum += std::log(a / (a + 0.5));
  const double i = 1.0 / a, ii = i * i;
  const double series =
      1.0 / 8.0 -
      ii * (1.0 / 192.0 - ii * (1.0 / 640.0 - ii * (17.0 / 14336.0 - ii * 31.0 / 18432.0)));
  return sum + 0.5 * std::log(a) - i * series;
}

/// I(1 - r^2; a, 1/2), the regularised incomplete beta function, for 0 < |r| < 1 and a > 0.
///
/// Two continued fractions of the hypergeometric function: in r^2 where r is small, else in
/// (1 - r^2) / r^2, whose coefficients are all positive: nothing cancels, however large a is.
/// Source: NIST Digital Library of Mathematical Functions, 8.17.22 and 15.7.5 with 15.8.1.
[[nodiscard]] inline double beta_tail_of_correlation(double r, double a) {
  const double y = r * r, x = (1.0 - r) * (1.0 + r);
  const double log_x = y < 0.5 ? std::log1p(-y) : std::log(x);
  const double front = std::exp(a * log_x + log_gamma_step(a)) / std::sqrt(std::numbers::pi);
  if (x >= (a + 1.0) / (a + 2.5)) {
    const double small = continued_fraction([a, y](double j) {
      const double m = std::floor(j / 2.0);
      return std::fmod(j, 2.0) == 1.0
                 ? -(0.5 + m) * (0.5 + a + m) * y / ((0.5 + 2.0 * m) * (1.5 + 2.0 * m))
                 : m * (a - m) * y / ((2.0 * m - 0.5) * (2.0 * m + 0.5));
    });
    return 1.0 - 2.0 * front * std::abs(r) * small;
  }
  const double large = continued_fraction([a, z = x / y](double j) {
    const double m = std::floor(j / 2.0);
    return std::fmod(j, 2.0) == 1.0
               ? z * (0.5 + m) * (a + m) / ((a + 2.0 * m) * (a + 1.0 + 2.0 * m))
               : z * m * (a - 0.5 + m) / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
  });
  return front * large / (a * std::abs(r));
}

}  // namespace detail

/// How often n independent pairs of normal variables correlate by |r| or more, in either direction:
/// the two-sided p of Student's t = r sqrt((n - 2) / (1 - r^2)) at n - 2 degrees.
///
/// In [0, 1], to 13 digits for any n; 0 where it is below the smallest double, and at |r| = 1 from
/// three units on. Two units always correlate by 1, so p is 1 there. Undefined as r is, and
/// too_few_units below two. Throws input_error for an r outside [-1, 1].
/// Source: R. A. Fisher, "Frequency distribution of the values of the correlation coefficient in
/// samples from an indefinitely large population", Biometrika 10(4), 1915.
[[nodiscard]] inline estimate p_of_correlation(const estimate& r, std::size_t n) {
  if (!r.defined()) return r;
  if (!(std::abs(r.value) <= 1.0)) {
    throw input_error("p_of_correlation: r is " + std::to_string(r.value) +
                      ", expected a number from -1 to 1");
  }
  if (n < 2) return undefined(reason::too_few_units);
  if (n == 2 || r.value == 0.0) return defined(1.0);
  if (std::abs(r.value) == 1.0) return defined(0.0);
  const double a = (static_cast<double>(n) - 2.0) / 2.0;
  return defined(std::clamp(detail::beta_tail_of_correlation(r.value, a), 0.0, 1.0));
}

}  // namespace tombola
