#include "tombola/backend/reference.hpp"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "tests/backend/conformance.hpp"

using namespace tombola;

namespace {

template <class T>
struct reference_of {
  static constexpr bool threaded = false;
  static reference_backend<T> make(int) { return {}; }
};

/// A matrix over a vector's numbers. By default a column.
template <class T>
view<T> over(std::vector<T>& v, std::size_t rows = 0) {
  const std::size_t r = rows == 0 ? v.size() : rows;
  return {v.data(), r, v.size() / r};
}

void check_numbers(const std::vector<double>& found, const std::vector<double>& expected) {
  test::check_close("numbers", found, expected, 1e-15 * std::max(1.0, test::largest_of(expected)));
}

/// Two sequences, of 2 tokens and of 1, one head of 4 numbers. The scores of token 0 are ln 3 and
/// 0, those of token 1 both 0.
struct small_attention {
  std::vector<double> qkv = std::vector<double>(3 * 12), context = std::vector<double>(12);
  std::vector<std::int32_t> offsets{0, 2, 3};
  std::vector<std::uint32_t> example{40, 41};

  small_attention() {
    qkv[0] = 2.0;
    qkv[4] = std::log(3.0);
    for (std::size_t d = 0; d < 4; ++d) {
      qkv[8 + d] = 4.0 * static_cast<double>(d);       // value of token 0
      qkv[12 + 8 + d] = -8.0;                          // of token 1
      qkv[24 + 8 + d] = static_cast<double>(d) + 5.0;  // of the other sequence
    }
  }
  packed_sequences sequences() { return {over(offsets), over(example), 2, 5}; }
};

}  // namespace

TEMPLATE_TEST_CASE("reference backend",
                   "[conformance]",
                   reference_of<float>,
                   reference_of<double>) {
  test::conforms<TestType>();
}

// The suite compares other backends with the reference in double. What follows compares that one
// with numbers worked out by hand.

TEST_CASE("reference: products and gelu") {
  reference_backend<double> b;
  std::vector<double> x{1, 2, 3, 4, 5, 6}, weight{1, 0, -1, 2, 1, 0}, bias{10, 20}, y(4);
  perform(b, linear<double>{over(x, 2), over(weight, 2), over(bias), over(y, 2)});
  check_numbers(y, {8, 24, 8, 33});

  // The shares of the normal law below 1, -3 and -6, from tables.
  std::vector<double> z{1, -3, -6}, one{1}, zero{0}, pre(3), gelu_of(3), slope(3), ones{1, 1, 1};
  const std::vector<double> share{0.8413447460685429, 0.0013498980316300946, 9.865876450376981e-10};
  perform(b, linear_gelu<double>{over(z), over(one), over(zero), over(pre), over(gelu_of)});
  check_numbers(pre, z);
  perform(b, gelu_backward<double>{over(z), over(ones), over(slope)});
  for (std::size_t i = 0; i < 3; ++i) {
    const double density = std::exp(-z[i] * z[i] / 2) / std::sqrt(2 * std::acos(-1.0));
    CHECK(gelu_of[i] == Approx(z[i] * share[i]).epsilon(1e-13));
    CHECK(slope[i] == Approx(share[i] + z[i] * density).epsilon(1e-12));
  }
}

TEST_CASE("reference: add_norm divides the variance by the number of columns") {
  reference_backend<double> b;
  std::vector<double> x{1, 3}, residual{0, 1}, gate{2}, weight{3, 5}, bias{1, 2}, y(2), kept(2),
      inverse(1);
  add_norm<double> v;
  v.x = over(x, 1);
  v.residual = over(residual, 1);
  v.gate = over(gate);
  v.weight = over(weight);
  v.bias = over(bias);
  v.epsilon = 0.0;
  v.y = over(y, 1);
  v.normalized = over(kept, 1);
  v.inverse_deviation = over(inverse);
  perform(b, v);  // the sum is 2 and 7: mean 4.5, variance 6.25
  check_numbers(kept, {-1, 1});
  check_numbers(inverse, {0.4});
  check_numbers(y, {-2, 7});
  v.epsilon = 6.25 * 3;  // twice the deviation
  perform(b, v);
  check_numbers(y, {-0.5, 4.5});
}

TEST_CASE("reference: attention with probabilities of 3/4 and 1/4") {
  reference_backend<double> b;
  small_attention s;
  std::vector<double> factors{0.5, 2.0}, ungated(12), log_sum(3), entropy{1.0}, probabilities(5);
  attention<double> v;
  v.qkv = over(s.qkv, 3);
  v.heads = 1;
  v.sequences = s.sequences();
  v.factors = over(factors, 2);
  v.context = over(s.context, 3);
  v.ungated = over(ungated, 3);
  v.log_sum = over(log_sum, 3);
  perform(b, v);
  check_numbers(ungated, {-2, 1, 4, 7, -4, -2, 0, 2, 5, 6, 7, 8});
  check_numbers(s.context, {-1, 0.5, 2, 3.5, -2, -1, 0, 1, 10, 12, 14, 16});
  check_numbers(log_sum, {std::log(4.0), std::log(2.0), 0.0});

  perform(b,
          attention_statistics<double>{v.qkv, 1, v.sequences, over(entropy), over(probabilities)});
  check_numbers(probabilities, {0.75, 0.25, 0.5, 0.5, 1.0});
  const double first = -0.75 * std::log(0.75) - 0.25 * std::log(0.25);
  check_numbers(entropy, {1.0 + first + std::log(2.0)});
}

TEST_CASE("reference: dropout looks at the Philox word of its element") {
  reference_backend<double> b;
  const dropout_bits drop{{5, 6}, 0.25};
  std::vector<double> x(2 * 7, 3.0), y(x.size()), expected;
  std::vector<std::uint32_t> example{1000, 7}, token{3, 0};
  for (std::size_t m = 0; m < 2; ++m) {
    for (std::uint32_t c = 0; c < 7; ++c) {
      const auto words = philox4x32({c / 4, token[m], example[m], 0}, {5, 6});
      expected.push_back(words[c % 4] >= 0x40000000u ? 4.0 : 0.0);
    }
  }
  perform(b, dropout<double>{over(x, 2), drop, {over(example), over(token)}, over(y, 2)});
  check_numbers(y, expected);
}

TEST_CASE("reference: attention drops by key, query, example and head") {
  reference_backend<double> b;
  const std::size_t n = 6, heads = 2;
  std::vector<double> qkv(n * 3 * heads * n), context(n * heads * n), expected(context.size());
  std::vector<std::int32_t> offsets{0, static_cast<std::int32_t>(n)};
  std::vector<std::uint32_t> example{77};
  for (std::size_t t = 0; t < n; ++t) {
    for (std::size_t h = 0; h < heads; ++h) qkv[(t * 3 + 2) * heads * n + h * n + t] = 1.0;
  }
  for (std::uint32_t query = 0; query < n; ++query) {
    for (std::uint32_t h = 0; h < heads; ++h) {
      for (std::uint32_t key = 0; key < n; ++key) {
        const auto words = philox4x32({key / 4, query, 77, h}, {8, 9});
        const bool kept = words[key % 4] >= 0x80000000u;
        expected[(query * heads + h) * n + key] = kept ? 2.0 / static_cast<double>(n) : 0.0;
      }
    }
  }
  attention<double> v;
  v.qkv = over(qkv, n);
  v.heads = heads;
  v.sequences = {over(offsets), over(example), n};
  v.drop = {{8, 9}, 0.5};
  v.context = over(context, n);
  perform(b, v);
  check_numbers(context, expected);
}

TEST_CASE("reference: rows, tanh, relu and losses") {
  reference_backend<double> b;
  std::vector<double> word{1, 2, 3, 4}, position{10, 20, 30, 40}, segment{100, 200}, out(4);
  std::vector<std::int32_t> ids{1, 0}, positions{0, 1}, segments{0, 0}, last{1};
  perform(b, embed<double>{over(ids), over(positions), over(segments), over(word, 2),
                           over(position, 2), over(segment, 1), over(out, 2)});
  check_numbers(out, {113, 224, 131, 242});
  perform(b,
          embed<double>{
              over(ids), over(positions), {}, over(word, 2), over(position, 2), {}, over(out, 2)});
  check_numbers(out, {13, 24, 31, 42});

  std::vector<double> row(2), half{0.5, -0.5}, tanh_half(2);
  perform(b, gather_rows<double>{over(out, 2), over(last), over(row, 1)});
  check_numbers(row, {31, 42});
  perform(b, tanh_of<double>{over(half), over(tanh_half)});
  check_numbers(tanh_half, {0.46211715726000975, -0.46211715726000975});
  std::vector<double> relu_half(2), through{7, 8};
  perform(b, relu_of<double>{over(half), over(relu_half)});
  check_numbers(relu_half, {0.5, 0.0});
  perform(b, relu_backward<double>{over(relu_half), over(through), over(through)});
  check_numbers(through, {7, 0});

  std::vector<double> logits{0, std::log(3.0)}, losses(1), gradient(2);
  std::vector<std::int32_t> label{0};
  perform(b,
          cross_entropy<double>{over(logits, 1), over(label), 2, over(losses), over(gradient, 1)});
  check_numbers(losses, {std::log(4.0)});
  check_numbers(gradient, {-1.5, 1.5});

  std::vector<double> prediction{3}, target{1}, slope(1);
  perform(b, squared_error<double>{over(prediction), over(target), 0.5, over(losses), over(slope)});
  check_numbers(losses, {4});
  check_numbers(slope, {2});
}

TEST_CASE("reference: the first step of both forms of AdamW") {
  reference_backend<double> b;
  std::vector<double> factor{0.5};
  std::vector<std::int32_t> failed{0};
  const auto step = [&](adamw_form form) {
    std::vector<double> p{2}, g{4}, m{0}, v{0};
    adamw<double> a{over(p), over(g), over(m), over(v), over(factor), over(failed), form};
    a.rate = 0.1;
    a.epsilon = 0.25;
    a.decay = 0.5;
    perform(b, a);
    check_numbers(m, {0.2});
    check_numbers(v, {0.004});
    return p[0];
  };
  // g is 2: m / (1 - b1) = 2, sqrt(v / (1 - b2)) = 2, sqrt(v) = sqrt(0.004).
  const double root = std::sqrt(0.004);
  CHECK(step(adamw_form::study) ==
        Approx((2 - 0.1 * std::sqrt(0.001) * 2 / (root + 0.25)) * 0.95).epsilon(1e-14));
  CHECK(step(adamw_form::torch) == Approx(2 * 0.95 - 0.1 * 2 / 2.25).epsilon(1e-14));
}

TEST_CASE("sum_of_squares adds in double, also over floats") {
  reference_backend<float> b;
  std::vector<float> x{4096.0f, 1.0f, 1.0f};
  std::vector<double> total{0.5};
  perform(b, sum_of_squares<float>{over(x), over(total)});
  CHECK(total[0] == 16777218.5);  // a float holds no odd number beyond 2^24
}

TEST_CASE("host buffers that cannot be had, and copies that do not fit, are refused") {
  reference_backend<float> b;
  constexpr std::size_t huge = std::numeric_limits<std::size_t>::max();
  CHECK_THROWS_AS(b.allocate<double>(huge), runtime_failure);
  CHECK_THROWS_AS(b.allocate<double>(huge / 8), runtime_failure);

  auto x = b.allocate<float>(4), y = std::move(x);
  CHECK(x.size() == 0);
  CHECK(x.data() == nullptr);
  y = b.allocate<float>(2);
  CHECK(y.size() == 2);

  std::vector<float> three(3);
  const view<float> two{y.data(), 2, 1};
  CHECK_THROWS_WITH(b.write(three, two), "write: destination has 2 numbers, expected 3");
  CHECK_THROWS_WITH(b.read(two, three), "read: source has 2 numbers, expected 3");
  CHECK_THROWS_WITH(b.copy(over(three), two), "copy: destination has 2 numbers, expected 3");
}
