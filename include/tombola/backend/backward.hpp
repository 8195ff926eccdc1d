#pragma once

// Backward verbs, each beside the forward verb whose derivative it takes. Letters as in
// forward.hpp; dx means the gradient of the loss with respect to x. Gradients of activations are
// overwritten, gradients of parameters are added to: a parameter may be used twice, and batches
// accumulate. P is the element type of parameter gradients.

#include "tombola/backend/forward.hpp"

namespace tombola {

/// dx = dy weight, or dx = (dy weight) * gelu'(pre) where pre is given: the input gradient of a
/// linear verb whose input was gelu(pre). If add is true, dx += instead (never with pre).
template <class A>
struct linear_input_gradient {
  view<const A> dy;      ///< [M, N]
  view<const A> weight;  ///< [N, K]
  view<const A> pre;     ///< [M, K], or empty
  view<A> dx;            ///< [M, K]
  bool add = false;

  void check() const {
    require_shape(weight, dy.cols, dx.cols, "linear_input_gradient", "weight");
    require_shape(dx, dy.rows, weight.cols, "linear_input_gradient", "dx");
    require_shape_or_empty(pre, dx.rows, dx.cols, "linear_input_gradient", "pre");
    if (add && !pre.empty()) {
      throw input_error("linear_input_gradient: add goes without pre");
    }
  }
};

/// dpre = dy * gelu'(pre): for a gelu whose output met no further product. dpre may be dy.
template <class A>
struct gelu_backward {
  view<const A> pre, dy;  ///< [M, N]
  view<A> dpre;           ///< [M, N]

  void check() const {
    require_shape(dy, pre.rows, pre.cols, "gelu_backward", "dy");
    require_shape(dpre, pre.rows, pre.cols, "gelu_backward", "dpre");
  }
};

/// dweight += dy^T x; dbias += column sums of dy.
template <class A, class P>
struct linear_weight_gradient {
  view<const A> dy;  ///< [M, N]
  view<const A> x;   ///< [M, K]
  view<P> dweight;   ///< [N, K]: added to
  view<P> dbias;     ///< [N]: added to; or empty

  void check() const {
    require_shape(x, dy.rows, x.cols, "linear_weight_gradient", "x");
    require_shape(dweight, dy.cols, x.cols, "linear_weight_gradient", "dweight");
    require_length_or_empty(dbias, dy.cols, "linear_weight_gradient", "dbias");
  }
};

/// With s = gate * dropout(x) + residual: dsum = d loss / d s, which is also the residual's
/// gradient; dx = gate * dropout'(dsum).
template <class A>
struct add_norm_backward {
  view<const A> dy;                 ///< [M, C]
  view<const A> normalized;         ///< [M, C]
  view<const A> inverse_deviation;  ///< [M]
  view<const A> weight;             ///< [C]
  view<const A> gate;               ///< [1], or empty for 1
  dropout_bits drop;
  row_places places;
  view<A> dsum;  ///< [M, C]; may be dy
  view<A> dx;    ///< [M, C], or empty where it equals dsum or is not wanted

  void check() const {
    require_shape(normalized, dy.rows, dy.cols, "add_norm_backward", "normalized");
    require_length(inverse_deviation, dy.rows, "add_norm_backward", "inverse_deviation");
    require_length(weight, dy.cols, "add_norm_backward", "weight");
    require_length_or_empty(gate, 1, "add_norm_backward", "gate");
    require_shape(dsum, dy.rows, dy.cols, "add_norm_backward", "dsum");
    require_shape_or_empty(dx, dy.rows, dy.cols, "add_norm_backward", "dx");
    check_dropout(drop, places, dy.rows, "add_norm_backward");
  }
};

/// dweight += column sums of dy * normalized; dbias += column sums of dy.
template <class A, class P>
struct norm_weight_gradient {
  view<const A> dy, normalized;  ///< [M, C]
  view<P> dweight, dbias;        ///< [C]: added to

  void check() const {
    require_shape(normalized, dy.rows, dy.cols, "norm_weight_gradient", "normalized");
    require_length(dweight, dy.cols, "norm_weight_gradient", "dweight");
    require_length(dbias, dy.cols, "norm_weight_gradient", "dbias");
  }
};

/// dqkv from the gradient of the gated context. context and log_sum are the forward verb's.
template <class A>
struct attention_backward {
  view<const A> qkv;  ///< [T, 3 H D]
  std::size_t heads = 0;
  packed_sequences sequences;
  view<const A> factors;   ///< as in attention
  dropout_bits drop;       ///< as in attention
  view<const A> context;   ///< [T, H D], gated
  view<const A> log_sum;   ///< [T, H]
  view<const A> dcontext;  ///< [T, H D]
  view<A> dqkv;            ///< [T, 3 H D]

  void check() const {
    const std::size_t width = dcontext.cols;
    if (heads == 0 || width % heads != 0) {
      throw shape_error("attention_backward: dcontext of " + std::to_string(width) +
                        " columns for " + std::to_string(heads) + " heads");
    }
    require_shape(qkv, dcontext.rows, 3 * width, "attention_backward", "qkv");
    require_shape(dqkv, dcontext.rows, 3 * width, "attention_backward", "dqkv");
    require_shape(context, dcontext.rows, width, "attention_backward", "context");
    require_shape(log_sum, dcontext.rows, heads, "attention_backward", "log_sum");
    attention<A>::check_factors(factors, heads, sequences, "attention_backward");
    attention<A>::check_sequences(sequences, drop, "attention_backward");
  }
};

/// dots[t, h] = sum over the D columns of head h of a[t] * b[t]: the gradient of a gate of its own
/// for each token, a being what the gate multiplies and b the gradient of the product.
template <class A>
struct head_dots {
  view<const A> a, b;  ///< [T, H D]
  view<A> dots;        ///< [T, H]

  void check() const {
    require_shape(b, a.rows, a.cols, "head_dots", "b");
    require_shape(dots, a.rows, dots.cols, "head_dots", "dots");
    if (dots.cols == 0 || a.cols % dots.cols != 0) {
      throw shape_error("head_dots: " + std::to_string(a.cols) + " columns for " +
                        std::to_string(dots.cols) + " heads");
    }
  }
};

/// What a gate on each neuron of an MLP gets from each sequence, the neuron being gelu(pre) and dy
/// the gradient of what the gates hand on:
///   sums[b, j] = sum over the tokens t of sequence b of gelu(pre[t, j]) * dy[t, j],
/// the gradient of the gate where each sequence has its own; absolutes likewise of |...|, where
/// each token has.
template <class A>
struct neuron_dots {
  view<const A> pre, dy;  ///< [T, F]
  packed_sequences sequences;
  view<A> sums;       ///< [B, F]
  view<A> absolutes;  ///< [B, F]

  void check() const {
    require_shape(dy, pre.rows, pre.cols, "neuron_dots", "dy");
    attention<A>::check_sequences(sequences, {}, "neuron_dots");
    require_shape(sums, sequences.count(), pre.cols, "neuron_dots", "sums");
    require_shape(absolutes, sequences.count(), pre.cols, "neuron_dots", "absolutes");
  }
};

/// dx = dy * (1 - y^2), y being tanh(x). dx may be dy.
template <class A>
struct tanh_backward {
  view<const A> y, dy;
  view<A> dx;

  void check() const {
    require_shape(dy, y.rows, y.cols, "tanh_backward", "dy");
    require_shape(dx, y.rows, y.cols, "tanh_backward", "dx");
  }
};

/// dx = dy where y > 0, else 0, y being max(x, 0): at x = 0 the derivative is taken to be 0, as
/// torch takes it. dx may be dy.
template <class A>
struct relu_backward {
  view<const A> y, dy;
  view<A> dx;

  void check() const {
    require_shape(dy, y.rows, y.cols, "relu_backward", "dy");
    require_shape(dx, y.rows, y.cols, "relu_backward", "dx");
  }
};

/// dx[rows[i]] += dy[i], in the order of i. dx is added to: fill it first where it should start at
/// 0.
template <class A>
struct scatter_rows {
  view<const A> dy;               ///< [M, C]
  view<const std::int32_t> rows;  ///< [M]
  view<A> dx;                     ///< [T, C]: added to

  void check() const {
    require_length(rows, dy.rows, "scatter_rows", "rows");
    require_shape(dx, dx.rows, dy.cols, "scatter_rows", "dx");
  }
};

/// dword[ids[t]] += dout[t], and so for position and segment, in the order of t. An empty
/// dsegment is not added to, and segments are then not looked at.
template <class A, class P>
struct embed_backward {
  view<const std::int32_t> ids, positions, segments;  ///< [T]
  view<const A> dout;                                 ///< [T, C]
  view<P> dword, dposition, dsegment;                 ///< [V, C], [P, C], [S, C] or empty: added to

  void check() const {
    require_length(ids, dout.rows, "embed_backward", "ids");
    require_length(positions, dout.rows, "embed_backward", "positions");
    if (!dsegment.empty()) require_length(segments, dout.rows, "embed_backward", "segments");
    require_shape(dword, dword.rows, dout.cols, "embed_backward", "dword");
    require_shape(dposition, dposition.rows, dout.cols, "embed_backward", "dposition");
    require_shape_or_empty(dsegment, dsegment.rows, dout.cols, "embed_backward", "dsegment");
  }
};

}  // namespace tombola
