#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/analysis/agreement_section.hpp"
#include "tombola/analysis/heat_map.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/super_tickets.hpp"
#include "tombola/analysis/survivor_maps.hpp"
#include "tombola/analysis/survivors.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/task_matrix.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola::analysis {

/// The super tickets of one set on one kind of unit.
struct super_part {
  std::string part;
  std::vector<super_ticket> tickets;  ///< of tasks with two seeds or more
  std::vector<super_pair> pairs;      ///< none for more than max_drawn_seeds tasks
};

/// A unit of heads or MLPs that some task's super ticket keeps, or that survives in many tasks.
struct super_unit {
  std::string set;
  std::string part;
  std::size_t layer = 0;
  std::size_t unit = 0;            ///< within the layer
  std::vector<std::string> tasks;  ///< whose super tickets keep it
  /// Tasks that keep it, the mean over the seeds that all tasks have; nothing without such a seed.
  std::optional<double> mean_tasks;
  bool stable = false;  ///< more than stable_threshold() tasks on average
};

/// What super tickets say of one set.
struct super_comparison {
  std::vector<super_part> parts;
  std::vector<super_unit> units;  ///< by kind, layer and unit
  double threshold = 0.0;         ///< tasks that a stable unit exceeds
};

namespace detail {

/// The units of one kind; none for other groups than survivor_maps() draws.
inline void add_super_units(const super_part& p,
                            const std::vector<group_survival>& over_tasks,
                            double threshold,
                            std::vector<super_unit>& units) {
  const group& g = p.tickets.at(0).in_all.groups()[0];
  const std::size_t axes = g.name == "heads" ? 2 : 1;
  if ((g.name != "heads" && g.name != "mlps") || g.extents.size() != axes) return;
  if (g.size() > max_drawn_cells) return;
  const group_survival* means = find(over_tasks, g.name, axes);
  const std::size_t width = axes == 2 ? g.extents[1] : 1;
  for (std::size_t u = 0; u < g.size(); ++u) {
    super_unit unit{p.tickets[0].set, p.part, u / width, u % width, {}, std::nullopt, false};
    for (const super_ticket& t : p.tickets) {
      if (t.in_all[0][u]) unit.tasks.push_back(t.task);
    }
    if (means != nullptr) unit.mean_tasks = means->over_seeds.mean[u];
    unit.stable = unit.mean_tasks && *unit.mean_tasks > threshold;
    if (unit.stable || !unit.tasks.empty()) units.push_back(std::move(unit));
  }
}

}  // namespace detail

/// The super tickets of a set, their pairs, and the units in them. Without parts where no task has
/// two seeds. Throws shape_error where two tasks' groups differ.
[[nodiscard]] inline super_comparison compare_super_tickets(const ticket_set& set) {
  super_comparison all;
  for (super_ticket& s : super_tickets(set)) {
    if (s.seeds < 2) continue;
    const std::string name = s.part;
    auto at = std::find_if(all.parts.begin(), all.parts.end(),
                           [&](const super_part& p) { return p.part == name; });
    if (at == all.parts.end()) at = all.parts.insert(at, {name, {}, {}});
    at->tickets.push_back(std::move(s));
  }
  if (all.parts.empty()) return all;
  all.threshold = stable_threshold(set.tasks.size());
  const std::vector<group_survival> over_tasks = survivors_of(set);
  for (super_part& p : all.parts) {
    for (const super_ticket& t : p.tickets) {
      require_same_groups(p.tickets[0].in_all, t.in_all);
    }
    if (p.tickets.size() <= max_drawn_seeds) p.pairs = super_pairs(p.tickets);
    detail::add_super_units(p, over_tasks, all.threshold, all.units);
  }
  return all;
}

/// One row for each unit that a super ticket keeps or that is stable over tasks.
[[nodiscard]] inline table super_unit_table(std::span<const super_unit> units) {
  table t{"super_units",
          "Units that every seed of a task keeps, or that most tasks keep",
          {{"set", "set"},
           {"units", "units"},
           {"layer", "layer"},
           {"unit", "unit"},
           {"tasks", "in every seed of tasks"},
           {"which", "which"},
           {"mean_tasks", "tasks on average"},
           {"stable", "stable"}},
          {}};
  for (const super_unit& u : units) {
    std::string which;
    for (const std::string& task : u.tasks) which += (which.empty() ? "" : ", ") + task;
    t.add({text_cell(u.set), text_cell(u.part), count_cell(u.layer), count_cell(u.unit),
           count_cell(u.tasks.size()), text_cell(which),
           number_cell(u.mean_tasks, "no seed that all tasks have", 1),
           text_cell(u.stable ? "yes" : "no")});
  }
  return t;
}

/// In how many tasks' super tickets each unit of heads and MLPs is, as layers x heads.
[[nodiscard]] inline std::vector<heat_map> super_unit_maps(const super_comparison& all) {
  std::vector<group_survival> counts;
  std::size_t tasks = 1;
  for (const super_part& p : all.parts) {
    if (is_shown_as_share(p.part)) continue;
    std::vector<mask> masks;
    for (const super_ticket& t : p.tickets) masks.push_back(t.in_all[0]);
    counts.push_back({p.tickets[0].in_all.groups()[0], survivors({masks})});
    tasks = std::max(tasks, masks.size());
  }
  std::vector<heat_map> maps =
      survivor_maps(counts, "Tasks whose super tickets keep a unit", static_cast<double>(tasks));
  for (heat_map& h : maps) h.digits = 0;  // numbers of tasks are whole
  return maps;
}

/// The lists of every part in one, for a table.
[[nodiscard]] inline std::vector<super_ticket> all_tickets_of(const super_comparison& all) {
  std::vector<super_ticket> tickets;
  for (const super_part& p : all.parts) {
    tickets.insert(tickets.end(), p.tickets.begin(), p.tickets.end());
  }
  return tickets;
}
[[nodiscard]] inline std::vector<super_pair> all_pairs_of(const super_comparison& all) {
  std::vector<super_pair> pairs;
  for (const super_part& p : all.parts) pairs.insert(pairs.end(), p.pairs.begin(), p.pairs.end());
  return pairs;
}

/// What every seed keeps: sizes beside chance, which units these are, and what two tasks' super
/// tickets share.
[[nodiscard]] inline std::string super_section(const super_comparison& all,
                                               const std::string& set,
                                               const std::string& id) {
  markup m;
  m.open("section", {{"id", id}}).leaf("h2", "Super tickets: " + in_words(set));
  m.leaf("p", {{"class", "note"}},
         "A task's super ticket holds the units that all of its seeds keep. By chance: units in "
         "every seed, and in none, if each seed kept as many as it does, drawn independently.");
  m.raw(to_html_folded(without(super_table(all_tickets_of(all)), {"set"}), 24));
  for (const heat_map& h : super_unit_maps(all)) {
    m.raw(detail::framed("Super tickets, unit by unit", "number of tasks", draw(h)));
  }
  if (!all.units.empty()) {
    m.leaf("p", {{"class", "note"}},
           "Below, each unit of a super ticket and each stable one: stable is what more than " +
               shortest(all.threshold) + " tasks keep on average.");
    m.raw(to_html_folded(without(super_unit_table(all.units), {"set"}), 12));
  }
  const std::vector<super_pair> pairs = all_pairs_of(all);
  if (!pairs.empty()) {
    m.leaf("h3", "What two tasks' super tickets share");
    m.leaf(
        "p", {{"class", "note"}},
        "Below the diagonal the units in both, on it the sizes." + std::string{meaning_of_stars});
    m.open("div", {{"class", "grid"}, {"style", "--wide:450px"}}).line();
    for (const super_part& p : all.parts) {
      if (p.pairs.empty()) continue;
      m.raw(detail::framed(in_words(p.part), "in every seed",
                           draw(super_map(p.tickets, p.pairs, is_shown_as_share(p.part)))));
    }
    m.close().line().raw(to_html_folded(without(super_pair_table(pairs), {"set"}), 12));
  }
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
