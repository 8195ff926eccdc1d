#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/algebra/detail/count_words.hpp"
#include "tombola/core/detail/count_bits.hpp"

namespace tombola::detail {

// In how many of k masks is each unit? Counts of 64 units lie side by side: bit p of a unit's count
// is its bit in plane p, and a mask is added to all 64 with a carry from plane to plane. Loops run
// over whole blocks of fixed length, so that the compiler makes vectors of them at any level.

/// Most planes that have a loop of their own: counts up to 63.
inline constexpr std::size_t most_planes = 6;

/// Planes of counts up to k.
[[nodiscard]] constexpr std::size_t planes_for(std::size_t k) noexcept {
  return std::max<std::size_t>(static_cast<std::size_t>(std::bit_width(k)), 1);
}

/// Adds a block of a mask to the counts in the first P planes; they cannot overflow.
template <std::size_t P>
[[gnu::always_inline]] inline void add_block(std::uint64_t* __restrict planes,
                                             const std::uint64_t* __restrict words) noexcept {
  for (std::size_t i = 0; i < block_words; ++i) {
    std::uint64_t carry = words[i];
    for (std::size_t p = 0; p < P; ++p) {
      std::uint64_t& plane = planes[p * block_words + i];
      const std::uint64_t next = plane & carry;
      plane ^= carry;
      carry = next;
    }
  }
}

/// The units of a block whose count is r.
template <std::size_t P>
[[gnu::always_inline]] inline void units_of_block(const std::uint64_t* __restrict planes,
                                                  std::size_t r,
                                                  std::uint64_t* __restrict units) noexcept {
  std::uint64_t flip[P];
  for (std::size_t p = 0; p < P; ++p) flip[p] = (r >> p & 1U) != 0 ? 0 : ~std::uint64_t{0};
  for (std::size_t i = 0; i < block_words; ++i) {
    std::uint64_t all = planes[i] ^ flip[0];
    for (std::size_t p = 1; p < P; ++p) all &= planes[p * block_words + i] ^ flip[p];
    units[i] = all;
  }
}

using add_function = void (*)(std::uint64_t*, const std::uint64_t*) noexcept;
using units_function = void (*)(const std::uint64_t*, std::size_t, std::uint64_t*) noexcept;

/// Both for a number of planes.
struct vertical_kernels {
  add_function add;
  units_function units;
};

template <std::size_t P>
void add_plain(std::uint64_t* planes, const std::uint64_t* words) noexcept {
  add_block<P>(planes, words);
}
template <std::size_t P>
void units_plain(const std::uint64_t* planes, std::size_t r, std::uint64_t* units) noexcept {
  units_of_block<P>(planes, r, units);
}

#if defined(__x86_64__) && defined(__GNUC__)
template <std::size_t P>
__attribute__((target("avx2"))) void add_avx2(std::uint64_t* planes,
                                              const std::uint64_t* words) noexcept {
  add_block<P>(planes, words);
}
template <std::size_t P>
__attribute__((target("avx2"))) void units_avx2(const std::uint64_t* planes,
                                                std::size_t r,
                                                std::uint64_t* units) noexcept {
  units_of_block<P>(planes, r, units);
}
#endif

/// The kernels for P planes, P from 1 to most_planes, with vectors where the processor has them.
[[nodiscard]] inline vertical_kernels vertical_kernels_for(std::size_t planes, bool vectors) {
  const auto choose = [&]<std::size_t... P>(std::index_sequence<P...>) {
    vertical_kernels chosen{};
    const auto take = [&]<std::size_t Planes>() {
      if (planes != Planes) return;
#if defined(__x86_64__) && defined(__GNUC__)
      if (vectors) {
        chosen = {add_avx2<Planes>, units_avx2<Planes>};
        return;
      }
#endif
      chosen = {add_plain<Planes>, units_plain<Planes>};
    };
    (take.template operator()<P + 1>(), ...);
    return chosen;
  };
  return choose(std::make_index_sequence<most_planes>{});
}

/// Counts of one block of units in up to 63 masks; more masks take the slow way word by word.
class block_counter {
public:
  /// Precondition: k is at most 63.
  explicit block_counter(std::size_t k, bool vectors = fastest_bits().name != plain_bits.name)
      : planes_(planes_for(k) * block_words), units_(block_words), padded_(block_words) {
    for (std::size_t p = 1; p <= planes_for(k); ++p) {
      kernels_.push_back(vertical_kernels_for(p, vectors));
    }
  }

  /// Counts words [at, at + length) of all masks. Precondition: length <= block_words.
  void count(const std::vector<std::span<const std::uint64_t>>& words,
             std::size_t at,
             std::size_t length) {
    std::fill(planes_.begin(), planes_.end(), std::uint64_t{0});
    for (std::size_t j = 0; j < words.size(); ++j) {
      const std::uint64_t* block = words[j].data() + at;
      if (length < block_words) {
        std::fill(std::copy_n(block, length, padded_.begin()), padded_.end(), std::uint64_t{0});
        block = padded_.data();
      }
      kernels_[planes_for(j + 1) - 1].add(planes_.data(), block);
    }
  }

  /// The units whose count is r, as the words of the block.
  [[nodiscard]] std::span<const std::uint64_t> units_at(std::size_t r) {
    kernels_.back().units(planes_.data(), r, units_.data());
    return units_;
  }

private:
  std::vector<vertical_kernels> kernels_;  ///< [p - 1] for p planes
  std::vector<std::uint64_t> planes_, units_, padded_;
};

}  // namespace tombola::detail
