// What the conformance suite is too small to reach: products of several tiles both ways, the float
// approximations, and the number of threads.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/backend/reference.hpp"
#include "tombola/core/random.hpp"
#include "tombola/eigen/backend.hpp"

using namespace tombola;

namespace {

// Values that round: equal bits are then no accident.
std::vector<float> numbers(std::size_t n, std::uint64_t seed) {
  const random_stream r{seed, purpose::initialisation};
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(r.normal(i));
  return x;
}

struct products_of_a_layer {
  static constexpr std::size_t tokens = 801, outputs = 403, inputs = 390;
  std::vector<float> x = numbers(tokens * inputs, 1), weight = numbers(outputs * inputs, 2),
                     bias = numbers(outputs, 3), pre = numbers(tokens * outputs, 4), y = pre,
                     dy = numbers(tokens * outputs, 5), dx = x, dweight = weight, dbias = bias;

  template <class B>
  products_of_a_layer& run(B&& b) {
    const view<float> vx{x.data(), tokens, inputs}, vw{weight.data(), outputs, inputs},
        vb{bias.data(), outputs, 1}, vp{pre.data(), tokens, outputs}, vy{y.data(), tokens, outputs},
        vd{dy.data(), tokens, outputs};
    perform(b, linear_gelu<float>{vx, vw, vb, vp, vy});
    perform(b, linear_input_gradient<float>{vd, vw, {}, {dx.data(), tokens, inputs}});
    perform(b, linear_weight_gradient<float, float>{
                   vd, vx, {dweight.data(), outputs, inputs}, {dbias.data(), outputs, 1}});
    return *this;
  }
};

double farthest(const std::vector<float>& a, const std::vector<float>& b) {
  double far = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    far = std::max(far, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return far;
}

}  // namespace

TEST_CASE("workers: what a piece throws ends the step, and a failed plan promises nothing") {
  for (const int threads : {1, 2}) {
    eigen::workers<float, eigen::eigen_products> w{threads};
    CHECK_THROWS_WITH(w.share(9,
                              [](std::size_t i, float*) {
                                if (i == 5) throw runtime_failure("piece 5");
                              }),
                      "piece 5");
    w.plan(100);
    CHECK_THROWS_AS(w.plan(std::size_t{1} << 58), runtime_failure);
    w.plan(50);
    w.share(9, [](std::size_t, float* scratch) {
      if (scratch == nullptr) throw runtime_failure("no scratch");
    });
  }
}

TEST_CASE("tiles cover a product once, and enough of them") {
  for (const std::size_t m : {1U, 95U, 97U, 416U, 4001U}) {
    for (const std::size_t n : {1U, 64U, 193U, 1152U}) {
      for (const std::size_t k : {1U, 384U, 3072U}) {
        INFO(m << " x " << n << " x " << k);
        for (const eigen::tiling& t :
             {eigen::tiles_of({m, n, k}), eigen::rounded_tiles_of({m, n, k})}) {
          CHECK((t.row_tiles - 1) * t.rows < m);
          CHECK(t.row_tiles * t.rows >= m);
          CHECK((t.column_tiles - 1) * t.columns < n);
          CHECK(t.column_tiles * t.columns >= n);
        }
      }
    }
  }
  CHECK(eigen::tiles_of({416, 384, 384}).count() >= 8);
  CHECK(eigen::rounded_tiles_of({416, 384, 384}).count() >= 6);
  CHECK(eigen::tiles_of({16, 16, 16}).count() == 1);
}

TEST_CASE("products of several tiles: as the reference, and the same bits on any threads") {
  using layer = products_of_a_layer;
  const eigen::tiling t = eigen::tiles_of({layer::tokens, layer::outputs, layer::inputs});
  REQUIRE((t.row_tiles > 2 && t.column_tiles > 2));

  layer specified, one;
  specified.run(reference_backend<float>{});
  one.run(eigen::backend<float>{1});
  // Sums of 400 to 800 products of normal numbers, each below about 100.
  CHECK(farthest(one.pre, specified.pre) < 1e-4);
  CHECK(farthest(one.y, specified.y) < 1e-4);
  CHECK(farthest(one.dx, specified.dx) < 1e-4);
  CHECK(farthest(one.dweight, specified.dweight) < 2e-4);
  CHECK(farthest(one.dbias, specified.dbias) < 1e-4);

  for (const int threads : {2, 3, 7}) {
    layer many;
    many.run(eigen::backend<float>{threads});
    INFO(threads << " threads");
    CHECK(many.pre == one.pre);
    CHECK(many.y == one.y);
    CHECK(many.dx == one.dx);
    CHECK(many.dweight == one.dweight);
    CHECK(many.dbias == one.dbias);
  }
}

TEST_CASE("float approximations of exp and gelu") {
  double of_exp = 0.0, of_gelu = 0.0, of_slope = 0.0;
  for (int i = -87'000; i <= 88'000; ++i) {
    const float x = static_cast<float>(i) * 1e-3F;
    of_exp = std::max(of_exp, std::abs(eigen::exp_of(x) / std::exp(static_cast<double>(x)) - 1.0));
    const float z = x * 0.2F;
    const double d = static_cast<double>(z);
    const double below = eigen::normal_at(d).below, density = eigen::normal_at(d).density;
    of_gelu = std::max(of_gelu, std::abs(eigen::gelu_of(z) - d * below) / std::max(1.0, d));
    of_slope = std::max(of_slope, std::abs(eigen::gelu_slope(z) - (below + d * density)));
  }
  CHECK(of_exp < 2.4e-7);
  CHECK(of_gelu < 1.2e-7);
  CHECK(of_slope < 2e-7);

  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(eigen::exp_of(-1e30F) == 0.0F);
  CHECK(eigen::exp_of(-infinity) == 0.0F);
  CHECK(std::isnan(eigen::exp_of(std::nanf(""))));
  CHECK(std::isnan(eigen::gelu_of(-std::nanf(""))));
  CHECK(eigen::gelu_of(1e30F) == 1e30F);
  CHECK(eigen::gelu_of(-1e30F) == 0.0F);
  CHECK(eigen::gelu_slope(-1e30F) == 0.0F);
}

TEST_CASE("an Eigen backend without threads is refused, with the number") {
  CHECK_THROWS_WITH(eigen::backend<float>{0}, "eigen backend: 0 threads, expected 1 or more");
  CHECK_THROWS_AS(eigen::backend<double>{-3}, input_error);
}
