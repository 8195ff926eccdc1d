#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola {

/// Several masks over the same units: a vector, array, span or deque of anything that is a
/// unit_set. The masks of k seeds are k raters of n units.
template <class R>
concept unit_sets = requires(const R& r) {
  { r.size() } -> std::convertible_to<std::size_t>;
  requires unit_set<std::remove_cvref_t<decltype(r[0])>>;
};

/// Several tickets, of one model when they are to be compared.
template <class R>
concept tickets = requires(const R& r) {
  { r.size() } -> std::convertible_to<std::size_t>;
  requires std::same_as<std::remove_cvref_t<decltype(r[0])>, ticket>;
};

static_assert(unit_sets<std::vector<mask>> && unit_sets<std::span<const mask_view>>);
static_assert(!unit_sets<mask> && !unit_sets<std::vector<int>>);
static_assert(tickets<std::vector<ticket>> && !tickets<std::vector<mask>>);

/// Throws shape_error, starting with `what`, unless two masks have the same number of units.
template <unit_set A, unit_set B>
void require_same_size(const A& a, const B& b, const std::string& what) {
  if (a.size() != b.size()) {
    throw shape_error(what + ": masks over " + std::to_string(a.size()) + " and " +
                      std::to_string(b.size()) + " units");
  }
}

/// The number of units that all masks have, 0 where there is no mask. Throws shape_error, starting
/// with `what`, if they differ.
template <unit_sets R>
[[nodiscard]] std::size_t common_size(const R& masks, const std::string& what) {
  for (std::size_t j = 1; j < masks.size(); ++j) require_same_size(masks[0], masks[j], what);
  return masks.size() == 0 ? 0 : masks[0].size();
}

/// Throws shape_error, naming the first difference, unless all tickets have the same groups.
template <tickets R>
void require_same_groups(const R& several) {
  for (std::size_t j = 1; j < several.size(); ++j) require_same_groups(several[0], several[j]);
}

/// The masks that several tickets hold for one group, in the tickets' order.
///
/// Views: they live as long as the tickets do. Precondition: every ticket has that many groups.
template <tickets R>
[[nodiscard]] std::vector<mask_view> masks_of_group(const R& several, std::size_t group_index) {
  std::vector<mask_view> masks;
  masks.reserve(several.size());
  for (std::size_t j = 0; j < several.size(); ++j) masks.emplace_back(several[j][group_index]);
  return masks;
}

}  // namespace tombola
