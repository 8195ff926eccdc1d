#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/detail/compare_magnitudes.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/random.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/prune/key_selection.hpp"

namespace tombola {

/// The weights of one tensor as a group of units, wherever they lie. Nothing is copied.
struct weight_span {
  tombola::group group;
  std::span<const float> values;  ///< [group.size()], row-major over the group's extents
};

/// Which end of the ranking goes.
enum class removal {
  smallest_first,  ///< magnitude pruning
  largest_first,   ///< its opposite, the `bad` ticket of the study
};

namespace detail {

/// Throws shape_error, naming the group, if a span has another number of values than its group has
/// units.
[[nodiscard]] inline std::vector<group> groups_of(std::span<const weight_span> weights) {
  std::vector<group> groups;
  groups.reserve(weights.size());
  for (const weight_span& w : weights) {
    if (w.values.size() != w.group.size()) {
      throw shape_error("weights of " + to_string(w.group) + ": " +
                        std::to_string(w.values.size()) + " values, expected " +
                        std::to_string(w.group.size()));
    }
    groups.push_back(w.group);
  }
  return groups;
}

}  // namespace detail

/// The full ticket over some weights. Throws shape_error, naming the group, if a span has another
/// number of values than its group has units, input_error if two groups have one name.
[[nodiscard]] inline ticket full_ticket(std::span<const weight_span> weights) {
  return ticket{detail::groups_of(weights)};
}

namespace detail {

inline constexpr std::uint32_t infinite_bits = 0x7F800000;

/// The magnitudes of some weights as keys, one by one or 64 at a time.
struct magnitude_keys {
  const float* values = nullptr;
  std::uint32_t flip = 0;  ///< magnitude_bits: the largest first

  [[nodiscard]] std::uint32_t operator()(std::size_t unit) const noexcept {
    return magnitude_key(values[unit]) ^ flip;
  }
  void sort(std::size_t first_word,
            std::size_t words,
            std::uint32_t low,
            std::uint32_t high,
            std::uint64_t* below,
            std::uint64_t* within) const noexcept {
    const float* from = values + first_word * bits_per_word;
    fastest_magnitudes().sort(from, words, {flip, low, high}, below, within);
  }
};

/// Scores order as these integers do: those of negative numbers reversed below those of positive
/// ones, -0 as 0. Precondition: not NaN.
[[nodiscard]] inline std::uint32_t score_key(float x) noexcept {
  constexpr std::uint32_t sign = ~magnitude_bits;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if (bits == sign) return sign;  // -0: the key of 0
  return (bits & sign) != 0 ? ~bits : bits | sign;
}

/// Looks at the bits, so that a build with -ffast-math finds a NaN too.
inline void require_no_nan(std::span<const weight_span> weights,
                           std::size_t threads,
                           const char* what = "weights") {
  std::vector<key_tile> tiles;
  for (std::size_t g = 0; g < weights.size(); ++g) {
    tiles.push_back({g, 0, words_for(weights[g].values.size())});
  }
  std::vector<std::uint32_t> largest(weights.size(), 0);
  over_tiles(tiles.size(), workers_for(tiles, threads), [&](std::size_t g, std::size_t) {
    const std::span<const float> values = weights[g].values;
    const std::size_t words = values.size() / bits_per_word;
    std::uint32_t most = fastest_magnitudes().largest(values.data(), words);
    for (const float v : values.subspan(words * bits_per_word)) {
      most = std::max(most, magnitude_key(v));
    }
    largest[g] = most;
  });
  for (std::size_t g = 0; g < weights.size(); ++g) {
    if (largest[g] <= infinite_bits) continue;
    const weight_span& w = weights[g];
    std::size_t i = 0;
    while (magnitude_key(w.values[i]) <= infinite_bits) ++i;
    throw input_error(std::string{what} + " of " + to_string(w.group) + ": value " +
                      std::to_string(i) + " is NaN, expected a number");
  }
}

/// The masks of a ticket, to be changed and put back.
[[nodiscard]] inline std::vector<mask> masks_of(const ticket& t) {
  return {t.masks().begin(), t.masks().end()};
}

/// The ticket with other masks and the same groups; where it comes from is no longer known.
[[nodiscard]] inline ticket with_masks(const ticket& t, std::vector<mask> masks) {
  return {{t.groups().begin(), t.groups().end()}, std::move(masks)};
}

/// Removes k of the weights that the masks keep, by magnitude. The masks fit the weights.
inline void remove_by_magnitude(std::span<const weight_span> weights,
                                std::span<mask> masks,
                                std::size_t k,
                                removal first,
                                std::size_t threads) {
  require_no_nan(weights, threads);
  const std::uint32_t flip = first == removal::largest_first ? magnitude_bits : 0;
  const auto keys_of = [weights, flip](std::size_t g) {
    return magnitude_keys{weights[g].values.data(), flip};
  };
  remove_lowest_keys(masks, k, 32, keys_of, threads);
}

}  // namespace detail

/// Removes k of the weights that `current` keeps, by magnitude, in one ranking over all groups.
///
/// Of equal magnitudes the lower index is kept, counted through the groups in listed order; 0 and
/// -0 are equal, denormals count as the numbers they are, infinity is the largest.
/// Throws input_error at the first NaN, naming group and index, and if fewer than k weights are
/// kept; shape_error if spans, groups and ticket do not fit.
/// threads: 0 for all that the machine has; the result is the same for any number.
/// Cost: three passes over the weights, no copy of them, no sort; the ticket's bits are copied.
/// Source: S. Han et al., "Learning both weights and connections", NIPS 2015 (by magnitude);
/// spec 4.4 (one ranking over the whole set).
[[nodiscard]] inline ticket remove_by_magnitude(std::span<const weight_span> weights,
                                                const ticket& current,
                                                std::size_t k,
                                                removal first = removal::smallest_first,
                                                std::size_t threads = 0) {
  if (!std::ranges::equal(detail::groups_of(weights), current.groups())) {
    require_same_groups(full_ticket(weights), current);  // says what differs
  }
  std::vector<mask> masks = detail::masks_of(current);
  detail::remove_by_magnitude(weights, masks, k, first, threads);
  return detail::with_masks(current, std::move(masks));
}

/// The same from the full ticket. Memory: the ticket's bits, and what the selection needs.
[[nodiscard]] inline ticket remove_by_magnitude(std::span<const weight_span> weights,
                                                std::size_t k,
                                                removal first = removal::smallest_first,
                                                std::size_t threads = 0) {
  std::vector<group> groups = detail::groups_of(weights);
  std::vector<mask> masks;
  masks.reserve(groups.size());
  for (const group& g : groups) masks.push_back(mask::all_kept(g.size()));
  detail::remove_by_magnitude(weights, masks, k, first, threads);
  return {std::move(groups), std::move(masks)};
}

/// Removes the k weights that `current` keeps with the lowest scores, in one ranking over all
/// groups: for scores of single weights, such as Wanda's or Taylor's, which are too many to be
/// listed.
///
/// scores_of: a score for each weight, as spans. Of equal scores the lower index is kept, counted
/// through the groups in listed order; 0 and -0 are equal, infinities rank at both ends.
/// Throws and costs as remove_by_magnitude.
[[nodiscard]] inline ticket remove_by_score(std::span<const weight_span> scores_of,
                                            const ticket& current,
                                            std::size_t k,
                                            std::size_t threads = 0) {
  require_same_groups(full_ticket(scores_of), current);
  detail::require_no_nan(scores_of, threads, "scores");
  std::vector<mask> masks = detail::masks_of(current);
  const auto keys_of = [scores_of](std::size_t g) {
    return [values = scores_of[g].values.data()](std::size_t unit) {
      return detail::score_key(values[unit]);
    };
  };
  remove_lowest_keys(std::span{masks}, k, 32, keys_of, threads);
  return detail::with_masks(current, std::move(masks));
}

/// Removes exactly k of the units that `current` keeps, every choice of k equally likely.
///
/// The unit with number i over all groups has the 64-bit key number i of the stream; the k lowest
/// go. What is drawn depends on the stream alone, not on threads.
/// Throws input_error if fewer than k units are kept.
[[nodiscard]] inline ticket remove_at_random(const ticket& current,
                                             std::size_t k,
                                             const random_stream& r,
                                             std::size_t threads = 0) {
  std::vector<mask> masks = detail::masks_of(current);
  std::vector<std::size_t> first(masks.size());
  for (std::size_t g = 1; g < masks.size(); ++g) first[g] = first[g - 1] + masks[g - 1].size();
  const auto keys_of = [&](std::size_t g) {
    return [r, before = first[g]](std::size_t unit) { return r.bits(before + unit); };
  };
  remove_lowest_keys(std::span{masks}, k, 64, keys_of, threads);
  return detail::with_masks(current, std::move(masks));
}

}  // namespace tombola
