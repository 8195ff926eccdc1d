#pragma once

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
#include "tombola/prune/normalise.hpp"

/// Criteria turn plain arrays into scores; which one an objective applies is its own affair. Those
/// that need no data are here, and what all of them share.
///
///   scores s = magnitude_criterion{}(heads, weights_of_heads);   // [n * m] values, m to a head
///
/// Further: activation_criteria.hpp (Wanda), gradient_criteria.hpp (Taylor, SNIP).
namespace tombola {

namespace detail {

/// Parameters that each unit of a group owns. Throws shape_error, naming criterion and group, if
/// they do not divide among its units.
[[nodiscard]] inline std::size_t values_per_unit(const char* criterion,
                                                 const group& g,
                                                 std::size_t values) {
  const std::size_t n = g.size();
  if (n == 0 ? values != 0 : values % n != 0) {
    throw shape_error(std::string{criterion} + " of " + to_string(g) + ": " +
                      std::to_string(values) + " values do not divide among " + std::to_string(n) +
                      " units, expected a multiple of " + std::to_string(n));
  }
  return n == 0 ? 0 : values / n;
}

}  // namespace detail

/// Scores each unit by the norm of its parameters.
///
/// values: [n * m], unit u owning values u * m to u * m + m - 1; with one value a unit this is the
/// magnitude of the weight. Sums run in double, in order.
/// scaled: done to the group's scores afterwards. Groups whose weights differ in scale or number
/// compare in one ranking under group_mean or group_l2 (sources in normalise.hpp).
/// Throws shape_error, naming the group, if the values do not divide among its units; input_error,
/// naming group and unit, where a norm is NaN.
/// Source: H. Li et al., "Pruning filters for efficient ConvNets", ICLR 2017 (L1 of a unit).
struct magnitude_criterion {
  enum class norm { l1, l2 };
  norm kind = norm::l1;
  normalisation scaled = normalisation::none;

  [[nodiscard]] scores operator()(const group& g, std::span<const float> values) const {
    const std::size_t m = detail::values_per_unit("magnitude", g, values.size());
    std::vector<float> out(g.size());
    for (std::size_t u = 0; u < out.size(); ++u) {
      double sum = 0.0;
      for (const float v : values.subspan(u * m, m)) {
        const double x = v;
        sum += kind == norm::l1 ? std::abs(x) : x * x;
      }
      out[u] = static_cast<float>(kind == norm::l1 ? sum : std::sqrt(sum));
    }
    return normalised({g, std::move(out)}, scaled);
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

}  // namespace tombola
