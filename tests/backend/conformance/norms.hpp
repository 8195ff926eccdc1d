#pragma once

// add_norm, its backward, and dropout.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/backend/conformance/compare.hpp"

namespace tombola::test {

struct norm_shape {
  std::size_t rows, cols;
};

[[nodiscard]] inline std::vector<norm_shape> norm_shapes() {
  return {{1, 1}, {3, 1}, {1, 3}, {17, 5}, {3, 17}, {70, 130}, {300, 67}};
}

/// Rows that stand at no regular places of the epoch.
struct scattered_rows {
  std::vector<std::uint32_t> example, token;

  explicit scattered_rows(std::size_t rows) {
    for (std::size_t m = 0; m < rows; ++m) {
      example.push_back(static_cast<std::uint32_t>(1000 + m / 5 * 3));
      token.push_back(static_cast<std::uint32_t>(m % 5));
    }
  }
  template <class B>
  row_places in(rig<B>& r) const {
    return {r.in(example), r.in(token)};
  }
};

struct add_norm_options {
  bool residual = true, gate = true, keep = true;
  double rate = 0.0;
  bool dx = true;
};

struct add_norm_case : verb_case {
  add_norm_options options;
  scattered_rows places;
  double epsilon = 1e-5;

  add_norm_case(norm_shape s, add_norm_options o) : options{o}, places{s.rows} {
    inputs = {{"x", random_matrix(s.rows, s.cols, 31, 2.0)},
              {"weight", random_matrix(s.cols, 1, 32)},
              {"bias", random_matrix(s.cols, 1, 33)}};
    if (o.residual) inputs["residual"] = random_matrix(s.rows, s.cols, 34);
    if (o.gate) inputs["gate"] = constant_matrix(1, 1, 0.75);
    cotangents = {{"y", random_matrix(s.rows, s.cols, 35)}};
    start = {{"dweight", random_matrix(s.cols, 1, 36)}, {"dbias", random_matrix(s.cols, 1, 37)}};
    // Rows differ in deviation, the smallest of which multiplies what rounding left in s.
    magnitude = 3.0;
    terms = static_cast<double>(std::max(s.rows, s.cols));
  }

  [[nodiscard]] dropout_bits drop() const { return {{0xdeadbeef, 7}, options.rate}; }

  template <class B>
  struct outputs {
    view<typename B::activation> y, normalized, inverse_deviation;
  };

  template <class B>
  outputs<B> perform_forward(rig<B>& r, const matrices& from, row_places at) const {
    using A = typename B::activation;
    const matrix& x = from.at("x");
    outputs<B> o;
    o.y = in_place ? r.inout("y", x) : r.out("y", x.rows, x.cols);
    o.normalized = r.out("normalized", options.keep ? x.rows : 0, x.cols);
    o.inverse_deviation = r.out("inverse_deviation", options.keep ? x.rows : 0, 1);
    r.perform(add_norm<A>{.x = in_place ? read_only(o.y) : r.in(x),
                          .residual = r.in(options.residual ? from.at("residual") : matrix{}),
                          .gate = r.in(options.gate ? from.at("gate") : matrix{}),
                          .weight = r.in(from.at("weight")),
                          .bias = r.in(from.at("bias")),
                          .epsilon = epsilon,
                          .drop = drop(),
                          .places = at,
                          .y = o.y,
                          .normalized = o.normalized,
                          .inverse_deviation = o.inverse_deviation});
    return o;
  }

  template <class B>
  results forward(B& b, const matrices& from) const {
    rig<B> r{b};
    perform_forward(r, from, options.rate > 0.0 ? places.in(r) : row_places{});
    return r.finish();
  }

  template <class B>
  results backward(B& b, const matrices& from) const {
    using A = typename B::activation;
    rig<B> r{b};
    const row_places at = places.in(r);
    const auto kept = perform_forward(r, from, at);
    const matrix& cotangent = cotangents.at("y");
    const std::size_t rows = cotangent.rows, cols = cotangent.cols;
    const auto norm_dy = r.in(cotangent);
    const auto dsum = in_place ? r.inout("dresidual", cotangent) : r.out("dresidual", rows, cols);
    r.perform(add_norm_backward<A>{.dy = in_place ? read_only(dsum) : norm_dy,
                                   .normalized = kept.normalized,
                                   .inverse_deviation = kept.inverse_deviation,
                                   .weight = r.in(from.at("weight")),
                                   .gate = r.in(options.gate ? from.at("gate") : matrix{}),
                                   .drop = drop(),
                                   .places = at,
                                   .dsum = dsum,
                                   .dx = r.out("dx", options.dx ? rows : 0, cols)});
    r.perform(norm_weight_gradient<A, typename B::parameter>{
        .dy = norm_dy,
        .normalized = kept.normalized,
        .dweight = r.inout_parameter("dweight", start.at("dweight")),
        .dbias = r.inout_parameter("dbias", start.at("dbias"))});
    return r.finish();
  }
};

struct dropout_case : verb_case {
  double rate;
  scattered_rows places;

  dropout_case(norm_shape s, double r) : rate{r}, places{s.rows} {
    inputs = {{"x", random_matrix(s.rows, s.cols, 41)}};
    for (double& x : inputs["x"].values) x = x < 0.0 ? x - 1.0 : x + 1.0;  // never near 0
    for (double& x : inputs["x"].values) x = double{static_cast<float>(x)};
    cotangents = {{"y", random_matrix(s.rows, s.cols, 42)}};
  }

  template <class B>
  results run(B& b, const matrix& x, const std::string& name) const {
    using A = typename B::activation;
    rig<B> r{b};
    const auto y = in_place ? r.inout(name, x) : r.out(name, x.rows, x.cols);
    r.perform(dropout<A>{.x = in_place ? read_only(y) : r.in(x),
                         .drop = {{3, 0xfeedface}, rate},
                         .places = rate > 0.0 ? places.in(r) : row_places{},
                         .y = y});
    return r.finish();
  }
  template <class B>
  results forward(B& b, const matrices& from) const {
    return run(b, from.at("x"), "y");
  }
  template <class B>
  results backward(B& b, const matrices&) const {
    return run(b, cotangents.at("y"), "dx");
  }
};

/// The same elements are dropped on every backend, to the last one.
template <class Factory>
void check_dropped(const dropout_case& c) {
  auto b = Factory::make(1);
  reference_backend<double> reference;
  const auto found = c.forward(b, c.inputs).at("y");
  const auto expected = apart(c).forward(reference, c.inputs).at("y");
  REQUIRE(found.size() == expected.size());
  bool same = true;
  for (std::size_t i = 0; i < found.size(); ++i) {
    same = same && (found[i] == 0.0) == (expected[i] == 0.0);
  }
  CHECK(same);
}

template <class Factory, class Check>
void for_add_norm_options(norm_shape s, Check&& check) {
  for (const double rate : {0.0, 0.3}) {
    for (const bool in_place : {false, true}) {
      for (const add_norm_options o :
           {add_norm_options{true, true, true, rate}, add_norm_options{true, false, false, rate},
            add_norm_options{false, true, true, rate},
            add_norm_options{false, false, true, rate}}) {
        INFO(s.rows << " x " << s.cols << " rate " << rate << (in_place ? " in place" : "")
                    << " residual " << o.residual << " gate " << o.gate << " keep " << o.keep);
        add_norm_case c{s, o};
        c.in_place = in_place;
        check(c);
      }
    }
  }
}

template <class Factory>
void norms_conform() {
  SECTION("add_norm") {
    for (const auto s : norm_shapes()) {
      for_add_norm_options<Factory>(s, [](const auto& c) { check_forward<Factory>(c); });
    }
  }
  SECTION("add_norm of rows far from 0") {
    add_norm_case c{{5, 64}, {}};
    for (double& x : c.inputs["x"].values) x = double{static_cast<float>(x + 1000.0)};
    c.magnitude = 1000.0;
    check_forward<Factory>(c);
  }
  SECTION("add_norm of a constant row is its bias") {
    add_norm_case c{{3, 8}, {false, false, true, 0.0}};
    c.inputs["x"] = constant_matrix(3, 8, 2.5);
    c.epsilon = 1e-12;  // inverse_deviation is 1e6 there
    check_forward<Factory>(c);
  }
  SECTION("add_norm_backward and norm_weight_gradient") {
    for (const auto s : norm_shapes()) {
      for_add_norm_options<Factory>(s, [](auto c) {
        c.options.dx = c.options.keep;
        c.options.keep = true;
        check_backward<Factory>(c);
      });
    }
    for_add_norm_options<Factory>({3, 6}, [](auto c) {
      c.options.keep = true;
      check_gradient<Factory>(c);
    });
  }
  SECTION("dropout") {
    for (const auto s : norm_shapes()) {
      for (const double rate : {0.0, 0.1, 0.5, 0.9}) {
        for (const bool in_place : {false, true}) {
          INFO(s.rows << " x " << s.cols << " rate " << rate << (in_place ? " in place" : ""));
          dropout_case c{s, rate};
          c.in_place = in_place;
          check_forward<Factory>(c);
          check_dropped<Factory>(c);
        }
      }
    }
    check_gradient<Factory>(dropout_case{{5, 7}, 0.4});
  }
}

}  // namespace tombola::test
