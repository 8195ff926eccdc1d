#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/algebra/structure.hpp"
#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/checkpoint/cut.hpp"
#include "tombola/checkpoint/keep_best.hpp"
#include "tombola/checkpoint/keys.hpp"
#include "tombola/checkpoint/pieces.hpp"
#include "tombola/checkpoint/rewrite.hpp"
#include "tombola/core/detail/count_bits.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/io/ticket_writer.hpp"
#include "tombola/prune/schedule.hpp"

namespace tombola::checkpoint {

/// What is ranked together when weights are pruned.
enum class scope {
  global,  ///< all of them
  tensor,  ///< those of each tensor
  row,     ///< those of each row along a tensor's last extent
};

/// How many weights go, and from where.
struct magnitude_pruning {
  double share = 0.5;  ///< of the weights that are ranked together, removed; [0, 1]
  scope within = scope::global;
  std::optional<n_of_m> pattern = {};  ///< instead: keeps so many of every so many in a row
};

/// What was kept of each group that was pruned.
struct pruned {
  std::vector<group> groups;
  std::vector<std::uint64_t> kept;  ///< units of each
};

/// The longest block of an N:M pattern that a checkpoint is pruned to.
inline constexpr std::size_t max_pattern = 512;

namespace detail {

/// How the ticket says that it was found: `name value` items, as those of searches.
[[nodiscard]] inline std::string search_of(const magnitude_pruning& what) {
  if (what.pattern) {
    return "pattern " + std::to_string(what.pattern->kept) + ":" + std::to_string(what.pattern->of);
  }
  constexpr std::array<const char*, 3> scopes{"global", "tensor", "row"};
  return std::string{"schedule one_shot, scope "} + scopes[static_cast<std::size_t>(what.within)] +
         ", share " + io::shown(what.share);
}

[[nodiscard]] inline std::size_t last_extent(const weights& w) {
  return w.group.extents.empty() ? 1 : w.group.extents.back();
}

inline void check(const magnitude_pruning& how, std::span<const weights> all) {
  if (!how.pattern) {
    tombola::require_share(how.share, "share of weights");
    return;
  }
  const auto [n, m] = *how.pattern;
  const std::string pattern = std::to_string(n) + " of every " + std::to_string(m) + " weights";
  if (m == 0 || n > m || m > max_pattern) {
    throw input_error("prune: asked to keep " + pattern +
                      ", expected N of every M with N from 0 to M, and M from 1 to " +
                      std::to_string(max_pattern));
  }
  for (const weights& w : all) {
    if (last_extent(w) % m == 0) continue;
    throw shape_error("prune: asked to keep " + pattern + " of " + to_string(w.group) +
                      ", whose rows of " + std::to_string(last_extent(w)) +
                      " leave a tail, expected a multiple of " + std::to_string(m));
  }
}

/// Makes one pruned checkpoint; Key as keys.hpp says.
template <class Key>
class magnitude_pruner {
public:
  magnitude_pruner(const source& from,
                   std::span<const weights> all,
                   const magnitude_pruning& what,
                   const manner& how,
                   progress& p)
      : from_{&from}, all_{all}, what_{what}, how_{&how}, progress_{&p} {
    pieces_ = cut_into_pieces(from, all, [&](const weights& w) { return grain_of(w); });
    if (!what.pattern) rank();
  }

  /// Finds every cut, then writes weights and bits. Returns how many units each group keeps.
  std::vector<std::uint64_t> write(const rewrite& out, const io::ticket_writer& bits) {
    cut_finder<Key> finder{*from_, all_, pieces_, *how_, *progress_};
    for (ranked_set& set : sets_) {
      if (set.remove > 0) finder.find(set);
    }
    out.copy_rest(all_, *how_, *progress_);
    std::vector<std::atomic<std::uint64_t>> kept(all_.size());
    const std::size_t workers = workers_for(pieces_.size(), *how_);
    std::vector<space> spaces(workers);
    std::vector<std::vector<std::size_t>> rooms(workers);
    std::atomic<std::size_t> nan{pieces_.size()};  // the first piece with one
    over_tasks(pieces_.size(), workers, *progress_, [&](std::size_t i, std::size_t worker) {
      const piece& x = pieces_[i];
      const weights& w = all_[x.weights];
      space& s = spaces[worker];
      const auto bytes = effective_bytes(*from_, w, x.first, x.units, s);
      s.kept.assign(words_for(x.units), 0);
      with_keys<Key>(from_->tensors()[w.tensor].type, bytes,
                     [&](auto key_of) { keep(i, key_of, s.kept, rooms[worker], nan); });
      out.write(w, x.first, bytes, s);
      bits.write(x.weights, x.first, x.units, s.kept);
      kept[x.weights] += tombola::detail::fastest_bits().count(s.kept.data(), s.kept.size());
      progress_->add(bytes.size());
    });
    if (nan < pieces_.size()) refuse_nan(pieces_[nan], spaces[0]);
    return {kept.begin(), kept.end()};
  }

private:
  /// Rows that are ranked as they pass by; longer ones are ranked as sets.
  [[nodiscard]] bool has_short_rows(const weights& w) const {
    const std::size_t width = io::info(from_->tensors()[w.tensor].type).bytes;
    return what_.within == scope::row && !what_.pattern && last_extent(w) <= piece_bytes / width;
  }

  /// Pieces begin at whole bytes of bits, and where blocks or short rows do.
  [[nodiscard]] std::size_t grain_of(const weights& w) const {
    if (what_.pattern) return bits_per_word * what_.pattern->of;
    if (has_short_rows(w))
      return std::lcm(std::max<std::size_t>(last_extent(w), 1), std::size_t{8});
    return bits_per_word;
  }

  /// Lays out the sets that are ranked, and which segments each piece has.
  void rank() {
    std::vector<std::uint64_t> sizes;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      first_segment_.push_back(places_.size());
      const piece& x = pieces_[i];
      const weights& w = all_[x.weights];
      if (has_short_rows(w)) continue;
      const std::uint64_t row = what_.within == scope::row ? last_extent(w) : w.group.size();
      for (std::size_t begin = 0; begin < x.units;) {
        const std::uint64_t at = x.first + begin;
        const auto units =
            static_cast<std::size_t>(std::min<std::uint64_t>(x.units - begin, row - at % row));
        const bool is_new = what_.within == scope::global ? sets_.empty() : at % row == 0;
        if (is_new) sets_.emplace_back(), sizes.push_back(0);
        sets_.back().segments.push_back({i, begin, units, 0});
        sizes.back() += units;
        places_.push_back({sets_.size() - 1, sets_.back().segments.size() - 1});
        begin += units;
      }
    }
    first_segment_.push_back(places_.size());
    for (std::size_t s = 0; s < sets_.size(); ++s) {
      sets_[s].remove = share_of(what_.share, static_cast<std::size_t>(sizes[s]));
    }
  }

  /// A finder's first pass looks for NaN; this is for what no finder has seen. All pieces are
  /// looked at, so that the first is named, whoever comes upon one first.
  template <class KeyOf>
  void look_for_nan(std::size_t i, KeyOf key_of, std::atomic<std::size_t>& first) const {
    const piece& x = pieces_[i];
    Key largest = 0;
    for (std::size_t u = 0; u < x.units; ++u) largest = std::max<Key>(largest, key_of(u));
    if (largest <= infinity_of<Key>(type_of(x))) return;
    std::size_t known = first.load();
    while (i < known && !first.compare_exchange_weak(known, i)) {
    }
  }

  [[noreturn]] void refuse_nan(const piece& x, space& s) const {
    const weights& w = all_[x.weights];
    const auto bytes = effective_bytes(*from_, w, x.first, x.units, s);
    std::size_t u = 0;
    with_keys<Key>(type_of(x), bytes, [&](auto key_of) {
      while (u < x.units && key_of(u) <= infinity_of<Key>(type_of(x))) ++u;
    });
    throw nan_error(*from_, from_->tensors()[w.tensor], x.first + u);
  }

  [[nodiscard]] io::dtype type_of(const piece& x) const {
    return from_->tensors()[all_[x.weights].tensor].type;
  }

  template <class KeyOf>
  void keep(std::size_t i,
            KeyOf key_of,
            std::span<std::uint64_t> words,
            std::vector<std::size_t>& room,
            std::atomic<std::size_t>& nan) const {
    const piece& x = pieces_[i];
    const weights& w = all_[x.weights];
    if (what_.pattern || has_short_rows(w)) look_for_nan(i, key_of, nan);
    if (what_.pattern) {
      keep_best_of_blocks(key_of, x.units, what_.pattern->kept, what_.pattern->of, words, room);
    } else if (has_short_rows(w)) {
      const std::size_t row = last_extent(w);
      keep_best_of_blocks(key_of, x.units, row - share_of(what_.share, row), row, words, room);
    } else {
      for (std::size_t p = first_segment_[i]; p < first_segment_[i + 1]; ++p) {
        const ranked_set& set = sets_[places_[p].set];
        if (set.remove == 0) look_for_nan(i, key_of, nan);
        keep_above(set, set.segments[places_[p].segment], key_of, words);
      }
    }
  }

  struct place {
    std::size_t set = 0, segment = 0;
  };

  const source* from_;
  std::span<const weights> all_;
  magnitude_pruning what_;
  const manner* how_;
  progress* progress_;
  std::vector<piece> pieces_;
  std::vector<ranked_set> sets_;
  std::vector<place> places_;               ///< of all segments, piece by piece
  std::vector<std::size_t> first_segment_;  ///< of each piece, in places_; and the end
};

/// Bytes that pruning reads and writes at most; cuts may be found sooner.
[[nodiscard]] inline std::uint64_t bytes_to_prune(const source& from,
                                                  std::span<const weights> all,
                                                  const magnitude_pruning& what,
                                                  std::size_t key_width) {
  std::uint64_t weights_bytes = 0, file_bytes = 0;
  for (const weights& w : all) weights_bytes += from.tensors()[w.tensor].bytes;
  for (const shard& s : from.shards()) file_bytes += s.bytes;
  const std::uint64_t passes = what.pattern ? 0 : key_width / 2 + 1;  // the last for ties
  return file_bytes + passes * weights_bytes;
}

}  // namespace detail

/// Prunes some weights of a checkpoint by magnitude, and writes the pruned checkpoint and its
/// ticket into a new folder: files of the same names and layout, pruned weights +0, all else as it
/// was.
///
/// The share goes from what is ranked together, rounded as share_of does; of equal magnitudes the
/// lower index is kept, counted through the groups in listed order. The ticket,
/// `ticket.safetensors`, keeps what is not zero afterwards: weights that were zero before count as
/// the first to go. Masks that PyTorch's pruning keeps beside weights are applied, and pruned with
/// them; `copies` of weights (tie) get the same bytes. beside: small files that are copied along,
/// such as config.json.
///
/// Throws input_error for a share outside [0, 1], a pattern of no unit, a NaN (naming tensor and
/// element), or a folder that is there already; shape_error where rows are no multiple of a
/// pattern; as source::read and atomic_file do. The folder appears complete or not at all.
/// Memory: per thread two pieces of piece_bytes (eight rows where rows are ranked) and a histogram
/// of 512 KiB; some 100 bytes for every piece. Cost: one pass to write and, but for patterns and
/// short rows, one for every 16 bits of the widest type and one to share out ties. Results do not
/// depend on threads.
/// Source: S. Han et al., "Learning both weights and connections", NIPS 2015.
inline pruned prune_by_magnitude(const source& from,
                                 std::span<const weights> all,
                                 const magnitude_pruning& what,
                                 const std::filesystem::path& folder,
                                 std::span<const std::filesystem::path> beside = {},
                                 const manner& how = {}) {
  detail::check(what, all);
  const std::size_t width = detail::key_bytes(from, all);
  detail::progress p{how, detail::bytes_to_prune(from, all, what, width)};
  detail::rewrite out{from, folder};
  pruned result{groups_of(all), {}};
  provenance origin;
  origin.criterion = "magnitude";
  origin.search = detail::search_of(what);
  // The folder's files have names that are gone when somebody reads a message about them.
  return out.named([&] {
    io::ticket_writer bits{out.path() / "ticket.safetensors", result.groups, origin};
    const auto run = [&]<class Key>(Key) {
      result.kept = detail::magnitude_pruner<Key>{from, all, what, how, p}.write(out, bits);
    };
    if (width == 2) {
      run(std::uint16_t{});
    } else if (width == 4) {
      run(std::uint32_t{});
    } else {
      run(std::uint64_t{});
    }
    bits.commit();
    for (const std::filesystem::path& file : beside) out.add(file);
    out.commit();
    return result;
  });
}

}  // namespace tombola::checkpoint
