#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
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

/// Calls f(unit) for every kept unit of one word, lowest first.
template <class F>
void over_kept(std::uint64_t bits, std::size_t word, F f) {
  for (; bits != 0; bits &= bits - 1) {
    f(word * bits_per_word + static_cast<std::size_t>(std::countr_zero(bits)));
  }
}

inline constexpr int digit_bits = 16;
inline constexpr std::size_t digit_values = std::size_t{1} << digit_bits;

/// How often each 16-bit digit occurs at `shift` among the kept units whose higher digits are
/// `prefix`. Counts are integers, so that the order in which threads add them cannot show.
template <class KeyOf>
[[nodiscard]] std::vector<std::uint64_t> digit_histogram(std::span<const mask> masks,
                                                         std::span<const key_tile> tiles,
                                                         KeyOf key_of,
                                                         int shift,
                                                         std::uint64_t prefix) {
  const std::size_t workers = workers_for(tiles.size());
  std::vector<std::uint64_t> counts(workers * digit_values);
  over_tiles(tiles.size(), workers, [&](std::size_t t, std::size_t worker) {
    const key_tile tile = tiles[t];
    std::uint64_t* mine = counts.data() + worker * digit_values;
    for (std::size_t w = tile.first_word; w < tile.first_word + tile.words; ++w) {
      over_kept(masks[tile.mask].words()[w], w, [&](std::size_t unit) {
        const std::uint64_t upper = static_cast<std::uint64_t>(key_of(tile.mask, unit)) >> shift;
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

/// Where the removal ends: of the keys, shifted right by `shift`, all below `bound` go, and
/// `of_bound` of the `at_bound` units that equal it. 1 <= of_bound <= at_bound, as k is not 0.
struct key_cut {
  int shift = 0;
  std::uint64_t bound = 0;
  std::size_t of_bound = 0;
  std::size_t at_bound = 0;
};

/// Narrows the cut digit by digit, and stops once a whole bin goes. Precondition: 0 < k <= kept.
template <class KeyOf>
[[nodiscard]] key_cut find_cut(std::span<const mask> masks,
                               std::span<const key_tile> tiles,
                               std::size_t k,
                               int key_bits,
                               KeyOf key_of) {
  key_cut cut{key_bits, 0, k, 0};
  do {
    cut.shift -= digit_bits;
    const auto counts = digit_histogram(masks, tiles, key_of, cut.shift, cut.bound);
    std::size_t d = 0;
    for (; counts[d] < cut.of_bound; ++d) cut.of_bound -= counts[d];
    cut.bound = cut.bound << digit_bits | d;
    cut.at_bound = counts[d];
  } while (cut.shift > 0 && cut.of_bound < cut.at_bound);
  return cut;
}

/// Removes the units of one word that `gone` names.
template <class Gone>
void drop_from_word(mask& m, std::size_t w, Gone gone) {
  std::uint64_t bits = m.words()[w];
  over_kept(bits, w, [&](std::size_t unit) {
    if (gone(unit)) bits &= ~(std::uint64_t{1} << (unit % bits_per_word));
  });
  m.set_word(w, bits);
}

}  // namespace detail

/// Removes, of the units that several masks keep, the k with the lowest integer keys.
///
/// The selection under everything that prunes single weights: 85 million keys are never laid side
/// by side. A first pass counts the upper 16 bits of all keys; the bin in which the k-th lies is
/// counted by its next 16 bits, and so on, until a bin goes as a whole or all bits are used. One
/// more pass then clears bits. Keys are computed anew in each pass, which is cheaper than to store
/// them: the bits of a float, or a random number from its index.
///
/// key_of: (mask index, unit) -> unsigned key below 2^key_bits; pure, must not throw.
/// key_bits: 32 or 64. Units are numbered through the masks in listed order; of equal keys the unit
/// with the lower number is kept.
/// Throws input_error, nothing changed, if fewer than k units are kept.
/// Cost: two passes for 32-bit keys, rarely more for 64-bit ones, and one that removes. Memory: a
/// histogram of 512 KiB a thread; nothing is concatenated or sorted. Threads work on fixed tiles,
/// and the result is the same for any number of them.
template <class KeyOf>
requires std::unsigned_integral<std::invoke_result_t<KeyOf, std::size_t, std::size_t>>
void remove_lowest_keys(std::span<mask> masks, std::size_t k, int key_bits, KeyOf key_of) {
  std::size_t kept = 0;
  for (const mask& m : masks) kept += m.count();
  if (k > kept) {
    throw input_error("selection: asked to remove " + std::to_string(k) + " units of " +
                      std::to_string(kept) + " kept");
  }
  if (k == 0) return;
  const auto tiles = detail::cut_into_tiles(masks);
  const detail::key_cut cut = detail::find_cut(masks, tiles, k, key_bits, key_of);
  const auto upper = [&](std::size_t m, std::size_t unit) {
    return static_cast<std::uint64_t>(key_of(m, unit)) >> cut.shift;
  };
  const bool whole_bin = cut.of_bound == cut.at_bound;
  const auto gone = [&](std::size_t m, std::size_t unit) {
    const std::uint64_t digits = upper(m, unit);
    return digits < cut.bound || (whole_bin && digits == cut.bound);
  };
  detail::over_tiles(tiles.size(), detail::workers_for(tiles.size()), [&](std::size_t t, auto) {
    const detail::key_tile tile = tiles[t];
    for (std::size_t w = tile.first_word; w < tile.first_word + tile.words; ++w) {
      detail::drop_from_word(masks[tile.mask], w,
                             [&](std::size_t unit) { return gone(tile.mask, unit); });
    }
  });
  // What is left of the boundary are ties on all bits of the key: the highest numbers go.
  std::size_t left = whole_bin ? 0 : cut.of_bound;
  for (std::size_t m = masks.size(); m-- > 0 && left > 0;) {
    for (std::size_t unit = masks[m].size(); unit-- > 0 && left > 0;) {
      if (masks[m][unit] && upper(m, unit) == cut.bound) {
        masks[m].set(unit, false);
        --left;
      }
    }
  }
}

}  // namespace tombola
