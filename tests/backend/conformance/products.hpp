#pragma once

// linear, linear_gelu and what goes back through them.

#include <array>
#include <cstddef>
#include <vector>

#include "tests/backend/conformance/compare.hpp"

namespace tombola::test {

struct product_shape {
  std::size_t m, n, k;
};

/// 1, odd sizes, and sizes beyond the tiles and blocks of a product in every dimension.
[[nodiscard]] inline std::vector<product_shape> product_shapes() {
  std::vector<product_shape> shapes;
  for (const std::size_t m : sizes{1, 3, 17}) {
    for (const std::size_t n : sizes{1, 3, 17}) {
      for (const std::size_t k : sizes{1, 3, 17}) shapes.push_back({m, n, k});
    }
  }
  shapes.insert(shapes.end(), {{64, 64, 64}, {300, 130, 70}, {9, 257, 1030}, {130, 5, 129}});
  return shapes;
}

struct linear_case : verb_case {
  bool bias = true, add = false;

  linear_case(product_shape s, bool with_bias, bool adds) : bias{with_bias}, add{adds} {
    inputs = {{"x", random_matrix(s.m, s.k, 1)}, {"weight", random_matrix(s.n, s.k, 2)}};
    if (bias) inputs["bias"] = random_matrix(s.n, 1, 3);
    cotangents = {{"y", random_matrix(s.m, s.n, 4)}};
    if (add) start["dx"] = random_matrix(s.m, s.k, 5);
    start["dweight"] = random_matrix(s.n, s.k, 6);
    if (bias) start["dbias"] = random_matrix(s.n, 1, 7);
    terms = static_cast<double>(std::max({s.m, s.n, s.k}));
  }

  template <class B>
  results forward(B& b, const matrices& from) const {
    rig<B> r{b};
    const auto x = r.in(from.at("x")), weight = r.in(from.at("weight"));
    const auto y = r.out("y", x.rows, weight.rows);
    r.perform(linear<typename B::activation>{
        .x = x, .weight = weight, .bias = r.in(bias ? from.at("bias") : matrix{}), .y = y});
    return r.finish();
  }

  template <class B>
  results backward(B& b, const matrices& from) const {
    using A = typename B::activation;
    rig<B> r{b};
    const auto x = r.in(from.at("x")), weight = r.in(from.at("weight"));
    const auto dy = r.in(cotangents.at("y"));
    const auto dx = add ? r.inout("dx", start.at("dx")) : r.out("dx", x.rows, x.cols);
    r.perform(
        linear_input_gradient<A>{.dy = dy, .weight = weight, .pre = {}, .dx = dx, .add = add});
    r.perform(linear_weight_gradient<A, typename B::parameter>{
        .dy = dy,
        .x = x,
        .dweight = r.inout_parameter("dweight", start.at("dweight")),
        .dbias = r.inout_parameter("dbias", bias ? start.at("dbias") : matrix{})});
    return r.finish();
  }
};

/// A layer of K = 0 inputs: y is the bias, whose gradient is all there is.
struct bias_alone_case : verb_case {
  bias_alone_case(std::size_t m, std::size_t n) {
    inputs = {{"bias", random_matrix(n, 1, 3)}};
    cotangents = {{"y", random_matrix(m, n, 4)}};
    start["dbias"] = random_matrix(n, 1, 7);
    terms = static_cast<double>(m);
  }

  template <class B>
  results forward(B& b, const matrices& from) const {
    using A = typename B::activation;
    rig<B> r{b};
    const std::size_t m = cotangents.at("y").rows, n = cotangents.at("y").cols;
    r.perform(linear<A>{.x = view<const A>{nullptr, m, 0},
                        .weight = view<const A>{nullptr, n, 0},
                        .bias = r.in(from.at("bias")),
                        .y = r.out("y", m, n)});
    return r.finish();
  }

  template <class B>
  results backward(B& b, const matrices&) const {
    using A = typename B::activation;
    using P = typename B::parameter;
    rig<B> r{b};
    const auto dy = r.in(cotangents.at("y"));
    r.perform(linear_weight_gradient<A, P>{.dy = dy,
                                           .x = view<const A>{nullptr, dy.rows, 0},
                                           .dweight = view<P>{nullptr, dy.cols, 0},
                                           .dbias = r.inout_parameter("dbias", start.at("dbias"))});
    return r.finish();
  }
};

struct linear_gelu_case : verb_case {
  bool keep = true;

  linear_gelu_case(product_shape s, bool keeps_pre) : keep{keeps_pre} {
    inputs = {{"x", random_matrix(s.m, s.k, 11)},
              {"weight", random_matrix(s.n, s.k, 12)},
              {"bias", random_matrix(s.n, 1, 13)}};
    cotangents = {{"y", random_matrix(s.m, s.n, 14)}};
    start = {{"dweight", random_matrix(s.n, s.k, 16)}, {"dbias", random_matrix(s.n, 1, 17)}};
    // gelu' moves by up to 1 for a step of 1 in pre, which has an error of its own size.
    magnitude = 4.0;
    terms = static_cast<double>(std::max({s.m, s.n, s.k}));
  }

  template <class B>
  results forward(B& b, const matrices& from) const {
    rig<B> r{b};
    const auto x = r.in(from.at("x")), weight = r.in(from.at("weight"));
    r.perform(
        linear_gelu<typename B::activation>{.x = x,
                                            .weight = weight,
                                            .bias = r.in(from.at("bias")),
                                            .pre = r.out("pre", keep ? x.rows : 0, weight.rows),
                                            .y = r.out("y", x.rows, weight.rows)});
    return r.finish();
  }

  /// dy -> gelu_backward -> the two gradients of a product.
  template <class B>
  results backward(B& b, const matrices& from) const {
    using A = typename B::activation;
    rig<B> r{b};
    const auto x = r.in(from.at("x")), weight = r.in(from.at("weight"));
    const std::size_t rows = x.rows, cols = weight.rows;
    const auto pre = r.out("pre", rows, cols);
    r.perform(linear_gelu<A>{.x = x,
                             .weight = weight,
                             .bias = r.in(from.at("bias")),
                             .pre = pre,
                             .y = r.out("y", rows, cols)});
    const matrix& cotangent = cotangents.at("y");
    const auto dpre = in_place ? r.inout("dpre", cotangent) : r.out("dpre", rows, cols);
    const auto dy = in_place ? read_only(dpre) : r.in(cotangent);
    r.perform(gelu_backward<A>{.pre = pre, .dy = dy, .dpre = dpre});
    r.perform(linear_input_gradient<A>{
        .dy = dpre, .weight = weight, .pre = {}, .dx = r.out("dx", rows, x.cols), .add = false});
    r.perform(linear_weight_gradient<A, typename B::parameter>{
        .dy = dpre,
        .x = x,
        .dweight = r.inout_parameter("dweight", start.at("dweight")),
        .dbias = r.inout_parameter("dbias", start.at("dbias"))});
    return r.finish();
  }
};

/// y = gelu(pre) weight^T, whose gradient with respect to pre is one verb.
struct gelu_linear_case : verb_case {
  explicit gelu_linear_case(product_shape s) {
    inputs = {{"pre", random_matrix(s.m, s.k, 21)}, {"weight", random_matrix(s.n, s.k, 22)}};
    // Tails, where one form of gelu' or another loses its digits.
    const std::array<double, 4> tails{-6.0, 6.0, -3.0, 0.0};
    for (std::size_t i = 0; i < std::min<std::size_t>(4, s.m * s.k); ++i) {
      inputs["pre"].values[i] = tails[i];
    }
    cotangents = {{"y", random_matrix(s.m, s.n, 24)}};
    terms = static_cast<double>(std::max(s.n, s.k));
  }

  template <class B>
  results forward(B& b, const matrices& from) const {
    using A = typename B::activation;
    rig<B> r{b};
    const matrix& pre = from.at("pre");
    matrix identity = constant_matrix(pre.cols, pre.cols, 0.0);
    for (std::size_t i = 0; i < pre.cols; ++i) identity.values[i * pre.cols + i] = 1.0;
    const auto weight = r.in(from.at("weight"));
    const auto middle = r.out("middle", pre.rows, pre.cols);
    r.perform(linear_gelu<A>{.x = r.in(pre),
                             .weight = r.in(identity),
                             .bias = r.in(constant_matrix(pre.cols, 1, 0.0)),
                             .pre = {},
                             .y = middle});
    r.perform(linear<A>{
        .x = middle, .weight = weight, .bias = {}, .y = r.out("y", pre.rows, weight.rows)});
    return r.finish();
  }

  template <class B>
  results backward(B& b, const matrices& from) const {
    rig<B> r{b};
    const auto pre = r.in(from.at("pre"));
    r.perform(linear_input_gradient<typename B::activation>{.dy = r.in(cotangents.at("y")),
                                                            .weight = r.in(from.at("weight")),
                                                            .pre = pre,
                                                            .dx = r.out("dpre", pre.rows, pre.cols),
                                                            .add = false});
    return r.finish();
  }
};

template <class Factory>
void products_conform() {
  SECTION("linear") {
    for (const auto s : product_shapes()) {
      INFO(s.m << " x " << s.n << " x " << s.k);
      check_forward<Factory>(linear_case{s, true, false});
      check_forward<Factory>(linear_case{s, false, false});
    }
  }
  SECTION("a linear layer without inputs is its bias") {
    for (const std::size_t m : sizes{1, 17, 130}) {
      for (const std::size_t n : sizes{1, 5, 257}) {
        INFO(m << " x " << n);
        check_forward<Factory>(bias_alone_case{m, n});
        check_backward<Factory>(bias_alone_case{m, n});
      }
    }
    check_gradient<Factory>(bias_alone_case{4, 3});
  }
  SECTION("linear_gelu") {
    for (const auto s : product_shapes()) {
      INFO(s.m << " x " << s.n << " x " << s.k);
      check_forward<Factory>(linear_gelu_case{s, true});
      check_forward<Factory>(linear_gelu_case{s, false});
    }
  }
  SECTION("linear_input_gradient and linear_weight_gradient") {
    for (const auto s : product_shapes()) {
      INFO(s.m << " x " << s.n << " x " << s.k);
      check_backward<Factory>(linear_case{s, true, false});
      check_backward<Factory>(linear_case{s, false, true});
    }
    check_gradient<Factory>(linear_case{{4, 5, 3}, true, true});
    check_gradient<Factory>(linear_case{{1, 3, 7}, false, false});
  }
  SECTION("linear_input_gradient through gelu") {
    for (const auto s : product_shapes()) {
      INFO(s.m << " x " << s.n << " x " << s.k);
      check_backward<Factory>(gelu_linear_case{s});
    }
    check_gradient<Factory>(gelu_linear_case{{4, 3, 5}});
  }
  SECTION("gelu_backward") {
    for (const bool in_place : {false, true}) {
      for (const auto s : product_shapes()) {
        INFO(s.m << " x " << s.n << " x " << s.k << (in_place ? " in place" : ""));
        linear_gelu_case c{s, true};
        c.in_place = in_place;
        check_backward<Factory>(c);
      }
    }
    check_gradient<Factory>(linear_gelu_case{{4, 5, 3}, true});
  }
}

}  // namespace tombola::test
