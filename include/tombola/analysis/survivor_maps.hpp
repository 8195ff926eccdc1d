#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tombola/analysis/heat_map.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/survivors.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola::analysis {

/// The most cells that a heat map has; a larger grid is not drawn, since nobody could read it.
inline constexpr std::size_t max_drawn_cells = 4096;

/// The survival of one group with its shape.
struct group_survival {
  group units;
  unit_survival over_seeds;
};

/// Survivors of every group of heads or MLPs of a task: shares of seeds.
[[nodiscard]] inline std::vector<group_survival> survivors_of(const task_tickets& task) {
  std::vector<group_survival> all;
  for (const group& g : task.seeds.at(0).value.groups()) {
    if (g.name != "heads" && g.name != "mlps") continue;
    all.push_back({g, survivors(masks_by_seed(task, g.name))});
  }
  return all;
}

/// The same summed over the tasks of a set: numbers of tasks, for the seeds that all tasks have.
/// Empty where there is no such seed.
[[nodiscard]] inline std::vector<group_survival> survivors_of(const ticket_set& set) {
  std::vector<group_survival> all;
  if (common_seeds(set).empty()) return all;
  for (const group& g : set.tasks[0].seeds.at(0).value.groups()) {
    if (g.name != "heads" && g.name != "mlps") continue;
    all.push_back({g, survivors(masks_by_seed(set, g.name))});
  }
  return all;
}

/// From how many tasks on a unit counts as stable when survival is summed over T tasks: more than
/// (T + 1) / 2. For the study's nine tasks that is its own threshold, more than 5.
[[nodiscard]] constexpr double stable_threshold(std::size_t tasks) noexcept {
  return (static_cast<double>(tasks) + 1.0) / 2.0;
}

namespace detail {

[[nodiscard]] inline std::vector<std::string> numbers_to(std::size_t n) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < n; ++i) all.push_back(std::to_string(i));
  return all;
}

inline void put(heat_map& h, std::size_t at, const unit_survival& s, std::size_t unit) {
  h.values[at] = s.mean[unit];
  if (s.seeds > 1) h.deviations[at] = s.deviation[unit];
}

/// An empty grid of layers x columns.
[[nodiscard]] inline heat_map grid(
    const std::string& title, std::size_t rows, std::size_t columns, double high, bool deviations) {
  heat_map h;
  h.title = title;
  h.rows = numbers_to(rows);
  h.columns = numbers_to(columns);
  h.values.resize(rows * columns);
  if (deviations) h.deviations.resize(rows * columns);
  h.high = high;
  return h;
}

[[nodiscard]] inline const group_survival* find(const std::vector<group_survival>& all,
                                                const std::string& name,
                                                std::size_t axes) {
  for (const group_survival& g : all) {
    if (g.units.name == name && g.units.extents.size() == axes && g.units.size() > 0 &&
        g.units.size() <= max_drawn_cells) {
      return &g;
    }
  }
  return nullptr;
}

}  // namespace detail

/// Heads as layers x heads, with the MLP of each layer beside its row; MLPs alone as one row.
///
/// Two maps where heads and MLPs have different numbers of layers; none for groups of other shapes
/// or of more than max_drawn_cells units. `high` is the value of the lightest colour.
[[nodiscard]] inline std::vector<heat_map> survivor_maps(const std::vector<group_survival>& all,
                                                         const std::string& title,
                                                         double high) {
  const group_survival* heads = detail::find(all, "heads", 2);
  const group_survival* mlps = detail::find(all, "mlps", 1);
  std::vector<heat_map> maps;
  const bool together =
      heads != nullptr && mlps != nullptr && heads->units.extents[0] == mlps->units.extents[0];
  if (heads != nullptr) {
    const std::size_t layers = heads->units.extents[0], width = heads->units.extents[1];
    heat_map h =
        detail::grid(title, layers, width + (together ? 1 : 0), high, heads->over_seeds.seeds > 1);
    if (together) {
      h.columns.back() = "MLP";
      h.gap_before = width;
    }
    for (std::size_t l = 0; l < layers; ++l) {
      for (std::size_t c = 0; c < width; ++c) {
        detail::put(h, l * h.columns.size() + c, heads->over_seeds, l * width + c);
      }
      if (together) detail::put(h, l * h.columns.size() + width, mlps->over_seeds, l);
    }
    maps.push_back(std::move(h));
  }
  if (mlps != nullptr && !together) {
    const std::size_t layers = mlps->units.extents[0];
    heat_map h = detail::grid(title, 1, layers, high, mlps->over_seeds.seeds > 1);
    h.rows = {"MLP"};
    h.row_title = "";
    h.column_title = "layer";
    for (std::size_t l = 0; l < layers; ++l) detail::put(h, l, mlps->over_seeds, l);
    maps.push_back(std::move(h));
  }
  return maps;
}

/// The share of its weights that each matrix keeps, over seeds.
struct matrix_share {
  std::string group;
  std::size_t size = 0;
  moments kept;
};

/// For every group of a task that is neither heads nor MLPs.
[[nodiscard]] inline std::vector<matrix_share> matrix_shares(const task_tickets& task) {
  std::vector<matrix_share> all;
  const auto groups = task.seeds.at(0).value.groups();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::size_t size = groups[g].size();
    if (groups[g].name == "heads" || groups[g].name == "mlps" || size == 0) continue;
    std::vector<double> shares;
    for (const seed_ticket& s : task.seeds) {
      shares.push_back(static_cast<double>(s.value[g].count()) / static_cast<double>(size));
    }
    all.push_back({groups[g].name, size, moments_of(shares)});
  }
  return all;
}

namespace detail {

/// `encoder.layer.3.output.dense.weight` in parts: layer 3 and `output.dense`. Layer none and the
/// whole name where no number stands between two dots.
struct matrix_name {
  std::string layer = "none";
  std::string matrix;
};

[[nodiscard]] inline matrix_name split_name(const std::string& name) {
  for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    const std::size_t end = name.find('.', dot + 1);
    if (end == std::string::npos || end - dot < 2 || end - dot > 5) continue;
    const std::string part = name.substr(dot + 1, end - dot - 1);
    if (part.find_first_not_of("0123456789") != std::string::npos) continue;
    std::string rest = name.substr(end + 1);
    if (rest.ends_with(".weight")) rest.resize(rest.size() - 7);
    return {part, rest};
  }
  return {"none", name};
}

[[nodiscard]] inline std::size_t place_of(std::vector<std::string>& names,
                                          const std::string& name) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  names.push_back(name);
  return names.size() - 1;
}

}  // namespace detail

/// Weights as matrices (down) x layers (across), each cell the share kept, mean over seeds. Nothing
/// where there are no weights, or more than max_drawn_cells cells.
[[nodiscard]] inline std::optional<heat_map> matrix_map(const std::vector<matrix_share>& shares,
                                                        const std::string& title) {
  heat_map h;
  h.title = title;
  h.row_title = "matrix";
  h.column_title = "layer";
  std::vector<std::pair<std::size_t, std::size_t>> places;
  bool deviations = false;
  for (const matrix_share& s : shares) {
    const detail::matrix_name name = detail::split_name(s.group);
    const std::size_t row = detail::place_of(h.rows, name.matrix);
    places.emplace_back(row, detail::place_of(h.columns, name.layer));
    deviations = deviations || s.kept.deviation;
    if (h.rows.size() * h.columns.size() > max_drawn_cells) return std::nullopt;
  }
  if (shares.empty()) return std::nullopt;
  const std::size_t cells = h.rows.size() * h.columns.size();
  h.values.resize(cells);
  if (deviations) h.deviations.resize(cells);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const std::size_t at = places[i].first * h.columns.size() + places[i].second;
    h.values[at] = shares[i].kept.mean;
    if (deviations) h.deviations[at] = shares[i].kept.deviation;
  }
  return h;
}

}  // namespace tombola::analysis
