#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tombola/algebra/sets.hpp"
#include "tombola/algebra/survival.hpp"
#include "tombola/algebra/unit_sets.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola {

// Which units k masks agree to keep: core, periphery and rest make up all units, no unit twice.
//
// All throw shape_error where sizes or groups differ, and input_error where there is no mask. Where
// a number is enough, build nothing: count_survival() counts all of these in one pass, and its
// kept_by_all(), in_periphery(), kept_by_none(), kept_by_at_least() and kept_by_share() say how
// many.

/// Units that r masks keep, or more: all units for r = 0. Throws input_error if r is above k.
/// Cost: one pass over the k masks, about k operations per 64 units.
template <unit_sets R>
[[nodiscard]] mask kept_by_at_least(const R& masks, std::size_t r) {
  if (masks.size() == 0) throw input_error("kept_by_at_least: no mask, expected at least one");
  detail::require_masks(r, masks.size(), "kept_by_at_least");
  mask kept{common_size(masks, "kept_by_at_least")};
  detail::for_counted_words(kept.size(), detail::words_of(masks),
                            [&](std::size_t first, std::uint64_t units, const auto& counter) {
                              kept.set_word(first / bits_per_word,
                                            counter.units_at_least(r) & units);
                            });
  return kept;
}

/// Units that at least this share of the masks keeps, and one of them: 0 asks for one mask, 0.5 for
/// half of them, 1 for all. Throws input_error outside [0, 1].
template <unit_sets R>
[[nodiscard]] mask kept_by_share(const R& masks, double share) {
  return kept_by_at_least(masks, detail::masks_of_share(masks.size(), share, "kept_by_share"));
}

/// The core: units that every mask keeps. The same as intersected(); over the seeds of a task, the
/// study's `super` units.
template <unit_sets R>
[[nodiscard]] mask core_of(const R& masks) {
  return intersected(masks);
}

/// The periphery: units that some masks keep and others prune. Empty for one mask.
template <unit_sets R>
[[nodiscard]] mask periphery_of(const R& masks) {
  mask some = united(masks);
  subtract(some, intersected(masks));
  return some;
}

/// The rest: units that no mask keeps.
template <unit_sets R>
[[nodiscard]] mask kept_by_none(const R& masks) {
  mask rest = united(masks);
  invert(rest);
  return rest;
}

// Of tickets, group by group: k counts tickets, and r of them are asked for in every group. The
// result has their groups and an empty provenance.

template <tickets R>
[[nodiscard]] ticket kept_by_at_least(const R& several, std::size_t r) {
  return detail::by_group(several, "kept_by_at_least",
                          [r](const auto& masks) { return kept_by_at_least(masks, r); });
}
template <tickets R>
[[nodiscard]] ticket kept_by_share(const R& several, double share) {
  return detail::by_group(several, "kept_by_share",
                          [share](const auto& masks) { return kept_by_share(masks, share); });
}
template <tickets R>
[[nodiscard]] ticket core_of(const R& several) {
  return intersected(several);
}
template <tickets R>
[[nodiscard]] ticket periphery_of(const R& several) {
  return detail::by_group(several, "periphery_of",
                          [](const auto& masks) { return periphery_of(masks); });
}
template <tickets R>
[[nodiscard]] ticket kept_by_none(const R& several) {
  return detail::by_group(several, "kept_by_none",
                          [](const auto& masks) { return kept_by_none(masks); });
}

}  // namespace tombola
