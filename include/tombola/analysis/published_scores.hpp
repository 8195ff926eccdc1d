#pragma once

// Heavy: reads JSON.

#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/analysis/folder.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/core/error.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::analysis {

/// Bytes that a results.json may have, and folders inside folders that are searched for them.
inline constexpr std::size_t max_scores_bytes = std::size_t{1} << 20;
inline constexpr int max_scores_depth = 4;

/// One metric of one task as the study's results.json files hold it: mean and population deviation
/// over the seeds, which these files do not name.
struct published_score {
  std::string setting;  ///< folder: `head_mlp`, `global_magnitude_retrained`
  std::string task;
  std::string metric;  ///< `mcc`, `acc`, `mnli_acc`, `pearson`
  double mean = 0.0;
  double population_deviation = 0.0;  ///< divisor n
  std::filesystem::path file;         ///< where it was read

  /// The deviation as the study's tables print it: divisor n - 1, which is sqrt(5 / 4) times the
  /// file's for the study's five seeds. Nothing for fewer than two.
  [[nodiscard]] std::optional<double> sample_deviation(std::size_t seeds = 5) const {
    if (seeds < 2) return std::nullopt;
    const double n = static_cast<double>(seeds);
    return population_deviation * std::sqrt(n / (n - 1.0));
  }
};

namespace detail {

/// `[mean, deviation]` as numbers. Throws format_error, naming task and metric.
[[nodiscard]] inline published_score read_score(const nlohmann::json& pair,
                                                const std::string& setting,
                                                const std::string& task,
                                                const std::string& metric,
                                                const std::filesystem::path& file) {
  const std::string what = io::shown(task) + ", " + io::shown(metric);
  if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_number()) {
    throw format_error(file.string(), what + " is " + io::shown(io::json_text(pair, file)) +
                                          ", expected a list of mean and deviation");
  }
  const published_score s{setting, task, metric, pair[0].get<double>(), pair[1].get<double>(),
                          file};
  if (!std::isfinite(s.mean) || !(s.population_deviation >= 0.0) ||
      !std::isfinite(s.population_deviation)) {
    throw format_error(file.string(), what + " is " + io::shown(io::json_text(pair, file)) +
                                          ", expected finite numbers, the deviation 0 or more");
  }
  return s;
}

/// Throws format_error unless a value is an object.
inline void require_object(const nlohmann::json& j,
                           const std::string& what,
                           const std::filesystem::path& file) {
  if (!j.is_object()) {
    throw format_error(file.string(),
                       what + " is " + io::shown_value(j) + ", expected an object of results");
  }
}

}  // namespace detail

/// The scores of one results.json, by task and metric: `{"CoLA": {"mcc": [0.56, 0.005]}}`.
///
/// Throws format_error, naming the file, what was found and what was expected; input_error where
/// the file cannot be read.
[[nodiscard]] inline std::vector<published_score> read_published_scores_of(
    const std::filesystem::path& file, const std::string& setting) {
  const nlohmann::json j = io::read_json(file, max_scores_bytes);
  detail::require_object(j, "the file", file);
  std::vector<published_score> scores;
  for (const auto& [task, metrics] : j.items()) {
    detail::require_object(metrics, io::shown(task), file);
    for (const auto& [metric, pair] : metrics.items()) {
      scores.push_back(detail::read_score(pair, setting, task, metric, file));
    }
  }
  return scores;
}

namespace detail {

/// Reads the results.json of a folder, if there is one, and of the folders in it.
inline void find_scores(const std::filesystem::path& folder,
                        const std::string& setting,
                        int depth,
                        std::vector<published_score>& found) {
  std::error_code code;
  if (std::filesystem::is_regular_file(folder / "results.json", code)) {
    for (published_score& s : read_published_scores_of(folder / "results.json", setting)) {
      found.push_back(std::move(s));
    }
  }
  if (depth == max_scores_depth) return;
  for (const auto& inner : folders_in(folder)) {
    const std::string name = inner.filename().string();
    // The evaluation without a transformation of the model is the setting itself.
    find_scores(inner,
                name == "baseline" && !setting.empty()
                    ? setting
                    : setting + (setting.empty() ? "" : "/") + name,
                depth + 1, found);
  }
}

}  // namespace detail

/// All scores of a folder of settings, `<setting>/results.json` or
/// `<setting>/baseline/results.json`, at most max_scores_depth folders down; settings by name.
/// Empty where there are none. Throws as read_published_scores_of does.
[[nodiscard]] inline std::vector<published_score> read_published_scores(
    const std::filesystem::path& folder) {
  std::vector<published_score> found;
  detail::find_scores(folder, "", 0, found);
  return found;
}

/// The metric that the study's tables give for a GLUE task, as the files call it.
[[nodiscard]] inline std::string_view main_metric(std::string_view task) noexcept {
  if (task == "CoLA") return "mcc";
  if (task == "MNLI") return "mnli_acc";
  return task == "STS-B" ? "pearson" : "acc";
}

/// The score of a setting, or nothing where the files hold none.
[[nodiscard]] inline const published_score* find_score(std::span<const published_score> all,
                                                       std::string_view setting,
                                                       std::string_view task,
                                                       std::string_view metric) {
  for (const published_score& s : all) {
    if (s.setting == setting && s.task == task && s.metric == metric) return &s;
  }
  return nullptr;
}

/// A row of the study's table of scores and the folder it is read from.
struct published_setting {
  std::string_view folder;
  std::string_view ticket;  ///< `good`, `random`, ...
  std::string_view family;  ///< what was pruned; empty for a whole model
  std::string_view phase;
};

/// The rows in the study's order. Its bar chart of structured pruning shows the good retrained
/// tickets as random ones; its table does not, and neither does this.
inline constexpr std::array<published_setting, 20> published_settings{{
    {"freq_baseline", "majority class", "", ""},
    {"no_mask", "full model", "", "trained"},
    {"head_mlp", "good", "heads and MLPs", "pruned"},
    {"head_mlp_retrained", "good", "heads and MLPs", "retrained"},
    {"head_mlp_random", "random", "heads and MLPs", "pruned"},
    {"head_mlp_random_retrained", "random", "heads and MLPs", "retrained"},
    {"head_mlp_bad_1", "bad", "heads and MLPs", "pruned"},
    {"head_mlp_bad_1_retrained", "bad", "heads and MLPs", "retrained"},
    {"head_mlp_super", "super good", "heads and MLPs", "pruned"},
    {"head_mlp_super_retrained", "super good", "heads and MLPs", "retrained"},
    {"head_mlp_super_midling", "super random", "heads and MLPs", "pruned"},
    {"head_mlp_super_midling_retrained", "super random", "heads and MLPs", "retrained"},
    {"head_mlp_super_bizzaro", "super bad", "heads and MLPs", "pruned"},
    {"head_mlp_super_bizzaro_retrained", "super bad", "heads and MLPs", "retrained"},
    {"global_magnitude", "good", "weights", "pruned"},
    {"global_magnitude_retrained", "good", "weights", "retrained"},
    {"global_random", "random", "weights", "pruned"},
    {"global_random_retrained", "random", "weights", "retrained"},
    {"global_bad", "bad", "weights", "pruned"},
    {"global_bad_retrained", "bad", "weights", "retrained"},
}};

/// The study's table of scores: one row for each of its settings and task, in its order, with the
/// sample deviation over so many seeds. A score that the files lack says so.
[[nodiscard]] inline table published_table(std::span<const published_score> all,
                                           std::span<const std::string> tasks,
                                           std::size_t seeds = 5) {
  table t{"published_scores",
          "The study's scores over seeds",
          {{"pruned_units", "tickets over"},
           {"ticket", "ticket"},
           {"phase", "phase"},
           {"task", "task"},
           {"metric", "metric"},
           {"mean", "mean"},
           {"deviation", "deviation"}},
          {}};
  for (const published_setting& row : published_settings) {
    for (const std::string& task : tasks) {
      const std::string_view metric = main_metric(task);
      const published_score* s = find_score(all, row.folder, task, metric);
      const std::string none = "no score of " + std::string{row.folder} + " on " + task;
      t.add({text_cell(row.family), text_cell(row.ticket), text_cell(row.phase), text_cell(task),
             text_cell(metric),
             number_cell(s == nullptr ? std::nullopt : std::optional{s->mean}, none, 4),
             number_cell(s == nullptr ? std::nullopt : s->sample_deviation(seeds),
                         s == nullptr ? none : one_value, 4)});
    }
  }
  return t;
}

/// Every score of the files, whatever its setting, task and metric, in their order; the deviation
/// of the files beside the sample's over so many seeds.
[[nodiscard]] inline table all_published(std::span<const published_score> all,
                                         std::size_t seeds = 5) {
  table t{"published_results",
          "Every published score",
          {{"setting", "setting"},
           {"task", "task"},
           {"metric", "metric"},
           {"mean", "mean"},
           {"population_deviation", "deviation (n)"},
           {"deviation", "deviation (n - 1)"}},
          {}};
  for (const published_score& s : all) {
    t.add({text_cell(s.setting), text_cell(s.task), text_cell(s.metric), number_cell(s.mean, 3),
           number_cell(s.population_deviation, 3),
           number_cell(s.sample_deviation(seeds), one_value, 3)});
  }
  return t;
}

}  // namespace tombola::analysis
