#include "tombola/core/detail/count_bits.hpp"

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/core/detail/threads.hpp"
#include "tombola/core/random.hpp"

using namespace tombola;

TEST_CASE("every variant of the bit kernels that this machine has counts as the plain one") {
  const random_stream random{1, purpose::subset};
  std::vector<std::uint64_t> a(701), b(701);
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] = random.bits(2 * i);
    b[i] = random.bits(2 * i + 1);
  }
  std::size_t variants = 0;
  std::string last;
  detail::for_each_bit_kernels([&](const detail::bit_kernels& k) {
    ++variants;
    last = k.name;
    INFO(k.name);
    for (std::size_t offset : {0U, 1U, 3U}) {  // vectors need no alignment
      for (std::size_t n = 0; n + offset <= a.size(); n += n < 140 ? 1 : 37) {
        std::uint64_t ones = 0, both = 0, others = 0;
        for (std::size_t i = 0; i < n; ++i) {
          others += static_cast<std::uint64_t>(std::popcount(b[i]));
          ones += static_cast<std::uint64_t>(std::popcount(a[offset + i]));
          both += static_cast<std::uint64_t>(std::popcount(a[offset + i] & b[i]));
        }
        REQUIRE(k.count(a.data() + offset, n) == ones);
        REQUIRE(k.count_and(a.data() + offset, b.data(), n) == both);
        const detail::common_counts three = k.count_three(a.data() + offset, b.data(), n);
        REQUIRE(three.both == both);
        REQUIRE(three.first == ones);
        REQUIRE(three.second == others);
        const std::uint64_t *x = a.data() + offset, *y = b.data(), *z = a.data() + 1;
        const std::size_t m = n < a.size() - 1 ? n : a.size() - 1;
        const detail::square_counts square = k.count_square({x, y}, {y, z}, m);
        REQUIRE(square.first_first == detail::count_and_plain(x, y, m));
        REQUIRE(square.first_second == detail::count_and_plain(x, z, m));
        REQUIRE(square.second_first == detail::count_and_plain(y, y, m));
        REQUIRE(square.second_second == detail::count_and_plain(y, z, m));
      }
    }
    const std::vector<std::uint64_t> all(640, ~std::uint64_t{0});
    REQUIRE(k.count(all.data(), all.size()) == 64 * all.size());
    REQUIRE(k.count_and(all.data(), a.data(), 640) == k.count(a.data(), 640));
  });
  CHECK(variants >= 1);
  CHECK(detail::fastest_bits().name == last);
}

TEST_CASE("slices cover everything once, begin at whole grains, and pass exceptions on") {
  for (const std::size_t count : {0U, 1U, 7U, 8U, 9U, 64U, 100U}) {
    for (const std::size_t threads : {0U, 1U, 2U, 3U, 8U, 50U}) {
      std::vector<int> seen(count, 0);
      detail::in_slices(count, 8, threads, [&](std::size_t, std::size_t begin, std::size_t end) {
        if (begin % 8 != 0) throw std::runtime_error("not a whole grain");
        for (std::size_t i = begin; i < end; ++i) ++seen[i];
      });
      CHECK(seen == std::vector<int>(count, 1));
    }
  }
  CHECK_THROWS_WITH(detail::in_slices(100, 1, 3,
                                      [](std::size_t t, std::size_t, std::size_t) {
                                        if (t == 1) throw std::runtime_error("the second");
                                      }),
                    "the second");
}
