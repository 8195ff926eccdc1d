#pragma once

// The backward verbs of backward.hpp but attention's, as plain loops. Every sum is taken in double
// and rounded once: an 'added to' gradient is read, summed onto and written. Letters as there.

#include <cstddef>
#include <vector>

#include "tombola/backend/backward.hpp"
#include "tombola/backend/reference/scalar.hpp"

namespace tombola::reference {

/// place += value, rounded once.
template <class T>
void add_to(T& place, double value) noexcept {
  store(place, double{place} + value);
}

/// dy [M, N], weight [N, K], dx [M, K]: the sum runs over N. The derivative of gelu is a factor of
/// each element after the sum. Cost: M N K products.
template <class A>
void compute(const linear_input_gradient<A>& v) {
  for (std::size_t m = 0; m < v.dx.rows; ++m) {
    for (std::size_t k = 0; k < v.dx.cols; ++k) {
      double sum = 0.0;
      for (std::size_t n = 0; n < v.dy.cols; ++n) {
        sum += double{at(v.dy, m, n)} * double{at(v.weight, n, k)};
      }
      if (!v.pre.empty()) sum *= gelu_derivative(double{at(v.pre, m, k)});
      if (v.add) sum += double{at(v.dx, m, k)};
      store(at(v.dx, m, k), sum);
    }
  }
}

/// Number by number, so that dpre may lie over dy.
template <class A>
void compute(const gelu_backward<A>& v) {
  for (std::size_t i = 0; i < v.pre.size(); ++i) {
    store(v.dpre.data[i], double{v.dy.data[i]} * gelu_derivative(double{v.pre.data[i]}));
  }
}

/// Sum of a column of m.
template <class A>
[[nodiscard]] double column_sum(const view<const A>& m, std::size_t column) {
  double sum = 0.0;
  for (std::size_t row = 0; row < m.rows; ++row) sum += double{at(m, row, column)};
  return sum;
}

/// Sum over rows of a[row, i] * b[row, j].
template <class A>
[[nodiscard]] double column_dot(const view<const A>& a,
                                std::size_t i,
                                const view<const A>& b,
                                std::size_t j) {
  double sum = 0.0;
  for (std::size_t m = 0; m < a.rows; ++m) sum += double{at(a, m, i)} * double{at(b, m, j)};
  return sum;
}

/// dy [M, N], x [M, K], dweight [N, K]: the sum runs over the M rows of the batch. The gradients of
/// weight and bias are summed apart from what they hold and added once.
template <class A, class P>
void compute(const linear_weight_gradient<A, P>& v) {
  for (std::size_t n = 0; n < v.dy.cols; ++n) {
    for (std::size_t k = 0; k < v.x.cols; ++k) {
      add_to(at(v.dweight, n, k), column_dot(v.dy, n, v.x, k));
    }
    if (!v.dbias.empty()) add_to(v.dbias.data[n], column_sum(v.dy, n));
  }
}

/// With g = dy * weight: ds = inverse_deviation (g - mean(g) - normalized mean(g normalized)),
/// means over a row: mean and deviation of the row depend on every s. A row's g is read before its
/// ds is written, since dsum may be dy. dx goes back through the gate and the same dropped
/// elements.
template <class A>
void compute(const add_norm_backward<A>& v) {
  const std::size_t width = v.dy.cols;
  const double gate = v.gate.empty() ? 1.0 : double{v.gate.data[0]};
  std::vector<double> g(width);
  for (std::size_t m = 0; m < v.dy.rows; ++m) {
    double sum = 0.0, sum_normalized = 0.0;
    for (std::size_t c = 0; c < width; ++c) {
      g[c] = double{at(v.dy, m, c)} * double{v.weight.data[c]};
      sum += g[c];
      sum_normalized += g[c] * double{at(v.normalized, m, c)};
    }
    const double mean = sum / static_cast<double>(width);
    const double mean_normalized = sum_normalized / static_cast<double>(width);
    for (std::size_t c = 0; c < width; ++c) {
      const double ds = double{v.inverse_deviation.data[m]} *
                        (g[c] - mean - double{at(v.normalized, m, c)} * mean_normalized);
      store(at(v.dsum, m, c), ds);
      if (!v.dx.empty()) {
        store(at(v.dx, m, c), gate * dropout_factor(v.drop, v.places, m, c) * ds);
      }
    }
  }
}

/// dy and normalized [M, C]: sums over the M rows.
template <class A, class P>
void compute(const norm_weight_gradient<A, P>& v) {
  for (std::size_t c = 0; c < v.dy.cols; ++c) {
    add_to(v.dweight.data[c], column_dot(v.dy, c, v.normalized, c));
    add_to(v.dbias.data[c], column_sum(v.dy, c));
  }
}

/// a, b [T, H D], dots [T, H].
template <class A>
void compute(const head_dots<A>& v) {
  const std::size_t size = v.a.cols / v.dots.cols;
  for (std::size_t t = 0; t < v.a.rows; ++t) {
    for (std::size_t h = 0; h < v.dots.cols; ++h) {
      store(at(v.dots, t, h), dot(&at(v.a, t, h * size), &at(v.b, t, h * size), size));
    }
  }
}

/// pre, dy [T, F], sums and absolutes [B, F].
template <class A>
void compute(const neuron_dots<A>& v) {
  for (std::size_t b = 0; b < v.sequences.count(); ++b) {
    const auto first = static_cast<std::size_t>(v.sequences.offsets.data[b]);
    const auto last = static_cast<std::size_t>(v.sequences.offsets.data[b + 1]);
    for (std::size_t j = 0; j < v.pre.cols; ++j) {
      double sum = 0.0, absolutes = 0.0;
      for (std::size_t t = first; t < last; ++t) {
        const double dot = gelu(double{at(v.pre, t, j)}) * double{at(v.dy, t, j)};
        sum += dot;
        absolutes += std::abs(dot);
      }
      store(at(v.sums, b, j), sum);
      store(at(v.absolutes, b, j), absolutes);
    }
  }
}

/// From y, not x: 1 - y^2 is the derivative, and nothing else need be kept.
template <class A>
void compute(const tanh_backward<A>& v) {
  for (std::size_t i = 0; i < v.y.size(); ++i) {
    const double y = double{v.y.data[i]};
    store(v.dx.data[i], double{v.dy.data[i]} * (1.0 - y * y));
  }
}

/// From y, not x: where y is 0, x was not positive.
template <class A>
void compute(const relu_backward<A>& v) {
  for (std::size_t i = 0; i < v.y.size(); ++i) {
    store(v.dx.data[i], double{v.y.data[i]} > 0.0 ? double{v.dy.data[i]} : 0.0);
  }
}

/// to[rows[i]] += from[i], one after another. Each addition is rounded to the element type: summing
/// in double would need a second table as large as the vocabulary's.
template <class A, class P>
void scatter(const view<const A>& from, const view<const std::int32_t>& rows, const view<P>& to) {
  for (std::size_t i = 0; i < from.rows; ++i) {
    const auto row = static_cast<std::size_t>(rows.data[i]);
    for (std::size_t c = 0; c < from.cols; ++c) add_to(at(to, row, c), double{at(from, i, c)});
  }
}

/// The backward of gather_rows.
template <class A>
void compute(const scatter_rows<A>& v) {
  scatter(v.dy, v.rows, v.dx);
}

/// Three tables, or two, get the same rows; a piece that no token uses is not touched.
template <class A, class P>
void compute(const embed_backward<A, P>& v) {
  scatter(v.dout, v.ids, v.dword);
  scatter(v.dout, v.positions, v.dposition);
  if (!v.dsegment.empty()) scatter(v.dout, v.segments, v.dsegment);
}

}  // namespace tombola::reference
