#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tombola/analysis/lines.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"

namespace tombola::analysis {

/// How many tasks keep a unit of each layer of a group, the mean over the layer's units.
struct layer_survival {
  std::string part;             ///< the group's name
  std::vector<moments> layers;  ///< [layer] over the seeds that all tasks have
};

/// Of heads (layers x heads) and MLPs (layers), where the set has them and a common seed.
/// Source: the survivors by layer of S. Prasanna, A. Rogers, A. Rumshisky, EMNLP 2020.
[[nodiscard]] inline std::vector<layer_survival> layers_of(const ticket_set& set) {
  std::vector<layer_survival> all;
  if (common_seeds(set).empty()) return all;
  for (const group& g : set.tasks[0].seeds.at(0).value.groups()) {
    if ((g.name != "heads" && g.name != "mlps") || g.extents.empty() || g.size() == 0) continue;
    const std::size_t layers = g.extents[0], width = g.size() / layers;
    std::vector<std::vector<double>> by_layer(layers);
    for (const std::vector<mask>& tasks : masks_by_seed(set, g.name)) {
      for (std::size_t l = 0; l < layers; ++l) {
        std::size_t kept = 0;
        for (const mask& m : tasks) {
          for (std::size_t u = l * width; u < (l + 1) * width; ++u) kept += m[u] ? 1U : 0U;
        }
        by_layer[l].push_back(static_cast<double>(kept) / static_cast<double>(width));
      }
    }
    layer_survival s{g.name, {}};
    for (const auto& values : by_layer) s.layers.push_back(moments_of(values));
    all.push_back(std::move(s));
  }
  return all;
}

/// The same as lines over the layers, bands one deviation to each side.
[[nodiscard]] inline line_figure layer_lines(const std::vector<layer_survival>& all,
                                             std::size_t tasks) {
  line_figure f;
  f.title = "Survivors by layer";
  f.x_axis = "layer";
  f.y_axis = "tasks, of " + std::to_string(tasks) + ", that keep a unit";
  f.band = "deviation over seeds";
  for (const layer_survival& s : all) {
    if (s.layers.size() > f.places.size()) {
      f.places.clear();
      for (std::size_t l = 0; l < s.layers.size(); ++l) f.places.push_back(std::to_string(l));
    }
  }
  for (const layer_survival& s : all) {
    line_series line{s.part == "mlps" ? "MLPs" : s.part, {}, {}};
    line.values.resize(f.places.size()), line.widths.resize(f.places.size());
    for (std::size_t l = 0; l < s.layers.size(); ++l) {
      line.values[l] = s.layers[l].mean;
      line.widths[l] = s.layers[l].deviation;
    }
    f.series.push_back(std::move(line));
  }
  return f;
}

/// One row for each layer.
[[nodiscard]] inline table layer_table(const std::string& set,
                                       const std::vector<layer_survival>& all) {
  table t{"layers",
          "Tasks that keep a unit of each layer",
          {{"set", "set"},
           {"units", "units"},
           {"layer", "layer"},
           {"mean", "mean"},
           {"deviation", "deviation"}},
          {}};
  for (const layer_survival& s : all) {
    for (std::size_t l = 0; l < s.layers.size(); ++l) {
      t.add({text_cell(set), text_cell(s.part), count_cell(l),
             number_cell(s.layers[l].mean, "no common seed"),
             number_cell(s.layers[l].deviation, one_value)});
    }
  }
  return t;
}

}  // namespace tombola::analysis
