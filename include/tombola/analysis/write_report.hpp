#pragma once

// Heavy: the JSON library.

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tombola/analysis/report.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/table_json.hpp"
#include "tombola/analysis/table_latex.hpp"
#include "tombola/analysis/table_text.hpp"
#include "tombola/core/error.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/atomic_folder.hpp"

namespace tombola::analysis {

/// Where a report was written.
struct written_report {
  std::filesystem::path page;                 ///< report.html
  std::vector<std::filesystem::path> tables;  ///< tables.json, then tables/<name>.csv, .tex, .txt
  report_numbers numbers;                     ///< what it says
};

/// Writes report.html, tables.json and each table as tables/<name>.csv (all digits), .tex and .txt
/// (rounded as on the page) into a folder, which is made if need be.
///
/// Everything is computed before anything is written; each file appears complete or not at all, the
/// page last. Throws input_error where the folder cannot be made or written, and as compute() does.
inline written_report write_report(const report_input& in,
                                   const std::filesystem::path& folder,
                                   const report_options& options = {}) {
  written_report w;
  w.numbers = compute(in);
  const std::string page = make_report(in, w.numbers, options);
  const std::vector<table> tables = report_tables(in, w.numbers);
  const std::string json = to_json(tables);
  io::make_folders(folder / "tables");
  w.tables.push_back(folder / "tables.json");
  io::write_file(w.tables.back(), json);
  for (const table& t : tables) {
    for (const auto& [ending, text] : {std::pair{".csv", to_csv(t)}, std::pair{".tex", to_latex(t)},
                                       std::pair{".txt", to_text(t)}}) {
      w.tables.push_back(folder / "tables" / (t.name + ending));
      io::write_file(w.tables.back(), text);
    }
  }
  w.page = folder / "report.html";
  io::write_file(w.page, page);
  return w;
}

}  // namespace tombola::analysis
