#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/random.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/prune/key_selection.hpp"
#include "tombola/prune/weights.hpp"

/// Control tickets: what a good ticket is compared with, at its own size. If random tickets of that
/// size do as well, the search found nothing that its size alone does not explain.
///
///   random_like, random_in_all   units drawn blindly, sizes held in each group or in all
///   bad_like, bad_weights_like   what the search would have kept last
///   super_of                     what the searches of all seeds agree on
///
/// Draws are counter-based: a ticket is a function of the good one and the seed alone.
namespace tombola {

namespace detail {

/// Numbers of the random streams of one seed: what is drawn for one control never meets another's.
enum class control_draw : std::uint32_t { random = 0, bad = 1, random_in_all = 2 };

/// The stream of one group; random_criterion has the fourth number of each.
[[nodiscard]] inline random_stream control_stream(std::uint64_t seed,
                                                  control_draw what,
                                                  std::size_t group_index) {
  const auto step = 4 * static_cast<std::uint32_t>(group_index) + static_cast<std::uint32_t>(what);
  return random_stream{seed, purpose::control, step};
}

/// Keeps exactly k of the units that m keeps, every choice equally likely. Precondition: k <= kept.
[[nodiscard]] inline mask uniform_subset(mask m, std::size_t k, const random_stream& r) {
  const std::size_t surplus = m.count() - k;
  remove_lowest_keys(std::span{&m, 1}, surplus, 64,
                     [&r](std::size_t) { return [r](std::size_t unit) { return r.bits(unit); }; });
  return m;
}

/// A control's provenance: task, seed, search, model and data of the good ticket, and what was made
/// of it.
[[nodiscard]] inline ticket labelled(
    ticket t, const ticket& good, std::string kind, std::string criterion, std::string parent) {
  t.origin = good.origin;
  t.origin.kind = std::move(kind);
  t.origin.criterion = std::move(criterion);
  t.origin.parent = std::move(parent);
  return t;
}

}  // namespace detail

/// A random ticket that keeps exactly as many units of each group as `good` does.
///
/// Within a group every choice is equally likely; group by group the sizes match, which the study's
/// own rule (each unit by itself with the good ticket's density, Q7) does not ensure.
/// seed: of this draw. The ticket's origin keeps the good one's task, seed, model and data; kind is
/// `random`, the criterion names the draw's seed, parent is the good ticket's fingerprint as given.
[[nodiscard]] inline ticket random_like(const ticket& good,
                                        std::uint64_t seed,
                                        std::string parent = {}) {
  ticket t = good;
  for (std::size_t g = 0; g < good.groups().size(); ++g) {
    const auto r = detail::control_stream(seed, detail::control_draw::random, g);
    t.replace(g, detail::uniform_subset(mask::all_kept(good[g].size()), good[g].count(), r));
  }
  return detail::labelled(std::move(t), good, "random",
                          "uniform in each group, draw " + std::to_string(seed), std::move(parent));
}

/// A random ticket of the good one's size over all groups together: the study's random magnitude
/// mask, which removes round(p * N) weights anywhere. Sizes of single groups vary.
/// Source: spec 4.5. Provenance as random_like.
[[nodiscard]] inline ticket random_in_all(const ticket& good,
                                          std::uint64_t seed,
                                          std::string parent = {}) {
  const ticket full{{good.groups().begin(), good.groups().end()}};
  const auto r = detail::control_stream(seed, detail::control_draw::random_in_all, 0);
  return detail::labelled(remove_at_random(full, full.size() - good.count(), r), good, "random",
                          "uniform over all groups, draw " + std::to_string(seed),
                          std::move(parent));
}

/// The bad ticket of structured pruning: of each group, as many units as `good` keeps, and as few
/// of those as the size allows.
///
/// With g of n units good: if g > n - g, all others and a uniform subset of 2g - n good ones; else
/// a uniform subset of g others. So a good ticket of more than half and its bad one share 2g - n
/// units whatever is drawn: 88 of 116 heads of 144. Kind `bad`; provenance as random_like.
/// Source: spec 4.6, `bad`.
[[nodiscard]] inline ticket bad_like(const ticket& good,
                                     std::uint64_t seed,
                                     std::string parent = {}) {
  ticket t = good;
  for (std::size_t g = 0; g < good.groups().size(); ++g) {
    const auto r = detail::control_stream(seed, detail::control_draw::bad, g);
    const std::size_t kept = good[g].count();
    mask others = good[g];
    others.flip();
    if (kept > others.count()) {
      others |= detail::uniform_subset(good[g], kept - others.count(), r);
    } else {
      others = detail::uniform_subset(std::move(others), kept, r);
    }
    t.replace(g, std::move(others));
  }
  return detail::labelled(std::move(t), good, "bad", "good ones last, draw " + std::to_string(seed),
                          std::move(parent));
}

/// The bad ticket of magnitude pruning: keeps the smallest weights, as many in all as `good` does.
/// Source: spec 4.5. Throws as remove_by_magnitude. Kind `bad`; provenance as random_like.
[[nodiscard]] inline ticket bad_weights_like(const ticket& good,
                                             std::span<const weight_span> weights,
                                             std::string parent = {}) {
  require_same_groups(good, full_ticket(weights));
  return detail::labelled(
      remove_by_magnitude(weights, good.size() - good.count(), removal::largest_first), good, "bad",
      "largest magnitudes removed", std::move(parent));
}

/// The super ticket: what survives in every one of several tickets, such as the seeds of a task.
///
/// Origin: kind `super`, and of task, search, model and data what all have in common; no seed.
/// Source: spec 4.7. Throws input_error for no tickets, shape_error for different groups.
[[nodiscard]] inline ticket super_of(std::span<const ticket> tickets, std::string parent = {}) {
  if (tickets.empty()) throw input_error("super ticket: of no tickets, expected at least one");
  ticket t = tickets.front();
  for (const ticket& other : tickets.subspan(1)) {
    require_same_groups(t, other);
    for (std::size_t g = 0; g < t.groups().size(); ++g) t.replace(g, mask{t[g]} &= other[g]);
    if (t.origin.task != other.origin.task) t.origin.task.clear();
    if (t.origin.search != other.origin.search) t.origin.search.clear();
    if (t.origin.model != other.origin.model) t.origin.model.clear();
    if (t.origin.data != other.origin.data) t.origin.data.clear();
  }
  t.origin.seed.reset();
  t.origin.kind = "super";
  t.origin.criterion = "survives in all of " + std::to_string(tickets.size());
  t.origin.parent = std::move(parent);
  return t;
}

}  // namespace tombola
