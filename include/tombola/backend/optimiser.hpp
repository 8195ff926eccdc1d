#pragma once

// Verbs that change parameters. None of them answers to the host: norms and flags stay with the
// backend until somebody reads them.

#include <cstddef>
#include <cstdint>
#include <string>

#include "tombola/backend/view.hpp"
#include "tombola/core/error.hpp"

namespace tombola {

/// total[0] += sum of squares of x, in double, in a fixed order.
template <class P>
struct sum_of_squares {
  view<const P> x;
  view<double> total;  ///< [1]: added to

  void check() const { require_length(total, 1, "sum_of_squares", "total"); }
};

/// norm = sqrt(squares); factor = min(1, max_norm / (norm + 1e-6)), as torch's clip_grad_norm_.
/// max_norm 0 means no clipping: factor 1. Where the norm is not finite, factor is 0 and failed
/// becomes 1; it stays 1 whatever comes later.
struct clip_factor {
  view<const double> squares;  ///< [1]
  double max_norm = 0.0;
  view<double> norm, factor;  ///< [1] each
  view<std::int32_t> failed;  ///< [1], sticky

  void check() const {
    require_length(squares, 1, "clip_factor", "squares");
    require_length(norm, 1, "clip_factor", "norm");
    require_length(factor, 1, "clip_factor", "factor");
    require_length(failed, 1, "clip_factor", "failed");
    if (!(max_norm >= 0.0)) {
      throw input_error("clip_factor: max_norm is " + std::to_string(max_norm) +
                        ", expected a number from 0 up");
    }
  }
};

/// The two published forms of AdamW. With m and v the running means of g and g^2:
enum class adamw_form {
  study,  ///< transformers 2.5.1: p -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps), then
          ///< p -= lr decay p
  torch,  ///< torch.optim.AdamW: p -= lr decay p, then p -= lr (m / (1 - b1^t)) /
          ///< (sqrt(v / (1 - b2^t)) + eps)
};

/// One step on one span of parameters. g is multiplied by factor first. Nothing changes where
/// failed is not 0.
template <class P>
struct adamw {
  view<P> p;        ///< [n]
  view<const P> g;  ///< [n]
  view<P> m, v;     ///< [n]
  view<const double> factor;
  view<const std::int32_t> failed;
  adamw_form form = adamw_form::study;
  double rate = 0.0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0.0;
  std::size_t step = 1;  ///< from 1

  void check() const {
    require_length(g, p.size(), "adamw", "g");
    require_length(m, p.size(), "adamw", "m");
    require_length(v, p.size(), "adamw", "v");
    require_length(factor, 1, "adamw", "factor");
    require_length(failed, 1, "adamw", "failed");
    if (step == 0) throw input_error("adamw: step 0, expected the first to be 1");
  }
};

/// effective[i] = stored[i] where bit i % 64 of bits[i / 64] is set, exactly 0 elsewhere.
/// effective may be stored.
template <class P, class A>
struct apply_mask {
  view<const P> stored;
  view<const std::uint64_t> bits;  ///< ceil(n / 64) words
  view<A> effective;

  void check() const {
    require_length(effective, stored.size(), "apply_mask", "effective");
    require_length(bits, (stored.size() + 63) / 64, "apply_mask", "bits");
  }
};

}  // namespace tombola
