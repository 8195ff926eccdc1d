#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/result.hpp"
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

/// One row for each run.
[[nodiscard]] inline table run_table(std::span<const result> results) {
  table t{"runs",
          "Runs",
          {{"step", "step"},
           {"task", "task"},
           {"seed", "seed"},
           {"ticket", "ticket"},
           {"family", "family"},
           {"retrained", "retrained"},
           {"metric", "metric"},
           {"score", "score"},
           {"seconds", "seconds"},
           {"tokens_per_second", "tokens/s"},
           {"machine", "machine"},
           {"commit", "commit"},
           {"fingerprint", "ticket fingerprint"},
           {"file", "file"}},
          {}};
  for (const result& r : results) {
    t.add({text_cell(to_string(r.step)), text_cell(r.task), count_cell(r.seed),
           text_cell(r.ticket ? to_string(r.ticket->kind) : "full"),
           text_cell(r.ticket ? to_string(r.ticket->family) : ""),
           text_cell(r.retrained ? "yes" : "no"), text_cell(r.metric),
           number_cell(r.score, "the metric is undefined"), number_cell(r.seconds, 1),
           number_cell(r.tokens_per_second, 0), text_cell(r.machine), text_cell(r.commit),
           text_cell(r.ticket ? r.ticket->fingerprint : ""), text_cell(r.file.string())});
  }
  return t;
}

/// Every file that went into a run, once, and how many runs it went into; then `files`.
[[nodiscard]] inline table input_table(std::span<const result> results,
                                       std::span<const input_file> files) {
  table t{"inputs",
          "Inputs",
          {{"name", "what"}, {"path", "path"}, {"sha256", "SHA-256"}, {"runs", "runs"}},
          {}};
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> used;
  for (const result& r : results) {
    for (const input_file& i : r.inputs) ++used[{i.name, i.path, i.sha256}];
  }
  const auto add = [&](const input_file& i, std::size_t runs) {
    t.add({text_cell(i.name), text_cell(i.path),
           i.sha256.empty() ? cell{missing{"its SHA-256 was not recorded"}} : text_cell(i.sha256),
           count_cell(runs)});
  };
  for (const auto& [what, runs] : used) {
    add({std::get<0>(what), std::get<1>(what), std::get<2>(what)}, runs);
  }
  for (const input_file& i : files) add(i, 0);
  return t;
}

/// Where every number comes from.
[[nodiscard]] inline std::string provenance_section(std::span<const result> results,
                                                    std::span<const input_file> files) {
  markup m;
  m.open("section", {{"id", "provenance"}}).leaf("h2", "Provenance");
  if (!results.empty()) m.raw(to_html_folded(run_table(results), 40));
  table inputs = input_table(results, files);
  if (results.empty()) inputs = without(std::move(inputs), {"runs"});
  if (!inputs.rows.empty()) m.raw(to_html_folded(inputs, 40));
  if (!results.empty()) {
    m.open("details").leaf("summary", "Settings of every run");
    for (const result& r : results) {
      m.leaf("p", {{"class", "note"}}, r.file.string()).leaf("pre", r.run).line();
    }
    m.close();
  }
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
