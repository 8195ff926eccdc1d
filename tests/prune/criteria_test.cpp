#include "tombola/prune/criteria.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/prune/activation_criteria.hpp"
#include "tombola/prune/gradient_criteria.hpp"

using namespace tombola;

namespace {
std::vector<float> values(const scores& s) {
  return {s.values().begin(), s.values().end()};
}
}  // namespace

TEST_CASE("magnitude of single weights and of units with several parameters") {
  const std::vector<float> w{3, -4, 0, 1, -2, 2};
  const magnitude_criterion l1, l2{magnitude_criterion::norm::l2};
  CHECK(values(l1({"w", {2, 3}}, w)) == std::vector<float>{3, 4, 0, 1, 2, 2});
  CHECK(values(l2({"w", {2, 3}}, w)) == std::vector<float>{3, 4, 0, 1, 2, 2});
  CHECK(values(l1({"heads", {3}}, w)) == std::vector<float>{7, 1, 4});
  CHECK(values(l2({"heads", {3}}, w)) == std::vector<float>{5, 1, std::sqrt(8.0F)});
  CHECK(values(l1({"none", {0}}, {})).empty());
  CHECK_THROWS_WITH(l1({"heads", {4}}, w),
                    "magnitude of heads (4): 6 values do not divide among 4 units, expected a "
                    "multiple of 4");
  CHECK_THROWS_AS(l1({"none", {0}}, w), shape_error);
  const std::vector<float> bad{1, std::numeric_limits<float>::quiet_NaN()};
  CHECK_THROWS_AS(l1({"w", {2}}, bad), input_error);
}

TEST_CASE("random scores depend on seed, group and unit alone") {
  const random_criterion a{1}, b{2};
  const group g{"heads", {12, 12}};
  CHECK(a(g, 0) == a(g, 0));
  CHECK(!(a(g, 0) == a(g, 1)));
  CHECK(!(a(g, 0) == b(g, 0)));
  const scores longer = a({"more", {1000}}, 0), s = a(g, 0);
  double sum = 0.0;
  for (std::size_t u = 0; u < 144; ++u) CHECK(s[u] == longer[u]);
  for (const float x : longer.values()) sum += x;
  CHECK(sum / 1000 == Approx(0.5).margin(0.04));
}

TEST_CASE("magnitudes of groups of different scale compare after division") {
  using norm = magnitude_criterion::norm;
  const std::vector<float> small{0.1F, -0.3F, 0.2F, 0.2F}, large{100, -300, 200, 200};
  const magnitude_criterion mean{norm::l1, normalisation::group_mean},
      l2{norm::l2, normalisation::group_l2};
  const auto a = values(mean({"g", {4}}, small)), b = values(mean({"g", {4}}, large));
  for (std::size_t i = 0; i < 4; ++i) CHECK(a[i] == Approx(b[i]).epsilon(1e-6));
  CHECK(b == std::vector<float>{0.5F, 1.5F, 1, 1});
  // Two units of two: norms 3 and 4, whose own norm is 5.
  CHECK(values(l2({"g", {2}}, std::vector<float>{3, 0, 0, -4})) == std::vector<float>{0.6F, 0.8F});
}

TEST_CASE("Taylor scores differ in what may cancel") {
  using form = taylor_criterion::form;
  const std::vector<float> w{1, 2, -3, 0.5F}, g{4, -1, 1, 2};  // products 4, -2, -3, 1
  const group two{"heads", {2}}, four{"w", {2, 2}};
  const auto of = [&](form f, const group& units) {
    return values(taylor_criterion{f}(units, w, g));
  };
  CHECK(of(form::absolute_of_sum, two) == std::vector<float>{2, 2});
  CHECK(of(form::sum_of_absolutes, two) == std::vector<float>{6, 4});
  CHECK(of(form::squared_sum, two) == std::vector<float>{4, 4});
  CHECK(of(form::sum_of_squares, two) == std::vector<float>{20, 10});
  for (const form f : {form::absolute_of_sum, form::sum_of_absolutes}) {
    CHECK(of(f, four) == std::vector<float>{4, 2, 3, 1});
  }
  for (const form f : {form::squared_sum, form::sum_of_squares}) {
    CHECK(of(f, four) == std::vector<float>{16, 4, 9, 1});
  }
  CHECK(taylor_criterion{}.kind == form::absolute_of_sum);
}

TEST_CASE("the absolute sum is the gradient of a gate on the unit") {
  // L(w) = (w0 x0 + w1 x1)^2 / 2 with a gate z on the unit: dL/dz at 1 is (w . x)^2, from w and
  // dL/dw = (w . x) x alone.
  const std::vector<float> w{2, -1}, x{3, 5};  // w . x = 1
  const std::vector<float> gradients{3, 5};
  CHECK(values(taylor_criterion{}({"unit", {}}, w, gradients)) == std::vector<float>{1});
}

TEST_CASE("Taylor scores refuse what does not fit, by name") {
  const std::vector<float> w{1, 2, 3, 4}, g{1, 2, 3};
  CHECK_THROWS_WITH(taylor_criterion{}({"heads", {2}}, w, g),
                    "Taylor score of heads (2): 3 gradients, expected 4, one for each weight");
  CHECK_THROWS_WITH(taylor_criterion{}({"heads", {2}}, g, g),
                    "Taylor score of heads (2): 3 values do not divide among 2 units, expected a "
                    "multiple of 2");
  const std::vector<float> nan{1, 1, std::numeric_limits<float>::quiet_NaN(), 1};
  CHECK_THROWS_WITH(taylor_criterion{}({"heads", {2}}, w, nan),
                    "scores for heads (2): unit 1 is NaN, expected a number");
}

TEST_CASE("Wanda scores are magnitudes times the norms of their inputs") {
  const group g{"query.weight", {2, 3}};
  const std::vector<float> w{1, -2, 3, -4, 5, 0}, norms{2, 1, 0.5F};
  const scores s = wanda_criterion{}(g, w, norms);
  CHECK(s.group() == g);
  CHECK(values(s) == std::vector<float>{2, 2, 1.5F, 8, 5, 0});
  // Rows sum to 5.5 and 13; columns to 10, 7 and 1.5.
  CHECK(values(sum_of_rows(s, {"neurons", {2}})) == std::vector<float>{5.5F, 13});
  CHECK(values(sum_of_rows(s, {"all", {}})) == std::vector<float>{18.5F});
  CHECK(values(sum_of_columns(s, {"inputs", {3}})) == std::vector<float>{10, 7, 1.5F});
  CHECK(values(sum_of_columns({{"o", {1, 4}}, {1, 2, 4, 8}}, {"heads", {2}})) ==
        std::vector<float>{3, 12});
}

TEST_CASE("Wanda scores refuse what does not fit, by name") {
  const group g{"w", {2, 3}};
  const std::vector<float> w(6, 1.0F), norms(3, 1.0F), two(2, 1.0F);
  const wanda_criterion wanda;
  CHECK_THROWS_WITH(wanda(g, w, two),
                    "Wanda score of w (2 x 3): 6 weights and 2 norms, expected 6 and 3");
  CHECK_THROWS_AS(wanda(g, two, norms), shape_error);
  CHECK_THROWS_WITH(wanda({"w", {6}}, w, norms),
                    "Wanda score of w (6): 1 extents, expected 2, outputs and inputs");
  const std::vector<float> below{1, -1, 1}, nan{1, 1, std::numeric_limits<float>::quiet_NaN()};
  CHECK_THROWS_WITH(wanda(g, w, below),
                    "Wanda score of w (2 x 3): the norm of input 1 is "
                    "-1.000000, expected a number from 0 up");
  CHECK_THROWS_AS(wanda(g, w, nan), input_error);
  std::vector<float> broken = w;
  broken[4] = nan[2];
  CHECK_THROWS_WITH(wanda(g, broken, norms),
                    "scores for w (2 x 3): unit 4 is NaN, expected a number");
  const scores s = wanda(g, w, norms);
  CHECK_THROWS_WITH(sum_of_rows(s, {"heads", {4}}),
                    "scores of w (2 x 3) for heads (4): expected a matrix whose rows divide among "
                    "4 units");
  CHECK_THROWS_AS(sum_of_columns(s, {"heads", {2}}), shape_error);
  CHECK_THROWS_AS(sum_of_columns(s, {"none", {0}}), shape_error);
  CHECK_THROWS_AS(sum_of_rows({{"flat", {6}}, w}, {"heads", {2}}), shape_error);
}

TEST_CASE("column norms do not depend on how the rows come") {
  column_norms whole{2}, parts{2};
  const std::vector<float> rows{3, 1, 4, 1e-3F, 0, 7};
  whole.add(rows);
  parts.add(std::span{rows}.first(2));
  parts.add({});
  parts.add(std::span{rows}.subspan(2));
  CHECK(whole.values() == parts.values());
  CHECK(whole.values()[0] == 5.0F);
  CHECK(column_norms{3}.values() == std::vector<float>{0, 0, 0});
  CHECK_THROWS_WITH(whole.add(std::span{rows}.first(3)),
                    "column norms: 3 values, expected a multiple of 2 columns");
  CHECK(whole.values() == parts.values());
  column_norms none{0};
  none.add({});
  CHECK_THROWS_AS(none.add(rows), shape_error);
}
