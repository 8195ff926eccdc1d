#pragma once

#include <algorithm>
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
///   random_in_layers_like        the same, sizes held in each layer
///   bad_like, bad_weights_like   what the search would have kept last
///   inverted_like                what the search pruned, whatever its size
///   super_of                     what the searches of all seeds agree on; its opposites are in
///                                super_controls.hpp
///
/// Draws are counter-based: a ticket is a function of the good one and the seed alone.
namespace tombola {

namespace detail {

/// Numbers of the random streams of one seed: what is drawn for one control never meets another's.
enum class control_draw : std::uint32_t {
  random = 0,
  bad = 1,
  random_in_all = 2,
  // 3 is random_criterion's. From here on the upper half of the steps, of which each group has
  // four.
  random_in_layers = 0x80000000,
  super_bad = 0x80000001,
  super_random = 0x80000002,
};

/// The stream of one group.
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

/// Keeps k of `size` units from `first` on, every choice equally likely: those with the highest
/// keys. keys: space for them. Precondition: k <= size.
inline void keep_at_random(mask& m,
                           std::size_t first,
                           std::size_t size,
                           std::size_t k,
                           const random_stream& r,
                           std::vector<std::pair<std::uint64_t, std::size_t>>& keys) {
  keys.clear();
  for (std::size_t u = first; u < first + size; ++u) keys.emplace_back(r.bits(u), u);
  const auto surplus = keys.begin() + static_cast<std::ptrdiff_t>(size - k);
  std::nth_element(keys.begin(), surplus, keys.end());
  for (auto u = surplus; u != keys.end(); ++u) m.set(u->second);
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

/// A random ticket that keeps exactly as many units of each layer as `good` does: what is left of a
/// good ticket when all that it says is how much each layer matters.
///
/// A layer is one index of a group's first extent: 12 heads of `heads` (12 x 12), a row of a weight
/// matrix. Within a layer every choice is equally likely. A layer of one unit leaves no choice: of
/// `mlps` (12), and of a group without extents, the random ticket is the good one.
/// Kind `random`; provenance as random_like. Cost: linear in the units, on average.
/// Source: J. Frankle et al., "Pruning neural networks at initialization: why are we missing the
/// mark?", ICLR 2021 (masks shuffled within layers).
[[nodiscard]] inline ticket random_in_layers_like(const ticket& good,
                                                  std::uint64_t seed,
                                                  std::string parent = {}) {
  ticket t = good;
  std::vector<std::pair<std::uint64_t, std::size_t>> keys;
  for (std::size_t g = 0; g < good.groups().size(); ++g) {
    const auto r = detail::control_stream(seed, detail::control_draw::random_in_layers, g);
    const auto& extents = good.groups()[g].extents;
    const std::size_t layers = extents.empty() ? 1 : extents.front();
    const std::size_t size = layers == 0 ? 0 : good[g].size() / layers;
    mask m{good[g].size()};
    for (std::size_t first = 0; size > 0 && first < m.size(); first += size) {
      std::size_t k = 0;
      for (std::size_t u = first; u < first + size; ++u) k += good[g][u] ? 1U : 0U;
      detail::keep_at_random(m, first, size, k, r, keys);
    }
    t.replace(g, std::move(m));
  }
  return detail::labelled(std::move(t), good, "random",
                          "uniform in each layer, draw " + std::to_string(seed), std::move(parent));
}

/// The inverted ticket: keeps what `good` prunes and prunes what it keeps, n - g of n units. Only a
/// good ticket of half the units is met at its own size; bad_like always is. Kind `inverted`;
/// provenance as random_like. Source: spec 4.6, `invert`, without the head that one of the study's
/// scripts adds to an empty layer.
[[nodiscard]] inline ticket inverted_like(const ticket& good, std::string parent = {}) {
  ticket t = good;
  for (std::size_t g = 0; g < good.groups().size(); ++g) {
    mask others = good[g];
    others.flip();
    t.replace(g, std::move(others));
  }
  return detail::labelled(std::move(t), good, "inverted", "pruned and kept exchanged",
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
