#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>

namespace tombola::analysis {

/// Why a deviation is missing, wherever one is.
inline constexpr const char* one_value = "a deviation takes two seeds or more";

/// Mean and sample deviation of a few numbers.
struct moments {
  std::size_t count = 0;
  std::optional<double> mean;       ///< nothing without a number
  std::optional<double> deviation;  ///< divisor n - 1; nothing with fewer than two numbers
};

/// Both in two passes, in double: the deviation does not cancel where the mean is large.
[[nodiscard]] inline moments moments_of(std::span<const double> values) {
  moments m{values.size(), std::nullopt, std::nullopt};
  if (values.empty()) return m;
  double sum = 0.0;
  for (const double v : values) sum += v;
  const double n = static_cast<double>(values.size());
  m.mean = sum / n;
  if (values.size() < 2) return m;
  double squares = 0.0;
  for (const double v : values) squares += (v - *m.mean) * (v - *m.mean);
  m.deviation = std::sqrt(squares / (n - 1.0));
  return m;
}

}  // namespace tombola::analysis
