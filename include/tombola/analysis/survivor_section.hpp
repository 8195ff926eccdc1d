#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tombola/analysis/layer_lines.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/survivor_maps.hpp"
#include "tombola/analysis/survivors.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/core/group.hpp"

namespace tombola::analysis {

namespace detail {

inline void add_survivors(table& t,
                          const std::string& set,
                          const std::string& task,
                          const std::vector<group_survival>& all) {
  for (const group_survival& g : all) {
    if (g.units.size() > max_drawn_cells) continue;
    const std::size_t width = g.units.extents.size() == 2 ? g.units.extents[1] : 1;
    for (std::size_t u = 0; u < g.over_seeds.mean.size(); ++u) {
      t.add({text_cell(set), text_cell(task), text_cell(g.units.name), count_cell(u / width),
             count_cell(u % width), number_cell(g.over_seeds.mean[u]),
             number_cell(g.over_seeds.deviation[u], one_value)});
    }
  }
}

inline void add_summary(table& t,
                        const std::string& set,
                        const std::string& task,
                        const std::vector<group_survival>& all,
                        double threshold) {
  for (const group_survival& g : all) {
    if (g.over_seeds.mean.empty()) continue;
    const survival_summary s = summarise(g.over_seeds, threshold);
    t.add({text_cell(set), text_cell(task), text_cell(g.units.name),
           count_cell(g.over_seeds.mean.size()), count_cell(g.over_seeds.seeds),
           number_cell(s.mean), number_cell(s.deviation, one_value), number_cell(threshold, 1),
           count_cell(s.above)});
  }
}

/// A mean of shares that is 1 in every seed, told safely from one that misses a seed.
[[nodiscard]] inline double in_every_seed(std::size_t seeds) noexcept {
  return 1.0 - 0.5 / static_cast<double>(seeds == 0 ? 1 : seeds);
}

}  // namespace detail

/// Every unit of heads and MLPs: mean and deviation over seeds, for each task and summed over tasks
/// (task `all`). Groups of more than max_drawn_cells units are left out.
[[nodiscard]] inline table survivor_table(std::span<const ticket_set> sets) {
  table t{"survivors",
          "How often each unit survives",
          {{"set", "set"},
           {"task", "task"},
           {"units", "units"},
           {"layer", "layer"},
           {"unit", "unit"},
           {"mean", "mean"},
           {"deviation", "deviation"}},
          {}};
  for (const ticket_set& set : sets) {
    for (const task_tickets& task : set.tasks) {
      detail::add_survivors(t, set.name, task.task, survivors_of(task));
    }
    if (set.tasks.size() > 1) detail::add_survivors(t, set.name, "all", survivors_of(set));
  }
  return t;
}

/// The same in a row for each group: mean of the means, mean of the deviations, stable units.
/// Stable: in every seed, for a task; more than stable_threshold() tasks on average, over tasks.
[[nodiscard]] inline table survivor_summary(std::span<const ticket_set> sets) {
  table t{"survivor_summary",
          "Survivors over units",
          {{"set", "set"},
           {"task", "task"},
           {"units", "units"},
           {"size", "of"},
           {"seeds", "seeds"},
           {"mean_of_means", "mean of means"},
           {"mean_of_deviations", "mean of deviations"},
           {"threshold", "stable above"},
           {"stable", "stable units"}},
          {}};
  for (const ticket_set& set : sets) {
    for (const task_tickets& task : set.tasks) {
      detail::add_summary(t, set.name, task.task, survivors_of(task),
                          detail::in_every_seed(task.seeds.size()));
    }
    if (set.tasks.size() > 1) {
      detail::add_summary(t, set.name, "all", survivors_of(set),
                          stable_threshold(set.tasks.size()));
    }
  }
  return t;
}

/// The share kept of every weight matrix, over seeds.
[[nodiscard]] inline table matrix_table(std::span<const ticket_set> sets) {
  table t{"matrices",
          "Share of each matrix that survives",
          {{"set", "set"},
           {"task", "task"},
           {"matrix", "matrix"},
           {"size", "weights"},
           {"kept_mean", "kept"},
           {"kept_deviation", "deviation"}},
          {}};
  for (const ticket_set& set : sets) {
    for (const task_tickets& task : set.tasks) {
      for (const matrix_share& s : matrix_shares(task)) {
        t.add({text_cell(set.name), text_cell(task.task), text_cell(s.group), count_cell(s.size),
               number_cell(s.kept.mean, "no seed"), number_cell(s.kept.deviation, one_value)});
      }
    }
  }
  return t;
}

namespace detail {

/// `Heads: 4.7681 on average (mean deviation 1.3006); 60 of 144 ...`
[[nodiscard]] inline std::string said(const group_survival& g,
                                      double threshold,
                                      const std::string& stable) {
  if (g.over_seeds.mean.empty()) return g.units.name + ": no units. ";
  const survival_summary s = summarise(g.over_seeds, threshold);
  return (g.units.name == "mlps" ? "MLPs: " : "Heads: ") + fixed(s.mean, 4) +
         " on average (mean deviation " +
         (s.deviation ? fixed(*s.deviation, 4) : "undefined with one seed") + "); " +
         std::to_string(s.above) + " of " + std::to_string(g.over_seeds.mean.size()) + " " +
         stable + ". ";
}

inline void put_sum_over_tasks(markup& m, const ticket_set& set) {
  const auto all = survivors_of(set);
  const std::size_t tasks = set.tasks.size(), seeds = common_seeds(set).size();
  if (tasks < 2 || all.empty()) return;
  const double threshold = stable_threshold(tasks);
  const std::string title = "All " + std::to_string(tasks) + " tasks together";
  m.leaf("h3", title);
  std::string words = "In how many tasks a unit survives: the sum over tasks, its mean over " +
                      std::to_string(seeds) + (seeds == 1 ? " seed" : " seeds") +
                      " and its deviation (n - 1). ";
  for (const group_survival& g : all) {
    words += said(g, threshold, "survive in more than " + shortest(threshold));
  }
  m.leaf("p", words);
  for (const heat_map& h : survivor_maps(all, title, static_cast<double>(tasks))) {
    m.raw(framed("Survivors", "number of tasks, of " + std::to_string(tasks), draw(h)));
  }
  if (const auto layers = layers_of(set); !layers.empty()) {
    m.raw(framed("Survivors by layer", "mean over units and seeds, one deviation to each side",
                 draw(layer_lines(layers, tasks))));
  }
}

/// What a set's groups other than heads and MLPs are made of.
[[nodiscard]] inline std::string units_of_matrices(const ticket_set& set) {
  const std::string family = set.name.substr(0, set.name.find(", "));
  return family == "weights"                             ? "weights"
         : family == "neurons" || family == "structures" ? "neurons"
                                                         : "units";
}

/// What a cell of the set's maps is: one unit, or all of a group together.
[[nodiscard]] inline std::string words_on_cells(const ticket_set& set) {
  bool units = false, whole = false;
  for (const group& g : set.tasks.at(0).seeds.at(0).value.groups()) {
    const bool drawn = g.name == "heads" || g.name == "mlps";
    units = units || drawn;
    whole = whole || !drawn;
  }
  std::string all;
  if (units) all += "Each cell is one unit: its mean over seeds and, below, the sample deviation. ";
  if (whole) {
    all += (units ? "Of other groups each cell is" : "Each cell is") + std::string{" one whole "} +
           (units_of_matrices(set) == "weights" ? "matrix" : "group") + ": the share of its " +
           units_of_matrices(set) + " that is kept, mean over seeds and, below, the sample " +
           "deviation. ";
  }
  return all + (units
                    ? "Layers and heads count from 0. Light cells survive often, dark ones seldom."
                    : "Layers count from 0. Light cells keep much, dark ones little.");
}

inline void put_task(markup& m, const task_tickets& task, const std::string& units) {
  const auto all = survivors_of(task);
  std::string words;
  for (const group_survival& g : all) {
    words += said(g, in_every_seed(task.seeds.size()), "in every seed");
  }
  m.open("div");
  for (const heat_map& h :
       survivor_maps(all, task.task + ": share of seeds that keep a unit", 1.0)) {
    m.raw(framed(task.task, "share of " + std::to_string(task.seeds.size()) + " seeds", draw(h)));
  }
  if (!words.empty()) m.leaf("p", {{"class", "note"}}, words);
  const std::string kept = "share of " + units + " kept";
  if (const auto h = matrix_map(matrix_shares(task), task.task + ": " + kept)) {
    m.raw(framed(task.task, kept, draw(*h)));
  }
  m.close().line();
}

}  // namespace detail

/// Heat maps of one set: all tasks together, then each task.
[[nodiscard]] inline std::string survivor_section(const ticket_set& set, const std::string& id) {
  markup m;
  m.open("section", {{"id", id}}).leaf("h2", "Survivors: " + in_words(set.name));
  m.leaf("p", {{"class", "note"}}, detail::words_on_cells(set));
  detail::put_sum_over_tasks(m, set);
  if (set.tasks.size() > 1) m.leaf("h3", "Each task");
  m.open("div", {{"class", "grid"}, {"style", "--wide:500px"}}).line();
  const std::string units = detail::units_of_matrices(set);
  for (const task_tickets& task : set.tasks) detail::put_task(m, task, units);
  m.close().close().line();
  return m.str();
}

}  // namespace tombola::analysis
