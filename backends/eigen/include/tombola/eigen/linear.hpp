#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tombola/backend/backward.hpp"
#include "tombola/eigen/approximations.hpp"
#include "tombola/eigen/columns.hpp"
#include "tombola/eigen/products.hpp"
#include "tombola/eigen/workers.hpp"

namespace tombola::eigen {

/// How the result of a product is cut into tiles, computed from its sizes alone. The inner
/// dimension is not cut.
struct tiling {
  std::size_t rows = 1, columns = 1;            ///< of a tile; those at the end may be smaller
  std::size_t row_tiles = 0, column_tiles = 0;  ///< how many

  [[nodiscard]] constexpr std::size_t count() const noexcept { return row_tiles * column_tiles; }
};

/// Parts of n numbers of at most `most`, as equal as multiples of `step` allow.
[[nodiscard]] constexpr std::size_t even_part(std::size_t n,
                                              std::size_t most,
                                              std::size_t step) noexcept {
  const std::size_t parts = (n + most - 1) / most;
  return ((n + parts - 1) / parts + step - 1) / step * step;
}

/// A result of e.m x e.n cut into tiles of at most so many rows and columns, as equal as they get.
[[nodiscard]] constexpr tiling cut_evenly(extents e,
                                          std::size_t most_rows,
                                          std::size_t most_columns) noexcept {
  tiling t;
  t.rows = even_part(e.m, most_rows, 8);
  t.row_tiles = (e.m + t.rows - 1) / t.rows;
  t.columns = even_part(e.n, most_columns, 48);
  t.column_tiles = (e.n + t.columns - 1) / t.columns;
  return t;
}

/// Tiles of up to 384 x 192, of half and a quarter the rows where that would give fewer than 16:
/// a tile packs both its operands, so large ones cost less, but there have to be enough to share.
/// A tile takes at least 2 million multiplications, below which waking a thread does not pay.
/// Precondition: no size is 0.
[[nodiscard]] constexpr tiling tiles_of(extents e) noexcept {
  tiling t;
  for (std::size_t most = 384; most >= 96; most /= 2) {
    t = cut_evenly(e, most, 192);
    const std::size_t half_tile = t.rows / 2 * std::min(t.columns, e.n) * e.k;
    if (t.count() >= 16 || half_tile < 2'000'000) break;
  }
  return t;
}

/// The same for operands of 16 bits: tiles of up to 256 x 768, of 192 x 384 where that would give
/// fewer than 16, of 192 x 192 where that would give fewer than 8. A product of theirs takes half
/// the time, so that packing, and a result that goes to memory in short rows, count twice.
[[nodiscard]] constexpr tiling rounded_tiles_of(extents e) noexcept {
  struct shape {
    std::size_t rows, columns, least;
  };
  tiling t;
  for (const shape most : {shape{256, 768, 16}, shape{192, 384, 8}, shape{192, 192, 0}}) {
    t = cut_evenly(e, most.rows, most.columns);
    if (t.count() >= most.least) break;
  }
  return t;
}

/// Where a tile lies in the result.
struct tile {
  std::size_t row = 0, column = 0, rows = 0, columns = 0;
};

/// Calls body(tile, workspace) for every tile of a result of m x n.
template <class T, class P, class Body>
inline void for_tiles(
    workers<T, P>& w, const tiling& t, std::size_t m, std::size_t n, const Body& body) {
  w.plan(w.product().template workspace<T>());
  w.share(t.count(), [&](std::size_t i, T* workspace) {
    tile at{i / t.column_tiles * t.rows, i % t.column_tiles * t.columns, t.rows, t.columns};
    at.rows = std::min(at.rows, m - at.row);
    at.columns = std::min(at.columns, n - at.column);
    body(at, workspace);
  });
}

/// Calls body(pointer, count) for the rows of a tile of a matrix.
template <class T, class Body>
inline void for_rows(const view<T>& m, const tile& at, const Body& body) {
  for (std::size_t i = 0; i < at.rows; ++i) {
    body(m.data + (at.row + i) * m.cols + at.column, at.columns);
  }
}

/// The tile of a matrix, as an operand.
template <class T>
[[nodiscard]] inline block<T> part_of(const view<T>& m, std::size_t row, std::size_t column) {
  return {m.data + row * m.cols + column, m.cols};
}

/// The part of operand a that a tile of the product needs, and that of b.
template <form F, class T>
[[nodiscard]] inline block<T> left_of(const view<T>& a, const tile& at) {
  return F == form::tn ? part_of(a, 0, at.row) : part_of(a, at.row, 0);
}
template <form F, class T>
[[nodiscard]] inline block<T> right_of(const view<T>& b, const tile& at) {
  return F == form::nt ? part_of(b, at.column, 0) : part_of(b, 0, at.column);
}

/// What becomes of what a result held before.
enum class onto { nothing, what_is_there };

/// The product of a and b, written over c or added to it tile by tile; after(tile) sees the result
/// while it is in the cache.
template <form F, class T, class P, class After>
inline void multiply(workers<T, P>& w,
                     const view<const T>& a,
                     const view<const T>& b,
                     onto under,
                     const view<T>& c,
                     const After& after) {
  const extents whole{c.rows, c.cols, F == form::tn ? a.rows : a.cols};
  if (whole.m == 0 || whole.n == 0) return;
  const auto sizes_of = [&](const tile& at) { return extents{at.rows, at.columns, whole.k}; };
  if constexpr (rounding_products<P, T>) {
    if (w.product().rounds(whole)) {
      std::uint16_t* const halves = w.halves(a.size() + b.size());
      const view<const std::uint16_t> left{halves, a.rows, a.cols};
      const view<const std::uint16_t> right{halves + a.size(), b.rows, b.cols};
      const auto round = [&](const view<const T>& from, std::uint16_t* to) {
        w.share_range(from.size(), 2 * elements_per_piece,
                      [&](std::size_t first, std::size_t last, T*) {
                        w.product().round(from.data + first, last - first, to + first);
                      });
      };
      round(a, halves);
      round(b, halves + a.size());
      for_tiles(w, rounded_tiles_of(whole), whole.m, whole.n, [&](const tile& at, T*) {
        const auto rows = left_of<F>(left, at), columns = right_of<F>(right, at);
        const block<T> result = part_of(c, at.row, at.column);
        if (under == onto::nothing) {
          w.product().template put_rounded<F>(sizes_of(at), rows, columns, result);
        } else {
          w.product().template add_rounded<F>(sizes_of(at), rows, columns, result);
        }
        after(at);
      });
      return;
    }
  }
  const tiling tiles = tiles_of({whole.m, whole.n, std::max<std::size_t>(1, whole.k)});
  for_tiles(w, tiles, whole.m, whole.n, [&](const tile& at, T* workspace) {
    const auto rows = left_of<F>(a, at), columns = right_of<F>(b, at);
    const block<T> result = part_of(c, at.row, at.column);
    if (under == onto::nothing) {
      w.product().template put<F>(sizes_of(at), rows, columns, result, workspace);
    } else {
      w.product().template add<F>(sizes_of(at), T{1}, rows, columns, result, workspace);
    }
    after(at);
  });
}

/// Adds the bias to a row of a tile, if there is one.
template <class T>
inline void add_bias(const view<const T>& bias, const tile& at, T* row, std::size_t n) {
  if (bias.empty()) return;
  const T* const b = bias.data + at.column;
  for (std::size_t j = 0; j < n; ++j) row[j] += b[j];
}

/// y = x weight^T + bias, [M, N] from [M, K] and [N, K]; overwritten.
template <class T, class P>
inline void compute(workers<T, P>& w, const linear<T>& v) {
  multiply<form::nt>(w, v.x, v.weight, onto::nothing, v.y, [&](const tile& at) {
    for_rows(v.y, at, [&](T* y, std::size_t n) { add_bias(v.bias, at, y, n); });
  });
}

/// gelu rides on each tile while it is in the cache.
template <class T, class P>
inline void compute(workers<T, P>& w, const linear_gelu<T>& v) {
  const view<T> pre = v.pre.empty() ? v.y : v.pre;
  multiply<form::nt>(w, v.x, v.weight, onto::nothing, pre, [&](const tile& at) {
    for_rows(v.y, at, [&](T* y, std::size_t n) {
      T* const x = pre.data + (y - v.y.data);
      add_bias(v.bias, at, x, n);
      if (y != x) std::copy_n(x, n, y);
      for (std::size_t j = 0; j < n; ++j) y[j] = gelu_of(y[j]);
    });
  });
}

/// dx = dy weight, [M, K] from [M, N] and [N, K]; the slope of gelu is multiplied in while the tile
/// is in the cache.
template <class T, class P>
inline void compute(workers<T, P>& w, const linear_input_gradient<T>& v) {
  const onto under = v.add ? onto::what_is_there : onto::nothing;
  multiply<form::nn>(w, v.dy, v.weight, under, v.dx, [&](const tile& at) {
    if (v.pre.empty()) return;
    for_rows(v.dx, at, [&](T* dx, std::size_t n) {
      const T* pre = v.pre.data + (dx - v.dx.data);
      for (std::size_t j = 0; j < n; ++j) dx[j] *= gelu_slope(pre[j]);
    });
  });
}

/// dweight += dy^T x, [N, K] from [M, N] and [M, K]: tiles cut N and K, and each sums over all M
/// tokens. The bias follows in a pass of its own, because no tile sees a column of dy just once.
template <class T, class P>
inline void compute(workers<T, P>& w, const linear_weight_gradient<T, T>& v) {
  multiply<form::tn>(w, v.dy, v.x, onto::what_is_there, v.dweight, [](const tile&) {});
  if (v.dbias.empty()) return;
  const auto term = [&](std::size_t r, std::size_t c) { return v.dy.data[r * v.dy.cols + c]; };
  sum_columns(w, v.dy.rows, v.dy.cols, term,
              [&](std::size_t c, double sum) { v.dbias.data[c] += static_cast<T>(sum); });
}

}  // namespace tombola::eigen
