#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/analysis/agreement_section.hpp"
#include "tombola/analysis/heat_map.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/super_tickets.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/task_matrix.hpp"
#include "tombola/analysis/task_pairs.hpp"
#include "tombola/analysis/ticket_sets.hpp"

namespace tombola::analysis {

/// What the tasks of one set have in common, by kind of unit.
struct task_comparison {
  std::string part;
  std::vector<task_pair> pairs;
  std::vector<super_ticket> supers;  ///< where a task has two seeds or more
  std::vector<super_pair> super_pairs;
};

/// Of every kind of unit; empty for fewer than two tasks, or more than max_drawn_seeds. Throws
/// shape_error where two tasks' groups differ.
[[nodiscard]] inline std::vector<task_comparison> compare_tasks(const ticket_set& set) {
  std::vector<task_comparison> all;
  if (set.tasks.size() < 2 || set.tasks.size() > max_drawn_seeds) return all;
  const std::vector<super_ticket> supers = super_tickets(set);
  for (const ticket_part& part : parts_of(set.tasks[0])) {
    task_comparison c{part.name, task_pairs(set, part.name), {}, {}};
    std::copy_if(supers.begin(), supers.end(), std::back_inserter(c.supers),
                 [&](const super_ticket& s) { return s.part == part.name && s.seeds > 1; });
    c.super_pairs = super_pairs(c.supers);
    all.push_back(std::move(c));
  }
  return all;
}

namespace detail {

/// The pairs of every kind of unit in one list, for a table.
template <class T>
[[nodiscard]] std::vector<T> gathered(std::span<const task_comparison> all,
                                      std::vector<T> task_comparison::*list) {
  std::vector<T> together;
  for (const task_comparison& c : all) {
    together.insert(together.end(), (c.*list).begin(), (c.*list).end());
  }
  return together;
}

[[nodiscard]] inline std::string of_units(const task_comparison& c) {
  return c.part == "weights" ? "share of all" : "of " + std::to_string(c.pairs.at(0).units);
}

}  // namespace detail

/// What tasks share, seed by seed and in their super tickets, each with its matrices and tables.
[[nodiscard]] inline std::string task_section(std::span<const task_comparison> all,
                                              const std::string& set,
                                              const std::string& id) {
  constexpr std::string_view stars =
      " Stars: chance gives as much with a probability below 0.05 (*), 0.01 (**), 0.001 (***), "
      "adjusted by Holm's method for all pairs of tasks.";
  markup m;
  m.open("section", {{"id", id}}).leaf("h2", "Tasks: " + in_words(set));
  m.leaf("h3", "What tasks share");
  m.leaf("p", {{"class", "note"}},
         "Units that the tickets of two tasks both keep in the same seed, mean over seeds and "
         "deviation; on the diagonal the size of the task's tickets." +
             std::string{stars} + " The seeds' exact tails are combined by Fisher's method.");
  m.open("div", {{"class", "grid"}, {"style", "--wide:450px"}}).line();
  for (const task_comparison& c : all) {
    m.raw(detail::framed(in_words(c.part), detail::of_units(c),
                         draw(shared_units_map(c.pairs, c.part == "weights"))));
  }
  m.close().line();
  m.raw(to_html_folded(
      without(task_pair_table(detail::gathered(all, &task_comparison::pairs)), {"set"}), 12));
  const auto supers = detail::gathered(all, &task_comparison::supers);
  if (!supers.empty()) {
    m.leaf("h3", "Super tickets: what every seed keeps");
    m.leaf("p", {{"class", "note"}},
           "Units that all seeds of a task keep, on the diagonal, and those that two tasks' super "
           "tickets share." +
               std::string{stars});
    m.open("div", {{"class", "grid"}, {"style", "--wide:450px"}}).line();
    for (const task_comparison& c : all) {
      if (c.supers.empty()) continue;
      m.raw(detail::framed(in_words(c.part), "in every seed",
                           draw(super_map(c.supers, c.super_pairs, c.part == "weights"))));
    }
    m.close().line();
    m.raw(to_html(without(super_table(supers), {"set"})));
    m.raw(to_html_folded(
        without(super_pair_table(detail::gathered(all, &task_comparison::super_pairs)), {"set"}),
        12));
  }
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
