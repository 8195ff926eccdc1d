#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/data/batches.hpp"
#include "tombola/experiment/neuron_scores.hpp"
#include "tombola/experiment/objectives.hpp"
#include "tombola/experiment/observer.hpp"
#include "tombola/experiment/structure_scores.hpp"
#include "tombola/experiment/task_data.hpp"
#include "tombola/experiment/weight_scores.hpp"
#include "tombola/nn/attention_entropy.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/weight_statistics.hpp"
#include "tombola/prune/criteria.hpp"
#include "tombola/prune/gradient_criteria.hpp"

/// Scores of heads, MLPs and neurons by criterion, over a whole set, and the objective that a
/// search by one of them asks.
namespace tombola::experiment {

/// What a structure's score is made of. With w its weights and g their gradients, summed over all
/// examples:
///
///   sensitivity  how much the loss depends on its gate, in one of the named estimators
///   magnitude    L2 norm of all of its parameters
///   random       uniform in [0, 1], drawn once: what a criterion has to beat
///   taylor       sum (g w)^2 over its outgoing weights
///   wanda        sum |w| times the norm of the weight's input, over its outgoing weights
///   entropy      heads alone: how far their attention is from uniform
///
/// Taylor of the structure as one, |sum g w|, is the magnitude of signed_mean; in the sum of
/// squares, what single weights do to the loss does not cancel.
/// Source: structure_scores.hpp; P. Molchanov et al., "Importance estimation for neural network
/// pruning", CVPR 2019, section 3.1 (the sum of squares).
enum class structure_criterion { sensitivity, magnitude, random, taylor, wanda, entropy };

[[nodiscard]] constexpr const char* to_string(structure_criterion c) noexcept {
  constexpr std::array<const char*, 6> names{"sensitivity", "magnitude", "random",
                                             "taylor",      "wanda",     "entropy"};
  return names[static_cast<std::size_t>(c)];
}

namespace detail {

/// The parameters that carry structures out, as groups; biases where they have gradients to offer.
template <backend B>
[[nodiscard]] std::vector<group> outgoing_parameters(nn::bert<B>& model, gated units, bool biases) {
  std::vector<group> groups;
  const auto add = [&](std::size_t place) {
    const nn::slot& s = model.parameters().layout()[place];
    groups.push_back({s.name, s.cols == 0 ? std::vector{s.rows} : std::vector{s.rows, s.cols}});
  };
  const bool mlps = units == gated::heads_and_mlps;
  for (const nn::layer_slots& l : model.slots().layers) {
    if (mlps) add(l.output_weight);
    add(l.down_weight);
    if (mlps && biases) add(l.down_bias);
  }
  return groups;
}

/// Heads by focus_of_heads over a whole set; MLPs, which have no attention, all 0.
template <backend B>
[[nodiscard]] std::vector<scores> focus_over(nn::bert<B>& model,
                                             const data::encoded_set& set,
                                             std::size_t batch,
                                             const observer& watch,
                                             predictions* said) {
  (void)data::batch_count(set.size(), batch);  // its sentence
  const std::vector<std::size_t> order = data::file_order(set.size());
  nn::workspace<B> w{model.device(), model.config(), limits_of(set, order, batch),
                     nn::keep::importance};
  nn::attention_entropy<B> e{model};
  packed_batch host;
  for (std::size_t first = 0; first < set.size(); first += batch) {
    data::fill_batch(set, order, first, std::min(batch, set.size() - first), host);
    w.batch.write(host, model.config());
    const auto logits = model.forward(w);
    if (said != nullptr) append_predictions(model.device(), logits, *said);
    e.add(w, host);
    if (watch.wants_stop()) {
      throw interrupted("stopped while scoring heads; the same command scores them again");
    }
  }
  return {focus_of_heads(model, e),
          scores{nn::gate_groups(model.config())[1], std::vector<float>(model.config().layers)}};
}

}  // namespace detail

/// Scores of heads and MLPs, or of neurons, by one criterion over a whole set, under the ticket and
/// gates that the model has; one scores for each of groups_of.
///
/// Magnitude, Taylor and Wanda come out comparable over layers (objectives.hpp), as sensitivities
/// do; random and entropy are so as they are. how.batch: examples of a pass; no criterion here
/// depends on it but by rounding. how.seed: of random. said: where to append what the model
/// predicts in the pass; nothing where the criterion takes none, or where it is null.
/// Throws input_error for sensitivity, which gate_objective has, for entropy of neurons and for a
/// compact model; else as collect_statistics does. Memory: weight_statistics' over outgoing
/// weights.
template <backend B>
[[nodiscard]] std::vector<scores> score_structures(nn::bert<B>& model,
                                                   const data::encoded_set& set,
                                                   gated units,
                                                   structure_criterion c,
                                                   const weight_score_settings& how = {},
                                                   const observer& watch = {},
                                                   predictions* said = nullptr) {
  detail::require_whole(model.config());
  const bool neurons = units == gated::neurons;
  const std::vector<group> groups = groups_of(model.config(), units);
  const auto collect = [&](nn::wanted_statistics wanted) {
    return collect_statistics(model, set,
                              detail::outgoing_parameters(model, units, wanted.gradients), wanted,
                              how.batch, watch, said);
  };
  std::vector<scores> found;
  switch (c) {
    case structure_criterion::sensitivity:
      throw input_error("criterion sensitivity: is of gates and takes another pass");
    case structure_criterion::random:
      for (std::size_t g = 0; g < groups.size(); ++g) {
        found.push_back(random_criterion{how.seed}(groups[g], static_cast<std::uint32_t>(g)));
      }
      return found;
    case structure_criterion::entropy:
      if (neurons) throw input_error("criterion entropy is of heads, found neurons");
      return detail::focus_over(model, set, how.batch, watch, said);
    case structure_criterion::magnitude:
      found = neurons ? std::vector{magnitude_of_neurons(model)} : magnitude_of_structures(model);
      break;
    case structure_criterion::taylor: {
      constexpr auto form = taylor_criterion::form::sum_of_squares;
      const nn::weight_statistics s = collect({.gradients = true});
      found = neurons ? std::vector{taylor_of_neurons(model, s, owned::outgoing, form)}
                      : taylor_of_structures(model, s, owned::outgoing, form);
      break;
    }
    case structure_criterion::wanda: {
      const nn::weight_statistics s = collect({.input_norms = true});
      found = neurons ? std::vector{wanda_of_neurons(model, s)} : wanda_of_structures(model, s);
      break;
    }
  }
  for (scores& s : found) s = comparable(s);
  return found;
}

/// BERT with a task under any criterion but sensitivity: models measuring_objective and
/// example_objective. One pass gives metric and scores; magnitude and random need it for the metric
/// alone. Same set and order for both, no dropout.
template <backend B>
class structure_objective {
public:
  /// Keeps references to model, task, set and watch.
  structure_objective(nn::bert<B>& model,
                      const data::task_description& task,
                      const data::encoded_set& set,
                      gated units,
                      structure_criterion criterion,
                      const weight_score_settings& how,
                      const observer& watch)
      : model_{model},
        task_{task},
        set_{set},
        units_{units},
        criterion_{criterion},
        how_{how},
        watch_{watch},
        groups_{groups_of(model.config(), units)},
        metric_{model, task, set, how.batch, watch} {}

  [[nodiscard]] const std::vector<group>& groups() const noexcept { return groups_; }
  [[nodiscard]] double metric(const ticket& t) { return metric_(t); }
  [[nodiscard]] std::vector<double> examples(const ticket& t) { return metric_.examples(t); }
  [[nodiscard]] std::vector<tombola::scores> scores(const ticket& t) {
    model_.apply(t, nn::weight_form::study);
    return score_structures(model_, set_, units_, criterion_, how_, watch_);
  }
  [[nodiscard]] measurement measure(const ticket& t) {
    model_.apply(t, nn::weight_form::study);
    predictions said;
    auto found = score_structures(model_, set_, units_, criterion_, how_, watch_, &said);
    const bool passed = !said.classes.empty() || !said.values.empty();
    return {passed ? score(task_, said, set_).selection.value : metric_(t), std::move(found)};
  }

private:
  nn::bert<B>& model_;
  const data::task_description& task_;
  const data::encoded_set& set_;
  gated units_;
  structure_criterion criterion_;
  weight_score_settings how_;
  const observer& watch_;
  std::vector<group> groups_;
  masked_metric<B> metric_;
};

}  // namespace tombola::experiment
