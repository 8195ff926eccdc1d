#pragma once

// Heavy: reads JSON and tensors, includes xtensor.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tombola/analysis/mask_folder.hpp"
#include "tombola/analysis/mask_table.hpp"
#include "tombola/analysis/published_section.hpp"
#include "tombola/analysis/read_importance.hpp"
#include "tombola/analysis/report.hpp"
#include "tombola/analysis/results.hpp"
#include "tombola/analysis/search_line.hpp"
#include "tombola/analysis/settings.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/core/trace.hpp"
#include "tombola/io/sha256.hpp"
#include "tombola/io/ticket_file.hpp"
#include "tombola/io/trace_file.hpp"

namespace tombola::analysis {

namespace detail {

/// A trace as a figure: the tickets go, their sizes stay.
[[nodiscard]] inline found_search search_of(const result& r, std::string family, const trace& t) {
  found_search s{r.task, r.seed, std::move(family), {}};
  s.figure.title = "Search of " + s.family + " for " + r.task + ", seed " + std::to_string(r.seed);
  s.figure.metric = t.measure.empty() ? r.metric : t.measure;
  s.figure.baseline = t.baseline;
  s.figure.threshold = t.threshold;
  for (const trace_step& step : t.steps) {
    const double size = static_cast<double>(step.candidate.size());
    const double kept = static_cast<double>(step.candidate.count());
    s.figure.points.push_back(
        {step.phase, size > 0.0 ? kept / size : 0.0, step.metric, step.accepted});
  }
  return s;
}

/// Whether two tickets prune the same units of the same groups, wherever they come from.
[[nodiscard]] inline bool same_units(const ticket& a, const ticket& b) {
  if (!std::ranges::equal(a.groups(), b.groups())) return false;
  for (std::size_t i = 0; i < a.groups().size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

/// Puts a good ticket where it belongs. A second one of a seed is told apart by its number; one
/// that prunes what an earlier one of the seed does says nothing new, and would agree with it.
inline void add_ticket(ticket_set& set, const result& r, seed_ticket s) {
  auto at = std::find_if(set.tasks.begin(), set.tasks.end(),
                         [&](const task_tickets& t) { return t.task == r.task; });
  if (at == set.tasks.end()) at = set.tasks.insert(at, {r.task, {}});
  std::size_t earlier = 0;
  for (const seed_ticket& other : at->seeds) {
    if (other.value.origin.seed != r.seed) continue;
    if (same_units(other.value, s.value)) return;
    ++earlier;
  }
  if (earlier > 0) s.seed += " (" + std::to_string(earlier + 1) + ")";
  if (!at->seeds.empty()) {
    try {
      require_same_groups(at->seeds[0].value, s.value);
    } catch (const shape_error& e) {
      throw format_error(s.files[0].string(),
                         "does not fit " + at->seeds[0].files[0].string() + ": " + e.what());
    }
  }
  at->seeds.push_back(std::move(s));
}

/// Reads ticket and trace of every search. Both files are a search's own: one that is missing is an
/// error, since the run says that it is done.
inline void read_searches(report_input& in) {
  const variants named{in.results};
  std::map<std::pair<ticket_family, std::string>, ticket_set> sets;
  std::vector<const result*> searches;
  for (const result& r : in.results) {
    if (r.step == run_step::find_masks && r.ticket) searches.push_back(&r);
  }
  std::stable_sort(searches.begin(), searches.end(), [](const result* a, const result* b) {
    return std::tie(a->task, a->seed) < std::tie(b->task, b->seed);
  });
  for (const result* r : searches) {
    const std::filesystem::path file = r->file.parent_path() / "ticket.safetensors";
    seed_ticket s{std::to_string(r->seed), io::read_ticket(file), {file}};
    s.value.origin.seed = r->seed;
    const std::string variant = named.name_of(*r);
    auto& set = sets[{r->ticket->family, variant}];
    set.name = family_and_variant(r->ticket->family, variant);
    add_ticket(set, *r, std::move(s));
    in.searches.push_back(
        search_of(*r, set.name, io::read_trace(r->file.parent_path() / "trace.safetensors")));
  }
  for (auto& [key, set] : sets) in.sets.push_back(std::move(set));
}

}  // namespace detail

namespace detail {

inline void list_files(const ticket_set& set, const std::string& what, report_input& in) {
  for (const task_tickets& task : set.tasks) {
    for (const seed_ticket& s : task.seeds) {
      for (const auto& f : s.files) {
        in.files.push_back({set.name + what + ", " + task.task + ", seed " + s.seed, f.string(),
                            io::sha256_hex_of_file(f)});
      }
    }
  }
}

/// The files of masks, importances and published scores, with their fingerprints.
inline void list_files(report_input& in) {
  for (std::size_t i = 0; i < in.sets.size(); ++i) {
    list_files(in.sets[i], "", in);
    if (i >= in.important.size()) continue;
    for (const important_part& p : in.important[i]) list_files(p.best, ", importances", in);
  }
  if (!in.published) return;
  std::filesystem::path last;
  for (const published_score& s : in.published->scores) {
    if (s.file == last) continue;  // the scores of a file stand together
    last = s.file;
    in.files.push_back({"scores of " + s.setting, s.file.string(), io::sha256_hex_of_file(s.file)});
  }
}

/// What lies beside the masks of a folder in the study's layout: importances, and scores.
inline void read_beside(report_input& in, const std::filesystem::path& folder) {
  for (const ticket_set& set : in.sets) {
    // <set>/<task>/seed_<n>/head_mask.npy
    const auto seed = set.tasks.at(0).seeds.at(0).files.at(0).parent_path();
    in.important.push_back(read_importance(seed.parent_path().parent_path(), set));
  }
  const auto scores = scores_beside(folder);
  if (scores.empty()) return;
  published_results r{scores.string(), read_published_scores(scores), {}};
  for (const task_tickets& t : in.sets[0].tasks) r.tasks.push_back(t.task);
  if (!r.scores.empty()) in.published = std::move(r);
}

}  // namespace detail

/// Everything a report needs from a folder of runs, from a folder of masks in the study's layout,
/// or from a table (.csv) that names files of masks, their tasks and seeds.
///
/// A folder with results in it is taken for the first, others for the second. Importances and
/// published scores that lie beside masks in the study's layout are read with them, see
/// read_importance and scores_beside. Throws input_error if it is none of the three, and as
/// read_results, read_ticket, read_trace, read_mask_sets, read_mask_table, read_importance and
/// read_published_scores do.
[[nodiscard]] inline report_input read_report_input(const std::filesystem::path& source) {
  report_input in;
  in.source = source.string();
  if (source.extension() == ".csv") {
    in.sets = read_mask_table(source);
    detail::list_files(in);
    return in;
  }
  in.results = read_results(source);
  if (!in.results.empty()) {
    detail::read_searches(in);
    return in;
  }
  in.sets = read_mask_sets(source);
  if (in.sets.empty()) {
    throw input_error(source.string() + ": holds neither a result.json within " +
                      std::to_string(max_result_depth) +
                      " folders nor masks as <task>/seed_<number>/head_mask.npy, expected one of "
                      "them");
  }
  detail::read_beside(in, source);
  detail::list_files(in);
  return in;
}

}  // namespace tombola::analysis
