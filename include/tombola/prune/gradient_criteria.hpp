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
#include "tombola/prune/criteria.hpp"

namespace tombola {

/// Scores each unit by what the loss would change without it, to first order: products of weights
/// and their gradients.
///
/// With w_i and g_i the unit's weights and the gradients of the loss at them, g_i * w_i is what the
/// Taylor expansion says the loss loses when w_i becomes 0. The forms differ in what may cancel:
///
///   absolute_of_sum   |sum g_i w_i|      the unit as one: |dL / dgate| at a gate of 1
///   sum_of_absolutes  sum |g_i w_i|      each weight by itself: nothing cancels
///   squared_sum       (sum g_i w_i)^2    ranks as the first; adds up differently over batches
///   sum_of_squares    sum (g_i w_i)^2    the cited paper's score of a structure
///
/// For a single weight the first two are |g w| and the last two (g w)^2. SNIP is |g w| of the
/// weights at initialisation, divided by its sum over all weights; that sum changes no ranking, so
/// it has no type of its own (N. Lee et al., ICLR 2019, equation 6).
/// Source: P. Molchanov et al., "Importance estimation for neural network pruning", CVPR 2019,
/// section 3.1 (sum_of_squares) and, with a gate, squared_sum; P. Michel et al., "Are sixteen heads
/// really better than one?", NeurIPS 2019, section 4.1 (absolute_of_sum for a head).
struct taylor_criterion {
  enum class form { absolute_of_sum, sum_of_absolutes, squared_sum, sum_of_squares };
  form kind = form::absolute_of_sum;

  /// weights, gradients: [n * m], unit u owning values u * m to u * m + m - 1. Sums run in double,
  /// in order; a square beyond float's range becomes infinity.
  /// Throws shape_error, naming the group, if the weights do not divide among its units or there
  /// are more or fewer gradients; input_error, naming group and unit, where a score is NaN.
  [[nodiscard]] scores operator()(const group& g,
                                  std::span<const float> weights,
                                  std::span<const float> gradients) const {
    const std::size_t m = detail::values_per_unit("Taylor score", g, weights.size());
    if (gradients.size() != weights.size()) {
      throw shape_error("Taylor score of " + to_string(g) + ": " +
                        std::to_string(gradients.size()) + " gradients, expected " +
                        std::to_string(weights.size()) + ", one for each weight");
    }
    std::vector<float> out(g.size());
    for (std::size_t u = 0; u < out.size(); ++u) {
      double sum = 0.0, absolutes = 0.0, squares = 0.0;
      for (std::size_t i = u * m; i < u * m + m; ++i) {
        const double x = static_cast<double>(weights[i]) * static_cast<double>(gradients[i]);
        sum += x;
        absolutes += std::abs(x);
        squares += x * x;
      }
      switch (kind) {
        case form::absolute_of_sum:
          out[u] = static_cast<float>(std::abs(sum));
          break;
        case form::sum_of_absolutes:
          out[u] = static_cast<float>(absolutes);
          break;
        case form::squared_sum:
          out[u] = static_cast<float>(sum * sum);
          break;
        case form::sum_of_squares:
          out[u] = static_cast<float>(squares);
          break;
      }
    }
    return {g, std::move(out)};
  }
};

}  // namespace tombola
