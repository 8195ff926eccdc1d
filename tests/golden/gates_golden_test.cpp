// Gates on heads and MLPs of the recorded tiny BERT: outputs, gradients and every estimator in
// three states, on the reference backend in double and on the Eigen backend in float.

#include <array>
#include <set>

#include "tests/support/bert_golden.hpp"
#include "tests/support/golden_backends.hpp"

#include "tombola/nn/gate_estimates.hpp"
#include "tombola/prune/criteria.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

/// The recorded examples in their order, cut into batches.
struct examples {
  std::vector<std::int32_t> ids, types, offsets, labels;
  std::vector<double> targets;

  explicit examples(const std::filesystem::path& file) {
    const io::safetensors_file in{file};
    ids = ints(in, "ids");
    types = ints(in, "types");
    offsets = ints(in, "offsets");
    labels = ints(in, "labels");
    targets = doubles(in, "targets");
  }

  [[nodiscard]] std::size_t size() const { return offsets.size() - 1; }

  [[nodiscard]] packed_batch batch(std::size_t first, std::size_t n, nn::head_kind head) const {
    std::vector<std::size_t> which;
    for (std::size_t x = first; x < std::min(first + n, size()); ++x) which.push_back(x);
    packed_batch b = cut(ids, types, offsets, which);
    for (const std::size_t x : which) {
      if (head == nn::head_kind::regression) {
        b.targets.push_back(static_cast<float>(targets[x]));
      } else {
        b.labels.push_back(labels[x]);
      }
    }
    return b;
  }

  [[nodiscard]] std::vector<packed_batch> batches(std::size_t n, nn::head_kind head) const {
    std::vector<packed_batch> all;
    for (std::size_t x = 0; x < size(); x += n) all.push_back(batch(x, n, head));
    return all;
  }

  [[nodiscard]] nn::batch_limits limits(std::size_t sequences) const {
    return {ids.size(), sequences, 0};
  }
};

/// Compares what was recorded under a name, and remembers the name.
struct recording {
  const nlohmann::json& entries;
  const io::safetensors_file& file;
  std::set<std::string> checked{};

  [[nodiscard]] bool has(const std::string& name) const { return file.find(name) != nullptr; }

  template <class T, class Values>
  void check(const std::string& name, const Values& found) {
    if (!has(name)) return;
    checked.insert(name);
    check_close<T>(entries.at(name), name, found, doubles(file, name));
  }

  /// Nothing that was recorded for this state went unlooked at.
  void check_complete(const std::string& state) const {
    for (const io::tensor_entry& t : file.tensors()) {
      if (t.name.starts_with(state)) {
        INFO(t.name);
        CHECK(checked.contains(t.name));
      }
    }
  }
};

constexpr std::array<std::pair<const char*, std::vector<double> nn::gate_estimates::*>, 6>
    estimators{{{"cumulative", &nn::gate_estimates::cumulative},
                {"per_batch", &nn::gate_estimates::per_batch},
                {"per_example", &nn::gate_estimates::per_example},
                {"per_token", &nn::gate_estimates::per_token},
                {"fisher", &nn::gate_estimates::squared},
                {"signed_mean", &nn::gate_estimates::signed_mean}}};

/// The study's steps from sums over tokens to scores between 0 and 1. Scores are floats whatever
/// the backend, hence compared as such.
void check_normalised(recording& r,
                      const std::string& name,
                      const group& g,
                      std::vector<double> by_tokens) {
  const bool heads = g.name == "heads";
  const scores raw{g, {by_tokens.begin(), by_tokens.end()}};
  const scores rows = heads ? normalise_layers(raw) : raw;
  if (heads) r.check<float>(name + ".by_layer.heads", rows.values());
  r.check<float>(name + ".min_max." + g.name, min_max(rows).values());
}

template <class T>
void check_estimates(recording& r,
                     const std::string& state,
                     const group& g,
                     const nn::gate_estimates& e,
                     double tokens) {
  for (const auto& [estimator, values] : estimators) {
    const std::string name = state + estimator;
    r.check<T>(name + "." + g.name, e.*values);
    std::vector<double> by_tokens = e.*values;
    for (double& x : by_tokens) x /= tokens;
    r.check<T>(name + ".by_tokens." + g.name, by_tokens);
    if (r.has(name + ".min_max." + g.name)) check_normalised(r, name, g, by_tokens);
  }
}

/// Mean gradients of each batch by itself: [batches, units].
template <class B>
void check_gradients(recording& r,
                     const std::string& name,
                     nn::bert<B>& model,
                     nn::workspace<B>& w,
                     const std::vector<packed_batch>& batches) {
  const nn::bert_config& c = model.config();
  std::vector<double> heads, mlps;
  for (const packed_batch& batch : batches) {
    nn::importance alone{c.layers, c.heads};
    nn::add_importance(model, w, batch, alone);
    heads.insert(heads.end(), alone.heads.signed_mean.begin(), alone.heads.signed_mean.end());
    mlps.insert(mlps.end(), alone.mlps.signed_mean.begin(), alone.mlps.signed_mean.end());
  }
  r.check<typename B::activation>(name + ".heads", heads);
  r.check<typename B::activation>(name + ".mlps", mlps);
}

/// Everything that is recorded under `state`: estimates over all batches, gradients of each batch
/// and of each example alone, outputs and attention entropy.
template <class B>
void check_state(B& b,
                 nn::bert<B>& model,
                 const examples& data,
                 recording& r,
                 const std::string& state,
                 const nlohmann::json& expected) {
  using T = typename B::activation;
  const nn::bert_config& c = model.config();
  const auto n = expected.at("batch").get<std::size_t>();
  const std::vector<packed_batch> batches = data.batches(n, c.head);
  nn::workspace<B> w{b, c, data.limits(n), nn::keep::importance};
  nn::importance all{c.layers, c.heads};
  auto entropy = b.template allocate<double>(c.layers * c.heads);
  for (const packed_batch& batch : batches) {
    const auto logits = host(b, nn::add_importance(model, w, batch, all));
    for (std::size_t l = 0; l < c.layers; ++l) {
      model.layers().statistics(l, w.batch, w.encoder,
                                view<double>{entropy.data() + l * c.heads, c.heads, 1}, {});
    }
    if (&batch != &batches.front()) continue;
    r.check<T>(state + "logits", logits);
    r.check<T>(state + "pooled", host(b, w.sequence->pooled.rows(batch.sequences())));
    r.check<T>(state + "last_hidden", host(b, w.encoder.layers.back().output.rows(batch.tokens())));
    double loss = 0.0;
    for (const double x : host(b, w.losses(batch.sequences()))) loss += x;
    r.check<T>(state + "loss", std::vector<double>{loss / static_cast<double>(batch.sequences())});
  }
  REQUIRE(all.examples == expected.at("examples").get<std::size_t>());
  REQUIRE(all.tokens == expected.at("tokens").get<std::size_t>());
  CHECK(all.batches == batches.size());
  const auto tokens = static_cast<double>(all.tokens);
  const std::vector<group> groups = nn::gate_groups(c);
  check_estimates<T>(r, state, groups[0], all.heads, tokens);
  check_estimates<T>(r, state, groups[1], all.mlps, tokens);
  std::vector<double> per_token = host(b, view<double>{entropy.data(), entropy.size(), 1});
  for (double& x : per_token) x /= tokens;
  r.check<T>(state + "entropy.heads", per_token);

  check_gradients(r, state + "batch_gradient", model, w, batches);
  check_gradients(r, state + "example_gradient", model, w, data.batches(1, c.head));
  r.check_complete(state);
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("golden gates: outputs, gradients, estimators",
                        "[golden]",
                        golden_backends) {
  const auto folder = shared("goldens/gates");
  if (!folder) return;
  const auto tiny = *folder / "../tiny-bert";
  const examples data{tiny / "inputs.safetensors"};
  const nlohmann::json expected = io::read_json(*folder / "expected.json");
  const io::safetensors_file file{*folder / "expected.safetensors"};
  recording r{expected.at("expected.safetensors"), file};
  TestType b = make_backend<TestType>();
  const auto model = load_model(b, tiny);
  REQUIRE(expected.at("states").size() == 3);
  for (const auto& [state, values] : expected.at("states").items()) {
    INFO(state);
    model->gates().set(flat(values.at("heads")), flat(values.at("mlps")));
    check_state(b, *model, data, r, state + ".", expected);
  }
  // A ticket of the same zeros and ones is the same state, and no gates at all is that of ones.
  const auto heads = flat(expected.at("states").at("ticket").at("heads"));
  const auto mlps = flat(expected.at("states").at("ticket").at("mlps"));
  model->apply(
      ticket{nn::gate_groups(model->config()), {mask::from_values(heads), mask::from_values(mlps)}},
      nn::weight_form::stored_zeros);
  check_state(b, *model, data, r, "ticket.", expected);
  model->gates().clear();
  check_state(b, *model, data, r, "ones.", expected);

  const auto regression = load_model(b, *folder / "../tiny-bert-regression");
  check_state(b, *regression, data, r, "regression.", expected);
}
