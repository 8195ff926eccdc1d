#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tombola/analysis/agreement_section.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/task_matrix.hpp"
#include "tombola/analysis/task_pairs.hpp"
#include "tombola/analysis/ticket_sets.hpp"

namespace tombola::analysis {

/// What the tickets of two tasks of one set share, by kind of unit.
struct task_comparison {
  std::string part;
  std::vector<task_pair> pairs;
};

/// Of every kind of unit; empty for fewer than two tasks, or more than max_drawn_seeds. Throws
/// shape_error where two tasks' groups differ.
[[nodiscard]] inline std::vector<task_comparison> compare_tasks(const ticket_set& set) {
  std::vector<task_comparison> all;
  if (set.tasks.size() < 2 || set.tasks.size() > max_drawn_seeds) return all;
  for (const ticket_part& part : parts_of(set.tasks[0])) {
    all.push_back({part.name, task_pairs(set, part.name)});
  }
  return all;
}

/// The pairs of every kind of unit in one list, for a table.
[[nodiscard]] inline std::vector<task_pair> all_pairs_of(std::span<const task_comparison> all) {
  std::vector<task_pair> pairs;
  for (const task_comparison& c : all) pairs.insert(pairs.end(), c.pairs.begin(), c.pairs.end());
  return pairs;
}

/// What tasks share, seed by seed, as matrices and in a table.
[[nodiscard]] inline std::string task_section(std::span<const task_comparison> all,
                                              const std::string& set,
                                              const std::string& id) {
  markup m;
  m.open("section", {{"id", id}}).leaf("h2", "What tasks share: " + in_words(set));
  m.leaf("p", {{"class", "note"}},
         "Units that the tickets of two tasks both keep in the same seed, mean over seeds and "
         "deviation; on the diagonal the size of the task's tickets." +
             std::string{meaning_of_stars} +
             " The seeds' exact tails are combined by Fisher's method.");
  m.open("div", {{"class", "grid"}, {"style", "--wide:450px"}}).line();
  for (const task_comparison& c : all) {
    const bool as_share = is_shown_as_share(c.part);
    m.raw(detail::framed(in_words(c.part),
                         as_share ? "share of all" : "of " + std::to_string(c.pairs.at(0).units),
                         draw(shared_units_map(c.pairs, as_share))));
  }
  m.close().line();
  m.raw(to_html_folded(without(task_pair_table(all_pairs_of(all)), {"set"}), 12));
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
