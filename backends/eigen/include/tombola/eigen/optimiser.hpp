#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <Eigen/Core>

#include "tombola/backend/optimiser.hpp"
#include "tombola/eigen/approximations.hpp"
#include "tombola/eigen/workers.hpp"

namespace tombola::eigen {

/// Partial sums of elements_per_piece squares each, then a tree over them.
template <class T, class P>
inline void compute(workers<T, P>& w, const sum_of_squares<T>& v) {
  const std::size_t count = (v.x.size() + elements_per_piece - 1) / elements_per_piece;
  double* parts = w.slots(count);
  w.share_range(v.x.size(), elements_per_piece, [&](std::size_t first, std::size_t last, T*) {
    const T* x = v.x.data + first;
    parts[first / elements_per_piece] = sum_over<double>(last - first, [x](std::size_t i) {
      return static_cast<double>(x[i]) * static_cast<double>(x[i]);
    });
  });
  for (std::size_t step = 1; step < count; step *= 2) {
    for (std::size_t i = 0; i + step < count; i += 2 * step) parts[i] += parts[i + step];
  }
  if (count > 0) v.total.data[0] += parts[0];
}

/// The 1e-6 is torch's; a norm that is not finite sets failed, and nothing here ever clears it.
template <class T, class P>
inline void compute(workers<T, P>&, const clip_factor& v) {
  const double norm = std::sqrt(v.squares.data[0]);
  v.norm.data[0] = norm;
  if (!std::isfinite(norm)) {
    v.factor.data[0] = 0.0;
    v.failed.data[0] = 1;
  } else {
    v.factor.data[0] = v.max_norm > 0.0 ? std::min(1.0, v.max_norm / (norm + 1e-6)) : 1.0;
  }
}

/// The numbers of one step that are the same for every parameter, computed in double.
template <class T>
struct adamw_step {
  T factor, keep_m, take_m, keep_v, take_v, rate, correct_v, epsilon, decay;

  explicit adamw_step(const adamw<T>& v)
      : factor{static_cast<T>(v.factor.data[0])},
        keep_m{static_cast<T>(v.beta1)},
        take_m{static_cast<T>(1.0 - v.beta1)},
        keep_v{static_cast<T>(v.beta2)},
        take_v{static_cast<T>(1.0 - v.beta2)},
        epsilon{static_cast<T>(v.epsilon)},
        decay{static_cast<T>(v.rate * v.decay)} {
    const double t = static_cast<double>(v.step);
    const double bias1 = 1.0 - std::pow(v.beta1, t), bias2 = 1.0 - std::pow(v.beta2, t);
    const bool study = v.form == adamw_form::study;
    rate = static_cast<T>(study ? v.rate * std::sqrt(bias2) / bias1 : v.rate / bias1);
    correct_v = static_cast<T>(study ? 1.0 : 1.0 / std::sqrt(bias2));
  }
};

/// Both forms are p - rate m / (correct_v sqrt(v) + epsilon); decay comes after it in the study's
/// form and before it in torch's. Eigen's arrays, because its square root is vector code without
/// compiler flags.
template <class T, class P>
inline void compute(workers<T, P>& w, const adamw<T>& a) {
  if (a.failed.data[0] != 0) return;
  const adamw_step<T> s{a};
  const bool decay_first = a.form == adamw_form::torch;
  w.share_range(a.p.size(), elements_per_piece, [&](std::size_t first, std::size_t last, T*) {
    constexpr std::size_t at_once = 1024;  // four arrays of this size stay in the first-level cache
    using numbers = Eigen::Array<T, Eigen::Dynamic, 1>;
    for (std::size_t i = first; i < last; i += at_once) {
      const auto n = static_cast<Eigen::Index>(std::min(at_once, last - i));
      Eigen::Map<numbers> p{a.p.data + i, n}, m{a.m.data + i, n}, v{a.v.data + i, n};
      const Eigen::Map<const numbers> g{a.g.data + i, n};
      if (decay_first) p -= s.decay * p;
      m = s.keep_m * m + s.take_m * (s.factor * g);
      v = s.keep_v * v + s.take_v * (s.factor * g).square();
      p -= s.rate * m / (s.correct_v * v.sqrt() + s.epsilon);
      if (!decay_first) p -= s.decay * p;
    }
  });
}

/// Elements are shared in pieces; several pieces may read one word of bits, none writes it.
template <class T, class P>
inline void compute(workers<T, P>& w, const apply_mask<T, T>& v) {
  w.share_range(v.stored.size(), elements_per_piece, [&](std::size_t first, std::size_t last, T*) {
    for (std::size_t i = first; i < last; ++i) {
      const bool kept = (v.bits.data[i / 64] >> (i % 64) & 1U) != 0;
      v.effective.data[i] = kept ? v.stored.data[i] : T{0};
    }
  });
}

}  // namespace tombola::eigen
