#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tombola/algebra/chance.hpp"
#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/random.hpp"

namespace tombola {

// Chance for masks whose density differs by layer. Two masks that both prune the first layers
// hardest overlap more than masks of their sizes do by chance, even where within each layer they
// agree no better than that. Here the layers, or any other strata, keep their sizes, and only which
// units of a stratum are kept is drawn at random.

/// What chance within strata gives, and how the observed overlap stands to it.
struct stratified_chance {
  double expected_both = 0.0;     ///< units that both masks keep, on the average; exact
  double variance_of_both = 0.0;  ///< exact
  estimate expected_jaccard;  ///< mean over the draws; undefined (nothing_kept) if both are empty
  double p_at_least = 1.0;    ///< share of draws with at least the observed overlap
  std::size_t draws = 0;      ///< 0: expected_jaccard and p_at_least are exact
};

namespace detail {

/// The hypergeometric law of a pair's sizes as values and cumulative probabilities, without tails
/// below 1e-17.
class overlap_law {
public:
  explicit overlap_law(const overlap& o) {
    const std::size_t n = o.size(), a = o.first(), b = o.second();
    const std::size_t lowest = a > n - b ? a - (n - b) : 0, highest = std::min(a, b);
    const auto mean = static_cast<std::size_t>(expected_both(o));
    const overlap middle = overlap_of_sizes(n, a, b, std::clamp(mean, lowest, highest));
    std::vector<double> below, above;
    walk(middle, odds_of_one_less, one_less, below);
    walk(middle, odds_of_one_more, one_more, above);
    first_ = middle.both - below.size();
    double sum = 0.0;
    const auto add = [&](double weight) { cumulative_.push_back(sum += weight); };
    for (std::size_t i = below.size(); i-- > 0;) add(below[i]);
    add(1.0);
    for (const double weight : above) add(weight);
    for (double& c : cumulative_) c /= sum;
  }

  /// The value that a uniform number in [0, 1) stands for.
  [[nodiscard]] std::size_t at(double uniform) const noexcept {
    const auto place = std::upper_bound(cumulative_.begin(), cumulative_.end(), uniform);
    const auto i = static_cast<std::size_t>(place - cumulative_.begin());
    return first_ + std::min(i, cumulative_.size() - 1);
  }

private:
  template <class Odds, class Step>
  static void walk(overlap at, Odds odds, Step step, std::vector<double>& weights) {
    double weight = 1.0;
    for (double r = odds(at); r > 0.0 && weight * r > 1e-17; r = odds(at)) {
      at = step(at);
      weights.push_back(weight *= r);
    }
  }

  std::size_t first_ = 0;
  std::vector<double> cumulative_;
};

}  // namespace detail

/// The overlap of two masks against chance within strata, such as the layers that
/// count_overlap_by_group() gives.
///
/// p_at_least is (1 + draws that reach it) / (1 + draws): never 0, and valid for any number of
/// draws. The same seed gives the same draws. Throws input_error for no draw. Cost: one binary
/// search per stratum and draw. Memory: about 18 standard deviations of each stratum's law.
/// Source: B. Phipson, G. Smyth, "Permutation p-values should never be zero", Statistical
/// Applications in Genetics and Molecular Biology 9(1), 2010.
[[nodiscard]] inline stratified_chance chance_within(std::span<const overlap> strata,
                                                     std::uint64_t seed,
                                                     std::size_t draws = 10'000) {
  if (draws == 0) throw input_error("chance_within: 0 draws, expected at least one");
  stratified_chance c;
  c.draws = draws;
  overlap observed;
  std::vector<std::size_t> drawn(draws, 0);
  for (std::size_t s = 0; s < strata.size(); ++s) {
    observed += strata[s];
    c.expected_both += expected_both(strata[s]);
    c.variance_of_both += variance_of_both(strata[s]);
    const detail::overlap_law law{strata[s]};
    const random_stream random{seed, purpose::chance, static_cast<std::uint32_t>(s)};
    for (std::size_t d = 0; d < draws; ++d) drawn[d] += law.at(random.uniform(d));
  }
  const std::size_t sizes = observed.first() + observed.second();
  std::size_t reach = 0;
  double jaccards = 0.0;
  for (const std::size_t both : drawn) {
    reach += both >= observed.both ? 1U : 0U;
    if (sizes > 0) jaccards += static_cast<double>(both) / static_cast<double>(sizes - both);
  }
  const auto all = static_cast<double>(draws);
  c.p_at_least = (1.0 + static_cast<double>(reach)) / (1.0 + all);
  c.expected_jaccard = sizes > 0 ? defined(jaccards / all) : undefined(reason::nothing_kept);
  return c;
}

/// What chance gives for two tickets whose groups keep their sizes, from the overlap in each group
/// (count_overlap_by_group). One group alone is exact; several are drawn, by the same seed always.
/// Cost: as chance_within, or as the exact law's.
[[nodiscard]] inline stratified_chance chance_within_groups(std::span<const overlap> groups,
                                                            std::size_t draws = 10'000) {
  if (groups.size() != 1) return chance_within(groups, 1, draws);
  const overlap& o = groups[0];
  return {expected_both(o), variance_of_both(o), expected_jaccard(o), p_at_least(o), 0};
}

}  // namespace tombola
