#include "tombola/algebra/chance.hpp"

#include <cmath>
#include <vector>

#include "tests/support/catch.hpp"

using namespace tombola;

namespace {

double choose(std::size_t n, std::size_t k) {
  double c = 1.0;
  for (std::size_t i = 0; i < k; ++i)
    c = c * static_cast<double>(n - i) / static_cast<double>(i + 1);
  return c;
}

/// All possible overlaps of masks of these sizes, with their probabilities by binomials.
struct law {
  std::vector<overlap> counts;
  std::vector<double> p;
};

law law_of(std::size_t n, std::size_t a, std::size_t b) {
  law l;
  for (std::size_t x = a + b > n ? a + b - n : 0; x <= std::min(a, b); ++x) {
    l.counts.push_back(overlap_of_sizes(n, a, b, x));
    l.p.push_back(choose(a, x) * choose(n - a, b - x) / choose(n, b));
  }
  return l;
}

template <class F>
void for_small_margins(F f) {
  for (const std::size_t n : {1U, 2U, 3U, 7U, 12U, 30U}) {
    for (std::size_t a = 0; a <= n; ++a) {
      for (std::size_t b = 0; b <= n; ++b) f(law_of(n, a, b));
    }
  }
}

}  // namespace

TEST_CASE("mean, variance and expectations are those of the law, for all small margins") {
  for_small_margins([](const law& l) {
    double mean = 0, square = 0, mean_jaccard = 0, mean_dice = 0;
    const bool empty = l.counts[0].first() + l.counts[0].second() == 0;
    for (std::size_t i = 0; i < l.p.size(); ++i) {
      const double x = static_cast<double>(l.counts[i].both);
      mean += l.p[i] * x;
      square += l.p[i] * x * x;
      if (!empty) mean_jaccard += l.p[i] * jaccard(l.counts[i]).value;
      if (!empty) mean_dice += l.p[i] * dice(l.counts[i]).value;
    }
    for (const overlap& o : l.counts) {
      REQUIRE(expected_both(o) == Approx(mean).margin(1e-12));
      REQUIRE(variance_of_both(o) == Approx(square - mean * mean).margin(1e-11));
      if (empty) {
        REQUIRE(expected_jaccard(o).why == reason::nothing_kept);
        continue;
      }
      REQUIRE(expected_jaccard(o).value == Approx(mean_jaccard).margin(1e-13));
      REQUIRE(expected(o, dice).value == Approx(mean_dice).margin(1e-13));
    }
  });
}

TEST_CASE("tails and point probabilities are those of the law, for all small margins") {
  for_small_margins([](const law& l) {
    double below = 0.0;
    for (std::size_t i = 0; i < l.p.size(); ++i) {
      const overlap& o = l.counts[i];
      double above = 0.0;
      for (std::size_t j = l.p.size(); j-- > i;) above += l.p[j];
      below += l.p[i];
      REQUIRE(std::exp(detail::log_hypergeometric(o)) == Approx(l.p[i]).epsilon(1e-12));
      REQUIRE(p_at_least(o) == Approx(above).epsilon(1e-12));
      REQUIRE(p_at_most(o) == Approx(below).epsilon(1e-12));
      REQUIRE(log_p_at_least(o) <= 0.0);
      REQUIRE(log_p_at_most(o) <= 0.0);
    }
  });
}

TEST_CASE("log n! beyond n log n - n, on both sides of where the series starts") {
  double log_factorial = 0.0;
  for (double n = 1; n <= 170; n += 1) {
    log_factorial += std::log(n);
    CHECK(detail::log_factorial_rest(n) ==
          Approx(log_factorial - n * std::log(n) + n).margin(2e-12));
  }
  CHECK(detail::log_factorial_rest(0.0) == 0.0);
}

TEST_CASE("the deviance is the same by series and by logarithm") {
  for (const double x : {1.0, 40.0, 1e6}) {
    for (const double d : {-0.19, -0.05, -1e-3, 0.0, 1e-3, 0.05, 0.19, 0.5}) {
      const double m = x / (1.0 + d);
      const long double exact = x * std::log1p(static_cast<long double>(d)) - (x - m);
      CHECK(detail::deviance(x, m, x - m) ==
            Approx(static_cast<double>(exact)).epsilon(1e-9).margin(1e-12));
    }
  }
  CHECK(detail::deviance(0.0, 3.0, -3.0) == 3.0);
}

TEST_CASE("at 2^40 units means, tails and the expected Jaccard index keep their digits") {
  const std::size_t n = std::size_t{1} << 40, half = n / 2, quarter = n / 4;
  const overlap middle = overlap_of_sizes(n, half, half, quarter);
  CHECK(expected_both(middle) == static_cast<double>(quarter));
  const double deviation = std::sqrt(variance_of_both(middle));
  CHECK(deviation == Approx(262144.0));
  // By symmetry P(X >= mean) = (1 + P(X = mean)) / 2, and P(X = mean) = 1 / (sd sqrt(2 pi)).
  const double at_mean = 1.0 / (deviation * std::sqrt(2 * std::numbers::pi));
  CHECK(log_p_at_least(middle) == Approx(std::log(0.5 + at_mean / 2)).epsilon(1e-10));
  CHECK(log_p_at_most(middle) == Approx(log_p_at_least(middle)).epsilon(1e-13));
  // E[x / (n - x)] to second order in the deviation: 1/3 + variance * n / (n - mean)^3.
  const double beyond =
      deviation * deviation * static_cast<double>(n) / std::pow(0.75 * static_cast<double>(n), 3);
  CHECK(expected_jaccard(middle).value == Approx(1.0 / 3 + beyond).epsilon(1e-12));
  // All that fit overlap: 1 / C(n, n / 2), by Stirling 2^-n sqrt(pi n / 2).
  const double log_all = -static_cast<double>(n) * std::numbers::ln2 +
                         0.5 * std::log(std::numbers::pi * static_cast<double>(half));
  CHECK(log_p_at_least(overlap_of_sizes(n, half, half, half)) == Approx(log_all).epsilon(1e-14));
  CHECK(log_p_at_most(overlap_of_sizes(n, half, half, half)) == 0.0);
}

TEST_CASE("standard scores and correction for chance") {
  const overlap o{8, 2, 2, 8};
  CHECK(z_of_both(o).value == Approx((8.0 - 5.0) / std::sqrt(variance_of_both(o))).epsilon(1e-14));
  CHECK(z_of_both({2, 8, 8, 2}).value == Approx(-z_of_both(o).value).epsilon(1e-14));
  CHECK(z_of_both({3, 0, 4, 0}).why == reason::chance_has_one_answer);
  CHECK(z_of_both({}).why == reason::chance_has_one_answer);

  CHECK(corrected_for_chance(defined(0.75), defined(0.5)) == defined(0.5));
  CHECK(corrected_for_chance(defined(0.25), defined(0.5)) == defined(-0.5));
  CHECK(corrected_for_chance(defined(1.0), defined(1.0)).why == reason::chance_has_one_answer);
  CHECK(corrected_for_chance(undefined(reason::no_units), defined(1.0)).why == reason::no_units);
  CHECK(corrected_for_chance(defined(1.0), undefined(reason::no_units)).why == reason::no_units);

  CHECK(chance_corrected_jaccard({5, 0, 0, 5}) == defined(1.0));
  CHECK(chance_corrected_jaccard({0, 0, 0, 5}).why == reason::nothing_kept);
  CHECK(chance_corrected_jaccard({5, 0, 0, 0}).why == reason::chance_has_one_answer);
  // Averaged over the law the correction is 0.
  const law l = law_of(20, 7, 11);
  double mean = 0.0;
  for (std::size_t i = 0; i < l.p.size(); ++i) {
    mean += l.p[i] * chance_corrected_jaccard(l.counts[i]).value;
  }
  CHECK(mean == Approx(0.0).margin(1e-14));
}

TEST_CASE("a group without units leaves chance nothing to do") {
  CHECK(expected_both({}) == 0.0);
  CHECK(variance_of_both({}) == 0.0);
  CHECK(log_p_at_least({}) == 0.0);
  CHECK(log_p_at_most({}) == 0.0);
  CHECK(detail::log_hypergeometric({}) == 0.0);
  CHECK(expected_jaccard({}).why == reason::nothing_kept);
}
