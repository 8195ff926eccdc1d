#include <array>
#include <utility>

#include "tests/support/checked_mask.hpp"

using namespace tombola;
using test::checked_mask;
using words = std::vector<std::uint64_t>;

static_assert(words_for(0) == 0 && words_for(1) == 1 && words_for(64) == 1 && words_for(65) == 2);
static_assert(words_for(~std::size_t{0}) == std::size_t{1} << 58);
static_assert(tail_bits(1) == 1 && tail_bits(63) == ~std::uint64_t{0} >> 1);
static_assert(tail_bits(64) == ~std::uint64_t{0} && tail_bits(65) == 1);
static_assert(!unit_set<words> && std::is_nothrow_move_constructible_v<mask>);

TEST_CASE("a new mask keeps nothing, all_kept everything, at every size around a word") {
  for (const std::size_t n : test::word_sizes) {
    CHECK(mask{n}.count() == 0);
    const mask all = mask::all_kept(n);
    CHECK(all.size() == n);
    CHECK(all.count() == n);
    mask none = all;
    none.flip();
    CHECK(none == mask{n});
    none.flip();
    CHECK(none == all);
  }
}

TEST_CASE("unit i is bit i % 64 of word i / 64") {
  mask m{130};
  m.set(0);
  m.set(65);
  m.set(129);
  CHECK(words{m.words().begin(), m.words().end()} == words{1, 2, 2});
  CHECK(m[65]);
  CHECK_FALSE(m[64]);
  m.set(65, false);
  CHECK(m.count() == 2);
}

TEST_CASE("no public call sets a bit past the end") {
  mask m{65};
  m.set_word(0, ~std::uint64_t{0});
  m.set_word(1, ~std::uint64_t{0});
  CHECK(m.count() == 65);
  CHECK(m == mask::all_kept(65));
  CHECK(mask::from_words(65, {0, 1}).count() == 1);
  CHECK_THROWS_AS(mask::from_words(65, {0, 2}), shape_error);
  CHECK_THROWS_AS(mask::from_words(65, {0}), shape_error);
  CHECK_THROWS_AS(mask::from_words(64, {0, 0}), shape_error);
  CHECK_THROWS_AS(mask::from_words(0, {0}), shape_error);
  CHECK(mask::from_words(0, {}) == mask{});
}

TEST_CASE("a mask view is checked as a mask is, and copies out") {
  const words w{5, 1};
  const mask_view v{65, w};
  CHECK(v[64]);
  CHECK(v.copy().count() == 3);
  CHECK_THROWS_AS((mask_view{64, w}), shape_error);
  CHECK_THROWS_AS((mask_view{129, w}), shape_error);
  CHECK_THROWS_AS((mask_view{66, words{0, 4}}), shape_error);
  CHECK_NOTHROW(mask_view{66, words{0, 2}});
}

TEST_CASE("values that are not zero are kept") {
  CHECK(mask::from_values(std::vector<bool>{true, false, true}).words()[0] == 5);
  CHECK(mask::from_values(std::array<float, 4>{0.0F, -0.0F, 0.5F, -1.0F}).words()[0] == 12);
  CHECK(mask::from_values(std::vector<int>{}).size() == 0);
}

TEST_CASE("a mask moved from has no units") {
  mask a = mask::all_kept(70);
  mask b = std::move(a);
  CHECK(a == mask{});  // NOLINT: the state after the move is what is tested
  CHECK(a.count() == 0);
  CHECK(b.count() == 70);
  mask c{3};
  c = std::move(b);
  CHECK(b.size() == 0);  // NOLINT
  CHECK(b.words().empty());
  CHECK(c.count() == 70);
}

TEST_CASE("masks over other sizes do not combine, and stay as they are") {
  mask a = mask::all_kept(144);
  const mask b{12};
  CHECK_THROWS_WITH(a &= b, "masks over 144 and 12 units");
  CHECK_THROWS_AS(a |= b, shape_error);
  CHECK_THROWS_AS(a ^= b, shape_error);
  CHECK_THROWS_AS(a -= b, shape_error);
  CHECK(a == mask::all_kept(144));
  CHECK_FALSE(mask{64} == mask{63});
}

TEST_CASE("in place, masks and sets do the same") {
  for (const std::size_t n : test::word_sizes) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const auto m = test::random_masks(2, n, seed);
      const auto in_place = [&](auto change, auto keep) {
        mask bits = m[0].bits();
        change(bits, m[1].bits());
        checked_mask::result(m[0], m[1], std::move(bits), keep);
      };
      in_place([](mask& a, const mask& b) { a &= b; }, [](bool x, bool y) { return x && y; });
      in_place([](mask& a, const mask& b) { a |= b; }, [](bool x, bool y) { return x || y; });
      in_place([](mask& a, const mask& b) { a ^= b; }, [](bool x, bool y) { return x != y; });
      in_place([](mask& a, const mask& b) { a -= b; }, [](bool x, bool y) { return x && !y; });
      in_place([](mask& a, const mask&) { a.flip(); }, [](bool x, bool) { return !x; });
    }
  }
}
