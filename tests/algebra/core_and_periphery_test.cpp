#include "tombola/algebra/core_and_periphery.hpp"

#include <cmath>
#include <vector>

#include "tests/support/checked_mask.hpp"

using namespace tombola;

TEST_CASE("core, periphery and rest are those of counting unit by unit") {
  // k around the planes of the counter: 1 and 3 fill one and two of them, 2, 4 and 8 begin one.
  for (const std::size_t n : test::word_sizes) {
    for (const std::size_t k : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 17U}) {
      const auto m = test::random_masks(k, n, 77 * n + k);
      std::vector<std::size_t> by_unit(n, 0);
      for (const auto& c : m) {
        for (const std::size_t i : c.units()) ++by_unit[i];
      }
      const auto where = [&](auto keep) {
        mask kept{n};
        for (std::size_t i = 0; i < n; ++i) kept.set(i, keep(by_unit[i]));
        return kept;
      };
      INFO(k << " masks over " << n << " units");
      const survival s = count_survival(m);
      for (std::size_t r = 0; r <= k; ++r) {
        const mask expected = where([r](std::size_t kept) { return kept >= r; });
        REQUIRE(kept_by_at_least(m, r) == expected);
        REQUIRE(s.kept_by_at_least(r) == expected.count());
        if (r == 0) continue;
        const double share = static_cast<double>(r) / static_cast<double>(k);
        REQUIRE(kept_by_share(m, share) == expected);
        REQUIRE(s.kept_by_share(share) == expected.count());
      }
      const mask core = core_of(m), periphery = periphery_of(m), rest = kept_by_none(m);
      REQUIRE(core == where([k](std::size_t kept) { return kept == k; }));
      REQUIRE(periphery == where([k](std::size_t kept) { return kept > 0 && kept < k; }));
      REQUIRE(rest == where([](std::size_t kept) { return kept == 0; }));
      REQUIRE(core == kept_by_share(m, 1.0));
      REQUIRE(~rest == kept_by_share(m, 0.0));  // a share of 0 still asks for one mask
      REQUIRE((core | periphery | rest) == mask::all_kept(n));
      REQUIRE(s.kept_by_all() == core.count());
      REQUIRE(s.in_periphery() == periphery.count());
      REQUIRE(s.kept_by_none() == rest.count());
    }
  }
}

TEST_CASE("7 of 100 masks are a share of 0.07") {
  // 0.07 * 100 in double lies above 7.
  std::vector<mask> masks(100, mask{1});
  for (std::size_t j = 0; j < 7; ++j) masks[j].set(0);
  CHECK(kept_by_share(masks, 0.07).count() == 1);
  CHECK(kept_by_share(masks, 0.0701).count() == 0);
  CHECK(count_survival(masks).kept_by_share(0.07) == 1);
}

TEST_CASE("numbers, shares and masks that do not fit are refused") {
  const std::vector<mask> two{mask{3}, mask{3}}, none, odd{mask{3}, mask{4}};
  CHECK_THROWS_WITH(kept_by_at_least(two, 3),
                    "kept_by_at_least: 3 of 2 masks, expected at most all of them");
  CHECK_THROWS_AS(count_survival(two).kept_by_at_least(3), input_error);
  CHECK_THROWS_WITH(kept_by_share(two, 1.5),
                    "kept_by_share: a share of 1.500000, expected a number from 0 to 1");
  CHECK_THROWS_AS(kept_by_share(two, -0.1), input_error);
  CHECK_THROWS_AS(kept_by_share(two, std::nan("")), input_error);
  CHECK_THROWS_AS(count_survival(two).kept_by_share(1.5), input_error);
  CHECK_THROWS_WITH(kept_by_at_least(none, 0), "kept_by_at_least: no mask, expected at least one");
  CHECK_THROWS_AS(kept_by_share(none, 0.5), input_error);
  CHECK_THROWS_AS(core_of(none), input_error);
  CHECK_THROWS_AS(periphery_of(none), input_error);
  CHECK_THROWS_AS(kept_by_none(none), input_error);
  CHECK_THROWS_WITH(kept_by_at_least(odd, 1), "kept_by_at_least: masks over 3 and 4 units");
  CHECK_THROWS_AS(periphery_of(odd), shape_error);
  const survival nothing = count_survival(none);
  CHECK(nothing.kept_by_none() == 0);
  CHECK(nothing.in_periphery() == 0);
  CHECK(nothing.kept_by_at_least(0) == 0);
  CHECK(nothing.kept_by_share(0.5) == 0);
}

TEST_CASE("tickets have core and periphery in every group") {
  const std::vector<group> groups{{"heads", {4}}, {"mlps", {2}}};
  const auto values = [](const std::vector<int>& v) { return mask::from_values(v); };
  std::vector<ticket> three{{groups, {values({1, 1, 1, 0}), values({1, 0})}},
                            {groups, {values({1, 1, 0, 0}), values({0, 0})}},
                            {groups, {values({1, 0, 0, 0}), values({1, 0})}}};
  three[0].origin.task = "SST-2";
  const auto same = [&](const ticket& t, const std::vector<int>& heads,
                        const std::vector<int>& mlps) {
    CHECK(t == ticket{groups, {values(heads), values(mlps)}});  // provenance is empty, too
  };
  same(core_of(three), {1, 0, 0, 0}, {0, 0});
  same(periphery_of(three), {0, 1, 1, 0}, {1, 0});
  same(kept_by_none(three), {0, 0, 0, 1}, {0, 1});
  same(kept_by_at_least(three, 2), {1, 1, 0, 0}, {1, 0});
  same(kept_by_share(three, 0.5), {1, 1, 0, 0}, {1, 0});
  const survival s = count_survival(three);
  CHECK(s.in_periphery() == periphery_of(three).count());
  CHECK(s.kept_by_at_least(2) == 3);
  CHECK_THROWS_AS(kept_by_at_least(three, 4), input_error);
  CHECK_THROWS_AS(core_of(std::vector<ticket>{}), input_error);
  CHECK_THROWS_AS(kept_by_none(std::vector<ticket>{three[0], ticket{{groups[0]}}}), shape_error);
}
