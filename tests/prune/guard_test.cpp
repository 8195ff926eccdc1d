#include "tombola/prune/guard.hpp"

#include <limits>

#include "tests/support/catch.hpp"

using namespace tombola;

TEST_CASE("thresholds of the four rules") {
  CHECK(guard::share_of_baseline(0.9).threshold(0.7) == 0.9 * 0.7);
  CHECK(guard::study(0.9).threshold(0.7) == 0.9 * 0.7);
  CHECK(guard::study(0.9).threshold(-0.5) == 0.9 * -0.5);
  CHECK(guard::study(0.9).threshold(0.0) == 0.0);
  CHECK(guard::drop(0.02).threshold(-0.5) == -0.5 - 0.02);
  CHECK(guard::at_least(0.6).threshold(0.1) == 0.6);
}

TEST_CASE("a share of nothing or less is refused, with a way out") {
  for (const double baseline : {0.0, -0.0, -0.3}) {
    CHECK_THROWS_AS(guard::share_of_baseline(0.9).threshold(baseline), input_error);
  }
  CHECK_THROWS_WITH(guard::share_of_baseline(0.9).threshold(0.0),
                    Catch::Contains("above 0") && Catch::Contains("allow a drop or name a floor"));
}

TEST_CASE("baselines and settings that are no numbers are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const guard& g :
       {guard::share_of_baseline(0.9), guard::study(0.9), guard::drop(0.1), guard::at_least(0.1)}) {
    CHECK_THROWS_AS(g.threshold(nan), input_error);
    CHECK_THROWS_AS(g.threshold(inf), input_error);
  }
  CHECK_THROWS_AS(guard::share_of_baseline(1.5), input_error);
  CHECK_THROWS_AS(guard::study(-0.1), input_error);
  CHECK_THROWS_AS(guard::drop(-0.1), input_error);
  CHECK_THROWS_AS(guard::drop(nan), input_error);
  CHECK_THROWS_AS(guard::drop(inf), input_error);
  CHECK_THROWS_AS(guard::at_least(nan), input_error);
}
