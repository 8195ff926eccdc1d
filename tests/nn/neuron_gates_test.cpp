#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "tests/nn/tiny_model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/finite_difference.hpp"

#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/gate_estimates.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

using backend_type = reference_backend<double>;
using model_type = nn::bert<backend_type>;
using space = nn::workspace<backend_type>;

constexpr auto head = nn::head_kind::classification;
const nn::dropout_plan dropping{true, 77, 3};

// A factor for each neuron: 0 and 1 among them.
std::vector<double> factors_of(const nn::bert_config& c) {
  std::vector<double> f(c.layers * c.intermediate);
  for (std::size_t i = 0; i < f.size(); ++i) f[i] = 0.25 * static_cast<double>((i * 7) % 6);
  return f;
}

void check_near(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  double largest = 0.0, worst = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    worst = std::max(worst, std::abs(found[i] - expected[i]));
  }
  CHECK(worst <= 1e-9 * std::max(1.0, largest));
}

// The sums over sequences of what each neuron's gate gets.
std::vector<double> neuron_gradient(backend_type& b, space& w, const nn::bert_config& c) {
  std::vector<double> found;
  for (std::size_t l = 0; l < c.layers; ++l) {
    const auto sums = values_of(b, w.encoder.neuron_sums[l].rows(w.batch.sequences()));
    std::vector<double> layer(c.intermediate);
    for (std::size_t i = 0; i < sums.size(); ++i) layer[i % c.intermediate] += sums[i];
    found.insert(found.end(), layer.begin(), layer.end());
  }
  return found;
}

}  // namespace

TEST_CASE("gates of neurons: their gradient, at any values, dropout on and off") {
  for (const nn::dropout_plan& drop : {dropping, nn::dropout_plan{}}) {
    backend_type b;
    model_type model{b, tiny_config(head)};
    randomise(model, 6);
    std::vector<double> gates = factors_of(model.config());
    model.gates().set_neurons(gates);
    space w{b, model.config(), tiny_limits, nn::keep::neuron_importance};
    w.batch.write(tiny_batch(head), model.config());
    mean_loss(model, w, drop);
    model.backward(w, nn::gradients_of::gates, drop);
    const auto loss = [&](const std::vector<double>& x) {
      model.gates().set_neurons(x);
      return mean_loss(model, w, drop);
    };
    check_near(neuron_gradient(b, w, model.config()), finite_difference(loss, gates, 2e-4));
  }
}

TEST_CASE("gates of neurons: gradients of weights under them") {
  backend_type b;
  model_type model{b, tiny_config(head)};
  randomise(model, 5);
  model.gates().set_neurons(factors_of(model.config()));
  space w{b, model.config(), tiny_limits, nn::keep::gradients};
  w.batch.write(tiny_batch(head), model.config());
  mean_loss(model, w, dropping);
  model.backward(w, nn::gradients_of::weights, dropping);
  auto& p = model.parameters();
  for (std::size_t i = 0; i < p.layout().slots().size(); ++i) {
    INFO(p.layout()[i].name);
    const auto found = values_of(b, p.gradient(i));
    const auto values = values_of(b, p.stored(i));
    const auto loss = [&](const std::vector<double>& x) {
      b.write(std::span<const double>{x}, p.stored(i));
      return mean_loss(model, w, dropping);
    };
    check_near(found, finite_difference(loss, values, 2e-4));
    b.write(std::span<const double>{values}, p.stored(i));
  }
}

TEST_CASE("a ticket over neurons gives the model whose neurons' weights are 0") {
  backend_type b;
  model_type gated{b, tiny_config(head)}, zeroed{b, tiny_config(head)};
  randomise(gated, 5);
  randomise(zeroed, 5);
  const nn::bert_config& c = gated.config();
  const std::size_t F = c.intermediate, C = c.hidden;
  ticket t{std::vector{nn::neuron_group(c)}};
  mask kept = mask::all_kept(c.layers * F);
  for (std::size_t i = 0; i < kept.size(); i += 3) kept.set(i, false);
  t = ticket{std::vector{nn::neuron_group(c)}, std::vector{kept}};
  gated.apply(t, nn::weight_form::stored_zeros);
  for (std::size_t l = 0; l < c.layers; ++l) {
    const nn::layer_slots& s = zeroed.slots().layers[l];
    auto& p = zeroed.parameters();
    auto up = values_of(b, p.stored(s.up_weight)), bias = values_of(b, p.stored(s.up_bias)),
         down = values_of(b, p.stored(s.down_weight));
    for (std::size_t j = 0; j < F; ++j) {
      if (kept[l * F + j]) continue;
      bias[j] = 0.0;
      for (std::size_t k = 0; k < C; ++k) up[j * C + k] = down[k * F + j] = 0.0;
    }
    b.write(std::span<const double>{up}, p.stored(s.up_weight));
    b.write(std::span<const double>{bias}, p.stored(s.up_bias));
    b.write(std::span<const double>{down}, p.stored(s.down_weight));
  }
  const auto logits = [&](model_type& m, nn::keep what) {
    space w{b, c, tiny_limits, what};
    w.batch.write(tiny_batch(head), c);
    return values_of(b, m.forward(w));
  };
  const auto expected = logits(zeroed, nn::keep::nothing);
  check_near(logits(gated, nn::keep::nothing), expected);
  // The same bits whatever is kept.
  CHECK(logits(gated, nn::keep::gradients) == logits(gated, nn::keep::nothing));
  CHECK(logits(gated, nn::keep::neuron_importance) == logits(gated, nn::keep::nothing));
  gated.gates().clear();
  CHECK(logits(gated, nn::keep::nothing) != expected);

  // Heads and neurons in one ticket; a later one without neurons keeps them all.
  ticket both{{{"heads", {c.layers, c.heads}}, nn::neuron_group(c)},
              {mask::all_kept(c.layers * c.heads), kept}};
  gated.apply(both, nn::weight_form::stored_zeros);
  check_near(logits(gated, nn::keep::nothing), expected);
  gated.apply(ticket{nn::gate_groups(c)}, nn::weight_form::stored_zeros);
  CHECK(gated.gates().neurons(0).empty());
  CHECK_THROWS_AS(gated.apply(ticket{{{"neurons", {c.layers, F + 1}}}}, nn::weight_form::study),
                  shape_error);
  CHECK_THROWS_AS(gated.gates().set_neurons(std::vector<double>(3)), shape_error);
}

TEST_CASE("estimates of neurons come out of the pass that gives the others") {
  backend_type b;
  model_type model{b, tiny_config(head)};
  randomise(model, 6);
  const nn::bert_config& c = model.config();
  const packed_batch batch = tiny_batch(head);
  space with{b, c, tiny_limits, nn::keep::neuron_importance};
  space without{b, c, tiny_limits, nn::keep::importance};
  nn::importance all{c.layers, c.heads, c.intermediate}, some{c.layers, c.heads};
  for (int i = 0; i < 2; ++i) {
    nn::add_importance(model, with, batch, all);
    nn::add_importance(model, without, batch, some);
  }
  CHECK(some.neurons.per_example.empty());
  check_near(all.heads.per_example, some.heads.per_example);
  check_near(all.mlps.squared, some.mlps.squared);
  // One sequence after another, by hand.
  const std::size_t n = c.layers * c.intermediate, B = batch.sequences();
  std::vector<double> magnitude(n), square(n), mean(n), token(n);
  with.batch.write(batch, c);
  model.forward(with);
  model.loss(with, 1.0);
  model.backward(with, nn::gradients_of::gates);
  for (std::size_t l = 0; l < c.layers; ++l) {
    const auto sums = values_of(b, with.encoder.neuron_sums[l].rows(B));
    const auto absolutes = values_of(b, with.encoder.neuron_absolutes[l].rows(B));
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::size_t j = l * c.intermediate + i % c.intermediate;
      magnitude[j] += 2.0 * std::abs(sums[i]);
      square[j] += 2.0 * sums[i] * sums[i];
      mean[j] += sums[i] / static_cast<double>(B);
      token[j] += 2.0 * absolutes[i];
      CHECK(absolutes[i] >= std::abs(sums[i]) * (1.0 - 1e-12));
    }
  }
  check_near(all.neurons.per_example, magnitude);
  check_near(all.neurons.squared, square);
  check_near(all.neurons.signed_mean, mean);
  check_near(all.neurons.per_token, token);
  std::vector<double> per_batch(n), cumulative(n);
  for (std::size_t j = 0; j < n; ++j) {
    per_batch[j] = 2.0 * std::abs(mean[j]);
    cumulative[j] = 3.0 * std::abs(mean[j]);
  }
  check_near(all.neurons.per_batch, per_batch);
  check_near(all.neurons.cumulative, cumulative);
}
