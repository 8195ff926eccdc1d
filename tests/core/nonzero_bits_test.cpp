#include "tombola/core/detail/nonzero_bits.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/core/random.hpp"

using namespace tombola;

namespace {

/// Numbers of one width among which zeros of both signs are frequent, from byte `offset` on.
template <class Number>
std::vector<std::byte> numbers(std::size_t n, std::size_t offset) {
  constexpr Number sign = static_cast<Number>(Number{1} << (8 * sizeof(Number) - 1));
  const random_stream random{sizeof(Number), purpose::subset};
  std::vector<std::byte> bytes(offset + n * sizeof(Number));
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t r = random.bits(i);
    auto x = static_cast<Number>(r >> 3);
    if (r % 4 == 0) x = 0;
    if (r % 4 == 1) x = sign;
    if (r % 8 == 2) x = 1;  // the smallest denormal
    if (r % 8 == 6) x = static_cast<Number>(sign | 1U);
    std::memcpy(bytes.data() + offset + i * sizeof x, &x, sizeof x);
  }
  return bytes;
}

template <class Number>
bool set(const std::byte* from, std::size_t i) {
  Number x;
  std::memcpy(&x, from + i * sizeof x, sizeof x);
  constexpr Number sign = static_cast<Number>(Number{1} << (8 * sizeof(Number) - 1));
  return x != 0 && x != sign;
}

template <class Number, class Kernel>
void check(Kernel kernel) {
  for (const std::size_t offset : {0U, 1U, 2U, 7U}) {
    for (const std::size_t words : {0U, 1U, 2U, 5U, 33U}) {
      const auto bytes = numbers<Number>(64 * words, offset);
      std::vector<std::uint64_t> found(words + 1, 42);
      kernel(bytes.data() + offset, words, found.data());
      for (std::size_t i = 0; i < 64 * words; ++i) {
        REQUIRE((found[i / 64] >> i % 64 & 1U) ==
                (set<Number>(bytes.data() + offset, i) ? 1U : 0U));
      }
      REQUIRE(found[words] == 42);
    }
  }
}

}  // namespace

TEST_CASE("every variant of the nonzero kernels that this machine has finds what is not zero") {
  std::string last;
  detail::for_each_nonzero_kernels([&](const detail::nonzero_kernels& k) {
    last = k.name;
    INFO(k.name);
    check<std::uint16_t>(k.of_2_bytes);
    check<std::uint32_t>(k.of_4_bytes);
    check<std::uint64_t>(k.of_8_bytes);
  });
  CHECK(detail::fastest_nonzero().name == last);
}
