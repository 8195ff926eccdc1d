#pragma once

// The verbs of optimiser.hpp as plain loops, in double.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "tombola/backend/optimiser.hpp"
#include "tombola/backend/reference/scalar.hpp"

namespace tombola::reference {

/// Squares of floats and their sum are taken in double, in the order of x: the norm of all
/// gradients is what clipping and a published curve rest on.
template <class P>
void compute(const sum_of_squares<P>& v) {
  v.total.data[0] += dot(v.x.data, v.x.data, v.x.size());
}

/// 1e-6 is torch's clip_grad_norm_. A norm that is not finite fails whether or not there is a
/// limit.
inline void compute(const clip_factor& v) {
  const double norm = std::sqrt(v.squares.data[0]);
  v.norm.data[0] = norm;
  if (!std::isfinite(norm)) {
    v.factor.data[0] = 0.0;
    v.failed.data[0] = 1;
    return;
  }
  v.factor.data[0] = v.max_norm == 0.0 ? 1.0 : std::min(1.0, v.max_norm / (norm + 1e-6));
}

/// Source: Kingma and Ba, arXiv:1412.6980, algorithm 1, for the moments and their corrections
/// 1 - beta^t; Loshchilov and Hutter, arXiv:1711.05101, for decay apart from the gradient. The
/// forms differ in two places: epsilon is added before (study) or after (torch) the correction of
/// v, and decay acts on the new (study) or the old (torch) parameter. All three numbers of an
/// element are rounded once, after both parts of the step.
template <class P>
void compute(const adamw<P>& v) {
  if (v.failed.data[0] != 0) return;
  const double step = static_cast<double>(v.step);
  const double correction1 = 1.0 - std::pow(v.beta1, step);
  const double correction2 = 1.0 - std::pow(v.beta2, step);
  for (std::size_t i = 0; i < v.p.size(); ++i) {
    const double g = v.factor.data[0] * double{v.g.data[i]};
    const double mean = v.beta1 * double{v.m.data[i]} + (1.0 - v.beta1) * g;
    const double square = v.beta2 * double{v.v.data[i]} + (1.0 - v.beta2) * g * g;
    double p = double{v.p.data[i]};
    if (v.form == adamw_form::study) {
      const double rate = v.rate * std::sqrt(correction2) / correction1;
      p -= rate * mean / (std::sqrt(square) + v.epsilon);
      p -= v.rate * v.decay * p;
    } else {
      p -= v.rate * v.decay * p;
      p -= v.rate * (mean / correction1) / (std::sqrt(square / correction2) + v.epsilon);
    }
    store(v.m.data[i], mean);
    store(v.v.data[i], square);
    store(v.p.data[i], p);
  }
}

/// Not a product with 0 or 1: that would keep the NaN of a masked number, and its sign.
template <class P, class A>
void compute(const apply_mask<P, A>& v) {
  for (std::size_t i = 0; i < v.stored.size(); ++i) {
    const bool kept = (v.bits.data[i / 64] >> (i % 64) & 1) != 0;
    v.effective.data[i] = kept ? static_cast<A>(v.stored.data[i]) : A{0};
  }
}

}  // namespace tombola::reference
