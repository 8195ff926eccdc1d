#pragma once

// Verbs that move or map rows: embed, gather_rows and scatter_rows, tanh, relu, the losses.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/backend/conformance/compare.hpp"

namespace tombola::test {

/// n places below `below`, with repetitions.
[[nodiscard]] inline std::vector<std::int32_t> random_places(std::size_t n,
                                                             std::size_t below,
                                                             std::uint64_t seed) {
  const random_stream stream{seed, purpose::subset};
  std::vector<std::int32_t> places(n);
  for (std::size_t i = 0; i < n; ++i) {
    places[i] = static_cast<std::int32_t>(stream.below(below, i));
  }
  return places;
}

struct embed_case : verb_case {
  std::vector<std::int32_t> ids, positions, segments;

  /// Without segments there is no table of them either.
  embed_case(std::size_t tokens, std::size_t cols, std::size_t pieces, bool segmented = true)
      : ids{random_places(tokens, pieces, 61)},
        positions{random_places(tokens, 6, 62)},
        segments{random_places(segmented ? tokens : 0, 2, 63)} {
    const std::size_t kinds = segmented ? 2 : 0;
    inputs = {{"word", random_matrix(pieces, cols, 64)},
              {"position", random_matrix(6, cols, 65)},
              {"segment", random_matrix(kinds, cols, 66)}};
    cotangents = {{"out", random_matrix(tokens, cols, 67)}};
    start = {{"dword", random_matrix(pieces, cols, 68)},
             {"dposition", random_matrix(6, cols, 69)},
             {"dsegment", random_matrix(kinds, cols, 70)}};
    terms = static_cast<double>(tokens);
  }

  template <class B>
  results forward(B& b, const matrices& from) const {
    rig<B> r{b};
    r.perform(embed<typename B::activation>{.ids = r.in(ids),
                                            .positions = r.in(positions),
                                            .segments = r.in(segments),
                                            .word = r.in(from.at("word")),
                                            .position = r.in(from.at("position")),
                                            .segment = r.in(from.at("segment")),
                                            .out = r.out("out", ids.size(), from.at("word").cols)});
    return r.finish();
  }
  template <class B>
  results backward(B& b, const matrices&) const {
    rig<B> r{b};
    r.perform(embed_backward<typename B::activation, typename B::parameter>{
        .ids = r.in(ids),
        .positions = r.in(positions),
        .segments = r.in(segments),
        .dout = r.in(cotangents.at("out")),
        .dword = r.inout_parameter("dword", start.at("dword")),
        .dposition = r.inout_parameter("dposition", start.at("dposition")),
        .dsegment = r.inout_parameter("dsegment", start.at("dsegment"))});
    return r.finish();
  }
};

struct gather_case : verb_case {
  std::vector<std::int32_t> rows;

  gather_case(std::size_t tokens, std::size_t cols, std::size_t wanted)
      : rows{random_places(wanted, tokens, 71)} {
    inputs = {{"x", random_matrix(tokens, cols, 72)}};
    cotangents = {{"y", random_matrix(wanted, cols, 73)}};
    start = {{"dx", random_matrix(tokens, cols, 74)}};
    terms = static_cast<double>(wanted);
  }
  template <class B>
  results forward(B& b, const matrices& from) const {
    rig<B> r{b};
    const auto x = r.in(from.at("x"));
    r.perform(gather_rows<typename B::activation>{
        .x = x, .rows = r.in(rows), .y = r.out("y", rows.size(), x.cols)});
    return r.finish();
  }
  template <class B>
  results backward(B& b, const matrices&) const {
    rig<B> r{b};
    r.perform(scatter_rows<typename B::activation>{
        .dy = r.in(cotangents.at("y")), .rows = r.in(rows), .dx = r.inout("dx", start.at("dx"))});
    return r.finish();
  }
};

/// A verb that maps number by number, and its backward, which looks at the result.
template <template <class> class Forward, template <class> class Backward>
struct elementwise_case : verb_case {
  elementwise_case(std::size_t rows, std::size_t cols) {
    inputs = {{"x", random_matrix(rows, cols, 81, 2.0)}};
    inputs["x"].values[0] = 30.0;
    cotangents = {{"y", random_matrix(rows, cols, 82)}};
  }
  template <class B>
  view<typename B::activation> perform_forward(rig<B>& r, const matrix& x) const {
    const auto y = in_place ? r.inout("y", x) : r.out("y", x.rows, x.cols);
    r.perform(Forward<typename B::activation>{.x = in_place ? read_only(y) : r.in(x), .y = y});
    return y;
  }
  template <class B>
  results forward(B& b, const matrices& from) const {
    rig<B> r{b};
    perform_forward(r, from.at("x"));
    return r.finish();
  }
  template <class B>
  results backward(B& b, const matrices& from) const {
    using A = typename B::activation;
    rig<B> r{b};
    const auto y = perform_forward(r, from.at("x"));
    const matrix& cotangent = cotangents.at("y");
    const auto dx = in_place ? r.inout("dx", cotangent) : r.out("dx", y.rows, y.cols);
    r.perform(Backward<A>{.y = y, .dy = in_place ? read_only(dx) : r.in(cotangent), .dx = dx});
    return r.finish();
  }
};
using tanh_case = elementwise_case<tanh_of, tanh_backward>;
using relu_case = elementwise_case<relu_of, relu_backward>;

template <class Factory, class Case>
void elementwise_conforms() {
  for (const bool in_place : {false, true}) {
    for (auto c : {Case{1, 1}, Case{3, 17}, Case{130, 67}}) {
      c.in_place = in_place;
      check_forward<Factory>(c);
      check_backward<Factory>(c);
    }
  }
  check_gradient<Factory>(Case{3, 5});
}

struct cross_entropy_case : verb_case {
  std::vector<std::int32_t> labels;
  double scale = 0.25;
  bool gradient = true;

  cross_entropy_case(std::size_t rows, std::size_t classes)
      : labels{random_places(rows, classes, 91)} {
    inputs = {{"logits", random_matrix(rows, classes, 92, 3.0)}};
    cotangents = {{"losses", constant_matrix(rows, 1, scale)}};
    terms = static_cast<double>(classes);
  }
  template <class B>
  results forward(B& b, const matrices& from) const {
    using A = typename B::activation;
    rig<B> r{b};
    const matrix& logits = from.at("logits");
    const auto dlogits = in_place ? r.inout("dlogits", logits)
                                  : r.out("dlogits", gradient ? logits.rows : 0, logits.cols);
    r.perform(cross_entropy<A>{.logits = in_place ? read_only(dlogits) : r.in(logits),
                               .labels = r.in(labels),
                               .scale = scale,
                               .losses = r.out_double("losses", logits.rows),
                               .gradient = dlogits});
    return r.finish();
  }
  template <class B>
  results backward(B& b, const matrices& from) const {
    return forward(b, from);
  }
};

struct squared_error_case : verb_case {
  double scale = 0.5;
  bool gradient = true;

  explicit squared_error_case(std::size_t rows) {
    inputs = {{"predictions", random_matrix(rows, 1, 95)}, {"targets", random_matrix(rows, 1, 96)}};
    cotangents = {{"losses", constant_matrix(rows, 1, scale)}};
  }
  template <class B>
  results forward(B& b, const matrices& from) const {
    rig<B> r{b};
    const auto predictions = r.in(from.at("predictions"));
    r.perform(squared_error<typename B::activation>{
        .predictions = predictions,
        .targets = r.in(from.at("targets")),
        .scale = scale,
        .losses = r.out_double("losses", predictions.rows),
        .gradient = r.out("dpredictions", gradient ? predictions.rows : 0, 1)});
    return r.finish();
  }
  template <class B>
  results backward(B& b, const matrices& from) const {
    return forward(b, from);
  }
};

template <class Factory>
void rows_conform() {
  SECTION("embed and embed_backward") {
    for (const bool segmented : {true, false}) {
      for (const auto& c : {embed_case{1, 1, 1, segmented}, embed_case{3, 17, 5, segmented},
                            embed_case{310, 33, 40, segmented}}) {
        check_forward<Factory>(c);
        check_backward<Factory>(c);
      }
      check_gradient<Factory>(embed_case{7, 3, 4, segmented});
    }
  }
  SECTION("gather_rows and scatter_rows") {
    for (const auto& c : {gather_case{1, 1, 1}, gather_case{9, 17, 3}, gather_case{40, 33, 310}}) {
      check_forward<Factory>(c);
      check_backward<Factory>(c);
    }
    check_gradient<Factory>(gather_case{5, 3, 8});
  }
  SECTION("tanh_of and tanh_backward") {
    elementwise_conforms<Factory, tanh_case>();
  }
  SECTION("relu_of and relu_backward") {
    elementwise_conforms<Factory, relu_case>();
    // At 0 and -0 the derivative is 0, and NaN is not hidden.
    relu_case c{2, 3};
    c.inputs["x"].values = {0.0, -0.0, 1e-30, -1e-30, 4.0, -4.0};
    check_forward<Factory>(c);
    check_backward<Factory>(c);
    auto b = Factory::make(1);
    const auto y = c.forward(b, {{"x", constant_matrix(1, 1, std::nan(""))}}).at("y");
    CHECK(std::isnan(y.at(0)));
  }
  SECTION("cross_entropy") {
    for (auto c :
         {cross_entropy_case{1, 1}, cross_entropy_case{3, 2}, cross_entropy_case{70, 310}}) {
      check_forward<Factory>(c);
      c.gradient = false;
      check_forward<Factory>(c);
      c.gradient = true, c.in_place = true;
      check_forward<Factory>(c);
    }
    // Logits whose exponential overflows, and a label of probability 0.
    cross_entropy_case c{4, 3};
    for (double& x : c.inputs["logits"].values) x *= 512.0;
    c.magnitude = 512.0;
    check_forward<Factory>(c);
    check_gradient<Factory>(cross_entropy_case{3, 4});
  }
  SECTION("squared_error") {
    for (auto c : {squared_error_case{1}, squared_error_case{17}, squared_error_case{300}}) {
      check_forward<Factory>(c);
      c.gradient = false;
      check_forward<Factory>(c);
    }
    check_gradient<Factory>(squared_error_case{5});
  }
}

}  // namespace tombola::test
