#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "tombola/core/scores.hpp"

/// Normalisations: they make scores of one kind comparable, within a group or between groups.
///
///   scores s = normalised(sensitivities, normalisation::layer_l2_min_max);  // the study's heads
namespace tombola {

/// Each layer's scores divided by their L2 norm + 1e-20; a layer is one row of the first extent.
///
/// Pruned units take part (spec Q15). A group without extents is one row. Source: spec 3.1, step 2;
/// P. Molchanov et al., "Pruning convolutional neural networks", ICLR 2017, section 2.2.
/// Throws input_error where an infinite score makes the quotient no number.
[[nodiscard]] inline scores normalise_layers(const scores& s) {
  const auto& extents = s.group().extents;
  const std::size_t rows = extents.empty() ? 1 : extents.front();
  const std::size_t m = rows == 0 ? 0 : s.size() / rows;
  std::vector<float> out(s.values().begin(), s.values().end());
  for (std::size_t r = 0; r < rows && m > 0; ++r) {
    const std::span<float> row = std::span{out}.subspan(r * m, m);
    double sum = 0.0;
    for (const float x : row) sum += static_cast<double>(x) * static_cast<double>(x);
    const double norm = std::sqrt(sum) + 1e-20;
    for (float& x : row) x = static_cast<float>(static_cast<double>(x) / norm);
  }
  return {s.group(), std::move(out)};
}

/// Scores moved and scaled so that the lowest is 0 and the highest 1, over the whole group.
///
/// Equal scores all become 0: they do not rank anything, and 0 / 0 is avoided. Pruned units take
/// part (spec Q15). Source: spec 3.1, step 3.
/// Throws input_error where an infinite score makes the quotient no number.
[[nodiscard]] inline scores min_max(const scores& s) {
  std::vector<float> out(s.values().begin(), s.values().end());
  if (out.empty()) return s;
  const auto [lowest, highest] = std::minmax_element(out.begin(), out.end());
  const double low = *lowest, range = static_cast<double>(*highest) - low;
  for (float& x : out) {
    x = range == 0.0 ? 0.0F : static_cast<float>((static_cast<double>(x) - low) / range);
  }
  return {s.group(), std::move(out)};
}

/// A group's scores divided by the mean of their absolute values, so that 1 is an average unit
/// whatever the size and scale of the group. Scores that are all 0 stay 0.
///
/// The sum runs in double, in order. Pruned units take part.
/// Source: the relative score of G. Fang et al., "DepGraph: towards any structural pruning", CVPR
/// 2023, section 3.3; there over the group's highest scores, here over all.
/// Throws input_error where an infinite score makes the quotient no number.
[[nodiscard]] inline scores divide_by_mean(const scores& s) {
  double sum = 0.0;
  for (const float x : s.values()) sum += std::abs(static_cast<double>(x));
  const double mean = sum / static_cast<double>(std::max<std::size_t>(1, s.size()));
  std::vector<float> out(s.values().begin(), s.values().end());
  for (float& x : out) x = mean == 0.0 ? 0.0F : static_cast<float>(static_cast<double>(x) / mean);
  return {s.group(), std::move(out)};
}

/// A group's scores divided by their L2 norm + 1e-20: normalise_layers, the whole group one layer.
/// Source and errors as there.
[[nodiscard]] inline scores divide_by_l2(const scores& s) {
  const std::size_t n = s.size();
  const scores one_row =
      normalise_layers({{s.group().name, {1, n}}, {s.values().begin(), s.values().end()}});
  return {s.group(), {one_row.values().begin(), one_row.values().end()}};
}

/// What is done to scores before they are ranked.
enum class normalisation {
  none,              ///< nothing: scores of groups are compared as they are
  layer_l2,          ///< normalise_layers
  min_max,           ///< tombola::min_max, over the whole group
  layer_l2_min_max,  ///< the first, then the second: what the study does to heads
  group_mean,        ///< divide_by_mean
  group_l2,          ///< divide_by_l2
};

/// The scores after the normalisation of that name. Throws input_error as it does.
[[nodiscard]] inline scores normalised(const scores& s, normalisation how) {
  switch (how) {
    case normalisation::none:
      break;
    case normalisation::layer_l2:
      return normalise_layers(s);
    case normalisation::min_max:
      return min_max(s);
    case normalisation::layer_l2_min_max:
      return min_max(normalise_layers(s));
    case normalisation::group_mean:
      return divide_by_mean(s);
    case normalisation::group_l2:
      return divide_by_l2(s);
  }
  return s;
}

}  // namespace tombola
