#pragma once

#include <cstddef>

#include "tombola/backend/backend.hpp"
#include "tombola/nn/activations.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/device_batch.hpp"
#include "tombola/nn/dropout_plan.hpp"
#include "tombola/nn/parameters.hpp"

namespace tombola::nn {

/// What enters the first layer: dropout(LN(word + position + segment)), looked up for each token.
/// Segments only where the model has them. Holds references alone, as the encoder does.
template <backend B>
class embeddings {
public:
  using A = typename B::activation;
  using P = typename B::parameter;

  embeddings(B& b, const bert_config& c, const bert_slots& s, parameters<B>& p)
      : backend_{b}, config_{c}, slots_{s}, parameters_{p} {}

  /// Fills a.embedded [T, C].
  void forward(const device_batch<B>& batch, encoder_activations<B>& a, const dropout_plan& drop) {
    const std::size_t T = batch.tokens();
    const view<A> out = a.embedded.rows(T);
    perform(backend_, embed<A>{batch.ids(), batch.positions(), batch.segments(),
                               weight(slots_.word), used_positions(weight(slots_.position)),
                               segmented(weight(slots_.segment)), a.scratch.rows(T)});
    perform(backend_, add_norm<A>{.x = a.scratch.rows(T),
                                  .residual = {},
                                  .gate = {},
                                  .weight = weight(slots_.norm_weight),
                                  .bias = weight(slots_.norm_bias),
                                  .epsilon = config_.epsilon,
                                  .drop = {},
                                  .places = {},
                                  .y = out,
                                  .normalized = a.normalized0.rows(T),
                                  .inverse_deviation = a.deviation0.rows(T)});
    drop_in_place(out, bits_for(drop, config_.hidden_dropout, dropout_site::embeddings), batch);
  }

  /// From a.dhidden, the gradient of a.embedded, which it uses up; adds to the tables' and the
  /// layer norm's gradients.
  void backward(const device_batch<B>& batch, encoder_activations<B>& a, const dropout_plan& drop) {
    const std::size_t T = batch.tokens();
    const view<A> d = a.dhidden.rows(T);
    drop_in_place(d, bits_for(drop, config_.hidden_dropout, dropout_site::embeddings), batch);
    perform(backend_, norm_weight_gradient<A, P>{d, a.normalized0.rows(T),
                                                 parameters_.gradient(slots_.norm_weight),
                                                 parameters_.gradient(slots_.norm_bias)});
    perform(backend_, add_norm_backward<A>{.dy = d,
                                           .normalized = a.normalized0.rows(T),
                                           .inverse_deviation = a.deviation0.rows(T),
                                           .weight = weight(slots_.norm_weight),
                                           .gate = {},
                                           .drop = {},
                                           .places = {},
                                           .dsum = d,
                                           .dx = {}});
    perform(backend_, embed_backward<A, P>{batch.ids(), batch.positions(), batch.segments(), d,
                                           parameters_.gradient(slots_.word),
                                           used_positions(parameters_.gradient(slots_.position)),
                                           segmented(parameters_.gradient(slots_.segment))});
  }

private:
  [[nodiscard]] view<const A> weight(std::size_t i) { return parameters_.effective(i); }
  /// The rows of a table of positions that tokens use: position 0 is the first of them.
  template <class T>
  [[nodiscard]] view<T> used_positions(view<T> table) const noexcept {
    return table.rows_from(config_.family->position_offset, config_.longest_sequence());
  }
  /// The table of segments, empty where the model has none.
  template <class T>
  [[nodiscard]] view<T> segmented(view<T> table) const noexcept {
    return config_.segments > 0 ? table : view<T>{};
  }
  void drop_in_place(view<A> x, const dropout_bits& bits, const device_batch<B>& batch) {
    if (bits.rate > 0.0) perform(backend_, dropout<A>{x, bits, batch.token_places(), x});
  }

  B& backend_;
  const bert_config& config_;
  const bert_slots& slots_;
  parameters<B>& parameters_;
};

}  // namespace tombola::nn
