#pragma once

#include <algorithm>
#include <cstddef>

#include "tombola/eigen/workers.hpp"

namespace tombola::eigen {

/// Columns that are summed at once: wide enough for vector registers and cache lines.
inline constexpr std::size_t summed_columns = 64;

/// Calls use(column, sum) with the sums over rows of term(row, column), columns shared between
/// threads. Rows are added in order, 64 at a time in T, and these sums in double.
template <class T, class P, class Term, class Use>
inline void sum_columns(
    workers<T, P>& w, std::size_t rows, std::size_t columns, const Term& term, const Use& use) {
  w.share_range(columns, summed_columns, [&](std::size_t first, std::size_t last, T*) {
    const std::size_t n = last - first;
    double total[summed_columns] = {};
    for (std::size_t start = 0; start < rows; start += 64) {
      T part[summed_columns] = {};
      const std::size_t end = std::min(rows, start + 64);
      for (std::size_t r = start; r < end; ++r) {
        for (std::size_t j = 0; j < n; ++j) part[j] += term(r, first + j);
      }
      for (std::size_t j = 0; j < n; ++j) total[j] += static_cast<double>(part[j]);
    }
    for (std::size_t j = 0; j < n; ++j) use(first + j, total[j]);
  });
}

}  // namespace tombola::eigen
