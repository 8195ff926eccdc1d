#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/data/metric.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::data {

/// Where one column of a file is: by name where the file has a header, by place where not.
struct column {
  std::string name;       ///< in the header
  std::size_t place = 0;  ///< from 0, used without a header alone
};

/// One task as data: its files, columns, labels and metrics. Everything else is the same for all.
struct task_description {
  std::string name;                   ///< also the name of its folder
  std::optional<column> second = {};  ///< second sentence, where the task has pairs
  column first = {"sentence"};        ///< first or only sentence
  column label = {"label"};
  std::vector<std::string> labels;      ///< in index order; empty for a regression
  std::vector<metric> reported;         ///< in the order of the tables
  metric selection = metric::accuracy;  ///< what pruning watches
  bool has_header = true;
  std::size_t columns = 0;  ///< of a file without a header
  /// Skip rows that lack columns, and count them, instead of refusing the file.
  bool skip_short_rows = false;
  /// Names of the two standard splits' files; the first one that is there is read.
  std::vector<std::string> train_files{"train.tsv", "train-sample.tsv"};
  std::vector<std::string> dev_files{"dev.tsv", "dev-sample.tsv"};

  [[nodiscard]] bool is_pair() const noexcept { return second.has_value(); }
  [[nodiscard]] bool is_regression() const noexcept { return labels.empty(); }
  /// Outputs of a model's head: the number of labels, 1 for a regression.
  [[nodiscard]] std::size_t outputs() const noexcept { return is_regression() ? 1 : labels.size(); }
};

namespace detail {

[[nodiscard]] inline task_description pair_task(std::string name,
                                                std::string first,
                                                std::string second,
                                                std::string label,
                                                std::vector<std::string> labels,
                                                std::vector<metric> reported,
                                                metric selection) {
  task_description t;
  t.name = std::move(name);
  t.first = {std::move(first)};
  t.second = column{std::move(second)};
  t.label = {std::move(label)};
  t.labels = std::move(labels);
  t.reported = std::move(reported);
  t.selection = selection;
  return t;
}

[[nodiscard]] inline std::vector<task_description> make_glue_tasks() {
  using enum metric;
  const std::vector<std::string> zero_one{"0", "1"}, two{"entailment", "not_entailment"},
      three{"contradiction", "entailment", "neutral"};
  const std::vector<metric> acc{accuracy}, acc_f1{accuracy, f1, accuracy_and_f1};

  task_description cola;
  cola.name = "CoLA";
  cola.has_header = false;
  cola.columns = 4;
  cola.first.place = 3;
  cola.label.place = 1;
  cola.labels = zero_one;
  cola.reported = {matthews};
  cola.selection = matthews;

  task_description sst_2;
  sst_2.name = "SST-2";
  sst_2.labels = zero_one;
  sst_2.reported = acc;

  task_description qqp =
      pair_task("QQP", "question1", "question2", "is_duplicate", zero_one, acc_f1, accuracy);
  qqp.skip_short_rows = true;

  task_description mnli =
      pair_task("MNLI", "sentence1", "sentence2", "gold_label", three, acc, accuracy);
  mnli.dev_files = {"dev_matched.tsv", "dev.tsv", "dev-sample.tsv"};

  return {cola,
          sst_2,
          pair_task("MRPC", "#1 String", "#2 String", "Quality", zero_one, acc_f1, accuracy),
          pair_task("STS-B", "sentence1", "sentence2", "score", {},
                    {pearson, spearman, pearson_and_spearman}, pearson_and_spearman),
          qqp,
          mnli,
          pair_task("QNLI", "question", "sentence", "label", two, acc, accuracy),
          pair_task("RTE", "sentence1", "sentence2", "label", two, acc, accuracy),
          pair_task("WNLI", "sentence1", "sentence2", "label", zero_one, acc, accuracy)};
}

}  // namespace detail

/// The nine tasks of GLUE.
///
/// Columns go by the header's names, which are the same in the official files and in files with
/// fewer columns; CoLA alone has no header. MNLI's mismatched development set is the split
/// `dev_mismatched`.
/// Source: spec 2.1; the processors of transformers 2.5.1.
[[nodiscard]] inline std::span<const task_description> glue_tasks() {
  static const std::vector<task_description> tasks = detail::make_glue_tasks();
  return tasks;
}

/// The names of the GLUE tasks, `CoLA, SST-2, ...`, for messages.
[[nodiscard]] inline std::string known_tasks() {
  std::string names;
  for (const task_description& t : glue_tasks()) names += (names.empty() ? "" : ", ") + t.name;
  return names;
}

/// The GLUE task of this name. Throws input_error, which lists the known ones.
[[nodiscard]] inline const task_description& find_task(std::string_view name) {
  for (const task_description& t : glue_tasks()) {
    if (t.name == name) return t;
  }
  throw input_error("unknown task " + io::shown(name) + ", expected one of " + known_tasks());
}

/// Whether a string can be part of a file name: letters, digits, '-', '_' and '.', none first.
[[nodiscard]] inline bool is_plain_name(std::string_view s) noexcept {
  return !s.empty() && s.front() != '.' && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

/// Says what is wrong with a task: an empty string where nothing is.
[[nodiscard]] inline std::string complaint_about(const task_description& t) {
  if (!is_plain_name(t.name)) {
    return "the name " + io::shown(t.name) +
           " cannot be a folder's, expected letters, digits, - _ .";
  }
  if (t.labels.size() == 1) return "has one label, expected two or more, or none for a regression";
  for (std::size_t i = 0; i < t.labels.size(); ++i) {
    if (std::find(t.labels.begin(), t.labels.begin() + static_cast<std::ptrdiff_t>(i),
                  t.labels[i]) != t.labels.begin() + static_cast<std::ptrdiff_t>(i)) {
      return "has the label " + io::shown(t.labels[i]) + " twice";
    }
  }
  if (t.reported.empty()) return "reports no metric, expected at least one";
  std::vector<metric> all = t.reported;
  all.push_back(t.selection);
  for (const metric m : all) {
    const std::string name{to_string(m)};
    if (is_correlation_of_values(m) != t.is_regression()) {
      return "the metric " + name + " does not fit a " +
             (t.is_regression() ? "regression" : "classification");
    }
    if (needs_two_classes(m) && t.labels.size() != 2) {
      return "the metric " + name + " needs two labels, found " + std::to_string(t.labels.size());
    }
  }
  return {};
}

}  // namespace tombola::data
