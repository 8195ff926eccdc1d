#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/experiment/structure_scores.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/weight_statistics.hpp"
#include "tombola/prune/activation_criteria.hpp"
#include "tombola/prune/criteria.hpp"
#include "tombola/prune/gradient_criteria.hpp"

/// Scores of the neurons of all MLPs, `neurons` (L x F), as structure_scores.hpp has those of heads
/// and MLPs: not normalised, of whole models.
///
/// A neuron's outgoing parameters are its column of the second matrix; owned::all adds its row of
/// the first and its bias there.
namespace tombola::experiment {

namespace detail {

/// One number for each parameter that the neurons of a layer own, neuron after neuron.
template <class Read>
[[nodiscard]] std::vector<float> numbers_of_neurons(const nn::bert_config& c,
                                                    const nn::layer_slots& s,
                                                    owned which,
                                                    const Read& read) {
  const std::size_t F = c.intermediate;
  const std::vector<float> down = read(s.down_weight);
  std::vector<float> up, bias, out;
  if (which == owned::all) {
    up = read(s.up_weight);
    bias = read(s.up_bias);
  }
  for (std::size_t f = 0; f < F; ++f) {
    if (which == owned::all) {
      append_columns(std::span{up}.subspan(f * c.hidden, c.hidden), c.hidden, 0, c.hidden, out);
      out.push_back(bias[f]);
    }
    append_columns(down, F, f, 1, out);
  }
  return out;
}

/// Scores of all layers, put together. of_layer: (layer, its group) -> scores of its F neurons.
template <class Scored>
[[nodiscard]] scores neurons_of_layers(const nn::bert_config& c, const Scored& of_layer) {
  require_whole(c);
  std::vector<float> all;
  for (std::size_t l = 0; l < c.layers; ++l) {
    const scores s = of_layer(l, group{"neurons of layer " + std::to_string(l), {c.intermediate}});
    all.insert(all.end(), s.values().begin(), s.values().end());
  }
  return {nn::neuron_group(c), std::move(all)};
}

}  // namespace detail

/// The norm of each neuron's parameters. No data, no pass. Memory: those of one layer, three times.
/// Source: as magnitude_of_structures.
template <backend B>
[[nodiscard]] scores magnitude_of_neurons(
    nn::bert<B>& model,
    owned which = owned::all,
    magnitude_criterion::norm kind = magnitude_criterion::norm::l2) {
  const nn::bert_config& c = model.config();
  const magnitude_criterion norm{kind, normalisation::none};
  const auto read = detail::weights_reader(model);
  return detail::neurons_of_layers(c, [&](std::size_t l, const group& g) {
    return norm(g, detail::numbers_of_neurons(c, model.slots().layers[l], which, read));
  });
}

/// What the loss changes by when a neuron goes, to first order, as taylor_of_structures: over the
/// outgoing weights, absolute_of_sum is |dL / dgate| at a gate of 1. Throws as that does.
template <backend B>
[[nodiscard]] scores taylor_of_neurons(
    nn::bert<B>& model,
    const nn::weight_statistics& s,
    owned which = owned::outgoing,
    taylor_criterion::form form = taylor_criterion::form::absolute_of_sum) {
  if (!s.wanted().gradients) {
    throw input_error("Taylor scores of neurons: the statistics have no gradients");
  }
  const nn::bert_config& c = model.config();
  const taylor_criterion taylor{form};
  const auto weight = detail::weights_reader(model);
  const auto gradient = detail::gradients_reader(model, s);
  return detail::neurons_of_layers(c, [&](std::size_t l, const group& g) {
    const nn::layer_slots& slots = model.slots().layers[l];
    return taylor(g, detail::numbers_of_neurons(c, slots, which, weight),
                  detail::numbers_of_neurons(c, slots, which, gradient));
  });
}

/// Wanda's scores of each neuron's outgoing weights, added up: how large it is over the data, times
/// the sum of those weights' magnitudes. Throws and source as wanda_of_structures.
template <backend B>
[[nodiscard]] scores wanda_of_neurons(nn::bert<B>& model, const nn::weight_statistics& s) {
  if (!s.wanted().input_norms) {
    throw input_error("Wanda scores of neurons: the statistics have no norms of inputs");
  }
  return detail::neurons_of_layers(model.config(), [&](std::size_t l, const group& g) {
    return detail::wanda_of_columns(model, s, model.slots().layers[l].down_weight, g);
  });
}

}  // namespace tombola::experiment
