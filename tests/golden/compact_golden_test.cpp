// The recorded tiny BERT with its ticket's units physically removed, exactly and as the study did
// it, and value-weighted attention, right and by the study's rows.

#include "tests/support/bert_golden.hpp"
#include "tests/support/golden_backends.hpp"

#include "tombola/nn/cost.hpp"
#include "tombola/nn/study.hpp"

using namespace tombola;
using namespace tombola::test;
using nn::study::removal;

namespace {

/// The recorded gates' folder, its model and the batch of the six sequences.
template <class B>
struct recorded {
  std::filesystem::path folder;
  nlohmann::json expected = io::read_json(folder / "expected.json");
  io::safetensors_file file{folder / "expected.safetensors"};
  B b = make_backend<B>();
  std::unique_ptr<nn::bert<B>> model = load_model(b, folder / "../tiny-bert");
  packed_batch batch = six(folder / "../tiny-bert/inputs.safetensors");

  static packed_batch six(const std::filesystem::path& inputs) {
    const io::safetensors_file in{inputs};
    const std::vector<std::size_t> which{0, 1, 2, 3, 4, 5};
    return cut(ints(in, "ids"), ints(in, "types"), ints(in, "offsets"), which);
  }

  [[nodiscard]] ticket the_ticket() const {
    const auto& t = expected.at("states").at("ticket");
    return {nn::gate_groups(model->config()),
            {mask::from_values(flat(t.at("heads"))), mask::from_values(flat(t.at("mlps")))}};
  }

  template <class Values>
  void check(const std::string& name, const Values& found) const {
    check_close<typename B::activation>(expected.at("expected.safetensors").at(name), name, found,
                                        doubles(file, name));
  }

  /// A workspace with the batch, gone through the model.
  [[nodiscard]] nn::workspace<B> pass(nn::bert<B>& through, nn::keep what) {
    nn::workspace<B> w{b, through.config(), {batch.tokens(), batch.sequences(), 0}, what};
    w.batch.write(batch, through.config());
    through.forward(w);
    return w;
  }
};

/// Mask and removal of the same units in one of three ways.
template <class B>
void check_removed(recorded<B>& r, const std::string& name, removal how) {
  INFO(name);
  const auto plan = nn::study::plan_for(r.model->config(), r.the_ticket(), how);
  const auto small = nn::make_compact(*r.model, plan);
  const auto& info = r.expected.at("pruned").at(name);
  CHECK(small->parameters().layout().parameter_count() ==
        info.at("parameters").template get<std::size_t>());
  CHECK(nn::cost_of(plan.config, 1.0).parameters ==
        info.at("parameters").template get<std::size_t>());
  std::size_t l = 0;
  for (const auto& row : info.at("heads")) {
    std::size_t kept = 0;
    for (const auto& head : row) kept += head.template get<std::size_t>();
    CHECK(plan.config.shapes[l].heads == kept);
    CHECK(plan.config.shapes[l].attention == (how == removal::exact || kept > 0));
    ++l;
  }
  for (const auto what : {nn::keep::nothing, nn::keep::gradients}) {
    auto w = r.pass(*small, what);
    r.check(name + ".logits", host(r.b, w.sequence->logits.rows(6)));
    if (what == nn::keep::nothing) continue;  // then there are first tokens alone
    r.check(name + ".last_hidden",
            host(r.b, w.encoder.layers.back().output.rows(r.batch.tokens())));
  }
  // Zeros at full size, and gates at 0, give the same.
  auto w = r.pass(*nn::make_padded(*small, plan), nn::keep::nothing);
  r.check(name + ".logits", host(r.b, w.sequence->logits.rows(6)));
  const auto masked = load_model(r.b, r.folder / "../tiny-bert");
  nn::study::mask_units_for(*masked, r.the_ticket(), plan, how);
  auto v = r.pass(*masked, nn::keep::nothing);
  r.check(name + ".logits", host(r.b, v.sequence->logits.rows(6)));
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("golden compact: units removed exactly and as the study did",
                        "[golden]",
                        golden_backends) {
  const auto folder = shared("goldens/gates");
  if (!folder) return;
  recorded<TestType> r{*folder};
  CHECK(nn::cost_of(r.model->config(), 1.0).parameters ==
        r.expected.at("parameters_unpruned").template get<std::size_t>());
  REQUIRE(r.expected.at("pruned").size() == 3);
  check_removed(r, "compact", removal::exact);
  check_removed(r, "study", removal::pruned);
  check_removed(r, "study_reloaded", removal::reloaded);
}

TEMPLATE_LIST_TEST_CASE("golden compact: value norms and value-weighted attention",
                        "[golden]",
                        golden_backends) {
  const auto folder = shared("goldens/gates");
  if (!folder) return;
  recorded<TestType> r{*folder};
  const nn::bert_config& c = r.model->config();
  auto w = r.pass(*r.model, nn::keep::gradients);
  std::vector<double> all, all_rows, maps, maps_rows;
  const auto which = r.expected.at("value_weighted_attention_sequence").template get<std::size_t>();
  REQUIRE(which == 0);
  const auto n = static_cast<std::size_t>(r.batch.offsets[1]);
  std::size_t numbers = 0;
  for (std::size_t b = 0; b < r.batch.sequences(); ++b) {
    const auto length = static_cast<std::size_t>(r.batch.offsets[b + 1] - r.batch.offsets[b]);
    numbers += c.heads * length * length;
  }
  using A = typename TestType::activation;
  auto memory = r.b.template allocate<A>(numbers);
  for (std::size_t l = 0; l < c.layers; ++l) {
    r.model->layers().statistics(l, w.batch, w.encoder, {}, view<A>{memory.data(), numbers, 1});
    const std::vector<A> probabilities = host(r.b, view<A>{memory.data(), numbers, 1});
    const auto add = [&](const std::vector<double>& norms, std::vector<double>& to,
                         std::vector<double>& to_maps) {
      to.insert(to.end(), norms.begin(), norms.end());
      std::vector<A> weighed = probabilities;
      nn::weigh_attention<A>(weighed, norms, r.batch.offsets, c.heads);
      for (std::size_t i = 0; i < c.heads * n * n; ++i) to_maps.push_back(double{weighed[i]});
    };
    add(nn::value_norms(*r.model, w, l), all, maps);
    add(nn::study::value_norms(*r.model, w, l), all_rows, maps_rows);
  }
  r.check("value_norm", all);
  r.check("value_norm_rows", all_rows);
  r.check("value_weighted_attention", maps);
  r.check("value_weighted_attention_rows", maps_rows);

  const auto plan = nn::study::plan_for(c, r.the_ticket(), removal::pruned);
  const auto small = nn::make_compact(*r.model, plan);
  auto left = r.pass(*small, nn::keep::gradients);
  std::size_t layers = 0;
  for (std::size_t l = 0; l < c.layers; ++l) {
    const std::string name = "study.value_norm", layer = "." + std::to_string(l);
    if (plan.heads[l].empty()) {
      CHECK(r.file.find(name + layer) == nullptr);
      CHECK(nn::value_norms(*small, left, l).empty());
      continue;
    }
    r.check(name + layer, nn::value_norms(*small, left, l));
    r.check(name + "_rows" + layer, nn::study::value_norms(*small, left, l));
    ++layers;
  }
  CHECK(layers == 2);
}
