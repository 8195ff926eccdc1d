#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

namespace tombola {

/// Four random words for one counter and key: Philox4x32-10.
///
/// A counter-based generator: any element of the stream is computed on its own, so that what is
/// drawn does not depend on threads, on order or on the backend.
/// Source: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
[[nodiscard]] constexpr std::array<std::uint32_t, 4> philox4x32(
    std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {
        static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
        static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return counter;
}

/// What a stream of random numbers is for. Streams of different purposes never meet.
enum class purpose : std::uint32_t {
  initialisation = 1,
  shuffle = 2,
  dropout = 3,
  control = 4,   ///< random and bad tickets
  subset = 5,    ///< drawing rows of a data set
  masking = 6,   ///< masked language modelling
  language = 7,  ///< generated text
  chance = 8,    ///< overlaps drawn by chance
  probe = 9,     ///< token ids on which two models are compared
};

/// The random numbers of one (seed, purpose, step): element i is a function of i alone.
///
/// The counter is (index low, index high, step, purpose), the key the seed.
class random_stream {
public:
  constexpr random_stream(std::uint64_t seed, purpose what, std::uint32_t step = 0) noexcept
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        step_{step},
        purpose_{static_cast<std::uint32_t>(what)} {}

  /// Four words of element i.
  [[nodiscard]] constexpr std::array<std::uint32_t, 4> words(std::uint64_t i) const noexcept {
    return philox4x32(
        {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), step_, purpose_},
        key_);
  }

  /// 64 random bits.
  [[nodiscard]] constexpr std::uint64_t bits(std::uint64_t i) const noexcept {
    const auto w = words(i);
    return std::uint64_t{w[0]} << 32 | w[1];
  }

  /// Uniform in [0, 1), 53 bits.
  [[nodiscard]] constexpr double uniform(std::uint64_t i) const noexcept {
    return static_cast<double>(bits(i) >> 11) * 0x1.0p-53;
  }

  /// Uniform in {0, ..., n-1}. Precondition: n > 0. The bias is at most n / 2^64.
  [[nodiscard]] constexpr std::uint64_t below(std::uint64_t n, std::uint64_t i) const noexcept {
    const std::uint64_t x = bits(i);
    // The upper 64 bits of x * n, from 32-bit halves: portable, without a 128-bit type.
    const std::uint64_t xl = x & 0xFFFFFFFF, xh = x >> 32, nl = n & 0xFFFFFFFF, nh = n >> 32;
    const std::uint64_t middle = xh * nl + (xl * nl >> 32);
    const std::uint64_t carry = (middle & 0xFFFFFFFF) + xl * nh;
    return xh * nh + (middle >> 32) + (carry >> 32);
  }

  /// Standard normal, by the Box-Muller transform.
  [[nodiscard]] double normal(std::uint64_t i) const noexcept {
    const auto w = words(i);
    const double u =
        (static_cast<double>((std::uint64_t{w[0]} << 32 | w[1]) >> 11) + 0.5) * 0x1.0p-53;
    const double v = static_cast<double>((std::uint64_t{w[2]} << 32 | w[3]) >> 11) * 0x1.0p-53;
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
  }

private:
  std::array<std::uint32_t, 2> key_;
  std::uint32_t step_;
  std::uint32_t purpose_;
};

/// Key of the dropout bits of one place in the model during one epoch.
///
/// What is drawn under it is philox4x32({column / 4, token, example, head}, key)[column % 4], where
/// example is the position of the sequence in the shuffled epoch, token the place in the sequence
/// and, for attention, column the key's place and token the query's; head is 0 elsewhere.
[[nodiscard]] constexpr std::array<std::uint32_t, 2> dropout_key(std::uint64_t seed,
                                                                 std::uint32_t epoch,
                                                                 std::uint32_t site) noexcept {
  const auto w = random_stream{seed, purpose::dropout, epoch}.words(site);
  return {w[0], w[1]};
}

/// The numbers 0 to n-1 in random order. Cost: n draws (Fisher-Yates).
[[nodiscard]] inline std::vector<std::size_t> permutation(std::size_t n, const random_stream& r) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = n; i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<std::size_t>(r.below(i, i))]);
  }
  return order;
}

}  // namespace tombola
