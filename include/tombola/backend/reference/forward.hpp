#pragma once

// The forward verbs of forward.hpp but attention, as plain loops. Every sum is taken in double and
// rounded once. Letters as there. Outputs are written row by row after the row has been read, which
// is what lets y be x.

#include <cmath>
#include <cstddef>
#include <vector>

#include "tombola/backend/forward.hpp"
#include "tombola/backend/reference/scalar.hpp"

namespace tombola::reference {

/// The tables are [V, C], [P, C] and [S, C] or none; the sum of a row of each is one row of [T, C].
template <class A>
void compute(const embed<A>& v) {
  for (std::size_t t = 0; t < v.out.rows; ++t) {
    const auto id = static_cast<std::size_t>(v.ids.data[t]);
    const auto position = static_cast<std::size_t>(v.positions.data[t]);
    const bool none = v.segment.empty();
    const std::size_t segment = none ? 0 : static_cast<std::size_t>(v.segments.data[t]);
    for (std::size_t c = 0; c < v.out.cols; ++c) {
      store(at(v.out, t, c), double{at(v.word, id, c)} + double{at(v.position, position, c)} +
                                 (none ? 0.0 : double{at(v.segment, segment, c)}));
    }
  }
}

/// x[m] . weight[n] + bias[n]
template <class A>
[[nodiscard]] double linear_element(const view<const A>& x,
                                    const view<const A>& weight,
                                    const view<const A>& bias,
                                    std::size_t m,
                                    std::size_t n) {
  const double product = dot(x.data + m * x.cols, weight.data + n * weight.cols, x.cols);
  return bias.empty() ? product : product + double{bias.data[n]};
}

/// x [M, K], weight [N, K] as the checkpoints have it, y [M, N]. Cost: M N K products.
template <class A>
void compute(const linear<A>& v) {
  for (std::size_t m = 0; m < v.y.rows; ++m) {
    for (std::size_t n = 0; n < v.y.cols; ++n) {
      store(at(v.y, m, n), linear_element(v.x, v.weight, v.bias, m, n));
    }
  }
}

/// gelu is taken of the sum before it is rounded into pre, as a fused kernel does.
template <class A>
void compute(const linear_gelu<A>& v) {
  for (std::size_t m = 0; m < v.y.rows; ++m) {
    for (std::size_t n = 0; n < v.y.cols; ++n) {
      const double pre = linear_element(v.x, v.weight, v.bias, m, n);
      if (!v.pre.empty()) store(at(v.pre, m, n), pre);
      store(at(v.y, m, n), gelu(pre));
    }
  }
}

/// One row of add_norm. s: scratch of C numbers; all of x is read into it before y is written.
/// A gate is one number for the whole matrix; dropout comes before the gate and the residual.
template <class A>
void add_norm_row(const add_norm<A>& v, std::size_t m, std::vector<double>& s) {
  const std::size_t width = v.x.cols;
  const double gate = v.gate.empty() ? 1.0 : double{v.gate.data[0]};
  double sum = 0.0;
  for (std::size_t c = 0; c < width; ++c) {
    s[c] = gate * dropout_factor(v.drop, v.places, m, c) * double{at(v.x, m, c)};
    if (!v.residual.empty()) s[c] += double{at(v.residual, m, c)};
    sum += s[c];
  }
  const double mean = sum / static_cast<double>(width);
  // A second pass over the deviations: the mean of squares minus the square of the mean cancels.
  double squares = 0.0;
  for (std::size_t c = 0; c < width; ++c) squares += (s[c] - mean) * (s[c] - mean);
  const double inverse = 1.0 / std::sqrt(squares / static_cast<double>(width) + v.epsilon);
  for (std::size_t c = 0; c < width; ++c) {
    const double normalized = (s[c] - mean) * inverse;
    if (!v.normalized.empty()) store(at(v.normalized, m, c), normalized);
    store(at(v.y, m, c), double{v.weight.data[c]} * normalized + double{v.bias.data[c]});
  }
  if (!v.inverse_deviation.empty()) store(v.inverse_deviation.data[m], inverse);
}

/// Layer normalisation over each row of [M, C]. Source: Ba, Kiros and Hinton, arXiv:1607.06450; the
/// variance is divided by C, as torch's LayerNorm does.
template <class A>
void compute(const add_norm<A>& v) {
  std::vector<double> s(v.x.cols);
  for (std::size_t m = 0; m < v.x.rows; ++m) add_norm_row(v, m, s);
}

/// [M, C]: what is kept grows by 1 / (1 - rate), so that the mean stays. Source: Srivastava et al.,
/// JMLR 15 (2014), in the inverted form. Column is the column of the matrix, head is 0.
template <class A>
void compute(const dropout<A>& v) {
  for (std::size_t m = 0; m < v.x.rows; ++m) {
    for (std::size_t c = 0; c < v.x.cols; ++c) {
      store(at(v.y, m, c), dropout_factor(v.drop, v.places, m, c) * double{at(v.x, m, c)});
    }
  }
}

/// Any shape: number by number.
template <class A>
void compute(const tanh_of<A>& v) {
  for (std::size_t i = 0; i < v.x.size(); ++i) store(v.y.data[i], std::tanh(double{v.x.data[i]}));
}

/// What is not above 0 becomes 0, a zero with a sign too; NaN stays.
template <class A>
void compute(const relu_of<A>& v) {
  for (std::size_t i = 0; i < v.x.size(); ++i) {
    const double x = double{v.x.data[i]};
    store(v.y.data[i], x > 0.0 || std::isnan(x) ? x : 0.0);
  }
}

/// x, y [T, F], factors [1, F].
template <class A>
void compute(const scale_columns<A>& v) {
  for (std::size_t i = 0; i < v.x.size(); ++i) {
    store(v.y.data[i], double{v.x.data[i]} * double{v.factors.data[i % v.x.cols]});
  }
}

/// Rows are copied as they are, bit for bit; a row may be wanted several times.
template <class A>
void compute(const gather_rows<A>& v) {
  for (std::size_t i = 0; i < v.y.rows; ++i) {
    const auto row = static_cast<std::size_t>(v.rows.data[i]);
    for (std::size_t c = 0; c < v.y.cols; ++c) at(v.y, i, c) = at(v.x, row, c);
  }
}

/// Logits [M, K]. The loss is log-sum-exp minus the label's logit: no logarithm of a probability is
/// taken, which could be 0. Losses come before the gradient of a row, since that may lie over
/// logits.
template <class A>
void compute(const cross_entropy<A>& v) {
  const std::size_t classes = v.logits.cols;
  for (std::size_t i = 0; i < v.logits.rows; ++i) {
    const auto label = static_cast<std::size_t>(v.labels.data[i]);
    const double log_sum = log_sum_exp(v.logits.data + i * classes, classes);
    v.losses.data[i] = log_sum - double{at(v.logits, i, label)};
    if (v.gradient.empty()) continue;
    for (std::size_t k = 0; k < classes; ++k) {
      const double probability = std::exp(double{at(v.logits, i, k)} - log_sum);
      store(at(v.gradient, i, k), v.scale * (probability - (k == label ? 1.0 : 0.0)));
    }
  }
}

/// Predictions [M, 1]. The factor 2 is in: scale alone says what the losses are averaged over.
template <class A>
void compute(const squared_error<A>& v) {
  for (std::size_t i = 0; i < v.predictions.rows; ++i) {
    const double difference = double{v.predictions.data[i]} - double{v.targets.data[i]};
    v.losses.data[i] = difference * difference;
    if (!v.gradient.empty()) store(v.gradient.data[i], v.scale * 2.0 * difference);
  }
}

}  // namespace tombola::reference
