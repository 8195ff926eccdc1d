#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/prune/guard.hpp"
#include "tombola/prune/pruner.hpp"
#include "tombola/prune/select_rows.hpp"
#include "tombola/prune/weights.hpp"

/// Selection of single weights by their scores: who is compared with whom.
///
///   // Half of each output's weights, each output by itself.
///   ticket t = remove_lowest_of_scope(scores_of_weights, full, weight_scope::row,
///                                     [](std::size_t n, std::size_t) { return n / 2; });
///
/// Of equal scores the lower index is kept, as everywhere.
namespace tombola {

/// Among which weights one ranking is made.
enum class weight_scope {
  global,  ///< all weights of all groups
  layer,   ///< each matrix alone
  row,     ///< each row of each matrix alone: the weights of one output. A vector is one row
};

[[nodiscard]] constexpr const char* to_string(weight_scope s) noexcept {
  switch (s) {
    case weight_scope::layer:
      return "layer";
    case weight_scope::row:
      return "row";
    case weight_scope::global:
      break;
  }
  return "global";
}

/// Scores as the spans that remove_by_score takes. They hold as long as the scores.
[[nodiscard]] inline std::vector<weight_span> spans_of(std::span<const scores> s) {
  std::vector<weight_span> spans;
  spans.reserve(s.size());
  for (const scores& one : s) spans.push_back({one.group(), one.values()});
  return spans;
}

namespace detail {

/// Removes amount(row, kept in it) weights of each row of a group.
template <class Amount>
void remove_lowest_of_rows(mask& kept, const scores& s, const Amount& amount) {
  const std::size_t m = row_length(s.group());
  std::vector<std::size_t> block;
  const auto before = [&s](std::size_t a, std::size_t b) { return s[a] > s[b]; };
  for (std::size_t first = 0; m > 0 && first < kept.size(); first += m) {
    std::size_t left = 0;
    for (std::size_t u = first; u < first + m; ++u) left += kept[u] ? 1U : 0U;
    const std::size_t k = amount(m, left);
    if (k > left) {
      throw input_error("selection: asked to remove " + std::to_string(k) + " units of " +
                        std::to_string(left) + " kept in a row of " + to_string(s.group()));
    }
    keep_best_of_block(kept, first, m, left - k, before, block);
  }
}

}  // namespace detail

/// How many weights remove_lowest_of_scope removes, which depends on no score: a sum over the parts
/// that the scope makes. Cost: of rows, linear in the weights.
template <class Amount>
requires std::regular_invocable<const Amount&, std::size_t, std::size_t>
[[nodiscard]] std::size_t count_removed(const ticket& current,
                                        weight_scope within,
                                        const Amount& amount) {
  if (within == weight_scope::global) return amount(current.size(), current.count());
  std::size_t removed = 0;
  for (std::size_t g = 0; g < current.groups().size(); ++g) {
    const mask& kept = current[g];
    const std::size_t n =
        within == weight_scope::layer ? kept.size() : detail::row_length(current.groups()[g]);
    for (std::size_t first = 0; n > 0 && first < kept.size(); first += n) {
      std::size_t left = 0;
      for (std::size_t u = first; u < first + n; ++u) left += kept[u] ? 1U : 0U;
      removed += amount(n, left);
    }
  }
  return removed;
}

/// Removes the lowest scores among those that `current` keeps, in one ranking for each part that
/// the scope makes.
///
/// amount: (n, kept) -> k, how many go of a part of n weights of which `kept` are left; such as one
/// step of a schedule: [&](auto n, auto kept) { return plan.remove(step, n, kept); }.
/// Throws shape_error where scores and ticket have different groups, input_error where k is more
/// than are kept. Cost: linear in the weights, on average.
template <class Amount>
requires std::regular_invocable<const Amount&, std::size_t, std::size_t>
[[nodiscard]] ticket remove_lowest_of_scope(std::span<const scores> s,
                                            const ticket& current,
                                            weight_scope within,
                                            const Amount& amount) {
  const std::vector<weight_span> spans = spans_of(s);
  if (within == weight_scope::global) {
    return remove_by_score(spans, current, amount(current.size(), current.count()));
  }
  require_same_groups(full_ticket(spans), current);
  std::vector<mask> masks = detail::masks_of(current);
  for (std::size_t g = 0; g < masks.size(); ++g) {
    if (within == weight_scope::row) {
      detail::remove_lowest_of_rows(masks[g], s[g], amount);
      continue;
    }
    const std::size_t k = amount(masks[g].size(), masks[g].count());
    ticket alone{{spans[g].group}, {std::move(masks[g])}};
    masks[g] = remove_by_score(std::span{spans}.subspan(g, 1), alone, k)[0];
  }
  return detail::with_masks(current, std::move(masks));
}

/// Keeps, of every m consecutive weights along the last extent of each group, the n with the
/// highest scores among those that `current` keeps. Throws as keep_n_of_m of one group does, and
/// shape_error where scores and ticket have different groups.
[[nodiscard]] inline ticket keep_n_of_m(std::span<const scores> s,
                                        const ticket& current,
                                        std::size_t n,
                                        std::size_t m) {
  require_same_groups(full_ticket(spans_of(s)), current);
  std::vector<mask> masks = detail::masks_of(current);
  for (std::size_t g = 0; g < masks.size(); ++g) {
    masks[g] = keep_n_of_m(std::move(masks[g]), s[g], n, m);
  }
  return detail::with_masks(current, std::move(masks));
}

/// Pruning of weights by any rule, from a ticket on: after each step the metric decides.
///
/// next: (step, const ticket&) -> ticket, what step 1, 2, ... makes of the ticket accepted last; a
/// step that leaves it as it is is passed over. It may return std::optional<ticket>: nothing where
/// no later step removes anything either, which ends the search. metric: (const ticket&) -> double,
/// of the model with these weights masked; larger is better. The first candidate that does not pass
/// ends the search, and so does a start that does not; the result is the last that did. The
/// baseline is the metric under the ticket it starts from, phase `full` where that keeps
/// everything, else `start`; then `weights`.
/// Throws as guard::threshold does. Memory: the trace keeps a bit per weight and step.
template <class NextFn, class MetricFn, class Progress = no_progress>
[[nodiscard]] prune_result prune_weights_by(ticket start,
                                            std::size_t steps,
                                            NextFn next,
                                            MetricFn metric,
                                            const guard& rule = guard::share_of_baseline(0.9),
                                            Progress progress = {}) {
  const char* phase = start.count() == start.size() ? "full" : "start";
  detail::search s{std::move(start), {}, {}};
  s.steps.baseline = metric(std::as_const(s.accepted));
  s.steps.threshold = rule.threshold(s.steps.baseline);
  detail::record(s.steps, {phase, s.accepted, s.steps.baseline, s.passes(s.steps.baseline), {}},
                 progress);
  if (!s.passes(s.steps.baseline)) steps = 0;
  for (std::size_t step = 1; step <= steps; ++step) {
    std::optional<ticket> candidate = next(step, std::as_const(s.accepted));
    if (!candidate) break;
    if (candidate->count() == s.accepted.count()) continue;
    const double m = metric(std::as_const(*candidate));
    detail::record(s.steps, {"weights", *candidate, m, s.passes(m), {}}, progress);
    if (!s.passes(m)) break;
    s.accepted = *std::move(candidate);
  }
  return std::move(s).finish();
}

}  // namespace tombola
