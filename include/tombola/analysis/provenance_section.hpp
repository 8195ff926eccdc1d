#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/table.hpp"

namespace tombola::analysis {

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
