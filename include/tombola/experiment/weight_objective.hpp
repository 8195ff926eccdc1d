#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "tombola/core/group.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/experiment/objectives.hpp"
#include "tombola/experiment/observer.hpp"
#include "tombola/experiment/predict.hpp"
#include "tombola/experiment/task_data.hpp"
#include "tombola/experiment/weight_scores.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/bert_layout.hpp"

namespace tombola::experiment {

/// BERT with a task and the weights of its layers, scored by a criterion: models example_objective.
///
/// Where the criterion goes through the examples in the metric's batches, one pass gives both: the
/// scores under the ticket that was asked about last are kept until another is. Fisher, which takes
/// one example at a time, has a pass of its own. Memory: a float per weight beside score_weights'.
template <backend B>
class weight_objective {
public:
  /// Keeps references to model, task, set and watch.
  weight_objective(nn::bert<B>& model,
                   const data::task_description& task,
                   const data::encoded_set& set,
                   weight_criterion criterion,
                   const weight_score_settings& how,
                   const observer& watch)
      : model_{model},
        task_{task},
        set_{set},
        criterion_{criterion},
        how_{how},
        watch_{watch},
        groups_{nn::weight_groups(model.config(), nn::prunable::weights)},
        workspace_{evaluation_workspace(model, set, how.batch)} {}

  [[nodiscard]] const std::vector<group>& groups() const noexcept { return groups_; }

  [[nodiscard]] double metric(const ticket& t) {
    return score(task_, said_under(t), set_).selection.value;
  }

  /// One result for each example: see right_or_wrong.
  [[nodiscard]] std::vector<double> examples(const ticket& t) {
    return right_or_wrong(task_, said_under(t), set_);
  }

  /// Until the next question.
  [[nodiscard]] const std::vector<tombola::scores>& scores(const ticket& t) {
    if (!scored_ || !std::ranges::equal(scored_->masks(), t.masks())) keep_scores(t, nullptr);
    return kept_;
  }

private:
  [[nodiscard]] predictions said_under(const ticket& t) {
    predictions said;
    if (in_one_pass(criterion_)) {
      keep_scores(t, &said);
      return said;
    }
    model_.apply(t, nn::weight_form::study);
    return predict(model_, workspace_, set_, how_.batch, watch_);
  }

  void keep_scores(const ticket& t, predictions* said) {
    scored_.reset();
    kept_.clear();
    model_.apply(t, nn::weight_form::study);
    kept_ = score_weights(model_, set_, groups_, criterion_, how_, watch_, said);
    scored_ = t;
  }

  nn::bert<B>& model_;
  const data::task_description& task_;
  const data::encoded_set& set_;
  weight_criterion criterion_;
  weight_score_settings how_;
  const observer& watch_;
  std::vector<group> groups_;
  nn::workspace<B> workspace_;
  std::optional<ticket> scored_;  ///< the one that kept_ was scored under
  std::vector<tombola::scores> kept_;
};

}  // namespace tombola::experiment
