#include "tombola/core/random.hpp"

#include <algorithm>
#include <set>

#include "tests/support/catch.hpp"

using namespace tombola;
using block = std::array<std::uint32_t, 4>;

// The known-answer vectors of philox4x32-10 that its authors publish with Random123.
static_assert(philox4x32({0, 0, 0, 0}, {0, 0}) ==
              block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                         {0xffffffff, 0xffffffff}) ==
              block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                         {0xa4093822, 0x299f31d0}) ==
              block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

TEST_CASE("Philox gives its published vectors at run time too") {
  volatile std::uint32_t zero = 0;  // keeps the compiler from folding the call
  CHECK(philox4x32({zero, zero, zero, zero}, {zero, zero}) ==
        block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
}

TEST_CASE("the counter is (index low, index high, step, purpose), the key the seed") {
  const random_stream r{0x299f31d0'a4093822, purpose::dropout, 7};
  CHECK(r.words(0x85a308d3'243f6a88) ==
        philox4x32({0x243f6a88, 0x85a308d3, 7, 3}, {0xa4093822, 0x299f31d0}));
  const auto w = r.words(5);
  CHECK(r.bits(5) == (std::uint64_t{w[0]} << 32 | w[1]));
}

TEST_CASE("streams of other seeds, purposes, steps and elements differ") {
  std::set<std::uint64_t> seen;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
    for (const purpose what : {purpose::shuffle, purpose::control}) {
      for (const std::uint32_t step : {0U, 1U}) {
        for (const std::uint64_t i : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
          seen.insert(random_stream{seed, what, step}.bits(i));
        }
      }
    }
  }
  CHECK(seen.size() == 3 * 2 * 2 * 3);
}

TEST_CASE("below(n) is the upper half of the product of bits and n") {
  const random_stream r{1, purpose::subset};
  for (std::uint64_t i = 0; i < 2000; ++i) {
    CHECK(r.below(1, i) == 0);
    CHECK(r.below(std::uint64_t{1} << 63, i) == r.bits(i) >> 1);
    // n = 3 * 2^40: product by pieces that fit 64 bits.
    const std::uint64_t x = r.bits(i);
    const std::uint64_t high = 3 * (x >> 32) + (3 * (x & 0xffffffff) >> 32);
    const std::uint64_t low = 3 * x & 0xffffffff;
    CHECK(r.below(std::uint64_t{3} << 40, i) == (high << 8 | low >> 24));
  }
}

TEST_CASE("uniform and normal numbers have the moments they ought to have") {
  const random_stream r{42, purpose::initialisation};
  const std::uint64_t n = 40000;
  double mean = 0, square = 0, normal = 0, normal_square = 0, fourth = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    const double u = r.uniform(i), z = r.normal(i);
    REQUIRE((u >= 0.0 && u < 1.0));
    REQUIRE(std::isfinite(z));
    mean += u / static_cast<double>(n);
    square += u * u / static_cast<double>(n);
    normal += z / static_cast<double>(n);
    normal_square += z * z / static_cast<double>(n);
    fourth += z * z * z * z / static_cast<double>(n);
  }
  // Five standard errors each: 1/sqrt(12 n), sqrt(4/45 n), 1/sqrt(n), sqrt(2/n), sqrt(96/n).
  CHECK(mean == Approx(0.5).margin(0.0073));
  CHECK(square == Approx(1.0 / 3).margin(0.0075));
  CHECK(normal == Approx(0.0).margin(0.025));
  CHECK(normal_square == Approx(1.0).margin(0.036));
  CHECK(fourth == Approx(3.0).margin(0.25));
}

TEST_CASE("a permutation holds every number once, and all orders come up alike") {
  for (const std::size_t n : {0U, 1U, 2U, 65U}) {
    auto order = permutation(n, {9, purpose::shuffle});
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < n; ++i) CHECK(order[i] == i);
  }
  std::array<int, 6> times{};
  for (std::uint32_t epoch = 0; epoch < 6000; ++epoch) {
    const auto p = permutation(3, {9, purpose::shuffle, epoch});
    ++times[2 * p[0] + (p[1] > p[2] ? 1 : 0)];
  }
  for (const int t : times) CHECK(std::abs(t - 1000) < 145);  // five standard deviations
}

TEST_CASE("dropout keys differ by seed, epoch and site") {
  std::set<std::array<std::uint32_t, 2>> keys;
  for (const std::uint64_t seed : {0U, 1U}) {
    for (const std::uint32_t epoch : {0U, 1U}) {
      for (const std::uint32_t site : {0U, 1U}) keys.insert(dropout_key(seed, epoch, site));
    }
  }
  CHECK(keys.size() == 8);
}
