#pragma once

#include <cstddef>

#include "tombola/backend/backend.hpp"
#include "tombola/nn/activations.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/device_batch.hpp"
#include "tombola/nn/dropout_plan.hpp"
#include "tombola/nn/embeddings.hpp"
#include "tombola/nn/gates.hpp"
#include "tombola/nn/parameters.hpp"

namespace tombola::nn {

/// What a backward pass is for.
enum class gradients_of {
  weights,  ///< every parameter; input gradients down to the embeddings
  gates,    ///< gates only: no weight gradient is formed, and nothing below the first layer's gates
};

/// The encoder of BERT (spec of the study, 1.1): embeddings and L layers. What its relatives do
/// otherwise is in the config's family.
///
/// Holds nothing but references; parameters, gates and memory are the model's. Gradients of
/// parameters add, everything else is overwritten. Shapes and letters as in config.hpp.
template <backend B>
class encoder {
public:
  using A = typename B::activation;
  using P = typename B::parameter;

  encoder(B& b, const bert_config& c, const bert_slots& s, parameters<B>& p, gates<B>& g)
      : backend_{b}, config_{c}, slots_{s}, parameters_{p}, gates_{g}, embeddings_{b, c, s, p} {}

  /// The last hidden state [T, C]. `a` is planned for at least this batch.
  view<A> forward(const device_batch<B>& batch,
                  encoder_activations<B>& a,
                  const dropout_plan& drop) {
    return forward_through(config_.layers, batch, a, drop);
  }

  /// The same for the first token of each sequence alone, into out [B, C]. Behind its attention the
  /// last layer works on these rows and no others, which saves it three quarters of its products.
  /// No backward pass can follow.
  void forward_first(const device_batch<B>& batch,
                     encoder_activations<B>& a,
                     const dropout_plan& drop,
                     view<A> out) {
    const std::size_t last = config_.layers - 1, W = config_.attention_width(last);
    const view<const A> hidden = forward_through(last, batch, a, drop);
    layer_activations<B>& act = a.of_layer(last);
    attend(last, batch, hidden, act, drop);
    const view<A> context = a.first_context.rows(out.rows, W),
                  first = a.first_hidden.rows(out.rows);
    perform(backend_, gather_rows<A>{hidden, batch.first_rows(), first});
    if (W > 0) {
      const view<const A> all = act.context.rows(batch.tokens(), W);
      perform(backend_, gather_rows<A>{all, batch.first_rows(), context});
    }
    const row_places places = batch.sequence_places();
    add_attended(last, context, first, places, act, a, drop);
    mlp_forward(last, places, act, a, drop, out);
  }

  /// From a.dhidden, the gradient of the last hidden state [T, C], back to what `wanted` says.
  void backward(const device_batch<B>& batch,
                encoder_activations<B>& a,
                const dropout_plan& drop,
                gradients_of wanted) {
    for (std::size_t l = config_.layers; l-- > 0;) {
      const view<const A> input = l == 0 ? read_only(a.embedded.rows(batch.tokens()))
                                         : read_only(a.layers[l - 1].output.rows(batch.tokens()));
      mlp_backward(l, batch, a, drop, wanted);
      attention_backward(l, batch, input, a, drop, wanted);
    }
    if (wanted == gradients_of::weights) embeddings_.backward(batch, a, drop);
  }

  /// Attention statistics of one layer after a forward pass (attention_statistics in forward.hpp);
  /// nothing for a layer without heads. Precondition: a keeps every layer.
  void statistics(std::size_t layer,
                  const device_batch<B>& batch,
                  encoder_activations<B>& a,
                  view<double> entropy,
                  view<A> probabilities) {
    const std::size_t heads = config_.shape(layer).heads;
    if (heads == 0) return;
    perform(backend_, attention_statistics<A>{a.layers[layer].qkv.rows(batch.tokens()), heads,
                                              batch.packed(), entropy, probabilities});
  }

private:
  /// The hidden state [T, C] that leaves the first `layers` layers.
  view<A> forward_through(std::size_t layers,
                          const device_batch<B>& batch,
                          encoder_activations<B>& a,
                          const dropout_plan& drop) {
    const std::size_t T = batch.tokens();
    embeddings_.forward(batch, a, drop);
    view<A> hidden = a.embedded.rows(T);
    for (std::size_t l = 0; l < layers; ++l) {
      layer_activations<B>& act = a.of_layer(l);
      attend(l, batch, hidden, act, drop);
      add_attended(l, act.context.rows(T, config_.attention_width(l)), hidden, batch.token_places(),
                   act, a, drop);
      hidden = act.output.rows(T);
      mlp_forward(l, batch.token_places(), act, a, drop, hidden);
    }
    return hidden;
  }

  // ---- attention: out = LN(dropout(context W_o^T + b_o) + hidden) ----
  // Without heads the branch is dropout(b_o); without the branch, out = LN(hidden).

  void attend(std::size_t l,
              const device_batch<B>& batch,
              view<const A> hidden,
              layer_activations<B>& act,
              const dropout_plan& drop) {
    if (config_.shape(l).heads == 0) return;
    const std::size_t T = batch.tokens(), W = config_.attention_width(l);
    const layer_slots& s = slots_.layers[l];
    const view<A> qkv = act.qkv.rows(T, 3 * W);
    perform(backend_, linear<A>{hidden, weight(s.query_weight, 3), weight(s.query_bias, 3), qkv});
    perform(backend_, attention<A>{.qkv = qkv,
                                   .heads = config_.shape(l).heads,
                                   .sequences = batch.packed(),
                                   .factors = gates_.heads(l),
                                   .drop = bits_for(drop, config_.attention_dropout,
                                                    dropout_site::attention, l),
                                   .context = act.context.rows(T, W),
                                   .ungated = act.ungated.rows(T),
                                   .log_sum = act.log_sum.rows(T)});
  }

  /// Any rows of the batch: context [M, W], hidden [M, C], and where they stand.
  void add_attended(std::size_t l,
                    view<const A> context,
                    view<const A> hidden,
                    const row_places& places,
                    layer_activations<B>& act,
                    encoder_activations<B>& a,
                    const dropout_plan& drop) {
    const std::size_t M = hidden.rows;
    const layer_shape shape = config_.shape(l);
    const layer_slots& s = slots_.layers[l];
    if (shape.attention) {
      project(context, config_.attention_width(l), s.output_weight, s.output_bias,
              a.scratch.rows(M));
    }
    perform(backend_, add_norm<A>{.x = shape.attention ? read_only(a.scratch.rows(M)) : hidden,
                                  .residual = shape.attention ? hidden : view<const A>{},
                                  .gate = {},
                                  .weight = weight(s.norm1_weight),
                                  .bias = weight(s.norm1_bias),
                                  .epsilon = config_.epsilon,
                                  .drop = attended_bits(drop, l),
                                  .places = places,
                                  .y = act.after_attention.rows(M),
                                  .normalized = act.normalized1.rows(M),
                                  .inverse_deviation = act.deviation1.rows(M)});
  }

  /// dhidden holds the gradient of the first layer norm's output and ends as that of the input.
  void attention_backward(std::size_t l,
                          const device_batch<B>& batch,
                          view<const A> input,
                          encoder_activations<B>& a,
                          const dropout_plan& drop,
                          gradients_of wanted) {
    const std::size_t T = batch.tokens(), W = config_.attention_width(l);
    const layer_shape shape = config_.shape(l);
    const layer_slots& s = slots_.layers[l];
    layer_activations<B>& act = a.layers[l];
    const view<A> d = a.dhidden.rows(T);
    const dropout_bits dropped = attended_bits(drop, l);
    const bool all = wanted == gradients_of::weights;
    if (all) norm_gradient(s.norm1_weight, s.norm1_bias, d, act.normalized1.rows(T));
    const view<A> dout = dropped.rate > 0.0 ? a.dbranch.rows(T) : d;
    perform(backend_, add_norm_backward<A>{.dy = d,
                                           .normalized = act.normalized1.rows(T),
                                           .inverse_deviation = act.deviation1.rows(T),
                                           .weight = weight(s.norm1_weight),
                                           .gate = {},
                                           .drop = dropped,
                                           .places = batch.token_places(),
                                           .dsum = d,
                                           .dx = dropped.rate > 0.0 ? dout : view<A>{}});
    if (!shape.attention) return;
    if (all) project_gradient(s.output_weight, s.output_bias, dout, act.context.rows(T), W);
    if (shape.heads == 0) return;
    const view<A> dcontext = a.dscratch.rows(T, W);
    perform(backend_, linear_input_gradient<A>{dout, weight(s.output_weight), {}, dcontext, false});
    if (for_gates(a.kept)) {
      perform(backend_, head_dots<A>{act.ungated.rows(T), dcontext, a.head_dots[l].rows(T)});
    }
    if (!all && l == 0) return;  // nothing below has a gate
    const view<A> dqkv = a.dqkv.rows(T, 3 * W);
    perform(backend_,
            tombola::attention_backward<A>{
                .qkv = act.qkv.rows(T),
                .heads = shape.heads,
                .sequences = batch.packed(),
                .factors = gates_.heads(l),
                .drop = bits_for(drop, config_.attention_dropout, dropout_site::attention, l),
                .context = act.context.rows(T),
                .log_sum = act.log_sum.rows(T),
                .dcontext = dcontext,
                .dqkv = dqkv});
    if (all) {
      perform(backend_,
              linear_weight_gradient<A, P>{dqkv, input, parameters_.gradient(s.query_weight, 3),
                                           parameters_.gradient(s.query_bias, 3)});
    }
    perform(backend_, linear_input_gradient<A>{dqkv, weight(s.query_weight, 3), {}, d, true});
  }

  // ---- MLP: out = LN(gate * dropout(gelu(x W_1^T + b_1) W_2^T + b_2) + x) ----
  // Without neurons the branch is b_2, which gate and dropout act on; without it, out = LN(x).

  /// Any rows of the batch, from act.after_attention to out [M, C].
  void mlp_forward(std::size_t l,
                   const row_places& places,
                   layer_activations<B>& act,
                   encoder_activations<B>& a,
                   const dropout_plan& drop,
                   view<A> out) {
    const std::size_t M = out.rows;
    const layer_shape shape = config_.shape(l);
    const layer_slots& s = slots_.layers[l];
    const view<const A> x = act.after_attention.rows(M);
    const view<A> branch = for_gates(a.kept) ? act.branch.rows(M) : a.scratch.rows(M);
    const view<A> up = act.up.rows(M, shape.intermediate);
    if (shape.intermediate > 0) {
      perform(backend_,
              linear_gelu<A>{x, weight(s.up_weight), weight(s.up_bias), act.pre.rows(M), up});
      scale_neurons(l, up);
    }
    if (shape.mlp) project(up, shape.intermediate, s.down_weight, s.down_bias, branch);
    perform(backend_, add_norm<A>{.x = shape.mlp ? read_only(branch) : x,
                                  .residual = shape.mlp ? x : view<const A>{},
                                  .gate = mlp_gate(l),
                                  .weight = weight(s.norm2_weight),
                                  .bias = weight(s.norm2_bias),
                                  .epsilon = config_.epsilon,
                                  .drop = mlp_bits(drop, l),
                                  .places = places,
                                  .y = out,
                                  .normalized = act.normalized2.rows(M),
                                  .inverse_deviation = act.deviation2.rows(M)});
  }

  /// dhidden holds the gradient of the layer's output and ends as that of the MLP's input.
  void mlp_backward(std::size_t l,
                    const device_batch<B>& batch,
                    encoder_activations<B>& a,
                    const dropout_plan& drop,
                    gradients_of wanted) {
    const std::size_t T = batch.tokens();
    const layer_slots& s = slots_.layers[l];
    layer_activations<B>& act = a.layers[l];
    const view<A> d = a.dhidden.rows(T);
    const layer_shape shape = config_.shape(l);
    const dropout_bits dropped = mlp_bits(drop, l);
    const bool all = wanted == gradients_of::weights;
    const bool apart = dropped.rate > 0.0 || !mlp_gate(l).empty();
    if (all) norm_gradient(s.norm2_weight, s.norm2_bias, d, act.normalized2.rows(T));
    const view<A> dbranch = apart ? a.dbranch.rows(T) : d;
    perform(backend_, add_norm_backward<A>{.dy = d,
                                           .normalized = act.normalized2.rows(T),
                                           .inverse_deviation = act.deviation2.rows(T),
                                           .weight = weight(s.norm2_weight),
                                           .gate = mlp_gate(l),
                                           .drop = dropped,
                                           .places = batch.token_places(),
                                           .dsum = d,
                                           .dx = apart ? dbranch : view<A>{}});
    if (!shape.mlp) return;
    if (for_gates(a.kept)) {
      const view<A> arriving = dropped.rate > 0.0 ? a.dscratch.rows(T) : d;
      if (dropped.rate > 0.0) {  // which lies between the branch and its gate
        perform(backend_, dropout<A>{d, dropped, batch.token_places(), arriving});
      }
      perform(backend_, head_dots<A>{act.branch.rows(T), arriving, a.mlp_dots[l].rows(T)});
    }
    if (all) {
      project_gradient(s.down_weight, s.down_bias, dbranch, act.up.rows(T), shape.intermediate);
    }
    if (shape.intermediate == 0) return;
    const view<A> dup = a.dup.rows(T, shape.intermediate);
    if (a.kept == keep::neuron_importance) {
      perform(backend_, linear_input_gradient<A>{dbranch, weight(s.down_weight), {}, dup, false});
      perform(backend_, neuron_dots<A>{act.pre.rows(T), dup, batch.packed(),
                                       a.neuron_sums[l].rows(batch.sequences()),
                                       a.neuron_absolutes[l].rows(batch.sequences())});
      perform(backend_, gelu_backward<A>{act.pre.rows(T), dup, dup});
    } else {
      perform(backend_, linear_input_gradient<A>{dbranch, weight(s.down_weight), act.pre.rows(T),
                                                 dup, false});
    }
    scale_neurons(l, dup);
    if (all) linear_gradient(s.up_weight, s.up_bias, dup, act.after_attention.rows(T));
    perform(backend_, linear_input_gradient<A>{dup, weight(s.up_weight), {}, d, true});
  }

  // ---- shared ----

  [[nodiscard]] view<const A> weight(std::size_t i, std::size_t count = 1) {
    return parameters_.effective(i, count);
  }
  /// Bits and gates of a layer's branches. A branch that is not there has none.
  [[nodiscard]] dropout_bits attended_bits(const dropout_plan& drop, std::size_t l) const noexcept {
    if (!config_.shape(l).attention) return {};
    return bits_for(drop, config_.attended_dropout(), dropout_site::attended, l);
  }
  [[nodiscard]] dropout_bits mlp_bits(const dropout_plan& drop, std::size_t l) const noexcept {
    if (!config_.shape(l).mlp) return {};
    return bits_for(drop, config_.hidden_dropout, dropout_site::mlp, l);
  }
  [[nodiscard]] view<const A> mlp_gate(std::size_t l) const noexcept {
    return config_.shape(l).mlp ? gates_.mlp(l) : view<const A>{};
  }

  /// The last product of a branch: out = x W^T + b from x [T, units], the bias alone where there
  /// are no units, and thus no weight. Likewise its gradients.
  void project(view<const A> x, std::size_t units, std::size_t w, std::size_t b, view<A> out) {
    const bool some = units > 0;
    perform(backend_,
            linear<A>{some ? x : view<const A>{nullptr, out.rows, 0},
                      some ? weight(w) : view<const A>{nullptr, out.cols, 0}, weight(b), out});
  }
  void project_gradient(
      std::size_t w, std::size_t b, view<const A> dy, view<const A> x, std::size_t units) {
    if (units > 0) return linear_gradient(w, b, dy, x);
    perform(backend_,
            linear_weight_gradient<A, P>{dy, view<const A>{nullptr, dy.rows, 0},
                                         view<P>{nullptr, dy.cols, 0}, parameters_.gradient(b)});
  }
  /// In place: what neurons give, or the gradient of what they take, which is a product with it.
  void scale_neurons(std::size_t l, view<A> x) {
    const view<const A> factors = gates_.neurons(l);
    if (!factors.empty()) perform(backend_, scale_columns<A>{x, factors, x});
  }
  void norm_gradient(std::size_t w, std::size_t b, view<const A> dy, view<const A> normalized) {
    perform(backend_, norm_weight_gradient<A, P>{dy, normalized, parameters_.gradient(w),
                                                 parameters_.gradient(b)});
  }
  void linear_gradient(std::size_t w, std::size_t b, view<const A> dy, view<const A> x) {
    perform(backend_,
            linear_weight_gradient<A, P>{dy, x, parameters_.gradient(w), parameters_.gradient(b)});
  }

  B& backend_;
  const bert_config& config_;
  const bert_slots& slots_;
  parameters<B>& parameters_;
  gates<B>& gates_;
  embeddings<B> embeddings_;
};

}  // namespace tombola::nn
