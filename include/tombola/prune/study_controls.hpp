#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tombola/algebra/sets.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/prune/study_random.hpp"

namespace tombola::study {

// The study's control masks of heads and MLPs, drawn as its scripts drew them: its published masks
// come out bit for bit. For work of your own take controls.hpp: those here depend on the order of
// the calls, and the random ones do not keep the good mask's size (Q7).

/// A random mask: each unit is kept with the good mask's share, by a draw of its own.
/// Source: create_random_masks.ipynb of the study (spec 4.8), where the generator starts at 13 and
/// goes through the tasks in the order CoLA, SST-2, MRPC, STS-B, QQP, MNLI, QNLI, RTE, WNLI, their
/// seeds 1337, 42, 86, 71, 166, and first heads, then MLPs.
[[nodiscard]] inline mask random_like(const mask& good, mersenne_twister& draws) {
  const double share = static_cast<double>(good.count()) / static_cast<double>(good.size());
  mask m{good.size()};
  for (std::size_t i = 0; i < m.size(); ++i) m.set(i, draws.uniform() < share);
  return m;
}

namespace detail {

/// The units that a mask keeps, rising.
[[nodiscard]] inline std::vector<std::size_t> units_of(const mask& m) {
  std::vector<std::size_t> units;
  for (std::size_t i = 0; i < m.size(); ++i) {
    if (m[i]) units.push_back(i);
  }
  return units;
}

/// Makes m keep `size` units: surplus ones are drawn and pruned; missing ones are drawn from those
/// outside m and `avoid`, or, where these are too few, from all outside m.
inline void resize(mask& m, std::size_t size, const mask& avoid, python_random& draws) {
  const std::size_t kept = m.count();
  if (kept > size) {
    for (const std::size_t i : draws.sample(units_of(m), kept - size)) m.set(i, false);
    return;
  }
  if (kept == size) return;
  mask outside = complement(united(m, avoid));
  if (outside.count() < size - kept) outside = complement(m);
  for (const std::size_t i : draws.sample(units_of(outside), size - kept)) m.set(i);
}

}  // namespace detail

/// The masks of one kind of unit that the study made of a task's good ones.
struct super_masks {
  mask super;    ///< kept by all good masks
  mask bizzaro;  ///< kept by none, made as large as super: "bad" in the paper
  mask midling;  ///< in neither, made as large as super: "random"; changes from seed to seed
};

/// The masks that all of several good ones keep, and that none keeps; midling is empty so far.
/// Throws input_error for no mask, shape_error for different sizes.
[[nodiscard]] inline super_masks begin_super(std::span<const mask> good) {
  return {intersected(good), complement(united(good)), mask{good.empty() ? 0 : good[0].size()}};
}

/// The next seed's bizzaro and midling masks. Call it for every seed of a task in turn, first for
/// heads and then for MLPs at each step, with one generator: bizzaro is drawn once and kept.
/// Source: compute_super_masks.py of the study (spec 4.7), where the generator starts at 1337 and
/// the tasks go in alphabetical order.
inline void resize_bizzaro(super_masks& s, python_random& draws) {
  detail::resize(s.bizzaro, s.super.count(), s.super, draws);
}
inline void draw_midling(super_masks& s, python_random& draws) {
  s.midling = complement(united(s.super, s.bizzaro));
  detail::resize(s.midling, s.super.count(), mask{s.super.size()}, draws);
}

}  // namespace tombola::study
