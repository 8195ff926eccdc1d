#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/core/detail/nonzero_bits.hpp"
#include "tombola/core/detail/threads.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/io/dtype.hpp"
#include "tombola/io/sentence.hpp"

// Checkpoints are passed over in pieces that fit the second cache, read into one buffer per thread:
// memory does not grow with the file, and what was just copied is still near when it is looked at.

namespace tombola::checkpoint {

/// Bytes of weights that a thread holds at a time.
inline constexpr std::size_t piece_bytes = std::size_t{256} << 10;

/// How a pass over a checkpoint is made; no result depends on it.
struct manner {
  std::size_t threads = 0;  ///< 0 for all that the machine has
  /// Told now and then, by the calling thread, how many bytes of how many are done. What it throws
  /// ends the pass.
  std::function<void(std::uint64_t done, std::uint64_t all)> watch = {};
};

namespace detail {

using tombola::detail::fastest_nonzero;
using tombola::detail::in_slices;
using tombola::detail::is_nonzero;

/// A run of elements of one tensor.
struct piece {
  std::size_t weights = 0;  ///< place in the list of weights
  std::uint64_t first = 0;
  std::size_t units = 0;
};

/// Tensors cut into pieces of about piece_bytes, in order. grain_of(weights): what a piece has a
/// whole number of units of, unless its tensor ends; a piece of one grain may be larger.
template <class GrainOf>
[[nodiscard]] std::vector<piece> cut_into_pieces(const source& from,
                                                 std::span<const weights> all,
                                                 GrainOf grain_of) {
  std::vector<piece> pieces;
  for (std::size_t w = 0; w < all.size(); ++w) {
    const stored_tensor& t = from.tensors()[all[w].tensor];
    const std::size_t grain = grain_of(all[w]);
    const std::size_t most =
        std::max<std::size_t>(1, piece_bytes / io::info(t.type).bytes / grain) * grain;
    for (std::uint64_t first = 0; first < t.size(); first += most) {
      const auto units = std::min<std::uint64_t>(most, t.size() - first);
      pieces.push_back({w, first, static_cast<std::size_t>(units)});
    }
  }
  return pieces;
}
[[nodiscard]] inline std::vector<piece> cut_into_pieces(const source& from,
                                                        std::span<const weights> all) {
  return cut_into_pieces(from, all, [](const weights&) { return bits_per_word; });
}

/// Bytes done of work that makes one or more passes.
class progress {
public:
  progress(const manner& how, std::uint64_t all) : how_{&how}, all_{all} {}

  void add(std::uint64_t bytes) { done_.fetch_add(bytes, std::memory_order_relaxed); }
  void tell() const {
    if (how_->watch && all_ > 0)
      how_->watch(std::min(done_.load(std::memory_order_relaxed), all_), all_);
  }

private:
  const manner* how_;
  std::uint64_t all_;
  std::atomic<std::uint64_t> done_{0};
};

[[nodiscard]] inline std::size_t workers_for(std::size_t tasks, const manner& how) {
  const std::size_t threads =
      how.threads == 0 ? std::max(1U, std::thread::hardware_concurrency()) : how.threads;
  return std::clamp<std::size_t>(tasks, 1, threads);
}

/// Calls f(task, worker) for each task; workers take the next one as they are free, so that order
/// and place of a task are open. An exception of any ends all.
template <class F>
void over_tasks(std::size_t tasks, std::size_t workers, const progress& p, F f) {
  std::atomic<std::size_t> next{0};
  in_slices(workers, 1, workers, [&](std::size_t worker, std::size_t, std::size_t) {
    try {
      for (std::size_t t = 0; (t = next.fetch_add(1)) < tasks;) {
        f(t, worker);
        if (worker + 1 == workers) p.tell();  // the caller's own thread
      }
    } catch (...) {
      next.store(tasks);
      throw;
    }
  });
  p.tell();
}

/// What one thread works in.
struct space {
  std::vector<std::byte> bytes, mask_bytes;
  std::vector<std::uint64_t> words, kept;
};

/// The bytes of some elements of a tensor, in `room`.
inline std::span<std::byte> read_elements(const source& from,
                                          const stored_tensor& t,
                                          std::uint64_t first,
                                          std::size_t units,
                                          std::vector<std::byte>& room) {
  const std::size_t width = io::info(t.type).bytes;
  if (room.size() < units * width) room.resize(units * width);
  const auto to = std::span{room}.first(units * width);
  from.read(t, first * width, to);
  return to;
}

/// The bits of floats that are not zero. Precondition: as many words as they take.
inline void nonzero_into(io::dtype type,
                         std::span<const std::byte> bytes,
                         std::span<std::uint64_t> words) {
  const std::size_t width = io::info(type).bytes, units = bytes.size() / width;
  const std::size_t whole = units / bits_per_word;
  const auto& kernels = fastest_nonzero();
  const auto last = [&](auto is_set) {
    if (whole * bits_per_word == units) return;
    std::uint64_t bits = 0;
    for (std::size_t u = whole * bits_per_word; u < units; ++u) {
      bits |= std::uint64_t{is_set(bytes.data() + u * width)} << u % bits_per_word;
    }
    words[whole] = bits;
  };
  switch (width) {
    case 2:
      kernels.of_2_bytes(bytes.data(), whole, words.data());
      return last(is_nonzero<std::uint16_t>);
    case 4:
      kernels.of_4_bytes(bytes.data(), whole, words.data());
      return last(is_nonzero<std::uint32_t>);
    default:
      kernels.of_8_bytes(bytes.data(), whole, words.data());
      return last(is_nonzero<std::uint64_t>);
  }
}

/// The bits of a mask as PyTorch keeps it: numbers 0 and 1 of any type. Throws format_error, naming
/// file, tensor and element, at any other.
inline void mask_into(const stored_tensor& t,
                      std::uint64_t first,
                      std::span<const std::byte> bytes,
                      std::span<std::uint64_t> words,
                      const std::string& file) {
  constexpr std::size_t some = 512;
  double values[some];
  const std::size_t width = io::info(t.type).bytes, units = bytes.size() / width;
  std::fill(words.begin(), words.end(), 0);
  for (std::size_t at = 0; at < units; at += some) {
    const std::size_t n = std::min(some, units - at);
    io::detail::convert(t.type, bytes.subspan(at * width, n * width), std::span{values, n});
    for (std::size_t i = 0; i < n; ++i) {
      if (values[i] != 0.0 && values[i] != 1.0) {
        throw format_error(file, "mask " + io::shown(t.name) + " has " + io::shown(values[i]) +
                                     " as element " + std::to_string(first + at + i) +
                                     ", expected 0 or 1");
      }
      words[(at + i) / bits_per_word] |= std::uint64_t{values[i] != 0.0}
                                         << (at + i) % bits_per_word;
    }
  }
}

/// The bits of some weights that are kept: those of the mask beside them, or else what is not zero.
/// Precondition: as many words as they take.
inline void kept_bits_into(const source& from,
                           const weights& w,
                           std::uint64_t first,
                           std::size_t units,
                           std::span<std::uint64_t> words,
                           space& s) {
  const stored_tensor& t = from.tensors()[w.mask.value_or(w.tensor)];
  const auto bytes = read_elements(from, t, first, units, s.bytes);
  if (w.mask) {
    mask_into(t, first, bytes, words, from.shards()[t.shard].path.string());
  } else {
    nonzero_into(t.type, bytes, words);
  }
}

/// The same in the words of the space.
inline std::span<const std::uint64_t> kept_bits(
    const source& from, const weights& w, std::uint64_t first, std::size_t units, space& s) {
  s.words.resize(words_for(units));
  kept_bits_into(from, w, first, units, s.words, s);
  return s.words;
}

/// Sets up to 64 elements to 0 whose bit is 0.
template <class Number>
void zero_word(std::byte* bytes, std::size_t units, std::uint64_t bits) noexcept {
  for (std::size_t u = 0; u < units; ++u, bytes += sizeof(Number)) {
    Number x;
    std::memcpy(&x, bytes, sizeof x);
    const auto all = static_cast<Number>(~((bits >> u & 1U) - 1));  // ones where the bit is 1
    x = static_cast<Number>(x & all);
    std::memcpy(bytes, &x, sizeof x);
  }
}

/// Sets elements to 0 whose bit is 0.
inline void zero_pruned(std::span<std::byte> bytes,
                        std::size_t width,
                        std::span<const std::uint64_t> words) {
  const auto zero = width == 1   ? zero_word<std::uint8_t>
                    : width == 2 ? zero_word<std::uint16_t>
                    : width == 4 ? zero_word<std::uint32_t>
                                 : zero_word<std::uint64_t>;
  const std::size_t units = bytes.size() / width;
  for (std::size_t w = 0; w < words.size(); ++w) {
    const std::size_t begin = w * bits_per_word;
    if (words[w] == ~std::uint64_t{0}) continue;
    zero(bytes.data() + begin * width, std::min(units - begin, bits_per_word), words[w]);
  }
}

/// Bytes that kept_bits reads of some weights.
[[nodiscard]] inline std::uint64_t bytes_to_read(const source& from, std::span<const weights> all) {
  std::uint64_t bytes = 0;
  for (const weights& w : all) bytes += from.tensors()[w.mask.value_or(w.tensor)].bytes;
  return bytes;
}

}  // namespace detail

}  // namespace tombola::checkpoint
