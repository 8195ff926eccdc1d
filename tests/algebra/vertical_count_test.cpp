#include "tombola/algebra/detail/vertical_count.hpp"

#include <cstdint>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/survival.hpp"
#include "tombola/core/random.hpp"

using namespace tombola;

namespace {

std::vector<mask> random_masks(std::size_t k, std::size_t n, std::uint64_t seed) {
  std::vector<mask> masks;
  for (std::size_t j = 0; j < k; ++j) {
    const random_stream random{seed, purpose::subset, static_cast<std::uint32_t>(j)};
    mask m{n};
    for (std::size_t i = 0; i < n; ++i) m.set(i, random.uniform(i) < 0.1 + 0.8 / double(j + 1));
    masks.push_back(m);
  }
  return masks;
}

}  // namespace

TEST_CASE("survival counts are those of plain loops, for any number of masks and threads") {
  // Past 63 masks another way is taken; past 65,536 units there are several blocks.
  for (const auto& [k, n] : std::vector<std::pair<std::size_t, std::size_t>>{{0, 0},
                                                                             {1, 1},
                                                                             {2, 64},
                                                                             {3, 65},
                                                                             {5, 70'000},
                                                                             {7, 129},
                                                                             {8, 1000},
                                                                             {31, 200},
                                                                             {63, 131},
                                                                             {64, 131},
                                                                             {70, 66'000}}) {
    const auto masks = random_masks(k, n, 3);
    std::vector<std::size_t> expected(k + 1, 0);
    for (std::size_t i = 0; i < (k == 0 ? 0 : n); ++i) {
      std::size_t r = 0;
      for (const mask& m : masks) r += m[i] ? 1U : 0U;
      ++expected[r];
    }
    for (const std::size_t threads : {1U, 2U, 5U}) {
      const survival s = count_survival(masks, threads);
      INFO(k << " masks over " << n << " units, " << threads << " threads");
      CHECK(s.units == (k == 0 ? 0 : n));
      CHECK(s.units_by_survival == expected);
      for (std::size_t j = 0; j < k; ++j) CHECK(s.sizes[j] == masks[j].count());
    }
  }
}

TEST_CASE("counts with vectors and without are the same") {
  const auto masks = random_masks(63, 1000, 4);
  for (const std::size_t k : {1U, 2U, 3U, 4U, 7U, 8U, 15U, 16U, 31U, 32U, 63U}) {
    std::vector<std::span<const std::uint64_t>> words;
    for (std::size_t j = 0; j < k; ++j) words.push_back(masks[j].words());
    detail::block_counter with{k, true}, without{k, false};
    with.count(words, 0, words[0].size());
    without.count(words, 0, words[0].size());
    for (std::size_t r = 0; r <= k; ++r) {
      const auto a = with.units_at(r), b = without.units_at(r);
      REQUIRE(std::vector<std::uint64_t>{a.begin(), a.end()} ==
              std::vector<std::uint64_t>{b.begin(), b.end()});
    }
  }
}

TEST_CASE("overlaps do not depend on the number of threads") {
  const auto masks = random_masks(5, 200'000, 5);
  const auto one = count_overlaps(masks, 1), three = count_overlaps(masks, 3);
  REQUIRE(one.size() == 10);
  for (std::size_t p = 0; p < one.size(); ++p) {
    CHECK(one[p].counts == three[p].counts);
    const mask &a = masks[one[p].first], &b = masks[one[p].second];
    CHECK(one[p].counts == count_overlap(a, b, 2));
    CHECK(one[p].counts.both == (mask{a} &= b).count());
  }
}
