#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/checkpoint/keys.hpp"
#include "tombola/checkpoint/pieces.hpp"
#include "tombola/core/error.hpp"
#include "tombola/prune/key_selection.hpp"

namespace tombola::checkpoint::detail {

using tombola::detail::digit_bits;
using tombola::detail::digit_values;
using tombola::detail::key_cut;

[[nodiscard]] inline input_error nan_error(const source& from,
                                           const stored_tensor& t,
                                           std::uint64_t element) {
  return input_error{from.shards()[t.shard].path.string() + ": tensor " + io::shown(t.name) +
                     ": element " + std::to_string(element) + " is NaN, expected a number"};
}

/// The bytes of some weights as they count: zeros where a mask beside them says so.
inline std::span<std::byte> effective_bytes(
    const source& from, const weights& w, std::uint64_t first, std::size_t units, space& s) {
  const stored_tensor& t = from.tensors()[w.tensor];
  const auto bytes = read_elements(from, t, first, units, s.bytes);
  if (!w.mask) return bytes;
  const stored_tensor& m = from.tensors()[*w.mask];
  const auto mask_bytes = read_elements(from, m, first, units, s.mask_bytes);
  s.words.resize(words_for(units));
  mask_into(m, first, mask_bytes, s.words, from.shards()[m.shard].path.string());
  zero_pruned(bytes, io::info(t.type).bytes, s.words);
  return bytes;
}

/// Part of a piece that is ranked in one set: all of it, or what one row has of it.
struct segment {
  std::size_t piece = 0;
  std::size_t begin = 0;  ///< first unit within the piece
  std::size_t units = 0;
  std::uint64_t ties_kept = 0;  ///< of those that equal the bound
};

/// Elements that are ranked together, and where the removal among them ends.
struct ranked_set {
  std::vector<segment> segments;  ///< in order
  std::uint64_t remove = 0;
  key_cut cut;
};

/// The passes that find the cut of one set.
template <class Key>
class cut_finder {
public:
  cut_finder(const source& from,
             std::span<const weights> all,
             std::span<const piece> pieces,
             const manner& how,
             progress& p)
      : from_{&from}, all_{all}, pieces_{pieces}, how_{&how}, progress_{&p} {}

  /// Fills in set.cut and ties_kept. Throws input_error at the first NaN, naming tensor and
  /// element, runtime_failure where two passes do not see the same numbers.
  /// Precondition: 0 < set.remove <= units of the set.
  void find(ranked_set& set) {
    constexpr int bits = std::numeric_limits<Key>::digits;
    set.cut = {bits, 0, static_cast<std::size_t>(set.remove), 0};
    key_cut& cut = set.cut;
    do {
      cut.shift -= digit_bits;
      const auto counts = histogram(set, cut);
      std::size_t d = 0;
      for (; d < digit_values && counts[d] < cut.of_bound; ++d) cut.of_bound -= counts[d];
      if (d == digit_values) {  // fewer elements than the pass before has seen
        throw runtime_failure(from_->path().string() + ": has changed while it was read");
      }
      cut.bound = cut.bound << digit_bits | d;
      cut.at_bound = counts[d];
    } while (cut.shift > 0 && cut.of_bound < cut.at_bound);
    if (cut.of_bound < cut.at_bound) share_ties(set);
  }

private:
  struct nan_place {
    std::size_t segment = std::numeric_limits<std::size_t>::max();
    std::size_t unit = 0;  ///< within the piece
  };

  /// Calls f(segment number, worker, type, key_of) for every segment of the set.
  template <class F>
  void over(const ranked_set& set, F f) {
    const std::size_t workers = workers_for(set.segments.size(), *how_);
    spaces_.resize(std::max(spaces_.size(), workers));
    over_tasks(set.segments.size(), workers, *progress_, [&](std::size_t i, std::size_t worker) {
      const segment& s = set.segments[i];
      const piece& x = pieces_[s.piece];
      const weights& w = all_[x.weights];
      const io::dtype type = from_->tensors()[w.tensor].type;
      const auto bytes = effective_bytes(*from_, w, x.first + s.begin, s.units, spaces_[worker]);
      with_keys<Key>(type, bytes, [&](auto key_of) { f(i, worker, type, key_of); });
      progress_->add(bytes.size());
    });
  }

  /// How often each digit at cut.shift occurs behind the prefix cut.bound. The first pass also
  /// looks for NaN.
  std::vector<std::uint64_t> histogram(const ranked_set& set, const key_cut& cut) {
    const std::size_t workers = workers_for(set.segments.size(), *how_);
    std::vector<std::uint64_t> counts(workers * digit_values);
    std::vector<nan_place> nans(workers);
    const bool first_pass = cut.shift + digit_bits == std::numeric_limits<Key>::digits;
    over(set, [&](std::size_t i, std::size_t worker, io::dtype type, auto key_of) {
      std::uint64_t* mine = counts.data() + worker * digit_values;
      const std::size_t units = set.segments[i].units;
      if (!first_pass) {
        for (std::size_t u = 0; u < units; ++u) {
          const std::uint64_t upper = std::uint64_t{key_of(u)} >> cut.shift;
          if (upper >> digit_bits == cut.bound) ++mine[upper & (digit_values - 1)];
        }
        return;
      }
      Key largest = 0;
      for (std::size_t u = 0; u < units; ++u) {
        const Key key = key_of(u);
        largest = std::max(largest, key);
        ++mine[std::uint64_t{key} >> cut.shift];
      }
      if (largest <= infinity_of<Key>(type) || i >= nans[worker].segment) return;
      std::size_t u = 0;
      while (key_of(u) <= infinity_of<Key>(type)) ++u;
      nans[worker] = {i, set.segments[i].begin + u};
    });
    refuse_nan(set, nans);
    for (std::size_t worker = 1; worker < workers; ++worker) {
      for (std::size_t d = 0; d < digit_values; ++d) counts[d] += counts[worker * digit_values + d];
    }
    return counts;
  }

  void refuse_nan(const ranked_set& set, std::span<const nan_place> nans) const {
    const auto first = std::min_element(nans.begin(), nans.end(), [](const auto& a, const auto& b) {
      return a.segment < b.segment;
    });
    if (first->segment >= set.segments.size()) return;
    const piece& x = pieces_[set.segments[first->segment].piece];
    throw nan_error(*from_, from_->tensors()[all_[x.weights].tensor], x.first + first->unit);
  }

  /// Of the elements at the bound the first are kept.
  void share_ties(ranked_set& set) {
    over(set, [&](std::size_t i, std::size_t, io::dtype, auto key_of) {
      std::uint64_t ties = 0;
      for (std::size_t u = 0; u < set.segments[i].units; ++u) {
        ties += std::uint64_t{key_of(u)} >> set.cut.shift == set.cut.bound ? 1U : 0U;
      }
      set.segments[i].ties_kept = ties;
    });
    std::uint64_t left = set.cut.at_bound - set.cut.of_bound;
    for (segment& s : set.segments) {
      s.ties_kept = std::min(s.ties_kept, left);
      left -= s.ties_kept;
    }
  }

  const source* from_;
  std::span<const weights> all_;
  std::span<const piece> pieces_;
  const manner* how_;
  progress* progress_;
  std::vector<space> spaces_;
};

/// Sets the bits of a segment's elements that survive its set's cut. Zeros do not survive, whatever
/// the cut: what nothing is removed from keeps what is above 0. key_of counts within the piece.
template <class KeyOf>
void keep_above(const ranked_set& set,
                const segment& s,
                KeyOf key_of,
                std::span<std::uint64_t> words) {
  const key_cut& cut = set.cut;
  const std::uint64_t rest = (std::uint64_t{1} << cut.shift) - 1;  // shift < 64
  const std::uint64_t bound = cut.bound << cut.shift | rest;
  std::uint64_t ties = cut.bound == 0 ? 0 : s.ties_kept;
  for (std::size_t u = s.begin; u < s.begin + s.units; ++u) {
    const std::uint64_t key = key_of(u);
    bool kept = key > bound;
    if (ties > 0 && key == bound) kept = true, --ties;
    words[u / bits_per_word] |= std::uint64_t{kept} << u % bits_per_word;
  }
}

}  // namespace tombola::checkpoint::detail
