// Every gradient of a whole model against finite differences of its own loss, dropout included: its
// bits are a function of where a number stands, so that the shifted model drops the same ones.

#include <algorithm>
#include <cmath>

#include "tests/nn/tiny_model.hpp"
#include "tests/support/finite_difference.hpp"

#include "tombola/nn/gate_estimates.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

using backend_type = reference_backend<double>;
using model_type = nn::bert<backend_type>;
using space = nn::workspace<backend_type>;

const nn::dropout_plan dropping{true, 77, 3};
const std::vector<double> head_gates{0.7, 0.0, 1.3, 1.0, -0.6, 0.4}, mlp_gates{0.8, -0.5};

void check_close(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  double largest = 0.0, worst = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    worst = std::max(worst, std::abs(found[i] - expected[i]));
  }
  CHECK(worst <= 1e-9 * std::max(1.0, largest));
}

/// All gradients of one kind of head at gates that are neither 0 nor 1; `with` drops or does not.
void check_weights(nn::head_kind head,
                   const nn::dropout_plan& with,
                   const nn::architecture& family = nn::bert_architecture) {
  backend_type b;
  model_type model{b, tiny_config(head, family)};
  randomise(model, 5);
  model.gates().set(head_gates, mlp_gates);
  space w{b, model.config(), tiny_limits, nn::keep::gradients};
  w.batch.write(tiny_batch(head), model.config());
  auto& p = model.parameters();
  mean_loss(model, w, with);
  model.backward(w, nn::gradients_of::weights, with);
  for (std::size_t i = 0; i < p.layout().slots().size(); ++i) {
    INFO(p.layout()[i].name);
    const auto found = values_of(b, p.gradient(i));
    const auto values = values_of(b, p.stored(i));
    const auto loss = [&](const std::vector<double>& x) {
      b.write(std::span<const double>{x}, p.stored(i));
      return mean_loss(model, w, with);
    };
    check_close(found, finite_difference(loss, values, 2e-4));
    b.write(std::span<const double>{values}, p.stored(i));
  }
}

void check_gates(nn::head_kind head,
                 const nn::dropout_plan& with,
                 const nn::architecture& family = nn::bert_architecture) {
  backend_type b;
  model_type model{b, tiny_config(head, family)};
  randomise(model, 6);
  model.gates().set(head_gates, mlp_gates);
  space w{b, model.config(), tiny_limits, nn::keep::importance};
  w.batch.write(tiny_batch(head), model.config());
  mean_loss(model, w, with);
  model.backward(w, nn::gradients_of::gates, with);
  const std::size_t H = model.config().heads, L = model.config().layers;
  std::vector<double> found(L * H + L);
  for (std::size_t l = 0; l < L; ++l) {
    const auto heads = values_of(b, w.encoder.head_dots[l].rows(w.batch.tokens()));
    const auto mlps = values_of(b, w.encoder.mlp_dots[l].rows(w.batch.tokens()));
    for (std::size_t t = 0; t < w.batch.tokens(); ++t) {
      for (std::size_t h = 0; h < H; ++h) found[l * H + h] += heads[t * H + h];
      found[L * H + l] += mlps[t];
    }
  }
  std::vector<double> gates = head_gates;
  gates.insert(gates.end(), mlp_gates.begin(), mlp_gates.end());
  const auto loss = [&](const std::vector<double>& x) {
    model.gates().set(std::span{x}.first(L * H), std::span{x}.last(L));
    return mean_loss(model, w, with);
  };
  check_close(found, finite_difference(loss, gates, 2e-4));
  // No weight gradient was formed on the way.
  const auto gradient = values_of(b, model.parameters().gradient());
  CHECK(std::all_of(gradient.begin(), gradient.end(), [](double g) { return g == 0.0; }));
}

}  // namespace

TEST_CASE("gradients of classification, dropout on") {
  check_weights(nn::head_kind::classification, dropping);
  check_gates(nn::head_kind::classification, dropping);
}

TEST_CASE("gradients of regression, dropout on") {
  check_weights(nn::head_kind::regression, dropping);
  check_gates(nn::head_kind::regression, dropping);
}

TEST_CASE("gradients of the masked language model, dropout on") {
  check_weights(nn::head_kind::masked_lm, dropping);
  check_gates(nn::head_kind::masked_lm, dropping);
}

TEST_CASE("a batch without a token to predict has no loss and no gradient") {
  backend_type b;
  model_type model{b, tiny_config(nn::head_kind::masked_lm)};
  randomise(model, 5);
  packed_batch none = tiny_batch(nn::head_kind::masked_lm);
  none.masked_rows.clear(), none.masked_ids.clear();
  space w{b, model.config(), nn::limits_of(std::vector{none}), nn::keep::gradients};
  w.batch.write(none, model.config());
  CHECK(model.forward(w).size() == 0);
  CHECK(model.loss(w, 1.0).size() == 0);
  model.backward(w, nn::gradients_of::weights);
  const auto gradient = values_of(b, model.parameters().gradient());
  CHECK(std::all_of(gradient.begin(), gradient.end(), [](double g) { return g == 0.0; }));
}

TEST_CASE("gradients of other architectures, dropout on") {
  for (const nn::architecture* family : nn::architectures) {
    INFO(family->model_type);
    check_weights(nn::head_kind::classification, dropping, *family);
    check_gates(nn::head_kind::classification, dropping, *family);
    check_weights(nn::head_kind::masked_lm, dropping, *family);
  }
}

TEST_CASE("gradients without dropout") {
  check_weights(nn::head_kind::classification, {});
  check_gates(nn::head_kind::classification, {});
}

TEST_CASE("dropout changes with seed, epoch and place of the example, and with nothing else") {
  backend_type b;
  model_type model{b, tiny_config(nn::head_kind::classification)};
  randomise(model, 5);
  space w{b, model.config(), tiny_limits, nn::keep::gradients};
  const auto loss = [&](const nn::dropout_plan& plan, std::uint32_t place) {
    w.batch.write(tiny_batch(nn::head_kind::classification, place), model.config());
    return mean_loss(model, w, plan);
  };
  const double middle = loss({true, 77, 3}, 5);
  CHECK(loss({true, 77, 3}, 5) == middle);
  CHECK(loss({true, 78, 3}, 5) != middle);
  CHECK(loss({true, 77, 4}, 5) != middle);
  CHECK(loss({true, 77, 3}, 6) != middle);
  CHECK(loss({false, 77, 3}, 5) != middle);
  CHECK(loss({false, 77, 3}, 6) == loss({}, 5));

  // Each kind of dropout by itself follows the place.
  for (double nn::bert_config::*rate :
       {&nn::bert_config::hidden_dropout, &nn::bert_config::attention_dropout,
        &nn::bert_config::classifier_dropout}) {
    nn::bert_config c = tiny_config(nn::head_kind::classification);
    c.hidden_dropout = c.attention_dropout = c.classifier_dropout = 0.0;
    c.*rate = 0.4;
    model_type one{b, c};
    randomise(one, 5);
    const auto at = [&](std::uint32_t place, const nn::dropout_plan& plan) {
      w.batch.write(tiny_batch(nn::head_kind::classification, place), c);
      return mean_loss(one, w, plan);
    };
    CHECK(at(5, dropping) != at(60, dropping));
    CHECK(at(5, dropping) != at(5, {}));
  }

  // Alone in a batch, an example drops what it drops among others.
  w.batch.write(tiny_batch(nn::head_kind::classification), model.config());
  model.forward(w, dropping);
  const auto together = values_of(b, model.loss(w, 1.0));
  packed_batch alone;
  alone.add(std::vector<std::int32_t>{4, 10, 0}, std::vector<std::int32_t>{1, 0, 1}, 7);
  alone.labels = {1};
  w.batch.write(alone, model.config());
  model.forward(w, dropping);
  CHECK(values_of(b, model.loss(w, 1.0)).at(0) == Approx(together.at(2)).epsilon(1e-14));
}

TEST_CASE("a pass gives the same logits whatever it keeps") {
  for (const auto head : {nn::head_kind::classification, nn::head_kind::masked_lm}) {
    backend_type b;
    model_type model{b, tiny_config(head)};
    randomise(model, 5);
    model.gates().set(head_gates, mlp_gates);
    const auto logits = [&](nn::keep what, const nn::dropout_plan& drop = {}) {
      space w{b, model.config(), tiny_limits, what};
      w.batch.write(tiny_batch(head), model.config());
      return values_of(b, model.forward(w, drop));
    };
    const auto kept = logits(nn::keep::gradients);
    CHECK(kept.size() == (head == nn::head_kind::masked_lm ? 4U * 11U : 3U * 3U));
    CHECK(logits(nn::keep::nothing) == kept);
    CHECK(logits(nn::keep::importance) == kept);
    const auto dropped = logits(nn::keep::gradients, dropping);
    CHECK(dropped != kept);
    CHECK(logits(nn::keep::nothing, dropping) == dropped);
  }
}

TEST_CASE("estimates of two small batches, by hand") {
  const std::vector<double> dots{1, -2, 3, 4, -5, 6};  // 3 tokens, 2 gates
  nn::gate_estimates e{3};
  nn::add_batch<double>(e, 1, 2, dots, std::vector<std::int32_t>{0, 1, 3}, 0);
  CHECK(e.per_token == std::vector<double>{0, 1 + 3 + 5, 2 + 4 + 6});
  CHECK(e.per_example == std::vector<double>{0, 1 + 2, 2 + 10});
  CHECK(e.squared == std::vector<double>{0, 1 + 4, 4 + 100});
  CHECK(e.signed_mean == std::vector<double>{0, (1 - 2) / 2.0, (-2 + 10) / 2.0});
  CHECK(e.per_batch == std::vector<double>{0, 0.5, 4});
  CHECK(e.cumulative == std::vector<double>{0, 0.5, 4});
  nn::add_batch<double>(e, 1, 2, std::vector<double>{7, -6}, std::vector<std::int32_t>{0, 1}, 2);
  CHECK(e.signed_mean[1] == Approx((1 - 2 + 7) / 3.0));
  CHECK(e.per_batch == std::vector<double>{0, 7.5, 10});
  CHECK(e.running == std::vector<double>{0, 6.5, -2});
  CHECK(e.cumulative == std::vector<double>{0, 7, 6});
}
