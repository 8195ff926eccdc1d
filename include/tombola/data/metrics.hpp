#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/data/metric.hpp"
#include "tombola/data/task.hpp"

namespace tombola::data {

/// A statistic that some data do not define. `reason` says why; the value is 0 then, as the study
/// reports it, and the reason is empty everywhere else.
struct measured {
  double value = 0;
  std::string_view reason = {};
};

/// One metric of a task on some examples.
struct metric_value {
  metric what;
  std::string_view name;         ///< to_string(what)
  double value;                  ///< 0 where it is undefined
  std::string_view reason = {};  ///< why it is undefined; empty where it is not
};

namespace detail {

/// Throws shape_error where the sizes differ, input_error where there are no examples.
inline void check_sizes(std::size_t predictions, std::size_t labels) {
  if (predictions != labels) {
    throw shape_error("metrics: " + std::to_string(predictions) + " predictions for " +
                      std::to_string(labels) + " labels");
  }
  if (labels == 0) throw input_error("metrics: no examples, expected at least one");
}

/// True and false positives and negatives of class 1 against all others.
struct binary_counts {
  std::size_t true_positive = 0, false_positive = 0, false_negative = 0;
};

[[nodiscard]] inline binary_counts count_binary(std::span<const std::int32_t> predictions,
                                                std::span<const std::int32_t> labels) {
  check_sizes(predictions.size(), labels.size());
  binary_counts c;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    c.true_positive += predictions[i] == 1 && labels[i] == 1 ? 1U : 0U;
    c.false_positive += predictions[i] == 1 && labels[i] != 1 ? 1U : 0U;
    c.false_negative += predictions[i] != 1 && labels[i] == 1 ? 1U : 0U;
  }
  return c;
}

}  // namespace detail

/// Share of predictions that are right, in [0, 1].
/// Throws shape_error where the sizes differ, input_error where they are 0; so do all below.
[[nodiscard]] inline double accuracy(std::span<const std::int32_t> predictions,
                                     std::span<const std::int32_t> labels) {
  detail::check_sizes(predictions.size(), labels.size());
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predictions[i] == labels[i] ? 1U : 0U;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

/// F1 of class 1: the harmonic mean of precision and recall, 2 tp / (2 tp + fp + fn), in [0, 1].
/// Undefined, and 0, where class 1 is neither predicted nor there.
/// Source: C. van Rijsbergen, Information Retrieval, 1979; spec 2.5 for the 0.
[[nodiscard]] inline measured f1(std::span<const std::int32_t> predictions,
                                 std::span<const std::int32_t> labels) {
  const detail::binary_counts c = detail::count_binary(predictions, labels);
  const std::size_t all = 2 * c.true_positive + c.false_positive + c.false_negative;
  if (all == 0) return {0, "class 1 is neither predicted nor there"};
  return {2 * static_cast<double>(c.true_positive) / static_cast<double>(all)};
}

/// Matthews correlation of any number of classes, in [-1, 1].
///
/// (c s - sum p_k t_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2)) with s examples, c of them
/// right, p_k predicted as k and t_k of class k. Undefined, and 0, where one side is constant.
/// Source: B. Matthews, 1975; J. Gorodkin, Comput. Biol. Chem. 28, 2004, for more than two.
[[nodiscard]] inline measured matthews(std::span<const std::int32_t> predictions,
                                       std::span<const std::int32_t> labels) {
  detail::check_sizes(predictions.size(), labels.size());
  // Classes in order of value, so that neither a gap nor a stray class costs memory.
  std::vector<std::int32_t> p(predictions.begin(), predictions.end()),
      t(labels.begin(), labels.end());
  std::sort(p.begin(), p.end());
  std::sort(t.begin(), t.end());
  const auto count = [](const std::vector<std::int32_t>& sorted, std::int32_t k) {
    const auto range = std::equal_range(sorted.begin(), sorted.end(), k);
    return static_cast<double>(range.second - range.first);
  };
  std::vector<std::int32_t> classes = p;
  classes.insert(classes.end(), t.begin(), t.end());
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  double pt = 0, pp = 0, tt = 0;
  for (const std::int32_t k : classes) {
    const double n_p = count(p, k), n_t = count(t, k);
    pt += n_p * n_t;
    pp += n_p * n_p;
    tt += n_t * n_t;
  }
  const double s = static_cast<double>(labels.size());
  const double free_p = s * s - pp, free_t = s * s - tt;
  if (free_p == 0 || free_t == 0) return {0, "one side is constant"};
  double right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predictions[i] == labels[i] ? 1.0 : 0.0;
  return {(right * s - pt) / (std::sqrt(free_p) * std::sqrt(free_t))};
}

/// Pearson's correlation, in [-1, 1]. Undefined, and 0, where one side is constant or there are
/// fewer than two values. Two passes: a large common offset does no harm.
/// Throws input_error at a value that is not finite.
[[nodiscard]] inline measured pearson(std::span<const double> x, std::span<const double> y) {
  detail::check_sizes(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) {
      throw input_error("correlation: value " + std::to_string(i) + " is not a finite number");
    }
  }
  if (x.size() < 2) return {0, "fewer than two values"};
  // Asked of the values: deviations from a rounded mean need not be 0.
  const auto constant = [](std::span<const double> v) {
    return std::all_of(v.begin(), v.end(), [&](double e) { return e == v.front(); });
  };
  if (constant(x) || constant(y)) return {0, "one side is constant"};
  const double n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - mean_x, dy = y[i] - mean_y;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return {std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0)};
}

/// Ranks from 1; equal values share the mean of their ranks. Precondition: no NaN.
[[nodiscard]] inline std::vector<double> average_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = static_cast<double>(begin + end + 1) / 2;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
  }
  return ranks;
}

/// Spearman's rank correlation: Pearson's of the average ranks. Undefined as pearson, and throws
/// as it does. Source: C. Spearman, 1904.
[[nodiscard]] inline measured spearman(std::span<const double> x, std::span<const double> y) {
  if (const measured r = pearson(x, y); !r.reason.empty()) return r;
  return pearson(average_ranks(x), average_ranks(y));
}

/// One metric of classes. Throws input_error where the metric is one of values.
[[nodiscard]] inline measured measure(metric m,
                                      std::span<const std::int32_t> predictions,
                                      std::span<const std::int32_t> labels) {
  switch (m) {
    case metric::accuracy:
      return {accuracy(predictions, labels)};
    case metric::f1:
      return f1(predictions, labels);
    case metric::accuracy_and_f1: {
      const measured f = f1(predictions, labels);
      return {(accuracy(predictions, labels) + f.value) / 2, f.reason};
    }
    case metric::matthews:
      return matthews(predictions, labels);
    default:
      throw input_error("metrics: " + std::string{to_string(m)} + " compares values, not classes");
  }
}

/// One metric of values. Throws input_error where the metric is one of classes.
[[nodiscard]] inline measured measure(metric m,
                                      std::span<const double> predictions,
                                      std::span<const double> targets) {
  switch (m) {
    case metric::pearson:
      return pearson(predictions, targets);
    case metric::spearman:
      return spearman(predictions, targets);
    case metric::pearson_and_spearman: {
      const measured p = pearson(predictions, targets), s = spearman(predictions, targets);
      return {(p.value + s.value) / 2, p.reason};
    }
    default:
      throw input_error("metrics: " + std::string{to_string(m)} + " compares classes, not values");
  }
}

/// Every metric that the task reports, in its order: predicted classes against labels, or, for a
/// regression, predicted values against targets. Throws as measure and the metrics do.
template <class T>
[[nodiscard]] std::vector<metric_value> evaluate(const task_description& task,
                                                 std::span<const T> predictions,
                                                 std::span<const T> labels) {
  std::vector<metric_value> values;
  for (const metric m : task.reported) {
    const measured v = measure(m, predictions, labels);
    values.push_back({m, to_string(m), v.value, v.reason});
  }
  return values;
}

/// The class that occurs most often, the lower one of equals. Throws input_error without labels.
[[nodiscard]] inline std::int32_t majority_class(std::span<const std::int32_t> labels) {
  if (labels.empty()) throw input_error("majority class: no labels, expected at least one");
  std::vector<std::int32_t> sorted(labels.begin(), labels.end());
  std::sort(sorted.begin(), sorted.end());
  std::int32_t best = sorted.front();
  std::ptrdiff_t most = 0;
  for (auto begin = sorted.begin(); begin != sorted.end();) {
    const auto end = std::upper_bound(begin, sorted.end(), *begin);
    if (end - begin > most) {
      most = end - begin;
      best = *begin;
    }
    begin = end;
  }
  return best;
}

/// What always answering the majority class of the training labels scores on other labels.
///
/// The study takes the majority of the evaluated labels themselves (spec Q31):
/// pass these twice for that.
[[nodiscard]] inline std::vector<metric_value> majority_baseline(
    const task_description& task,
    std::span<const std::int32_t> train_labels,
    std::span<const std::int32_t> labels) {
  const std::vector<std::int32_t> constant(labels.size(), majority_class(train_labels));
  return evaluate<std::int32_t>(task, constant, labels);
}

}  // namespace tombola::data
