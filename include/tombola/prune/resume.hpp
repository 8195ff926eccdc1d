#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "tombola/core/ticket.hpp"
#include "tombola/core/trace.hpp"
#include "tombola/prune/objective.hpp"

/// Going on with a search that was cut off, by what its progress callback wrote down:
///
///   trace earlier = ...;                          // the steps seen before the interruption
///   remembering_objective again{objective, earlier};
///   prune_result r = prune(again, options);       // computes only what is missing
namespace tombola {

namespace detail {

/// The step of a trace that measured these masks, or null. Where a ticket comes from is not asked.
[[nodiscard]] inline const trace_step* find_step(const trace& earlier, const ticket& t) {
  for (const trace_step& step : earlier.steps) {
    if (std::ranges::equal(step.candidate.groups(), t.groups()) &&
        std::ranges::equal(step.candidate.masks(), t.masks())) {
      return &step;
    }
  }
  return nullptr;
}

}  // namespace detail

/// An objective that remembers: what an earlier, interrupted search measured is not computed again.
///
/// Any search over it ends as it would have without the interruption, bit for bit, because the
/// searches decide by metrics and scores alone. Tickets that the trace does not hold, a trace of
/// another model included, go to the objective behind it.
/// Both references must outlive it.
template <objective O>
class remembering_objective {
public:
  remembering_objective(O& behind, const trace& earlier) : behind_{behind}, earlier_{earlier} {}

  [[nodiscard]] decltype(auto) groups() { return behind_.groups(); }

  [[nodiscard]] double metric(const ticket& t) {
    const trace_step* step = detail::find_step(earlier_, t);
    return step != nullptr ? step->metric : static_cast<double>(behind_.metric(t));
  }

  [[nodiscard]] std::vector<tombola::scores> scores(const ticket& t) {
    const trace_step* step = detail::find_step(earlier_, t);
    return step != nullptr && !step->scores.empty() ? step->scores : behind_.scores(t);
  }

  /// There where the objective behind measures in one pass, so that searches treat both alike.
  [[nodiscard]] measurement measure(const ticket& t) requires measuring_objective<O> {
    const trace_step* step = detail::find_step(earlier_, t);
    if (step == nullptr || step->scores.empty()) return behind_.measure(t);
    return {step->metric, step->scores};
  }

private:
  O& behind_;
  const trace& earlier_;
};

/// The candidate that an earlier search tried after it had accepted t, or null: what comes next
/// without scores, which traces of weights do not hold. Precondition: a trace of the same search
/// over weights, where one candidate follows another.
[[nodiscard]] inline const ticket* candidate_after(const trace& earlier, const ticket& t) {
  const trace_step* step = detail::find_step(earlier, t);
  if (step == nullptr || step == &earlier.steps.back()) return nullptr;
  return &(step + 1)->candidate;
}

/// What remembering_objective is, for the searches over weights, which ask for a metric alone.
///
/// metric: (const ticket&) -> double. The trace must outlive what is returned.
template <class MetricFn>
[[nodiscard]] auto remembering_metric(MetricFn metric, const trace& earlier) {
  return [metric = std::move(metric), &earlier](const ticket& t) mutable -> double {
    const trace_step* step = detail::find_step(earlier, t);
    return step != nullptr ? step->metric : static_cast<double>(metric(t));
  };
}

}  // namespace tombola
