#pragma once

// Heavy: reads JSON.

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tombola/analysis/agreement_section.hpp"
#include "tombola/analysis/agreement_tables.hpp"
#include "tombola/analysis/contents.hpp"
#include "tombola/analysis/importance_section.hpp"
#include "tombola/analysis/layer_lines.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/provenance_section.hpp"
#include "tombola/analysis/published_section.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/score_section.hpp"
#include "tombola/analysis/score_tables.hpp"
#include "tombola/analysis/scores_by_ticket.hpp"
#include "tombola/analysis/search_comparison.hpp"
#include "tombola/analysis/search_section.hpp"
#include "tombola/analysis/settings.hpp"
#include "tombola/analysis/size_section.hpp"
#include "tombola/analysis/super_section.hpp"
#include "tombola/analysis/survivor_section.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/task_section.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/analysis/verdicts.hpp"

namespace tombola::analysis {

/// Everything a report is made of. report_input.hpp reads it from a folder.
struct report_input {
  std::string source;                                  ///< the folder, for the first line
  std::vector<result> results;                         ///< of runs; empty for a folder of masks
  std::vector<ticket_set> sets;                        ///< good tickets by family, or the masks
  std::vector<found_search> searches;                  ///< traces of the searches
  std::vector<input_file> files;                       ///< of masks, importances and scores
  std::vector<std::vector<important_part>> important;  ///< [set] from importances beside the masks
  std::optional<published_results> published;          ///< scores that belong to the masks
};

/// What a caller may choose.
struct report_options {
  std::string title = "Lottery tickets";
};

/// All that is computed from the input, once, for the page and for the tables.
struct report_numbers {
  std::vector<score_group> scores;
  std::vector<std::vector<part_agreement>> agreements;  ///< one list for each set
  std::vector<std::vector<task_comparison>> tasks;      ///< likewise
  std::vector<super_comparison> supers;                 ///< one for each set
  std::vector<std::vector<ticket_size>> sizes;          ///< likewise, empty but for BERT-base
  std::vector<verdict> verdicts;
  std::vector<search_outcome> searches;  ///< every way to search beside the others
};

namespace detail {

template <class T>
[[nodiscard]] std::vector<T> joined(const std::vector<std::vector<T>>& lists) {
  std::vector<T> all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

}  // namespace detail

/// What is claimed of the full model: once for each task and way to train it, by the first group
/// that knows what the majority class scores.
[[nodiscard]] inline std::vector<verdict> of_full_models(std::span<const score_group> groups) {
  std::map<std::pair<std::string, std::string>, const score_group*> first;  // of task and setting
  for (const score_group& g : groups) {
    const score_group*& at = first[{g.task, g.setting}];
    if (at == nullptr || (!at->majority && g.majority)) at = &g;
  }
  std::vector<verdict> all;
  for (const auto& [what, g] : first) all.push_back(beats_majority(*g));
  return all;
}

/// Computes it. Throws as score_groups does; shape_error if tickets of one task differ in shape.
[[nodiscard]] inline report_numbers compute(const report_input& in) {
  report_numbers n;
  n.scores = score_groups(in.results);
  for (verdict& v : of_full_models(n.scores)) n.verdicts.push_back(std::move(v));
  for (const score_group& g : n.scores) {
    for (verdict& v : verdicts(g)) n.verdicts.push_back(std::move(v));
  }
  for (const ticket_set& set : in.sets) {
    n.agreements.push_back(agreements_of(set));
    n.tasks.push_back(compare_tasks(set));
    n.supers.push_back(compare_super_tickets(set));
    n.sizes.push_back(sizes_of(set));
    for (const part_agreement& a : pruned_parts(n.agreements.back())) {
      n.verdicts.push_back(agree_beyond_chance(a));
    }
  }
  n.searches = compare_searches(in.results, n.scores, detail::joined(n.agreements));
  // What is said about one task and family stands together, of the full model first, then scores.
  const auto place = [](const verdict& v) {
    return std::tuple{v.task, v.claim != full_model_claim, v.family};
  };
  std::stable_sort(n.verdicts.begin(), n.verdicts.end(),
                   [&](const verdict& a, const verdict& b) { return place(a) < place(b); });
  return n;
}

/// Every table of the report, for files. Tables without rows are left out.
[[nodiscard]] inline std::vector<table> report_tables(const report_input& in,
                                                      const report_numbers& n) {
  const auto agreements = detail::joined(n.agreements);
  std::vector<super_ticket> supers;
  std::vector<super_pair> super_pairs;
  std::vector<super_unit> super_units;
  for (const super_comparison& c : n.supers) {
    for (super_ticket& t : all_tickets_of(c)) supers.push_back(std::move(t));
    for (super_pair& p : all_pairs_of(c)) super_pairs.push_back(std::move(p));
    super_units.insert(super_units.end(), c.units.begin(), c.units.end());
  }
  const auto important = detail::joined(in.important);
  table layers = layer_table("", {});
  for (const ticket_set& set : in.sets) {
    for (auto& row : layer_table(set.name, layers_of(set)).rows) layers.rows.push_back(row);
  }
  std::vector<table> all{verdict_table(n.verdicts),
                         all_scores(n.scores),
                         scores_by_seed(n.scores),
                         size_table(agreements),
                         agreement_table(agreements),
                         overlap_table(agreements),
                         survivor_summary(in.sets),
                         survivor_table(in.sets),
                         matrix_table(in.sets),
                         layers,
                         task_pair_table(all_pairs_of(detail::joined(n.tasks))),
                         super_table(supers),
                         super_unit_table(super_units),
                         super_pair_table(super_pairs),
                         ticket_size_table(detail::joined(n.sizes)),
                         importance_table(important),
                         important_summary(important),
                         comparison_table(n.searches),
                         search_table(in.searches),
                         run_table(in.results),
                         input_table(in.results, in.files)};
  if (in.published) {
    all.push_back(published_table(in.published->scores, in.published->tasks));
    all.push_back(all_published(in.published->scores));
  }
  std::erase_if(all, [](const table& t) { return t.rows.empty(); });
  return all;
}

namespace detail {

/// `9 train, 6 find-masks` or `45 tickets of 9 tasks and 5 seeds`.
[[nodiscard]] inline std::string what_was_read(const report_input& in) {
  std::string all;
  if (!in.results.empty()) {
    std::array<std::size_t, step_words.size()> count{};
    for (const result& r : in.results) ++count[static_cast<std::size_t>(r.step)];
    for (std::size_t s = 0; s < count.size(); ++s) {
      if (count[s] == 0) continue;
      all += (all.empty() ? "" : ", ") + std::to_string(count[s]) + " " +
             std::string{step_words[s].second};
    }
    return std::to_string(in.results.size()) + (in.results.size() == 1 ? " run: " : " runs: ") +
           all;
  }
  for (const ticket_set& set : in.sets) {
    std::size_t tickets = 0;
    std::set<std::string> seeds;
    for (const task_tickets& t : set.tasks) {
      tickets += t.seeds.size();
      for (const seed_ticket& s : t.seeds) seeds.insert(s.seed);
    }
    all += (all.empty() ? "" : "; ") + set.name + ": " + std::to_string(tickets) +
           " tickets, tasks " + std::to_string(set.tasks.size()) + ", seeds " +
           std::to_string(seeds.size());
  }
  return all;
}

/// The seconds of all runs together, or nothing without runs.
[[nodiscard]] inline std::string time_spent(const report_input& in) {
  double seconds = 0.0;
  for (const result& r : in.results) seconds += r.seconds;
  return in.results.empty() ? "" : ". " + fixed(seconds, 0) + " seconds of work";
}

[[nodiscard]] inline std::vector<page_part> page_parts(const report_input& in,
                                                       const report_numbers& n) {
  std::vector<page_part> parts;
  if (!n.verdicts.empty()) {
    parts.push_back({"findings", "Findings", "", findings_section(n.verdicts, !n.scores.empty())});
  }
  if (!n.scores.empty()) parts.push_back({"scores", "Scores", "", score_section(n.scores)});
  if (!n.searches.empty()) {
    parts.push_back({"compared", "Searches compared", "", comparison_section(n.searches)});
  }
  for (std::size_t i = 0; i < in.sets.size(); ++i) {
    const std::string id = "survivors-" + std::to_string(i + 1);
    parts.push_back({id, "Survivors", in_words(in.sets[i].name), survivor_section(in.sets[i], id)});
  }
  for (std::size_t i = 0; i < in.sets.size(); ++i) {
    const std::string id = "sizes-" + std::to_string(i + 1);
    parts.push_back({id, "Sizes", in_words(in.sets[i].name),
                     size_section(n.agreements[i], n.sizes[i], in.sets[i].name, id)});
  }
  for (std::size_t i = 0; i < in.sets.size(); ++i) {
    if (n.tasks[i].empty()) continue;
    const std::string id = "tasks-" + std::to_string(i + 1);
    parts.push_back(
        {id, "Tasks", in_words(in.sets[i].name), task_section(n.tasks[i], in.sets[i].name, id)});
  }
  for (std::size_t i = 0; i < in.sets.size(); ++i) {
    if (n.supers[i].parts.empty()) continue;
    const std::string id = "super-" + std::to_string(i + 1);
    parts.push_back({id, "Super tickets", in_words(in.sets[i].name),
                     super_section(n.supers[i], in.sets[i].name, id)});
  }
  for (std::size_t i = 0; i < in.important.size(); ++i) {
    if (in.important[i].empty()) continue;
    const std::string id = "importance-" + std::to_string(i + 1);
    parts.push_back({id, "Most important", in_words(in.sets[i].name),
                     importance_section(in.important[i], in.sets[i].name, id)});
  }
  for (std::size_t i = 0; i < in.sets.size(); ++i) {
    const std::string id = "agreement-" + std::to_string(i + 1);
    parts.push_back({id, "Agreement", in_words(in.sets[i].name),
                     agreement_section(in.sets[i], n.agreements[i], id)});
  }
  if (in.published) {
    parts.push_back(
        {"published", "Published scores", "", published_section(*in.published, "published")});
  }
  if (!in.searches.empty()) {
    parts.push_back({"searches", "Searches", "", search_section(in.searches)});
  }
  parts.push_back({"provenance", "Provenance", "", provenance_section(in.results, in.files)});
  return parts;
}

}  // namespace detail

/// The report as one HTML page that needs nothing else: no file, no network, no script.
///
/// The same input gives the same bytes. Throws as compute() does.
[[nodiscard]] inline std::string make_report(const report_input& in,
                                             const report_numbers& n,
                                             const report_options& options = {}) {
  const auto parts = detail::page_parts(in, n);
  markup m;
  m.raw("<!DOCTYPE html>\n").open("html", {{"lang", "en"}}).open("head");
  m.empty("meta", {{"charset", "utf-8"}});
  m.empty("meta", {{"name", "viewport"}, {"content", "width=device-width,initial-scale=1"}});
  m.leaf("title", options.title).open("style").raw(detail::page_style).close().close().line();
  m.open("body").open("header").leaf("h1", options.title);
  m.leaf("p", {{"class", "lead"}}, detail::what_was_read(in) + detail::time_spent(in) + ".");
  m.leaf("p", {{"class", "note"}}, "Read from " + in.source).close().line();
  m.raw(contents(parts)).open("main").line();
  for (const auto& p : parts) m.raw(p.body);
  m.close().close().close().line();
  return m.str();
}

/// The same, computing the numbers on the way.
[[nodiscard]] inline std::string make_report(const report_input& in,
                                             const report_options& options = {}) {
  return make_report(in, compute(in), options);
}

}  // namespace tombola::analysis
