#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tombola/analysis/moments.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"

namespace tombola::analysis {

/// How often each unit of a group survives, over seeds.
///
/// With one mask per seed the mean is the share of seeds that keep the unit; with one mask per task
/// and seed it is the number of tasks that do, on average.
struct unit_survival {
  std::size_t seeds = 0;
  std::vector<double> mean;                      ///< [n] over seeds
  std::vector<std::optional<double>> deviation;  ///< [n] over seeds, n - 1; nothing with one seed
};

/// Adds up the masks of each seed, then takes mean and deviation over seeds, unit by unit.
///
/// `by_seed[s]` holds the masks of seed s: one for each task, or a single one. Throws shape_error
/// if masks differ in size or seeds in their number of masks; input_error without a mask. Source:
/// the component heat maps of S. Prasanna, A. Rogers, A. Rumshisky, EMNLP 2020.
[[nodiscard]] inline unit_survival survivors(const std::vector<std::vector<mask>>& by_seed) {
  if (by_seed.empty() || by_seed[0].empty()) throw input_error("survivors: no masks");
  const std::size_t n = by_seed[0][0].size();
  for (const auto& masks : by_seed) {
    if (masks.size() != by_seed[0].size()) {
      throw shape_error("survivors: seeds of " + std::to_string(by_seed[0].size()) + " and " +
                        std::to_string(masks.size()) + " masks");
    }
    for (const mask& m : masks) {
      if (m.size() != n) {
        throw shape_error("survivors: masks over " + std::to_string(n) + " and " +
                          std::to_string(m.size()) + " units");
      }
    }
  }
  unit_survival s;
  s.seeds = by_seed.size();
  std::vector<double> sums(by_seed.size());
  for (std::size_t unit = 0; unit < n; ++unit) {
    for (std::size_t k = 0; k < by_seed.size(); ++k) {
      sums[k] = 0.0;
      for (const mask& m : by_seed[k]) sums[k] += m[unit] ? 1.0 : 0.0;
    }
    const moments over_seeds = moments_of(sums);
    s.mean.push_back(*over_seeds.mean);
    s.deviation.push_back(over_seeds.deviation);
  }
  return s;
}

/// A survival in three numbers.
struct survival_summary {
  double mean = 0.0;                ///< mean of the units' means
  std::optional<double> deviation;  ///< mean of the units' deviations; nothing with one seed
  std::size_t above = 0;            ///< units whose mean is larger than the threshold
};

/// Summarises over units. Throws input_error for a group without units.
[[nodiscard]] inline survival_summary summarise(const unit_survival& s, double threshold) {
  if (s.mean.empty()) throw input_error("survivors: a group without units");
  survival_summary all;
  double deviations = 0.0;
  for (std::size_t i = 0; i < s.mean.size(); ++i) {
    all.mean += s.mean[i];
    deviations += s.deviation[i].value_or(0.0);
    all.above += s.mean[i] > threshold ? 1U : 0U;
  }
  const double n = static_cast<double>(s.mean.size());
  all.mean /= n;
  if (s.seeds > 1) all.deviation = deviations / n;
  return all;
}

}  // namespace tombola::analysis
