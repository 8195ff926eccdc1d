#include "tombola/core/scores.hpp"

#include <limits>

#include "tests/support/catch.hpp"

using namespace tombola;

TEST_CASE("scores take one number per unit, infinite ones included") {
  const float infinite = std::numeric_limits<float>::infinity();
  const scores s{{"mlps", {3}}, {0.5F, -infinite, infinite}};
  CHECK(s.size() == 3);
  CHECK(s[2] == infinite);
  CHECK(s.group().name == "mlps");
}

TEST_CASE("scores refuse another number of units, and NaN by its place") {
  CHECK_THROWS_WITH((scores{{"heads", {2, 2}}, {1, 2, 3}}),
                    "scores for heads (2 x 2): 3 values, expected 4");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH((scores{{"mlps", {3}}, {1, nan, nan}}),
                    "scores for mlps (3): unit 1 is NaN, expected a number");
}

TEST_CASE("scores by default cover no unit") {
  CHECK(scores{}.size() == 0);
  CHECK(scores{}.group().size() == 0);
}
