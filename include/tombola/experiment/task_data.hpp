#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/data/batches.hpp"
#include "tombola/data/features.hpp"
#include "tombola/data/glue.hpp"
#include "tombola/data/metric.hpp"
#include "tombola/data/metrics.hpp"
#include "tombola/data/task.hpp"
#include "tombola/data/task_file.hpp"
#include "tombola/data/tokenizer.hpp"
#include "tombola/nn/device_batch.hpp"

namespace tombola::experiment {

/// One split of a task as a model sees it, and the file it came from.
struct split {
  std::filesystem::path file;
  data::encoded_set set;
  std::string fingerprint;  ///< of what a model sees of it
  std::size_t in_file = 0;  ///< examples there, drawn or not
};

/// Who draws rows by a seed: each its own, so that none looks at rows because another one did.
enum class rows_for : std::uint32_t { training, search };

/// Reads and encodes one split; rows > 0 draws that many by seed (all where there are fewer).
[[nodiscard]] inline split read_split(const data::task_description& task,
                                      const std::filesystem::path& folder,
                                      std::string_view name,
                                      const data::tokenizer& tokenizer,
                                      std::size_t max_length,
                                      std::size_t rows = 0,
                                      std::uint64_t seed = 0,
                                      rows_for whom = rows_for::training) {
  data::labelled_examples read = data::read_examples(task, folder, name);
  const std::size_t in_file = read.examples.size();
  if (rows > 0 && rows < read.examples.size()) {
    const auto drawn =
        data::random_subset(read.examples.size(), rows, seed, static_cast<std::uint32_t>(whom));
    read.examples = data::pick<data::example>(read.examples, drawn);
  }
  split s{read.file, data::encode_examples(task, read.examples, tokenizer, max_length), {}};
  s.fingerprint = s.set.fingerprint();
  s.in_file = in_file;
  return s;
}

/// The largest batch when examples are taken `batch` at a time in this order.
[[nodiscard]] inline nn::batch_limits limits_of(const data::encoded_set& set,
                                                std::span<const std::size_t> order,
                                                std::size_t batch) {
  nn::batch_limits most;
  for (std::size_t first = 0; first < order.size(); first += batch) {
    const std::size_t n = std::min(batch, order.size() - first);
    std::size_t tokens = 0;
    for (std::size_t i = first; i < first + n; ++i) tokens += set[order[i]].ids.size();
    most.tokens = std::max(most.tokens, tokens);
    most.sequences = std::max(most.sequences, n);
  }
  return most;
}

/// What a model said about a set: one number per example for a regression, else classes.
struct predictions {
  std::vector<std::int32_t> classes;
  std::vector<float> values;
};

/// All metrics of a task on a set, with the one that selection watches.
struct scores_of_task {
  std::vector<data::metric_value> reported;
  data::measured selection;
};

[[nodiscard]] inline scores_of_task score(const data::task_description& task,
                                          const predictions& p,
                                          const data::encoded_set& set) {
  if (task.is_regression()) {
    const std::vector<double> said(p.values.begin(), p.values.end());
    const std::vector<double> wanted(set.targets().begin(), set.targets().end());
    return {data::evaluate<double>(task, said, wanted),
            data::measure(task.selection, said, wanted)};
  }
  return {data::evaluate<std::int32_t>(task, p.classes, set.labels()),
          data::measure(task.selection, p.classes, set.labels())};
}

/// Throws input_error, naming the tasks that do, unless the metric that selection watches is a mean
/// over examples: accuracy is one; F1, Matthews' and other correlations are not.
inline void require_mean_over_examples(const data::task_description& task) {
  if (task.selection == data::metric::accuracy) return;
  std::string those;
  for (const data::task_description& t : data::glue_tasks()) {
    if (t.selection == data::metric::accuracy) those += (those.empty() ? "" : ", ") + t.name;
  }
  throw input_error(
      "a guard with a confidence is for tasks that pruning watches by accuracy, such as " + those +
      "; " + task.name + " has " + std::string{data::to_string(task.selection)} +
      ", which is no mean over examples");
}

/// What accuracy is the mean of: 1 for each example that was answered right, 0 for the others.
/// Throws as require_mean_over_examples.
[[nodiscard]] inline std::vector<double> right_or_wrong(const data::task_description& task,
                                                        const predictions& p,
                                                        const data::encoded_set& set) {
  require_mean_over_examples(task);
  std::vector<double> right(p.classes.size());
  for (std::size_t i = 0; i < right.size(); ++i) {
    right[i] = p.classes[i] == set.labels()[i] ? 1.0 : 0.0;
  }
  return right;
}

/// What always answering the commonest class of the training labels scores by the selection metric;
/// nothing for a regression.
[[nodiscard]] inline std::optional<double> majority_score(const data::task_description& task,
                                                          const data::encoded_set& train,
                                                          const data::encoded_set& dev) {
  if (task.is_regression()) return std::nullopt;
  const std::vector<std::int32_t> constant(dev.size(), data::majority_class(train.labels()));
  return data::measure(task.selection, constant, dev.labels()).value;
}

}  // namespace tombola::experiment
