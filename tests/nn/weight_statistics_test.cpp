// Statistics of weights against finite differences of the loss and against activations added up by
// hand; entropy of attention against its definition.

#include "tombola/nn/weight_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "tests/nn/tiny_model.hpp"
#include "tests/support/finite_difference.hpp"

#include "tombola/eigen/backend.hpp"
#include "tombola/nn/attention_entropy.hpp"
#include "tombola/nn/gate_estimates.hpp"
#include "tombola/prune/activation_criteria.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

using exact = reference_backend<double>;
constexpr auto classification = nn::head_kind::classification;

struct sequence {
  std::vector<std::int32_t> ids, segments;
  std::int32_t label;
};
const std::vector<sequence> data{{{2, 7, 7, 3}, {0, 0, 1, 1}, 2},
                                 {{9}, {0}, 0},
                                 {{4, 10, 0}, {1, 0, 1}, 1},
                                 {{1, 5}, {0, 1}, 0},
                                 {{8, 6, 2, 3, 7}, {0, 0, 0, 1, 1}, 2}};
constexpr nn::batch_limits limits{15, 5, 0};

packed_batch batch_of(std::size_t first, std::size_t count) {
  packed_batch b;
  for (std::size_t i = first; i < std::min(data.size(), first + count); ++i) {
    b.add(data[i].ids, data[i].segments, static_cast<std::uint32_t>(i));
    b.labels.push_back(data[i].label);
  }
  return b;
}

template <class B>
nn::weight_statistics collect(B& b, nn::bert<B>& model, std::size_t batch) {
  nn::weight_statistics s{
      model, nn::weight_groups(model.config(), nn::prunable::weights), {true, true, true}};
  nn::workspace<B> w{b, model.config(), limits, nn::keep::gradients};
  for (std::size_t i = 0; i < data.size(); i += batch) (void)s.add(model, w, batch_of(i, batch));
  return s;
}

/// Gradient of the sum of the batch's losses at one group, masks and all.
std::vector<double> gradient_by_differences(exact& b,
                                            nn::bert<exact>& model,
                                            const packed_batch& batch,
                                            const group& g) {
  nn::workspace<exact> w{b, model.config(), limits, nn::keep::nothing};
  auto& p = model.parameters();
  const std::size_t i = p.layout().index_of(g.name);
  const auto values = values_of(b, p.stored(i));
  const auto loss = [&](const std::vector<double>& x) {
    b.write(std::span<const double>{x}, p.stored(i));
    p.refresh();
    w.batch.write(batch, model.config());
    model.forward(w);
    double sum = 0.0;
    for (const double one : values_of(b, model.loss(w, 1.0))) sum += one;
    return sum;
  };
  auto found = finite_difference(loss, values, 2e-4);
  b.write(std::span<const double>{values}, p.stored(i));
  p.refresh();
  return found;
}

void check_close(std::span<const double> found, const std::vector<double>& expected, double most) {
  REQUIRE(found.size() == expected.size());
  double worst = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    worst = std::max(worst, std::abs(found[i] - expected[i]));
  }
  CHECK(worst <= most);
}

/// Half of the weights of some groups, and head 1 of layer 0.
ticket some_ticket(const nn::bert_config& c) {
  std::vector<group> groups = nn::weight_groups(c, nn::prunable::weights);
  for (const group& g : nn::gate_groups(c)) groups.push_back(g);
  ticket t{groups};
  for (std::size_t g = 0; g + 2 < groups.size(); g += 2) {
    for (std::size_t u = g; u < t[g].size(); u += 2) t.set(g, u, false);
  }
  t.set(*t.find("heads"), 1, false);
  return t;
}

}  // namespace

TEST_CASE("sums of gradients and of squares against finite differences, one example at a time") {
  for (const bool masked : {false, true}) {
    exact b;
    nn::bert<exact> model{b, tiny_config(classification)};
    randomise(model, 5);
    const ticket t = some_ticket(model.config());
    if (masked) model.apply(t, nn::weight_form::study);
    const auto s = collect(b, model, 1);
    CHECK(s.examples() == 5);
    CHECK(s.batches() == 5);
    CHECK(s.tokens() == 15);
    double seen = 0.0;
    for (std::size_t g = 0; g < s.groups().size(); ++g) {
      INFO(s.groups()[g].name);
      std::vector<double> sum(s.groups()[g].size()), squares(sum.size());
      for (std::size_t x = 0; x < data.size(); ++x) {
        const auto one = gradient_by_differences(b, model, batch_of(x, 1), s.groups()[g]);
        for (std::size_t i = 0; i < one.size(); ++i) {
          sum[i] += one[i];
          squares[i] += one[i] * one[i];
          seen = std::max(seen, std::abs(one[i]));
        }
      }
      check_close(s.gradient(g), sum, 1e-8);
      check_close(s.squares(g), squares, 1e-8);
      for (std::size_t i = 0; i < sum.size() && masked; ++i) {
        if (!t[g][i]) CHECK(s.squares(g)[i] == 0.0);
      }
    }
    CHECK(seen > 0.1);
    const auto left = values_of(b, model.parameters().gradient());
    CHECK(std::all_of(left.begin(), left.end(), [](double g) { return g == 0.0; }));
  }
}

TEST_CASE("with several examples to a batch, squares are those of the batches' sums") {
  exact b;
  nn::bert<exact> model{b, tiny_config(classification)};
  randomise(model, 5);
  const auto s = collect(b, model, 2);
  CHECK(s.batches() == 3);
  const std::size_t g = s.index_of("encoder.layer.1.output.dense.weight");
  std::vector<double> squares(s.groups()[g].size());
  for (const std::size_t first : {0UL, 2UL, 4UL}) {
    const auto of_batch = gradient_by_differences(b, model, batch_of(first, 2), s.groups()[g]);
    for (std::size_t i = 0; i < squares.size(); ++i) squares[i] += of_batch[i] * of_batch[i];
  }
  check_close(s.squares(g), squares, 1e-8);
}

TEST_CASE("sums of gradients and input norms do not depend on the batches, squares do") {
  exact b;
  nn::bert<exact> model{b, tiny_config(classification)};
  randomise(model, 6);
  const auto single = collect(b, model, 1), all = collect(b, model, 5),
             three = collect(b, model, 3);
  double apart = 0.0;
  for (std::size_t g = 0; g < single.groups().size(); ++g) {
    const auto by_one = single.gradient(g);
    check_close(all.gradient(g), {by_one.begin(), by_one.end()}, 1e-12);
    check_close(three.gradient(g), {by_one.begin(), by_one.end()}, 1e-12);
    for (std::size_t i = 0; i < by_one.size(); ++i) {
      // All in one batch: the square of the sum.
      CHECK(all.squares(g)[i] == Approx(by_one[i] * by_one[i]).epsilon(1e-9).margin(1e-12));
      apart = std::max(apart, std::abs(all.squares(g)[i] - single.squares(g)[i]));
    }
    const auto one = single.input_norms(g), many = all.input_norms(g);
    REQUIRE(one.size() == single.groups()[g].extents[1]);
    for (std::size_t c = 0; c < one.size(); ++c) CHECK(one[c] == Approx(many[c]).epsilon(1e-6));
  }
  CHECK(apart > 0.1);
}

TEST_CASE("input norms are those of what each matrix is multiplied by") {
  for (const bool masked : {false, true}) {
    exact b;
    nn::bert<exact> model{b, tiny_config(classification)};
    randomise(model, 7);
    if (masked) model.apply(some_ticket(model.config()), nn::weight_form::stored_zeros);
    const auto s = collect(b, model, 2);
    const std::size_t C = 6, F = 7;
    nn::workspace<exact> w{b, model.config(), limits, nn::keep::gradients};
    // From the layer norms' and GELU's own outputs, batch by batch.
    for (std::size_t l = 0; l < 2; ++l) {
      column_norms input{C}, context{C}, middle{C}, up{F};
      for (std::size_t i = 0; i < data.size(); i += 2) {
        w.batch.write(batch_of(i, 2), model.config());
        model.forward(w);
        const std::size_t T = w.batch.tokens();
        auto& a = w.encoder;
        const auto floats = [&](view<double> v) {
          const auto x = values_of(b, v);
          return std::vector<float>(x.begin(), x.end());
        };
        input.add(floats(l == 0 ? a.embedded.rows(T) : a.layers[0].output.rows(T)));
        context.add(floats(a.layers[l].context.rows(T)));
        middle.add(floats(a.layers[l].after_attention.rows(T)));
        up.add(floats(a.layers[l].up.rows(T)));
      }
      const std::string layer = "encoder.layer." + std::to_string(l) + ".";
      const auto check = [&](const char* name, const column_norms& expected) {
        INFO(layer + name);
        const auto found = s.input_norms(s.index_of(layer + name + ".weight"));
        const auto values = expected.values();
        REQUIRE(found.size() == values.size());
        for (std::size_t c = 0; c < found.size(); ++c) {
          CHECK(found[c] == Approx(values[c]).epsilon(1e-6).margin(1e-12));
        }
      };
      check("attention.self.query", input);
      check("attention.self.key", input);
      check("attention.self.value", input);
      check("attention.output.dense", context);
      check("intermediate.dense", middle);
      check("output.dense", up);
      // What a gate of 0 stops has norm 0.
      const auto heads = s.input_norms(s.index_of(layer + "attention.output.dense.weight"));
      CHECK((heads[2] == 0.0F) == (masked && l == 0));
      CHECK((heads[3] == 0.0F) == (masked && l == 0));
      CHECK(heads[4] > 0.0F);
    }
  }
}

TEST_CASE("statistics of the Eigen backend: as the reference's, the same bits on any threads") {
  const auto on = [](int threads) {
    eigen::backend<float> b{threads};
    nn::bert<eigen::backend<float>> model{b, tiny_config(classification)};
    randomise(model, 5);
    return collect(b, model, 2);
  };
  exact b;
  nn::bert<exact> model{b, tiny_config(classification)};
  randomise(model, 5);
  const auto expected = collect(b, model, 2);
  const auto one = on(1), three = on(3);
  for (std::size_t g = 0; g < one.groups().size(); ++g) {
    INFO(one.groups()[g].name);
    CHECK(std::ranges::equal(one.gradient(g), three.gradient(g)));
    CHECK(std::ranges::equal(one.squares(g), three.squares(g)));
    CHECK(one.input_norms(g) == three.input_norms(g));
    check_close(one.gradient(g), {expected.gradient(g).begin(), expected.gradient(g).end()}, 1e-4);
    check_close(one.squares(g), {expected.squares(g).begin(), expected.squares(g).end()}, 1e-3);
  }
}

TEST_CASE("statistics hold what was asked for, and the pass gives the logits") {
  exact b;
  nn::bert<exact> model{b, tiny_config(classification)};
  randomise(model, 5);
  const std::vector<group> groups = nn::weight_groups(model.config(), nn::prunable::weights);
  nn::workspace<exact> w{b, model.config(), limits, nn::keep::gradients};
  nn::weight_statistics norms{model, groups, {.input_norms = true}};
  packed_batch unlabelled = batch_of(0, 5);
  unlabelled.labels.clear();  // a forward pass needs none
  const auto logits = values_of(b, norms.add(model, w, unlabelled));
  CHECK(norms.gradient(0).empty());
  CHECK(norms.squares(0).empty());
  CHECK(norms.input_norms(0).size() == 6);
  nn::weight_statistics squares{model, groups, {.squares = true}};
  CHECK(values_of(b, squares.add(model, w, batch_of(0, 5))) == logits);
  CHECK(squares.gradient(0).empty());
  CHECK(squares.input_norms(0).empty());
  CHECK(squares.squares(0).size() == 36);
  CHECK_THROWS_AS(squares.add(model, w, unlabelled), shape_error);
  CHECK(squares.examples() == 5);
  // Gradients that somebody left there do not count.
  w.batch.write(batch_of(0, 5), model.config());
  mean_loss(model, w, {});
  model.backward(w, nn::gradients_of::weights);
  nn::weight_statistics again{model, groups, {.squares = true}};
  (void)again.add(model, w, batch_of(0, 5));
  for (std::size_t g = 0; g < groups.size(); ++g) {
    CHECK(std::ranges::equal(again.squares(g), squares.squares(g)));
  }
}

TEST_CASE("statistics of what cannot be told are refused") {
  exact b;
  nn::bert<exact> model{b, tiny_config(classification)};
  const auto all = nn::weight_groups(model.config(), nn::prunable::all);
  CHECK_THROWS_WITH((nn::weight_statistics{model, all, {.input_norms = true}}),
                    "weight statistics: encoder.layer.0.attention.self.query.bias (6) has no input "
                    "norms, expected a matrix of a layer");
  CHECK_NOTHROW(nn::weight_statistics{model, all, {.gradients = true}});
  CHECK_THROWS_AS((nn::weight_statistics{model, {{"nothing", {3}}}, {}}), input_error);
  CHECK_THROWS_AS((nn::weight_statistics{model, {{"pooler.dense.weight", {6, 5}}}, {}}),
                  shape_error);
  CHECK_THROWS_AS(
      (nn::weight_statistics{model, {{"pooler.dense.weight", {6, 6}}}, {.input_norms = true}}),
      input_error);
  nn::weight_statistics s{model, {all[0]}, {.input_norms = true}};
  for (const auto kept : {nn::keep::nothing, nn::keep::importance}) {
    nn::workspace<exact> w{b, model.config(), limits, kept};
    CHECK_THROWS_WITH(s.add(model, w, batch_of(0, 1)),
                      Catch::Contains("expected one made with keep::gradients"));
  }
  CHECK_THROWS_WITH(s.index_of("heads"), "weight statistics: has no group heads");
}

TEST_CASE("statistics of a compact model, whose layers differ") {
  exact b;
  nn::bert_config c = tiny_config(classification);
  c.shapes = {{2, 0, true, true}, {0, 3, true, true}};
  nn::bert<exact> model{b, c};
  randomise(model, 8);
  const auto s = collect(b, model, 2);
  REQUIRE(s.groups().size() == 6);
  CHECK(s.input_norms(s.index_of("encoder.layer.0.attention.output.dense.weight")).size() == 4);
  CHECK(s.input_norms(s.index_of("encoder.layer.1.output.dense.weight")).size() == 3);
  for (std::size_t g = 0; g < s.groups().size(); ++g) {
    const auto squares = s.squares(g);
    CHECK(std::any_of(squares.begin(), squares.end(), [](double x) { return x > 0.0; }));
  }
}

TEST_CASE("effective weights are those that products see") {
  exact b;
  nn::bert<exact> model{b, tiny_config(classification)};
  randomise(model, 5);
  const group g = nn::weight_groups(model.config(), nn::prunable::weights)[0];
  const auto full = nn::effective_weights(model, g);
  model.apply(some_ticket(model.config()), nn::weight_form::study);
  const auto masked = nn::effective_weights(model, g);
  REQUIRE(full.size() == 36);
  for (std::size_t i = 0; i < full.size(); ++i) CHECK(masked[i] == (i % 2 == 0 ? 0.0F : full[i]));
}

TEST_CASE("entropy of attention: by its definition, from the same pass, whatever the batches") {
  exact b;
  nn::bert<exact> model{b, tiny_config(classification)};
  randomise(model, 9);
  nn::workspace<exact> w{b, model.config(), limits, nn::keep::gradients};
  nn::attention_entropy<exact> one{model}, many{model};
  nn::weight_statistics s{model, {}, {}};
  CHECK(one.mean() == std::vector<double>(6));
  (void)s.add(model, w, batch_of(0, 5));
  one.add(w, batch_of(0, 5));
  CHECK(one.tokens() == 15);
  std::vector<double> sums(6);
  double most = 0.0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const packed_batch alone = batch_of(i, 1);
    w.batch.write(alone, model.config());
    model.forward(w);
    many.add(w, alone);
    const std::size_t n = data[i].ids.size();
    most += static_cast<double>(n) * std::log(static_cast<double>(n));
    for (std::size_t l = 0; l < 2; ++l) {
      auto memory = b.allocate<double>(3 * n * n);
      const view<double> p{memory.data(), 3 * n * n, 1};
      model.layers().statistics(l, w.batch, w.encoder, {}, p);
      const auto values = values_of(b, p);
      for (std::size_t k = 0; k < values.size(); ++k) {
        if (values[k] > 0.0) sums[l * 3 + k / (n * n)] -= values[k] * std::log(values[k]);
      }
    }
  }
  const auto found = one.mean(), in_parts = many.mean(), focus = one.focus();
  for (std::size_t h = 0; h < 6; ++h) {
    CHECK(found[h] == Approx(sums[h] / 15.0).epsilon(1e-12));
    CHECK(in_parts[h] == Approx(found[h]).epsilon(1e-12));
    CHECK(found[h] > 0.0);
    CHECK(focus[h] == Approx((most - sums[h]) / 15.0).epsilon(1e-10));
    CHECK(focus[h] > 0.0);
  }
}

TEST_CASE("attention that is uniform has no focus, and a pass that keeps nothing no entropy") {
  exact b;
  nn::bert<exact> model{b, tiny_config(classification)};  // all weights 0: every score is equal
  nn::workspace<exact> w{b, model.config(), limits, nn::keep::importance};
  nn::attention_entropy<exact> e{model};
  nn::importance gates{2, 3};
  (void)nn::add_importance(model, w, batch_of(0, 5), gates);
  e.add(w, batch_of(0, 5));
  for (const double f : e.focus()) {
    CHECK(f >= 0.0);
    CHECK(f < 1e-12);
  }
  CHECK_THROWS_AS(e.add(w, batch_of(0, 4)), shape_error);
  nn::workspace<exact> less{b, model.config(), limits, nn::keep::nothing};
  CHECK_THROWS_AS(e.add(less, batch_of(0, 5)), input_error);
}
