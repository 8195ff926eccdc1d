#pragma once

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
#include <thread>
#include <type_traits>
#include <vector>

#include "tombola/core/detail/count_bits.hpp"
#include "tombola/core/detail/threads.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"

namespace tombola {

namespace detail {

/// Words of the longest tile: they stand for 65,536 units.
inline constexpr std::size_t tile_words = 1024;

/// A run of mask words that one thread works on.
struct key_tile {
  std::size_t mask = 0;
  std::size_t first_word = 0;
  std::size_t words = 0;
};

[[nodiscard]] inline std::vector<key_tile> cut_into_tiles(std::span<const mask> masks) {
  std::vector<key_tile> tiles;
  for (std::size_t m = 0; m < masks.size(); ++m) {
    const std::size_t n = masks[m].words().size();
    for (std::size_t w = 0; w < n; w += tile_words) {
      tiles.push_back({m, w, std::min(tile_words, n - w)});
    }
  }
  return tiles;
}

/// Threads worth starting for these tiles: as many as asked for, 0 for all that the machine has,
/// but none for less than a full tile's worth of words.
[[nodiscard]] inline std::size_t workers_for(std::span<const key_tile> tiles, std::size_t threads) {
  std::size_t words = 0;
  for (const key_tile& tile : tiles) words += tile.words;
  if (threads == 0) threads = std::thread::hardware_concurrency();
  return std::clamp<std::size_t>(words / tile_words, 1, std::max<std::size_t>(threads, 1));
}

/// Calls f(tile, worker) for every tile; worker < workers.
template <class F>
void over_tiles(std::size_t tiles, std::size_t workers, F f) {
  in_slices(tiles, 1, workers, [&f](std::size_t worker, std::size_t begin, std::size_t end) {
    for (std::size_t t = begin; t < end; ++t) f(t, worker);
  });
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
                                                         std::uint64_t prefix,
                                                         std::size_t workers) {
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
                                         KeysOf keys_of,
                                         std::size_t workers) {
  key_cut cut{key_bits, 0, k, 0};
  do {
    cut.shift -= digit_bits;
    const auto counts = digit_histogram(masks, tiles, keys_of, cut.shift, cut.bound, workers);
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

/// Bits of the kept units of a word whose keys lie below a range, and in it.
struct sorted_words {
  static constexpr std::size_t most = 64;
  std::array<std::uint64_t, most> below, within;
};

/// Keys that can compare 64 units at a time; others are computed one by one.
template <class Key, class Value>
concept sorts_words = requires(const Key& key, std::size_t i, Value bound, std::uint64_t* bits) {
  key.sort(i, i, bound, bound, bits, bits);
};

/// Sorts `words` words of a mask from `first` on, at most sorted_words::most.
template <class Key, class Value>
void sort_words(const mask& m,
                std::size_t first,
                std::size_t words,
                const Key& key,
                key_range<Value> range,
                sorted_words& out) {
  std::size_t done = 0;
  if constexpr (sorts_words<Key, Value>) {
    // All units of the last word need not be there.
    done = std::min(words, m.size() / bits_per_word - std::min(first, m.size() / bits_per_word));
    key.sort(first, done, range.low, range.high, out.below.data(), out.within.data());
    for (std::size_t w = 0; w < done; ++w) {
      out.below[w] &= m.words()[first + w];
      out.within[w] &= m.words()[first + w];
    }
  }
  const Value width = range.high - range.low;
  for (std::size_t w = done; w < words; ++w) {
    std::uint64_t below = 0, within = 0;
    over_kept(m.words()[first + w], first + w, [&](std::size_t unit) {
      const Value x = key(unit);
      below |= std::uint64_t{x < range.low} << unit % bits_per_word;
      within |= std::uint64_t{static_cast<Value>(x - range.low) <= width} << unit % bits_per_word;
    });
    out.below[w] = below, out.within[w] = within;
  }
}

/// Calls f(first word, words, sorted) for every few words of a tile.
template <class Key, class Value, class F>
void over_sorted(const mask& m, const key_tile& tile, const Key& key, key_range<Value> range, F f) {
  sorted_words sorted;
  for (std::size_t at = 0; at < tile.words; at += sorted_words::most) {
    const std::size_t words = std::min(sorted_words::most, tile.words - at);
    sort_words(m, tile.first_word + at, words, key, range, sorted);
    f(tile.first_word + at, words, sorted);
  }
}

/// The cut from one pass that counts the keys below a range and keeps those in it. Nothing where
/// the k-th does not lie in the range, or more keys do than should.
template <class KeysOf>
[[nodiscard]] std::optional<key_cut> find_cut_in(std::span<const mask> masks,
                                                 std::span<const key_tile> tiles,
                                                 std::size_t k,
                                                 key_range<key_of_unit<KeysOf>> range,
                                                 std::size_t most,
                                                 KeysOf keys_of,
                                                 std::size_t workers) {
  using key_type = key_of_unit<KeysOf>;
  struct found {
    std::size_t below = 0;
    std::vector<key_type> keys;
  };
  std::vector<found> parts(workers);
  std::atomic<std::size_t> in_range{0};
  over_tiles(tiles.size(), workers, [&](std::size_t t, std::size_t worker) {
    if (in_range.load(std::memory_order_relaxed) > most) return;
    const auto key = keys_of(tiles[t].mask);
    found& mine = parts[worker];
    std::size_t below = 0;
    const std::size_t before = mine.keys.size();
    over_sorted(masks[tiles[t].mask], tiles[t], key, range,
                [&](std::size_t first, std::size_t words, const sorted_words& sorted) {
                  below += count_plain(sorted.below.data(), words);
                  for (std::size_t w = 0; w < words; ++w) {
                    for (std::uint64_t bits = sorted.within[w]; bits != 0; bits &= bits - 1) {
                      const auto bit = static_cast<std::size_t>(std::countr_zero(bits));
                      mine.keys.push_back(key((first + w) * bits_per_word + bit));
                    }
                  }
                });
    mine.below += below;
    in_range.fetch_add(mine.keys.size() - before, std::memory_order_relaxed);
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
                               KeysOf keys_of,
                               std::size_t workers) {
  if (kept >= sampling_pays_from) {
    const double share = static_cast<double>(k) / static_cast<double>(kept);
    if (const auto range = bracket_by_sample(masks, share, keys_of)) {
      if (const auto cut = find_cut_in(masks, tiles, k, *range, kept / 32, keys_of, workers)) {
        return *cut;
      }
    }
  }
  return find_cut_by_digits(masks, tiles, k, key_bits, keys_of, workers);
}

/// Removes the units of a tile whose key is below the cut's bound, or equals it where all of those
/// go. Returns how many equal it.
template <class Value, class Key>
[[nodiscard]] std::size_t drop_from_tile(mask& m,
                                         const key_tile& tile,
                                         const key_cut& cut,
                                         const Key& key) {
  const std::uint64_t low = cut.bound << cut.shift, rest = (std::uint64_t{1} << cut.shift) - 1;
  const key_range<Value> at_bound{static_cast<Value>(low), static_cast<Value>(low | rest)};
  const bool whole_bin = cut.of_bound == cut.at_bound;
  std::size_t equal = 0;
  over_sorted(m, tile, key, at_bound,
              [&](std::size_t first, std::size_t words, const sorted_words& sorted) {
                equal += count_plain(sorted.within.data(), words);
                for (std::size_t w = 0; w < words; ++w) {
                  const std::uint64_t gone = sorted.below[w] | (whole_bin ? sorted.within[w] : 0);
                  m.set_word(first + w, m.words()[first + w] & ~gone);
                }
              });
  return equal;
}

}  // namespace detail

/// Removes, of the units that several masks keep, the k with the lowest integer keys.
///
/// The selection under everything that prunes single weights: 85 million keys are never laid side
/// by side. A sample brackets the k-th lowest key; one pass counts the keys below the bracket and
/// keeps the few within, of which the k-th is picked; one more pass clears bits. Where the sample
/// misleads or few keys differ, histograms of 16 bits at a time take its place, to the same end.
/// Keys are computed anew in each pass, which is cheaper than to store them: the bits of a float,
/// or a random number from its index.
///
/// keys_of: mask index -> (unit -> unsigned key below 2^key_bits); pure. What it gives may also
/// have sort(), see detail::sorts_words, to compare 64 units at a time. key_bits: 32 or 64.
/// threads: 0 for all that the machine has. Units are numbered through the masks in listed order;
/// of equal keys the unit with the lower number is kept.
/// Throws input_error, nothing changed, if fewer than k units are kept.
/// Cost: two passes. Memory: about 2 % of the kept units' keys, or a histogram of 512 KiB a thread;
/// nothing is concatenated, and only the bracket is sorted in part. The result is the same for any
/// number of threads.
template <class KeysOf>
requires std::unsigned_integral<detail::key_of_unit<KeysOf>>
void remove_lowest_keys(
    std::span<mask> masks, std::size_t k, int key_bits, KeysOf keys_of, std::size_t threads = 0) {
  std::size_t kept = 0;
  for (const mask& m : masks) kept += m.count();
  if (k > kept) {
    throw input_error("selection: asked to remove " + std::to_string(k) + " units of " +
                      std::to_string(kept) + " kept");
  }
  if (k == 0) return;
  const auto tiles = detail::cut_into_tiles(masks);
  const std::size_t workers = detail::workers_for(tiles, threads);
  const detail::key_cut cut = detail::find_cut(masks, tiles, k, kept, key_bits, keys_of, workers);
  std::vector<std::size_t> equal(tiles.size());
  detail::over_tiles(tiles.size(), workers, [&](std::size_t t, std::size_t) {
    equal[t] = detail::drop_from_tile<detail::key_of_unit<KeysOf>>(masks[tiles[t].mask], tiles[t],
                                                                   cut, keys_of(tiles[t].mask));
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
