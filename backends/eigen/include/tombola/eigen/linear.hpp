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

/// Tiles of up to 384 x 192, of half and a quarter the rows where that would give fewer than 16:
/// a tile packs both its operands, so large ones cost less, but there have to be enough to share.
/// A tile takes at least 2 million multiplications, below which waking a thread does not pay.
/// Precondition: no size is 0.
[[nodiscard]] constexpr tiling tiles_of(extents e) noexcept {
  tiling t;
  t.columns = even_part(e.n, 192, 48);
  t.column_tiles = (e.n + t.columns - 1) / t.columns;
  for (std::size_t most = 384; most >= 96; most /= 2) {
    t.rows = even_part(e.m, most, 8);
    t.row_tiles = (e.m + t.rows - 1) / t.rows;
    const std::size_t half_tile = t.rows / 2 * std::min(t.columns, e.n) * e.k;
    if (t.count() >= 16 || half_tile < 2'000'000) break;
  }
  return t;
}

/// Where a tile lies in the result.
struct tile {
  std::size_t row = 0, column = 0, rows = 0, columns = 0;
};

/// Calls body(tile, workspace) for every tile of a product of these sizes.
template <class T, class P, class Body>
inline void for_tiles(workers<T, P>& w, extents e, const Body& body) {
  if (e.m == 0 || e.n == 0) return;
  const tiling t = tiles_of({e.m, e.n, std::max<std::size_t>(1, e.k)});
  w.plan(w.product().template workspace<T>());
  w.share(t.count(), [&](std::size_t i, T* workspace) {
    tile at{i / t.column_tiles * t.rows, i % t.column_tiles * t.columns, t.rows, t.columns};
    at.rows = std::min(at.rows, e.m - at.row);
    at.columns = std::min(at.columns, e.n - at.column);
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

/// The product of a and b, added to c tile by tile: before(tile) lays down what it is added to, and
/// after(tile) sees the result while it is in the cache.
template <form F, class T, class P, class Before, class After>
inline void multiply(workers<T, P>& w,
                     const view<const T>& a,
                     const view<const T>& b,
                     const view<T>& c,
                     const Before& before,
                     const After& after) {
  const extents whole{c.rows, c.cols, F == form::tn ? a.rows : a.cols};
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
      for_tiles(w, whole, [&](const tile& at, T*) {
        before(at);
        w.product().template add_rounded<F>({at.rows, at.columns, whole.k}, left_of<F>(left, at),
                                            right_of<F>(right, at), part_of(c, at.row, at.column));
        after(at);
      });
      return;
    }
  }
  for_tiles(w, whole, [&](const tile& at, T* workspace) {
    before(at);
    w.product().template add<F>({at.rows, at.columns, whole.k}, T{1}, left_of<F>(a, at),
                                right_of<F>(b, at), part_of(c, at.row, at.column), workspace);
    after(at);
  });
}

/// Lays down the bias, or zeros where there is none: a linear layer's product is added to it.
template <class T>
[[nodiscard]] inline auto laying_bias(const view<const T>& bias, const view<T>& y) {
  return [&bias, &y](const tile& at) {
    for_rows(y, at, [&](T* row, std::size_t n) {
      if (bias.empty()) {
        std::fill_n(row, n, T{0});
      } else {
        std::copy_n(bias.data + at.column, n, row);
      }
    });
  };
}

inline constexpr auto nothing = [](const tile&) {};

/// y = x weight^T + bias, [M, N] from [M, K] and [N, K]; overwritten.
template <class T, class P>
inline void compute(workers<T, P>& w, const linear<T>& v) {
  multiply<form::nt>(w, v.x, v.weight, v.y, laying_bias(v.bias, v.y), nothing);
}

/// gelu rides on each tile while it is in the cache.
template <class T, class P>
inline void compute(workers<T, P>& w, const linear_gelu<T>& v) {
  const view<T> pre = v.pre.empty() ? v.y : v.pre;
  multiply<form::nt>(w, v.x, v.weight, pre, laying_bias(v.bias, pre), [&](const tile& at) {
    for_rows(v.y, at, [&](T* y, std::size_t n) {
      if (!v.pre.empty()) std::copy_n(v.pre.data + (y - v.y.data), n, y);
      for (std::size_t j = 0; j < n; ++j) y[j] = gelu_of(y[j]);
    });
  });
}

/// dx = dy weight, [M, K] from [M, N] and [N, K]; the slope of gelu is multiplied in while the tile
/// is in the cache.
template <class T, class P>
inline void compute(workers<T, P>& w, const linear_input_gradient<T>& v) {
  const auto before = [&](const tile& at) {
    if (!v.add) for_rows(v.dx, at, [](T* row, std::size_t n) { std::fill_n(row, n, T{0}); });
  };
  multiply<form::nn>(w, v.dy, v.weight, v.dx, before, [&](const tile& at) {
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
  multiply<form::tn>(w, v.dy, v.x, v.dweight, nothing, nothing);
  if (v.dbias.empty()) return;
  const auto term = [&](std::size_t r, std::size_t c) { return v.dy.data[r * v.dy.cols + c]; };
  sum_columns(w, v.dy.rows, v.dy.cols, term,
              [&](std::size_t c, double sum) { v.dbias.data[c] += static_cast<T>(sum); });
}

}  // namespace tombola::eigen
