#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "tombola/core/mask.hpp"

namespace tombola::checkpoint::detail {

/// Blocks up to this long are ranked by comparing every pair.
inline constexpr std::size_t short_block = 8;

/// Sets the bits of the n highest keys of every block of m, but not those of zeros; of equal keys
/// the lower index is kept. key_of: element -> key; units is a multiple of m. order: room.
template <class KeyOf>
void keep_best_of_blocks(KeyOf key_of,
                         std::size_t units,
                         std::size_t n,
                         std::size_t m,
                         std::span<std::uint64_t> words,
                         std::vector<std::size_t>& order) {
  using key = decltype(key_of(std::size_t{0}));
  const auto set = [&](std::size_t u, bool kept) {
    words[u / bits_per_word] |= std::uint64_t{kept} << u % bits_per_word;
  };
  if (m <= short_block) {
    std::array<key, short_block> keys{};
    for (std::size_t first = 0; first < units; first += m) {
      for (std::size_t i = 0; i < m; ++i) keys[i] = key_of(first + i);
      for (std::size_t i = 0; i < m; ++i) {
        std::size_t before = 0;
        for (std::size_t j = 0; j < m; ++j) {
          before += keys[j] > keys[i] || (keys[j] == keys[i] && j < i) ? 1U : 0U;
        }
        set(first + i, before < n && keys[i] != 0);
      }
    }
    return;
  }
  order.resize(m);
  for (std::size_t first = 0; first < units; first += m) {
    std::iota(order.begin(), order.end(), first);
    const auto nth = order.begin() + static_cast<std::ptrdiff_t>(n);
    std::nth_element(order.begin(), nth, order.end(), [&](std::size_t a, std::size_t b) {
      const key x = key_of(a), y = key_of(b);
      return x > y || (x == y && a < b);
    });
    for (auto u = order.begin(); u != nth; ++u) set(*u, key_of(*u) != 0);
  }
}

}  // namespace tombola::checkpoint::detail
