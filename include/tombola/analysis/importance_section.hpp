#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/rankings.hpp"
#include "tombola/analysis/heat_map.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/survivor_maps.hpp"
#include "tombola/analysis/survivor_section.hpp"
#include "tombola/analysis/survivors.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/ticket_sets.hpp"

namespace tombola::analysis {

/// How alike the seeds of one task find the units important: means over all pairs of seeds.
struct importance_agreement {
  std::string set;
  std::string task;
  std::string part;   ///< `heads` or `mlps`
  std::size_t k = 0;  ///< units of the top-k overlap
  std::size_t pairs = 0;
  estimate pearson;
  estimate spearman;
  estimate top;  ///< share of the k most important units that two seeds have in common
};

/// The most important units of a set's tickets, and how far the seeds agree on them.
struct important_part {
  std::string part;
  std::size_t k = 0;
  ticket_set best;  ///< tickets of the k most important of the units that each keeps
  std::vector<importance_agreement> agreement;
};

namespace detail {

/// A mean of defined numbers; the reason of the first that is not.
template <class Measure>
[[nodiscard]] estimate mean_of_pairs(std::span<const std::vector<double>> scores, Measure measure) {
  double sum = 0.0, pairs = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = i + 1; j < scores.size(); ++j) {
      const estimate e = measure(scores[i], scores[j]);
      if (!e.defined()) return e;
      sum += e.value, pairs += 1.0;
    }
  }
  return pairs > 0.0 ? defined(sum / pairs) : undefined(reason::too_few_masks);
}

}  // namespace detail

/// Compares the importances that each seed of a task gives the same units: [seed][unit], k from 1
/// to the units. Source of the correlations: those of S. Prasanna, A. Rogers, A. Rumshisky, EMNLP
/// 2020.
[[nodiscard]] inline importance_agreement importance_agreement_of(
    const std::string& set,
    const std::string& task,
    const std::string& part,
    std::span<const std::vector<double>> scores,
    std::size_t k) {
  using list = std::vector<double>;
  importance_agreement a{set, task, part, k, scores.size() * (scores.size() - 1) / 2, {}, {}, {}};
  a.pearson =
      detail::mean_of_pairs(scores, [](const list& x, const list& y) { return pearson(x, y); });
  a.spearman =
      detail::mean_of_pairs(scores, [](const list& x, const list& y) { return spearman(x, y); });
  a.top = detail::mean_of_pairs(scores, [k](const list& x, const list& y) {
    return defined(static_cast<double>(top_overlap(x, y, k)) / static_cast<double>(k));
  });
  return a;
}

/// One row for each task and kind of unit.
[[nodiscard]] inline table importance_table(std::span<const important_part> all) {
  table t{"importance",
          "How alike the seeds of a task find the units important",
          {{"set", "set"},
           {"task", "task"},
           {"units", "units"},
           {"pairs", "pairs of seeds"},
           {"pearson", "mean Pearson"},
           {"spearman", "mean Spearman"},
           {"top", "top units"},
           {"top_overlap", "shared of them"}},
          {}};
  for (const important_part& p : all) {
    for (const importance_agreement& a : p.agreement) {
      t.add({text_cell(a.set), text_cell(a.task), text_cell(a.part), count_cell(a.pairs),
             number_cell(a.pearson, 3), number_cell(a.spearman, 3), count_cell(a.k),
             number_cell(a.top, 3)});
    }
  }
  return t;
}

/// The survivors among the most important units: mean of means, mean of deviations, stable units.
[[nodiscard]] inline table important_summary(std::span<const important_part> all) {
  std::vector<ticket_set> best;
  for (const important_part& p : all) best.push_back(p.best);
  table t = survivor_summary(best);
  t.name = "important_units";
  t.caption = "The most important units over seeds";
  return t;
}

/// Heat maps of how often a unit is among the most important, for all tasks together, and tables.
[[nodiscard]] inline std::string importance_section(std::span<const important_part> all,
                                                    const std::string& set,
                                                    const std::string& id) {
  markup m;
  m.open("section", {{"id", id}}).leaf("h2", "The most important units: " + in_words(set));
  m.leaf("p", {{"class", "note"}},
         "Of the units that a ticket keeps, those of largest importance: how many tasks have each "
         "among them, mean over seeds and deviation.");
  m.open("div", {{"class", "grid"}}).line();
  for (const important_part& p : all) {
    const double tasks = static_cast<double>(p.best.tasks.size());
    for (const heat_map& h :
         survivor_maps(survivors_of(p.best), "Most important " + p.part, tasks)) {
      m.raw(detail::framed(
          in_words(p.part),
          "the " + std::to_string(p.k) + " most important of each ticket, number of tasks",
          draw(h)));
    }
  }
  m.close().line();
  m.raw(to_html_folded(without(important_summary(all), {"set"}), 24));
  m.leaf("p", {{"class", "note"}},
         "Below, the importances that two seeds of a task give all units, whether kept or not: "
         "their correlation, and how many of the most important ones are the same.");
  m.raw(to_html_folded(without(importance_table(all), {"set"}), 24));
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
