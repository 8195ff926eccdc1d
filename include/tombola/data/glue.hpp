#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/data/task.hpp"
#include "tombola/data/text.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::data {

/// One labelled row of a task.
struct example {
  std::string a;           ///< first or only sentence
  std::string b;           ///< second sentence; empty where the task has none
  std::int32_t label = 0;  ///< place in the task's labels; 0 for a regression
  float target = 0;        ///< value of a regression; 0 for a classification
};

/// The rows of one file.
struct labelled_examples {
  std::filesystem::path file;
  std::vector<example> examples;
  std::size_t skipped = 0;  ///< rows without all columns, where the task skips these
};

namespace detail {

/// Places of a task's columns in one file.
struct column_places {
  std::size_t first = 0;
  std::size_t second = 0;
  std::size_t label = 0;
  std::size_t columns = 0;  ///< fields of every row
};

[[nodiscard]] inline std::size_t place_of(const std::vector<std::string_view>& header,
                                          const std::string& name,
                                          const std::string& file) {
  std::string found;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i] == name) return i;
    found += (i == 0 ? "" : ", ") + std::string{header[i]};
  }
  throw format_error(file, "line 1: found the columns " + io::shown(found) + ", expected " +
                               io::shown(name) + " among them");
}

[[nodiscard]] inline column_places find_columns(const task_description& task,
                                                const std::vector<std::string_view>& header,
                                                const std::string& file) {
  if (!task.has_header) {
    return {task.first.place, task.second ? task.second->place : 0, task.label.place, task.columns};
  }
  return {place_of(header, task.first.name, file),
          task.second ? place_of(header, task.second->name, file) : 0,
          place_of(header, task.label.name, file), header.size()};
}

/// For messages: printable, as the names are out of a file.
[[nodiscard]] inline std::string listed(const std::vector<std::string>& names) {
  std::string s;
  for (const std::string& n : names) s += (s.empty() ? "" : ", ") + printable(n);
  return s;
}

/// The first of the split's files that is there.
[[nodiscard]] inline std::filesystem::path split_file(const task_description& task,
                                                      const std::filesystem::path& folder,
                                                      std::string_view split) {
  if (!is_plain_name(split)) {
    throw input_error("split " + io::shown(split) +
                      ": expected train, dev or the name of a file without its .tsv");
  }
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw format_error(folder.string(),
                       "there is no such folder, expected the data of " + task.name);
  }
  const std::vector<std::string> names =
      split == "train" ? task.train_files
      : split == "dev" ? task.dev_files
                       : std::vector<std::string>{std::string{split} + ".tsv"};
  for (const std::string& name : names) {
    if (std::filesystem::exists(folder / name, ignored)) return folder / name;
  }
  throw format_error(folder.string(), "has no " + std::string{split} + " file of " + task.name +
                                          ", expected " + listed(names));
}

/// Fills label or target from the text in the label column; what is wrong with it, if anything.
[[nodiscard]] inline std::string read_label(const task_description& task,
                                            std::string_view text,
                                            example& e) {
  if (task.is_regression()) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), e.target);
    if (failed == std::errc{} && end == text.data() + text.size() && std::isfinite(e.target)) {
      return {};
    }
    return "found the " + printable(task.label.name) + " " + io::shown(text) +
           ", expected a number";
  }
  for (std::size_t i = 0; i < task.labels.size(); ++i) {
    if (task.labels[i] != text) continue;
    e.label = static_cast<std::int32_t>(i);
    return {};
  }
  return "found the label " + io::shown(text) + ", expected one of " + listed(task.labels);
}

}  // namespace detail

/// Reads the labelled rows of one split of a task.
///
/// `folder` is the task's own; `split` is `train`, `dev`, or the name of another file in it
/// without `.tsv`, such as `dev_mismatched`. Quotes are ordinary characters. No header column
/// but those of the task is looked at.
/// Throws format_error, with file, line, what was found and what was expected, at the first row
/// that has not as many fields as the header (one that lacks some is skipped and counted where
/// the task says so), or a label that the task does not have; and where there is no row at all.
[[nodiscard]] inline labelled_examples read_examples(const task_description& task,
                                                     const std::filesystem::path& folder,
                                                     std::string_view split) {
  labelled_examples result{detail::split_file(task, folder, split), {}, 0};
  const std::string file = result.file.string();
  const std::string text = read_utf8(result.file);
  const std::vector<std::string_view> lines = split_lines(text);
  std::vector<std::string_view> fields;
  if (!lines.empty()) split_fields(lines[0], fields);
  const std::size_t begin = task.has_header ? 1 : 0;
  if (lines.size() <= begin) {
    throw format_error(file, "has no rows, expected examples of " + task.name);
  }
  const detail::column_places at = detail::find_columns(task, fields, file);
  result.examples.reserve(lines.size() - begin);
  for (std::size_t i = begin; i < lines.size(); ++i) {
    split_fields(lines[i], fields);
    if (fields.size() < at.columns && task.skip_short_rows) {
      ++result.skipped;
      continue;
    }
    const auto line = [i] { return "line " + std::to_string(i + 1) + ": "; };
    if (fields.size() != at.columns) {
      throw format_error(file, line() + "found " + std::to_string(fields.size()) +
                                   " tab-separated fields, expected " + std::to_string(at.columns));
    }
    example e{std::string{fields[at.first]},
              task.second ? std::string{fields[at.second]} : std::string{}, 0, 0};
    const std::string wrong = detail::read_label(task, fields[at.label], e);
    if (!wrong.empty()) throw format_error(file, line() + wrong);
    result.examples.push_back(std::move(e));
  }
  if (result.examples.empty()) {
    throw format_error(file, "has no complete row, expected examples of " + task.name);
  }
  return result;
}

}  // namespace tombola::data
