#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/group.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/experiment/predict.hpp"
#include "tombola/experiment/task_data.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/gate_estimates.hpp"
#include "tombola/prune/criteria.hpp"
#include "tombola/prune/objective.hpp"
#include "tombola/prune/weights.hpp"

namespace tombola::experiment {

/// The named estimators of gate sensitivity (nn/gate_estimates.hpp).
enum class estimator { per_token, per_example, squared, signed_mean, per_batch, cumulative };

[[nodiscard]] constexpr const char* to_string(estimator e) noexcept {
  switch (e) {
    case estimator::per_token:
      return "per_token";
    case estimator::per_example:
      return "per_example";
    case estimator::squared:
      return "squared";
    case estimator::signed_mean:
      return "signed_mean";
    case estimator::per_batch:
      return "per_batch";
    case estimator::cumulative:
      break;
  }
  return "cumulative";
}

[[nodiscard]] inline const std::vector<double>& pick(const nn::gate_estimates& e, estimator which) {
  switch (which) {
    case estimator::per_token:
      return e.per_token;
    case estimator::per_example:
      return e.per_example;
    case estimator::squared:
      return e.squared;
    case estimator::signed_mean:
      return e.signed_mean;
    case estimator::per_batch:
      return e.per_batch;
    case estimator::cumulative:
      break;
  }
  return e.cumulative;
}

/// Which units have gates in a search.
enum class gated { heads_and_mlps, neurons };

/// The groups of a ticket over them.
[[nodiscard]] inline std::vector<group> groups_of(const nn::bert_config& c, gated units) {
  return units == gated::neurons ? std::vector{nn::neuron_group(c)} : nn::gate_groups(c);
}

/// Scores of heads, MLPs or neurons made comparable over layers: where a layer has several units,
/// by its L2 norm and then min-max; min-max alone where it has one. Source: spec 3.1, steps 2 and
/// 3.
[[nodiscard]] inline scores comparable(const scores& s) {
  return min_max(s.group().extents.size() > 1 ? normalise_layers(s) : s);
}

/// Scores of a structured ticket's groups from estimates, comparable over layers.
[[nodiscard]] inline std::vector<scores> gate_scores(const nn::importance& all,
                                                     const std::vector<group>& groups,
                                                     estimator which) {
  const auto floats = [](const std::vector<double>& v) {
    return std::vector<float>(v.begin(), v.end());
  };
  if (groups.size() == 1) {
    return {comparable({groups[0], floats(pick(all.neurons, which))})};
  }
  return {comparable({groups[0], floats(pick(all.heads, which))}),
          comparable({groups[1], floats(pick(all.mlps, which))})};
}

/// BERT with a task, heads and MLPs or neurons as what can be pruned: models measuring_objective.
///
/// Scores and metric come from one pass over one set, in file order, without dropout. The study
/// takes the development set for both.
template <backend B>
class gate_objective {
public:
  /// Keeps references to model, task, set and watch.
  gate_objective(nn::bert<B>& model,
                 const data::task_description& task,
                 const data::encoded_set& set,
                 std::size_t batch,
                 estimator which,
                 const observer& watch,
                 gated units = gated::heads_and_mlps)
      : model_{model},
        task_{task},
        set_{set},
        batch_{batch},
        which_{which},
        watch_{watch},
        neurons_{units == gated::neurons ? model.config().intermediate : 0},
        groups_{groups_of(model.config(), units)},
        workspace_{model.device(), model.config(),
                   limits_of(set, data::file_order(set.size()), batch),
                   units == gated::neurons ? nn::keep::neuron_importance : nn::keep::importance} {}

  [[nodiscard]] const std::vector<group>& groups() const noexcept { return groups_; }
  [[nodiscard]] std::vector<tombola::scores> scores(const ticket& t) { return measure(t).scores; }
  [[nodiscard]] double metric(const ticket& t) { return measure(t).metric; }

  /// One result for each example: see right_or_wrong. Forward alone.
  [[nodiscard]] std::vector<double> examples(const ticket& t) {
    model_.gates().set(t);
    return right_or_wrong(task_, predict(model_, workspace_, set_, batch_, watch_), set_);
  }

  [[nodiscard]] measurement measure(const ticket& t) {
    model_.gates().set(t);
    const std::vector<std::size_t> order = data::file_order(set_.size());
    nn::importance all{model_.config().layers, model_.config().heads, neurons_};
    predictions said;
    packed_batch host;
    for (std::size_t first = 0; first < set_.size(); first += batch_) {
      data::fill_batch(set_, order, first, std::min(batch_, set_.size() - first), host);
      append_predictions(model_.device(), nn::add_importance(model_, workspace_, host, all), said);
      if (watch_.wants_stop()) {
        throw interrupted(
            "stopped inside the search; the same command goes on after the last "
            "candidate that was measured");
      }
    }
    return {score(task_, said, set_).selection.value, gate_scores(all, groups_, which_)};
  }

private:
  nn::bert<B>& model_;
  const data::task_description& task_;
  const data::encoded_set& set_;
  std::size_t batch_;
  estimator which_;
  const observer& watch_;
  std::size_t neurons_;  ///< in a layer, where they have gates
  std::vector<group> groups_;
  nn::workspace<B> workspace_;
};

/// The weights of a model that a weight ticket may cover, on the host, as magnitude pruning takes
/// them. Memory: a float per weight.
class host_weights {
public:
  template <backend B>
  host_weights(nn::bert<B>& model, std::vector<group> groups) : groups_{std::move(groups)} {
    using number = typename B::parameter;
    values_.reserve(groups_.size());
    for (const group& g : groups_) {
      std::vector<number> raw(g.size());
      nn::parameters<B>& p = model.parameters();
      model.device().read(read_only(p.stored(p.layout().index_of(g.name))), std::span<number>{raw});
      values_.emplace_back(raw.begin(), raw.end());
    }
  }

  [[nodiscard]] std::vector<weight_span> spans() const {
    std::vector<weight_span> s;
    for (std::size_t i = 0; i < groups_.size(); ++i) s.push_back({groups_[i], values_[i]});
    return s;
  }
  /// One array for each group, row-major.
  [[nodiscard]] const std::vector<std::vector<float>>& values() const noexcept { return values_; }

private:
  std::vector<group> groups_;
  std::vector<std::vector<float>> values_;
};

/// The metric of a model under any ticket. Weights are multiplied at every forward pass, so that
/// the stored ones are there for the next ticket. The ticket stays applied.
template <backend B>
class masked_metric {
public:
  /// Keeps references to model, task, set and watch.
  masked_metric(nn::bert<B>& model,
                const data::task_description& task,
                const data::encoded_set& set,
                std::size_t batch,
                const observer& watch)
      : model_{model},
        task_{task},
        set_{set},
        batch_{batch},
        watch_{watch},
        workspace_{evaluation_workspace(model, set, batch)} {}

  [[nodiscard]] double operator()(const ticket& t) {
    return score(task_, said_under(t), set_).selection.value;
  }

  /// One result for each example: see right_or_wrong.
  [[nodiscard]] std::vector<double> examples(const ticket& t) {
    return right_or_wrong(task_, said_under(t), set_);
  }

private:
  [[nodiscard]] predictions said_under(const ticket& t) {
    model_.apply(t, nn::weight_form::study);
    return predict(model_, workspace_, set_, batch_, watch_);
  }

  nn::bert<B>& model_;
  const data::task_description& task_;
  const data::encoded_set& set_;
  std::size_t batch_;
  const observer& watch_;
  nn::workspace<B> workspace_;
};

}  // namespace tombola::experiment
