// Neurons by every criterion against gradients of gates and sums by hand; structures by criterion
// over a set, and what a search asks of them.

#include "tombola/experiment/structure_criteria.hpp"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/experiment/digits.hpp"
#include "tests/nn/tiny_model.hpp"

#include "tombola/nn/gate_estimates.hpp"
#include "tombola/prune/lower_bound.hpp"
#include "tombola/prune/pruner.hpp"

using namespace tombola;
using namespace tombola::test;
using namespace tombola::experiment;

namespace {

using exact = reference_backend<double>;
using criterion = structure_criterion;
constexpr std::size_t L = 2, C = 6, F = 7;  // of tiny_config

struct fixture {
  exact b;
  nn::bert<exact> model{b, tiny_config(nn::head_kind::classification)};
  data::encoded_set set = three_examples();
  data::task_description task = three_classes();
  observer watch;

  fixture() { randomise(model, 5); }

  [[nodiscard]] std::vector<double> read(const std::string& name) {
    return values_of(b, model.parameters().stored(model.parameters().layout().index_of(name)));
  }
  [[nodiscard]] nn::weight_statistics collect(nn::prunable which, nn::wanted_statistics wanted) {
    return collect_statistics(model, set, nn::weight_groups(model.config(), which), wanted, 2);
  }
};

}  // namespace

TEST_CASE("Taylor over a neuron's column is the gradient of its gate") {
  fixture f;
  const auto s = f.collect(nn::prunable::weights, {.gradients = true});
  nn::workspace<exact> w{f.b, f.model.config(), {30, 3, 0}, nn::keep::neuron_importance};
  nn::importance gates{L, 3, F};
  packed_batch host;
  data::fill_batch(f.set, data::file_order(3), 0, 3, host);
  (void)nn::add_importance(f.model, w, host, gates);
  const scores found = taylor_of_neurons(f.model, s);
  CHECK(found.group() == nn::neuron_group(f.model.config()));
  std::size_t moved = 0;
  for (std::size_t u = 0; u < L * F; ++u) {
    CHECK(found[u] ==
          Approx(std::abs(3.0 * gates.neurons.signed_mean[u])).epsilon(1e-4).margin(1e-7));
    moved += found[u] > 1e-4F ? 1U : 0U;
  }
  CHECK(moved > F);
  CHECK_THROWS_AS(taylor_of_neurons(f.model, f.collect(nn::prunable::weights, {})), input_error);
}

TEST_CASE("neurons by the norm of their parameters, by Wanda and by squares, by hand") {
  fixture f;
  const auto s = f.collect(nn::prunable::weights, {.gradients = true, .input_norms = true});
  const scores norms = magnitude_of_neurons(f.model),
               outgoing =
                   magnitude_of_neurons(f.model, owned::outgoing, magnitude_criterion::norm::l1),
               wanda = wanda_of_neurons(f.model, s),
               squares = taylor_of_neurons(f.model, s, owned::outgoing,
                                           taylor_criterion::form::sum_of_squares);
  for (std::size_t l = 0; l < L; ++l) {
    const std::string layer = "encoder.layer." + std::to_string(l) + ".";
    const auto up = f.read(layer + "intermediate.dense.weight"),
               bias = f.read(layer + "intermediate.dense.bias"),
               down = f.read(layer + "output.dense.weight");
    const std::size_t g = s.index_of(layer + "output.dense.weight");
    const auto in = s.input_norms(g);
    for (std::size_t n = 0; n < F; ++n) {
      double all = bias[n] * bias[n], absolutes = 0.0, products = 0.0;
      for (std::size_t c = 0; c < C; ++c) {
        const double out = down[c * F + n];
        all += up[n * C + c] * up[n * C + c] + out * out;
        absolutes += std::abs(out);
        products += std::pow(out * s.gradient(g)[c * F + n], 2);
      }
      INFO("layer " << l << ", neuron " << n);
      CHECK(norms[l * F + n] == Approx(std::sqrt(all)).epsilon(1e-5));
      CHECK(outgoing[l * F + n] == Approx(absolutes).epsilon(1e-5));
      CHECK(wanda[l * F + n] == Approx(absolutes * static_cast<double>(in[n])).epsilon(1e-5));
      CHECK(squares[l * F + n] == Approx(products).epsilon(1e-4).margin(1e-12));
    }
  }
  CHECK_THROWS_AS(wanda_of_neurons(f.model, f.collect(nn::prunable::weights, {})), input_error);
}

TEST_CASE("structures by criterion over a set are those of the functions, made comparable") {
  fixture f;
  const auto of = [&](criterion c, gated units, std::uint64_t seed = 0) {
    return score_structures(f.model, f.set, units, c, {.batch = 2, .seed = seed});
  };
  const auto s = f.collect(nn::prunable::all, {.gradients = true});
  const auto norms = f.collect(nn::prunable::weights, {.input_norms = true});
  constexpr auto squares = taylor_criterion::form::sum_of_squares;
  const auto check = [](const std::vector<scores>& found, const std::vector<scores>& direct) {
    REQUIRE(found.size() == direct.size());
    for (std::size_t g = 0; g < found.size(); ++g) CHECK(found[g] == comparable(direct[g]));
  };
  const auto both = gated::heads_and_mlps, neurons = gated::neurons;
  check(of(criterion::magnitude, both), magnitude_of_structures(f.model));
  check(of(criterion::magnitude, neurons), {magnitude_of_neurons(f.model)});
  check(of(criterion::taylor, both), taylor_of_structures(f.model, s, owned::outgoing, squares));
  check(of(criterion::taylor, neurons), {taylor_of_neurons(f.model, s, owned::outgoing, squares)});
  check(of(criterion::wanda, both), wanda_of_structures(f.model, norms));
  check(of(criterion::wanda, neurons), {wanda_of_neurons(f.model, norms)});
  // Random is of the seed alone; entropy of heads alone.
  CHECK(of(criterion::random, neurons, 3) == of(criterion::random, neurons, 3));
  CHECK_FALSE(of(criterion::random, both, 3) == of(criterion::random, both, 4));
  nn::workspace<exact> w{f.b, f.model.config(), {30, 3, 0}, nn::keep::importance};
  packed_batch host;
  data::fill_batch(f.set, data::file_order(3), 0, 3, host);
  w.batch.write(host, f.model.config());
  (void)f.model.forward(w);
  nn::attention_entropy<exact> e{f.model};
  e.add(w, host);
  const scores focus = focus_of_heads(f.model, e);
  const auto entropy = of(criterion::entropy, both);
  REQUIRE(entropy.size() == 2);
  for (std::size_t h = 0; h < focus.size(); ++h) {
    CHECK(entropy[0][h] == Approx(focus[h]).epsilon(1e-5));
    CHECK(focus[h] > 0.0F);
  }
  CHECK(entropy[1] == scores{nn::gate_groups(f.model.config())[1], {0.0F, 0.0F}});
  CHECK_THROWS_AS(of(criterion::entropy, neurons), input_error);
  CHECK_THROWS_AS(of(criterion::sensitivity, both), input_error);
}

TEST_CASE("a search by criterion scores the ticket accepted last, and bounds its examples") {
  fixture f;
  const weight_score_settings how{.batch = 2};
  structure_objective<exact> o{f.model,           f.task, f.set,  gated::neurons,
                               criterion::taylor, how,    f.watch};
  static_assert(example_objective<structure_objective<exact>>);
  static_assert(measuring_objective<structure_objective<exact>>);
  const prune_result r = prune(o, {.share = 0.3, .rule = guard::at_least(0.0)});
  REQUIRE(r.steps.steps.size() == 5);  // 14 in steps of 4
  CHECK(r.accepted.count() == 0);
  for (std::size_t i = 1; i < 5; ++i) {
    const trace_step& s = r.steps.steps[i];
    const ticket& before = r.steps.steps[i - 1].candidate;
    f.model.apply(before, nn::weight_form::study);
    const auto scored = score_structures(f.model, f.set, gated::neurons, criterion::taylor, how);
    CHECK(scored == r.steps.steps[i - 1].scores);
    CHECK(s.candidate[0] ==
          remove_lowest(before[0], scored[0], std::min<std::size_t>(4, before.count())));
  }
  CHECK_FALSE(r.steps.steps[0].scores == r.steps.steps[1].scores);
  // One pass says what two say.
  for (const criterion c : {criterion::magnitude, criterion::random, criterion::taylor,
                            criterion::wanda, criterion::entropy}) {
    INFO(to_string(c));
    structure_objective<exact> heads{f.model, f.task, f.set,  gated::heads_and_mlps,
                                     c,       how,    f.watch};
    mask some_heads = mask::all_kept(L * 3);
    some_heads.set(1, false);
    const ticket some{heads.groups(), {std::move(some_heads), mask::all_kept(L)}};
    const measurement both = heads.measure(some);
    CHECK(both.metric == heads.metric(some));
    CHECK(both.scores == heads.scores(some));
  }
  // The mean of the examples is the metric.
  for (const trace_step& s : r.steps.steps) {
    const auto each = o.examples(s.candidate);
    REQUIRE(each.size() == 3);
    CHECK((each[0] + each[1] + each[2]) / 3.0 == Approx(s.metric));
  }
  // So is it where the gates are scored.
  gate_objective<exact> gates{f.model, f.task, f.set, 2, estimator::per_example, f.watch};
  const ticket full = full_ticket(gates);
  const auto each = gates.examples(full);
  CHECK((each[0] + each[1] + each[2]) / 3.0 == Approx(gates.metric(full)));
  f.task.selection = data::metric::matthews;
  CHECK_THROWS_WITH(o.examples(r.accepted),
                    Catch::Matchers::Contains("SST-2") &&
                        Catch::Matchers::Contains("three has matthews_correlation"));
}
