#pragma once

// Heavy: reads JSON.

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "tombola/analysis/heat_map.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/published_scores.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/table.hpp"

namespace tombola::analysis {

/// Scores that were published with a folder of masks, and the tasks to show.
struct published_results {
  std::string source;  ///< the folder
  std::vector<published_score> scores;
  std::vector<std::string> tasks;
};

/// The folder of published scores that belongs to a folder of masks, `evaluate_masked` in it,
/// beside it or beside the folder that it lies in; empty where there is none. Named from where
/// `masks` is: the same command writes the same page wherever the data lies.
[[nodiscard]] inline std::filesystem::path scores_beside(const std::filesystem::path& masks) {
  std::error_code code;
  for (const char* up : {".", "..", "../.."}) {
    const std::filesystem::path there = masks / up / "evaluate_masked";
    if (!std::filesystem::is_directory(there, code)) continue;
    const std::filesystem::path shorter = there.lexically_normal();
    // Where masks is a link, the parent of its target is meant, and only the long name says so.
    return std::filesystem::equivalent(shorter, there, code) ? shorter : there;
  }
  return {};
}

/// The study's table as a grid: a row for each setting of one family, a column for each task; mean
/// and sample deviation over so many seeds. Scores of the whole model stand in every grid.
[[nodiscard]] inline heat_map published_map(const published_results& r,
                                            std::string_view family,
                                            std::size_t seeds = 5) {
  heat_map h;
  h.title = "Published scores: " + std::string{family};
  h.row_title = "ticket";
  h.column_title = "task";
  h.columns = r.tasks;
  for (const published_setting& s : published_settings) {
    if (!s.family.empty() && s.family != family) continue;
    h.rows.push_back(std::string{s.ticket} + (s.phase.empty() ? "" : ", " + std::string{s.phase}));
    for (const std::string& task : r.tasks) {
      const std::string_view metric = main_metric(task);
      const published_score* score = find_score(r.scores, s.folder, task, metric);
      h.values.push_back(score == nullptr ? std::nullopt : std::optional{score->mean});
      h.deviations.push_back(score == nullptr ? std::nullopt : score->sample_deviation(seeds));
      h.notes.push_back(score == nullptr ? "no score of " + std::string{s.folder}
                                         : std::string{metric} + " of " + std::string{s.folder});
    }
  }
  return h;
}

/// Both families' grids, and every score of the files in tables.
[[nodiscard]] inline std::string published_section(const published_results& r,
                                                   const std::string& id) {
  markup m;
  m.open("section", {{"id", id}}).leaf("h2", "Published scores");
  m.leaf("p", {{"class", "note"}},
         "Read from " + r.source +
             ": mean over five seeds and deviation (n - 1). Matthews correlation for CoLA, Pearson "
             "correlation for STS-B, accuracy for the others (MNLI matched).");
  for (const std::string_view family : {"heads and MLPs", "weights"}) {
    m.raw(
        detail::framed("Tickets over " + std::string{family}, "", draw(published_map(r, family))));
  }
  m.raw(to_html_folded(published_table(r.scores, r.tasks), 12));
  m.raw(to_html_folded(all_published(r.scores), 12));
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
