#pragma once

#include <concepts>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola {

/// What a pruner asks of a model and its data: three questions about a ticket.
///
///   groups()    the groups that may be pruned, in a fixed order
///   scores(t)   one tombola::scores for each group, in that order, under ticket t
///   metric(t)   one number under ticket t; larger is better
///
/// What the compiler cannot check:
/// - t covers groups() exactly; pruned units count as absent, and stay in the scores all the same;
/// - asked twice, an answer is the same, whatever was asked in between;
/// - nothing the caller sees is changed: weights stay as they are.
/// Which criterion scores the units, and on which data, is the objective's own affair. An objective
/// may hold workspaces and is therefore asked through a reference that is not const.
template <class O>
concept objective = requires(O& o, const ticket& t) {
  { *std::begin(o.groups()) } -> std::convertible_to<group>;
  std::end(o.groups());
  { o.scores(t) } -> std::convertible_to<std::vector<scores>>;
  { o.metric(t) } -> std::convertible_to<double>;
};

/// Metric and scores under one ticket.
struct measurement {
  double metric = 0.0;
  std::vector<tombola::scores> scores;  ///< one for each group of the objective
};

/// An objective that gives both answers from one pass over its data.
///
/// Law: measure(t) is {metric(t), scores(t)}. Searches use it wherever they need both.
template <class O>
concept measuring_objective = objective<O> && requires(O& o, const ticket& t) {
  { o.measure(t) } -> std::same_as<measurement>;
};

/// An objective that hands out what its metric is made of: one result for each example.
///
///   examples(t)   one number for each example under ticket t, such as 1 where the prediction is
///                 right and 0 where not; larger is better
///
/// Laws: as many examples in the same order whatever the ticket; every result is finite. For
/// accuracy the mean of examples(t) is metric(t); metrics that do not average over examples, such
/// as F1 or Matthews correlation, have no such results. The guard of lower_bound.hpp asks for them.
template <class O>
concept example_objective = objective<O> && requires(O& o, const ticket& t) {
  { o.examples(t) } -> std::convertible_to<std::vector<double>>;
};

/// The full ticket of an objective: everything kept.
template <objective O>
[[nodiscard]] ticket full_ticket(O& o) {
  auto&& listed = o.groups();
  std::vector<group> groups;
  for (const group& g : listed) groups.push_back(g);
  return ticket{std::move(groups)};
}

/// Throws shape_error, naming the group, unless there are scores for every group of the ticket.
inline void require_scores_for(const ticket& t, const std::vector<scores>& given) {
  const auto groups = t.groups();
  if (given.size() != groups.size()) {
    throw shape_error("objective: scores for " + std::to_string(given.size()) +
                      " groups, expected " + std::to_string(groups.size()));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!(given[i].group() == groups[i])) {
      throw shape_error("objective: scores for " + to_string(given[i].group()) + ", expected " +
                        to_string(groups[i]));
    }
  }
}

/// The scores of an objective under t, checked against its groups.
template <objective O>
[[nodiscard]] std::vector<scores> scores_under(O& o, const ticket& t) {
  std::vector<scores> s = o.scores(t);
  require_scores_for(t, s);
  return s;
}

/// Metric and scores under t: in one pass where the objective can, else in two. Checked.
template <objective O>
[[nodiscard]] measurement measure_under(O& o, const ticket& t) {
  if constexpr (measuring_objective<O>) {
    measurement m = o.measure(t);
    require_scores_for(t, m.scores);
    return m;
  } else {
    const double metric = o.metric(t);
    return {metric, scores_under(o, t)};
  }
}

/// An objective made of two functions of a ticket; make_objective deduces their types.
///
/// ScoresFn: (const ticket&) -> std::vector<scores>. MetricFn: (const ticket&) -> double.
/// The two may look at different data: scores from one split, the guard's metric from another.
template <class ScoresFn, class MetricFn>
class lambda_objective {
public:
  lambda_objective(std::vector<group> groups, ScoresFn scores_fn, MetricFn metric_fn)
      : groups_{std::move(groups)},
        scores_fn_{std::move(scores_fn)},
        metric_fn_{std::move(metric_fn)} {}

  [[nodiscard]] const std::vector<group>& groups() const noexcept { return groups_; }
  [[nodiscard]] std::vector<tombola::scores> scores(const ticket& t) { return scores_fn_(t); }
  [[nodiscard]] double metric(const ticket& t) { return metric_fn_(t); }

private:
  std::vector<group> groups_;
  ScoresFn scores_fn_;
  MetricFn metric_fn_;
};

/// An objective from a list of groups, a function that scores and a function that measures.
template <std::invocable<const ticket&> ScoresFn, std::invocable<const ticket&> MetricFn>
[[nodiscard]] auto make_objective(std::vector<group> groups,
                                  ScoresFn scores_fn,
                                  MetricFn metric_fn) {
  return lambda_objective<ScoresFn, MetricFn>{std::move(groups), std::move(scores_fn),
                                              std::move(metric_fn)};
}

static_assert(
    objective<lambda_objective<std::vector<scores> (*)(const ticket&), double (*)(const ticket&)>>);

}  // namespace tombola
