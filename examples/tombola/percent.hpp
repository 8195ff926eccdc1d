#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace tombola::driver {

/// `part` of `all` in per cent, as in `99.99 %`. 0 and 100 are said of none and of all alone:
/// two decimals would call a checkpoint 2:4 that breaks the pattern in one block of 100,000.
/// Precondition: `all` is not 0, as nothing has no share.
inline std::string percent(std::uint64_t part, std::uint64_t all) {
  if (part == 0) return "0.00 %";
  if (part == all) return "100.00 %";
  const double exact = 100.0 * static_cast<double>(part) / static_cast<double>(all);
  return fmt::format("{:.2f} %", std::clamp(exact, 0.01, 99.99));
}

}  // namespace tombola::driver
