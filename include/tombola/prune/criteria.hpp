#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/random.hpp"
#include "tombola/core/scores.hpp"

/// Criteria that need no model, and the normalisations that make scores of one kind comparable. A
/// criterion turns plain arrays into scores; which one an objective applies is its own affair.
///
///   scores s = min_max(normalise_layers(sensitivities));   // what the study does to heads
namespace tombola {

/// Scores each unit by the norm of its parameters.
///
/// values: [n * m], unit u owning values u * m to u * m + m - 1; with one value a unit this is the
/// magnitude of the weight. Sums run in double, in order.
/// Throws shape_error, naming the group, if the values do not divide among its units.
struct magnitude_criterion {
  enum class norm { l1, l2 };
  norm kind = norm::l1;

  [[nodiscard]] scores operator()(const group& g, std::span<const float> values) const {
    const std::size_t n = g.size();
    if (n == 0 ? !values.empty() : values.size() % n != 0) {
      throw shape_error("magnitude of " + to_string(g) + ": " + std::to_string(values.size()) +
                        " values do not divide among " + std::to_string(n) + " units");
    }
    const std::size_t m = n == 0 ? 0 : values.size() / n;
    std::vector<float> out(n);
    for (std::size_t u = 0; u < n; ++u) {
      double sum = 0.0;
      for (const float v : values.subspan(u * m, m)) {
        const double x = v;
        sum += kind == norm::l1 ? std::abs(x) : x * x;
      }
      out[u] = static_cast<float>(kind == norm::l1 ? sum : std::sqrt(sum));
    }
    return {g, std::move(out)};
  }
};

/// Scores without meaning, uniform in [0, 1]: unit u has draw number u of its seed and group.
///
/// `index` tells groups of one seed apart; it is the place of the group in the ticket.
struct random_criterion {
  std::uint64_t seed = 0;

  [[nodiscard]] scores operator()(const group& g, std::uint32_t index) const {
    // Streams 4 i to 4 i + 2 belong to the control tickets of controls.hpp.
    const random_stream r{seed, purpose::control, 4 * index + 3};
    std::vector<float> out(g.size());
    for (std::size_t u = 0; u < out.size(); ++u) out[u] = static_cast<float>(r.uniform(u));
    return {g, std::move(out)};
  }
};

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

}  // namespace tombola
