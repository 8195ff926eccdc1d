#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/algebra/agreement.hpp"
#include "tombola/algebra/chance.hpp"
#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/multiple_testing.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/stratified.hpp"
#include "tombola/algebra/survival.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/size_agreement.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/ticket_sets.hpp"

namespace tombola::analysis {

/// The tickets of two tasks on one kind of unit; a task with itself is a pair too.
struct task_pair {
  std::string set;
  std::string part;
  std::string first, second;  ///< tasks
  std::size_t units = 0;      ///< that there are of this kind
  /// Units that both tasks' tickets of a seed keep, over the seeds that both have.
  moments shared;
  /// What chance gives for tickets of these sizes, of weights in every matrix: the mean over those
  /// seeds; nothing of a task with itself.
  moments expected;
  /// How likely chance shares as much in every seed: Fisher's combination of the seeds' tails,
  /// exact but for weights (chance_within_groups), alone and adjusted by Holm's method for all
  /// pairs of two tasks. Nothing of a task with itself or without a common seed.
  std::optional<double> p;
  std::optional<double> adjusted_p;
  // Of the two tasks' tickets together:
  cochran equal_sizes;  ///< tests equal sizes, not overlap
  estimate fleiss;
  estimate krippendorff;
  /// Pairs of one ticket of each task: their number, how many are of one size, and their overlap.
  std::size_t crossings = 0;
  std::size_t of_one_size = 0;
  estimate mean_jaccard;
};

namespace detail {

/// The part of this name, or nothing.
[[nodiscard]] inline const ticket_part* find_part(const std::vector<ticket_part>& parts,
                                                  const std::string& name) {
  for (const ticket_part& p : parts) {
    if (p.name == name) return &p;
  }
  return nullptr;
}

/// Fills in what the seeds of both tasks share, seed by seed.
inline void share_by_seed(const ticket_part& a, const ticket_part& b, bool same, task_pair& p) {
  std::vector<double> shared, expected, log_p;
  for (std::size_t i = 0; i < a.seeds.size(); ++i) {
    for (std::size_t j = 0; j < b.seeds.size(); ++j) {
      if (a.seeds[i] != b.seeds[j]) continue;
      const auto groups = count_overlap_by_group(a.tickets[i], b.tickets[j]);
      shared.push_back(static_cast<double>(pooled(groups).both));
      if (same) continue;
      const stratified_chance c = chance_within_groups(groups);
      expected.push_back(c.expected_both);
      log_p.push_back(c.log_p_at_least);
    }
  }
  p.shared = moments_of(shared);
  p.expected = moments_of(expected);
  if (!log_p.empty()) p.p = combined_p(log_p);
}

/// Adjusts what there is.
inline void adjust(std::vector<task_pair>& pairs) {
  std::vector<double> p;
  for (const task_pair& pair : pairs) {
    if (pair.p) p.push_back(*pair.p);
  }
  const std::vector<double> adjusted = holm(p);
  auto next = adjusted.begin();
  for (task_pair& pair : pairs) {
    if (pair.p) pair.adjusted_p = *next++;
  }
}

/// The pairs of one ticket of each task; within a task, of two seeds. The study's rule takes only a
/// seed with one that comes later.
[[nodiscard]] inline std::vector<pair_overlap> crossings(const ticket_part& a,
                                                         const ticket_part& b,
                                                         bool same,
                                                         pair_rule rule) {
  std::vector<pair_overlap> pairs;
  for (std::size_t i = 0; i < a.tickets.size(); ++i) {
    const std::size_t from = same || rule == pair_rule::as_study ? i + 1 : 0;
    for (std::size_t j = from; j < b.tickets.size(); ++j) {
      pairs.push_back({i, j, count_overlap(a.tickets[i], b.tickets[j])});
    }
  }
  return pairs;
}

}  // namespace detail

/// All pairs of tasks of a set on one kind of unit, the second task not before the first.
///
/// Throws shape_error where two tasks' groups differ. Sources: the overlap of tasks and the
/// agreement of two tasks' ten masks in S. Prasanna, A. Rogers, A. Rumshisky, EMNLP 2020.
[[nodiscard]] inline std::vector<task_pair> task_pairs(const ticket_set& set,
                                                       const std::string& part,
                                                       pair_rule rule = pair_rule::correct) {
  std::vector<std::vector<ticket_part>> parts;
  for (const task_tickets& t : set.tasks) parts.push_back(parts_of(t));
  std::vector<task_pair> pairs;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const ticket_part* a = detail::find_part(parts[i], part);
    for (std::size_t j = i; a != nullptr && j < parts.size(); ++j) {
      const ticket_part* b = detail::find_part(parts[j], part);
      if (b == nullptr) continue;
      task_pair p;
      p.set = set.name, p.part = part;
      p.first = set.tasks[i].task, p.second = set.tasks[j].task;
      p.units = a->tickets.empty() ? 0 : a->tickets[0].size();
      detail::share_by_seed(*a, *b, i == j, p);
      std::vector<ticket> together = a->tickets;
      if (i != j) together.insert(together.end(), b->tickets.begin(), b->tickets.end());
      const agreement_counts counts = agreement_counts_of(count_survival(together));
      p.equal_sizes = cochran_q(counts);
      p.fleiss = fleiss_kappa(counts);
      p.krippendorff = krippendorff_alpha(counts);
      const auto crossed = detail::crossings(*a, *b, i == j, rule);
      p.crossings = crossed.size();
      p.of_one_size = pairs_of_one_size(crossed, rule);
      p.mean_jaccard = mean_over_pairs(crossed, jaccard, rule);
      pairs.push_back(std::move(p));
    }
  }
  detail::adjust(pairs);
  return pairs;
}

/// One row for each pair of tasks.
[[nodiscard]] inline table task_pair_table(std::span<const task_pair> pairs) {
  table t{"task_pairs",
          "What the tickets of two tasks share",
          {{"set", "set"},
           {"units", "units"},
           {"first_task", "first task"},
           {"second_task", "second task"},
           {"shared_mean", "shared"},
           {"shared_deviation", "deviation"},
           {"expected", "by chance"},
           {"p", "p of as much"},
           {"adjusted_p", "adjusted"},
           {"krippendorff_alpha", "Krippendorff's alpha"},
           {"fleiss_kappa", "Fleiss' kappa"},
           {"jaccard", "mean Jaccard"},
           {"pairs_of_one_size", "pairs of one size"},
           {"pairs", "of pairs"}},
          {}};
  for (const task_pair& p : pairs) {
    const std::string none = p.first == p.second ? "a task with itself" : "no common seed";
    t.add({text_cell(p.set), text_cell(p.part), text_cell(p.first), text_cell(p.second),
           number_cell(p.shared.mean, "no common seed", 1),
           number_cell(p.shared.deviation, one_value, 1), number_cell(p.expected.mean, none, 1),
           number_cell(p.p, none, 3, number_form::probability),
           number_cell(p.adjusted_p, none, 3, number_form::probability),
           number_cell(p.krippendorff, 3), number_cell(p.fleiss, 3), number_cell(p.mean_jaccard, 3),
           count_cell(p.of_one_size), count_cell(p.crossings)});
  }
  return t;
}

}  // namespace tombola::analysis
