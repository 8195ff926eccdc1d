#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/analysis/agreement_tables.hpp"
#include "tombola/analysis/bars.hpp"
#include "tombola/analysis/bert_sizes.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/analysis/ticket_sizes.hpp"

namespace tombola::analysis {

/// The model that the study prunes for a task: BERT-base with as many labels as GLUE's task has.
[[nodiscard]] inline bert_architecture study_architecture(const std::string& task) {
  bert_architecture a;
  a.labels = task == "MNLI" || task == "HANS" ? 3 : task == "STS-B" ? 1 : 2;
  return a;
}

/// Whether a set's tickets are over the heads, the MLPs or both of a model of BERT-base's shape, so
/// that their parameters can be counted.
[[nodiscard]] inline bool is_of_bert_base(const ticket_set& set) {
  if (set.tasks.empty() || set.tasks[0].seeds.empty()) return false;
  const bert_architecture a;
  const auto groups = set.tasks[0].seeds[0].value.groups();
  for (const group& g : groups) {
    const bool heads =
        g.name == "heads" && g.extents == std::vector<std::size_t>{a.layers, a.heads};
    const bool mlps = g.name == "mlps" && g.extents == std::vector<std::size_t>{a.layers};
    if (!heads && !mlps) return false;
  }
  return !groups.empty();
}

/// The sizes of a set's tickets where it is of BERT-base, else nothing.
[[nodiscard]] inline std::vector<ticket_size> sizes_of(const ticket_set& set) {
  return is_of_bert_base(set) ? ticket_sizes(set, study_architecture) : std::vector<ticket_size>{};
}

namespace detail {

/// Mean over seeds with the range that they span.
[[nodiscard]] inline bar bar_over_seeds(std::span<const double> values) {
  const moments m = moments_of(values);
  bar b{m.mean, std::nullopt, m.mean ? "" : "No seed"};
  if (values.size() < 2) return b;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  b.interval = std::pair{*least, *most};
  b.note = "From " + shortest(*least) + " to " + shortest(*most) + " over " +
           std::to_string(values.size()) + " seeds, deviation " + shortest(*m.deviation);
  return b;
}

}  // namespace detail

/// Shares of units that the tickets keep: a group for each task, a bar for each kind of unit.
[[nodiscard]] inline bar_figure kept_bars(std::span<const part_agreement> all) {
  bar_figure f;
  f.title = "Share of units kept, by task";
  f.axis = "share of units kept, mean and range over seeds";
  for (const part_agreement& a : all) {
    if (std::find(f.groups.begin(), f.groups.end(), a.task) == f.groups.end()) {
      f.groups.push_back(a.task);
    }
    const std::string name = in_words(a.part);
    if (std::find(f.series.begin(), f.series.end(), name) == f.series.end()) {
      f.series.push_back(name);
    }
  }
  f.bars.resize(f.groups.size() * f.series.size(), {{}, {}, "The task has no such units"});
  for (const part_agreement& a : all) {
    const auto g = std::find(f.groups.begin(), f.groups.end(), a.task) - f.groups.begin();
    const auto s = std::find(f.series.begin(), f.series.end(), in_words(a.part)) - f.series.begin();
    bar& b = f.bars[static_cast<std::size_t>(g) * f.series.size() + static_cast<std::size_t>(s)];
    if (a.counts.units == 0) {
      b.note = "The group has no units";
      continue;
    }
    std::vector<double> shares;
    for (const std::size_t n : a.counts.sizes) {
      shares.push_back(static_cast<double>(n) / static_cast<double>(a.counts.units));
    }
    b = detail::bar_over_seeds(shares);
  }
  return f;
}

/// Sizes of subnetworks: a bar for each task, and the whole model's size as a line.
[[nodiscard]] inline bar_figure size_bars(std::span<const ticket_size> sizes) {
  bar_figure f;
  f.title = "Parameters of the subnetworks, by task";
  f.axis = "parameters but the embeddings, of all of the model's";
  f.series = {""};
  for (const ticket_size& s : sizes) {
    f.groups.push_back(s.task);
    f.bars.push_back(detail::bar_over_seeds(s.sizes));
  }
  const bert_architecture whole;
  f.lines.push_back(
      {"unpruned", subnetwork_size(whole, static_cast<double>(parameters_of(whole).total))});
  return f;
}

/// What one set's tickets keep of the model: units by kind, and parameters of a BERT-base.
[[nodiscard]] inline std::string size_section(std::span<const part_agreement> all,
                                              std::span<const ticket_size> sizes,
                                              const std::string& set,
                                              const std::string& id) {
  markup m;
  m.open("section", {{"id", id}}).leaf("h2", "Sizes: " + in_words(set));
  m.open("div", {{"class", "grid"}}).line();
  m.raw(detail::framed("Units kept", "mean and range over seeds", draw(kept_bars(all))));
  if (!sizes.empty()) {
    m.raw(detail::framed("Parameters kept", "mean and range over seeds", draw(size_bars(sizes))));
  }
  m.close().line();
  if (!sizes.empty()) {
    m.leaf("p", {{"class", "note"}},
           "Parameters are those of a BERT-base with the pruned heads and MLPs taken out, without "
           "the embeddings (21.8 % of the model), which no ticket prunes; layer norms, pooler and "
           "classifier count as kept. The study takes 21 % for the embeddings, so that its sizes "
           "are 0.8 points larger.");
    m.raw(to_html(without(ticket_size_table(sizes), {"set"})));
  }
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
