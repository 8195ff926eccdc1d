#include "tombola/analysis/importance_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::analysis;

TEST_CASE("scores normalised by layer and mapped to 0 and 1 give their map back") {
  // Five layers of four: norm 1 each, then (x - least) / (largest - least).
  std::vector<double> x{1, 2, 3, 4, 0.1, 5, 0.2, 1, 7, 7, 1, 0.5, 2, 2, 2, 3, 9, 0, 0, 4};
  for (std::size_t at = 0; at < x.size(); at += 4) {
    double norm = 0.0;
    for (std::size_t i = 0; i < 4; ++i) norm += x[at + i] * x[at + i];
    for (std::size_t i = 0; i < 4; ++i) x[at + i] /= std::sqrt(norm);
  }
  const double least = *std::min_element(x.begin(), x.end());
  const double range = *std::max_element(x.begin(), x.end()) - least;
  for (double& v : x) v = (v - least) / range;
  const auto form = normal_form_of(x, 5);
  REQUIRE(form);
  CHECK(form->least == 0.0);
  CHECK(form->largest == 1.0);
  CHECK(form->slope == Approx(range).epsilon(1e-12));
  CHECK(form->offset == Approx(least).margin(1e-12));
  CHECK(form->deviation < 1e-14);

  // Scores a little off the form: the nearest map, and how far it is off.
  std::vector<double> near = x;
  near[5] *= 0.99;
  const auto off = normal_form_of(near, 5);
  REQUIRE(off);
  CHECK(off->slope == Approx(range).epsilon(0.05));
  CHECK(off->deviation > 1e-4);
  CHECK(off->deviation < 1e-2);
  // Far off, the fit runs to the map that forgets the scores: no answer.
  x[5] *= 0.5;
  CHECK_FALSE(normal_form_of(x, 5));
}

TEST_CASE("scores that no map can be fitted to have no normal form") {
  CHECK_FALSE(normal_form_of(std::vector<double>{1, 2, 3}, 1));
  CHECK_FALSE(normal_form_of(std::vector<double>(6, 0.0), 2));
  CHECK_FALSE(normal_form_of(std::vector<double>(6, 0.5), 2));
  CHECK_THROWS_AS(normal_form_of(std::vector<double>{1, 2, 3}, 2), shape_error);
  CHECK_THROWS_AS(normal_form_of(std::vector<double>{}, 0), shape_error);
}
