// Masks of more units than 32 bits count: no index may be an int.

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/algebra/agreement.hpp"
#include "tombola/algebra/granularity.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/sets.hpp"
#include "tombola/algebra/survival.hpp"
#include "tombola/core/mask.hpp"

using namespace tombola;

namespace {

/// Bytes that the machine could give; 0 where that is not known.
std::size_t available_bytes() {
  std::ifstream info{"/proc/meminfo"};
  std::string word;
  while (info >> word) {
    std::size_t kibibytes = 0;
    if (word == "MemAvailable:" && info >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

}  // namespace

TEST_CASE("more than 2^32 units: counts, overlaps, sets, slices and survival") {
  constexpr std::size_t n = (std::size_t{1} << 32) + 129, past = std::size_t{1} << 32;
  if (available_bytes() < std::size_t{4} << 30) {
    WARN("skipped: masks of 2^32 units take 4 GiB, which this machine cannot give");
    return;
  }
  mask a{n}, b{n};
  // Few units, so that each count tells where it went wrong: two far ends, both sides of 2^31 and
  // of 2^32, where an index of 32 bits would wrap onto unit 0.
  for (const std::size_t u : {std::size_t{1}, past / 2 - 1, past / 2, past - 1, past, past + 128}) {
    a.set(u);
  }
  for (const std::size_t u : {std::size_t{1}, past / 2, past, past + 1}) b.set(u);
  CHECK(a.count() == 6);
  CHECK_FALSE(a[0]);
  CHECK(a[past]);
  for (const std::size_t threads : {1U, 2U}) {
    const overlap o = count_overlap(a, b, threads);
    CHECK(o.both == 3);
    CHECK(o.first_only == 3);
    CHECK(o.second_only == 1);
    CHECK(o.neither == n - 7);
  }
  const std::vector<mask_view> both{a, b};
  const survival s = count_survival(both);
  CHECK(s.units == n);
  CHECK(s.units_by_survival == std::vector<std::size_t>{n - 7, 4, 3});
  CHECK(count_overlaps(both)[0].counts.neither == n - 7);
  CHECK(fleiss_kappa(s).defined());
  const mask end = slice(a, past - 1, 130);
  CHECK(end.count() == 3);
  CHECK(end[0]);
  CHECK(end[1]);
  CHECK(end[129]);
  const mask blocks_kept = lift(slice(b, past - 64, 193), 4, blocks{64}, lift_rule::any());
  CHECK(blocks_kept == mask::from_values(std::vector<int>{0, 1, 0, 0}));
  invert(b);
  CHECK(b.count() == n - 4);
  intersect(a, b);
  CHECK(a.count() == 3);
  unite(b, a);
  CHECK(b.count() == n - 4);
  CHECK(b[past + 128]);
}
