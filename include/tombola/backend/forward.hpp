#pragma once

// Forward verbs: what BERT's layers ask of a backend on the way from tokens to losses.
//
// A verb is a value: its arguments, and check(), which throws shape_error. The front door
// (perform() in backend.hpp) checks it and hands it to the backend, which trusts it.
//   T  tokens of all sequences of a packed batch, end to end      B  sequences
//   C  hidden size      H  heads of D numbers (H * D need not be C)      M, N, K  any sizes
// The K of linear and of linear_weight_gradient may be 0: a layer without inputs is its bias.
// Outputs are overwritten, unless a comment says that they are added to. Inputs and outputs may not
// overlap, unless a comment says so. A is the element type of activations and of the weights that
// enter products.

#include <array>
#include <cstddef>
#include <cstdint>

#include "tombola/backend/view.hpp"

namespace tombola {

/// Which numbers are dropped. rate 0: none, and the key is not looked at.
///
/// Element (example, token, column) is kept where
///   philox4x32({column / 4, token, example, head}, key)[column % 4] >= threshold()
/// and then multiplied by 1 / (1 - rate). See dropout_key in core/random.hpp.
struct dropout_bits {
  std::array<std::uint32_t, 2> key{};
  double rate = 0.0;  ///< in [0, 1)

  [[nodiscard]] constexpr std::uint32_t threshold() const noexcept {
    return static_cast<std::uint32_t>(rate * 4294967296.0);
  }
  [[nodiscard]] constexpr double scale() const noexcept { return 1.0 / (1.0 - rate); }
};

/// Where the rows of a matrix stand in the epoch, for dropout: one entry per row each.
/// May be empty where nothing is dropped.
struct row_places {
  view<const std::uint32_t> example;  ///< [M] position of the row's sequence in the shuffled epoch
  view<const std::uint32_t> token;    ///< [M] place of the row in its sequence
};

inline void check_dropout(const dropout_bits& d,
                          const row_places& places,
                          std::size_t rows,
                          const char* verb) {
  if (!(d.rate >= 0.0 && d.rate < 1.0)) {
    throw input_error(std::string{verb} + ": dropout rate " + std::to_string(d.rate) +
                      ", expected one in [0, 1)");
  }
  if (d.rate > 0.0) {
    require_length(places.example, rows, verb, "places.example");
    require_length(places.token, rows, verb, "places.token");
  }
}

/// out[t] = word[ids[t]] + position[positions[t]] + segment[segments[t]]; an empty segment table
/// adds nothing, and segments are then not looked at.
/// Ids are in range: whoever makes the batch has checked them.
template <class A>
struct embed {
  view<const std::int32_t> ids, positions, segments;  ///< [T] each
  view<const A> word, position, segment;              ///< [V, C], [P, C], [S, C] or empty
  view<A> out;                                        ///< [T, C]

  void check() const {
    require_length(ids, out.rows, "embed", "ids");
    require_length(positions, out.rows, "embed", "positions");
    if (!segment.empty()) require_length(segments, out.rows, "embed", "segments");
    require_shape(word, word.rows, out.cols, "embed", "word");
    require_shape(position, position.rows, out.cols, "embed", "position");
    require_shape_or_empty(segment, segment.rows, out.cols, "embed", "segment");
  }
};

/// y = x weight^T + bias.
template <class A>
struct linear {
  view<const A> x;       ///< [M, K]
  view<const A> weight;  ///< [N, K], as in the checkpoints
  view<const A> bias;    ///< [N], or empty
  view<A> y;             ///< [M, N]

  void check() const {
    require_shape(weight, y.cols, x.cols, "linear", "weight");
    require_length_or_empty(bias, y.cols, "linear", "bias");
    require_shape(y, x.rows, weight.rows, "linear", "y");
  }
};

/// pre = x weight^T + bias; y = gelu(pre), where gelu(z) = z (1 + erf(z / sqrt 2)) / 2.
/// An empty pre is not kept (enough for evaluation).
template <class A>
struct linear_gelu {
  view<const A> x, weight, bias;  ///< [M, K], [N, K], [N]
  view<A> pre;                    ///< [M, N], or empty
  view<A> y;                      ///< [M, N]

  void check() const {
    require_shape(weight, y.cols, x.cols, "linear_gelu", "weight");
    require_length(bias, y.cols, "linear_gelu", "bias");
    require_shape(y, x.rows, weight.rows, "linear_gelu", "y");
    require_shape_or_empty(pre, y.rows, y.cols, "linear_gelu", "pre");
  }
};

/// y = LN(gate * dropout(x) + residual), LN(s) = weight * normalized + bias,
/// normalized = (s - mean) * inverse_deviation, inverse_deviation = 1 / sqrt(variance + epsilon),
/// mean and variance (divided by C) over a row.
template <class A>
struct add_norm {
  view<const A> x;             ///< [M, C]
  view<const A> residual;      ///< [M, C], or empty for none
  view<const A> gate;          ///< [1], or empty for 1
  view<const A> weight, bias;  ///< [C]
  double epsilon = 1e-12;
  dropout_bits drop;
  row_places places;
  view<A> y;                  ///< [M, C]; may be x
  view<A> normalized;         ///< [M, C], or empty: kept for the backward pass
  view<A> inverse_deviation;  ///< [M], or empty

  void check() const {
    require_shape(y, x.rows, x.cols, "add_norm", "y");
    require_shape_or_empty(residual, x.rows, x.cols, "add_norm", "residual");
    require_length_or_empty(gate, 1, "add_norm", "gate");
    require_length(weight, x.cols, "add_norm", "weight");
    require_length(bias, x.cols, "add_norm", "bias");
    require_shape_or_empty(normalized, x.rows, x.cols, "add_norm", "normalized");
    require_length_or_empty(inverse_deviation, x.rows, "add_norm", "inverse_deviation");
    check_dropout(drop, places, x.rows, "add_norm");
  }
};

/// y = dropout(x); its own backward. y may be x.
template <class A>
struct dropout {
  view<const A> x;  ///< [M, C]
  dropout_bits drop;
  row_places places;
  view<A> y;  ///< [M, C]

  void check() const {
    require_shape(y, x.rows, x.cols, "dropout", "y");
    check_dropout(drop, places, x.rows, "dropout");
  }
};

/// Sequences of a packed batch. Sequence b owns rows offsets[b] to offsets[b + 1] - 1.
struct packed_sequences {
  view<const std::int32_t> offsets;   ///< [B + 1], from 0 to T, never falling
  view<const std::uint32_t> example;  ///< [B] position in the shuffled epoch; empty if no dropout
  std::size_t longest = 0;            ///< tokens of the longest sequence, known to the host
  std::size_t pairs = 0;              ///< sum of n * n over the sequences, likewise
  [[nodiscard]] std::size_t count() const noexcept {
    return offsets.size() == 0 ? 0 : offsets.size() - 1;
  }
};

/// Self-attention inside each sequence. For head h of a sequence, q, k and v being its D columns:
///   probability = softmax over keys of q k^T / sqrt(D);  ungated = dropout(probability) v;
///   context = factor * ungated.
/// Columns of qkv: H * D of queries, H * D of keys, H * D of values, head after head.
template <class A>
struct attention {
  view<const A> qkv;  ///< [T, 3 H D]
  std::size_t heads = 0;
  packed_sequences sequences;
  view<const A> factors;  ///< [1, H], or [B, H] (one row per sequence), or empty for 1
  dropout_bits drop;  ///< example from sequences; token the query, column the key, head the head
  view<A> context;    ///< [T, H D]
  view<A> ungated;    ///< [T, H D], or empty
  view<A> log_sum;    ///< [T, H] log of the sum of exponentials of the scores, or empty

  void check() const {
    const std::size_t width = context.cols;
    if (heads == 0 || width % heads != 0) {
      throw shape_error("attention: context of " + std::to_string(width) + " columns for " +
                        std::to_string(heads) + " heads");
    }
    require_shape(qkv, context.rows, 3 * width, "attention", "qkv");
    check_factors(factors, heads, sequences, "attention");
    require_shape_or_empty(ungated, context.rows, width, "attention", "ungated");
    require_shape_or_empty(log_sum, context.rows, heads, "attention", "log_sum");
    check_sequences(sequences, drop, "attention");
  }

  static void check_factors(const view<const A>& f,
                            std::size_t heads,
                            const packed_sequences& s,
                            const char* verb) {
    if (f.empty()) return;
    require_shape(f, f.rows == 1 ? 1 : s.count(), heads, verb, "factors");
  }
  static void check_sequences(const packed_sequences& s, const dropout_bits& d, const char* verb) {
    if (s.count() == 0) throw shape_error(std::string{verb} + ": no sequence in the batch");
    if (!(d.rate >= 0.0 && d.rate < 1.0)) {
      throw input_error(std::string{verb} + ": dropout rate " + std::to_string(d.rate) +
                        ", expected one in [0, 1)");
    }
    if (d.rate > 0.0) require_length(s.example, s.count(), verb, "sequences.example");
  }
};

/// y = tanh(x). y may be x.
template <class A>
struct tanh_of {
  view<const A> x;
  view<A> y;
  void check() const { require_shape(y, x.rows, x.cols, "tanh_of", "y"); }
};

/// y = max(x, 0); NaN stays. y may be x.
template <class A>
struct relu_of {
  view<const A> x;
  view<A> y;
  void check() const { require_shape(y, x.rows, x.cols, "relu_of", "y"); }
};

/// y = x * factors, column by column: the gates of an MLP's neurons. Its backward pass is itself.
/// y may be x.
template <class A>
struct scale_columns {
  view<const A> x;        ///< [T, F]
  view<const A> factors;  ///< [1, F]
  view<A> y;              ///< [T, F]

  void check() const {
    require_shape(factors, 1, x.cols, "scale_columns", "factors");
    require_shape(y, x.rows, x.cols, "scale_columns", "y");
  }
};

/// y[i] = x[rows[i]], such as the first token of each sequence.
template <class A>
struct gather_rows {
  view<const A> x;                ///< [T, C]
  view<const std::int32_t> rows;  ///< [M], each below T
  view<A> y;                      ///< [M, C]

  void check() const {
    require_length(rows, y.rows, "gather_rows", "rows");
    require_shape(y, y.rows, x.cols, "gather_rows", "y");
  }
};

/// losses[i] = -log softmax(logits[i])[labels[i]]; gradient[i] = scale * d losses[i] / d logits[i].
/// With scale = 1/M the gradient is that of the mean.
template <class A>
struct cross_entropy {
  view<const A> logits;             ///< [M, K]
  view<const std::int32_t> labels;  ///< [M], each below K
  double scale = 1.0;
  view<double> losses;  ///< [M]
  view<A> gradient;     ///< [M, K], or empty; may be logits

  void check() const {
    require_length(labels, logits.rows, "cross_entropy", "labels");
    require_length(losses, logits.rows, "cross_entropy", "losses");
    require_shape_or_empty(gradient, logits.rows, logits.cols, "cross_entropy", "gradient");
  }
};

/// losses[i] = (predictions[i] - targets[i])^2; gradient[i] = scale * 2 (predictions - targets).
template <class A>
struct squared_error {
  view<const A> predictions;  ///< [M, 1]
  view<const A> targets;      ///< [M]
  double scale = 1.0;
  view<double> losses;  ///< [M]
  view<A> gradient;     ///< [M, 1], or empty

  void check() const {
    require_shape(predictions, predictions.rows, 1, "squared_error", "predictions");
    require_length(targets, predictions.rows, "squared_error", "targets");
    require_length(losses, predictions.rows, "squared_error", "losses");
    require_shape_or_empty(gradient, predictions.rows, 1, "squared_error", "gradient");
  }
};

/// Off the training path: what the heads look at.
/// entropy[h] is added to: sum over the batch's queries of -sum_keys p ln p, in nats; 0 ln 0 = 0.
/// probabilities: for each sequence of n tokens an [H, n, n] block, one after another.
template <class A>
struct attention_statistics {
  view<const A> qkv;  ///< [T, 3 H D]
  std::size_t heads = 0;
  packed_sequences sequences;
  view<double> entropy;   ///< [H]: added to; or empty
  view<A> probabilities;  ///< [sum over sequences of H n n], or empty

  void check() const {
    if (heads == 0 || qkv.cols % (3 * heads) != 0) {
      throw shape_error("attention_statistics: qkv of " + std::to_string(qkv.cols) +
                        " columns for " + std::to_string(heads) + " heads");
    }
    require_length_or_empty(entropy, heads, "attention_statistics", "entropy");
    require_length_or_empty(probabilities, heads * sequences.pairs, "attention_statistics",
                            "probabilities");
    attention<A>::check_sequences(sequences, {}, "attention_statistics");
  }
};

}  // namespace tombola
