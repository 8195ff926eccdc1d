#include "tombola/prune/normalise.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"

using namespace tombola;

namespace {
std::vector<float> values(const scores& s) {
  return {s.values().begin(), s.values().end()};
}
}  // namespace

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

TEST_CASE("groups are divided by their mean or their L2 norm") {
  // Absolute values 1, 3, 2, 2 have the mean 2; the squares 9 + 16 the root 5.
  CHECK(values(divide_by_mean({{"g", {2, 2}}, {1, -3, 2, 2}})) ==
        std::vector<float>{0.5F, -1.5F, 1, 1});
  CHECK(values(divide_by_l2({{"g", {2, 2}}, {3, 0, 0, -4}})) ==
        std::vector<float>{0.6F, 0, 0, -0.8F});
  CHECK(divide_by_l2({{"g", {2, 2}}, {3, 0, 0, -4}}).group() == group{"g", {2, 2}});
  // Groups without a scale stay as they are, and one without units is no division by 0.
  CHECK(values(divide_by_mean({{"g", {2}}, {0, 0}})) == std::vector<float>{0, 0});
  CHECK(values(divide_by_l2({{"g", {2}}, {0, 0}})) == std::vector<float>{0, 0});
  CHECK(values(divide_by_mean({{"g", {0}}, {}})).empty());
  CHECK(values(divide_by_l2({{"g", {0}}, {}})).empty());
  // The sum of two largest floats does not fit a float; the mean does.
  const float most = std::numeric_limits<float>::max();
  CHECK(values(divide_by_mean({{"g", {2}}, {most, most}})) == std::vector<float>{1, 1});
  const float inf = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(divide_by_mean({{"g", {2}}, {1, inf}}),
                    "scores for g (2): unit 1 is NaN, expected a number");
  CHECK_THROWS_AS(divide_by_l2({{"g", {2}}, {1, inf}}), input_error);
}

TEST_CASE("each name of a normalisation is that function") {
  const scores s{{"heads", {2, 2}}, {3, 4, 1, -1}};
  CHECK(normalised(s, normalisation::none) == s);
  CHECK(normalised(s, normalisation::layer_l2) == normalise_layers(s));
  CHECK(normalised(s, normalisation::min_max) == min_max(s));
  CHECK(normalised(s, normalisation::layer_l2_min_max) == min_max(normalise_layers(s)));
  CHECK(normalised(s, normalisation::group_mean) == divide_by_mean(s));
  CHECK(normalised(s, normalisation::group_l2) == divide_by_l2(s));
  // The six differ on these scores, so that no two names can be mixed up above.
  const std::vector<scores> all{s,
                                normalise_layers(s),
                                min_max(s),
                                min_max(normalise_layers(s)),
                                divide_by_mean(s),
                                divide_by_l2(s)};
  for (std::size_t a = 0; a < all.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) CHECK(!(all[a] == all[b]));
  }
}
