#pragma once

#include <concepts>
#include <cstddef>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/core/trace.hpp"
#include "tombola/prune/guard.hpp"
#include "tombola/prune/pruner.hpp"
#include "tombola/prune/schedule.hpp"
#include "tombola/prune/weights.hpp"

namespace tombola {

/// What iterative magnitude pruning asks of a model that it may train.
///
///   weights()              the prunable weights as they stand: weight_spans, the same groups in
///                          one order every time
///   train(t, from, to)     training steps from + 1 to `to`, with t's pruned weights absent
///   metric(t)              one number for the model as it stands under ticket t; larger is better
///   save()                 a copy of all that training changes: weights, optimiser, ...
///   restore(saved)         the model as it was when that was saved
///
/// What the compiler cannot check:
/// - training is a function of what was saved, the ticket and the steps: after restore(s) the same
///   train() ends with the same bits, and train(t, a, c) is train(t, a, b) and then train(t, b, c);
/// - data order and learning rate belong to the numbers of the steps, not to how often one trained;
/// - metric() and weights() change nothing; spans hold until the next train() or restore().
/// A new model stands at step 0, initialised or pretrained.
template <class M>
concept rewindable_model = requires(M& m, const ticket& t, std::size_t step) {
  { *std::begin(m.weights()) } -> std::convertible_to<weight_span>;
  std::end(m.weights());
  m.train(t, step, step);
  { m.metric(t) } -> std::convertible_to<double>;
  requires std::movable<std::remove_cvref_t<decltype(m.save())>>;
  m.restore(std::declval<const std::remove_cvref_t<decltype(m.save())>&>());
};

/// Steps of training, and what ends the rounds before the schedule does.
struct rewinding_options {
  std::size_t rewind_to = 0;    ///< the step whose weights every round starts from; 0: the first
  std::size_t total_steps = 0;  ///< the last step of training, above rewind_to
  guard rule = guard::at_least(-std::numeric_limits<double>::infinity());  ///< none: all rounds
};

namespace detail {

template <rewindable_model M>
[[nodiscard]] std::vector<weight_span> weights_of(M& m) {
  auto&& listed = m.weights();
  std::vector<weight_span> weights;
  for (const weight_span& w : listed) weights.push_back(w);
  return weights;
}

/// Throws input_error unless a step of an earlier trace is what this search would have tried: it
/// keeps `kept` units, of those of the ticket before it. shape_error if its groups differ.
inline void require_follows(const ticket& found,
                            const ticket& before,
                            std::size_t kept,
                            std::size_t round) {
  require_same_groups(found, before);
  bool within = found.count() == kept;
  for (std::size_t g = 0; g < found.groups().size(); ++g) {
    within = within && (mask{found[g]} &= before[g]) == found[g];
  }
  if (within) return;
  throw input_error("rewinding: round " + std::to_string(round) + " of the trace keeps " +
                    std::to_string(found.count()) + " weights of " +
                    std::to_string(before.count()) + ", expected " + std::to_string(kept) +
                    " of those that the round before it kept: it is of another search");
}

}  // namespace detail

/// Iterative magnitude pruning with rewinding: train, remove the smallest of the trained weights,
/// go back to the weights of an early step, train again under the smaller ticket.
///
/// The full model is trained once to `rewind_to`, where it is saved, and on to `total_steps`. Round
/// r of the schedule ranks the weights trained in the round before, removes as many as the schedule
/// says among those left, restores what was saved and trains from there to the end. With rewind_to
/// 0 this is the lottery ticket procedure of the first paper; with a small step, its stabilised
/// form. The ticket accepted is the last whose trained metric passed; the first that does not ends
/// the search. Phases `full`, then `rewound`.
///
/// plan: 20 % of what is left in each of ten rounds unless another is given; a round that would
/// remove nothing is passed over. progress: called with every trace_step.
/// earlier: the steps of an interrupted search of the same model and plan, such as progress wrote
/// down. Their tickets and metrics are taken as they are, and only the last of them is trained once
/// more, because the next round ranks its weights; the result is the same bits.
/// The model is left as it was trained last.
/// Throws input_error for options out of range, a baseline that the guard cannot take, NaN among
/// the weights, or a trace of another search; shape_error where the weights' groups change.
/// Cost: the training of rounds + 1 models. Memory: one saved state, and a ticket for each round.
/// Source: J. Frankle, M. Carbin, "The lottery ticket hypothesis", ICLR 2019, section 2 (step 0);
/// J. Frankle et al., "Linear mode connectivity and the lottery ticket hypothesis", ICML 2020,
/// algorithm 1 (step k).
template <rewindable_model M, schedule Schedule = share_of_left, class Progress = no_progress>
[[nodiscard]] prune_result prune_with_rewinding(M& model,
                                                const rewinding_options& options,
                                                const Schedule& plan = Schedule{0.2, 10},
                                                Progress progress = {},
                                                const trace& earlier = {}) {
  if (options.rewind_to >= options.total_steps) {
    throw input_error("rewinding: to step " + std::to_string(options.rewind_to) + " of " +
                      std::to_string(options.total_steps) +
                      ", expected a step before the last one of training");
  }
  const ticket full = full_ticket(detail::weights_of(model));
  std::optional<std::remove_cvref_t<decltype(model.save())>> point;
  const auto train = [&](const ticket& t) {
    if (point) {
      model.restore(std::as_const(*point));
    } else {
      model.train(full, 0, options.rewind_to);
      point.emplace(model.save());
    }
    model.train(t, options.rewind_to, options.total_steps);
  };
  // What an earlier search tried comes first, and nothing is trained for it. As soon as it is used
  // up, the ticket accepted last is trained again, because its weights are ranked next.
  std::size_t known = 0;
  const auto remembered = [&]() -> const trace_step* {
    return known < earlier.steps.size() ? &earlier.steps[known++] : nullptr;
  };

  detail::search s{full, {}, {}};
  bool trained = false;  // under s.accepted
  const trace_step* before = remembered();
  if (before != nullptr) {
    detail::require_follows(before->candidate, full, full.count(), 0);
    s.steps.baseline = before->metric;
  } else {
    train(full);
    trained = true;
    s.steps.baseline = model.metric(full);
  }
  s.steps.threshold = options.rule.threshold(s.steps.baseline);
  bool passes = s.passes(s.steps.baseline);
  detail::record(s.steps, {"full", full, s.steps.baseline, passes, {}}, progress);

  for (std::size_t round = 1; round <= plan.steps() && passes; ++round) {
    const std::size_t k = plan.remove(round, full.size(), s.accepted.count());
    if (k == 0) continue;
    ticket candidate;
    double metric = 0.0;
    before = remembered();
    if (before != nullptr) {
      detail::require_follows(before->candidate, s.accepted, s.accepted.count() - k, round);
      candidate = before->candidate;
      metric = before->metric;
    } else {
      if (!trained) train(s.accepted);
      candidate = remove_by_magnitude(detail::weights_of(model), s.accepted, k);
      train(candidate);
      trained = true;
      metric = model.metric(std::as_const(candidate));
    }
    passes = s.passes(metric);
    detail::record(s.steps, {"rewound", candidate, metric, passes, {}}, progress);
    if (passes) s.accepted = std::move(candidate);
  }
  return std::move(s).finish();
}

}  // namespace tombola
