#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/core/trace.hpp"
#include "tombola/prune/guard.hpp"
#include "tombola/prune/objective.hpp"
#include "tombola/prune/schedule.hpp"
#include "tombola/prune/select.hpp"
#include "tombola/prune/select_within.hpp"
#include "tombola/prune/weights.hpp"

namespace tombola {

/// What a search found, and how.
///
/// steps.steps[0] is the full model, phase `full`; the candidates follow in the order tried. Where
/// the full model itself does not pass, nothing is tried: that step is the only one, rejected, and
/// the ticket keeps everything.
/// accepted.origin.kind is `good`; the rest of its provenance is the caller's to fill in.
struct prune_result {
  ticket accepted;
  trace steps;
};

/// The progress callback that does nothing.
///
/// A callback gets each trace_step as soon as it is known, the full model's included. Whoever keeps
/// them can go on after an interruption: see resume.hpp. What it throws ends the search.
struct no_progress {
  void operator()(const trace_step&) const noexcept {}
};

/// In what order the groups of an objective shrink.
enum class prune_order {
  together,            ///< every step takes from all groups; the first rejection ends the search
  together_then_each,  ///< then from each group alone, in listed order, until that is rejected
};

struct prune_options {
  double share = 0.1;                          ///< of each part's units, removed in one step
  guard rule = guard::share_of_baseline(0.9);  ///< what still passes
  prune_order order = prune_order::together_then_each;
  std::vector<std::string> groups = {};  ///< names of those to prune; empty: all
  part within = part::group;  ///< where units are ranked and shares taken: a group, or each layer
};

namespace detail {

template <class Progress>
void record(trace& t, trace_step step, Progress& progress) {
  t.steps.push_back(std::move(step));
  progress(std::as_const(t.steps.back()));
}

/// A search in hand: the ticket that stands, the scores taken under it, and the way there.
struct search {
  ticket accepted;
  std::vector<scores> at_accepted;
  trace steps;

  [[nodiscard]] bool passes(double metric) const noexcept { return metric >= steps.threshold; }

  [[nodiscard]] prune_result finish() && {
    accepted.origin.kind = "good";
    return {std::move(accepted), std::move(steps)};
  }
};

/// Measures the full model and fixes the threshold. Throws input_error if there are no groups.
template <objective O, class Progress>
[[nodiscard]] search begin_search(O& o, const guard& rule, Progress& progress) {
  ticket full = full_ticket(o);
  if (full.groups().empty()) throw input_error("objective: has no groups, expected at least one");
  measurement m = measure_under(o, full);
  search s{std::move(full), std::move(m.scores), {}};
  s.steps.baseline = m.metric;
  s.steps.threshold = rule.threshold(m.metric);
  record(s.steps, {"full", s.accepted, m.metric, s.passes(m.metric), s.at_accepted}, progress);
  return s;
}

/// Units per step for every group, or for each of its layers; 0 for those that stay. Throws
/// input_error for an unknown name.
[[nodiscard]] inline std::vector<std::size_t> step_sizes(const ticket& full,
                                                         const prune_options& options) {
  std::vector<std::size_t> sizes(full.groups().size());
  for (const std::string& name : options.groups) {
    if (!full.find(name)) throw input_error("objective: has no group " + name + " to prune");
  }
  for (std::size_t g = 0; g < sizes.size(); ++g) {
    const group& its = full.groups()[g];
    const bool named =
        std::find(options.groups.begin(), options.groups.end(), its.name) != options.groups.end();
    if (options.groups.empty() || named) {
      const std::size_t parts = std::max<std::size_t>(1, parts_of(its, options.within));
      sizes[g] = step_size(options.share, its.size() / parts);
    }
  }
  return sizes;
}

/// One step: `sizes` units of each group go, or of each layer of it, or what is left where that is
/// less.
[[nodiscard]] inline ticket smaller(const ticket& t,
                                    const std::vector<scores>& s,
                                    std::vector<std::size_t> sizes,
                                    part within) {
  if (within == part::layer) return remove_lowest_of_each_layer(t, s, sizes);
  for (std::size_t g = 0; g < sizes.size(); ++g) sizes[g] = std::min(sizes[g], t[g].count());
  return remove_lowest_of_each(t, s, sizes);
}

/// Takes `sizes` units from the groups again and again until the guard rejects or nothing is left.
/// Scores are those of the accepted ticket, always: after a rejection the next phase starts from
/// them too. They are taken for accepted candidates only, unless one pass gives both.
template <objective O, class Progress>
void shrink(O& o,
            search& s,
            const std::vector<std::size_t>& sizes,
            part within,
            const std::string phase,  // by value: the ticket it may be named in is replaced
            Progress& progress) {
  for (;;) {
    ticket candidate = smaller(s.accepted, s.at_accepted, sizes, within);
    if (candidate.count() == s.accepted.count()) return;  // nothing is left
    measurement m;
    if constexpr (measuring_objective<O>) {
      m = measure_under(o, candidate);
    } else {
      m.metric = o.metric(candidate);
      if (s.passes(m.metric)) m.scores = scores_under(o, candidate);
    }
    const bool accepted = s.passes(m.metric);
    record(s.steps, {phase, candidate, m.metric, accepted, m.scores}, progress);
    if (!accepted) return;
    s.accepted = std::move(candidate);
    s.at_accepted = std::move(m.scores);
  }
}

}  // namespace detail

/// Score, select, measure, and again while the guard lets it pass.
///
/// Each step removes floor(share * n) of a group's n units, at least 1, those with the lowest
/// scores under the ticket that was accepted last; with part::layer the same of every layer, a
/// share of its units (a group of one extent is all layers of one unit). With several groups and
/// together_then_each, the phases are `joint`, then one for each group, called by its name; with
/// one group just that one. One step size for each group throughout, and no score of a rejected
/// ticket is ever used: where the study does otherwise, study.hpp has it. progress: called with
/// every trace_step.
/// Throws input_error for an option out of range, a group that is not there, or a baseline that the
/// guard cannot take; shape_error for scores of other groups.
/// Cost: one measurement a candidate; memory: a ticket and scores each, kept in the trace.
template <objective O, class Progress = no_progress>
[[nodiscard]] prune_result prune(O& o, const prune_options& options = {}, Progress progress = {}) {
  const auto sizes = detail::step_sizes(full_ticket(o), options);
  detail::search s = detail::begin_search(o, options.rule, progress);
  if (!s.passes(s.steps.baseline)) return std::move(s).finish();
  std::vector<std::size_t> pruned;
  for (std::size_t g = 0; g < sizes.size(); ++g) {
    if (sizes[g] > 0) pruned.push_back(g);
  }
  if (pruned.size() > 1) detail::shrink(o, s, sizes, options.within, "joint", progress);
  if (pruned.size() == 1 || options.order == prune_order::together_then_each) {
    for (const std::size_t g : pruned) {
      std::vector<std::size_t> alone(sizes.size());
      alone[g] = sizes[g];
      detail::shrink(o, s, alone, options.within, s.accepted.groups()[g].name, progress);
    }
  }
  return std::move(s).finish();
}

/// A search on one split and what it is worth on another.
struct reported_result {
  prune_result search;    ///< scores, guard and trace on the selection split
  double baseline = 0.0;  ///< metric of the full model on the report split
  double metric = 0.0;    ///< metric of the accepted ticket there
};

/// prune() on `selection`; `report` is asked twice, for the full model and for the ticket found, so
/// that the number reported played no part in the search (the study used one split for both, Q18).
/// Throws shape_error if the two objectives have different groups.
template <objective S, objective R, class Progress = no_progress>
[[nodiscard]] reported_result prune_and_report(S& selection,
                                               R& report,
                                               const prune_options& options = {},
                                               Progress progress = {}) {
  const ticket full = full_ticket(report);
  require_same_groups(full_ticket(selection), full);
  prune_result found = prune(selection, options, std::move(progress));
  const double baseline = report.metric(full), metric = report.metric(found.accepted);
  return {std::move(found), baseline, metric};
}

/// Global magnitude pruning of weights: after each step of the schedule the metric decides.
///
/// metric: (const ticket&) -> double, of the model with these weights masked; larger is better.
/// The result is the last ticket that passed. The study's keeps the one before the last that was
/// evaluated: study.hpp. Phase `weights`; the schedule is share_of_left unless another is given.
/// Throws as remove_by_magnitude and guard::threshold do.
/// Memory: the trace keeps one bit per weight and step, 320 MB for 30 steps of BERT-base.
template <class MetricFn, schedule Schedule = share_of_left, class Progress = no_progress>
[[nodiscard]] prune_result prune_weights(std::span<const weight_span> weights,
                                         MetricFn metric,
                                         const Schedule& plan = {},
                                         const guard& rule = guard::share_of_baseline(0.9),
                                         Progress progress = {}) {
  detail::search s{full_ticket(weights), {}, {}};
  s.steps.baseline = metric(std::as_const(s.accepted));
  s.steps.threshold = rule.threshold(s.steps.baseline);
  detail::record(s.steps, {"full", s.accepted, s.steps.baseline, s.passes(s.steps.baseline), {}},
                 progress);
  const std::size_t n = s.accepted.size();
  const std::size_t steps = s.passes(s.steps.baseline) ? plan.steps() : 0;
  for (std::size_t step = 1; step <= steps; ++step) {
    const std::size_t k = plan.remove(step, n, s.accepted.count());
    if (k == 0 && is_over(plan, n, s.accepted.count())) break;
    if (k == 0) continue;
    ticket candidate = remove_by_magnitude(weights, s.accepted, k);
    const double m = metric(std::as_const(candidate));
    detail::record(s.steps, {"weights", candidate, m, s.passes(m), {}}, progress);
    if (!s.passes(m)) break;
    s.accepted = std::move(candidate);
  }
  return std::move(s).finish();
}

}  // namespace tombola
