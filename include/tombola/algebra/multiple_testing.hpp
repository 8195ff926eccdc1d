#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "tombola/core/error.hpp"

namespace tombola {

// Several tests at once: p-values adjusted so that each can be held against the level one has in
// mind. Both keep the order of what they are given, and throw input_error for a p outside [0, 1].

namespace detail {

/// Places of p-values, the smallest first; of equal ones the lower place.
[[nodiscard]] inline std::vector<std::size_t> by_rising_p(std::span<const double> p) {
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!(p[i] >= 0.0 && p[i] <= 1.0)) {
      throw input_error("p-value " + std::to_string(i) + " is " + std::to_string(p[i]) +
                        ", expected a number from 0 to 1");
    }
  }
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  return order;
}

}  // namespace detail

/// Holm's step-down adjustment: rejecting where the adjusted p is at most the level makes one false
/// rejection or more with at most that probability, however the tests depend on each other.
/// Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
/// Journal of Statistics 6(2), 1979.
[[nodiscard]] inline std::vector<double> holm(std::span<const double> p) {
  const auto order = detail::by_rising_p(p);
  std::vector<double> adjusted(p.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const double left = static_cast<double>(order.size() - i);
    largest = std::max(largest, std::min(1.0, left * p[order[i]]));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

/// Benjamini and Hochberg's step-up adjustment: rejecting where the adjusted p is at most the level
/// makes at most that share of false ones among the rejections on the average, for independent or
/// positively dependent tests.
/// Source: Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", JRSS B 57(1), 1995.
[[nodiscard]] inline std::vector<double> benjamini_hochberg(std::span<const double> p) {
  const auto order = detail::by_rising_p(p);
  std::vector<double> adjusted(p.size());
  const double n = static_cast<double>(order.size());
  double smallest = 1.0;
  for (std::size_t i = order.size(); i-- > 0;) {
    smallest = std::min(smallest, p[order[i]] * n / static_cast<double>(i + 1));
    adjusted[order[i]] = smallest;
  }
  return adjusted;
}

/// One p-value of several independent tests of one hypothesis, from the natural logarithms of
/// theirs: Fisher's method. With discrete tests it is too large rather than too small. Of no test
/// at all: 1.
///
/// Throws input_error for a logarithm above 0 or NaN. The sum of their negatives, x, is half a
/// chi-square of 2k degrees, whose upper tail is exp(-x) sum_{i<k} x^i / i!.
/// Source: R. A. Fisher, "Statistical Methods for Research Workers", 4th edition, 1932, 21.1.
[[nodiscard]] inline double combined_p(std::span<const double> log_p) {
  double x = 0.0;
  for (std::size_t i = 0; i < log_p.size(); ++i) {
    if (!(log_p[i] <= 0.0)) {
      throw input_error("logarithm " + std::to_string(i) + " of a p-value is " +
                        std::to_string(log_p[i]) + ", expected a number up to 0");
    }
    x -= log_p[i];
  }
  if (std::isinf(x)) return 0.0;
  // Terms are weighed before they are added: x^i alone overflows where exp(-x) underflows.
  double p = log_p.empty() ? 1.0 : 0.0, log_term = -x;
  for (std::size_t i = 0; i < log_p.size(); ++i) {
    p += std::exp(log_term);
    log_term += std::log(x) - std::log(static_cast<double>(i + 1));
  }
  return std::min(p, 1.0);
}

}  // namespace tombola
