#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/scores.hpp"

namespace tombola {

/// L2 norms of the columns of an activation, batch by batch: what a linear layer's inputs measure
/// over the data.
///
/// Sums of squares are kept in double and grow in the order of the rows, so that one call over all
/// rows and many over parts of them give the same bits.
class column_norms {
public:
  /// Of an activation with that many columns, no row seen yet: all norms are 0.
  explicit column_norms(std::size_t columns) : squares_(columns) {}

  /// rows: [r * columns], row-major. Throws shape_error, nothing added, if they do not divide.
  void add(std::span<const float> rows) {
    const std::size_t n = squares_.size();
    if (n == 0 ? !rows.empty() : rows.size() % n != 0) {
      throw shape_error("column norms: " + std::to_string(rows.size()) +
                        " values, expected a multiple of " + std::to_string(n) + " columns");
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      squares_[i % n] += static_cast<double>(rows[i]) * static_cast<double>(rows[i]);
    }
  }

  /// [columns]
  [[nodiscard]] std::vector<float> values() const {
    std::vector<float> norms(squares_.size());
    for (std::size_t c = 0; c < norms.size(); ++c) {
      norms[c] = static_cast<float>(std::sqrt(squares_[c]));
    }
    return norms;
  }

private:
  std::vector<double> squares_;
};

/// Scores each weight of a linear layer by its magnitude times the L2 norm of the input that it is
/// multiplied by: |W[o, i]| * norm[i].
///
/// The method compares weights within a row, that is for each output by itself: select with
/// keep_highest_of_each_row or keep_n_of_m (select_rows.hpp). Across rows a ranking of these scores
/// is not the cited method. For whole units, add up: sum_of_rows, sum_of_columns below.
/// Source: M. Sun et al., "A simple and effective pruning approach for large language models",
/// 2023, equation 1.
struct wanda_criterion {
  /// g: (out x in). weights: [out * in], row-major. norms: [in], at least 0 (see column_norms).
  /// Throws shape_error, naming the group, if group, weights and norms do not fit each other;
  /// input_error for a norm that is below 0 or NaN, and, naming group and unit, where a score is.
  [[nodiscard]] scores operator()(const group& g,
                                  std::span<const float> weights,
                                  std::span<const float> norms) const {
    if (g.extents.size() != 2) {
      throw shape_error("Wanda score of " + to_string(g) + ": " + std::to_string(g.extents.size()) +
                        " extents, expected 2, outputs and inputs");
    }
    const std::size_t in = g.extents[1];
    if (weights.size() != g.size() || norms.size() != in) {
      throw shape_error("Wanda score of " + to_string(g) + ": " + std::to_string(weights.size()) +
                        " weights and " + std::to_string(norms.size()) + " norms, expected " +
                        std::to_string(g.size()) + " and " + std::to_string(in));
    }
    for (std::size_t i = 0; i < in; ++i) {
      if (!(norms[i] >= 0.0F)) {
        throw input_error("Wanda score of " + to_string(g) + ": the norm of input " +
                          std::to_string(i) + " is " + std::to_string(norms[i]) +
                          ", expected a number from 0 up");
      }
    }
    std::vector<float> out(weights.size());
    for (std::size_t u = 0; u < out.size(); ++u) out[u] = std::abs(weights[u]) * norms[u % in];
    return {g, std::move(out)};
  }
};

namespace detail {

/// Throws shape_error unless these are scores of a matrix of which `units` divides one extent.
inline void require_divides(const scores& of_weights, const group& units, std::size_t axis) {
  const group& g = of_weights.group();
  const std::size_t n = units.size();
  if (g.extents.size() != 2 || (n == 0 ? g.extents[axis] != 0 : g.extents[axis] % n != 0)) {
    throw shape_error("scores of " + to_string(g) + " for " + to_string(units) +
                      ": expected a matrix whose " + (axis == 0 ? "rows" : "columns") +
                      " divide among " + std::to_string(n) + " units");
  }
}

/// Adds the weights' scores up, unit by unit. Precondition: require_divides.
[[nodiscard]] inline scores sum_of_units(const scores& of_weights,
                                         const group& units,
                                         std::size_t axis) {
  require_divides(of_weights, units, axis);
  const auto& extents = of_weights.group().extents;
  std::vector<double> sums(units.size());
  const std::size_t each = sums.empty() ? 1 : extents[axis] / sums.size();
  for (std::size_t w = 0; w < of_weights.size(); ++w) {
    const std::size_t place = axis == 0 ? w / extents[1] : w % extents[1];
    sums[place / each] += static_cast<double>(of_weights[w]);
  }
  std::vector<float> out(sums.begin(), sums.end());
  return {units, std::move(out)};
}

}  // namespace detail

/// Scores of units that own rows of a matrix: the sum of the weights' scores, in double, in order.
///
/// of_weights: (out x in). With r = out / n rows to a unit, unit u owns rows u * r to u * r + r -
/// 1: a neuron its row, a head the rows of its query. Throws shape_error, naming both groups, if
/// the rows do not divide among the units; input_error where infinities cancel to NaN.
[[nodiscard]] inline scores sum_of_rows(const scores& of_weights, const group& units) {
  return detail::sum_of_units(of_weights, units, 0);
}

/// The same for units that own columns, such as a head's inputs to the output projection; over
/// Wanda scores this is the structured form of Y. An et al., "Fluctuation-based adaptive structured
/// pruning", AAAI 2024, there called Wanda-sp.
[[nodiscard]] inline scores sum_of_columns(const scores& of_weights, const group& units) {
  return detail::sum_of_units(of_weights, units, 1);
}

}  // namespace tombola
