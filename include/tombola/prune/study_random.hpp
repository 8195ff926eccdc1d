#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tombola/core/error.hpp"

namespace tombola::study {

// The generators that the study drew its masks from, so that they can be drawn again bit for bit.
// Nothing else in the library uses them: they are sequences, and results would depend on the order
// in which threads ask (core/random.hpp has the counter-based ones).

/// MT19937. Source: M. Matsumoto, T. Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998, and the
/// initialisations of the authors' code of 2002.
class mersenne_twister {
public:
  /// Initialised by one 32-bit number, as numpy.random.seed(number).
  explicit mersenne_twister(std::uint32_t seed) noexcept {
    state_[0] = seed;
    for (std::uint32_t i = 1; i < size; ++i) {
      state_[i] = 1812433253U * (state_[i - 1] ^ state_[i - 1] >> 30) + i;
    }
  }

  /// Initialised by several, as random.seed(number) of Python with the number's 32-bit words.
  [[nodiscard]] static mersenne_twister from_words(const std::vector<std::uint32_t>& key) {
    if (key.empty()) throw input_error("mersenne_twister: no word, expected at least one");
    mersenne_twister g{19650218U};
    std::uint32_t i = 1;
    const auto before = [&g, &i] { return g.state_[i - 1] ^ g.state_[i - 1] >> 30; };
    const auto next = [&g, &i] {
      if (++i < size) return;
      g.state_[0] = g.state_[size - 1];
      i = 1;
    };
    std::uint32_t j = 0;
    for (std::size_t k = std::max<std::size_t>(size, key.size()); k > 0; --k) {
      g.state_[i] = (g.state_[i] ^ before() * 1664525U) + key[j] + j;
      next();
      j = j + 1 == key.size() ? 0 : j + 1;
    }
    for (std::size_t k = size - 1; k > 0; --k) {
      g.state_[i] = (g.state_[i] ^ before() * 1566083941U) - i;
      next();
    }
    g.state_[0] = 0x80000000U;
    return g;
  }

  /// 32 random bits.
  [[nodiscard]] std::uint32_t next() noexcept {
    if (at_ == size) renew();
    std::uint32_t y = state_[at_++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9D2C5680U;
    y ^= y << 15 & 0xEFC60000U;
    return y ^ y >> 18;
  }

  /// Uniform in [0, 1) from two draws, 53 bits: numpy.random.random(), random.random().
  [[nodiscard]] double uniform() noexcept {
    const std::uint32_t high = next() >> 5, low = next() >> 6;
    return (high * 67108864.0 + low) / 9007199254740992.0;
  }

private:
  static constexpr std::uint32_t size = 624, shift = 397;

  void renew() noexcept {
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::uint32_t y = (state_[i] & 0x80000000U) | (state_[(i + 1) % size] & 0x7FFFFFFFU);
      state_[i] = state_[(i + shift) % size] ^ y >> 1 ^ ((y & 1U) != 0 ? 0x9908B0DFU : 0U);
    }
    at_ = 0;
  }

  std::array<std::uint32_t, size> state_;
  std::uint32_t at_ = size;
};

/// The draws of Python's `random` that the study uses. Source: CPython 3.7, Lib/random.py.
class python_random {
public:
  explicit python_random(std::uint32_t seed) : generator_{mersenne_twister::from_words({seed})} {}

  /// Uniform in {0, ..., n - 1}: as many random bits as n has, drawn again until below n.
  /// Precondition: n > 0.
  [[nodiscard]] std::size_t below(std::size_t n) noexcept {
    const auto bits = static_cast<std::size_t>(std::bit_width(n));
    std::size_t drawn = n;
    while (drawn >= n) {
      // Lowest 32 bits first, and of the last word the top ones.
      const std::size_t low = bits > 32 ? generator_.next() : 0, shift = bits > 32 ? 32 : 0;
      drawn = low | static_cast<std::size_t>(generator_.next() >> (32 + shift - bits)) << shift;
    }
    return drawn;
  }

  /// k of the items without replacement, in the order drawn. Throws input_error for k above their
  /// number.
  template <class T>
  [[nodiscard]] std::vector<T> sample(std::vector<T> items, std::size_t k) {
    const std::size_t n = items.size();
    if (k > n) {
      throw input_error("sample: " + std::to_string(k) + " of " + std::to_string(n) +
                        " items, expected at most as many");
    }
    // Lists up to this long are shuffled, in longer ones what was taken is drawn again.
    std::size_t pool = 21;
    if (k > 5) {
      std::size_t power = 1;
      while (power < 3 * k) power *= 4;
      pool += power;
    }
    std::vector<T> drawn;
    std::set<std::size_t> taken;
    for (std::size_t i = 0; i < k; ++i) {
      std::size_t j = 0;
      if (n <= pool) {
        j = below(n - i);
        drawn.push_back(items[j]);
        items[j] = items[n - i - 1];
        continue;
      }
      do j = below(n);
      while (!taken.insert(j).second);
      drawn.push_back(items[j]);
    }
    return drawn;
  }

private:
  mersenne_twister generator_;
};

}  // namespace tombola::study
