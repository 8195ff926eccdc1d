#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/atomic_file.hpp"

namespace tombola::fetch {

namespace detail {

/// The lines of a text, without their ends and the blanks there.
[[nodiscard]] inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const auto last = line.find_last_not_of(" \t\r");
    lines.push_back(line.substr(0, last == line.npos ? 0 : last + 1));
  }
  return lines;
}

/// Where the third field of a row of five begins. Throws format_error, naming file and line.
[[nodiscard]] inline std::size_t check_row(const std::filesystem::path& file,
                                           std::size_t number,
                                           std::string_view line) {
  constexpr std::ptrdiff_t tabs = 4;
  if (const auto found = std::count(line.begin(), line.end(), '\t'); found != tabs) {
    throw format_error(file.string(), "line " + std::to_string(number) + ": found " +
                                          std::to_string(found + 1) + " columns, expected 5");
  }
  return line.find('\t') + 1;
}

}  // namespace detail

/// Makes GLUE's train.tsv, dev.tsv and test.tsv of the Microsoft Research Paraphrase Corpus: the
/// rows of `training` whose pair of numbers `dev_ids` lists are dev, and test loses its labels.
///
/// Rows are label, two numbers, two sentences. Throws format_error, naming file and line, for other
/// rows or if no listed pair is there; and as io::write_file does.
/// Source: GLUE's own download script, `format_mrpc`.
inline void write_mrpc(const std::filesystem::path& training,
                       const std::filesystem::path& test,
                       const std::filesystem::path& dev_ids,
                       const std::filesystem::path& folder) {
  constexpr std::size_t most = std::size_t{64} << 20;
  const std::string training_text = io::read_text(training, most);
  const std::string test_text = io::read_text(test, most), ids_text = io::read_text(dev_ids, most);
  const auto ids = detail::lines_of(ids_text);
  const std::set<std::string_view> is_dev{ids.begin(), ids.end()};

  std::string train, dev;
  std::set<std::string_view> found;
  const auto rows = detail::lines_of(training_text);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::string_view row = rows[r];
    const std::size_t first = detail::check_row(training, r + 1, row);
    const std::size_t end = row.find('\t', row.find('\t', first) + 1);
    const std::string_view pair = row.substr(first, end - first);
    const bool listed = r > 0 && is_dev.contains(pair);
    if (listed) found.insert(pair);
    // The first row names the columns.
    if (listed || r == 0) dev.append(row).append("\n");
    if (!listed) train.append(row).append("\n");
  }
  if (found.empty()) {
    throw format_error(dev_ids.string(), "lists no pair of " + training.filename().string());
  }

  std::string unlabelled = "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n";
  const auto tests = detail::lines_of(test_text);
  for (std::size_t r = 0; r < tests.size(); ++r) {
    const std::size_t first = detail::check_row(test, r + 1, tests[r]);
    if (r == 0) continue;
    unlabelled += std::to_string(r - 1) + "\t";
    unlabelled.append(tests[r].substr(first)).append("\n");
  }
  io::write_file(folder / "train.tsv", train);
  io::write_file(folder / "dev.tsv", dev);
  io::write_file(folder / "test.tsv", unlabelled);
}

}  // namespace tombola::fetch
