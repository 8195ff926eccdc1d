#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/analysis/bert_sizes.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola::analysis {

/// The subnetworks of one task's tickets over heads and MLPs.
struct ticket_size {
  std::string set;
  std::string task;
  std::vector<std::string> seeds;
  std::vector<std::size_t> parameters;  ///< [seed] left when what is pruned is taken out
  std::vector<double> sizes;            ///< [seed] as subnetwork_size() gives them
  moments over_seeds;                   ///< of the sizes
};

namespace detail {

/// The mask of a group, or all kept where a ticket has no such group.
[[nodiscard]] inline mask mask_or_all(const ticket& t, const char* group_name, std::size_t units) {
  const auto at = t.find(group_name);
  return at ? t[*at] : mask::all_kept(units);
}

}  // namespace detail

/// The sizes of every task's tickets; architecture_of(task) is the model they prune. A group, heads
/// or mlps, that the tickets do not have is whole.
///
/// Throws as parameters_left() does. Source: the sizes of S. Prasanna, A. Rogers, A. Rumshisky,
/// EMNLP 2020, which are those with embedding_share::rounded_as_study.
template <std::invocable<const std::string&> Architecture>
[[nodiscard]] std::vector<ticket_size> ticket_sizes(
    const ticket_set& set,
    Architecture architecture_of,
    embedding_share share = embedding_share::exact) {
  std::vector<ticket_size> all;
  for (const task_tickets& task : set.tasks) {
    const bert_architecture a = architecture_of(task.task);
    ticket_size t{set.name, task.task, {}, {}, {}, {}};
    for (const seed_ticket& s : task.seeds) {
      t.seeds.push_back(s.seed);
      t.parameters.push_back(
          parameters_left(a, detail::mask_or_all(s.value, "heads", a.layers * a.heads),
                          detail::mask_or_all(s.value, "mlps", a.layers)));
      t.sizes.push_back(subnetwork_size(a, static_cast<double>(t.parameters.back()), share));
    }
    t.over_seeds = moments_of(t.sizes);
    all.push_back(std::move(t));
  }
  return all;
}

/// One row for each task.
[[nodiscard]] inline table ticket_size_table(std::span<const ticket_size> all) {
  table t{"ticket_sizes",
          "Parameters of the subnetworks but the embeddings, of all of the model's",
          {{"set", "set"},
           {"task", "task"},
           {"seeds", "seeds"},
           {"parameters_mean", "parameters"},
           {"size_mean", "size"},
           {"size_deviation", "deviation"}},
          {}};
  for (const ticket_size& s : all) {
    const moments parameters =
        moments_of(std::vector<double>(s.parameters.begin(), s.parameters.end()));
    t.add({text_cell(s.set), text_cell(s.task), count_cell(s.seeds.size()),
           number_cell(parameters.mean, "no seed", 0),
           number_cell(s.over_seeds.mean, "no seed", 1, number_form::percent),
           number_cell(s.over_seeds.deviation, one_value, 1, number_form::percent)});
  }
  return t;
}

}  // namespace tombola::analysis
