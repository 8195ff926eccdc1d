#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "tests/backend/conformance.hpp"
#include <omp.h>

#include "tombola/eigen/backend.hpp"
#include "tombola/onednn/products.hpp"

using namespace tombola;

namespace {

using onednn::products;

bool has_bfloat16() {
  try {
    static_cast<void>(products{product_precision::bfloat16});
    return true;
  } catch (const input_error&) {
    return false;
  }
}

struct in_float32 {
  static constexpr bool threaded = true;
  static eigen::backend<float, products> make(int threads) {
    return eigen::backend<float, products>{threads};
  }
};

struct in_bfloat16 {
  static constexpr bool threaded = true;
  static eigen::backend<float, products> make(int threads) {
    return eigen::backend<float, products>{threads, products{product_precision::bfloat16}};
  }
  /// Both operands of a term are rounded by up to 2^-9 of themselves, so a sum of n terms of order
  /// 1 is off by 2^-9 sqrt(n) or so, its furthest element by eight times that; magnitude says how
  /// strongly what follows a product hands its errors on.
  static double allowed(const test::verb_case& c, double) {
    return std::ldexp(c.magnitude * std::sqrt(c.terms), -6);
  }
};

std::vector<float> numbers(std::size_t n, std::uint64_t seed) {
  const random_stream r{seed, purpose::initialisation};
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(r.normal(i));
  return x;
}

// c += 0.5 a b, or c = a b where it overwrites, with rows that are longer than what is used of
// them, by the policy and in double; of operands that are rounded first, c += a b or c = a b.
template <eigen::form F>
void check_product(
    const products& p, eigen::extents e, double within, bool rounded, bool overwrites) {
  const bool deep = F == eigen::form::tn, wide = F != eigen::form::nt;
  const std::size_t a_rows = deep ? e.k : e.m, a_cols = (deep ? e.m : e.k) + 3;
  const std::size_t b_rows = wide ? e.k : e.n, b_cols = (wide ? e.n : e.k) + 5;
  const std::size_t stride = e.n + 2;
  const double alpha = rounded || overwrites ? 1.0 : 0.5;
  const std::vector<float> a = numbers(a_rows * a_cols, 1), b = numbers(b_rows * b_cols, 2);
  const std::vector<float> start = numbers(e.m * stride, 3);
  std::vector<float> c = start, again = start, workspace(p.workspace<float>());
  for (std::size_t i = 0; i < e.m && overwrites; ++i) c[i * stride + i % e.n] = NAN;
  std::vector<std::uint16_t> left(a.size()), right(b.size());
  for (std::vector<float>* to : {&c, &again}) {
    if (rounded) {
      p.round(a.data(), a.size(), left.data());
      p.round(b.data(), b.size(), right.data());
      const eigen::block<const std::uint16_t> l{left.data(), a_cols}, r{right.data(), b_cols};
      if (overwrites) {
        p.put_rounded<F>(e, l, r, {to->data(), stride});
      } else {
        p.add_rounded<F>(e, l, r, {to->data(), stride});
      }
    } else if (overwrites) {
      p.put<F>(e, {a.data(), a_cols}, {b.data(), b_cols}, {to->data(), stride}, workspace.data());
    } else {
      p.add<F>(e, static_cast<float>(alpha), {a.data(), a_cols}, {b.data(), b_cols},
               {to->data(), stride}, workspace.data());
    }
  }
  CHECK(c == again);
  double farthest = 0.0;
  std::size_t outside = 0;
  for (std::size_t i = 0; i < e.m; ++i) {
    for (std::size_t j = 0; j < stride; ++j) {
      double sum = overwrites && j < e.n ? 0.0 : start[i * stride + j];
      for (std::size_t k = 0; k < e.k && j < e.n; ++k) {
        sum += alpha * static_cast<double>(deep ? a[k * a_cols + i] : a[i * a_cols + k]) *
               static_cast<double>(wide ? b[k * b_cols + j] : b[j * b_cols + k]);
      }
      if (j >= e.n && c[i * stride + j] != start[i * stride + j]) ++outside;
      farthest = std::max(farthest, std::abs(sum - static_cast<double>(c[i * stride + j])));
    }
  }
  INFO(e.m << " x " << e.n << " x " << e.k << " form " << static_cast<int>(F));
  CHECK(outside == 0);
  CHECK(farthest <= alpha * within * std::sqrt(static_cast<double>(e.k)));
  CHECK(farthest > (rounded ? 1e-4 : 0.0));
}

void check_products(const products& p, double within, bool rounded) {
  // Below the least work, above it, and past a block of Eigen's in each direction.
  for (const eigen::extents e : {eigen::extents{5, 7, 9}, eigen::extents{64, 48, 33},
                                 eigen::extents{130, 120, 70}, eigen::extents{390, 401, 1031}}) {
    for (const bool overwrites : {false, true}) {
      check_product<eigen::form::nn>(p, e, within, rounded, overwrites);
      check_product<eigen::form::nt>(p, e, within, rounded, overwrites);
      check_product<eigen::form::tn>(p, e, within, rounded, overwrites);
    }
  }
}

}  // namespace

TEST_CASE("oneDNN's products, float32", "[conformance]") {
  test::conforms<in_float32>();
}

TEST_CASE("oneDNN's products, bfloat16", "[conformance]") {
  if (!has_bfloat16()) {
    WARN("skipped: this processor has no bfloat16 products");
    return;
  }
  test::conforms<in_bfloat16>();
}

TEST_CASE("products of every form and beyond every block, float32") {
  check_products(products{}, 4e-6, false);
}

TEST_CASE("products of every form and beyond every block, bfloat16") {
  if (!has_bfloat16()) {
    WARN("skipped: this processor has no bfloat16 products");
    return;
  }
  const products p{product_precision::bfloat16};
  CHECK(p.precision() == product_precision::bfloat16);
  CHECK(products{}.precision() == product_precision::float32);
  check_products(p, 0.02, true);
  check_products(p, 4e-6, false);  // those of attention
  CHECK(p.rounds({128, 128, 64}));
  CHECK_FALSE(p.rounds({128, 128, 63}));
  CHECK_FALSE(products{}.rounds({4096, 4096, 4096}));
}

TEST_CASE("a product outside a team runs on one thread and leaves OpenMP's setting") {
  const int before = omp_get_max_threads();
  omp_set_num_threads(3);
  const products p{};
  const std::size_t n = 400;
  const std::vector<float> a = numbers(n * n, 1), b = numbers(n * n, 2);
  std::vector<float> outside(n * n), inside(n * n), workspace(p.workspace<float>());
  const auto multiply = [&](std::vector<float>& c) {
    p.add<eigen::form::nt>({n, n, n}, 1.0F, {a.data(), n}, {b.data(), n}, {c.data(), n},
                           workspace.data());
  };
  multiply(outside);
  CHECK(omp_get_max_threads() == 3);
  {
    const onednn::one_thread guard;
    CHECK(omp_get_max_threads() == 1);
  }
  CHECK(omp_get_max_threads() == 3);
#pragma omp parallel num_threads(2)
  {
#pragma omp single
    multiply(inside);
  }
  CHECK(inside == outside);
  omp_set_num_threads(before);
}

TEST_CASE("a product that oneDNN does not compute is an error, in a team of threads too") {
  // Rows that overlap are what it refuses, as it would for want of memory.
  std::vector<float> a(256 * 256), c(256 * 256), workspace(products::workspace<float>());
  const auto multiply = [&](const products& p, std::size_t stride) {
    p.put<eigen::form::nn>({256, 256, 256}, {a.data(), stride}, {a.data(), 256}, {c.data(), 256},
                           workspace.data());
  };
  CHECK_NOTHROW(multiply(products{}, 256));
  CHECK_THROWS_WITH(multiply(products{}, 8),
                    Catch::StartsWith("oneDNN: a product of 256 x 256 by 256 x 256 was not "
                                      "computed: "));
  eigen::workers<float, products> team{2};
  CHECK_THROWS_AS(
      team.share(64, [&](std::size_t i, float*) { multiply(team.product(), i == 40 ? 8 : 256); }),
      runtime_failure);
}

TEST_CASE("rounding to bfloat16: to the nearest, ties to even, NaN stays NaN") {
  const auto bits = [](std::uint32_t b) { return onednn::rounded(std::bit_cast<float>(b)); };
  CHECK(onednn::rounded(1.0F) == 0x3F80);
  CHECK(onednn::rounded(-2.0F) == 0xC000);
  CHECK(onednn::rounded(-0.0F) == 0x8000);
  CHECK(bits(0x3F80'8000) == 0x3F80);  // half way, even stays
  CHECK(bits(0x3F81'8000) == 0x3F82);  // half way, odd goes up
  CHECK(bits(0x3F80'8001) == 0x3F81);
  CHECK(bits(0x3F80'7FFF) == 0x3F80);
  CHECK(bits(0x0000'8001) == 0x0001);                                   // denormals too
  CHECK(onednn::rounded(std::numeric_limits<float>::max()) == 0x7F80);  // rounds to infinity
  CHECK(onednn::rounded(-std::numeric_limits<float>::infinity()) == 0xFF80);
  for (const std::uint32_t nan : {0x7F80'0001U, 0x7FFF'FFFFU, 0xFFFF'FFFFU, 0xFF80'0001U}) {
    CHECK((bits(nan) & 0x7FFF) > 0x7F80);
  }
  // The number itself is among its two neighbours the nearest.
  std::mt19937 draw{5};
  for (int i = 0; i < 10'000; ++i) {
    const std::uint32_t b = draw() & 0xBFFF'FFFF;  // below 2: neighbours are finite
    const auto value = static_cast<double>(std::bit_cast<float>(b));
    const auto of = [](std::uint32_t upper) {
      return static_cast<double>(std::bit_cast<float>(upper << 16U));
    };
    const std::uint32_t found = bits(b);
    const double away = std::abs(of(found) - value);
    CHECK(away <= std::abs(of(b >> 16U) - value));
    CHECK(away <= std::abs(of((b >> 16U) + 1U) - value));
  }
}
