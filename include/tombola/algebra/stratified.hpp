#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tombola/algebra/chance.hpp"
#include "tombola/algebra/detail/overlap_law.hpp"
#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/core/detail/threads.hpp"
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
  estimate expected_jaccard;      ///< its mean; undefined (nothing_kept) if both masks are empty
  double p_at_least = 1.0;        ///< probability of at least the observed overlap
  double log_p_at_least = 0.0;    ///< natural logarithm; a number where p_at_least is 0
  std::size_t draws = 0;          ///< 0: expected_jaccard and p_at_least are exact
};

/// The overlap of two masks against chance within strata, such as the layers that
/// count_overlap_by_group() gives.
///
/// The mean Jaccard index is one over the draws; p_at_least is (1 + draws that reach it) / (1 +
/// draws): never 0, and valid for any number of draws. The same seed gives the same draws. Throws
/// input_error for no draw. Cost: one random number and one look into a table per stratum and draw.
/// Memory: about 18 standard deviations of a stratum's law, and the draws.
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
    const detail::law_sampler law{detail::hypergeometric_law(strata[s], 1e-17)};
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
  c.log_p_at_least = std::log(c.p_at_least);
  c.expected_jaccard = sizes > 0 ? defined(jaccards / all) : undefined(reason::nothing_kept);
  return c;
}

namespace detail {

/// The multiplications that the exact law of a sum over strata may take: some ten milliseconds.
inline constexpr double exact_limit = 1e7;

/// What multiplying out the laws of all strata costs, from above, for tails of 37 standard
/// deviations (which fall below 1e-297).
[[nodiscard]] inline double cost_of_exact(std::span<const overlap> strata) {
  double cost = 0.0, width = 1.0;
  for (const overlap& o : strata) {
    const auto highest = static_cast<double>(std::min(o.first(), o.second()));
    const double own = 1.0 + std::min(highest, 74.0 * std::sqrt(variance_of_both(o)));
    cost += width * own;
    width += own;
  }
  return cost;
}

/// chance_within() from the law itself. Its tails end below 1e-297: of a probability below 1e-290 no
/// more is known than that, and it is given as 0, its logarithm as that of 1e-290.
[[nodiscard]] inline stratified_chance exact_chance_within(std::span<const overlap> strata) {
  stratified_chance c;
  const overlap observed = pooled(strata);
  law_of_both law{0, {1.0}};
  for (const overlap& o : strata) {
    c.expected_both += expected_both(o);
    c.variance_of_both += variance_of_both(o);
    law = convolved(law, hypergeometric_law(o, 1e-297));
  }
  const std::size_t sizes = observed.first() + observed.second();
  double reach = 0.0, jaccards = 0.0;
  for (std::size_t i = law.probability.size(); i-- > 0;) {
    const std::size_t both = law.lowest + i;
    if (both >= observed.both) reach += law.probability[i];
    if (sizes == 0) continue;
    jaccards += law.probability[i] * static_cast<double>(both) / static_cast<double>(sizes - both);
  }
  constexpr double known = 1e-290;
  if (observed.both <= law.lowest) reach = 1.0;
  c.p_at_least = reach < known ? 0.0 : std::min(reach, 1.0);
  c.log_p_at_least = std::log(std::max(c.p_at_least, known));
  c.expected_jaccard = sizes > 0 ? defined(jaccards) : undefined(reason::nothing_kept);
  return c;
}

}  // namespace detail

/// What chance gives for two tickets whose groups keep their sizes, from the overlap in each group
/// (count_overlap_by_group).
///
/// Exact for one group, and for several that are small, such as heads and MLPs; matrices of
/// weights are drawn, by the same seed always. Throws input_error for no draw. Cost: some ten
/// milliseconds, or as chance_within.
[[nodiscard]] inline stratified_chance chance_within_groups(std::span<const overlap> groups,
                                                            std::size_t draws = 10'000) {
  if (draws == 0) throw input_error("chance_within_groups: 0 draws, expected at least one");
  if (groups.size() == 1) {
    const overlap& o = groups[0];
    return {expected_both(o), variance_of_both(o), expected_jaccard(o),
            p_at_least(o),    log_p_at_least(o),   0};
  }
  if (detail::cost_of_exact(groups) <= detail::exact_limit) {
    return detail::exact_chance_within(groups);
  }
  return chance_within(groups, 1, draws);
}

/// chance_within_groups() of every pair of k tickets: of[g][i] is pair i in group g, as
/// count_overlaps() of the groups' masks gives it. The threads share the pairs; no bit depends on
/// their number. Throws shape_error if the groups have different numbers of pairs.
[[nodiscard]] inline std::vector<stratified_chance> chance_within_groups(
    std::span<const std::vector<pair_overlap>> of,
    std::size_t draws = 10'000,
    std::size_t threads = 1) {
  const std::size_t pairs = of.empty() ? 0 : of[0].size();
  for (const auto& group : of) {
    if (group.size() != pairs) {
      throw shape_error("chance_within_groups: " + std::to_string(group.size()) +
                        " pairs in a group, expected " + std::to_string(pairs) +
                        " as in the first");
    }
  }
  std::vector<stratified_chance> chance(pairs);
  detail::in_slices(pairs, 1, threads, [&](std::size_t, std::size_t begin, std::size_t end) {
    std::vector<overlap> groups(of.size());
    for (std::size_t i = begin; i < end; ++i) {
      for (std::size_t g = 0; g < of.size(); ++g) groups[g] = of[g][i].counts;
      chance[i] = chance_within_groups(groups, draws);
    }
  });
  return chance;
}

/// What chance gives for the mean Jaccard index of several pairs. Undefined (too_few_masks) without
/// a pair, and where any pair is, as mean_over_pairs().
[[nodiscard]] inline estimate mean_expected_jaccard(std::span<const stratified_chance> pairs) {
  if (pairs.empty()) return undefined(reason::too_few_masks);
  double sum = 0.0;
  for (const stratified_chance& c : pairs) {
    if (!c.expected_jaccard.defined()) return c.expected_jaccard;
    sum += c.expected_jaccard.value;
  }
  return defined(sum / static_cast<double>(pairs.size()));
}

}  // namespace tombola
