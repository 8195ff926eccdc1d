#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/prune/controls.hpp"

/// What a super ticket is compared with: tickets of its size that the searches agree on least, or
/// do not agree on. Both are functions of the tickets and one seed; the study's own draws, in the
/// order of its scripts, are study_controls.hpp.
namespace tombola {

namespace detail {

/// Grows m to `size` units by a uniform subset of each pool in turn, the next one only where those
/// before it are used up. Pools hold no unit of m and do not meet. Draws of the pools of one stream
/// are independent: a unit's key counts in one of them.
[[nodiscard]] inline mask grow_to(mask m,
                                  std::size_t size,
                                  std::vector<mask> pools,
                                  const random_stream& r) {
  for (mask& pool : pools) {
    const std::size_t missing = size - std::min(size, m.count());
    const std::size_t k = std::min(missing, pool.count());
    m |= uniform_subset(std::move(pool), k, r);
  }
  return m;
}

/// Kept by all tickets, and by at least one, of each group.
struct agreement_of_group {
  mask all, any;
};

[[nodiscard]] inline std::vector<agreement_of_group> agreement_of(std::span<const ticket> tickets) {
  std::vector<agreement_of_group> groups;
  for (const mask& m : tickets.front().masks()) groups.push_back({m, m});
  for (const ticket& t : tickets.subspan(1)) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      groups[g].all &= t[g];
      groups[g].any |= t[g];
    }
  }
  return groups;
}

/// Of one group: as many units as all tickets keep, first those that none keeps, then those that
/// some keep, last those of the super ticket itself.
[[nodiscard]] inline mask super_bad_of_group(const agreement_of_group& of,
                                             std::uint64_t seed,
                                             std::size_t group_index) {
  mask none = of.any;
  none.flip();
  mask some = of.any;
  some -= of.all;
  return grow_to(mask{of.all.size()}, of.all.count(), {std::move(none), std::move(some), of.all},
                 control_stream(seed, control_draw::super_bad, group_index));
}

}  // namespace detail

/// The super ticket's bad opposite: of each group exactly as many units as super_of keeps, those
/// first that no ticket keeps.
///
/// Where more units survive nowhere than are needed, a uniform subset of them; where fewer, all of
/// them and a uniform subset of those that survive in some; and only where that is too little,
/// units of the super ticket, as few as the size allows. (The study draws from both of the last two
/// at once.) Kind `super bad`; provenance as super_of, the criterion names the draw's seed.
/// Source: spec 4.7, bizzaro; "bad" in the paper. Throws as super_of.
[[nodiscard]] inline ticket super_bad_of(std::span<const ticket> tickets,
                                         std::uint64_t seed,
                                         std::string parent = {}) {
  ticket t = super_of(tickets, std::move(parent));
  const auto groups = detail::agreement_of(tickets);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    t.replace(g, detail::super_bad_of_group(groups[g], seed, g));
  }
  t.origin.kind = "super bad";
  t.origin.criterion =
      "survives in none of " + std::to_string(tickets.size()) + ", draw " + std::to_string(seed);
  return t;
}

/// The super ticket's random opposite: of each group exactly as many units as super_of keeps, drawn
/// from those that are neither in it nor in super_bad_of of the same seed.
///
/// Where these are too few, all of them and a uniform subset of all others, super or bad alike.
/// Kind `super random`; provenance as super_bad_of.
/// Source: spec 4.7, midling; "random" in the paper. Throws as super_of.
[[nodiscard]] inline ticket super_random_of(std::span<const ticket> tickets,
                                            std::uint64_t seed,
                                            std::string parent = {}) {
  ticket t = super_of(tickets, std::move(parent));
  const auto groups = detail::agreement_of(tickets);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::size_t size = groups[g].all.count();
    mask taken = detail::super_bad_of_group(groups[g], seed, g);
    taken |= groups[g].all;
    mask between = taken;
    between.flip();
    const auto r = detail::control_stream(seed, detail::control_draw::super_random, g);
    mask none{taken.size()};
    t.replace(g, detail::grow_to(std::move(none), size, {std::move(between), std::move(taken)}, r));
  }
  t.origin.kind = "super random";
  t.origin.criterion = "between the super ticket and its bad one, draw " + std::to_string(seed);
  return t;
}

}  // namespace tombola
