#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "tombola/backend/backward.hpp"
#include "tombola/eigen/approximations.hpp"
#include "tombola/eigen/dropping.hpp"
#include "tombola/eigen/workers.hpp"

namespace tombola::eigen {

// Where a result may stand in the place of an argument, a piece of the argument is copied there
// first and changed in place: with one pointer the compiler need not fear that two overlap.

template <class T>
inline void copy_unless_same(const T* from, std::size_t n, T* to) noexcept {
  if (from != to) std::copy_n(from, n, to);
}

/// dpre = dy * gelu'(pre).
template <class T, class P>
inline void compute(workers<T, P>& w, const gelu_backward<T>& v) {
  w.share_range(v.pre.size(), elements_per_piece, [&](std::size_t first, std::size_t last, T*) {
    T* dpre = v.dpre.data + first;
    const T* pre = v.pre.data + first;
    copy_unless_same(v.dy.data + first, last - first, dpre);
    for (std::size_t i = 0; i < last - first; ++i) dpre[i] *= gelu_slope(pre[i]);
  });
}

/// Whole rows to a piece, because the counters are those of a row.
template <class T, class P>
inline void compute(workers<T, P>& w, const dropout<T>& v) {
  const std::size_t n = v.x.cols;
  w.share_range(v.x.rows, rows_per_piece(n), [&](std::size_t first, std::size_t last, T*) {
    for (std::size_t row = first; row < last; ++row) {
      T* y = v.y.data + row * n;
      copy_unless_same(v.x.data + row * n, n, y);
      drop_row(v.drop, row_at(v.drop, v.places, row), y, n);
    }
  });
}

/// The library's tanh: only the pooler asks, one row per sequence.
template <class T, class P>
inline void compute(workers<T, P>& w, const tanh_of<T>& v) {
  w.share_range(v.x.size(), elements_per_piece, [&](std::size_t first, std::size_t last, T*) {
    for (std::size_t i = first; i < last; ++i) v.y.data[i] = std::tanh(v.x.data[i]);
  });
}

/// dx = dy * (1 - y^2), from tanh's result.
template <class T, class P>
inline void compute(workers<T, P>& w, const tanh_backward<T>& v) {
  w.share_range(v.y.size(), elements_per_piece, [&](std::size_t first, std::size_t last, T*) {
    for (std::size_t i = first; i < last; ++i) {
      v.dx.data[i] = v.dy.data[i] * (T{1} - v.y.data[i] * v.y.data[i]);
    }
  });
}

/// max(x, 0), and NaN where x is NaN: the order of the comparison says so.
template <class T, class P>
inline void compute(workers<T, P>& w, const relu_of<T>& v) {
  w.share_range(v.x.size(), elements_per_piece, [&](std::size_t first, std::size_t last, T*) {
    for (std::size_t i = first; i < last; ++i) {
      v.y.data[i] = v.x.data[i] <= T{0} ? T{0} : v.x.data[i];
    }
  });
}

/// dy where relu's result is above 0.
template <class T, class P>
inline void compute(workers<T, P>& w, const relu_backward<T>& v) {
  w.share_range(v.y.size(), elements_per_piece, [&](std::size_t first, std::size_t last, T*) {
    for (std::size_t i = first; i < last; ++i) {
      v.dx.data[i] = v.y.data[i] > T{0} ? v.dy.data[i] : T{0};
    }
  });
}

/// y = x * factors, row by row.
template <class T, class P>
inline void compute(workers<T, P>& w, const scale_columns<T>& v) {
  const std::size_t n = v.x.cols;
  w.share_range(v.x.rows, rows_per_piece(n), [&](std::size_t first, std::size_t last, T*) {
    for (std::size_t row = first; row < last; ++row) {
      T* y = v.y.data + row * n;
      copy_unless_same(v.x.data + row * n, n, y);
      for (std::size_t j = 0; j < n; ++j) y[j] *= v.factors.data[j];
    }
  });
}

/// Sums over each sequence's tokens, in double and in their order; columns are shared.
template <class T, class P>
inline void compute(workers<T, P>& w, const neuron_dots<T>& v) {
  constexpr std::size_t columns = 64;
  const std::size_t n = v.pre.cols, blocks = (n + columns - 1) / columns;
  w.share(v.sequences.count() * blocks, [&](std::size_t i, T*) {
    const std::size_t b = i / blocks, from = i % blocks * columns;
    const std::size_t count = std::min(columns, n - from);
    double sums[columns] = {}, absolutes[columns] = {};
    for (auto t = static_cast<std::size_t>(v.sequences.offsets.data[b]);
         t < static_cast<std::size_t>(v.sequences.offsets.data[b + 1]); ++t) {
      const T *pre = v.pre.data + t * n + from, *dy = v.dy.data + t * n + from;
      for (std::size_t j = 0; j < count; ++j) {
        const auto dot = static_cast<double>(gelu_of(pre[j]) * dy[j]);
        sums[j] += dot;
        absolutes[j] += std::abs(dot);
      }
    }
    for (std::size_t j = 0; j < count; ++j) {
      v.sums.data[b * n + from + j] = static_cast<T>(sums[j]);
      v.absolutes.data[b * n + from + j] = static_cast<T>(absolutes[j]);
    }
  });
}

/// [T, H] from two [T, H D]: row t and head h are D numbers from (t H + h) D on.
template <class T, class P>
inline void compute(workers<T, P>& w, const head_dots<T>& v) {
  const std::size_t n = v.a.cols, heads = v.dots.cols, width = n / heads;
  w.share_range(v.a.rows, rows_per_piece(n), [&](std::size_t first, std::size_t last, T*) {
    for (std::size_t i = first * heads; i < last * heads; ++i) {
      const T *a = v.a.data + i * width, *b = v.b.data + i * width;
      v.dots.data[i] = sum_over<T>(width, [a, b](std::size_t j) { return a[j] * b[j]; });
    }
  });
}

}  // namespace tombola::eigen
