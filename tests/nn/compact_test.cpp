// Compact models: they answer and learn as the masked ones do, whatever is left of a layer; plans,
// full size and back, cost and proof.

#include "tombola/nn/compact.hpp"

#include <array>
#include <cmath>
#include <functional>
#include <set>

#include "tests/io/scratch.hpp"
#include "tests/nn/tiny_model.hpp"

#include "tombola/nn/compact_proof.hpp"
#include "tombola/nn/cost.hpp"
#include "tombola/nn/gate_estimates.hpp"
#include "tombola/nn/study.hpp"
#include "tombola/nn/value_norms.hpp"

using namespace tombola;
using namespace tombola::test;
using nn::study::removal;

namespace {

using backend_type = reference_backend<double>;
using model_type = nn::bert<backend_type>;
using space = nn::workspace<backend_type>;

/// Four layers, of 3 heads of 2 numbers and 7 neurons.
nn::bert_config four_layers(nn::head_kind head) {
  nn::bert_config c = tiny_config(head);
  c.layers = 4;
  return c;
}

ticket structured(const std::vector<int>& heads,
                  const std::vector<int>& mlps,
                  const std::vector<int>& neurons) {
  std::vector<group> groups;
  std::vector<mask> masks;
  const auto add = [&](const char* name, std::vector<std::size_t> extents,
                       const std::vector<int>& bits) {
    if (bits.empty()) return;
    groups.push_back({name, std::move(extents)});
    masks.push_back(mask::from_values(bits));
  };
  add("heads", {4, 3}, heads);
  add("mlps", {4}, mlps);
  add("neurons", {4, 7}, neurons);
  return {groups, masks};
}

/// Layer 0 loses a head and neurons, layer 1 all heads, layer 2 its MLP, layer 3 two heads and all
/// neurons.
ticket some_of_each() {
  return structured(
      {1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1}, {1, 1, 0, 1},
      {1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0});
}

/// Every layer loses everything.
ticket nothing_left() {
  return structured(std::vector<int>(12, 0), {0, 0, 1, 1}, std::vector<int>(28, 0));
}

double furthest(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

/// A whole model with gates at 0, and the compact one.
struct pair_of_models {
  backend_type b;
  ticket t;
  removal how;
  model_type masked;
  nn::compact_plan plan;
  std::unique_ptr<model_type> compact;

  pair_of_models(nn::head_kind head, ticket which, removal way = removal::exact)
      : t{std::move(which)}, how{way}, masked{b, four_layers(head)} {
    randomise(masked, 11);
    plan = nn::study::plan_for(masked.config(), t, how);
    compact = nn::make_compact(masked, plan);
    nn::study::mask_units_for(masked, t, plan, how);
  }

  /// The whole model's gradients of what the compact one has, and the latter's own; nowhere else
  /// does the whole model learn, but in neurons, whose zeros are in the weights.
  void check_gradients(const nn::dropout_plan& drop) {
    const nn::head_kind head = masked.config().head;
    const packed_batch batch = tiny_batch(head);
    const auto gradient = [&](model_type& model) {
      space w{b, model.config(), tiny_limits, nn::keep::gradients};
      w.batch.write(batch, model.config());
      losses.push_back(mean_loss(model, w, drop));
      model.backward(w, nn::gradients_of::weights, drop);
      return values_of(b, model.parameters().gradient());
    };
    const std::vector<double> whole = gradient(masked), small = gradient(*compact);
    const nn::compaction maps{plan};
    CHECK(std::abs(losses[0] - losses[1]) <= 1e-12 * std::max(1.0, std::abs(losses[0])));
    CHECK(furthest(maps.take<double>(whole), small) <= 1e-12);
    double size = 0.0;
    for (const double g : small) size = std::max(size, std::abs(g));
    CHECK(size > 1e-3);
    if (t.find("neurons") || how != removal::exact) return;
    CHECK(furthest(maps.put_back<double>(small), whole) <= 1e-12);
  }
  std::vector<double> losses;
};

nn::dropout_plan without_attention_dropout() {
  return {true, 77, 3};
}

}  // namespace

TEST_CASE("a compact model answers as the masked one") {
  for (const auto head :
       {nn::head_kind::classification, nn::head_kind::regression, nn::head_kind::masked_lm}) {
    for (const ticket& t :
         {some_of_each(), nothing_left(), structured({}, {}, std::vector<int>(28, 1)),
          structured({1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1}, {}, {}),
          structured({}, {0, 1, 1, 0}, {})}) {
      pair_of_models two{head, t};
      const auto batches = nn::probe_batches(two.masked.config(), 3);
      const auto found =
          nn::compare_models(two.masked, *two.compact, std::span<const packed_batch>{batches});
      CHECK(found.logits > 0);
      CHECK(found.largest > 0.1);
      CHECK(found.difference <= 1e-12);
      CHECK(found.holds());
      // Zeros at full size do the same, and so do all units of the compact model put first.
      for (const auto& plan : {two.plan, nn::plan_of(two.plan.config)}) {
        const auto padded = nn::make_padded(*two.compact, plan);
        CHECK(!padded->config().is_compact());
        CHECK(nn::compare_models(two.masked, *padded, std::span<const packed_batch>{batches})
                  .difference <= 1e-12);
      }
    }
  }
}

TEST_CASE("a compact model learns as the masked one") {
  for (const auto head :
       {nn::head_kind::classification, nn::head_kind::regression, nn::head_kind::masked_lm}) {
    for (const ticket& t : {some_of_each(), nothing_left(),
                            structured({1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1}, {1, 0, 1, 0}, {})}) {
      pair_of_models{head, t}.check_gradients({});
    }
  }
}

TEST_CASE("dropout drops the same numbers where heads are not renumbered") {
  pair_of_models two{nn::head_kind::classification,
                     structured({1, 1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1}, {1, 0, 1, 0}, {})};
  two.check_gradients(without_attention_dropout());
}

TEST_CASE("gates of a compact model have the gradients of the masked one's") {
  pair_of_models two{nn::head_kind::classification, some_of_each()};
  const packed_batch batch = tiny_batch(nn::head_kind::classification);
  const auto estimate = [&](model_type& model) {
    space w{two.b, model.config(), tiny_limits, nn::keep::importance};
    nn::importance all{4, 3};
    nn::add_importance(model, w, batch, all);
    return all;
  };
  const auto whole = estimate(two.masked), small = estimate(*two.compact);
  std::vector<double> left;
  for (std::size_t l = 0; l < 4; ++l) {
    for (const std::size_t h : two.plan.heads[l]) left.push_back(whole.heads.per_token[l * 3 + h]);
  }
  std::vector<double> found(small.heads.per_token.begin(), small.heads.per_token.begin() + 6);
  CHECK(left.size() == 6);
  CHECK(two.compact->gates().head_count() == 6);
  CHECK(furthest(left, found) <= 1e-12);
  CHECK(*std::min_element(found.begin(), found.end()) > 1e-6);
  for (std::size_t u = 6; u < 12; ++u) CHECK(small.heads.per_token[u] == 0.0);
  for (const std::size_t l : {0U, 1U, 3U}) {
    CHECK(std::abs(whole.mlps.per_token[l] - small.mlps.per_token[l]) <= 1e-12);
    CHECK(small.mlps.per_token[l] > 1e-6);
  }
  CHECK(small.mlps.per_token[2] == 0.0);
  // At factors, too: heads layer after layer.
  const std::vector<double> factors{0.5, 2.0, -1.0, 0.25, 3.0, 0.0}, mlps{0.5, -2.0, 9.0, 1.5};
  std::vector<double> spread(12, 0.0);
  for (std::size_t l = 0, i = 0; l < 4; ++l) {
    for (const std::size_t h : two.plan.heads[l]) spread[l * 3 + h] = factors[i++];
  }
  two.compact->gates().set(factors, mlps);
  two.masked.gates().set(spread, std::vector<double>{0.5, -2.0, 0.0, 1.5});
  const auto batches = nn::probe_batches(two.masked.config(), 4);
  CHECK(nn::compare_models(two.masked, *two.compact, std::span<const packed_batch>{batches})
            .difference <= 1e-12);
}

TEST_CASE("importance of weights: statistics of a layer without heads are none") {
  pair_of_models two{nn::head_kind::classification, some_of_each()};
  space w{two.b, two.compact->config(), tiny_limits, nn::keep::gradients};
  w.batch.write(tiny_batch(nn::head_kind::classification), two.compact->config());
  two.compact->forward(w);
  std::vector<double> entropy(3, 0.0);
  const view<double> into{entropy.data(), 2, 1};
  two.compact->layers().statistics(1, w.batch, w.encoder, into, {});
  CHECK(entropy == std::vector<double>(3, 0.0));
  two.compact->layers().statistics(0, w.batch, w.encoder, into, {});
  CHECK(entropy[0] > 0.0);
  CHECK(entropy[1] > 0.0);
  CHECK(entropy[2] == 0.0);
  CHECK(nn::value_norms(*two.compact, w, 1).empty());
  space none{two.b, two.compact->config(), tiny_limits, nn::keep::nothing};
  CHECK_THROWS_AS(nn::value_norms(*two.compact, none, 0), input_error);
}

TEST_CASE("the study's dropped bias, its reload defect and exact removal differ") {
  // Layer 0 keeps 2 of 4 heads, layer 1 none, layer 2 three; heads of 2 numbers.
  nn::bert_config c = tiny_config(nn::head_kind::classification);
  c.layers = 3, c.hidden = 8, c.heads = 4;
  const ticket t{{{"heads", {3, 4}}},
                 {mask::from_values(std::vector<int>{1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1})}};
  const auto shapes = [&](removal how) { return nn::study::plan_for(c, t, how).config.shapes; };
  using shape = nn::layer_shape;
  CHECK(shapes(removal::exact) ==
        std::vector<shape>{{2, 7, true, true}, {0, 7, true, true}, {3, 7, true, true}});
  CHECK(shapes(removal::pruned) ==
        std::vector<shape>{{2, 7, true, true}, {0, 7, false, true}, {3, 7, true, true}});
  CHECK(shapes(removal::reloaded) ==
        std::vector<shape>{{0, 7, false, true}, {0, 7, false, true}, {3, 7, true, true}});
  backend_type b;
  model_type whole{b, c};
  randomise(whole, 4);
  const auto batches = nn::probe_batches(c, 1);
  const std::span<const packed_batch> probes{batches};
  const auto exact = nn::make_compact(whole, nn::study::plan_for(c, t, removal::exact));
  for (const auto how : {removal::pruned, removal::reloaded}) {
    const auto plan = nn::study::plan_for(c, t, how);
    const auto small = nn::make_compact(whole, plan);
    CHECK(nn::compare_models(*exact, *small, probes).difference > 1e-3);
    model_type masked{b, c};
    randomise(masked, 4);
    nn::study::mask_units_for(masked, t, plan, how);
    CHECK(nn::compare_models(masked, *small, probes).difference <= 1e-12);
    CHECK(nn::compare_models(masked, *nn::make_padded(*small, plan), probes).difference <= 1e-12);
  }
  // An odd number of heads has no half.
  const ticket odd{{{"heads", {4, 3}}},
                   {mask::from_values(std::vector<int>{1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1})}};
  CHECK(nn::study::reload(odd) == odd);
  CHECK_THROWS_AS(nn::study::reload(structured({}, {1, 1, 1, 0}, {})), input_error);
  pair_of_models{nn::head_kind::classification, some_of_each(), removal::pruned}.check_gradients(
      {});
}

TEST_CASE("what a ticket keeps") {
  const nn::bert_config c = four_layers(nn::head_kind::classification);
  const auto plan = nn::plan_compaction(c, some_of_each());
  using units = std::vector<std::size_t>;
  CHECK(plan.heads == std::vector<units>{{0, 2}, {}, {0, 1, 2}, {2}});
  CHECK(plan.neurons == std::vector<units>{{0, 2, 3, 5, 6}, {0, 1, 2, 3, 4, 5, 6}, {}, {}});
  CHECK(plan.config.shapes ==
        std::vector<nn::layer_shape>{
            {2, 5, true, true}, {0, 7, true, true}, {3, 0, true, false}, {1, 0, true, true}});
  // [C, W] and so on: what is there, and what it is called.
  nn::parameter_layout layout;
  nn::lay_out(plan.config, layout);
  const auto size = [&](const std::string& name) {
    for (const nn::slot& s : layout.slots()) {
      if (s.name == name) return std::to_string(s.rows) + "x" + std::to_string(s.cols);
    }
    return std::string{"none"};
  };
  const std::string l = "encoder.layer.";
  CHECK(size(l + "0.attention.self.key.weight") == "4x6");
  CHECK(size(l + "0.attention.self.key.bias") == "4x0");
  CHECK(size(l + "0.attention.output.dense.weight") == "6x4");
  CHECK(size(l + "0.intermediate.dense.weight") == "5x6");
  CHECK(size(l + "0.intermediate.dense.bias") == "5x0");
  CHECK(size(l + "0.output.dense.weight") == "6x5");
  CHECK(size(l + "1.attention.self.query.weight") == "none");
  CHECK(size(l + "1.attention.output.dense.weight") == "none");
  CHECK(size(l + "1.attention.output.dense.bias") == "6x0");
  CHECK(size(l + "1.attention.output.LayerNorm.bias") == "6x0");
  CHECK(size(l + "2.intermediate.dense.bias") == "none");
  CHECK(size(l + "2.output.dense.bias") == "none");
  CHECK(size(l + "2.output.LayerNorm.weight") == "6x0");
  CHECK(size(l + "3.output.dense.weight") == "none");
  CHECK(size(l + "3.output.dense.bias") == "6x0");
}

TEST_CASE("weight groups of a compact model are its parameters") {
  const auto c =
      nn::plan_compaction(four_layers(nn::head_kind::classification), some_of_each()).config;
  nn::parameter_layout layout;
  nn::lay_out(c, layout);
  for (const auto which : {nn::prunable::weights, nn::prunable::study, nn::prunable::all}) {
    std::set<std::string> names;
    for (const group& g : nn::weight_groups(c, which)) {
      CHECK(g.size() == layout[layout.index_of(g.name)].size());
      CHECK(g.size() > 0);
      names.insert(g.name);
    }
    if (which != nn::prunable::all) continue;
    std::size_t expected = 0;
    for (const nn::slot& s : layout.slots()) {
      expected += s.name.starts_with("encoder.") && s.name.find("LayerNorm") == s.name.npos;
    }
    CHECK(names.size() == expected);
  }
}

TEST_CASE("tickets that compaction does not take") {
  const nn::bert_config c = four_layers(nn::head_kind::classification);
  const auto refusal = [&](const nn::bert_config& config, const ticket& t) {
    return sentence<input_error>([&] { (void)nn::plan_compaction(config, t); });
  };
  const ticket weights{{{"encoder.layer.0.output.dense.weight", {6, 7}}}};
  CHECK(refusal(c, weights) ==
        "compaction: the ticket has group encoder.layer.0.output.dense.weight (6 x 7): single "
        "weights leave no smaller matrix, expected masks of heads, mlps or neurons");
  CHECK(refusal(c, ticket{}) ==
        "compaction: the ticket has no group, expected heads, mlps or neurons");
  CHECK(refusal(c, ticket{{{"heads", {4, 4}}}}) ==
        "ticket: group heads (4 x 4), the model has heads (4 x 3)");
  CHECK(refusal(c, ticket{{{"heads", {3, 4}}}}) ==
        "ticket: group heads (3 x 4), the model has heads (4 x 3)");
  CHECK(refusal(c, ticket{{{"neurons", {4, 6}}}}) ==
        "ticket: group neurons (4 x 6), the model has neurons (4 x 7)");
  const auto small = nn::plan_compaction(c, some_of_each()).config;
  CHECK(refusal(small, some_of_each()) ==
        "compaction: the model is compact already, expected a whole one");
  CHECK(sentence<input_error>([&] { (void)nn::plan_of(c); }) ==
        "compaction: the model is whole, expected a compact one");
  backend_type b;
  model_type model{b, small};
  CHECK(sentence<shape_error>([&] {
          model.apply(structured({}, {1, 1, 0, 1}, {}), nn::weight_form::stored_zeros);
        }) == "ticket: group mlps (4) is over units of a whole model, this one is compact");
}

TEST_CASE("arenas of another size are refused") {
  const auto plan = nn::plan_compaction(four_layers(nn::head_kind::classification), some_of_each());
  const nn::compaction maps{plan};
  const std::vector<double> wrong(maps.whole().total() + 1);
  CHECK_THROWS_AS(maps.take<double>(wrong), shape_error);
  CHECK_THROWS_AS(maps.put_back<double>(wrong), shape_error);
}

TEST_CASE("the proof notices what is not there") {
  pair_of_models two{nn::head_kind::classification, some_of_each()};
  const auto batches = nn::probe_batches(two.masked.config(), 1);
  const std::span<const packed_batch> probes{batches};
  auto& p = two.compact->parameters();
  const std::size_t bias = two.compact->slots().layers[1].output_bias;
  two.b.fill(p.stored(bias), 0.0);
  const auto found = nn::compare_models(two.masked, *two.compact, probes);
  CHECK_FALSE(found.holds());
  const std::string said =
      sentence<runtime_failure>([&] { nn::require_agreement(found, "a", "b"); });
  CHECK(said.starts_with("the b model differs from the a one by "));
  CHECK(said.ends_with("; nothing was saved"));
  two.b.fill(p.stored(bias), std::nan(""));
  CHECK_FALSE(nn::compare_models(two.masked, *two.compact, probes).holds());
  CHECK_FALSE(nn::compare_models(two.masked, *two.compact, {}).holds());
  // Whoever asks for a stop need not wait for all batches.
  int asked = 0;
  CHECK_THROWS_AS(nn::compare_models(two.masked, *two.compact, probes, nn::compact_tolerance,
                                     [&] {
                                       if (++asked == 2) throw runtime_failure("stopped");
                                     }),
                  runtime_failure);
  CHECK(asked == 2);
}

TEST_CASE("probe batches hold one token, lengths in between, and the longest") {
  nn::bert_config c = four_layers(nn::head_kind::masked_lm);
  const auto batches = nn::probe_batches(c, 5);
  REQUIRE(batches.size() == 3);
  CHECK(batches[0].tokens() == 1);
  CHECK(batches[1].offsets == std::vector<std::int32_t>{0, 2, 6});
  CHECK(batches[2].longest() == c.positions);
  CHECK(batches[1].masked_rows == std::vector<std::int32_t>{0, 1, 2, 5});
  CHECK(nn::probe_batches(c, 5)[2].ids == batches[2].ids);
  CHECK(nn::probe_batches(c, 6)[2].ids != batches[2].ids);
  c.family = &nn::roberta_architecture;
  CHECK(nn::probe_batches(c, 5)[2].longest() == c.positions - 2);
  c.family = &nn::bert_architecture;
  c.positions = 1;
  CHECK(nn::probe_batches(c, 5).size() == 2);
  c.positions = 1 << 20;
  CHECK(nn::probe_batches(c, 5)[2].longest() == nn::longest_probe);
  c.segments = 0;
  CHECK(nn::probe_batches(c, 5)[0].segments == std::vector<std::int32_t>{0});
}

TEST_CASE("cost: parameters and operations, counted by hand") {
  nn::bert_config c = four_layers(nn::head_kind::classification);
  c.layers = 1;
  // 3 layer norms, 3 tables, query to output 4 (36 + 6), MLP 42 + 7 + 42 + 6, pooler 42, head 21.
  CHECK(nn::cost_of(c, 8.0).parameters == 36 + 114 + 168 + 97 + 42 + 21);
  CHECK(nn::cost_of(c, 8.0).bytes == 4 * 478);
  // Per token: products 2 * (4 * 36 + 2 * 42), attention 4 * 8 * 6; head 2 * (36 + 18) / 8.
  CHECK(nn::flops_per_token(c, 8.0) == 456.0 + 192.0 + 13.5);
  c.shapes = {{1, 2, true, true}};
  CHECK(nn::flops_per_token(c, 8.0) == 2 * (4 * 12 + 24) + 4 * 8 * 2 + 13.5);
  c.shapes = {{0, 0, true, false}};
  CHECK(nn::flops_per_token(c, 8.0) == 13.5);
  c.head = nn::head_kind::masked_lm;
  CHECK(nn::flops_per_token(c, 8.0) == 2.0 * (36 + 66));
}
