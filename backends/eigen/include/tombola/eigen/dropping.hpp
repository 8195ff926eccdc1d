#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tombola/backend/forward.hpp"

namespace tombola::eigen {

/// Which row of a matrix dropout is asked about. Attention: token is the query, columns are keys.
struct dropout_row {
  std::uint32_t example = 0, token = 0, head = 0;
};

/// Columns whose multipliers are made at once: sixteen counters of four words each.
inline constexpr std::size_t dropout_columns = 64;

/// factors[i] = what dropout multiplies column first + i by: 1 / (1 - rate) where kept, else 0.
/// first is a multiple of 4. The words are those of philox4x32 in core/random.hpp, for sixteen
/// counters in step: that is the form in which the compiler uses vector registers.
template <class T>
inline void dropout_factors(const dropout_bits& drop,
                            const dropout_row& row,
                            std::size_t first,
                            T* factors) noexcept {
  constexpr std::size_t lanes = dropout_columns / 4;
  std::uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes];
  for (std::size_t j = 0; j < lanes; ++j) {
    c0[j] = static_cast<std::uint32_t>(first / 4 + j);
    c1[j] = row.token;
    c2[j] = row.example;
    c3[j] = row.head;
  }
  std::uint32_t k0 = drop.key[0], k1 = drop.key[1];
  for (int round = 0; round < 10; ++round) {
    for (std::size_t j = 0; j < lanes; ++j) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0[j];
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c2[j];
      c0[j] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[j] ^ k0;
      c1[j] = static_cast<std::uint32_t>(p1);
      c2[j] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[j] ^ k1;
      c3[j] = static_cast<std::uint32_t>(p0);
    }
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  const std::uint32_t threshold = drop.threshold();
  const T scale = static_cast<T>(drop.scale());
  for (std::size_t j = 0; j < lanes; ++j) {
    factors[4 * j] = c0[j] >= threshold ? scale : T{0};
    factors[4 * j + 1] = c1[j] >= threshold ? scale : T{0};
    factors[4 * j + 2] = c2[j] >= threshold ? scale : T{0};
    factors[4 * j + 3] = c3[j] >= threshold ? scale : T{0};
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
    dropout_factors(drop, row, i, factors);
    const std::size_t m = std::min(dropout_columns, n - i);
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
