#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/core/packed_batch.hpp"
#include "tombola/nn/bert.hpp"

namespace tombola::nn {

/// Every named estimator of how much the loss reacts to a gate, over a whole data set.
///
/// g_x is the gradient of example x's own loss, g_b the mean of a batch's g_x, g_t that of a gate
/// of its own for token t. One number per gate; all sums in double. Sources: Michel et al., NeurIPS
/// 2019 (per_example); the study's code (cumulative; spec 3.1).
struct gate_estimates {
  explicit gate_estimates(std::size_t n = 0)
      : per_token(n),
        per_example(n),
        squared(n),
        signed_mean(n),
        per_batch(n),
        cumulative(n),
        running(n) {}

  std::vector<double> per_token;    ///< sum over examples and tokens of |g_t|
  std::vector<double> per_example;  ///< sum over examples of |g_x|
  std::vector<double> squared;      ///< sum over examples of g_x^2: the Fisher form
  std::vector<double> signed_mean;  ///< mean over examples of g_x
  std::vector<double> per_batch;    ///< sum over batches of |g_b|
  std::vector<double> cumulative;   ///< sum over batches of |g_1 + ... + g_b|: the study's
  std::vector<double> running;      ///< g_1 + ... + g_b so far
};

/// Estimates for all gates of a model, batch after batch.
struct importance {
  importance(std::size_t layers, std::size_t heads_per_layer)
      : heads(layers * heads_per_layer), mlps(layers) {}

  gate_estimates heads;  ///< [L, H]; of a compact model layer after layer, the rest of it 0
  gate_estimates mlps;   ///< [L]
  std::size_t examples = 0, tokens = 0, batches = 0;
};

/// Adds one batch to the estimates of some gates.
///
/// dots [T, n] are the gradients of token gates when every example's loss has weight 1; gate j of
/// them is gate `first` + j. Cost: one pass over dots.
template <class T>
void add_batch(gate_estimates& e,
               std::size_t first,
               std::size_t n,
               std::span<const T> dots,
               std::span<const std::int32_t> offsets,
               std::size_t examples_before) {
  const std::size_t examples = offsets.size() - 1;
  const double share =
      static_cast<double>(examples_before) / static_cast<double>(examples_before + examples);
  for (std::size_t j = 0; j < n; ++j) {
    double batch = 0.0;
    for (std::size_t x = 0; x < examples; ++x) {
      double g = 0.0;
      for (auto t = static_cast<std::size_t>(offsets[x]);
           t < static_cast<std::size_t>(offsets[x + 1]); ++t) {
        const auto d = static_cast<double>(dots[t * n + j]);
        g += d;
        e.per_token[first + j] += std::abs(d);
      }
      e.per_example[first + j] += std::abs(g);
      e.squared[first + j] += g * g;
      batch += g;
    }
    const std::size_t i = first + j;
    e.signed_mean[i] =
        e.signed_mean[i] * share + batch / static_cast<double>(examples_before + examples);
    const double mean = batch / static_cast<double>(examples);
    e.per_batch[i] += std::abs(mean);
    e.running[i] += mean;
    e.cumulative[i] += std::abs(e.running[i]);
  }
}

/// One forward and one backward pass to the gates: adds the batch to every estimator at once.
///
/// No weight gradient is formed. Works under any ticket and at any gate values, 0 included.
/// Precondition: w was made with keep::importance. Returns the logits, still in w. Waits once.
template <backend B>
view<typename B::activation> add_importance(bert<B>& model,
                                            workspace<B>& w,
                                            const packed_batch& batch,
                                            importance& out) {
  using A = typename B::activation;
  const bert_config& c = model.config();
  w.batch.write(batch, c);
  const view<A> logits = model.forward(w);
  model.loss(w, 1.0);
  model.backward(w, gradients_of::gates);
  std::vector<A> host(batch.tokens() * c.heads);
  std::size_t first_head = 0;
  for (std::size_t l = 0; l < c.layers; ++l) {
    const auto add = [&](gate_estimates& e, planned<B>& dots, std::size_t first, std::size_t n) {
      const std::span<A> values{host.data(), batch.tokens() * n};
      model.device().read(read_only(dots.rows(batch.tokens())), values);
      add_batch<A>(e, first, n, values, batch.offsets, out.examples);
    };
    const std::size_t n = c.shape(l).heads;
    if (n > 0) add(out.heads, w.encoder.head_dots[l], first_head, n);
    first_head += n;
    add(out.mlps, w.encoder.mlp_dots[l], l, 1);
  }
  out.examples += batch.sequences();
  out.tokens += batch.tokens();
  out.batches += 1;
  return logits;
}

}  // namespace tombola::nn
