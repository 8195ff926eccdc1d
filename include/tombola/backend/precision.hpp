#pragma once

#include <array>
#include <cstddef>

namespace tombola {

/// What the operands of a backend's large products are rounded to. Parameters, activations, sums
/// and norms are what the backend's types say, float32 as a rule, whatever this is.
enum class product_precision {
  float32,
  bfloat16,  ///< 8 bits of mantissa, to the nearest, ties to even
};

[[nodiscard]] constexpr const char* to_string(product_precision p) noexcept {
  constexpr std::array<const char*, 2> names{"float32", "bfloat16"};
  return names[static_cast<std::size_t>(p)];
}

}  // namespace tombola
