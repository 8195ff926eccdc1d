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
/// 2019 (per_example); the study's code (cumulative; spec 3.1, Q4).
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
  /// Neurons are counted where there is a number of them.
  importance(std::size_t layers, std::size_t heads_per_layer, std::size_t neurons_per_layer = 0)
      : heads(layers * heads_per_layer), mlps(layers), neurons(layers * neurons_per_layer) {}

  gate_estimates heads;    ///< [L, H]; of a compact model layer after layer, the rest of it 0
  gate_estimates mlps;     ///< [L]
  gate_estimates neurons;  ///< [L, F], or empty; of a compact model likewise
  std::size_t examples = 0, tokens = 0, batches = 0;
};

namespace detail {

/// Adds one batch to the estimates of gate i: for each example the sum of its tokens' gradients,
/// and that of their magnitudes.
inline void add_gate(gate_estimates& e,
                     std::size_t i,
                     std::span<const double> sums,
                     std::span<const double> absolutes,
                     std::size_t examples_before) {
  const auto before = static_cast<double>(examples_before);
  const auto examples = static_cast<double>(sums.size());
  double batch = 0.0;
  for (std::size_t x = 0; x < sums.size(); ++x) {
    e.per_token[i] += absolutes[x];
    e.per_example[i] += std::abs(sums[x]);
    e.squared[i] += sums[x] * sums[x];
    batch += sums[x];
  }
  e.signed_mean[i] =
      e.signed_mean[i] * (before / (before + examples)) + batch / (before + examples);
  const double mean = batch / examples;
  e.per_batch[i] += std::abs(mean);
  e.running[i] += mean;
  e.cumulative[i] += std::abs(e.running[i]);
}

}  // namespace detail

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
  std::vector<double> sums(examples), absolutes(examples);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t x = 0; x < examples; ++x) {
      sums[x] = absolutes[x] = 0.0;
      for (auto t = static_cast<std::size_t>(offsets[x]);
           t < static_cast<std::size_t>(offsets[x + 1]); ++t) {
        const auto d = static_cast<double>(dots[t * n + j]);
        sums[x] += d;
        absolutes[x] += std::abs(d);
      }
    }
    detail::add_gate(e, first + j, sums, absolutes, examples_before);
  }
}

/// The same from what neuron_dots sums up, sums and absolutes [B, n].
template <class T>
void add_batch(gate_estimates& e,
               std::size_t first,
               std::size_t n,
               std::span<const T> sums_of,
               std::span<const T> absolutes_of,
               std::size_t examples,
               std::size_t examples_before) {
  std::vector<double> sums(examples), absolutes(examples);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t x = 0; x < examples; ++x) {
      sums[x] = static_cast<double>(sums_of[x * n + j]);
      absolutes[x] = static_cast<double>(absolutes_of[x * n + j]);
    }
    detail::add_gate(e, first + j, sums, absolutes, examples_before);
  }
}

namespace detail {

/// Adds what the last backward pass left for the gates of neurons.
template <backend B>
void add_neurons(bert<B>& model, workspace<B>& w, std::size_t examples, importance& out) {
  using A = typename B::activation;
  std::vector<A> sums, absolutes;
  std::size_t first = 0;
  for (std::size_t l = 0; l < model.config().layers; ++l) {
    const std::size_t n = model.config().shape(l).intermediate;
    if (n == 0) continue;
    sums.resize(examples * n);
    absolutes.resize(examples * n);
    const auto read = [&](planned<B>& from, std::vector<A>& to) {
      model.device().read(read_only(from.rows(examples)), std::span<A>{to});
    };
    read(w.encoder.neuron_sums[l], sums);
    read(w.encoder.neuron_absolutes[l], absolutes);
    add_batch<A>(out.neurons, first, n, sums, absolutes, examples, out.examples);
    first += n;
  }
}

}  // namespace detail

/// One forward and one backward pass to the gates: adds the batch to every estimator at once.
///
/// No weight gradient is formed. Works under any ticket and at any gate values, 0 included.
/// Precondition: w was made with keep::importance, or with keep::neuron_importance where `out`
/// counts neurons. Returns the logits, still in w. Waits once.
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
  if (!out.neurons.per_example.empty()) detail::add_neurons(model, w, batch.sequences(), out);
  out.examples += batch.sequences();
  out.tokens += batch.tokens();
  out.batches += 1;
  return logits;
}

}  // namespace tombola::nn
