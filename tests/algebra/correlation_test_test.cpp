#include "tombola/algebra/correlation_test.hpp"

#include <cmath>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/algebra/rankings.hpp"

using namespace tombola;

namespace {

/// P(|R| >= |r|) by Simpson's rule on the density of r = sin(u), cos(u)^(n - 3) up to a factor.
double by_integration(double r, double n) {
  const auto area = [n](double from) {
    constexpr int steps = 20000;
    const double to = std::acos(0.0), h = (to - from) / steps;
    double sum = 0.0;
    for (int i = 0; i <= steps; ++i) {
      const double weight = i == 0 || i == steps ? 1.0 : i % 2 == 1 ? 4.0 : 2.0;
      sum += weight * std::pow(std::cos(from + h * i), n - 3.0);
    }
    return sum * h / 3.0;
  };
  return area(std::asin(std::abs(r))) / area(0.0);
}

}  // namespace

TEST_CASE("p of a correlation: values computed with 40 digits") {
  struct known {
    double r;
    std::size_t n;
    double p;
  };
  for (const known& k :
       {known{0.5, 10, 0.14111328125}, known{-0.9, 5, 0.037386073468498633},
        known{0.1, 144, 0.23305221177993936}, known{0.99, 144, 1.1166146170482973e-122},
        known{0.3, 3, 0.80602663195864343}, known{0.001, 4, 0.999},
        known{0.7, 1000, 4.3075961400823749e-148}, known{1e-9, 50, 0.99999999450080787},
        known{0.999999, 12, 7.8749868761406895e-30},
        known{0.00229070004196, 576000, 0.082119650882292941}}) {
    INFO("r " << k.r << ", n " << k.n);
    CHECK(p_of_correlation(defined(k.r), k.n).value == Approx(k.p).epsilon(1e-13));
  }
  // Below the smallest double.
  CHECK(p_of_correlation(defined(0.05), 1'000'000).value == 0.0);
}

TEST_CASE("p of a correlation: the density integrated") {
  for (const std::size_t n : {4U, 5U, 12U, 144U, 3000U}) {
    for (const double t : {0.2, 1.0, 1.7, 1.8, 3.0, 6.0}) {  // both sides of the two expansions
      const double r = t / std::sqrt(static_cast<double>(n) - 2.0 + t * t);
      INFO("n " << n << ", t " << t);
      CHECK(p_of_correlation(defined(r), n).value ==
            Approx(by_integration(r, static_cast<double>(n))).epsilon(1e-8));
    }
  }
}

TEST_CASE("p of a correlation: the ends") {
  CHECK(p_of_correlation(defined(0.0), 144).value == 1.0);
  CHECK(p_of_correlation(defined(1.0), 144).value == 0.0);
  CHECK(p_of_correlation(defined(-1.0), 2).value == 1.0);
  CHECK(p_of_correlation(defined(0.5), 1) == undefined(reason::too_few_units));
  CHECK(p_of_correlation(undefined(reason::scores_are_constant), 144) ==
        undefined(reason::scores_are_constant));
  CHECK_THROWS_AS(p_of_correlation(defined(1.5), 10), input_error);
  // The sign does not matter, and more units make the same r rarer.
  CHECK(p_of_correlation(defined(-0.3), 30) == p_of_correlation(defined(0.3), 30));
  CHECK(p_of_correlation(defined(0.3), 31).value < p_of_correlation(defined(0.3), 30).value);
}

TEST_CASE("p of a correlation: of two lists of scores") {
  const std::vector<double> x{1, 2, 3, 4, 5}, y{2, 1, 4, 3, 5};
  // r = 0.8 at three degrees: t = 2.3094, two-sided p = 0.104088.
  CHECK(p_of_correlation(pearson(x, y), x.size()).value == Approx(0.104088).epsilon(1e-5));
}
