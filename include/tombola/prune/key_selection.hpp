#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"

namespace tombola {

namespace detail {

/// A run of mask words that one thread works on: at most 1024 words, which are 65,536 units.
struct key_tile {
  std::size_t mask = 0;
  std::size_t first_word = 0;
  std::size_t words = 0;
};

[[nodiscard]] inline std::vector<key_tile> cut_into_tiles(std::span<const mask> masks) {
  constexpr std::size_t tile_words = 1024;
  std::vector<key_tile> tiles;
  for (std::size_t m = 0; m < masks.size(); ++m) {
    const std::size_t n = masks[m].words().size();
    for (std::size_t w = 0; w < n; w += tile_words) {
      tiles.push_back({m, w, std::min(tile_words, n - w)});
    }
  }
  return tiles;
}

/// Threads worth starting for so many tiles: 1 where OpenMP is off, else at most one for each tile.
[[nodiscard]] inline std::size_t workers_for(std::size_t tiles) {
#ifdef _OPENMP
  return std::clamp<std::size_t>(tiles, 1, static_cast<std::size_t>(omp_get_max_threads()));
#else
  static_cast<void>(tiles);
  return 1;
#endif
}

/// Calls f(tile, worker) for every tile; worker < workers. f must not throw.
///
/// The number of threads is named, so that a program of which only some files are compiled with
/// OpenMP never has more of them than slots for their counts.
template <class F>
void over_tiles(std::size_t tiles, std::size_t workers, F f) {
#ifdef _OPENMP
  const int threads = static_cast<int>(workers);
#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::size_t t = 0; t < tiles; ++t) f(t, static_cast<std::size_t>(omp_get_thread_num()));
#else
  static_cast<void>(workers);
  for (std::size_t t = 0; t < tiles; ++t) f(t, std::size_t{0});
#endif
}

inline constexpr int digit_bits = 16;
inline constexpr std::size_t digit_values = std::size_t{1} << digit_bits;

/// The key of one unit, from what a caller gives for its mask.
template <class KeysOf>
using key_of_unit = std::invoke_result_t<std::invoke_result_t<KeysOf, std::size_t>, std::size_t>;

/// Calls f(unit) for every kept unit of one word, lowest first. Full words, the common case, run
/// without looking for the next bit.
template <class F>
void over_kept(std::uint64_t bits, std::size_t word, F f) {
  const std::size_t first = word * bits_per_word;
  if (bits == ~std::uint64_t{0}) {
    for (std::size_t i = 0; i < bits_per_word; ++i) f(first + i);
    return;
  }
  for (; bits != 0; bits &= bits - 1) f(first + static_cast<std::size_t>(std::countr_zero(bits)));
}

/// Where the removal ends: of the keys, shifted right by `shift`, all below `bound` go, and
/// `of_bound` of the `at_bound` units that equal it. 1 <= of_bound <= at_bound, as k is not 0.
struct key_cut {
  int shift = 0;
  std::uint64_t bound = 0;
  std::size_t of_bound = 0;
  std::size_t at_bound = 0;
};

/// How often each 16-bit digit occurs at `shift` among the kept units whose higher digits are
/// `prefix`. Counts are integers, so that the order in which threads add them cannot show.
template <class KeysOf>
[[nodiscard]] std::vector<std::uint64_t> digit_histogram(std::span<const mask> masks,
                                                         std::span<const key_tile> tiles,
                                                         KeysOf keys_of,
                                                         int shift,
                                                         std::uint64_t prefix) {
  const std::size_t workers = workers_for(tiles.size());
  std::vector<std::uint64_t> counts(workers * digit_values);
  over_tiles(tiles.size(), workers, [&](std::size_t t, std::size_t worker) {
    const key_tile tile = tiles[t];
    const auto key = keys_of(tile.mask);
    std::uint64_t* mine = counts.data() + worker * digit_values;
    for (std::size_t w = tile.first_word; w < tile.first_word + tile.words; ++w) {
      over_kept(masks[tile.mask].words()[w], w, [&](std::size_t unit) {
        const std::uint64_t upper = static_cast<std::uint64_t>(key(unit)) >> shift;
        if (upper >> digit_bits == prefix) ++mine[upper & (digit_values - 1)];
      });
    }
  });
  for (std::size_t worker = 1; worker < workers; ++worker) {
    for (std::size_t d = 0; d < digit_values; ++d) counts[d] += counts[worker * digit_values + d];
  }
  counts.resize(digit_values);
  return counts;
}

/// Narrows the cut digit by digit, and stops once a whole bin goes. Precondition: 0 < k <= kept.
template <class KeysOf>
[[nodiscard]] key_cut find_cut_by_digits(std::span<const mask> masks,
                                         std::span<const key_tile> tiles,
                                         std::size_t k,
                                         int key_bits,
                                         KeysOf keys_of) {
  key_cut cut{key_bits, 0, k, 0};
  do {
    cut.shift -= digit_bits;
    const auto counts = digit_histogram(masks, tiles, keys_of, cut.shift, cut.bound);
    std::size_t d = 0;
    for (; counts[d] < cut.of_bound; ++d) cut.of_bound -= counts[d];
    cut.bound = cut.bound << digit_bits | d;
    cut.at_bound = counts[d];
  } while (cut.shift > 0 && cut.of_bound < cut.at_bound);
  return cut;
}

/// A range of keys, both ends in it.
template <class Key>
struct key_range {
  Key low = 0, high = 0;
};

/// Keys between which the k-th lowest lies, but for bad luck of one in ten thousand: quantiles of
/// about 65,000 kept units, one from each stretch of the numbering, four standard deviations to
/// each side. Empty where no sampled unit is kept.
template <class KeysOf>
[[nodiscard]] std::optional<key_range<key_of_unit<KeysOf>>> bracket_by_sample(
    std::span<const mask> masks, double share, KeysOf keys_of) {
  constexpr std::size_t samples = std::size_t{1} << 16;
  std::size_t units = 0;
  for (const mask& m : masks) units += m.size();
  const std::size_t stretch = std::max<std::size_t>(1, units / samples);
  std::vector<key_of_unit<KeysOf>> keys;
  std::size_t before = 0, next = 0, turn = 0;  // the next unit, counted through all masks
  for (std::size_t m = 0; m < masks.size(); before += masks[m++].size()) {
    const auto key = keys_of(m);
    while (next < before + masks[m].size()) {
      if (masks[m][next - before]) keys.push_back(key(next - before));
      // Another place in each stretch, so that no period of the weights is met.
      ++turn;
      next = turn * stretch + (turn * 0x9E3779B97F4A7C15U >> 32) % stretch;
    }
  }
  if (keys.empty()) return std::nullopt;
  const double n = static_cast<double>(keys.size());
  const double spread = 4.0 * std::sqrt(n * share * (1.0 - share)) + 2.0;
  const auto at = [&](double place) {
    const auto i = static_cast<std::size_t>(std::clamp(place, 0.0, n - 1.0));
    std::nth_element(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(i), keys.end());
    return keys[i];
  };
  key_range<key_of_unit<KeysOf>> range{at(n * share - spread), at(n * share + spread)};
  if (n * share - spread < 0.0) range.low = 0;
  if (n * share + spread >= n) range.high = std::numeric_limits<key_of_unit<KeysOf>>::max();
  return range;
}

/// The cut from one pass that counts the keys below a range and keeps those in it. Nothing where
/// the k-th does not lie in the range, or more keys do than should.
template <class KeysOf>
[[nodiscard]] std::optional<key_cut> find_cut_in(std::span<const mask> masks,
                                                 std::span<const key_tile> tiles,
                                                 std::size_t k,
                                                 key_range<key_of_unit<KeysOf>> range,
                                                 std::size_t most,
                                                 KeysOf keys_of) {
  using key_type = key_of_unit<KeysOf>;
  const std::size_t workers = workers_for(tiles.size());
  struct found {
    std::size_t below = 0;
    std::vector<key_type> keys;
  };
  std::vector<found> parts(workers);
  std::atomic<std::size_t> in_range{0};
  over_tiles(tiles.size(), workers, [&](std::size_t t, std::size_t worker) {
    if (in_range.load(std::memory_order_relaxed) > most) return;
    const key_tile tile = tiles[t];
    const auto key = keys_of(tile.mask);
    const key_type low = range.low, width = range.high - range.low;
    std::array<key_type, bits_per_word + 1> within;  // each key is written before it is judged
    std::size_t below = 0, here = 0;
    found& mine = parts[worker];
    for (std::size_t w = tile.first_word; w < tile.first_word + tile.words; ++w) {
      std::size_t n = 0;
      over_kept(masks[tile.mask].words()[w], w, [&](std::size_t unit) {
        const key_type x = key(unit);
        below += x < low ? 1U : 0U;
        within[n] = x;
        n += static_cast<key_type>(x - low) <= width ? 1U : 0U;
      });
      mine.keys.insert(mine.keys.end(), within.begin(),
                       within.begin() + static_cast<std::ptrdiff_t>(n));
      here += n;
    }
    mine.below += below;
    in_range.fetch_add(here, std::memory_order_relaxed);
  });
  if (in_range.load() > most) return std::nullopt;
  std::size_t below = 0;
  std::vector<key_type> keys;
  keys.reserve(in_range.load());
  for (found& part : parts) {
    below += part.below;
    keys.insert(keys.end(), part.keys.begin(), part.keys.end());
    part.keys = {};
  }
  if (k <= below || k > below + keys.size()) return std::nullopt;
  const auto kth = keys.begin() + static_cast<std::ptrdiff_t>(k - below - 1);
  std::nth_element(keys.begin(), kth, keys.end());
  const key_type bound = *kth;
  const auto less = static_cast<std::size_t>(
      std::count_if(keys.begin(), keys.end(), [bound](key_type x) { return x < bound; }));
  const auto equal = static_cast<std::size_t>(std::count(keys.begin(), keys.end(), bound));
  return key_cut{0, bound, k - below - less, equal};
}

/// Units from which on a sample pays.
inline constexpr std::size_t sampling_pays_from = std::size_t{1} << 20;

template <class KeysOf>
[[nodiscard]] key_cut find_cut(std::span<const mask> masks,
                               std::span<const key_tile> tiles,
                               std::size_t k,
                               std::size_t kept,
                               int key_bits,
                               KeysOf keys_of) {
  if (kept >= sampling_pays_from) {
    const double share = static_cast<double>(k) / static_cast<double>(kept);
    if (const auto range = bracket_by_sample(masks, share, keys_of)) {
      if (const auto cut = find_cut_in(masks, tiles, k, *range, kept / 32, keys_of)) return *cut;
    }
  }
  return find_cut_by_digits(masks, tiles, k, key_bits, keys_of);
}

/// Removes the units of a tile whose key is below the cut's bound, or equals it where all of those
/// go. Returns how many equal it.
template <class Key>
[[nodiscard]] std::size_t drop_from_tile(mask& m,
                                         const key_tile& tile,
                                         const key_cut& cut,
                                         Key key) {
  const bool whole_bin = cut.of_bound == cut.at_bound;
  std::size_t equal = 0;
  for (std::size_t w = tile.first_word; w < tile.first_word + tile.words; ++w) {
    const std::uint64_t bits = m.words()[w];
    std::uint64_t gone = 0;
    over_kept(bits, w, [&](std::size_t unit) {
      const std::uint64_t digits = static_cast<std::uint64_t>(key(unit)) >> cut.shift;
      const bool at_bound = digits == cut.bound;
      const bool goes = (digits < cut.bound) | (at_bound & whole_bin);
      gone |= std::uint64_t{goes} << (unit % bits_per_word);
      equal += at_bound ? 1U : 0U;
    });
    m.set_word(w, bits & ~gone);
  }
  return equal;
}

}  // namespace detail

/// Removes, of the units that several masks keep, the k with the lowest integer keys.
///
/// The selection under everything that prunes single weights: 85 million keys are never laid side
/// by side. A sample brackets the k-th lowest key; one pass counts the keys below the bracket and
/// keeps the few within, of which the k-th is picked; one more pass clears bits. Where the sample
/// misleads or few keys differ, histograms of 16 bits at a time take its place, to the same end.
/// Keys are computed anew in each pass, which is cheaper than to store them: the bits of a float, or
/// a random number from its index.
///
/// keys_of: mask index -> (unit -> unsigned key below 2^key_bits); pure, must not throw.
/// key_bits: 32 or 64. Units are numbered through the masks in listed order; of equal keys the unit
/// with the lower number is kept.
/// Throws input_error, nothing changed, if fewer than k units are kept.
/// Cost: two passes. Memory: about 2 % of the kept units' keys, or a histogram of 512 KiB a thread;
/// nothing is concatenated, and only the bracket is sorted in part. Threads work on fixed tiles,
/// and the result is the same for any number of them.
template <class KeysOf>
requires std::unsigned_integral<detail::key_of_unit<KeysOf>>
void remove_lowest_keys(std::span<mask> masks, std::size_t k, int key_bits, KeysOf keys_of) {
  std::size_t kept = 0;
  for (const mask& m : masks) kept += m.count();
  if (k > kept) {
    throw input_error("selection: asked to remove " + std::to_string(k) + " units of " +
                      std::to_string(kept) + " kept");
  }
  if (k == 0) return;
  const auto tiles = detail::cut_into_tiles(masks);
  const detail::key_cut cut = detail::find_cut(masks, tiles, k, kept, key_bits, keys_of);
  std::vector<std::size_t> equal(tiles.size());
  detail::over_tiles(tiles.size(), detail::workers_for(tiles.size()), [&](std::size_t t, auto) {
    equal[t] = detail::drop_from_tile(masks[tiles[t].mask], tiles[t], cut, keys_of(tiles[t].mask));
  });
  // What is left of the boundary are ties on all bits of the key: the highest numbers go.
  std::size_t left = cut.of_bound == cut.at_bound ? 0 : cut.of_bound;
  for (std::size_t t = tiles.size(); t-- > 0 && left > 0;) {
    if (equal[t] == 0) continue;
    mask& m = masks[tiles[t].mask];
    const auto key = keys_of(tiles[t].mask);
    const std::size_t first = tiles[t].first_word * bits_per_word;
    std::size_t unit = std::min(m.size(), first + tiles[t].words * bits_per_word);
    while (unit-- > first && left > 0) {
      if (!m[unit] || static_cast<std::uint64_t>(key(unit)) >> cut.shift != cut.bound) continue;
      m.set(unit, false);
      --left;
    }
  }
}

}  // namespace tombola
