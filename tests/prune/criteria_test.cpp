#include "tombola/prune/criteria.hpp"

#include <limits>

#include "tests/support/catch.hpp"

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
  CHECK_THROWS_AS(l1({"heads", {4}}, w), shape_error);
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

TEST_CASE("layers are divided by their own norm") {
  const scores s{{"heads", {2, 2}}, {3, 4, 0, -2}};
  CHECK(values(normalise_layers(s)) == std::vector<float>{0.6F, 0.8F, 0, -1});
  CHECK(values(normalise_layers({{"heads", {2, 2}}, {0, 0, 1, 0}})) ==
        std::vector<float>{0, 0, 1, 0});
  // Layers are the first extent: two rows of three, not three of two.
  CHECK(values(normalise_layers({{"heads", {2, 3}}, {2, 1, 2, 0, 0, 4}})) ==
        std::vector<float>{2.0F / 3, 1.0F / 3, 2.0F / 3, 0, 0, 1});
  CHECK(values(normalise_layers({{"one", {}}, {5}})) == std::vector<float>{1});
  CHECK(values(normalise_layers({{"none", {0, 4}}, {}})).empty());
  // One number a row: every layer becomes its sign.
  CHECK(values(normalise_layers({{"mlps", {2}}, {5, -7}})) == std::vector<float>{1, -1});
  const float inf = std::numeric_limits<float>::infinity();
  CHECK_THROWS_AS(normalise_layers({{"heads", {2}}, {inf, 1}}), input_error);
}

TEST_CASE("min-max runs over the whole group") {
  CHECK(values(min_max({{"g", {2, 2}}, {-1, 3, 1, 0}})) == std::vector<float>{0, 1, 0.5, 0.25});
  CHECK(values(min_max({{"g", {3}}, {2, 2, 2}})) == std::vector<float>{0, 0, 0});
  CHECK(values(min_max({{"g", {0}}, {}})).empty());
  const float inf = std::numeric_limits<float>::infinity(),
              most = std::numeric_limits<float>::max();
  CHECK(values(min_max({{"g", {2}}, {-most, most}})) == std::vector<float>{0, 1});
  CHECK_THROWS_AS(min_max({{"g", {2}}, {0, inf}}), input_error);
}
