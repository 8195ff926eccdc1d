#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "tombola/analysis/compared_seeds.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/scores_by_ticket.hpp"
#include "tombola/analysis/settings.hpp"
#include "tombola/analysis/table.hpp"

namespace tombola::analysis {

/// A score as a share of the full model's, and of what the full model gains over always answering
/// the training set's commonest class. The second is the honest one where that class alone scores
/// high. Both are ratios of means over the seeds that have both scores, no means of the seeds'
/// ratios.
struct relative_score {
  std::optional<double> of_full;  ///< nothing unless the full model's score is above 0
  std::optional<double> of_gain;  ///< nothing unless the full model beats the majority class
  std::string why_not_full, why_not_gain;  ///< why there is none
};

/// Both, for a row of the group.
[[nodiscard]] inline relative_score relative_to_full(const score_group& g, const score_row& row) {
  relative_score r;
  const score_row* full = g.find(std::nullopt, false);
  compared_seeds both;
  std::vector<double> majorities;
  for (const seed_score& s : row.seeds) {
    const seed_score* f = detail::score_of(full, s.seed);
    if (f == nullptr) continue;
    both.add(s.score, f->score);
    if (const auto m = majority_of(g, *f)) majorities.push_back(*m);
  }
  r.why_not_full = r.why_not_gain = "no seed has both this score and a full model's";
  if (both.size() == 0) return r;
  const double score = *moments_of(both.first).mean, whole = *moments_of(both.second).mean;
  r.why_not_full = "the full model's score is not above 0";
  r.why_not_gain = "the full model does not beat the majority class";
  if (whole > 0.0) r.of_full = score / whole;
  if (majorities.size() != both.size()) {
    r.why_not_gain = no_majority;
  } else if (const double least = *moments_of(majorities).mean; whole > least) {
    r.of_gain = (score - least) / (whole - least);
  }
  return r;
}

namespace detail {

[[nodiscard]] inline std::string why_no_mean(const score_row& r) {
  return r.undefined > 0 ? "the metric is undefined in every run" : "no run";
}

/// What is said beside the score of a seed in which the metric of some run is undefined.
[[nodiscard]] inline std::string undefined_words(const seed_score& s) {
  if (s.zeros == 0) return "";
  return s.runs == 1 ? "undefined" : std::to_string(s.zeros) + " undefined";
}

/// `1: 0.8710, 2: 0.8650`.
[[nodiscard]] inline std::string each_seed(const score_row& r) {
  std::string all;
  for (const seed_score& s : r.seeds) {
    all += (all.empty() ? "" : ", ") + std::to_string(s.seed) + ": " + fixed(s.score, 4);
    if (s.runs > 1) all += " (mean of " + std::to_string(s.runs) + " runs)";
    if (const std::string words = undefined_words(s); !words.empty()) {
      all += (s.runs == 1 ? " " : ", ") + words;
    }
  }
  if (r.undefined > 0) {
    all += (all.empty() ? "" : ", ") + std::to_string(r.undefined) + " undefined";
  }
  return all;
}

/// The cells that the table of a page and the table of a file share.
[[nodiscard]] inline std::vector<cell> score_cells(const score_group& g, const score_row& r) {
  const relative_score relative = relative_to_full(g, r);
  return {text_cell(name_of(r.kind)),
          text_cell(phase_of(r)),
          number_cell(r.over_seeds.mean, why_no_mean(r)),
          number_cell(r.over_seeds.deviation, one_value),
          count_cell(r.over_seeds.count),
          number_cell(relative.of_full, relative.why_not_full, 1, number_form::percent),
          number_cell(relative.of_gain, relative.why_not_gain, 1, number_form::percent),
          r.kind
              ? number_cell(r.kept.mean, "the ticket's size is not known", 1, number_form::percent)
              : number_cell(1.0, 1, number_form::percent)};
}

[[nodiscard]] inline std::vector<column> score_columns() {
  return {{"ticket", "ticket"},
          {"phase", "phase"},
          {"mean", "mean"},
          {"deviation", "deviation"},
          {"seeds", "seeds"},
          {"share_of_full", "of full"},
          {"share_of_gain", "of gain over majority"},
          {"kept_share", "units kept"}};
}

}  // namespace detail

/// The scores of one group for a page, each seed in the last column.
[[nodiscard]] inline table score_table(const score_group& g) {
  table t{"scores", "Over seeds: " + g.metric, detail::score_columns(), {}};
  t.columns.push_back({"each_seed", "each seed"});
  for (const score_row& r : g.rows) {
    auto cells = detail::score_cells(g, r);
    cells.push_back(text_cell(detail::each_seed(r)));
    t.add(std::move(cells));
  }
  return t;
}

/// Why some scores are 0 that the table marks as undefined; empty where none is.
[[nodiscard]] inline std::string undefined_note(const score_group& g) {
  std::set<std::string> reasons;
  for (const score_row& r : g.rows) reasons.insert(r.why_zero.begin(), r.why_zero.end());
  std::string all;
  for (const std::string& why : reasons) all += (all.empty() ? "" : "; ") + why;
  if (all.empty()) return {};
  return "A score marked undefined counts 0, as in the study: " + all +
         ". Mostly the model gave one answer only. In the figure such a seed is a cross.";
}

/// All groups in one table: mean, deviation (n - 1) and shares for task, family, ticket and phase.
[[nodiscard]] inline table all_scores(std::span<const score_group> groups) {
  table t{"scores",
          "Scores over seeds",
          {{"task", "task"}, {"family", "family"}, {"metric", "metric"}, {"majority", "majority"}},
          {}};
  for (const column& c : detail::score_columns()) t.columns.push_back(c);
  for (const score_group& g : groups) {
    for (const score_row& r : g.rows) {
      std::vector<cell> row{text_cell(g.task), text_cell(family_and_variant(g.family, g.variant)),
                            text_cell(g.metric), number_cell(g.majority, std::string{no_majority})};
      for (cell& c : detail::score_cells(g, r)) row.push_back(std::move(c));
      t.add(std::move(row));
    }
  }
  return t;
}

/// All groups, one row for each seed.
[[nodiscard]] inline table scores_by_seed(std::span<const score_group> groups) {
  table t{"scores_by_seed",
          "Scores of each seed",
          {{"task", "task"},
           {"family", "family"},
           {"ticket", "ticket"},
           {"phase", "phase"},
           {"seed", "seed"},
           {"score", "score"},
           {"runs", "runs"},
           {"undefined", "of them undefined, counted 0"}},
          {}};
  for (const score_group& g : groups) {
    for (const score_row& r : g.rows) {
      for (const seed_score& s : r.seeds) {
        t.add({text_cell(g.task), text_cell(family_and_variant(g.family, g.variant)),
               text_cell(name_of(r.kind)), text_cell(phase_of(r)), count_cell(s.seed),
               number_cell(s.score), count_cell(s.runs), count_cell(s.zeros)});
      }
    }
  }
  return t;
}

}  // namespace tombola::analysis
