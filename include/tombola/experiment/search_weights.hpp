#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/algebra/structure.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/core/trace.hpp"
#include "tombola/experiment/objectives.hpp"
#include "tombola/experiment/observer.hpp"
#include "tombola/experiment/weight_scores.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/prune/guard.hpp"
#include "tombola/prune/pruner.hpp"
#include "tombola/prune/resume.hpp"
#include "tombola/prune/schedule.hpp"
#include "tombola/prune/select_rows.hpp"
#include "tombola/prune/weight_scopes.hpp"
#include "tombola/prune/weights.hpp"

namespace tombola::experiment {

/// How many weights a search over weights removes in which step (prune/schedule.hpp), by a share
/// and a number of steps.
enum class weight_schedule {
  share_of_left,   ///< in each step that share of what is left
  share_of_whole,  ///< in each step that share of all
  one_shot,        ///< that share of all in one step
  cubic,           ///< that share of all is gone after the last step, most of it early
  iterative,       ///< likewise, the same share of what is left in every step
};

[[nodiscard]] constexpr const char* to_string(weight_schedule s) noexcept {
  constexpr std::array<const char*, 5> names{"share_of_left", "share_of_whole", "one_shot", "cubic",
                                             "iterative"};
  return names[static_cast<std::size_t>(s)];
}

/// Which weights a search over weights removes. What it is made with is magnitude in one ranking,
/// in steps: the method of the study.
struct weight_rule {
  weight_criterion criterion = weight_criterion::magnitude;
  weight_scope within = weight_scope::global;
  weight_schedule schedule = weight_schedule::share_of_left;
  std::optional<n_of_m> pattern = {};  ///< instead of scope and schedule, in one step

  /// Whether nothing was asked for.
  [[nodiscard]] bool is_default() const noexcept {
    return criterion == weight_criterion::magnitude && within == weight_scope::global &&
           schedule == weight_schedule::share_of_left && !pattern;
  }
};

/// Throws input_error for a pattern that makes no sense, shape_error, naming the matrix, where rows
/// of one are no multiple of it.
inline void require_pattern(const nn::bert_config& c, const n_of_m& pattern) {
  for (const group& g : nn::weight_groups(c, nn::prunable::weights)) {
    tombola::detail::require_pattern(g, pattern.kept, pattern.of);
  }
}

namespace detail {

/// The ticket that a search over these groups starts from, without where it came from.
[[nodiscard]] inline ticket start_over(const std::vector<group>& groups,
                                       const std::optional<ticket>& start) {
  ticket all{groups};
  if (!start) return all;
  require_same_groups(all, *start);
  return {groups, {start->masks().begin(), start->masks().end()}};
}

}  // namespace detail

/// Calls f with the schedule of that name: a number of steps and a share that was checked.
template <class F>
auto with_schedule(weight_schedule s, double share, std::size_t steps, F f) {
  switch (s) {
    case weight_schedule::share_of_whole:
      return f(share_of_whole{share, steps});
    case weight_schedule::one_shot:
      return f(one_shot{share});
    case weight_schedule::cubic:
      return f(cubic{share, steps});
    case weight_schedule::iterative:
      return f(iterative{share, steps});
    case weight_schedule::share_of_left:
      break;
  }
  return f(share_of_left{share, steps});
}

/// Prunes the matrices of a model's layers while its metric holds, by any criterion.
///
/// start: a ticket over them, such as one that the model was trained under; what it has lost stays
/// lost, the baseline is the metric under it. Shares of the whole count what was lost before: a
/// schedule that ends at 60 % gone does so from any start. Without one the search starts from all.
/// Every step takes the scores under the ticket accepted last and removes the lowest within the
/// rule's scope; magnitudes in one ranking do not change and are taken as they lie.
/// scores_of: (const ticket&) -> scores by the rule's criterion for each of the matrices, such as
/// weight_objective's; metric: (const ticket&) -> double. Both may leave any ticket applied to the
/// model. earlier: what the same search had measured when it was interrupted; what it tried is not
/// scored again, and metric may remember it too (resume.hpp). The rest as prune_weights, which it
/// is for the default rule. The observer is asked in every step. Throws shape_error, before
/// anything is measured, where a pattern does not fit a row or the ticket is over other groups.
template <backend B, class ScoresFn, class MetricFn, class Progress>
[[nodiscard]] prune_result search_weights_by(nn::bert<B>& model,
                                             const weight_rule& rule,
                                             double share,
                                             std::size_t steps,
                                             const ScoresFn& scores_of,
                                             const MetricFn& metric,
                                             const guard& stop,
                                             Progress progress,
                                             const observer& watch = {},
                                             const std::optional<ticket>& start = {},
                                             const trace& earlier = {}) {
  const std::vector<group> groups = nn::weight_groups(model.config(), nn::prunable::weights);
  const ticket first = detail::start_over(groups, start);
  const auto look_up = [&watch] {
    if (watch.wants_stop()) {
      throw interrupted("search over weights: stopped; the same command goes on from there");
    }
  };
  if (rule.pattern) {
    const auto [n, m] = *rule.pattern;
    require_pattern(model.config(), *rule.pattern);
    const auto next = [&, n = n, m = m](std::size_t, const ticket& t) {
      const ticket* known = candidate_after(earlier, t);
      return known != nullptr ? *known : keep_n_of_m(scores_of(t), t, n, m);
    };
    return prune_weights_by(first, 1, next, metric, stop, progress);
  }
  return with_schedule(rule.schedule, share, steps, [&](const auto& plan) {
    if (rule.criterion == weight_criterion::magnitude && rule.within == weight_scope::global) {
      const host_weights host{model, groups};
      const std::vector<weight_span> spans = host.spans();
      const auto next = [&](std::size_t step, const ticket& t) -> std::optional<ticket> {
        look_up();
        const std::size_t k = plan.remove(step, t.size(), t.count());
        if (k == 0 && is_over(plan, t.size(), t.count())) return std::nullopt;
        return k == 0 ? t : remove_by_magnitude(spans, t, k);
      };
      return prune_weights_by(first, plan.steps(), next, metric, stop, progress);
    }
    const auto next = [&](std::size_t step, const ticket& t) -> std::optional<ticket> {
      look_up();
      bool over = true;  // in every part
      const auto amount = [&](std::size_t n, std::size_t kept) {
        over = over && is_over(plan, n, kept);
        return plan.remove(step, n, kept);
      };
      const std::size_t removed = count_removed(t, rule.within, amount);
      if (over) return std::nullopt;
      if (removed == 0) return t;
      if (const ticket* known = candidate_after(earlier, t)) return *known;
      return remove_lowest_of_scope(scores_of(t), t, rule.within, amount);
    };
    return prune_weights_by(first, plan.steps(), next, metric, stop, progress);
  });
}

}  // namespace tombola::experiment
