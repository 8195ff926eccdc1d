#include "tombola/prune/study_controls.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "tests/support/catch.hpp"

using namespace tombola;

namespace {

/// Ten units of a hundred.
mask ten() {
  mask m{100};
  for (std::size_t i = 0; i < 100; i += 10) m.set(i);
  return m;
}

}  // namespace

TEST_CASE("MT19937 gives the published numbers, and those of the standard library") {
  auto by_array = study::mersenne_twister::from_words({0x123, 0x234, 0x345, 0x456});
  for (const std::uint32_t expected :
       {1067595299U, 955945823U, 477289528U, 4107218783U, 4228976476U}) {
    CHECK(by_array.next() == expected);
  }
  for (const std::uint32_t seed : {0U, 1U, 5489U, 4294967295U}) {
    study::mersenne_twister ours{seed};
    std::mt19937 theirs{seed};
    for (int i = 0; i < 2000; ++i) REQUIRE(ours.next() == theirs());
  }
  CHECK_THROWS_AS(study::mersenne_twister::from_words({}), input_error);
}

TEST_CASE("sampling without replacement takes each item once, from short lists and long ones") {
  for (const std::size_t n : {1U, 21U, 22U, 85U, 86U, 1000U}) {
    study::python_random draws{42};
    std::vector<std::size_t> items(n);
    std::iota(items.begin(), items.end(), std::size_t{0});
    for (const std::size_t k : {std::size_t{0}, std::size_t{1}, n / 3, n}) {
      auto drawn = draws.sample(items, k);
      REQUIRE(drawn.size() == k);
      std::sort(drawn.begin(), drawn.end());
      REQUIRE(std::adjacent_find(drawn.begin(), drawn.end()) == drawn.end());
      if (k > 0) REQUIRE(drawn.back() < n);
    }
    CHECK_THROWS_WITH(draws.sample(items, n + 1), "sample: " + std::to_string(n + 1) + " of " +
                                                      std::to_string(n) +
                                                      " items, expected at most as many");
  }
  study::python_random draws{7};
  for (int i = 0; i < 100; ++i) {
    CHECK(draws.below(1) == 0);
    CHECK(draws.below(12) < 12);
  }
}

TEST_CASE("super, bizzaro and midling have one size; bizzaro is drawn once") {
  std::vector<mask> good(3, mask::all_kept(40));
  for (std::size_t i = 0; i < 40; ++i) {
    good[i % 3].set(i, i < 30);
    if (i >= 34) good[0].set(i, false), good[1].set(i, false), good[2].set(i, false);
  }
  auto s = study::begin_super(good);
  CHECK(s.super.count() == 30);
  CHECK(s.bizzaro.count() == 6);
  study::python_random draws{1};
  study::resize_bizzaro(s, draws);
  const mask first = s.bizzaro;
  CHECK(first.count() == 30);
  study::draw_midling(s, draws);
  CHECK(s.midling.count() == 30);
  study::resize_bizzaro(s, draws);
  CHECK(s.bizzaro == first);
  // With room outside, the three do not meet.
  auto small = study::begin_super(std::vector<mask>{ten(), ten()});
  study::resize_bizzaro(small, draws);
  study::draw_midling(small, draws);
  CHECK(small.bizzaro.count() == small.super.count());
  CHECK(intersected(small.super, small.bizzaro).count() == 0);
  CHECK(intersected(united(small.super, small.bizzaro), small.midling).count() == 0);
}

TEST_CASE("draws below numbers of more than 32 bits are those of Python") {
  // random.Random(1337)._randbelow(n), twice.
  const auto two_below = [](std::size_t n) {
    study::python_random draws{1337};
    const std::size_t first = draws.below(n);
    return std::vector<std::size_t>{first, draws.below(n)};
  };
  using numbers = std::vector<std::size_t>;
  CHECK(two_below((std::size_t{1} << 32) - 1) == numbers{2653228291, 3975144315});
  CHECK(two_below(std::size_t{1} << 32) == numbers{3540658286, 3391361277});
  CHECK(two_below(std::size_t{1} << 40) == numbers{733685098606, 793665343741});
  CHECK(two_below(~std::size_t{0}) == numbers{17073114832458550531U, 13094974362849908645U});
}
