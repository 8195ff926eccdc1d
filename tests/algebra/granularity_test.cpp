#include "tombola/algebra/granularity.hpp"

#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/core/random.hpp"

using namespace tombola;

TEST_CASE("lift: weights to the rows and columns they lie in") {
  // 2 x 6: row 0 keeps columns 0, 1, 2; row 1 keeps column 5 alone.
  const mask w = mask::from_values(std::vector<int>{1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  const auto bits = [](const mask& m) {
    std::vector<int> b;
    for (std::size_t i = 0; i < m.size(); ++i) b.push_back(m[i]);
    return b;
  };
  CHECK(bits(lift(w, 2, blocks{6}, lift_rule::any())) == std::vector<int>{1, 1});
  CHECK(bits(lift(w, 2, blocks{6}, lift_rule::all())) == std::vector<int>{0, 0});
  CHECK(bits(lift(w, 2, blocks{6}, lift_rule::share(0.5))) == std::vector<int>{1, 0});
  CHECK(bits(lift(w, 3, column_blocks{6, 2}, lift_rule::any())) == std::vector<int>{1, 1, 1});
  CHECK(bits(lift(w, 3, column_blocks{6, 2}, lift_rule::share(0.5))) == std::vector<int>{1, 0, 0});
  CHECK(bits(lift(w, 6, column_blocks{6}, lift_rule::any())) == std::vector<int>{1, 1, 1, 0, 0, 1});
  const unit_counts c = count_by(w, 3, column_blocks{6, 2});
  CHECK(c.size == std::vector<std::size_t>{4, 4, 4});
  CHECK(c.kept == std::vector<std::size_t>{2, 1, 1});
  // A share of 0 still asks for one unit; a coarse unit without any is pruned.
  CHECK(lift(mask{6}, 1, blocks{6}, lift_rule::share(0.0)).count() == 0);
  CHECK(lift(mask::all_kept(6), 2, blocks{6}, lift_rule::all()).count() == 1);
  // 7 of 100 are a share of 0.07, though 0.07 * 100 in double lies above 7.
  mask seven{100};
  seven.set_word(0, 0x7F);
  CHECK(lift(seven, 1, blocks{100}, lift_rule::share(0.07)).count() == 1);
  CHECK(lift(seven, 1, blocks{100}, lift_rule::share(0.0701)).count() == 0);
  CHECK_THROWS_WITH(lift(w, 1, blocks{6}, lift_rule::any()),
                    "unit 6 belongs to coarse unit 1 of 1");
  CHECK_THROWS_AS(lift_rule::share(1.5), input_error);
}

TEST_CASE("lower, then lift, gives the coarse mask back, by every rule") {
  const random_stream random{5, purpose::subset};
  mask heads{12};
  for (std::size_t i = 0; i < 12; ++i) heads.set(i, random.uniform(i) < 0.5);
  for (const auto& place : {blocks{37}}) {
    const mask fine = lower(heads, 12 * 37, place);
    CHECK(fine.count() == heads.count() * 37);
    for (const lift_rule rule : {lift_rule::any(), lift_rule::all(), lift_rule::share(0.3)}) {
      CHECK(lift(fine, 12, place, rule) == heads);
    }
  }
  const mask columns = lower(heads, 12 * 5 * 7, column_blocks{12 * 5, 5});
  CHECK(lift(columns, 12, column_blocks{12 * 5, 5}, lift_rule::all()) == heads);
  CHECK_THROWS_AS(lower(heads, 13, blocks{1}), shape_error);
}

TEST_CASE("slices of a mask equal its units one by one") {
  const random_stream random{6, purpose::subset};
  mask m{200};
  for (std::size_t i = 0; i < 200; ++i) m.set(i, random.uniform(i) < 0.4);
  for (std::size_t first : {0U, 1U, 63U, 64U, 65U, 127U, 128U, 199U, 200U}) {
    for (std::size_t count = 0; first + count <= 200; ++count) {
      const mask s = slice(m, first, count);
      for (std::size_t i = 0; i < count; ++i) REQUIRE(s[i] == m[first + i]);
    }
  }
  CHECK_THROWS_AS(slice(m, 201, 0), shape_error);
  CHECK_THROWS_AS(slice(m, 100, 101), shape_error);
}
