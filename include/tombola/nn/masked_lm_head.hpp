#pragma once

#include <cstddef>

#include "tombola/backend/backend.hpp"
#include "tombola/nn/activations.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/encoder.hpp"

namespace tombola::nn {

/// Memory of the masked-LM head, for at most M tokens to predict.
template <backend B>
struct masked_lm_activations {
  /// most: tokens to predict, at least one.
  masked_lm_activations(B& b, const bert_config& c, std::size_t most)
      : gathered{b, most, c.hidden},
        pre{b, most, c.hidden},
        activated{b, most, c.hidden},
        transformed{b, most, c.hidden},
        normalized{b, most, c.hidden},
        deviation{b, most, 1},
        logits{b, most, c.vocabulary},
        dlogits{b, most, c.vocabulary},
        d{b, most, c.hidden},
        dgathered{b, most, c.hidden} {}

  planned<B> gathered;               ///< [M, C] hidden states of the masked tokens
  planned<B> pre, activated;         ///< [M, C] before and after gelu
  planned<B> transformed;            ///< [M, C] after the layer norm
  planned<B> normalized, deviation;  ///< [M, C], [M]
  planned<B> logits, dlogits;        ///< [M, V]
  planned<B> d, dgathered;           ///< [M, C]
};

/// Logits of the masked tokens over the vocabulary:
/// LN(gelu(x W_t^T + b_t)) E^T + b_d, E being the word embeddings (the decoder is tied to them).
template <backend B>
class masked_lm_head {
public:
  using A = typename B::activation;
  using P = typename B::parameter;

  masked_lm_head(B& b, const bert_config& c, const bert_slots& s, parameters<B>& p)
      : backend_{b}, config_{c}, slots_{s}, parameters_{p} {}

  /// Fills a.logits from the last hidden state [T, C].
  void forward(const device_batch<B>& batch, view<const A> hidden, masked_lm_activations<B>& a) {
    const std::size_t n = batch.masked();
    perform(backend_, gather_rows<A>{hidden, batch.masked_rows(), a.gathered.rows(n)});
    perform(backend_,
            linear_gelu<A>{a.gathered.rows(n), parameters_.effective(slots_.transform_weight),
                           parameters_.effective(slots_.transform_bias), a.pre.rows(n),
                           a.activated.rows(n)});
    perform(backend_, add_norm<A>{.x = a.activated.rows(n),
                                  .residual = {},
                                  .gate = {},
                                  .weight = parameters_.effective(slots_.transform_norm_weight),
                                  .bias = parameters_.effective(slots_.transform_norm_bias),
                                  .epsilon = config_.epsilon,
                                  .drop = {},
                                  .places = {},
                                  .y = a.transformed.rows(n),
                                  .normalized = a.normalized.rows(n),
                                  .inverse_deviation = a.deviation.rows(n)});
    perform(backend_, linear<A>{a.transformed.rows(n), parameters_.effective(slots_.word),
                                parameters_.effective(slots_.decoder_bias), a.logits.rows(n)});
  }

  /// Losses [M] and, into a.dlogits, `scale` times their gradient.
  void loss(const device_batch<B>& batch,
            masked_lm_activations<B>& a,
            double scale,
            view<double> losses) {
    const std::size_t n = batch.masked();
    perform(backend_, cross_entropy<A>{a.logits.rows(n), batch.masked_ids(), scale, losses,
                                       a.dlogits.rows(n)});
  }

  /// From a.dlogits to the gradient of the last hidden state (overwritten; 0 but in masked rows).
  /// Adds to the gradients of the head and, through the decoder, of the word embeddings where they
  /// are wanted.
  void backward(const device_batch<B>& batch,
                masked_lm_activations<B>& a,
                view<A> dhidden,
                gradients_of wanted) {
    const std::size_t n = batch.masked();
    const view<A> dlogits = a.dlogits.rows(n), d = a.d.rows(n), dgathered = a.dgathered.rows(n);
    const bool all = wanted == gradients_of::weights;
    if (all) gradient(slots_.word, slots_.decoder_bias, dlogits, a.transformed.rows(n));
    perform(backend_,
            linear_input_gradient<A>{dlogits, parameters_.effective(slots_.word), {}, d, false});
    if (all) {
      perform(backend_,
              norm_weight_gradient<A, P>{d, a.normalized.rows(n),
                                         parameters_.gradient(slots_.transform_norm_weight),
                                         parameters_.gradient(slots_.transform_norm_bias)});
    }
    perform(backend_,
            add_norm_backward<A>{.dy = d,
                                 .normalized = a.normalized.rows(n),
                                 .inverse_deviation = a.deviation.rows(n),
                                 .weight = parameters_.effective(slots_.transform_norm_weight),
                                 .gate = {},
                                 .drop = {},
                                 .places = {},
                                 .dsum = d,
                                 .dx = {}});
    perform(backend_, gelu_backward<A>{a.pre.rows(n), d, d});
    if (all) gradient(slots_.transform_weight, slots_.transform_bias, d, a.gathered.rows(n));
    perform(backend_, linear_input_gradient<A>{
                          d, parameters_.effective(slots_.transform_weight), {}, dgathered, false});
    backend_.fill(dhidden, A{0});
    perform(backend_, scatter_rows<A>{dgathered, batch.masked_rows(), dhidden});
  }

private:
  void gradient(std::size_t w, std::size_t b, view<const A> dy, view<const A> x) {
    perform(backend_,
            linear_weight_gradient<A, P>{dy, x, parameters_.gradient(w), parameters_.gradient(b)});
  }

  B& backend_;
  const bert_config& config_;
  const bert_slots& slots_;
  parameters<B>& parameters_;
};

}  // namespace tombola::nn
