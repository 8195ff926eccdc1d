#pragma once

#include <cstddef>

#include "tombola/backend/backend.hpp"
#include "tombola/nn/activations.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/dropout_plan.hpp"
#include "tombola/nn/encoder.hpp"

namespace tombola::nn {

/// Memory of the head over the first tokens, for at most B sequences.
template <backend B>
struct sequence_activations {
  sequence_activations(B& b, const bert_config& c, std::size_t most)
      : first{b, most, c.hidden},
        pooled{b, most, c.hidden},
        dropped{b, most, c.hidden},
        logits{b, most, c.labels},
        dlogits{b, most, c.labels},
        dpooled{b, most, c.hidden},
        dfirst{b, most, c.hidden} {}

  planned<B> first;            ///< [B, C] hidden state of each sequence's first token, dropped out
  planned<B> pooled;           ///< [B, C] f(first W_p^T + b_p)
  planned<B> dropped;          ///< [B, C]
  planned<B> logits;           ///< [B, K]
  planned<B> dlogits;          ///< [B, K]
  planned<B> dpooled, dfirst;  ///< [B, C]
};

/// Dense layer and classifier (or regression, K = 1) on the first token of each sequence:
/// logits = dropout(f(first W_p^T + b_p)) W_c^T + b_c. f is tanh or ReLU, as the config's family
/// says, and so is whether first is dropped out too. BERT calls the dense layer its pooler.
template <backend B>
class sequence_head {
public:
  using A = typename B::activation;
  using P = typename B::parameter;

  sequence_head(B& b, const bert_config& c, const bert_slots& s, parameters<B>& p)
      : backend_{b}, config_{c}, slots_{s}, parameters_{p} {}

  /// Fills a.logits from a.first, the last hidden states of first tokens.
  void forward(const device_batch<B>& batch, sequence_activations<B>& a, const dropout_plan& drop) {
    const std::size_t n = batch.sequences();
    const view<A> first = a.first.rows(n), pooled = a.pooled.rows(n), dropped = a.dropped.rows(n);
    drop_first(first, batch, drop);
    perform(backend_, linear<A>{first, parameters_.effective(slots_.pooler_weight),
                                parameters_.effective(slots_.pooler_bias), pooled});
    activate(pooled);
    perform(backend_, dropout<A>{pooled, pooled_bits(drop), batch.sequence_places(), dropped});
    perform(backend_, linear<A>{dropped, parameters_.effective(slots_.classifier_weight),
                                parameters_.effective(slots_.classifier_bias), a.logits.rows(n)});
  }

  /// Losses [B] and, into a.dlogits, `scale` times their gradient.
  void loss(const device_batch<B>& batch,
            sequence_activations<B>& a,
            double scale,
            view<double> losses) {
    const std::size_t n = batch.sequences();
    if (config_.head == head_kind::regression) {
      perform(backend_, squared_error<A>{a.logits.rows(n), batch.targets(), scale, losses,
                                         a.dlogits.rows(n)});
    } else {
      perform(backend_,
              cross_entropy<A>{a.logits.rows(n), batch.labels(), scale, losses, a.dlogits.rows(n)});
    }
  }

  /// From a.dlogits to the gradient of the last hidden state, which is overwritten: it is 0 but in
  /// the rows of first tokens. Adds to the head's weight gradients where they are wanted.
  void backward(const device_batch<B>& batch,
                sequence_activations<B>& a,
                view<A> dhidden,
                const dropout_plan& drop,
                gradients_of wanted) {
    const std::size_t n = batch.sequences();
    const view<A> dlogits = a.dlogits.rows(n), d = a.dpooled.rows(n), dfirst = a.dfirst.rows(n);
    const bool all = wanted == gradients_of::weights;
    if (all) gradient(slots_.classifier_weight, slots_.classifier_bias, dlogits, a.dropped.rows(n));
    perform(backend_, linear_input_gradient<A>{
                          dlogits, parameters_.effective(slots_.classifier_weight), {}, d, false});
    perform(backend_, dropout<A>{d, pooled_bits(drop), batch.sequence_places(), d});
    activate_backward(a.pooled.rows(n), d);
    if (all) gradient(slots_.pooler_weight, slots_.pooler_bias, d, a.first.rows(n));
    perform(backend_, linear_input_gradient<A>{
                          d, parameters_.effective(slots_.pooler_weight), {}, dfirst, false});
    drop_first(dfirst, batch, drop);
    backend_.fill(dhidden, A{0});
    perform(backend_, scatter_rows<A>{dfirst, batch.first_rows(), dhidden});
  }

private:
  void activate(view<A> x) {
    switch (config_.family->activation) {
      case head_activation::tanh:
        return perform(backend_, tanh_of<A>{x, x});
      case head_activation::relu:
        return perform(backend_, relu_of<A>{x, x});
    }
  }
  void activate_backward(view<const A> y, view<A> d) {
    switch (config_.family->activation) {
      case head_activation::tanh:
        return perform(backend_, tanh_backward<A>{y, d, d});
      case head_activation::relu:
        return perform(backend_, relu_backward<A>{y, d, d});
    }
  }
  /// Its own backward, on a gradient.
  void drop_first(view<A> x, const device_batch<B>& batch, const dropout_plan& drop) {
    const dropout_bits bits = bits_for(drop, config_.classifier_dropout, dropout_site::first);
    if (config_.family->drops_first && bits.rate > 0.0) {
      perform(backend_, dropout<A>{x, bits, batch.sequence_places(), x});
    }
  }
  [[nodiscard]] dropout_bits pooled_bits(const dropout_plan& drop) const noexcept {
    return bits_for(drop, config_.classifier_dropout, dropout_site::pooled);
  }
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
