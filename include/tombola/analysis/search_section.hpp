#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/search_comparison.hpp"
#include "tombola/analysis/search_line.hpp"
#include "tombola/analysis/table.hpp"

namespace tombola::analysis {

/// The trace of one search, ready to draw.
struct found_search {
  std::string task;
  std::uint64_t seed = 0;
  std::string family;
  search_figure figure;
};

/// Whether a search of weights came to the end of its steps: its last candidate still passed, and
/// had weights left. A search of heads or MLPs has no such end.
[[nodiscard]] inline bool ran_out_of_steps(const search_figure& f) {
  if (f.points.size() < 2) return false;
  const search_point& last = f.points.back();
  return last.phase == "weights" && last.accepted && last.share > 0.0;
}

/// What the searches found, beside each other.
[[nodiscard]] inline std::string comparison_section(std::span<const search_outcome> outcomes) {
  markup m;
  m.open("section", {{"id", "compared"}}).leaf("h2", "Searches compared");
  m.leaf("p", {{"class", "note"}},
         "Score: of the good ticket before retraining, the mean over the seeds that have one; of "
         "full: the ratio of two means, over the seeds that also have a full model. Mean Jaccard: "
         "how far tickets of two seeds keep the same units, beside what chance gives for their "
         "sizes. Units that a search leaves alone, as MLPs in one of heads, have no row. Seconds: "
         "the mean over the searches. Only searches under one guard compare by what they keep.");
  table t = without(comparison_table(outcomes), {"kept_least", "kept_most"});
  for (auto& row : t.rows) row[1] = text_cell(in_words(plain_text(row[1])));
  m.raw(to_html(t));
  m.close().line();
  return m.str();
}

/// Every search as a line.
[[nodiscard]] inline std::string search_section(std::span<const found_search> searches) {
  markup m;
  m.open("section", {{"id", "searches"}}).leaf("h2", "Searches");
  m.leaf("p", {{"class", "note"}},
         "Candidates in the order they were tried. A dot was accepted, a cross rejected: its score "
         "fell below the guard.");
  m.open("div", {{"class", "grid"}}).line();
  for (const found_search& s : searches) {
    const bool out = ran_out_of_steps(s.figure);
    m.raw(detail::framed(
        s.task + ", seed " + std::to_string(s.seed),
        in_words(s.family) + (out ? "; ended after its steps, not at the guard" : ""),
        draw(s.figure)));
  }
  m.close().close().line();
  return m.str();
}

/// The candidates of every search.
[[nodiscard]] inline table search_table(std::span<const found_search> searches) {
  table t{"searches",
          "Candidates of every search",
          {{"task", "task"},
           {"seed", "seed"},
           {"family", "family"},
           {"candidate", "candidate"},
           {"phase", "phase"},
           {"kept_share", "kept"},
           {"metric", "metric"},
           {"threshold", "guard"},
           {"accepted", "accepted"}},
          {}};
  for (const found_search& s : searches) {
    for (std::size_t i = 0; i < s.figure.points.size(); ++i) {
      const search_point& p = s.figure.points[i];
      t.add({text_cell(s.task), count_cell(s.seed), text_cell(s.family), count_cell(i + 1),
             text_cell(p.phase), number_cell(p.share, 1, number_form::percent),
             number_cell(p.metric, 4, number_form::plain, "the metric is undefined"),
             number_cell(s.figure.threshold, 4, number_form::plain, "no guard"),
             text_cell(p.accepted ? "yes" : "no")});
    }
  }
  return t;
}

}  // namespace tombola::analysis
