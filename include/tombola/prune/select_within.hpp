#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/prune/select.hpp"

/// Global selection between floors and caps: one ranking over all groups, but no layer or group
/// ends with fewer units than its floor or more than its cap.
///
///   // At least one head in every layer, as in the study's first masks.
///   ticket less = remove_lowest_within(full, all_scores, 14, part::layer, std::array{limits{1}});
namespace tombola {

/// What limits count by.
enum class part {
  group,  ///< a whole group
  layer,  ///< one index of a group's first extent: the 12 heads of a layer of `heads` (12 x 12)
};

/// How many units of one part may be left: at least, and at most.
struct limits {
  std::size_t least = 0;
  std::size_t most = std::numeric_limits<std::size_t>::max();

  friend bool operator==(const limits&, const limits&) = default;
};

/// Parts of a group: 1, or its first extent. A group without extents is one part.
[[nodiscard]] inline std::size_t parts_of(const group& g, part by) {
  return by == part::group || g.extents.empty() ? 1 : g.extents.front();
}

namespace detail {

/// One part of a ticket: its units lie in one group, one after the other.
struct ticket_part {
  std::size_t group = 0;
  std::size_t first = 0, size = 0;  ///< units of the group
  limits allowed;
};

[[nodiscard]] inline std::string name_of(const ticket& t, const ticket_part& p, part by) {
  const group& g = t.groups()[p.group];
  return by == part::group ? to_string(g)
                           : "layer " + std::to_string(p.size == 0 ? 0 : p.first / p.size) +
                                 " of " + to_string(g);
}

/// The parts of all groups in listed order, with their limits. Throws as remove_lowest_within.
[[nodiscard]] inline std::vector<ticket_part> cut_into_parts(const ticket& t,
                                                             part by,
                                                             std::span<const limits> allowed) {
  std::vector<ticket_part> parts;
  for (std::size_t g = 0; g < t.groups().size(); ++g) {
    const std::size_t n = parts_of(t.groups()[g], by);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t size = t[g].size() / n;
      parts.push_back({g, i * size, size, {}});
    }
  }
  if (allowed.size() != 1 && allowed.size() != parts.size()) {
    throw shape_error("selection: limits for " + std::to_string(allowed.size()) +
                      (by == part::group ? " groups" : " layers") + ", expected " +
                      std::to_string(parts.size()) + ", or 1 for all");
  }
  for (std::size_t p = 0; p < parts.size(); ++p) {
    parts[p].allowed = allowed[allowed.size() == 1 ? 0 : p];
    if (parts[p].allowed.least > parts[p].allowed.most) {
      throw input_error("selection: " + name_of(t, parts[p], by) + " is to keep at least " +
                        std::to_string(parts[p].allowed.least) + " units and at most " +
                        std::to_string(parts[p].allowed.most));
    }
  }
  return parts;
}

}  // namespace detail

/// Removes k units in one ranking over all groups, so that every part keeps as many units as its
/// limits allow.
///
/// In each part the `least` highest scores stay and those beyond the `most` highest go; of all
/// others together the highest stay. So a unit goes before one with a lower score only where a
/// limit demands it, and of all tickets that meet the limits with this number of units, this one
/// keeps the highest-ranked units throughout (the greedy choice is exact: what limits on disjoint
/// parts allow are the bases of a matroid). Of equal scores the unit that comes earlier is kept,
/// counted through the groups in listed order. allowed: one for each part, groups in listed order
/// and layers rising in each; or one for all.
/// Throws shape_error if scores or limits do not fit the ticket; input_error, naming the numbers,
/// where a part has lost more units already than its floor allows, or where the limits leave no
/// choice of k. Cost: n log n in the number of units.
[[nodiscard]] inline ticket remove_lowest_within(
    ticket t, std::span<const scores> s, std::size_t k, part by, std::span<const limits> allowed) {
  if (s.size() != t.groups().size()) {
    throw shape_error("selection: scores for " + std::to_string(s.size()) + " groups, expected " +
                      std::to_string(t.groups().size()));
  }
  const auto parts = detail::cut_into_parts(t, by, allowed);
  const std::size_t kept = t.count();
  std::vector<detail::ranked_unit> gone, choice;  // beyond a cap; between floor and cap
  for (std::size_t p = 0, g = t.groups().size(); p < parts.size(); ++p) {
    const detail::ticket_part& its = parts[p];
    if (its.group != g) {
      g = its.group;
      if (s[g].size() != t[g].size()) {
        throw shape_error("selection: scores for " + to_string(s[g].group()) + " and a mask over " +
                          std::to_string(t[g].size()) + " units");
      }
    }
    std::vector<detail::ranked_unit> units;
    for (std::size_t u = its.first; u < its.first + its.size; ++u) {
      if (t[g][u]) units.push_back({s[g][u], g, u});
    }
    if (units.size() < its.allowed.least) {
      throw input_error("selection: " + detail::name_of(t, its, by) + " has " +
                        std::to_string(units.size()) + " units left, expected at least " +
                        std::to_string(its.allowed.least));
    }
    std::sort(units.begin(), units.end(), detail::goes_first);
    const std::size_t over = units.size() - std::min(units.size(), its.allowed.most);
    const auto first = units.begin() + static_cast<std::ptrdiff_t>(over);
    const auto last = units.end() - static_cast<std::ptrdiff_t>(its.allowed.least);
    gone.insert(gone.end(), units.begin(), first);
    choice.insert(choice.end(), first, last);
  }
  const std::size_t fewest = gone.size(), most = fewest + choice.size();
  if (k < fewest || k > most) {
    throw input_error("selection: asked to remove " + std::to_string(k) + " units of " +
                      std::to_string(kept) + " kept, but the limits let go at least " +
                      std::to_string(fewest) + " and at most " + std::to_string(most));
  }
  detail::rank_lowest(choice, k - fewest);
  gone.insert(gone.end(), choice.begin(), choice.end());
  for (const auto& u : gone) t.set(u.group, u.unit, false);
  return t;
}

/// Removes the k[g] lowest scores of every layer of each group g, each layer by itself; of a layer
/// that has no more than that left, all. A group with k[g] = 0 stays as it is.
/// Throws shape_error unless there are scores and a number for every group.
[[nodiscard]] inline ticket remove_lowest_of_each_layer(ticket t,
                                                        std::span<const scores> s,
                                                        std::span<const std::size_t> k) {
  if (k.size() != t.groups().size()) {
    throw shape_error("selection: " + std::to_string(k.size()) + " sizes, expected " +
                      std::to_string(t.groups().size()));
  }
  std::vector<limits> left;
  std::size_t all = 0;
  for (const detail::ticket_part& p :
       detail::cut_into_parts(t, part::layer, std::array{limits{}})) {
    std::size_t kept = 0;
    for (std::size_t u = p.first; u < p.first + p.size; ++u) kept += t[p.group][u] ? 1U : 0U;
    const std::size_t go = std::min(k[p.group], kept);
    left.push_back({kept - go, kept - go});
    all += go;
  }
  return remove_lowest_within(std::move(t), s, all, part::layer, left);
}

}  // namespace tombola
