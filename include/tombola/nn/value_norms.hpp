#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/core/error.hpp"
#include "tombola/nn/bert.hpp"

namespace tombola::nn {

namespace detail {

/// Lengths of the vectors that each head's values become behind its share of the output weight, for
/// the batch that went forward through w. entry(h, c, d) is where in W_o [C, W], row-major, the
/// number stands that takes value d of head h to output c.
template <backend B, class Entry>
[[nodiscard]] std::vector<double> value_norms_by(bert<B>& model,
                                                 workspace<B>& w,
                                                 std::size_t layer,
                                                 const Entry& entry) {
  using A = typename B::activation;
  const bert_config& c = model.config();
  const std::size_t H = c.shape(layer).heads, D = c.head_size(), C = c.hidden;
  const std::size_t T = w.batch.tokens(), W = H * D;
  if (w.encoder.kept == keep::nothing) {
    throw input_error("value norms: the forward pass kept nothing, expected one that keeps layers");
  }
  std::vector<double> norms(T * H);
  if (H == 0) return norms;
  B& b = model.device();
  std::vector<A> qkv(T * 3 * W), output(C * W), values(T * D), block(C * D), vectors(T * C);
  b.read(read_only(w.encoder.layers[layer].qkv.rows(T)), std::span<A>{qkv});
  b.read(model.parameters().effective(model.slots().layers[layer].output_weight),
         std::span<A>{output});
  auto value_memory = b.template allocate<A>(T * D), block_memory = b.template allocate<A>(C * D),
       vector_memory = b.template allocate<A>(T * C);
  const view<A> x{value_memory.data(), T, D}, m{block_memory.data(), C, D};
  const view<A> y{vector_memory.data(), T, C};
  for (std::size_t h = 0; h < H; ++h) {
    for (std::size_t t = 0; t < T; ++t) {
      for (std::size_t d = 0; d < D; ++d) values[t * D + d] = qkv[t * 3 * W + 2 * W + h * D + d];
    }
    for (std::size_t o = 0; o < C; ++o) {
      for (std::size_t d = 0; d < D; ++d) block[o * D + d] = output[entry(h, o, d)];
    }
    b.write(std::span<const A>{values}, x);
    b.write(std::span<const A>{block}, m);
    perform(b, linear<A>{x, m, {}, y});
    b.read(read_only(y), std::span<A>{vectors});
    for (std::size_t t = 0; t < T; ++t) {
      double squares = 0.0;
      for (std::size_t o = 0; o < C; ++o) {
        const auto v = static_cast<double>(vectors[t * C + o]);
        squares += v * v;
      }
      norms[t * H + h] = std::sqrt(squares);
    }
  }
  return norms;
}

}  // namespace detail

/// ||V_hj W_o[:, head h]^T||_2 for each token j and head h of a layer: [T, H], the heads that are
/// left in a compact model. What a head adds for a token it attends to wholly; values include their
/// bias, the output bias is left out. For the batch that last went forward through w, which keeps
/// its layers, else input_error. Waits for the device twice a head.
/// Source: Kobayashi et al., EMNLP 2020; spec of the study, 1.4.
template <backend B>
[[nodiscard]] std::vector<double> value_norms(bert<B>& model, workspace<B>& w, std::size_t layer) {
  const std::size_t D = model.config().head_size(), W = model.config().attention_width(layer);
  return detail::value_norms_by(
      model, w, layer,
      [D, W](std::size_t h, std::size_t c, std::size_t d) { return c * W + h * D + d; });
}

/// Turns attention probabilities into value-weighted attention in place: P_ij * norm_j, which is
/// the length of P_ij * g_j (value_norms). Probabilities are those of attention_statistics: for
/// each sequence of n tokens an [H, n, n] block, one after another; norms [T, H].
/// Throws shape_error where the three do not fit one another.
template <class T>
void weigh_attention(std::span<T> probabilities,
                     std::span<const double> norms,
                     std::span<const std::int32_t> offsets,
                     std::size_t heads) {
  std::size_t expected = 0;
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    const auto n = static_cast<std::size_t>(offsets[b + 1] - offsets[b]);
    expected += heads * n * n;
  }
  const auto tokens = static_cast<std::size_t>(offsets.empty() ? 0 : offsets.back());
  if (probabilities.size() != expected || norms.size() != tokens * heads) {
    throw shape_error("value-weighted attention: " + std::to_string(probabilities.size()) +
                      " probabilities and " + std::to_string(norms.size()) + " norms, expected " +
                      std::to_string(expected) + " and " + std::to_string(tokens * heads));
  }
  T* p = probabilities.data();
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    const auto first = static_cast<std::size_t>(offsets[b]);
    const auto n = static_cast<std::size_t>(offsets[b + 1]) - first;
    for (std::size_t h = 0; h < heads; ++h) {
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j, ++p) {
          *p = static_cast<T>(static_cast<double>(*p) * norms[(first + j) * heads + h]);
        }
      }
    }
  }
}

}  // namespace tombola::nn
