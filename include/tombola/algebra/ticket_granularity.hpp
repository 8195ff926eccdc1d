#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tombola/algebra/granularity.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola {

// Whole tickets from fine units to coarse ones and back, each group by its own place:
//
//   ticket rows = lift(weights, row_groups, [&](std::size_t g) { return blocks{columns[g]}; }, rule);

/// What gives each group, by its number in the ticket, the place of its fine units.
template <class P>
concept places = requires(const P& place_of, std::size_t g) {
  { place_of(g) } -> std::invocable<std::size_t>;
};

namespace detail {

/// f(g) for each group as a ticket over `groups`. Throws shape_error, starting with `what` and
/// naming the first group that does not fit, where their numbers differ or f finds no place for a
/// unit.
template <class F>
[[nodiscard]] ticket regrouped(const ticket& from,
                               std::vector<group> groups,
                               const char* what,
                               F f) {
  if (from.groups().size() != groups.size()) {
    throw shape_error(std::string{what} + ": ticket of " + std::to_string(from.groups().size()) +
                      " groups, expected " + std::to_string(groups.size()));
  }
  std::vector<mask> masks;
  masks.reserve(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    try {
      masks.push_back(f(g));
    } catch (const shape_error& e) {
      throw shape_error(std::string{what} + ": from group " + to_string(from.groups()[g]) + " to " +
                        to_string(groups[g]) + ", " + e.what());
    }
  }
  return ticket{std::move(groups), std::move(masks)};
}

}  // namespace detail

/// The coarse ticket of a fine one: group g of `coarse` has the coarse units of fine group g, and
/// is lifted by place_of(g). The provenance is empty: this is not what a search found.
///
/// Throws shape_error, naming both groups, at the first of which a fine unit belongs to no coarse
/// one, and where there are not as many groups; input_error if two groups have one name. Cost: one
/// call of place per fine unit.
template <places PlaceOf>
[[nodiscard]] ticket lift(const ticket& fine,
                          std::vector<group> coarse,
                          const PlaceOf& place_of,
                          lift_rule rule) {
  const std::vector<group> groups = coarse;
  return detail::regrouped(fine, std::move(coarse), "lift", [&](std::size_t g) {
    return lift(fine[g], groups[g].size(), place_of(g), rule);
  });
}

/// The fine ticket of a coarse one: group g of `fine` is kept where the coarse units are that
/// place_of(g) gives. Throws and costs as lift.
template <places PlaceOf>
[[nodiscard]] ticket lower(const ticket& coarse, std::vector<group> fine, const PlaceOf& place_of) {
  const std::vector<group> groups = fine;
  return detail::regrouped(coarse, std::move(fine), "lower", [&](std::size_t g) {
    return lower(coarse[g], groups[g].size(), place_of(g));
  });
}

}  // namespace tombola
