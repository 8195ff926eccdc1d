#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tombola/backend/forward.hpp"
#include "tombola/core/random.hpp"

namespace tombola::eigen {

/// Which row of a matrix dropout is asked about. Attention: token is the query, columns are keys.
struct dropout_row {
  std::uint32_t example = 0, token = 0, head = 0;
};

/// Columns whose factors are made at once.
inline constexpr std::size_t dropout_columns = 64;

/// factors[i] = what dropout multiplies column first + i by: 1 / (1 - rate) where kept, else 0.
/// first is a multiple of 4; count is at most dropout_columns, and factors has room for that many.
/// Cost: about 2 ns a column, all of it in the generator.
template <class T>
inline void dropout_factors(const dropout_bits& drop,
                            const dropout_row& row,
                            std::size_t first,
                            std::size_t count,
                            T* factors) noexcept {
  const std::uint32_t threshold = drop.threshold();
  const T scale = static_cast<T>(drop.scale());
  for (std::size_t i = 0; i < count; i += 4) {
    const auto counter = static_cast<std::uint32_t>((first + i) / 4);
    const auto words = philox4x32({counter, row.token, row.example, row.head}, drop.key);
    for (std::size_t j = 0; j < 4; ++j) factors[i + j] = words[j] >= threshold ? scale : T{0};
  }
}

/// x[i] *= the factor of column i, for a row of n numbers. Does nothing at rate 0.
template <class T>
inline void drop_row(const dropout_bits& drop,
                     const dropout_row& row,
                     T* x,
                     std::size_t n) noexcept {
  if (!(drop.rate > 0.0)) return;
  T factors[dropout_columns];
  for (std::size_t i = 0; i < n; i += dropout_columns) {
    const std::size_t m = std::min(dropout_columns, n - i);
    dropout_factors(drop, row, i, m, factors);
    for (std::size_t j = 0; j < m; ++j) x[i + j] *= factors[j];
  }
}

/// The row of a matrix whose rows stand at these places; anything at rate 0.
[[nodiscard]] inline dropout_row row_at(const dropout_bits& drop,
                                        const row_places& places,
                                        std::size_t row) noexcept {
  if (!(drop.rate > 0.0)) return {};
  return {places.example.data[row], places.token.data[row], 0};
}

}  // namespace tombola::eigen
