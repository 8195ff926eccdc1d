#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/multiple_testing.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/sets.hpp"
#include "tombola/algebra/stratified.hpp"
#include "tombola/algebra/survival.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola::analysis {

/// The super ticket of one task and kind of unit: what every seed keeps.
struct super_ticket {
  std::string set;
  std::string task;
  std::string part;  ///< `heads`, `mlps` or `weights`
  std::size_t seeds = 0;
  std::size_t units = 0;
  ticket in_all;               ///< the units that every seed keeps
  std::size_t in_none = 0;     ///< units that no seed keeps
  double expected_all = 0.0;   ///< units in all seeds if seeds kept theirs independently, of
                               ///< weights each matrix's share
  double expected_none = 0.0;  ///< units in no seed, likewise
};

/// Of every task and kind of unit. Source: the super survivors of S. Prasanna, A. Rogers,
/// A. Rumshisky, EMNLP 2020; the numbers by chance are Poisson-binomial.
[[nodiscard]] inline std::vector<super_ticket> super_tickets(const ticket_set& set) {
  std::vector<super_ticket> all;
  for (const task_tickets& task : set.tasks) {
    for (const ticket_part& part : parts_of(task)) {
      super_ticket s{set.name, task.task, part.name, part.tickets.size(), 0, {}, 0, 0.0, 0.0};
      s.in_all = intersected(part.tickets);
      for (std::size_t g = 0; g < s.in_all.groups().size(); ++g) {
        const survival counts = count_survival(masks_of_group(part.tickets, g));
        const auto expected = expected_survival(counts).expected_units_by_survival;
        s.units += counts.units;
        s.in_none += counts.units_by_survival.front();
        s.expected_all += expected.back();
        s.expected_none += expected.front();
      }
      all.push_back(std::move(s));
    }
  }
  return all;
}

/// One row for each task and kind of unit.
[[nodiscard]] inline table super_table(std::span<const super_ticket> all) {
  table t{"super_tickets",
          "Units that every seed keeps, and units that none does",
          {{"set", "set"},
           {"task", "task"},
           {"units", "units"},
           {"seeds", "seeds"},
           {"size", "of"},
           {"in_all", "in every seed"},
           {"expected_in_all", "by chance"},
           {"in_none", "in no seed"},
           {"expected_in_none", "by chance"}},
          {}};
  for (const super_ticket& s : all) {
    t.add({text_cell(s.set), text_cell(s.task), text_cell(s.part), count_cell(s.seeds),
           count_cell(s.units), count_cell(s.in_all.count()), number_cell(s.expected_all, 1),
           count_cell(s.in_none), number_cell(s.expected_none, 1)});
  }
  return t;
}

/// What the super tickets of two tasks share.
struct super_pair {
  std::string set;
  std::string part;
  std::string first, second;  ///< tasks
  overlap counts;
  double expected_both = 0.0;  ///< by chance, of weights with every matrix at its size
  double p = 1.0;           ///< how likely chance shares as much for super tickets of these sizes
  double adjusted_p = 1.0;  ///< the same by Holm's method for all pairs of its set and kind of unit
};

namespace detail {

/// Adjusts the pairs of every set and kind of unit by themselves.
inline void adjust(std::vector<super_pair>& pairs) {
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> together;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    together[{pairs[i].set, pairs[i].part}].push_back(i);
  }
  for (const auto& [key, places] : together) {
    std::vector<double> p;
    for (const std::size_t i : places) p.push_back(pairs[i].p);
    const std::vector<double> adjusted = holm(p);
    for (std::size_t k = 0; k < places.size(); ++k) pairs[places[k]].adjusted_p = adjusted[k];
  }
}

}  // namespace detail

/// Of all pairs of tasks, kind by kind. Throws shape_error where two tasks' groups differ.
[[nodiscard]] inline std::vector<super_pair> super_pairs(std::span<const super_ticket> all) {
  std::vector<super_pair> pairs;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = i + 1; j < all.size(); ++j) {
      const super_ticket &a = all[i], &b = all[j];
      if (a.set != b.set || a.part != b.part) continue;
      const auto groups = count_overlap_by_group(a.in_all, b.in_all);
      const stratified_chance c = chance_within_groups(groups);
      pairs.push_back(
          {a.set, a.part, a.task, b.task, pooled(groups), c.expected_both, c.p_at_least, 1.0});
    }
  }
  detail::adjust(pairs);
  return pairs;
}

/// One row for each pair of tasks, beside what chance gives for super tickets of these sizes.
[[nodiscard]] inline table super_pair_table(std::span<const super_pair> pairs) {
  table t{"super_pairs",
          "What the super tickets of two tasks share",
          {{"set", "set"},
           {"units", "units"},
           {"first_task", "first task"},
           {"second_task", "second task"},
           {"first_size", "first keeps"},
           {"second_size", "second keeps"},
           {"both", "both"},
           {"expected_both", "both by chance"},
           {"p_at_least", "p of as much"},
           {"adjusted_p", "adjusted"}},
          {}};
  for (const super_pair& p : pairs) {
    t.add({text_cell(p.set), text_cell(p.part), text_cell(p.first), text_cell(p.second),
           count_cell(p.counts.first()), count_cell(p.counts.second()), count_cell(p.counts.both),
           number_cell(p.expected_both, 2), number_cell(p.p, 3, number_form::probability),
           number_cell(p.adjusted_p, 3, number_form::probability)});
  }
  return t;
}

}  // namespace tombola::analysis
