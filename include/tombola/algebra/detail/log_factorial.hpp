#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>

namespace tombola::detail {

/// What log n! has beyond n log n - n; 0 for n = 0.
///
/// Differences of log n! at n = 10^8 lose eight digits, and std::lgamma is not safe for threads.
/// With the large part taken out of the sum, nothing is lost: see log_hypergeometric.
/// Source: Stirling's series; C. Loader, "Fast and accurate computation of binomial
/// probabilities", 2000.
[[nodiscard]] inline double log_factorial_rest(double n) {
  if (n == 0.0) return 0.0;
  if (n < 10.0) {
    double factorial = 1.0;
    for (double i = 2.0; i <= n; i += 1.0) factorial *= i;
    return std::log(factorial) - n * std::log(n) + n;
  }
  const double x = 1.0 / (n * n);
  const double series =
      1.0 / 12 -
      x * (1.0 / 360 -
           x * (1.0 / 1260 -
                x * (1.0 / 1680 - x * (1.0 / 1188 - x * (691.0 / 360360 -
                                                         x * (1.0 / 156 - x * 3617.0 / 122400))))));
  return 0.5 * std::log(2.0 * std::numbers::pi * n) + series / n;
}

/// x log(x / m) - (x - m), given x - m exactly; not negative, 0 only for x = m.
/// Source: Loader 2000, function bd0.
[[nodiscard]] inline double deviance(double x, double m, double x_minus_m) {
  if (x == 0.0) return m;
  if (std::abs(x_minus_m) >= 0.1 * (x + m)) return x * std::log(x / m) - x_minus_m;
  const double v = x_minus_m / (x + m);
  double sum = x_minus_m * v;
  double power = 2.0 * x * v;
  for (double odd = 3.0;; odd += 2.0) {
    power *= v * v;
    const double next = sum + power / odd;
    if (next == sum) return sum;
    sum = next;
  }
}

}  // namespace tombola::detail
