#pragma once

// Heavy: includes xtensor.

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include "tombola/analysis/study_arrays.hpp"
#include "tombola/core/error.hpp"

namespace tombola::analysis {

/// Mean and sample deviation over seeds of every unit, for every task.
template <std::size_t Axes>
struct seed_moments {
  std::vector<std::string> tasks;
  xt::xtensor<double, Axes + 1> mean;                      ///< [task, ...]
  std::optional<xt::xtensor<double, Axes + 1>> deviation;  ///< divisor n - 1; nothing with one seed
};

/// Both in two passes, in double: the deviation does not cancel where the mean is large. Of 0/1
/// masks the mean is the share of seeds that keep the unit (the study's heat maps of one task).
template <std::size_t Axes>
[[nodiscard]] seed_moments<Axes> over_seeds(const study_array<Axes>& a) {
  const std::size_t seeds = a.values.shape()[1];
  if (seeds == 0) throw input_error("over_seeds: an array without seeds");
  seed_moments<Axes> m{a.tasks, xt::sum(a.values, {1}) / static_cast<double>(seeds), std::nullopt};
  if (seeds < 2) return m;
  xt::xtensor<double, Axes + 1> squares = xt::zeros<double>(m.mean.shape());
  for (std::size_t s = 0; s < seeds; ++s) {
    squares += xt::square(xt::view(a.values, xt::all(), s) - m.mean);
  }
  m.deviation = xt::sqrt(squares / (static_cast<double>(seeds) - 1.0));
  return m;
}

/// Sums over tasks, seed by seed, as an array of one task of the given name. Of 0/1 masks it is the
/// number of tasks that keep a unit: the study's heat maps of all tasks, before mean and deviation.
template <std::size_t Axes>
[[nodiscard]] study_array<Axes> summed_over_tasks(const study_array<Axes>& a,
                                                  std::string name = "all") {
  study_array<Axes> all;
  all.tasks = {std::move(name)};
  all.seeds = a.seeds;
  auto shape = a.values.shape();
  shape[0] = 1;
  all.values.resize(shape);
  xt::view(all.values, 0) = xt::sum(a.values, {0});
  return all;
}

/// The mean over the heads of every layer, [task, seed, layer]: the study's entropies by layer.
[[nodiscard]] inline mlp_array layer_means(const head_array& a) {
  const std::size_t heads = a.values.shape()[3];
  if (heads == 0) throw input_error("layer_means: layers without heads");
  return {a.tasks, a.seeds, xt::sum(a.values, {3}) / static_cast<double>(heads), a.left_out};
}

/// Three numbers for a map over units: the study prints them under each heat map.
struct map_summary {
  double mean = 0.0;                ///< mean of the units' means
  std::optional<double> deviation;  ///< mean of the units' deviations
  std::size_t above = 0;            ///< units whose mean is larger than the threshold
};

/// The summary of one task's map. Precondition: the task is in range; the group has units.
template <std::size_t Axes>
[[nodiscard]] map_summary summarise(const seed_moments<Axes>& m,
                                    std::size_t task,
                                    double threshold) {
  const auto mean = xt::view(m.mean, task);
  const double units = static_cast<double>(mean.size());
  map_summary s{xt::sum(mean)() / units, std::nullopt, 0};
  if (m.deviation) s.deviation = xt::sum(xt::view(*m.deviation, task))() / units;
  for (const double x : mean) s.above += x > threshold ? 1U : 0U;
  return s;
}

}  // namespace tombola::analysis
