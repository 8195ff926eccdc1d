#include "tombola/core/detail/compare_magnitudes.hpp"

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/core/random.hpp"

using namespace tombola;

namespace {

/// Floats of every kind: any bits at all (NaN and denormals among them), few values that tie, both
/// zeros, both infinities.
std::vector<float> all_kinds(std::size_t n) {
  const random_stream random{3, purpose::subset};
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float ties[]{0.0F, -0.0F, 1.0F, -1.0F, 0.5F, infinity, -infinity, 1e-45F};
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t bits = random.bits(i);
    values[i] =
        bits >> 63 != 0 ? ties[bits % 8] : std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  }
  return values;
}

}  // namespace

TEST_CASE("every variant of the magnitude kernels that this machine has gives the same bits") {
  const std::vector<float> values = all_kinds(64 * 9 + 5);
  std::size_t variants = 0;
  std::string last;
  detail::for_each_magnitude_kernels([&](const detail::magnitude_kernels& k) {
    ++variants;
    last = k.name;
    INFO(k.name);
    for (const std::size_t offset : {0U, 1U, 5U}) {  // vectors need no alignment
      const float* from = values.data() + offset;
      for (std::size_t n = 0; n <= 9; ++n) {
        std::uint32_t most = 0;
        for (std::size_t i = 0; i < 64 * n; ++i) {
          most = std::max(most, std::bit_cast<std::uint32_t>(from[i]) & 0x7FFFFFFFU);
        }
        REQUIRE(k.largest(from, n) == most);
      }
      for (const std::uint32_t flip : {0U, 0x7FFFFFFFU}) {
        // Ranges of one key, of all, of none below, and at the ends where a sign bit would show.
        for (const auto& [low, high] : {std::pair{0x3F800000U, 0x3F800000U},
                                        {0U, 0x7FFFFFFFU},
                                        {0U, 0U},
                                        {0U, 0xFFFFFFFFU},
                                        {0x3F000000U, 0x7F800000U},
                                        {0x7FFFFFFFU, 0x7FFFFFFFU}}) {
          std::vector<std::uint64_t> below(9, 7), within(9, 7);
          k.sort(from, 9, {flip, low, high}, below.data(), within.data());
          bool same = true;
          for (std::size_t i = 0; i < 64 * 9; ++i) {
            const std::uint32_t key = (std::bit_cast<std::uint32_t>(from[i]) & 0x7FFFFFFFU) ^ flip;
            same = same && ((below[i / 64] >> i % 64 & 1) != 0) == (key < low);
            same = same && ((within[i / 64] >> i % 64 & 1) != 0) == (low <= key && key <= high);
          }
          INFO(flip << ' ' << low << ' ' << high);
          REQUIRE(same);
        }
      }
    }
  });
  CHECK(variants >= 1);
  CHECK(detail::fastest_magnitudes().name == last);
}
