// Scores of weights by every criterion against formulas written out, tickets against taking one
// weight after the other, structures against gradients of gates and sums by hand.

#include "tombola/experiment/weight_scores.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "tests/experiment/digits.hpp"
#include "tests/nn/tiny_model.hpp"

#include "tombola/experiment/structure_scores.hpp"
#include "tombola/nn/gate_estimates.hpp"

using namespace tombola;
using namespace tombola::test;
using namespace tombola::experiment;

namespace {

using exact = reference_backend<double>;
using criterion = weight_criterion;
constexpr std::array every{criterion::magnitude, criterion::random, criterion::taylor,
                           criterion::fisher,    criterion::snip,   criterion::wanda};

data::encoded_set examples() {
  data::encoded_set set{6};
  set.add(digits{}, "77", 2);
  set.add(digits{}, "9", 0);
  set.add(digits{}, "40", "1", 1);
  set.add(digits{}, "158", 0);
  set.add(digits{}, "8", "6", 2);
  return set;
}

/// hidden 8, so that rows are multiples of 4; 12 neurons.
nn::bert_config config() {
  nn::bert_config c = tiny_config(nn::head_kind::classification);
  c.hidden = 8;
  c.heads = 2;
  c.intermediate = 12;
  return c;
}

struct fixture {
  exact b;
  nn::bert<exact> model{b, config()};
  data::encoded_set set = examples();
  std::vector<group> groups = nn::weight_groups(config(), nn::prunable::weights);
  fixture() { randomise(model, 5); }

  nn::weight_statistics collect(std::size_t batch, nn::prunable which = nn::prunable::weights) {
    const bool norms = which == nn::prunable::weights;
    return collect_statistics(model, set, nn::weight_groups(model.config(), which),
                              {true, true, norms}, batch);
  }
};

void check_proportional(const std::vector<scores>& a, const std::vector<scores>& b) {
  REQUIRE(a.size() == b.size());
  double factor = 0.0;
  for (std::size_t g = 0; g < a.size(); ++g) {
    for (std::size_t i = 0; i < a[g].size(); ++i) {
      if (factor == 0.0 && b[g][i] > 0.0F) {
        factor = static_cast<double>(a[g][i]) / static_cast<double>(b[g][i]);
      }
      REQUIRE(a[g][i] == Approx(factor * static_cast<double>(b[g][i])).epsilon(1e-4).margin(1e-7));
    }
  }
  CHECK(factor > 0.0);
}

/// Whether a ranks some pair otherwise than b.
bool ranks_otherwise(const std::vector<scores>& a, const std::vector<scores>& b) {
  for (std::size_t i = 1; i < a[0].size(); ++i) {
    if ((a[0][i] > a[0][0]) != (b[0][i] > b[0][0])) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("all criteria out of one pass, by their formulas") {
  fixture f;
  const auto s = f.collect(2);
  CHECK(s.batches() == 3);
  double all = 0.0;
  for (std::size_t g = 0; g < f.groups.size(); ++g) {
    const auto w = nn::effective_weights(f.model, f.groups[g]);
    for (std::size_t i = 0; i < w.size(); ++i) {
      all += std::abs(static_cast<double>(w[i]) * s.gradient(g)[i]);
    }
  }
  double of_snip = 0.0;
  for (const criterion c : every) {
    const auto found = scores_of_weights(f.model, s, c, 7);
    REQUIRE(found.size() == f.groups.size());
    for (std::size_t g = 0; g < found.size(); ++g) {
      INFO(to_string(c) << " of " << f.groups[g].name);
      REQUIRE(found[g].group() == f.groups[g]);
      const auto w = nn::effective_weights(f.model, f.groups[g]);
      const auto norms = s.input_norms(g);
      for (std::size_t i = 0; i < w.size(); ++i) {
        const double m = std::abs(static_cast<double>(w[i]));
        double expected = m;
        if (c == criterion::snip) expected = m * std::abs(s.gradient(g)[i]) / all;
        if (c == criterion::taylor || c == criterion::fisher) {
          expected = m * std::sqrt(s.squares(g)[i]);
        }
        if (c == criterion::wanda) {
          expected = m * static_cast<double>(norms[i % f.groups[g].extents[1]]);
        }
        if (c == criterion::random) {
          expected = random_criterion{7}(f.groups[g], static_cast<std::uint32_t>(g))[i];
        }
        if (c == criterion::snip) of_snip += static_cast<double>(found[g][i]);
        REQUIRE(found[g][i] == Approx(expected).epsilon(1e-6));
      }
    }
  }
  CHECK(of_snip == Approx(1.0).epsilon(1e-5));
}

TEST_CASE("taylor lies between snip and fisher, as its batches do") {
  fixture f;
  const auto of = [&](criterion c, std::size_t batch) {
    return score_weights(f.model, f.set, f.groups, c, {.batch = batch});
  };
  const auto snip = of(criterion::snip, 2), fisher = of(criterion::fisher, 2);
  check_proportional(snip, of(criterion::snip, 5));
  check_proportional(fisher, of(criterion::fisher, 5));  // always one by one
  check_proportional(of(criterion::taylor, 5), snip);
  check_proportional(of(criterion::taylor, 1), fisher);
  CHECK(ranks_otherwise(of(criterion::taylor, 2), snip));
  CHECK(ranks_otherwise(of(criterion::taylor, 2), fisher));
  CHECK(ranks_otherwise(snip, fisher));
  CHECK(ranks_otherwise(of(criterion::wanda, 2), of(criterion::magnitude, 2)));
}

TEST_CASE("one score of a criterion is what its first use says, by finite differences") {
  // Taking a weight away by a small share changes the loss by that share of g w, which is snip's.
  fixture f;
  const auto s = f.collect(5);
  const auto snip = scores_of_weights(f.model, s, criterion::snip);
  const double all = experiment::detail::sum_of_sensitivities(f.model, s);
  nn::workspace<exact> w{f.b, f.model.config(), {30, 5, 0}, nn::keep::nothing};
  auto& p = f.model.parameters();
  for (const std::size_t g : {0UL, 3UL, 5UL, 10UL}) {
    const std::size_t place = p.layout().index_of(f.groups[g].name);
    const auto values = values_of(f.b, p.stored(place));
    for (const std::size_t i : {0UL, 17UL, 63UL}) {
      const auto loss = [&](double factor) {
        auto changed = values;
        changed[i] *= factor;
        f.b.write(std::span<const double>{changed}, p.stored(place));
        packed_batch host;
        data::fill_batch(f.set, data::file_order(5), 0, 5, host);
        w.batch.write(host, f.model.config());
        f.model.forward(w);
        double sum = 0.0;
        for (const double x : values_of(f.b, f.model.loss(w, 1.0))) sum += x;
        return sum;
      };
      const double slope = (loss(1.0 + 1e-4) - loss(1.0 - 1e-4)) / 2e-4;
      loss(1.0);
      CHECK(static_cast<double>(snip[g][i]) * all ==
            Approx(std::abs(slope)).epsilon(1e-4).margin(1e-7));
    }
  }
}

TEST_CASE("a one-shot ticket keeps the highest scores of its scope, for every criterion") {
  fixture f;
  for (const criterion c : every) {
    const auto s = score_weights(f.model, f.set, f.groups, c, {.batch = 2, .seed = 4});
    for (const auto within : {weight_scope::global, weight_scope::layer, weight_scope::row}) {
      INFO(to_string(c) << " within " << to_string(within));
      const ticket t = one_shot_ticket(f.model, f.set, c, within, 0.4, {.batch = 2, .seed = 4});
      // All places of a part, the lowest first, of equals the last: a plain sort of everything.
      std::vector<std::vector<std::tuple<float, std::size_t, std::size_t>>> parts;
      if (within == weight_scope::global) parts.emplace_back();
      for (std::size_t g = 0; g < s.size(); ++g) {
        if (within == weight_scope::layer) parts.emplace_back();
        for (std::size_t u = 0; u < s[g].size(); ++u) {
          if (within == weight_scope::row && u % f.groups[g].extents[1] == 0) parts.emplace_back();
          parts.back().emplace_back(s[g][u], g, u);
        }
      }
      ticket expected{f.groups};
      for (auto& part : parts) {
        std::sort(part.begin(), part.end(), [](const auto& a, const auto& b) {
          if (std::get<0>(a) != std::get<0>(b)) return std::get<0>(a) < std::get<0>(b);
          return std::tie(std::get<1>(a), std::get<2>(a)) >
                 std::tie(std::get<1>(b), std::get<2>(b));
        });
        const auto k =
            static_cast<std::size_t>(std::lround(0.4 * static_cast<double>(part.size())));
        for (std::size_t i = 0; i < k; ++i) {
          expected.set(std::get<1>(part[i]), std::get<2>(part[i]), false);
        }
      }
      CHECK(std::ranges::equal(t.masks(), expected.masks()));
      CHECK(t.origin.criterion == to_string(c));
      CHECK(t.origin.search ==
            std::string{"schedule one_shot, scope "} + to_string(within) + ", share 0.400000");
    }
    const ticket pattern =
        one_shot_ticket(f.model, f.set, c, n_of_m{1, 4}, {.batch = 2, .seed = 4});
    CHECK(pattern.origin.search == "pattern 1:4");
    for (std::size_t g = 0; g < s.size(); ++g) {
      REQUIRE(pattern[g].count() * 4 == pattern[g].size());
      for (std::size_t u = 0; u < s[g].size(); ++u) {
        for (std::size_t v = u / 4 * 4; v < u / 4 * 4 + 4 && pattern[g][u]; ++v) {
          REQUIRE(s[g][u] >= s[g][v]);
        }
      }
    }
  }
  CHECK_THROWS_WITH(one_shot_ticket(f.model, f.set, criterion::taylor, n_of_m{1, 5}),
                    Catch::Contains("encoder.layer.0.attention.self.query.weight (8 x 8)"));
  CHECK_THROWS_AS(one_shot_ticket(f.model, f.set, criterion::wanda, weight_scope::row, 1.5),
                  input_error);
}

TEST_CASE(
    "a one-shot ticket by magnitude is that of magnitude selection; random depends on its seed") {
  fixture f;
  const auto s = score_weights(f.model, f.set, f.groups, criterion::magnitude);
  std::vector<weight_span> spans;
  std::vector<std::vector<float>> values;
  for (const group& g : f.groups) values.push_back(nn::effective_weights(f.model, g));
  for (std::size_t g = 0; g < values.size(); ++g) spans.push_back({f.groups[g], values[g]});
  const ticket t = one_shot_ticket(f.model, f.set, criterion::magnitude, weight_scope::global, 0.3);
  const ticket expected = remove_by_magnitude(spans, share_of(0.3, t.size()));
  CHECK(std::ranges::equal(t.masks(), expected.masks()));
  const auto random = [&](std::uint64_t seed) {
    return one_shot_ticket(f.model, f.set, criterion::random, weight_scope::row, 0.5,
                           {.seed = seed});
  };
  CHECK(random(1) == random(1));
  CHECK_FALSE(random(1) == random(2));
}

TEST_CASE("under a ticket, scores are those of the masked model") {
  fixture f;
  const ticket half = one_shot_ticket(f.model, f.set, criterion::magnitude, weight_scope::row, 0.5);
  const auto whole = score_weights(f.model, f.set, f.groups, criterion::fisher);
  f.model.apply(half, nn::weight_form::study);
  for (const criterion c : every) {
    if (c == criterion::random) continue;
    INFO(to_string(c));
    const auto s = score_weights(f.model, f.set, f.groups, c);
    for (std::size_t g = 0; g < s.size(); ++g) {
      bool some = false;
      for (std::size_t u = 0; u < s[g].size(); ++u) {
        if (!half[g][u]) REQUIRE(s[g][u] == 0.0F);
        some = some || s[g][u] > 0.0F;
      }
      CHECK(some);
    }
    // What is gone goes first.
    const ticket again = one_shot_ticket(f.model, f.set, c, weight_scope::row, 0.5);
    CHECK(std::ranges::equal(again.masks(), half.masks()));
  }
  CHECK(ranks_otherwise(score_weights(f.model, f.set, f.groups, criterion::fisher), whole));
}

TEST_CASE("a criterion without what it needs is refused, and a stop ends the pass") {
  fixture f;
  const auto none = collect_statistics(f.model, f.set, f.groups, {}, 2);
  CHECK(none.batches() == 0);
  CHECK_NOTHROW(scores_of_weights(f.model, none, criterion::magnitude));
  CHECK_THROWS_WITH(scores_of_weights(f.model, none, criterion::snip),
                    "criterion snip: the statistics have no gradients");
  CHECK_THROWS_WITH(scores_of_weights(f.model, none, criterion::fisher),
                    "criterion fisher: the statistics have no squares of gradients");
  CHECK_THROWS_WITH(scores_of_weights(f.model, none, criterion::wanda),
                    "criterion wanda: the statistics have no norms of inputs");
  CHECK_THROWS_AS(f.collect(0), input_error);
  observer watch;
  std::size_t asked = 0;
  watch.stop = [&] { return ++asked == 2; };
  CHECK_THROWS_AS(score_weights(f.model, f.set, f.groups, criterion::taylor, {.batch = 1}, watch),
                  interrupted);
  CHECK(asked == 2);
}

TEST_CASE("Taylor over what carries a structure out is the gradient of its gate") {
  fixture f;
  const auto s = f.collect(2, nn::prunable::all);
  nn::workspace<exact> w{f.b, f.model.config(), {30, 5, 0}, nn::keep::importance};
  nn::importance gates{2, 2};
  packed_batch host;
  data::fill_batch(f.set, data::file_order(5), 0, 5, host);
  (void)nn::add_importance(f.model, w, host, gates);
  const auto found = taylor_of_structures(f.model, s);
  REQUIRE(found.size() == 2);
  CHECK(found[0].group() == nn::gate_groups(f.model.config())[0]);
  CHECK(found[1].group() == nn::gate_groups(f.model.config())[1]);
  for (std::size_t h = 0; h < 4; ++h) {
    CHECK(found[0][h] == Approx(std::abs(5.0 * gates.heads.signed_mean[h])).epsilon(1e-4));
    CHECK(found[0][h] > 1e-3F);
  }
  for (std::size_t l = 0; l < 2; ++l) {
    CHECK(found[1][l] == Approx(std::abs(5.0 * gates.mlps.signed_mean[l])).epsilon(1e-4));
    CHECK(found[1][l] > 1e-3F);
  }
  // Over all of its weights, a head's sum also has those of query, key and value; by hand, head 1
  // of layer 0.
  double sum = 0.0;
  const std::string self = "encoder.layer.0.attention.self.";
  for (const char* part : {"query", "key", "value"}) {
    for (const char* kind : {".weight", ".bias"}) {
      const std::size_t g = s.index_of(self + part + kind);
      const auto values = nn::effective_weights(f.model, s.groups()[g]);
      for (std::size_t i = values.size() / 2; i < values.size(); ++i) {
        sum += std::abs(static_cast<double>(values[i]) * s.gradient(g)[i]);
      }
    }
  }
  const std::size_t o = s.index_of("encoder.layer.0.attention.output.dense.weight");
  const auto output = nn::effective_weights(f.model, s.groups()[o]);
  for (std::size_t i = 0; i < output.size(); ++i) {
    if (i % 8 >= 4) sum += std::abs(static_cast<double>(output[i]) * s.gradient(o)[i]);
  }
  CHECK(taylor_of_structures(f.model, s, owned::all,
                             taylor_criterion::form::sum_of_absolutes)[0][1] ==
        Approx(sum).epsilon(1e-5));
  CHECK_THROWS_WITH(taylor_of_structures(f.model, f.collect(5)),
                    "weight statistics: has no group encoder.layer.0.output.dense.bias");
}

TEST_CASE("structures by the norm of their parameters and by Wanda, by hand") {
  fixture f;
  const auto s = f.collect(2);
  const auto norms = magnitude_of_structures(f.model);
  const auto outgoing =
      magnitude_of_structures(f.model, owned::outgoing, magnitude_criterion::norm::l1);
  const auto wanda = wanda_of_structures(f.model, s);
  const auto read = [&](const std::string& name) {
    return values_of(f.b,
                     f.model.parameters().stored(f.model.parameters().layout().index_of(name)));
  };
  for (std::size_t l = 0; l < 2; ++l) {
    const std::string layer = "encoder.layer." + std::to_string(l) + ".";
    const std::string out_name = layer + "attention.output.dense.weight",
                      down_name = layer + "output.dense.weight";
    for (std::size_t h = 0; h < 2; ++h) {
      double squares = 0.0, absolutes = 0.0, by_input = 0.0;
      for (const char* part : {"query", "key", "value"}) {
        const auto w = read(layer + "attention.self." + part + ".weight");
        const auto bias = read(layer + "attention.self." + part + ".bias");
        for (std::size_t r = 4 * h; r < 4 * h + 4; ++r) {
          for (std::size_t c = 0; c < 8; ++c) squares += w[r * 8 + c] * w[r * 8 + c];
          squares += bias[r] * bias[r];
        }
      }
      const auto o = read(out_name);
      const auto in = s.input_norms(s.index_of(out_name));
      for (std::size_t r = 0; r < 8; ++r) {
        for (std::size_t c = 4 * h; c < 4 * h + 4; ++c) {
          squares += o[r * 8 + c] * o[r * 8 + c];
          absolutes += std::abs(o[r * 8 + c]);
          by_input += std::abs(o[r * 8 + c]) * static_cast<double>(in[c]);
        }
      }
      INFO("layer " << l << ", head " << h);
      CHECK(norms[0][l * 2 + h] == Approx(std::sqrt(squares)).epsilon(1e-5));
      CHECK(outgoing[0][l * 2 + h] == Approx(absolutes).epsilon(1e-5));
      CHECK(wanda[0][l * 2 + h] == Approx(by_input).epsilon(1e-5));
    }
    double squares = 0.0, absolutes = 0.0, by_input = 0.0;
    for (const char* name : {"intermediate.dense.weight", "intermediate.dense.bias"}) {
      for (const double x : read(layer + name)) squares += x * x;
    }
    for (const double x : read(layer + "output.dense.bias")) {
      squares += x * x;
      absolutes += std::abs(x);
    }
    const auto down = read(down_name);
    const auto in = s.input_norms(s.index_of(down_name));
    for (std::size_t i = 0; i < down.size(); ++i) {
      squares += down[i] * down[i];
      absolutes += std::abs(down[i]);
      by_input += std::abs(down[i]) * static_cast<double>(in[i % 12]);
    }
    CHECK(norms[1][l] == Approx(std::sqrt(squares)).epsilon(1e-5));
    CHECK(outgoing[1][l] == Approx(absolutes).epsilon(1e-5));
    CHECK(wanda[1][l] == Approx(by_input).epsilon(1e-5));
  }
}

TEST_CASE("heads by focus: the lower the entropy, the higher the score") {
  fixture f;
  nn::workspace<exact> w{f.b, f.model.config(), {30, 5, 0}, nn::keep::gradients};
  nn::weight_statistics s{f.model, f.groups, {.gradients = true}};
  nn::attention_entropy<exact> e{f.model};
  packed_batch host;
  data::fill_batch(f.set, data::file_order(5), 0, 5, host);
  (void)s.add(f.model, w, host);  // one pass for both
  e.add(w, host);
  const scores focus = focus_of_heads(f.model, e);
  CHECK(focus.group() == nn::gate_groups(f.model.config())[0]);
  const auto entropy = e.mean();
  for (std::size_t a = 0; a < 4; ++a) {
    for (std::size_t b = 0; b < 4; ++b) CHECK((focus[a] > focus[b]) == (entropy[a] < entropy[b]));
  }
}

TEST_CASE("structures of a compact model are refused") {
  exact b;
  nn::bert_config c = config();
  c.shapes = {{1, 12, true, true}, {2, 3, true, true}};
  nn::bert<exact> model{b, c};
  CHECK_THROWS_AS(magnitude_of_structures(model), input_error);
}
