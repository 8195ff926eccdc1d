#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola::analysis {

/// The ticket that one seed found, and the files it was read from.
struct seed_ticket {
  std::string seed;
  ticket value;
  std::vector<std::filesystem::path> files;
};

/// The tickets of one task, one for each seed, all over the same groups.
struct task_tickets {
  std::string task;
  std::vector<seed_ticket> seeds;
};

/// Tickets that belong together: one family of a study. All tickets have the same groups.
struct ticket_set {
  std::string name;
  std::vector<task_tickets> tasks;
};

/// One kind of unit of a task's tickets: `heads`, `mlps`, or `weights` of all matrices together.
struct ticket_part {
  std::string name;
  std::vector<std::string> seeds;  ///< [k]
  std::vector<ticket> tickets;     ///< [k] restricted to these units
};

namespace detail {

/// The ticket without the groups that are not in `wanted` (indices).
[[nodiscard]] inline ticket restrict_to(const ticket& t, const std::vector<std::size_t>& wanted) {
  std::vector<group> groups;
  std::vector<mask> masks;
  for (const std::size_t g : wanted) {
    groups.push_back(t.groups()[g]);
    masks.push_back(t[g]);
  }
  return ticket{std::move(groups), std::move(masks)};
}

}  // namespace detail

/// Whether a part has so many units that shares of them are shown: neurons and weights.
[[nodiscard]] inline bool is_shown_as_share(std::string_view part) {
  return part == "neurons" || part == "weights";
}

/// Splits the tickets of a task by kind of unit. Heads and MLPs are told apart, since their numbers
/// mean different things, and so are neurons; weight matrices go together, since one search ranks
/// them together.
[[nodiscard]] inline std::vector<ticket_part> parts_of(const task_tickets& task) {
  std::vector<ticket_part> parts;
  if (task.seeds.empty()) return parts;
  std::vector<std::pair<std::string, std::vector<std::size_t>>> kinds;
  std::vector<std::size_t> weights;
  const auto groups = task.seeds[0].value.groups();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (holds_structures(groups[g])) {
      kinds.push_back({groups[g].name, {g}});
    } else {
      weights.push_back(g);
    }
  }
  if (!weights.empty()) kinds.emplace_back("weights", weights);
  for (const auto& [name, wanted] : kinds) {
    ticket_part part{name, {}, {}};
    for (const seed_ticket& s : task.seeds) {
      part.seeds.push_back(s.seed);
      part.tickets.push_back(detail::restrict_to(s.value, wanted));
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

/// Seeds that every task of the set has, in the first task's order: what a sum over tasks takes.
[[nodiscard]] inline std::vector<std::string> common_seeds(const ticket_set& set) {
  std::vector<std::string> common;
  if (set.tasks.empty()) return common;
  for (const seed_ticket& s : set.tasks[0].seeds) {
    bool everywhere = true;
    for (const task_tickets& t : set.tasks) {
      bool here = false;
      for (const seed_ticket& other : t.seeds) here = here || other.seed == s.seed;
      everywhere = everywhere && here;
    }
    if (everywhere) common.push_back(s.seed);
  }
  return common;
}

/// The masks of one group as survivors() takes them: for each common seed, one for each task.
/// Throws input_error where a ticket has no group of this name.
[[nodiscard]] inline std::vector<std::vector<mask>> masks_by_seed(const ticket_set& set,
                                                                  const std::string& group_name) {
  std::vector<std::vector<mask>> by_seed;
  for (const std::string& seed : common_seeds(set)) {
    by_seed.emplace_back();
    for (const task_tickets& t : set.tasks) {
      for (const seed_ticket& s : t.seeds) {
        if (s.seed == seed) by_seed.back().push_back(s.value.at(group_name));
      }
    }
  }
  return by_seed;
}

/// The same for one task: one mask for each of its seeds.
[[nodiscard]] inline std::vector<std::vector<mask>> masks_by_seed(const task_tickets& task,
                                                                  const std::string& group_name) {
  std::vector<std::vector<mask>> by_seed;
  for (const seed_ticket& s : task.seeds) by_seed.push_back({s.value.at(group_name)});
  return by_seed;
}

}  // namespace tombola::analysis
