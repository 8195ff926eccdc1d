#include "tests/support/checked_mask.hpp"

using namespace tombola;
using test::checked_mask;

namespace {

/// Every size around a word, several densities, many seeds.
template <class F>
void for_random_pairs(F f) {
  for (const std::size_t n : test::word_sizes) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const auto m = test::random_masks(2, n, seed);
      f(m[0], m[1]);
    }
  }
}

ticket ticket_of(const std::vector<std::vector<int>>& values) {
  std::vector<group> groups;
  std::vector<mask> masks;
  for (const auto& v : values) {
    groups.push_back({"g" + std::to_string(groups.size()), {v.size()}});
    masks.push_back(mask::from_values(v));
  }
  return {groups, masks};
}

}  // namespace

TEST_CASE("set operations of two masks do what they do to sets") {
  for_random_pairs([](const checked_mask& a, const checked_mask& b) {
    const auto same = [&](mask bits, auto keep) {
      checked_mask::result(a, b, std::move(bits), keep);
    };
    same(united(a, b), [](bool x, bool y) { return x || y; });
    same(intersected(a, b), [](bool x, bool y) { return x && y; });
    same(difference(a, b), [](bool x, bool y) { return x && !y; });
    same(symmetric_difference(a, b), [](bool x, bool y) { return x != y; });
    same(complement(a), [](bool x, bool) { return !x; });
  });
}

TEST_CASE("subset and equality are those of sets") {
  std::size_t subsets = 0;
  for_random_pairs([&](const checked_mask& a, const checked_mask& b) {
    const bool expected =
        std::includes(b.units().begin(), b.units().end(), a.units().begin(), a.units().end());
    CHECK(is_subset(a, b) == expected);
    CHECK(equal(a, b) == (a.units() == b.units()));
    CHECK(is_subset(intersected(a, b), b));
    CHECK(is_subset(a, united(a, b)));
    CHECK(equal(a, a.bits()));
    if (expected) ++subsets;
  });
  CHECK(subsets > 0);
  // The last unit of the second word is all that differs.
  mask a{129}, b{129};
  b.set(128);
  CHECK(is_subset(a, b));
  CHECK_FALSE(is_subset(b, a));
  CHECK_FALSE(equal(a, b));
}

TEST_CASE("set operations of many masks fold from the left") {
  for (const std::size_t n : test::word_sizes) {
    for (const std::size_t k : {1U, 2U, 3U, 7U}) {
      const auto m = test::random_masks(k, n, 100 + k);
      std::vector<mask> masks;
      for (const auto& c : m) masks.push_back(c.bits());
      mask any = masks[0], all = masks[0], first = masks[0], odd = masks[0];
      for (std::size_t j = 1; j < k; ++j) {
        any |= masks[j];
        all &= masks[j];
        first -= masks[j];
        odd ^= masks[j];
      }
      CHECK(united(masks) == any);
      CHECK(intersected(masks) == all);
      CHECK(difference(masks) == first);
      CHECK(symmetric_difference(masks) == odd);
    }
  }
}

TEST_CASE("views and masks mix") {
  const mask a = mask::from_values(std::vector<int>{1, 0, 1});
  const std::vector<std::uint64_t> words{6};
  const mask_view b{3, words};
  CHECK(intersected(a, b).words()[0] == 4);
  CHECK(united(std::vector<mask_view>{b, mask_view{a}}).count() == 3);
}

TEST_CASE("set operations refuse other sizes, and no masks at all") {
  const mask a{144}, b{12};
  CHECK_THROWS_WITH(united(a, b), "united: masks over 144 and 12 units");
  CHECK_THROWS_AS(intersected(a, b), shape_error);
  CHECK_THROWS_AS(difference(a, b), shape_error);
  CHECK_THROWS_AS(symmetric_difference(a, b), shape_error);
  CHECK_THROWS_AS(equal(a, b), shape_error);
  CHECK_THROWS_AS(is_subset(a, b), shape_error);
  CHECK_THROWS_AS(intersected(std::vector<mask>{a, a, b}), shape_error);
  CHECK_THROWS_WITH(intersected(std::vector<mask>{}),
                    "intersected: no mask, expected at least one");
  CHECK_THROWS_AS(united(std::vector<ticket>{}), input_error);
}

TEST_CASE("tickets combine group by group") {
  const ticket a = ticket_of({{1, 1, 0, 0}, {1, 0}}), b = ticket_of({{1, 0, 1, 0}, {0, 0}});
  CHECK(equal(united(a, b), ticket_of({{1, 1, 1, 0}, {1, 0}})));
  CHECK(equal(intersected(a, b), ticket_of({{1, 0, 0, 0}, {0, 0}})));
  CHECK(equal(difference(a, b), ticket_of({{0, 1, 0, 0}, {1, 0}})));
  CHECK(equal(symmetric_difference(a, b), ticket_of({{0, 1, 1, 0}, {1, 0}})));
  CHECK(equal(complement(a), ticket_of({{0, 0, 1, 1}, {0, 1}})));
  const std::vector<ticket> three{a, b, ticket_of({{1, 0, 0, 0}, {0, 1}})};
  CHECK(equal(united(three), ticket_of({{1, 1, 1, 0}, {1, 1}})));
  CHECK(equal(intersected(three), ticket_of({{1, 0, 0, 0}, {0, 0}})));
  CHECK(is_subset(intersected(a, b), a));
  CHECK_FALSE(is_subset(ticket_of({{1, 1, 0, 0}, {1, 1}}), a));
  CHECK_FALSE(equal(a, b));
}

TEST_CASE("tickets of other groups do not combine") {
  const ticket a = ticket_of({{1, 0}, {1, 0, 1}}), b = ticket_of({{1, 0, 1}, {1, 0}});
  CHECK_THROWS_WITH(united(a, b), "tickets differ in group 0: g0 (2) and g0 (3)");
  CHECK_THROWS_WITH(intersected(std::vector<ticket>{a, a, b}),
                    "tickets differ in group 0: g0 (2) and g0 (3)");
  // As many units under another name are other units.
  const ticket c{{{"g0", {2}}, {"other", {3}}}};
  CHECK_THROWS_AS(united(a, c), shape_error);
  CHECK_THROWS_AS(united(std::vector<ticket>{a, c}), shape_error);
  CHECK_THROWS_AS(is_subset(a, c), shape_error);
  CHECK_THROWS_AS(equal(a, c), shape_error);
  CHECK_THROWS_AS(equal(a, b), shape_error);
  CHECK_THROWS_AS(is_subset(a, ticket_of({{1, 0}})), shape_error);
}

TEST_CASE("the result of combining tickets claims no provenance") {
  ticket a = ticket_of({{1, 0}});
  a.origin.task = "SST-2";
  CHECK(united(a, a).origin == provenance{});
  CHECK(equal(a, united(a, a)));
}
