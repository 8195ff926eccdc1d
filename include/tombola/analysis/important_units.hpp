#pragma once

// Heavy: includes xtensor.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tombola/analysis/study_arrays.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola::analysis {

/// Heads and MLPs that the study's heat maps of the most important units keep.
inline constexpr std::size_t most_important_heads = 10;
inline constexpr std::size_t most_important_mlps = 3;

namespace detail {

/// Of the units that m keeps the k of largest importance, fewer where it keeps fewer; of equal ones
/// the lower unit.
template <class It>
[[nodiscard]] mask most_important_of(const mask& m, It importance, std::size_t k) {
  std::vector<std::size_t> kept;
  for (std::size_t u = 0; u < m.size(); ++u) {
    if (m[u]) kept.push_back(u);
  }
  std::stable_sort(kept.begin(), kept.end(), [&](std::size_t a, std::size_t b) {
    return importance[static_cast<std::ptrdiff_t>(a)] > importance[static_cast<std::ptrdiff_t>(b)];
  });
  mask best{m.size()};
  for (std::size_t i = 0; i < std::min(k, kept.size()); ++i) best.set(kept[i]);
  return best;
}

}  // namespace detail

/// The k most important of the units that every ticket of a set keeps in one group: a set of the
/// same tasks and seeds, with that group alone, for survivors_of() and the tables.
///
/// Throws input_error, naming task or seed, where there are no importances for a ticket;
/// shape_error where their number is not the group's.
/// Source: the heat maps of the most important components of S. Prasanna, A. Rogers, A. Rumshisky,
/// EMNLP 2020, where the ten largest of importance times mask are kept; there a tie is arbitrary.
template <std::size_t Axes>
[[nodiscard]] ticket_set most_important(const ticket_set& set,
                                        const std::string& group_name,
                                        const study_array<Axes>& importance,
                                        std::size_t k) {
  const auto& shape = importance.values.shape();
  const std::size_t units =
      std::accumulate(shape.begin() + 2, shape.end(), std::size_t{1}, std::multiplies<>{});
  ticket_set best{set.name, {}};
  for (const task_tickets& t : set.tasks) {
    const std::size_t task = importance.task(t.task);
    best.tasks.push_back({t.task, {}});
    for (const seed_ticket& s : t.seeds) {
      const mask& m = s.value.at(group_name);
      if (m.size() != units) {
        throw shape_error("most_important: " + std::to_string(units) + " importances for the " +
                          std::to_string(m.size()) + " units of " + group_name);
      }
      const std::size_t place = task * importance.seeds.size() + importance.seed(s.seed);
      const auto first = importance.values.begin() + static_cast<std::ptrdiff_t>(place * units);
      seed_ticket chosen{s.seed,
                         ticket{{s.value.groups()[*s.value.find(group_name)]},
                                {detail::most_important_of(m, first, k)}},
                         {}};
      chosen.value.origin = s.value.origin;
      best.tasks.back().seeds.push_back(std::move(chosen));
    }
  }
  return best;
}

}  // namespace tombola::analysis
