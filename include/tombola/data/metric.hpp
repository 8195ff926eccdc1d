#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tombola::data {

/// What a task is scored with. Larger is better for all of them.
enum class metric : std::uint8_t {
  accuracy,
  f1,               ///< of class 1
  accuracy_and_f1,  ///< mean of the two
  matthews,         ///< Matthews correlation
  pearson,
  spearman,
  pearson_and_spearman,  ///< mean of the two
};

/// One row of the table below.
struct metric_names {
  metric what;
  std::string_view name;   ///< ours: files, messages and tables
  std::string_view study;  ///< in the study's result files
};

/// Source of the study's names: glue_metrics.py of transformers 2.5.1.
inline constexpr std::array<metric_names, 7> all_metrics{{
    {metric::accuracy, "accuracy", "acc"},
    {metric::f1, "f1", "f1"},
    {metric::accuracy_and_f1, "accuracy_and_f1", "acc_and_f1"},
    {metric::matthews, "matthews_correlation", "mcc"},
    {metric::pearson, "pearson", "pearson"},
    {metric::spearman, "spearman", "spearmanr"},
    {metric::pearson_and_spearman, "pearson_and_spearman", "corr"},
}};

/// `matthews_correlation`
[[nodiscard]] constexpr std::string_view to_string(metric m) noexcept {
  return all_metrics[static_cast<std::size_t>(m)].name;
}

/// `mcc`
[[nodiscard]] constexpr std::string_view study_name(metric m) noexcept {
  return all_metrics[static_cast<std::size_t>(m)].study;
}

/// The metric of this name of ours, if there is one.
[[nodiscard]] constexpr std::optional<metric> find_metric(std::string_view name) noexcept {
  for (const metric_names& row : all_metrics) {
    if (row.name == name) return row.what;
  }
  return std::nullopt;
}

/// Whether the metric compares numbers rather than classes.
[[nodiscard]] constexpr bool is_correlation_of_values(metric m) noexcept {
  return m == metric::pearson || m == metric::spearman || m == metric::pearson_and_spearman;
}

/// Whether the metric is about class 1 and so needs exactly two classes.
[[nodiscard]] constexpr bool needs_two_classes(metric m) noexcept {
  return m == metric::f1 || m == metric::accuracy_and_f1;
}

static_assert([] {
  for (const metric_names& row : all_metrics) {
    if (to_string(row.what) != row.name) return false;
  }
  return true;
}());

}  // namespace tombola::data
