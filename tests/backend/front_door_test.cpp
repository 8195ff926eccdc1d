#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include "tests/support/catch.hpp"

#include "tombola/backend/backend.hpp"

using namespace tombola;

namespace {

/// Views of any shape up to 256 numbers. Nothing looks through them: check() sees shapes alone.
template <class T = double>
view<T> shape(std::size_t rows, std::size_t cols = 1) {
  static std::array<T, 256> numbers{};
  return {numbers.data(), rows, cols};
}

/// Counts the verbs that reach it.
struct counting_backend {
  int runs = 0;
  template <class Verb>
  void run(const Verb&) {
    ++runs;
  }
};

/// A verb that is right, and ways of breaking it.
template <class Verb>
struct door {
  Verb right;

  explicit door(const Verb& v) : right{v} {
    counting_backend b;
    CHECK_NOTHROW(perform(b, right));
    CHECK(b.runs == 1);
  }

  /// After `harm` the front door says exactly this, and the backend hears nothing.
  template <class Error = shape_error, class Harm>
  void refuses(Harm&& harm, const std::string& sentence) const {
    Verb wrong = right;
    harm(wrong);
    counting_backend b;
    INFO(sentence);
    CHECK_THROWS_AS(perform(b, wrong), Error);
    CHECK_THROWS_WITH(perform(b, wrong), sentence);
    CHECK(b.runs == 0);
  }
  template <class Harm>
  void accepts(Harm&& harm) const {
    Verb other = right;
    harm(other);
    CHECK_NOTHROW(other.check());
  }
};

row_places places(std::size_t rows) {
  return {shape<std::uint32_t>(rows), shape<std::uint32_t>(rows)};
}

}  // namespace

TEST_CASE("front door: embed and its backward") {
  const auto ids = shape<std::int32_t>(5), few = shape<std::int32_t>(4);
  const door forward{
      embed<double>{ids, ids, ids, shape(7, 3), shape(9, 3), shape(2, 3), shape(5, 3)}};
  forward.refuses([&](auto& v) { v.ids = few; }, "embed: ids has 4 numbers, expected 5");
  forward.refuses([&](auto& v) { v.positions = few; },
                  "embed: positions has 4 numbers, expected 5");
  forward.refuses([&](auto& v) { v.segments = few; }, "embed: segments has 4 numbers, expected 5");
  forward.refuses([](auto& v) { v.word.cols = 4; }, "embed: word is 7 x 4, expected 7 x 3");
  forward.refuses([](auto& v) { v.position.cols = 4; }, "embed: position is 9 x 4, expected 9 x 3");
  forward.refuses([](auto& v) { v.segment.cols = 4; }, "embed: segment is 2 x 4, expected 2 x 3");
  forward.accepts([](auto& v) { v.segment = {}, v.segments = {}; });
  forward.refuses([](auto& v) { v.segments = {}; }, "embed: segments has 0 numbers, expected 5");

  const door back{embed_backward<double, double>{ids, ids, ids, shape(5, 3), shape(7, 3),
                                                 shape(9, 3), shape(2, 3)}};
  back.refuses([&](auto& v) { v.ids = few; }, "embed_backward: ids has 4 numbers, expected 5");
  back.refuses([&](auto& v) { v.positions = few; },
               "embed_backward: positions has 4 numbers, expected 5");
  back.refuses([&](auto& v) { v.segments = few; },
               "embed_backward: segments has 4 numbers, expected 5");
  back.refuses([](auto& v) { v.dword.cols = 4; }, "embed_backward: dword is 7 x 4, expected 7 x 3");
  back.refuses([](auto& v) { v.dposition.cols = 4; },
               "embed_backward: dposition is 9 x 4, expected 9 x 3");
  back.refuses([](auto& v) { v.dsegment.cols = 4; },
               "embed_backward: dsegment is 2 x 4, expected 2 x 3");
  back.accepts([](auto& v) { v.dsegment = {}, v.segments = {}; });
  back.refuses([](auto& v) { v.segments = {}; },
               "embed_backward: segments has 0 numbers, expected 5");
}

TEST_CASE("front door: products") {
  const door plain{linear<double>{shape(5, 3), shape(4, 3), shape(4), shape(5, 4)}};
  plain.accepts([](auto& v) { v.bias = {}; });
  plain.refuses([](auto& v) { v.weight.rows = 9; }, "linear: weight is 9 x 3, expected 4 x 3");
  plain.refuses([](auto& v) { v.x.cols = 2; }, "linear: weight is 4 x 3, expected 4 x 2");
  plain.refuses([](auto& v) { v.bias.rows = 5; }, "linear: bias has 5 numbers, expected 4");
  plain.refuses([](auto& v) { v.y.rows = 6; }, "linear: y is 6 x 4, expected 5 x 4");

  const door gelu{
      linear_gelu<double>{shape(5, 3), shape(4, 3), shape(4), shape(5, 4), shape(5, 4)}};
  gelu.accepts([](auto& v) { v.pre = {}; });
  gelu.refuses([](auto& v) { v.weight.cols = 2; }, "linear_gelu: weight is 4 x 2, expected 4 x 3");
  gelu.refuses([](auto& v) { v.bias = {}; }, "linear_gelu: bias has 0 numbers, expected 4");
  gelu.refuses([](auto& v) { v.y.rows = 6; }, "linear_gelu: y is 6 x 4, expected 5 x 4");
  gelu.refuses([](auto& v) { v.pre.rows = 6; }, "linear_gelu: pre is 6 x 4, expected 5 x 4");
}

TEST_CASE("front door: gradients of products") {
  const door input{
      linear_input_gradient<double>{shape(5, 4), shape(4, 3), shape(5, 3), shape(5, 3), false}};
  input.accepts([](auto& v) { v.pre = {}, v.add = true; });
  input.refuses([](auto& v) { v.weight.rows = 9; },
                "linear_input_gradient: weight is 9 x 3, expected 4 x 3");
  input.refuses([](auto& v) { v.dx.rows = 6; },
                "linear_input_gradient: dx is 6 x 3, expected 5 x 3");
  input.refuses([](auto& v) { v.pre.cols = 2; },
                "linear_input_gradient: pre is 5 x 2, expected 5 x 3");
  input.refuses<input_error>([](auto& v) { v.add = true; },
                             "linear_input_gradient: add goes without pre");

  const door weight{
      linear_weight_gradient<double, double>{shape(5, 4), shape(5, 3), shape(4, 3), shape(4)}};
  weight.accepts([](auto& v) { v.dbias = {}; });
  weight.refuses([](auto& v) { v.x.rows = 6; },
                 "linear_weight_gradient: x is 6 x 3, expected 5 x 3");
  weight.refuses([](auto& v) { v.dweight.cols = 5; },
                 "linear_weight_gradient: dweight is 4 x 5, expected 4 x 3");
  weight.refuses([](auto& v) { v.dbias.rows = 3; },
                 "linear_weight_gradient: dbias has 3 numbers, expected 4");

  const door gelu{gelu_backward<double>{shape(5, 4), shape(5, 4), shape(5, 4)}};
  gelu.refuses([](auto& v) { v.dy.cols = 3; }, "gelu_backward: dy is 5 x 3, expected 5 x 4");
  gelu.refuses([](auto& v) { v.dpre.rows = 4; }, "gelu_backward: dpre is 4 x 4, expected 5 x 4");
}

TEST_CASE("front door: add_norm and dropout") {
  add_norm<double> v;
  v.x = v.residual = shape(5, 3);
  v.y = v.normalized = shape(5, 3);
  v.gate = shape(1);
  v.weight = v.bias = shape(3);
  v.inverse_deviation = shape(5);
  v.drop.rate = 0.1;
  v.places = places(5);
  const door norm{v};
  norm.accepts([](auto& w) {
    w.residual = w.gate = {};
    w.normalized = w.inverse_deviation = {};
    w.drop.rate = 0.0, w.places = {};
  });
  norm.refuses([](auto& w) { w.y.rows = 6; }, "add_norm: y is 6 x 3, expected 5 x 3");
  norm.refuses([](auto& w) { w.residual.rows = 6; }, "add_norm: residual is 6 x 3, expected 5 x 3");
  norm.refuses([](auto& w) { w.gate.rows = 2; }, "add_norm: gate has 2 numbers, expected 1");
  norm.refuses([](auto& w) { w.weight.rows = 2; }, "add_norm: weight has 2 numbers, expected 3");
  norm.refuses([](auto& w) { w.bias = {}; }, "add_norm: bias has 0 numbers, expected 3");
  norm.refuses([](auto& w) { w.normalized.cols = 2; },
               "add_norm: normalized is 5 x 2, expected 5 x 3");
  norm.refuses([](auto& w) { w.inverse_deviation.rows = 4; },
               "add_norm: inverse_deviation has 4 numbers, expected 5");
  norm.refuses([](auto& w) { w.places.example = {}; },
               "add_norm: places.example has 0 numbers, expected 5");

  const door drop{dropout<double>{shape(5, 3), {{}, 0.5}, places(5), shape(5, 3)}};
  drop.refuses([](auto& w) { w.y.cols = 2; }, "dropout: y is 5 x 2, expected 5 x 3");
  drop.refuses([](auto& w) { w.places.token.rows = 4; },
               "dropout: places.token has 4 numbers, expected 5");
  drop.refuses<input_error>([](auto& w) { w.drop.rate = 1.0; },
                            "dropout: dropout rate 1.000000, expected one in [0, 1)");
  drop.refuses<input_error>([](auto& w) { w.drop.rate = -0.5; },
                            "dropout: dropout rate -0.500000, expected one in [0, 1)");
  drop.refuses<input_error>([](auto& w) { w.drop.rate = std::numeric_limits<double>::quiet_NaN(); },
                            "dropout: dropout rate nan, expected one in [0, 1)");
}

TEST_CASE("front door: add_norm_backward and norm_weight_gradient") {
  add_norm_backward<double> v;
  v.dy = v.normalized = shape(5, 3);
  v.inverse_deviation = shape(5);
  v.weight = shape(3);
  v.gate = shape(1);
  v.drop.rate = 0.1;
  v.places = places(5);
  v.dsum = v.dx = shape(5, 3);
  const door back{v};
  back.accepts([](auto& w) { w.gate = {}, w.dx = {}, w.drop.rate = 0.0, w.places = {}; });
  back.refuses([](auto& w) { w.normalized.rows = 6; },
               "add_norm_backward: normalized is 6 x 3, expected 5 x 3");
  back.refuses([](auto& w) { w.inverse_deviation = {}; },
               "add_norm_backward: inverse_deviation has 0 numbers, expected 5");
  back.refuses([](auto& w) { w.weight.rows = 5; },
               "add_norm_backward: weight has 5 numbers, expected 3");
  back.refuses([](auto& w) { w.gate.rows = 3; },
               "add_norm_backward: gate has 3 numbers, expected 1");
  back.refuses([](auto& w) { w.dsum = {}; }, "add_norm_backward: dsum is 0 x 0, expected 5 x 3");
  back.refuses([](auto& w) { w.dx.cols = 2; }, "add_norm_backward: dx is 5 x 2, expected 5 x 3");
  back.refuses([](auto& w) { w.places.token = {}; },
               "add_norm_backward: places.token has 0 numbers, expected 5");
  back.refuses<input_error>([](auto& w) { w.drop.rate = 2.0; },
                            "add_norm_backward: dropout rate 2.000000, expected one in [0, 1)");

  const door weight{
      norm_weight_gradient<double, double>{shape(5, 3), shape(5, 3), shape(3), shape(3)}};
  weight.refuses([](auto& w) { w.normalized.cols = 2; },
                 "norm_weight_gradient: normalized is 5 x 2, expected 5 x 3");
  weight.refuses([](auto& w) { w.dweight.rows = 2; },
                 "norm_weight_gradient: dweight has 2 numbers, expected 3");
  weight.refuses([](auto& w) { w.dbias = {}; },
                 "norm_weight_gradient: dbias has 0 numbers, expected 3");
}

TEST_CASE("front door: attention") {
  const packed_sequences two{shape<std::int32_t>(3), shape<std::uint32_t>(2), 4, 17};
  attention<double> v;
  v.qkv = shape(5, 18);
  v.heads = 3;
  v.sequences = two;
  v.factors = shape(2, 3);
  v.drop.rate = 0.1;
  v.context = v.ungated = shape(5, 6);
  v.log_sum = shape(5, 3);
  const door forward{v};
  forward.accepts([](auto& w) { w.factors.rows = 1, w.ungated = {}, w.log_sum = {}; });
  forward.accepts([](auto& w) { w.factors = {}, w.drop.rate = 0.0, w.sequences.example = {}; });
  forward.refuses([](auto& w) { w.heads = 0; }, "attention: context of 6 columns for 0 heads");
  forward.refuses([](auto& w) { w.heads = 4; }, "attention: context of 6 columns for 4 heads");
  forward.refuses([](auto& w) { w.qkv.cols = 12; }, "attention: qkv is 5 x 12, expected 5 x 18");
  forward.refuses([](auto& w) { w.factors = shape(4, 3); },
                  "attention: factors is 4 x 3, expected 2 x 3");
  forward.refuses([](auto& w) { w.factors = shape(1, 2); },
                  "attention: factors is 1 x 2, expected 1 x 3");
  forward.refuses([](auto& w) { w.ungated.rows = 4; },
                  "attention: ungated is 4 x 6, expected 5 x 6");
  forward.refuses([](auto& w) { w.log_sum.cols = 6; },
                  "attention: log_sum is 5 x 6, expected 5 x 3");
  forward.refuses([](auto& w) { w.sequences.offsets = {}, w.factors = {}; },
                  "attention: no sequence in the batch");
  forward.refuses([](auto& w) { w.sequences.example.rows = 1; },
                  "attention: sequences.example has 1 numbers, expected 2");
  forward.refuses<input_error>([](auto& w) { w.drop.rate = 1.5; },
                               "attention: dropout rate 1.500000, expected one in [0, 1)");

  attention_statistics<double> s{shape(5, 18), 3, two, shape(3), {}};
  const door statistics{s};
  statistics.refuses([](auto& w) { w.heads = 0; },
                     "attention_statistics: qkv of 18 columns for 0 heads");
  statistics.refuses([](auto& w) { w.heads = 4; },
                     "attention_statistics: qkv of 18 columns for 4 heads");
  statistics.refuses([](auto& w) { w.entropy.rows = 2; },
                     "attention_statistics: entropy has 2 numbers, expected 3");
  statistics.accepts([](auto& w) { w.probabilities = shape(3 * 17, 1); });
  statistics.refuses([](auto& w) { w.probabilities = shape(50, 1); },
                     "attention_statistics: probabilities has 50 numbers, expected 51");
  statistics.refuses([](auto& w) { w.sequences.offsets = {}; },
                     "attention_statistics: no sequence in the batch");
}

TEST_CASE("front door: attention_backward and head_dots") {
  attention_backward<double> v;
  v.qkv = shape(5, 18);
  v.heads = 3;
  v.sequences = {shape<std::int32_t>(3), shape<std::uint32_t>(2), 4};
  v.factors = shape(2, 3);
  v.drop.rate = 0.1;
  v.context = v.dcontext = shape(5, 6);
  v.log_sum = shape(5, 3);
  v.dqkv = shape(5, 18);
  const door back{v};
  back.refuses([](auto& w) { w.heads = 0; },
               "attention_backward: dcontext of 6 columns for 0 heads");
  back.refuses([](auto& w) { w.heads = 4; },
               "attention_backward: dcontext of 6 columns for 4 heads");
  back.refuses([](auto& w) { w.qkv.rows = 4; },
               "attention_backward: qkv is 4 x 18, expected 5 x 18");
  back.refuses([](auto& w) { w.dqkv.cols = 6; },
               "attention_backward: dqkv is 5 x 6, expected 5 x 18");
  back.refuses([](auto& w) { w.context.cols = 3; },
               "attention_backward: context is 5 x 3, expected 5 x 6");
  back.refuses([](auto& w) { w.log_sum = {}; },
               "attention_backward: log_sum is 0 x 0, expected 5 x 3");
  back.refuses([](auto& w) { w.factors.rows = 5; },
               "attention_backward: factors is 5 x 3, expected 2 x 3");
  back.refuses([](auto& w) { w.sequences.offsets = {}, w.factors = {}; },
               "attention_backward: no sequence in the batch");
  back.refuses([](auto& w) { w.sequences.example = {}; },
               "attention_backward: sequences.example has 0 numbers, expected 2");
  back.refuses<input_error>([](auto& w) { w.drop.rate = -1.0; },
                            "attention_backward: dropout rate -1.000000, expected one in [0, 1)");

  const door dots{head_dots<double>{shape(5, 6), shape(5, 6), shape(5, 3)}};
  dots.refuses([](auto& w) { w.b.cols = 5; }, "head_dots: b is 5 x 5, expected 5 x 6");
  dots.refuses([](auto& w) { w.dots.rows = 4; }, "head_dots: dots is 4 x 3, expected 5 x 3");
  dots.refuses([](auto& w) { w.dots.cols = 4; }, "head_dots: 6 columns for 4 heads");
  dots.refuses([](auto& w) { w.dots.cols = 0; }, "head_dots: 6 columns for 0 heads");
}

TEST_CASE("front door: scale_columns and neuron_dots") {
  const door scale{scale_columns<double>{shape(5, 6), shape(1, 6), shape(5, 6)}};
  scale.refuses([](auto& w) { w.factors.cols = 5; },
                "scale_columns: factors is 1 x 5, expected 1 x 6");
  scale.refuses([](auto& w) { w.y.rows = 4; }, "scale_columns: y is 4 x 6, expected 5 x 6");

  const door dots{neuron_dots<double>{
      shape(5, 6), shape(5, 6), {shape<std::int32_t>(3), {}, 3}, shape(2, 6), shape(2, 6)}};
  dots.refuses([](auto& w) { w.dy.cols = 5; }, "neuron_dots: dy is 5 x 5, expected 5 x 6");
  dots.refuses([](auto& w) { w.sums.rows = 3; }, "neuron_dots: sums is 3 x 6, expected 2 x 6");
  dots.refuses([](auto& w) { w.absolutes.cols = 1; },
               "neuron_dots: absolutes is 2 x 1, expected 2 x 6");
  dots.refuses([](auto& w) { w.sequences.offsets = {}; }, "neuron_dots: no sequence in the batch");
}

TEST_CASE("front door: rows, tanh and relu") {
  const door gather{gather_rows<double>{shape(9, 3), shape<std::int32_t>(4), shape(4, 3)}};
  gather.refuses([](auto& v) { v.rows.rows = 5; }, "gather_rows: rows has 5 numbers, expected 4");
  gather.refuses([](auto& v) { v.y.cols = 2; }, "gather_rows: y is 4 x 2, expected 4 x 3");

  const door scatter{scatter_rows<double>{shape(4, 3), shape<std::int32_t>(4), shape(9, 3)}};
  scatter.refuses([](auto& v) { v.rows.rows = 5; }, "scatter_rows: rows has 5 numbers, expected 4");
  scatter.refuses([](auto& v) { v.dx.cols = 2; }, "scatter_rows: dx is 9 x 2, expected 9 x 3");

  const door tanh{tanh_of<double>{shape(4, 3), shape(4, 3)}};
  tanh.refuses([](auto& v) { v.y.rows = 3; }, "tanh_of: y is 3 x 3, expected 4 x 3");

  const door back{tanh_backward<double>{shape(4, 3), shape(4, 3), shape(4, 3)}};
  back.refuses([](auto& v) { v.dy.rows = 3; }, "tanh_backward: dy is 3 x 3, expected 4 x 3");
  back.refuses([](auto& v) { v.dx.cols = 2; }, "tanh_backward: dx is 4 x 2, expected 4 x 3");

  const door relu{relu_of<double>{shape(4, 3), shape(4, 3)}};
  relu.refuses([](auto& v) { v.y.rows = 3; }, "relu_of: y is 3 x 3, expected 4 x 3");
  const door relu_back{relu_backward<double>{shape(4, 3), shape(4, 3), shape(4, 3)}};
  relu_back.refuses([](auto& v) { v.dy.rows = 3; }, "relu_backward: dy is 3 x 3, expected 4 x 3");
  relu_back.refuses([](auto& v) { v.dx.cols = 2; }, "relu_backward: dx is 4 x 2, expected 4 x 3");
}

TEST_CASE("front door: losses") {
  const door entropy{
      cross_entropy<double>{shape(5, 3), shape<std::int32_t>(5), 1.0, shape(5), shape(5, 3)}};
  entropy.accepts([](auto& v) { v.gradient = {}; });
  entropy.refuses([](auto& v) { v.labels.rows = 4; },
                  "cross_entropy: labels has 4 numbers, expected 5");
  entropy.refuses([](auto& v) { v.losses.rows = 1; },
                  "cross_entropy: losses has 1 numbers, expected 5");
  entropy.refuses([](auto& v) { v.gradient.cols = 2; },
                  "cross_entropy: gradient is 5 x 2, expected 5 x 3");

  const door squared{squared_error<double>{shape(5), shape(5), 1.0, shape(5), shape(5)}};
  squared.accepts([](auto& v) { v.gradient = {}; });
  squared.refuses([](auto& v) { v.predictions.cols = 2; },
                  "squared_error: predictions is 5 x 2, expected 5 x 1");
  squared.refuses([](auto& v) { v.targets.rows = 4; },
                  "squared_error: targets has 4 numbers, expected 5");
  squared.refuses([](auto& v) { v.losses = {}; },
                  "squared_error: losses has 0 numbers, expected 5");
  squared.refuses([](auto& v) { v.gradient.rows = 4; },
                  "squared_error: gradient is 4 x 1, expected 5 x 1");
}

TEST_CASE("front door: optimiser") {
  const auto flag = shape<std::int32_t>(1);
  const door sum{sum_of_squares<double>{shape(7), shape(1)}};
  sum.refuses([](auto& v) { v.total.rows = 2; }, "sum_of_squares: total has 2 numbers, expected 1");

  const door clip{clip_factor{shape(1), 1.0, shape(1), shape(1), flag}};
  clip.refuses([](auto& v) { v.squares = {}; }, "clip_factor: squares has 0 numbers, expected 1");
  clip.refuses([](auto& v) { v.norm = {}; }, "clip_factor: norm has 0 numbers, expected 1");
  clip.refuses([](auto& v) { v.factor = {}; }, "clip_factor: factor has 0 numbers, expected 1");
  clip.refuses([](auto& v) { v.failed.rows = 2; }, "clip_factor: failed has 2 numbers, expected 1");

  const door step{adamw<double>{shape(7), shape(7), shape(7), shape(7), shape(1), flag}};
  step.refuses([](auto& v) { v.g.rows = 6; }, "adamw: g has 6 numbers, expected 7");
  step.refuses([](auto& v) { v.m.rows = 6; }, "adamw: m has 6 numbers, expected 7");
  step.refuses([](auto& v) { v.v.rows = 6; }, "adamw: v has 6 numbers, expected 7");
  step.refuses([](auto& v) { v.factor = {}; }, "adamw: factor has 0 numbers, expected 1");
  step.refuses([](auto& v) { v.failed = {}; }, "adamw: failed has 0 numbers, expected 1");
  step.refuses<input_error>([](auto& v) { v.step = 0; },
                            "adamw: step 0, expected the first to be 1");

  const door mask{apply_mask<double, double>{shape(65), shape<std::uint64_t>(2), shape(65)}};
  mask.refuses([](auto& v) { v.effective.rows = 64; },
               "apply_mask: effective has 64 numbers, expected 65");
  mask.refuses([](auto& v) { v.bits.rows = 1; }, "apply_mask: bits has 1 numbers, expected 2");
}
