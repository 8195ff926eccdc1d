#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tombola/backend/backward.hpp"
#include "tombola/eigen/columns.hpp"
#include "tombola/eigen/workers.hpp"

namespace tombola::eigen {

/// out[t] = word + position + segment (where there is such a table), [T, C]; ids are in range,
/// whoever made the batch checked them.
template <class T, class P>
inline void compute(workers<T, P>& w, const embed<T>& v) {
  const std::size_t n = v.out.cols;
  const auto row = [n](const view<const T>& table, std::int32_t id) {
    return table.data + static_cast<std::size_t>(id) * n;
  };
  w.share_range(v.out.rows, rows_per_piece(n), [&](std::size_t first, std::size_t last, T*) {
    for (std::size_t t = first; t < last; ++t) {
      const T* word = row(v.word, v.ids.data[t]);
      const T* position = row(v.position, v.positions.data[t]);
      T* out = v.out.data + t * n;
      for (std::size_t j = 0; j < n; ++j) out[j] = word[j] + position[j];
      if (v.segment.empty()) continue;
      const T* segment = row(v.segment, v.segments.data[t]);
      for (std::size_t j = 0; j < n; ++j) out[j] += segment[j];
    }
  });
}

/// y[i] = x[rows[i]], [M, C] from [T, C].
template <class T, class P>
inline void compute(workers<T, P>& w, const gather_rows<T>& v) {
  const std::size_t n = v.x.cols;
  w.share_range(v.y.rows, rows_per_piece(n), [&](std::size_t first, std::size_t last, T*) {
    for (std::size_t i = first; i < last; ++i) {
      std::copy_n(v.x.data + static_cast<std::size_t>(v.rows.data[i]) * n, n, v.y.data + i * n);
    }
  });
}

/// table[rows[i]] += from[i] in the order of i. Rows may repeat, so threads share columns, not
/// rows.
template <class T, class P>
inline void scatter_add(workers<T, P>& w,
                        const view<const T>& from,
                        const view<const std::int32_t>& rows,
                        const view<T>& table) {
  const std::size_t n = from.cols;
  w.share_range(n, summed_columns, [&](std::size_t first, std::size_t last, T*) {
    for (std::size_t i = 0; i < from.rows; ++i) {
      const T* source = from.data + i * n;
      T* target = table.data + static_cast<std::size_t>(rows.data[i]) * n;
      for (std::size_t j = first; j < last; ++j) target[j] += source[j];
    }
  });
}

template <class T, class P>
inline void compute(workers<T, P>& w, const scatter_rows<T>& v) {
  scatter_add(w, v.dy, v.rows, v.dx);
}

/// Three tables, [V, C], [P, C] and [S, C] or none, added to one after another.
template <class T, class P>
inline void compute(workers<T, P>& w, const embed_backward<T, T>& v) {
  scatter_add(w, v.dout, v.ids, v.dword);
  scatter_add(w, v.dout, v.positions, v.dposition);
  if (!v.dsegment.empty()) scatter_add(w, v.dout, v.segments, v.dsegment);
}

}  // namespace tombola::eigen
