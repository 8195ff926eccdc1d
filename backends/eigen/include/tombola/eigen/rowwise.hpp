#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "tombola/backend/backward.hpp"
#include "tombola/eigen/approximations.hpp"
#include "tombola/eigen/columns.hpp"
#include "tombola/eigen/dropping.hpp"
#include "tombola/eigen/workers.hpp"

namespace tombola::eigen {

/// The number in a gate, 1 where there is none.
template <class T>
[[nodiscard]] inline T gate_of(const view<const T>& gate) noexcept {
  return gate.empty() ? T{1} : gate.data[0];
}

/// s = gate * dropout(x) + residual for one row.
template <class T>
inline void sum_row(const add_norm<T>& v, std::size_t row, T* s) noexcept {
  const std::size_t n = v.x.cols;
  std::copy_n(v.x.data + row * n, n, s);
  drop_row(v.drop, row_at(v.drop, v.places, row), s, n);
  const T gate = gate_of(v.gate);
  if (v.residual.empty()) {
    for (std::size_t j = 0; j < n; ++j) s[j] *= gate;
  } else {
    const T* residual = v.residual.data + row * n;
    for (std::size_t j = 0; j < n; ++j) s[j] = gate * s[j] + residual[j];
  }
}

/// A row is summed in scratch, so y may be x; mean and variance take two passes over it, which
/// costs little in the cache and loses no digits.
template <class T, class P>
inline void compute(workers<T, P>& w, const add_norm<T>& v) {
  const std::size_t n = v.x.cols;
  w.plan(n);
  w.share_range(v.x.rows, rows_per_piece(n), [&](std::size_t first, std::size_t last, T* s) {
    for (std::size_t row = first; row < last; ++row) {
      sum_row(v, row, s);
      const T count = static_cast<T>(n);
      const T mean = sum_over<T>(n, [s](std::size_t j) { return s[j]; }) / count;
      for (std::size_t j = 0; j < n; ++j) s[j] -= mean;
      const T variance = sum_over<T>(n, [s](std::size_t j) { return s[j] * s[j]; }) / count;
      const T inverse = T{1} / std::sqrt(variance + static_cast<T>(v.epsilon));
      for (std::size_t j = 0; j < n; ++j) s[j] *= inverse;
      if (!v.normalized.empty()) std::copy_n(s, n, v.normalized.data + row * n);
      if (!v.inverse_deviation.empty()) v.inverse_deviation.data[row] = inverse;
      T* y = v.y.data + row * n;
      for (std::size_t j = 0; j < n; ++j) y[j] = v.weight.data[j] * s[j] + v.bias.data[j];
    }
  });
}

/// dsum = inverse_deviation * (g - mean(g) - normalized * mean(g * normalized)), g = dy * weight.
template <class T, class P>
inline void compute(workers<T, P>& w, const add_norm_backward<T>& v) {
  const std::size_t n = v.dy.cols;
  const T gate = gate_of(v.gate);
  w.plan(n);
  w.share_range(v.dy.rows, rows_per_piece(n), [&](std::size_t first, std::size_t last, T* g) {
    for (std::size_t row = first; row < last; ++row) {
      const T *dy = v.dy.data + row * n, *normalized = v.normalized.data + row * n;
      for (std::size_t j = 0; j < n; ++j) g[j] = dy[j] * v.weight.data[j];
      const T count = static_cast<T>(n);
      const T mean = sum_over<T>(n, [g](std::size_t j) { return g[j]; }) / count;
      const T slope =
          sum_over<T>(n, [g, normalized](std::size_t j) { return g[j] * normalized[j]; }) / count;
      const T inverse = v.inverse_deviation.data[row];
      for (std::size_t j = 0; j < n; ++j) g[j] = inverse * (g[j] - mean - normalized[j] * slope);
      std::copy_n(g, n, v.dsum.data + row * n);
      if (v.dx.empty()) continue;
      drop_row(v.drop, row_at(v.drop, v.places, row), g, n);
      T* dx = v.dx.data + row * n;
      for (std::size_t j = 0; j < n; ++j) dx[j] = gate * g[j];
    }
  });
}

/// Column sums of dy * normalized and of dy, [C] each; added to.
template <class T, class P>
inline void compute(workers<T, P>& w, const norm_weight_gradient<T, T>& v) {
  const std::size_t n = v.dy.cols;
  const T *dy = v.dy.data, *normalized = v.normalized.data;
  sum_columns(
      w, v.dy.rows, n,
      [=](std::size_t r, std::size_t c) { return dy[r * n + c] * normalized[r * n + c]; },
      [&](std::size_t c, double sum) { v.dweight.data[c] += static_cast<T>(sum); });
  sum_columns(
      w, v.dy.rows, n, [=](std::size_t r, std::size_t c) { return dy[r * n + c]; },
      [&](std::size_t c, double sum) { v.dbias.data[c] += static_cast<T>(sum); });
}

/// Exponentials in T, their sum and the loss in double. They wait in scratch, so the gradient may
/// take the place of the logits.
template <class T, class P>
inline void compute(workers<T, P>& w, const cross_entropy<T>& v) {
  const std::size_t n = v.logits.cols;
  w.plan(n);
  w.share_range(v.logits.rows, rows_per_piece(n), [&](std::size_t first, std::size_t last, T* e) {
    for (std::size_t row = first; row < last; ++row) {
      const T* logits = v.logits.data + row * n;
      const auto label = static_cast<std::size_t>(v.labels.data[row]);
      const T top = largest_of(logits, n);
      for (std::size_t j = 0; j < n; ++j) e[j] = exp_of(logits[j] - top);
      const double sum =
          sum_over<double>(n, [e](std::size_t j) { return static_cast<double>(e[j]); });
      v.losses.data[row] =
          std::log(sum) - (static_cast<double>(logits[label]) - static_cast<double>(top));
      if (v.gradient.empty()) continue;
      T* gradient = v.gradient.data + row * n;
      const T share = static_cast<T>(v.scale / sum);
      for (std::size_t j = 0; j < n; ++j) gradient[j] = share * e[j];
      gradient[label] -= static_cast<T>(v.scale);
    }
  });
}

/// On the calling thread: one number per sequence is not worth waking another.
template <class T, class P>
inline void compute(workers<T, P>&, const squared_error<T>& v) {
  for (std::size_t i = 0; i < v.predictions.rows; ++i) {
    const double difference =
        static_cast<double>(v.predictions.data[i]) - static_cast<double>(v.targets.data[i]);
    v.losses.data[i] = difference * difference;
    if (!v.gradient.empty()) v.gradient.data[i] = static_cast<T>(v.scale * 2.0 * difference);
  }
}

}  // namespace tombola::eigen
