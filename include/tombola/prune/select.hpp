#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/prune/schedule.hpp"

/// Selection: scores and a number to a mask, for units that are few enough to be listed. Heads,
/// MLPs and neurons are; for single weights see weights.hpp, which keeps the same rule for ties.
/// Rows and n of m: select_rows.hpp. Floors and caps for groups or layers: select_within.hpp.
///
///   mask best_30 = keep_highest(scores_of_heads, 30);
///   ticket less = remove_lowest(full, all_scores, 14);   // in one ranking over all groups
///
/// Every function here is exact in number: k units go, never more because some are equal.
namespace tombola {

namespace detail {

/// A kept unit with its rank: its score, and its number over all groups in listed order.
struct ranked_unit {
  float score = 0.0F;
  std::size_t group = 0;
  std::size_t unit = 0;
};

/// Whether a goes before b: the lower score, and of equal scores the later unit.
[[nodiscard]] inline bool goes_first(const ranked_unit& a, const ranked_unit& b) noexcept {
  if (a.score != b.score) return a.score < b.score;
  return a.group != b.group ? a.group > b.group : a.unit > b.unit;
}

inline void append_kept(std::vector<ranked_unit>& units,
                        const mask& kept,
                        const scores& s,
                        std::size_t group_index) {
  if (kept.size() != s.size()) {
    throw shape_error("selection: scores for " + to_string(s.group()) + " and a mask over " +
                      std::to_string(kept.size()) + " units");
  }
  for (std::size_t u = 0; u < kept.size(); ++u) {
    if (kept[u]) units.push_back({s[u], group_index, u});
  }
}

/// Cuts the list down to the k units that go, in no order. Throws input_error if there are fewer.
inline void rank_lowest(std::vector<ranked_unit>& units, std::size_t k) {
  if (k > units.size()) {
    throw input_error("selection: asked to remove " + std::to_string(k) + " units of " +
                      std::to_string(units.size()) + " kept");
  }
  std::nth_element(units.begin(), units.begin() + static_cast<std::ptrdiff_t>(k), units.end(),
                   goes_first);
  units.resize(k);
}

}  // namespace detail

/// Removes the k lowest scores among the units that `kept` keeps.
///
/// Of equal scores the lower index is kept: the higher one is removed first.
/// Throws shape_error if mask and scores differ in size, input_error if fewer than k are kept.
/// Cost: linear in the units, on average.
[[nodiscard]] inline mask remove_lowest(mask kept, const scores& s, std::size_t k) {
  std::vector<detail::ranked_unit> units;
  detail::append_kept(units, kept, s, 0);
  detail::rank_lowest(units, k);
  for (const auto& u : units) kept.set(u.unit, false);
  return kept;
}

/// Keeps the k highest scores of a group; of equal scores the lower index is kept.
/// Throws input_error if the group has fewer than k units.
[[nodiscard]] inline mask keep_highest(const scores& s, std::size_t k) {
  if (k > s.size()) {
    throw input_error("selection: asked to keep " + std::to_string(k) + " units of " +
                      to_string(s.group()));
  }
  return remove_lowest(mask::all_kept(s.size()), s, s.size() - k);
}

/// Removes the k lowest scores of all groups together, in one ranking.
///
/// s: one scores for each group. Of equal scores the unit that comes earlier is kept, counted
/// through the groups in listed order. Scores of different groups are compared as they are:
/// normalise them first where their scales differ.
/// Throws shape_error if the scores do not fit the ticket, input_error if fewer than k are kept.
[[nodiscard]] inline ticket remove_lowest(ticket t, std::span<const scores> s, std::size_t k) {
  if (s.size() != t.groups().size()) {
    throw shape_error("selection: scores for " + std::to_string(s.size()) + " groups, expected " +
                      std::to_string(t.groups().size()));
  }
  std::vector<detail::ranked_unit> units;
  for (std::size_t g = 0; g < s.size(); ++g) detail::append_kept(units, t[g], s[g], g);
  detail::rank_lowest(units, k);
  for (const auto& u : units) t.set(u.group, u.unit, false);
  return t;
}

/// Removes the k[g] lowest scores of each group g by itself; a group with k[g] = 0 stays as it is.
/// Throws shape_error unless there are scores and a number for every group, else as the others do.
[[nodiscard]] inline ticket remove_lowest_of_each(ticket t,
                                                  std::span<const scores> s,
                                                  std::span<const std::size_t> k) {
  if (s.size() != t.groups().size() || k.size() != t.groups().size()) {
    throw shape_error("selection: scores for " + std::to_string(s.size()) + " groups and " +
                      std::to_string(k.size()) + " sizes, expected " +
                      std::to_string(t.groups().size()) + " of each");
  }
  for (std::size_t g = 0; g < s.size(); ++g) {
    if (k[g] > 0) t.replace(g, remove_lowest(t[g], s[g], k[g]));
  }
  return t;
}

/// Removes a share of the units that are left, in one ranking over all groups: remove_lowest of
/// share_of(share, t.count()). Throws input_error unless 0 <= share <= 1, else as remove_lowest.
[[nodiscard]] inline ticket remove_lowest_share(ticket t, std::span<const scores> s, double share) {
  const std::size_t k = share_of(share, t.count());
  return remove_lowest(std::move(t), s, k);
}

/// Removes the same share of what is left of each group: share_of(share, t[g].count()) of group g.
/// Throws input_error unless 0 <= share <= 1, else as remove_lowest_of_each.
[[nodiscard]] inline ticket remove_lowest_share_of_each(ticket t,
                                                        std::span<const scores> s,
                                                        double share) {
  std::vector<std::size_t> k;
  for (const mask& m : t.masks()) k.push_back(share_of(share, m.count()));
  return remove_lowest_of_each(std::move(t), s, k);
}

}  // namespace tombola
