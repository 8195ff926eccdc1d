#pragma once

// Heavy: the whole JSON library.

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"
#include "tombola/data/task.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::data {

/// Name of the file that describes a task of one's own, in the task's folder.
inline constexpr std::string_view task_file_name = "task.json";

namespace detail {

/// All keys of a task file; any other is refused, as it is a typing error.
inline constexpr std::array<std::string_view, 9> task_keys{"name",      "first",       "second",
                                                           "label",     "labels",      "reported",
                                                           "selection", "train_files", "dev_files"};

[[nodiscard]] inline metric read_metric(const std::string& name, const std::string& file) {
  if (const auto m = find_metric(name)) return *m;
  std::string known;
  for (const metric_names& row : all_metrics) {
    known += (known.empty() ? "" : ", ") + std::string{row.name};
  }
  throw format_error(file, "unknown metric " + io::shown(name) + ", expected one of " + known);
}

[[nodiscard]] inline std::vector<std::string> file_names(const nlohmann::json& json,
                                                         const std::string& key,
                                                         std::vector<std::string> otherwise,
                                                         const std::filesystem::path& path) {
  auto names = io::optional_member<std::vector<std::string>>(json, key, path);
  if (!names) return otherwise;
  for (const std::string& n : *names) {
    if (!is_plain_name(n)) {
      throw format_error(path.string(), io::shown(key) + " holds " + io::shown(n) +
                                            ", expected names of files in the same folder");
    }
  }
  if (names->empty()) throw format_error(path.string(), io::shown(key) + " is empty");
  return *names;
}

}  // namespace detail

/// Reads a task of one's own from a JSON object: `name`, `label` (a column), `first` (a column)
/// and, for pairs, `second`; `labels` in index order, none for a regression; `reported` metrics
/// and the one for `selection`; `train_files` and `dev_files` where they are not the usual ones.
///
/// Throws format_error, naming the file, for anything else. Source of the format: docs/formats.md.
[[nodiscard]] inline task_description read_task_description(const std::filesystem::path& path) {
  const nlohmann::json json = io::read_json(path);
  const std::string file = path.string();
  task_description t;
  t.name = io::require<std::string>(json, "name", path);
  for (const auto& [key, value] : json.items()) {
    if (std::find(detail::task_keys.begin(), detail::task_keys.end(), key) ==
        detail::task_keys.end()) {
      throw format_error(file, "has the unknown key " + io::shown(key));
    }
  }
  t.first = {io::require<std::string>(json, "first", path)};
  if (auto second = io::optional_member<std::string>(json, "second", path)) {
    t.second = column{*second};
  }
  t.label = {io::require<std::string>(json, "label", path)};
  t.labels = io::optional_member<std::vector<std::string>>(json, "labels", path)
                 .value_or(std::vector<std::string>{});
  for (const std::string& name : io::require<std::vector<std::string>>(json, "reported", path)) {
    t.reported.push_back(detail::read_metric(name, file));
  }
  t.selection = detail::read_metric(io::require<std::string>(json, "selection", path), file);
  t.train_files = detail::file_names(json, "train_files", t.train_files, path);
  t.dev_files = detail::file_names(json, "dev_files", t.dev_files, path);
  const std::string wrong = complaint_about(t);
  if (!wrong.empty()) throw format_error(file, wrong);
  return t;
}

/// Writes what read_task_description reads. The task must have a header.
/// Throws input_error where it has none or complaint_about finds something, else as io::write_json.
inline void write_task_description(const std::filesystem::path& path, const task_description& t) {
  const std::string wrong =
      t.has_header ? complaint_about(t) : "has no header, expected columns with names";
  if (!wrong.empty()) throw input_error("task " + io::shown(t.name) + ": " + wrong);
  nlohmann::json json{{"name", t.name},
                      {"first", t.first.name},
                      {"label", t.label.name},
                      {"selection", to_string(t.selection)},
                      {"train_files", t.train_files},
                      {"dev_files", t.dev_files}};
  if (t.second) json["second"] = t.second->name;
  if (!t.is_regression()) json["labels"] = t.labels;
  json["reported"] = nlohmann::json::array();
  for (const metric m : t.reported) json["reported"].push_back(to_string(m));
  io::write_json(path, json);
}

/// The task `name` of a data folder: the one that its `NAME/task.json` describes, else GLUE's.
///
/// Throws input_error for a name that is neither, format_error for a bad task file or one that
/// describes a task of another name.
[[nodiscard]] inline task_description open_task(const std::filesystem::path& data_folder,
                                                std::string_view name) {
  if (!is_plain_name(name)) return find_task(name);
  const std::filesystem::path file = data_folder / name / task_file_name;
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    task_description t = read_task_description(file);
    if (t.name == name) return t;
    throw format_error(file.string(),
                       "describes the task " + io::shown(t.name) + ", expected " + io::shown(name));
  }
  for (const task_description& t : glue_tasks()) {
    if (t.name == name) return t;
  }
  throw input_error("unknown task " + io::shown(name) + ": there is no " + file.string() +
                    ", and GLUE's are " + known_tasks());
}

}  // namespace tombola::data
