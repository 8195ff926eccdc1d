// Training steps under tickets, the optimizer's promises, and what a batch is refused for.

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "tests/io/scratch.hpp"
#include "tests/nn/tiny_model.hpp"

#include "tombola/nn/initialise.hpp"
#include "tombola/nn/optimizer.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

using backend_type = reference_backend<double>;
using model_type = nn::bert<backend_type>;
using space = nn::workspace<backend_type>;

constexpr auto classification = nn::head_kind::classification;

/// A model with a batch in its workspace, ready to be trained with dropout.
struct trainee {
  backend_type b;
  model_type model{b, tiny_config(classification)};
  space w{b, model.config(), tiny_limits, nn::keep::gradients};
  nn::optimizer<backend_type> o;

  explicit trainee(const nn::adamw_settings& s = {.rate = 0.05})
      : o{b, (randomise(model, 9), model.parameters()), s} {
    w.batch.write(tiny_batch(classification), model.config());
  }

  void gradients(std::uint32_t step) {
    const nn::dropout_plan drop{true, 4, step};
    mean_loss(model, w, drop);
    model.backward(w, nn::gradients_of::weights, drop);
  }
  void step(std::uint32_t number) {
    gradients(number);
    o.step(1.0);
  }

  std::vector<double> stored(const std::string& name) {
    auto& p = model.parameters();
    return values_of(b, p.stored(p.layout().index_of(name)));
  }
  std::vector<double> effective(const std::string& name) {
    auto& p = model.parameters();
    return values_of(b, p.effective(p.layout().index_of(name)));
  }
  std::vector<double> all() { return values_of(b, model.parameters().stored()); }
};

/// About half of the weights of every group, by a fixed draw.
ticket half_of_weights() {
  ticket t{nn::weight_groups(tiny_config(classification), nn::prunable::study)};
  for (std::size_t g = 0; g < t.groups().size(); ++g) {
    const random_stream r{1, purpose::control, static_cast<std::uint32_t>(g)};
    for (std::size_t u = 0; u < t[g].size(); ++u) t.set(g, u, r.uniform(u) < 0.5);
  }
  return t;
}

/// Layer 0 keeps head 2 and loses its MLP, layer 1 loses head 1.
ticket some_units() {
  ticket t{nn::gate_groups(tiny_config(classification))};
  t.set(0, 0, false);
  t.set(0, 1, false);
  t.set(0, 4, false);
  t.set(1, 0, false);
  return t;
}

/// Calls f(row, column) for the rows of a head in query, key and value, say.
template <class F>
void for_head(std::size_t head, F f) {
  const nn::bert_config c = tiny_config(classification);
  for (std::size_t i = head * c.head_size(); i < (head + 1) * c.head_size(); ++i) {
    for (std::size_t j = 0; j < c.hidden; ++j) f(i, j);
  }
}

void check_effective_zeros(trainee& t, const ticket& kept) {
  for (std::size_t g = 0; g < kept.groups().size(); ++g) {
    INFO(kept.groups()[g].name);
    const auto found = t.effective(kept.groups()[g].name);
    const auto stored = t.stored(kept.groups()[g].name);
    std::size_t not_zero = 0, not_stored = 0;
    for (std::size_t u = 0; u < found.size(); ++u) {
      if (!kept[g][u] && found[u] != 0.0) ++not_zero;
      if (kept[g][u] && found[u] != stored[u]) ++not_stored;
    }
    CHECK(not_zero == 0);
    CHECK(not_stored == 0);
  }
}

template <class Error, class F>
std::string refusal(F f) {
  return sentence<Error>(f);
}

}  // namespace

TEST_CASE("under a weight ticket the effective weights are exactly 0 at every step") {
  const ticket kept = half_of_weights();
  for (const auto form : {nn::weight_form::stored_zeros, nn::weight_form::study}) {
    trainee t;
    std::vector<std::vector<double>> before;
    for (const group& g : kept.groups()) before.push_back(t.stored(g.name));
    t.model.apply(kept, form);
    check_effective_zeros(t, kept);
    for (std::uint32_t step = 0; step < 4; ++step) {
      t.step(step);
      check_effective_zeros(t, kept);
    }
    for (std::size_t g = 0; g < kept.groups().size(); ++g) {
      INFO(kept.groups()[g].name);
      const auto now = t.stored(kept.groups()[g].name);
      std::size_t moved = 0;
      for (std::size_t u = 0; u < now.size(); ++u) {
        if (kept[g][u]) {
          if (now[u] != before[g][u]) ++moved;
        } else if (form == nn::weight_form::study) {
          CHECK(now[u] == before[g][u]);  // masked, and otherwise left alone
        } else {
          CHECK(now[u] == 0.0);
        }
      }
      if (!kept.groups()[g].name.ends_with("key.bias")) CHECK(moved > kept[g].count() / 2);
    }
  }
}

TEST_CASE("both forms of a weight ticket train the same effective weights") {
  const ticket kept = half_of_weights();
  trainee zeros, study;
  zeros.model.apply(kept, nn::weight_form::stored_zeros);
  study.model.apply(kept, nn::weight_form::study);
  for (std::uint32_t step = 0; step < 3; ++step) {
    zeros.step(step);
    study.step(step);
    CHECK(zeros.o.norm() == study.o.norm());
  }
  for (const group& g : kept.groups()) CHECK(zeros.effective(g.name) == study.effective(g.name));
}

TEST_CASE("pruned heads and MLPs do not move") {
  trainee t;
  const nn::bert_config& c = t.model.config();
  t.model.apply(some_units(), nn::weight_form::stored_zeros);
  std::map<std::string, std::vector<double>> before;
  for (const nn::slot& s : t.model.parameters().layout().slots()) before[s.name] = t.stored(s.name);
  for (std::uint32_t step = 0; step < 4; ++step) t.step(step);

  const auto same = [&](const std::string& name, std::size_t i) {
    INFO(name << " " << i);
    CHECK(t.stored(name)[i] == before.at(name)[i]);
  };
  const auto moved = [&](const std::string& name) { return t.stored(name) != before.at(name); };
  const ticket units = some_units();
  for (std::size_t l = 0; l < c.layers; ++l) {
    const std::string layer = "encoder.layer." + std::to_string(l) + ".";
    for (std::size_t h = 0; h < c.heads; ++h) {
      if (units[0][l * c.heads + h]) continue;
      for_head(h, [&](std::size_t i, std::size_t j) {
        for (const char* part : {"query", "key", "value"}) {
          same(layer + "attention.self." + part + ".weight", i * c.hidden + j);
          same(layer + "attention.self." + part + ".bias", i);
        }
        same(layer + "attention.output.dense.weight", j * c.hidden + i);
      });
    }
    const std::array<std::string, 4> mlp{"intermediate.dense.weight", "intermediate.dense.bias",
                                         "output.dense.weight", "output.dense.bias"};
    for (const std::string& part : mlp) {
      INFO(layer << part);
      CHECK(moved(layer + part) == units[1][l]);
    }
    for (const char* part : {"self.query.weight", "self.value.weight", "output.dense.weight"}) {
      CHECK(moved(layer + "attention." + part));
    }
    CHECK(moved(layer + "attention.output.dense.bias"));
  }
}

TEST_CASE("a ticket that does not fit changes nothing") {
  trainee t;
  const auto logits = [&] { return values_of(t.b, t.model.forward(t.w)); };
  const auto whole = logits();
  const std::string query = "encoder.layer.0.attention.self.query.weight";
  const auto apply = [&](std::vector<group> groups) {
    std::vector<mask> none;
    for (const group& g : groups) none.emplace_back(g.size());
    return [&t, groups, none] { t.model.apply({groups, none}, nn::weight_form::stored_zeros); };
  };
  CHECK(refusal<shape_error>(apply({{query, {6, 6}}, {"heads", {2, 4}}})) ==
        "ticket: group heads (2 x 4), the model has heads (2 x 3)");
  CHECK(refusal<shape_error>(apply({{"mlps", {3}}})) ==
        "ticket: group mlps (3), the model has mlps (2)");
  // As many units in another order are others.
  CHECK(refusal<shape_error>(apply({{"heads", {3, 2}}})) ==
        "ticket: group heads (3 x 2), the model has heads (2 x 3)");
  CHECK(refusal<shape_error>(apply({{query, {4, 9}}})) ==
        "ticket: group " + query + " (4 x 9), the model has " + query + " (6 x 6)");
  CHECK(refusal<shape_error>(apply({{"heads", {2, 3}}, {query, {6, 5}}})) ==
        "ticket: group " + query + " (6 x 5), the model has " + query + " (6 x 6)");
  CHECK(refusal<input_error>(apply({{query, {6, 6}}, {"no.such.weight", {2}}})) ==
        "model: has no parameter no.such.weight");
  CHECK(refusal<shape_error>([&] {
          t.model.gates().set(std::vector<double>(5, 0.0), std::vector<double>(2, 0.0));
        }) == "gates: 5 heads and 2 MLPs, the model has 6 and 2");
  CHECK(logits() == whole);
  apply({{"mlps", {2}}})();
  CHECK(logits() != whole);
  t.model.apply({}, nn::weight_form::stored_zeros);  // the next ticket takes the place of the last
  CHECK(logits() == whole);
}

TEST_CASE("a gradient that is not finite stops the optimizer for good") {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), HUGE_VAL}) {
    trainee t{{.rate = 0.05, .decay = 0.1}};
    t.step(0);
    REQUIRE_FALSE(t.o.has_failed());
    const auto weights = t.all(), first = values_of(t.b, t.o.first());
    t.gradients(1);
    t.b.write(std::vector<double>{bad}, t.model.parameters().gradient().rows_from(17, 1));
    t.o.step(1.0);
    CHECK(t.o.has_failed());
    CHECK_FALSE(std::isfinite(t.o.norm()));
    t.step(2);  // a sound gradient does not make up for it
    CHECK(t.o.has_failed());
    CHECK(std::isfinite(t.o.norm()));
    CHECK(t.all() == weights);
    CHECK(values_of(t.b, t.o.first()) == first);
  }
}

TEST_CASE("a step uses the gradients up, and what waits adds") {
  trainee t;
  t.gradients(0);
  const auto once = values_of(t.b, t.model.parameters().gradient());
  t.gradients(0);
  const auto twice = values_of(t.b, t.model.parameters().gradient());
  double worst = 0.0;
  for (std::size_t i = 0; i < once.size(); ++i) {
    worst = std::max(worst, std::abs(twice[i] - 2.0 * once[i]));
  }
  CHECK(worst <= 1e-12);
  t.o.step(1.0);
  for (const double g : values_of(t.b, t.model.parameters().gradient())) REQUIRE(g == 0.0);
  CHECK(t.o.steps() == 1);
}

TEST_CASE("decay spares biases and layer norms, and nothing else") {
  trainee t{{.rate = 0.5, .decay = 0.1}};
  std::map<std::string, std::vector<double>> before;
  for (const nn::slot& s : t.model.parameters().layout().slots()) before[s.name] = t.stored(s.name);
  t.o.step(1.0);  // with gradients of 0: decay alone
  for (const auto& [name, was] : before) {
    INFO(name);
    const bool spared = name.ends_with("bias") || name.find("LayerNorm") != std::string::npos;
    const auto now = t.stored(name);
    double worst = 0.0;
    for (std::size_t i = 0; i < now.size(); ++i) {
      worst = std::max(worst, std::abs(now[i] - was[i] * (spared ? 1.0 : 0.95)));
    }
    CHECK(worst <= 1e-15);
  }
}

TEST_CASE("linear_schedule: up from 0, then down to 0") {
  CHECK(nn::linear_schedule(0, 4, 10) == 0.0);
  CHECK(nn::linear_schedule(3, 4, 10) == 0.75);
  CHECK(nn::linear_schedule(4, 4, 10) == 1.0);
  CHECK(nn::linear_schedule(7, 4, 10) == 0.5);
  CHECK(nn::linear_schedule(10, 4, 10) == 0.0);
  CHECK(nn::linear_schedule(11, 4, 10) == 0.0);
  CHECK(nn::linear_schedule(0, 0, 4) == 1.0);
  CHECK(nn::linear_schedule(0, 0, 0) == 0.0);
  CHECK(nn::linear_schedule(5, 5, 5) == 0.0);
}

TEST_CASE("fresh weights are a function of seed and parameter") {
  trainee t;
  auto& p = t.model.parameters();
  nn::initialise(t.b, p, 3);
  const auto first = t.all();
  nn::initialise(t.b, p, 3);
  CHECK(t.all() == first);
  const std::size_t query = p.layout().index_of("encoder.layer.1.attention.self.query.weight");
  randomise(t.model, 2);
  nn::initialise(t.b, p, query, 3);
  CHECK(t.stored(p.layout()[query].name) ==
        std::vector<double>(
            first.begin() + static_cast<std::ptrdiff_t>(p.layout()[query].offset),
            first.begin() + static_cast<std::ptrdiff_t>(p.layout()[query].offset + 36)));
  nn::initialise(t.b, p, 4);
  CHECK(t.all() != first);
  CHECK(t.stored("embeddings.LayerNorm.weight") == std::vector<double>(6, 1.0));
  CHECK(t.stored("encoder.layer.0.output.dense.bias") == std::vector<double>(6, 0.0));
  double squares = 0.0;
  std::set<double> different;
  for (const char* name : {"embeddings.word_embeddings.weight", "pooler.dense.weight",
                           "encoder.layer.0.intermediate.dense.weight"}) {
    for (const double x : t.stored(name)) {
      squares += x * x;
      different.insert(x);
    }
  }
  CHECK(different.size() == 66 + 36 + 42);
  CHECK(std::sqrt(squares / 144.0) == Approx(0.02).epsilon(0.2));
}

TEST_CASE("a batch that the model or the plan cannot take is refused, with a sentence") {
  backend_type b;
  const nn::bert_config c = tiny_config(classification);
  nn::device_batch<backend_type> d{b, tiny_limits};
  const packed_batch good = tiny_batch(classification);
  const auto changed = [&](auto change) {
    packed_batch h = good;
    change(h);
    return [&d, &c, h] { d.write(h, c); };
  };
  using batch = packed_batch;
  const auto input = [&](auto change) { return refusal<input_error>(changed(change)); };
  const auto shape = [&](auto change) { return refusal<shape_error>(changed(change)); };

  CHECK(input([](batch& h) { h.ids[2] = 11; }) == "batch holds token id 11, the model has 0 to 10");
  CHECK(input([](batch& h) { h.ids[2] = -1; }) == "batch holds token id -1, the model has 0 to 10");
  CHECK(input([](batch& h) { h.segments[0] = 2; }) ==
        "batch holds segment 2, the model has 0 to 1");
  CHECK(input([](batch& h) { h.positions[3] = 6; }) ==
        "batch holds position 6, the model has 0 to 5");
  CHECK(input([](batch& h) { h.labels[1] = 3; }) == "batch holds label 3, the model has 0 to 2");
  CHECK(input([](batch& h) {
          h.masked_rows = {8};
          h.masked_ids = {1};
        }) == "batch holds masked row 8, the model has 0 to 7");
  CHECK(input([](batch& h) {
          h.masked_rows = {1};
          h.masked_ids = {11};
        }) == "batch holds masked id 11, the model has 0 to 10");
  CHECK(shape([](batch& h) { h.masked_rows = {1}; }) == "batch of 1 masked rows and 0 masked ids");
  CHECK(shape([](batch& h) {
          h.labels = {1, 1};
        }) == "batch of 3 sequences and 2 labels or targets");
  CHECK(shape([](batch& h) { h.targets = {1.0F}; }) ==
        "batch of 3 sequences and 1 labels or targets");
  CHECK(shape([](batch& h) { h.clear(); }) == "batch without a sequence");
  CHECK(shape([](batch& h) { h.offsets.clear(); }) == "batch without a sequence");
  CHECK(shape([](batch& h) { h.segments.pop_back(); }) ==
        "batch of 8 tokens and 7 segments or positions");
  CHECK(shape([](batch& h) { h.positions.push_back(0); }) ==
        "batch of 8 tokens and 9 segments or positions");
  CHECK(shape([](batch& h) { h.example.pop_back(); }) ==
        "batch of 3 sequences and 2 places in the epoch");
  const std::string fall = "batch of 8 tokens: its offsets do not rise from 0 to that";
  CHECK(shape([](batch& h) { h.offsets = {0, 9, 5, 8}; }) == fall);
  CHECK(shape([](batch& h) { h.offsets = {0, 4, 4, 8}; }) == fall);
  CHECK(shape([](batch& h) { h.offsets = {0, 4, 5, 900}; }) == fall);
  CHECK(shape([](batch& h) { h.offsets = {1, 4, 5, 8}; }) == fall);
  CHECK(shape([](batch& h) {
          h.add(std::vector<std::int32_t>{1}, std::vector<std::int32_t>{0}, 9);
        }) == "batch of 9 tokens, planned for 8");
  CHECK(shape([](batch& h) {
          h.masked_rows = {0, 1, 2, 3, 4};
          h.masked_ids = {0, 1, 2, 3, 4};
        }) == "batch of 5 masked tokens, planned for 4");
  nn::device_batch<backend_type> narrow{b, {8, 2, 4}};
  CHECK(refusal<shape_error>([&] { narrow.write(good, c); }) ==
        "batch of 3 sequences, planned for 2");
  d.write(good, c);  // and is as usable as before
  CHECK(values_of(b, d.ids()) == good.ids);
  CHECK(values_of(b, d.labels()) == good.labels);
}

TEST_CASE("a loss needs labels of the batch at hand, not of the one before") {
  trainee t;
  mean_loss(t.model, t.w, {});
  packed_batch h = tiny_batch(classification);
  h.labels.clear();
  t.w.batch.write(h, t.model.config());
  CHECK_NOTHROW(t.model.forward(t.w));
  CHECK(refusal<shape_error>([&] { t.model.loss(t.w, 1.0); }) ==
        "cross_entropy: labels has 0 numbers, expected 3");
}
