#pragma once

// What the study's code does to a model that is not what it was meant to do (spec of the study, 1.2
// to 1.4; Q1 to Q3). For reproducing its published numbers: nothing else uses it.

#include <cstddef>
#include <span>
#include <vector>

#include "tombola/core/ticket.hpp"
#include "tombola/nn/compact.hpp"
#include "tombola/nn/value_norms.hpp"

namespace tombola::nn::study {

/// How a structured ticket becomes a smaller model.
enum class removal {
  exact,     ///< as under gates at 0: not the study's way
  pruned,    ///< the study's: a layer that loses all heads loses its output bias too
  reloaded,  ///< and after its checkpoint was read: layers with half their heads lose the others
};

/// The dropped output bias: the attention branch of a layer without heads is gone altogether, so
/// that the layer is LN(h). Masking the same heads keeps the bias.
[[nodiscard]] inline compact_plan drop_emptied_attention(compact_plan plan) {
  for (layer_shape& s : plan.config.shapes) s.attention = s.heads > 0;
  return plan;
}

/// The reload defect: reading a pruned checkpoint prunes it twice, and the second time the heads
/// already gone are compared with the heads that are left. Where exactly half are left, the layer
/// loses the rest. Throws input_error for a ticket without `heads`, shape_error unless that is
/// [L x H].
[[nodiscard]] inline ticket reload(ticket t) {
  const mask before = t.at("heads");
  const std::size_t place = *t.find("heads");
  const group& g = t.groups()[place];
  if (g.extents.size() != 2) {
    throw shape_error("ticket: group " + to_string(g) + ", expected layers and heads");
  }
  const std::size_t L = g.extents[0], H = g.extents[1];
  for (std::size_t l = 0; l < L; ++l) {
    if (2 * nn::detail::kept_in(before, l, H).size() != H) continue;
    for (std::size_t h = 0; h < H; ++h) t.set(place, l * H + h, false);
  }
  return t;
}

/// The ticket whose units are really gone.
[[nodiscard]] inline ticket ticket_for(const ticket& t, removal how) {
  return how == removal::reloaded && t.find("heads") ? reload(t) : t;
}

/// Which units stay when they are removed in one of these ways. Throws as plan_compaction.
[[nodiscard]] inline compact_plan plan_for(const bert_config& whole, const ticket& t, removal how) {
  compact_plan plan = plan_compaction(whole, ticket_for(t, how));
  return how == removal::exact ? plan : drop_emptied_attention(std::move(plan));
}

/// mask_units, and zeros for the output biases that the plan has dropped: the whole model that
/// computes what the compact one does. Throws as mask_units.
template <backend B>
void mask_units_for(bert<B>& whole, const ticket& t, const compact_plan& plan, removal how) {
  mask_units(whole, ticket_for(t, how));
  for (std::size_t l = 0; l < whole.config().layers; ++l) {
    if (plan.config.shapes[l].attention) continue;
    whole.device().fill(whole.parameters().stored(whole.slots().layers[l].output_bias),
                        typename B::parameter{0});
  }
  whole.parameters().refresh();
}

/// value_norms with rows of W_o where its columns belong: the matrix [C, W] is read as [H, D, C],
/// so that in a compact model rows even mix between heads.
template <backend B>
[[nodiscard]] std::vector<double> value_norms(bert<B>& model, workspace<B>& w, std::size_t layer) {
  const std::size_t D = model.config().head_size(), C = model.config().hidden;
  return nn::detail::value_norms_by(
      model, w, layer,
      [D, C](std::size_t h, std::size_t c, std::size_t d) { return (h * D + d) * C + c; });
}

}  // namespace tombola::nn::study
