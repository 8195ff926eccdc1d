#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "tombola/core/error.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/core/trace.hpp"
#include "tombola/prune/guard.hpp"
#include "tombola/prune/objective.hpp"
#include "tombola/prune/pruner.hpp"
#include "tombola/prune/schedule.hpp"
#include "tombola/prune/select.hpp"
#include "tombola/prune/weights.hpp"

/// The searches of "When BERT plays the lottery, all tickets are winning" (Prasanna et al., EMNLP
/// 2020), as its code computes them, quirks included. Sections and Q numbers are those of the
/// project's description of the study. For a search of your own take prune() of pruner.hpp.
namespace tombola::study {

/// Constants of the committed masks.
struct search_options {
  double threshold = 0.9;       ///< candidates pass at this share of the baseline, of any sign
  double amount = 0.1;          ///< of the heads in one step: floor, at least 1; MLPs go singly
  std::string heads = "heads";  ///< name of the heads' group
  std::string mlps = "mlps";    ///< name of the MLPs' group
};

namespace detail {

/// What the study's loops carry from one to the next. `last` is the latest measurement, whichever
/// ticket it was taken at: that the next removal may use the scores of a rejected ticket is Q5.
struct search {
  ticket accepted;
  measurement last;
  double accepted_metric = 0.0;
  trace steps;
};

template <objective O, class Progress>
[[nodiscard]] search begin_search(O& o, double threshold, Progress& progress) {
  auto s = tombola::detail::begin_search(o, guard::study(threshold), progress);
  measurement last{s.steps.baseline, std::move(s.at_accepted)};
  return {std::move(s.accepted), std::move(last), s.steps.baseline, std::move(s.steps)};
}

template <objective O, class Progress>
void measure(O& o, search& s, const ticket& candidate, const std::string& phase, Progress& p) {
  s.last = measure_under(o, candidate);
  tombola::detail::record(
      s.steps, {phase, candidate, s.last.metric, s.last.metric >= s.steps.threshold, s.last.scores},
      p);
}

[[nodiscard]] inline std::size_t place_of(const ticket& t, const std::string& name) {
  if (const auto g = t.find(name)) return *g;
  throw input_error("objective: has no group " + name + ", which the study's search prunes");
}

/// Removes up to k units of one group by the latest scores; pruned units are passed over, whatever
/// score they have.
inline void remove_from(ticket& t, std::size_t g, const search& s, std::size_t k) {
  t.replace(g, remove_lowest(t[g], s.last.scores[g], std::min(k, t[g].count())));
}

/// One group shrinks while candidates pass; the others stay as accepted. Starts from the metric
/// that was accepted last, whatever was measured since.
template <objective O, class Progress>
void shrink(O& o, search& s, std::size_t g, std::size_t k, const std::string& phase, Progress& p) {
  ticket candidate = s.accepted;
  double metric = s.accepted_metric;
  while (metric >= s.steps.threshold) {
    s.accepted_metric = metric;
    s.accepted = candidate;
    if (candidate[g].count() == 0) break;
    remove_from(candidate, g, s, k);
    measure(o, s, candidate, phase, p);
    metric = s.last.metric;
  }
}

/// Heads and MLPs shrink together. Out of heads, the accepted MLPs stay one removal behind what was
/// scored; out of MLPs, the heads just chosen are dropped again.
template <objective O, class Progress>
void shrink_together(O& o, search& s, std::size_t h, std::size_t m, std::size_t k, Progress& p) {
  ticket candidate = s.accepted;
  double metric = s.accepted_metric;
  while (metric >= s.steps.threshold) {
    s.accepted_metric = metric;
    s.accepted.replace(h, candidate[h]);
    if (candidate[h].count() == 0) break;
    s.accepted.replace(m, candidate[m]);
    if (candidate[m].count() == 0) break;
    remove_from(candidate, h, s, k);
    remove_from(candidate, m, s, 1);
    measure(o, s, candidate, "joint", p);
    metric = s.last.metric;
  }
}

[[nodiscard]] inline prune_result finish(search s) {
  s.accepted.origin.kind = "good";
  return {std::move(s.accepted), std::move(s.steps)};
}

}  // namespace detail

/// Heads only: floor(amount * n) least important heads a step (14 of 144), until the metric falls
/// below the threshold or none are left. Source: spec 4.1.
///
/// Phase `heads`; other groups stay whole. Of equal scores the lower index is kept, where the
/// study's sort left it open. With a baseline below 0 nothing is tried.
/// Throws input_error where there is no such group or an option is out of range.
template <objective O, class Progress = no_progress>
[[nodiscard]] prune_result search_heads(O& o,
                                        const search_options& options = {},
                                        Progress progress = {}) {
  const ticket full = full_ticket(o);
  const std::size_t h = detail::place_of(full, options.heads);
  const std::size_t k = step_size(options.amount, full[h].size());
  detail::search s = detail::begin_search(o, options.threshold, progress);
  detail::shrink(o, s, h, k, "heads", progress);
  return detail::finish(std::move(s));
}

/// MLPs only: the same, one MLP a step. Phase `mlps`. Source: spec 4.2.
template <objective O, class Progress = no_progress>
[[nodiscard]] prune_result search_mlps(O& o,
                                       const search_options& options = {},
                                       Progress progress = {}) {
  const std::size_t m = detail::place_of(full_ticket(o), options.mlps);
  detail::search s = detail::begin_search(o, options.threshold, progress);
  detail::shrink(o, s, m, 1, "mlps", progress);
  return detail::finish(std::move(s));
}

/// Heads and MLPs, the study's `good` subnetworks. Source: spec 4.3.
///
/// Phase `joint` removes a step of heads and one MLP at a time; phase `heads` goes on from what was
/// accepted with half the step (14 becomes 7; at least 1), phase `mlps` with one MLP at a time.
/// Each phase starts from the latest scores, which are those of a rejected candidate where the
/// phase before ended with one (Q5), and from the last accepted metric. Where `joint` runs out of
/// heads, the ticket it hands on has one MLP more than the one that was scored.
/// Throws as search_heads does.
template <objective O, class Progress = no_progress>
[[nodiscard]] prune_result search_joint(O& o,
                                        const search_options& options = {},
                                        Progress progress = {}) {
  const ticket full = full_ticket(o);
  const std::size_t h = detail::place_of(full, options.heads);
  const std::size_t m = detail::place_of(full, options.mlps);
  const std::size_t k = step_size(options.amount, full[h].size());
  detail::search s = detail::begin_search(o, options.threshold, progress);
  detail::shrink_together(o, s, h, m, k, progress);
  detail::shrink(o, s, h, std::max<std::size_t>(1, k / 2), "heads", progress);
  detail::shrink(o, s, m, 1, "mlps", progress);
  return detail::finish(std::move(s));
}

/// Constants of the published magnitude masks; the script at its last commit says 0.1 and 10 (Q6).
struct weight_search_options {
  double threshold = 0.9;        ///< candidates pass at this share of the baseline, of any sign
  double amount = 0.05;          ///< of the surviving weights, removed in one step
  std::size_t total_steps = 30;  ///< evaluations after that of the full model
};

/// Global magnitude pruning: round_half_even(amount * kept) weights a step. Source: spec 4.4.
///
/// metric: (const ticket&) -> double. The ticket kept is the one before the last evaluated step,
/// even where that step passed: 30 steps keep at most 29. Phase `weights`.
/// Ends early where a step would remove nothing. Throws as remove_by_magnitude does.
template <class MetricFn, class Progress = no_progress>
[[nodiscard]] prune_result search_weights(std::span<const weight_span> weights,
                                          MetricFn metric,
                                          const weight_search_options& options = {},
                                          Progress progress = {}) {
  require_share(options.amount, "share of weights in a step");
  ticket candidate = full_ticket(weights), accepted = candidate;
  double score = metric(std::as_const(candidate));
  trace steps{score, guard::study(options.threshold).threshold(score), {}};
  tombola::detail::record(steps, {"full", candidate, score, score >= steps.threshold, {}},
                          progress);
  for (std::size_t i = 0; i < options.total_steps && score >= steps.threshold; ++i) {
    accepted = candidate;
    const std::size_t k = share_of(options.amount, candidate.count());
    if (k == 0) break;
    candidate = remove_by_magnitude(weights, candidate, k);
    score = metric(std::as_const(candidate));
    tombola::detail::record(steps, {"weights", candidate, score, score >= steps.threshold, {}},
                            progress);
  }
  accepted.origin.kind = "good";
  return {std::move(accepted), std::move(steps)};
}

}  // namespace tombola::study
