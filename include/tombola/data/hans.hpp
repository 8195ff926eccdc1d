#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/data/glue.hpp"
#include "tombola/data/task.hpp"
#include "tombola/data/text.hpp"

namespace tombola::data {

/// One pair of HANS with what it was made to test.
struct hans_example {
  example pair;             ///< label 0 entailment, 1 non-entailment
  std::string heuristic;    ///< lexical_overlap, subsequence or constituent
  std::string subcase;      ///< one of 30; empty where the file has no such column
  std::string template_id;  ///< empty where the file has no such column
};

/// HANS as a task; its files go by their full names.
/// Source: R. McCoy, E. Pavlick, T. Linzen, "Right for the wrong reasons", ACL 2019.
[[nodiscard]] inline task_description hans_task() {
  task_description t;
  t.name = "HANS";
  t.first = {"sentence1"};
  t.second = column{"sentence2"};
  t.label = {"gold_label"};
  t.labels = {"entailment", "non-entailment"};
  t.reported = {metric::accuracy};
  t.train_files = {"heuristics_train_set.txt", "heuristics_train_set.tsv"};
  t.dev_files = {"heuristics_evaluation_set.txt", "heuristics_evaluation_set.tsv"};
  return t;
}

/// Reads one split of HANS, `train` or `dev`, in the official layout (11 columns) or any other
/// that has gold_label, sentence1, sentence2 and heuristic among its columns.
///
/// Throws as read_examples does, and format_error for a header without `heuristic`.
[[nodiscard]] inline std::vector<hans_example> read_hans(const std::filesystem::path& folder,
                                                         std::string_view split) {
  labelled_examples rows = read_examples(hans_task(), folder, split);
  // The rows are checked now; what is left is to pick the columns that only HANS has.
  const std::string text = read_utf8(rows.file);
  const std::vector<std::string_view> lines = split_lines(text);
  std::vector<std::string_view> header, fields;
  split_fields(lines[0], header);
  const std::size_t heuristic = detail::place_of(header, "heuristic", rows.file.string());
  const auto place = [&](std::string_view name) {
    std::size_t i = 0;
    while (i < header.size() && header[i] != name) ++i;
    return i;
  };
  const std::size_t subcase = place("subcase"), template_id = place("template");
  std::vector<hans_example> result;
  result.reserve(rows.examples.size());
  for (std::size_t i = 0; i < rows.examples.size(); ++i) {
    split_fields(lines[i + 1], fields);
    const auto field = [&](std::size_t at) {
      return at < fields.size() ? std::string{fields[at]} : std::string{};
    };
    result.push_back(
        {std::move(rows.examples[i]), field(heuristic), field(subcase), field(template_id)});
  }
  return result;
}

}  // namespace tombola::data
