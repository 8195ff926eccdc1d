#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/prune/key_selection.hpp"
#include "tombola/prune/weights.hpp"

/// Selection in patterns along the last extent of a group: n of every m units, or k of every row.
///
///   mask half = keep_n_of_m(scores_of_weights, 2, 4);               // 2:4, as sparse hardware wants
///   mask wanda = keep_highest_of_each_row(wanda_scores, in / 2);    // each output by itself
///
/// Of equal scores the lower index is kept, as everywhere.
namespace tombola {

namespace detail {

/// Length of the last extent; a group without extents is one row of one unit.
[[nodiscard]] inline std::size_t row_length(const group& g) {
  return g.extents.empty() ? 1 : g.extents.back();
}

/// Throws input_error unless n of m make sense, shape_error where blocks of m leave a tail in a
/// row.
inline void require_pattern(const group& g, std::size_t n, std::size_t m) {
  const std::string pattern = std::to_string(n) + " of every " + std::to_string(m) + " units";
  if (m == 0 || n > m) {
    throw input_error("selection: asked to keep " + pattern + " of " + to_string(g) +
                      ", expected at most as many as there are, and those at least 1");
  }
  if (row_length(g) % m != 0) {
    throw shape_error("selection: asked to keep " + pattern + " of " + to_string(g) +
                      ", whose rows of " + std::to_string(row_length(g)) +
                      " leave a tail, expected a multiple of " + std::to_string(m));
  }
}

/// Units that one thread works on at a time: whole blocks of m, so that none is cut, and whole
/// words of a mask, so that no two threads write to one.
[[nodiscard]] inline std::size_t pattern_tile(std::size_t m) {
  return bits_per_word * m * std::max<std::size_t>(1, 1024 / m);
}

/// Prunes, of units first to first + m - 1, all but the n kept ones that rank highest.
/// before(a, b): whether unit a ranks above unit b, ties aside. block: m units of space.
template <class Before>
void keep_best_of_block(mask& kept,
                        std::size_t first,
                        std::size_t m,
                        std::size_t n,
                        Before before,
                        std::vector<std::size_t>& block) {
  block.clear();
  for (std::size_t u = first; u < first + m; ++u) {
    if (kept[u]) block.push_back(u);
  }
  if (block.size() <= n) return;
  const auto nth = block.begin() + static_cast<std::ptrdiff_t>(n);
  std::nth_element(block.begin(), nth, block.end(), [&](std::size_t a, std::size_t b) {
    return before(a, b) || (!before(b, a) && a < b);
  });
  for (auto u = nth; u != block.end(); ++u) kept.set(*u, false);
}

}  // namespace detail

/// Keeps, of every m consecutive units along the last extent, the n with the highest scores among
/// those that `kept` keeps; where n or fewer are kept, they stay.
///
/// Blocks do not cross rows. Throws input_error unless n <= m and m > 0; shape_error, naming the
/// group, if m does not divide its last extent (a tail has no n of m), or if mask and scores differ
/// in size. Cost: linear in the units, on average.
/// Source: A. Mishra et al., "Accelerating sparse deep neural networks", 2021, section 3 (2:4).
[[nodiscard]] inline mask keep_n_of_m(mask kept, const scores& s, std::size_t n, std::size_t m) {
  detail::require_pattern(s.group(), n, m);
  if (kept.size() != s.size()) {
    throw shape_error("selection: scores for " + to_string(s.group()) + " and a mask over " +
                      std::to_string(kept.size()) + " units");
  }
  std::vector<std::size_t> block;
  const auto before = [&s](std::size_t a, std::size_t b) { return s[a] > s[b]; };
  for (std::size_t u = 0; u < kept.size(); u += m) {
    detail::keep_best_of_block(kept, u, m, n, before, block);
  }
  return kept;
}

/// The same from a group of which all units are kept.
[[nodiscard]] inline mask keep_n_of_m(const scores& s, std::size_t n, std::size_t m) {
  return keep_n_of_m(mask::all_kept(s.size()), s, n, m);
}

/// Keeps the k highest scores of each row of the last extent: of each output of a linear layer.
/// Throws input_error, naming the group, if a row has fewer than k units.
/// Source: M. Sun et al., "A simple and effective pruning approach for large language models",
/// 2023, section 3 (comparison within an output).
[[nodiscard]] inline mask keep_highest_of_each_row(const scores& s, std::size_t k) {
  const std::size_t row = detail::row_length(s.group());
  if (k > row) {
    throw input_error("selection: asked to keep " + std::to_string(k) + " units of each row of " +
                      to_string(s.group()) + ", expected at most " + std::to_string(row));
  }
  return row == 0 ? mask{0} : keep_n_of_m(s, k, row);
}

/// Keeps n of every m consecutive weights along the last extent of each span, by magnitude.
///
/// The masks of `current` are narrowed: where n or fewer of a block are kept, they stay. Nothing is
/// copied; threads share fixed tiles of whole blocks, and the bits do not depend on their number.
/// Throws as keep_n_of_m does, and as remove_by_magnitude: NaN by group and index, spans or groups
/// that do not fit. threads: 0 for all that the machine has.
[[nodiscard]] inline ticket keep_n_of_m(std::span<const weight_span> weights,
                                        const ticket& current,
                                        std::size_t n,
                                        std::size_t m,
                                        std::size_t threads = 0) {
  require_same_groups(full_ticket(weights), current);
  for (const weight_span& w : weights) detail::require_pattern(w.group, n, m);
  detail::require_no_nan(weights, threads);
  std::vector<mask> masks = detail::masks_of(current);
  const std::size_t words = detail::pattern_tile(m) / bits_per_word;
  std::vector<detail::key_tile> tiles;
  for (std::size_t g = 0; g < masks.size(); ++g) {
    const std::size_t all = masks[g].words().size();
    for (std::size_t w = 0; w < all; w += words) tiles.push_back({g, w, std::min(words, all - w)});
  }
  const std::size_t workers = detail::workers_for(tiles, threads);
  std::vector<std::vector<std::size_t>> blocks(workers);
  for (auto& block : blocks) block.reserve(std::min(m, current.size()));
  detail::over_tiles(tiles.size(), workers, [&](std::size_t t, std::size_t worker) {
    mask& kept = masks[tiles[t].mask];
    const float* values = weights[tiles[t].mask].values.data();
    const auto before = [values](std::size_t a, std::size_t b) {
      return detail::magnitude_key(values[a]) > detail::magnitude_key(values[b]);
    };
    const std::size_t first = tiles[t].first_word * bits_per_word;
    const std::size_t end = std::min(kept.size(), first + tiles[t].words * bits_per_word);
    for (std::size_t u = first; u < end; u += m) {
      detail::keep_best_of_block(kept, u, m, n, before, blocks[worker]);
    }
  });
  return detail::with_masks(current, std::move(masks));
}

/// The same from the full ticket.
[[nodiscard]] inline ticket keep_n_of_m(std::span<const weight_span> weights,
                                        std::size_t n,
                                        std::size_t m) {
  return keep_n_of_m(weights, full_ticket(weights), n, m);
}

}  // namespace tombola
