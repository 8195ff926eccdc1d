#include "tombola/algebra/rankings.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/algebra/rank_biased_overlap.hpp"
#include "tombola/core/random.hpp"

using namespace tombola;

namespace {

std::vector<double> few_values(std::size_t n, std::uint64_t seed, std::uint64_t values) {
  const random_stream random{seed, purpose::subset};
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<double>(random.below(values, i));
  return x;
}

/// Pair by pair, as the definition has it.
double tau_by_pairs(const std::vector<double>& x, const std::vector<double>& y) {
  double score = 0, xs = 0, ys = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double a = (x[i] > x[j]) - (x[i] < x[j]), b = (y[i] > y[j]) - (y[i] < y[j]);
      score += a * b, xs += a * a, ys += b * b;
    }
  }
  return score / std::sqrt(xs * ys);
}

}  // namespace

TEST_CASE("ranks: equal scores share the mean of theirs") {
  CHECK(average_ranks(std::vector<double>{3, 1, 3, 2}) == std::vector<double>{3.5, 1, 3.5, 2});
  CHECK(average_ranks(std::vector<float>{}).empty());
  CHECK(average_ranks(std::array<float, 3>{0.0F, -0.0F, 1.0F}) == std::vector<double>{1.5, 1.5, 3});
}

TEST_CASE("Kendall's tau-b equals its definition over all pairs, ties included") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::size_t n = 2 + seed % 40;
    const auto x = few_values(n, seed, 2 + seed % 9), y = few_values(n, seed + 999, 3 + seed % 30);
    const estimate tau = kendall_tau_b(x, y);
    const double expected = tau_by_pairs(x, y);
    REQUIRE(tau.defined() == !std::isnan(expected));
    if (tau.defined()) REQUIRE(tau.value == Approx(expected).margin(1e-14));
  }
}

TEST_CASE("correlations: same order, opposite order, and large means") {
  const std::vector<double> up{1, 2, 3, 10}, down{7, 5, 1, 0};
  CHECK(spearman(up, up).value == Approx(1.0));
  CHECK(spearman(up, down).value == Approx(-1.0));
  CHECK(kendall_tau_b(up, down) == defined(-1.0));
  const std::vector<double> far{1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 10};
  CHECK(pearson(up, far).value == Approx(1.0).epsilon(1e-12));
}

TEST_CASE("correlations without an answer say why") {
  const std::vector<double> none, one{1}, flat{2, 2, 2}, x{1, 2, 3};
  CHECK(pearson(none, none).why == reason::too_few_units);
  CHECK(spearman(one, one).why == reason::too_few_units);
  CHECK(kendall_tau_b(one, one).why == reason::too_few_units);
  CHECK(pearson(flat, x).why == reason::scores_are_constant);
  CHECK(spearman(x, flat).why == reason::scores_are_constant);
  CHECK(kendall_tau_b(flat, flat).why == reason::scores_are_constant);
  const std::vector<double> nan{1, std::nan(""), 2};
  const std::vector<double> infinite{1, std::numeric_limits<double>::infinity(), 2};
  CHECK_THROWS_WITH(spearman(x, nan), "spearman: score 1 is NaN, expected a number");
  CHECK_THROWS_AS(pearson(x, infinite), input_error);
  CHECK(spearman(x, infinite).defined());
  CHECK_THROWS_WITH(kendall_tau_b(x, one), "kendall_tau_b: 3 and 1 scores");
}

TEST_CASE("the best k: ties go to the lower unit") {
  const std::vector<double> x{5, 5, 5, 1}, y{1, 5, 5, 5};
  CHECK(top_overlap(x, y, 2) == 1);  // {0, 1} and {1, 2}
  CHECK(top_overlap(x, y, 3) == 2);
  CHECK(top_overlap(x, y, 9) == 4);
  CHECK(top_overlap(x, y, 0) == 0);
}

TEST_CASE("rank-biased overlap: bounds, identity, strangers") {
  const ranking a{{0}, {1}, {2}}, b{{3}, {4}, {5}};
  const rank_biased same = rank_biased_overlap(a, a, 0.9), other = rank_biased_overlap(a, b, 0.9);
  CHECK(same.extrapolated == Approx(1.0).epsilon(1e-14));
  CHECK(same.least + same.residual == Approx(1.0).epsilon(1e-14));
  CHECK(other.extrapolated == 0.0);
  CHECK(other.least == 0.0);
  CHECK(rank_biased_overlap({}, {}, 0.5).residual == 1.0);
  // Against the definition summed far out: a prefix of a long ranking bounds it from both sides.
  ranking long_a, long_b;
  for (std::size_t i = 0; i < 400; ++i) {
    long_a.push_back({i});
    long_b.push_back({i ^ 1U});
  }
  const double whole = rank_biased_overlap(long_a, long_b, 0.9).extrapolated;
  const auto part = rank_biased_overlap({long_a.begin(), long_a.begin() + 11},
                                        {long_b.begin(), long_b.begin() + 7}, 0.9);
  CHECK(part.least <= whole);
  CHECK(whole <= part.least + part.residual);

  CHECK_THROWS_AS(rank_biased_overlap(a, b, 1.0), input_error);
  CHECK_THROWS_AS(rank_biased_overlap(a, b, std::nan("")), input_error);
  CHECK_THROWS_WITH(rank_biased_overlap({{0}, {0}}, a, 0.9),
                    "rank-biased overlap: item 0 stands twice in a ranking, expected once");
  CHECK_THROWS_WITH(rank_biased_overlap({{0, 1}}, a, 0.9),
                    "rank-biased overlap: entry 1 has 2 items, expected one; scores with ties go "
                    "through their own function");
}

TEST_CASE("rank-biased overlap of scores without ties is that of their rankings") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const random_stream random{seed, purpose::shuffle};
    std::vector<double> x(50), y(50);
    for (std::size_t i = 0; i < 50; ++i)
      x[i] = random.uniform(2 * i), y[i] = random.uniform(2 * i + 1);
    CHECK(
        rank_biased_overlap(x, y, 0.8) ==
        Approx(rank_biased_overlap(ranking_of(x), ranking_of(y), 0.8).extrapolated).margin(1e-14));
  }
  CHECK(ranking_of(std::vector<float>{1, 3, 1}) == ranking{{1}, {0, 2}});
}
