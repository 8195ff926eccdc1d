#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tombola/core/error.hpp"

namespace tombola::analysis {

/// What is left of scores that were divided by their layer's L2 norm and then mapped to [0, 1]:
/// least 0, largest 1, and a map slope * x + offset under which every layer has norm 1 again.
struct normal_form {
  double least = 0.0;
  double largest = 0.0;
  double slope = 0.0;      ///< largest less least of the scores before they were mapped
  double offset = 0.0;     ///< least of them
  double deviation = 0.0;  ///< of the layers' norms from 1, the largest; 0 for scores of that form
};

namespace detail {

/// Norm of slope * x + offset over one layer, and what it changes by with either.
struct norm_with_gradient {
  double norm = 0.0, by_slope = 0.0, by_offset = 0.0;
};

[[nodiscard]] inline norm_with_gradient norm_of(std::span<const double> x, double a, double b) {
  norm_with_gradient n;
  for (const double v : x) {
    const double y = a * v + b;
    n.norm += y * y, n.by_slope += y * v, n.by_offset += y;
  }
  n.norm = std::sqrt(n.norm);
  n.by_slope /= n.norm, n.by_offset /= n.norm;
  return n;
}

/// The sum over layers of squared differences of their norms from 1.
[[nodiscard]] inline double misfit(std::span<const double> x,
                                   std::size_t width,
                                   double a,
                                   double b) {
  double sum = 0.0;
  for (std::size_t at = 0; at < x.size(); at += width) {
    const double miss = 1.0 - norm_of(x.subspan(at, width), a, b).norm;
    sum += miss * miss;
  }
  return sum;
}

/// What a step of the fit did.
enum class fit_step { moved, arrived, undetermined };

/// One Gauss-Newton step for norms of 1, halved until the misfit falls.
[[nodiscard]] inline fit_step improve(std::span<const double> x,
                                      std::size_t width,
                                      normal_form& f) {
  double aa = 0.0, ab = 0.0, bb = 0.0, ya = 0.0, yb = 0.0;
  for (std::size_t at = 0; at < x.size(); at += width) {
    const norm_with_gradient n = norm_of(x.subspan(at, width), f.slope, f.offset);
    const double miss = 1.0 - n.norm;
    aa += n.by_slope * n.by_slope, ab += n.by_slope * n.by_offset, bb += n.by_offset * n.by_offset;
    ya += n.by_slope * miss, yb += n.by_offset * miss;
  }
  const double determinant = aa * bb - ab * ab;
  if (!(determinant > 1e-12 * aa * bb)) return fit_step::undetermined;  // both move all norms alike
  const double slope = (ya * bb - yb * ab) / determinant;
  const double offset = (aa * yb - ab * ya) / determinant;
  const double before = misfit(x, width, f.slope, f.offset);
  for (double share = 1.0; share > 1e-9; share *= 0.5) {
    const double a = f.slope + share * slope, b = f.offset + share * offset;
    if (!(misfit(x, width, a, b) < before)) continue;
    f.slope = a, f.offset = b;
    return fit_step::moved;
  }
  return fit_step::arrived;
}

}  // namespace detail

/// A slope that counts. The map that takes all scores to 1 / sqrt(width) gives every layer norm 1,
/// whatever the scores are; a fit that runs there has found nothing.
inline constexpr double least_slope = 1e-6;

/// Fits the normal form to scores of `layers` rows, row-major, by least squares.
///
/// Nothing where no map with a slope is found: fewer than two layers, layers that all have one sum
/// and one sum of squares, or scores far from this form. Throws shape_error unless the scores fill
/// the rows. Cost: a few passes. Source: the normalisations of S. Prasanna, A. Rogers and
/// A. Rumshisky,
/// EMNLP 2020, by which every committed array of head importances has deviation below 2e-7.
[[nodiscard]] inline std::optional<normal_form> normal_form_of(std::span<const double> scores,
                                                               std::size_t layers) {
  if (layers == 0 || scores.empty() || scores.size() % layers != 0) {
    throw shape_error("normal_form_of: " + std::to_string(scores.size()) + " scores for " +
                      std::to_string(layers) + " layers");
  }
  const std::size_t width = scores.size() / layers;
  normal_form f;
  f.least = *std::min_element(scores.begin(), scores.end());
  f.largest = *std::max_element(scores.begin(), scores.end());
  double norms = 0.0;
  for (std::size_t at = 0; at < scores.size(); at += width) {
    norms += detail::norm_of(scores.subspan(at, width), 1.0, 0.0).norm;
  }
  if (layers < 2 || !(norms > 0.0) || !std::isfinite(norms)) return std::nullopt;
  f.slope = static_cast<double>(layers) / norms;
  detail::fit_step last = detail::fit_step::moved;
  for (int step = 0; step < 100 && last == detail::fit_step::moved; ++step) {
    last = detail::improve(scores, width, f);
  }
  if (last == detail::fit_step::undetermined || !(f.slope > least_slope)) return std::nullopt;
  for (std::size_t at = 0; at < scores.size(); at += width) {
    const double norm = detail::norm_of(scores.subspan(at, width), f.slope, f.offset).norm;
    f.deviation = std::fmax(f.deviation, std::abs(norm - 1.0));
  }
  return f;
}

}  // namespace tombola::analysis
