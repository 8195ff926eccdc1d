#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/shared.hpp"

#include "tombola/algebra/core_and_periphery.hpp"
#include "tombola/algebra/granularity.hpp"
#include "tombola/algebra/layers.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/sets.hpp"
#include "tombola/algebra/survival.hpp"
#include "tombola/core/mask.hpp"

using namespace tombola;

namespace {

/// More units than 32 bits can number, and a last word that is not full. A mask takes 512 MiB.
constexpr std::size_t past = std::size_t{1} << 32, n = past + 129;

/// Whether the machine has room for three masks and a spare. Says 'skipped' where it has not.
bool enough_memory() {
  constexpr std::uint64_t needed = std::uint64_t{4} << 20;  // KiB
  std::ifstream file{"/proc/meminfo"};
  std::string name, unit;
  for (std::uint64_t kib = 0; file >> name >> kib && std::getline(file, unit);) {
    if (name != "MemAvailable:") continue;
    if (kib >= needed) return true;
    test::skip("masks of 2^32 units take 4 GiB of memory, " + std::to_string(kib / 1024) +
               " MiB are free");
    return false;
  }
  test::skip("the machine does not say how much memory is free");
  return false;
}

/// The kept units of the last words, rising.
std::vector<std::size_t> units_from(const mask& m, std::size_t first) {
  std::vector<std::size_t> units;
  for (std::size_t i = first; i < m.size(); ++i) {
    if (m[i]) units.push_back(i);
  }
  return units;
}

/// Every unit whose number is `rest` modulo 4, from the words.
mask every_fourth(std::size_t rest) {
  mask m{n};
  for (std::size_t w = 0; w < words_for(n); ++w) m.set_word(w, 0x1111111111111111U << rest);
  return m;
}

using numbers = std::vector<std::size_t>;

}  // namespace

TEST_CASE("units past 2^32 are set, counted and listed as those below") {
  if (!enough_memory()) return;
  mask m{n};
  // Were a number cut to 32 bits, each of these would land on unit i - 2^32.
  for (const std::size_t i : {past, past + 1, past + 63, past + 64, past + 128}) m.set(i);
  CHECK(m.count() == 5);
  CHECK(units_from(m, past - 64) == numbers{past, past + 1, past + 63, past + 64, past + 128});
  CHECK((!m[0] && !m[1] && !m[63] && !m[64] && !m[128]));
  m.set(past + 1, false);
  m.set(7);
  CHECK(m.count() == 5);
  m.flip();
  CHECK(m.count() == n - 5);
  CHECK((!m[past + 128] && m[past + 127] && !m[7]));
  CHECK(m.words().back() == 0);
}

TEST_CASE("counts of masks with more than 2^32 units do not wrap") {
  if (!enough_memory()) return;
  mask a = mask::all_kept(n), b = every_fourth(0);
  const std::size_t quarter = past / 4 + 33;  // of 129 units past the end of 2^32, 0 to 128
  CHECK(a.count() == n);
  CHECK(b.count() == quarter);
  for (const std::size_t threads : {1U, 3U}) {
    CHECK(count_overlap(a, b, threads) == overlap{quarter, n - quarter, 0, 0});
  }
  a.set(past + 128, false);
  a.set(3, false);
  const overlap expected{quarter - 1, n - quarter - 1, 1, 1};
  CHECK(count_overlap(a, b) == expected);
  CHECK(hamming(expected) == n - quarter);
  CHECK(jaccard(expected) ==
        defined(static_cast<double>(quarter - 1) / static_cast<double>(n - 1)));
  const std::vector<mask_view> both{a, b};
  const auto pairs = count_overlaps(both, 2);
  REQUIRE(pairs.size() == 1);
  CHECK(pairs[0].counts == expected);
  const survival s = count_survival(both, 2);
  CHECK(s.units == n);
  CHECK(s.sizes == numbers{n - 2, quarter});
  CHECK(s.units_by_survival == numbers{1, n - quarter, quarter - 1});
  CHECK(s.kept() == n - 2 + quarter);
}

TEST_CASE("masks with more than 2^32 units combine in place") {
  if (!enough_memory()) return;
  mask a = every_fourth(0), b = every_fourth(1);
  const std::size_t first = past / 4 + 33, second = past / 4 + 32;
  a |= b;
  CHECK(a.count() == first + second);
  CHECK(units_from(a, past + 120) ==
        numbers{past + 120, past + 121, past + 124, past + 125, past + 128});
  a ^= b;
  CHECK(a == every_fourth(0));
  CHECK(is_subset(b, ~a));
  a.set(past + 5);
  a &= b;
  CHECK(a.count() == 1);
  CHECK(units_from(a, past) == numbers{past + 5});
  b -= a;
  CHECK(b.count() == second - 1);
  CHECK(kept_by_at_least(std::vector<mask_view>{a, b}, 1).count() == second);
}

TEST_CASE("slices and layers past 2^32 are where they should be") {
  if (!enough_memory()) return;
  mask m{n};
  m.set(past - 1);
  m.set(past + 2);
  m.set(past + 128);
  CHECK(units_from(slice(m, past - 2, 131), 0) == numbers{1, 4, 130});
  put_slice(m, past + 100, mask::all_kept(3));
  CHECK(units_from(m, past) == numbers{past + 2, past + 100, past + 101, past + 102, past + 128});
  // Five layers, of which the second to the fifth begin inside a word.
  const group g{"w", {5, n / 5}};
  REQUIRE(g.size() == n);
  CHECK(count_by_layer(m, g) == numbers{0, 0, 0, 0, 6});
  CHECK(count_overlap_by_layer(m, m, g)[4] == overlap{6, 0, 0, n / 5 - 6});
  const mask last = layer(m, g, 4);
  CHECK(last.count() == 6);
  CHECK(last[n / 5 - 1]);
  CHECK(last[past + 2 - 4 * (n / 5)]);
}
