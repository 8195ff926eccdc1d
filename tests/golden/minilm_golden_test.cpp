// A real pretrained model on real sentences: MiniLM against numbers that PyTorch gave. Float and
// double both run on the Eigen backend: plain loops need minutes for a model of this size, and the
// two backends agree in double by the conformance suite and the goldens of the tiny BERT.

#include <array>
#include <bit>

#include "tests/support/bert_golden.hpp"
#include "tests/support/golden_backends.hpp"

#include "tombola/nn/gate_estimates.hpp"
#include "tombola/nn/optimizer.hpp"
#include "tombola/prune/criteria.hpp"
#include "tombola/prune/schedule.hpp"
#include "tombola/prune/weights.hpp"

using namespace tombola;
using namespace tombola::test;
using nlohmann::json;

namespace {

using backends = std::tuple<eigen::backend<double>, eigen::backend<float>>;

/// Sentences of one set and how many make a batch of its estimators.
struct sentences {
  std::string name;
  std::size_t together;
};
const std::array<sentences, 2> sets{{{"cola", 4}, {"rte", 3}}};

packed_batch batch_of(const json& rows, std::size_t first, std::size_t n) {
  packed_batch b;
  for (std::size_t x = first; x < std::min(first + n, rows.size()); ++x) {
    b.add(rows.at(x).at("ids").get<std::vector<std::int32_t>>(),
          rows.at(x).at("segments").get<std::vector<std::int32_t>>(),
          static_cast<std::uint32_t>(x));
    b.labels.push_back(rows.at(x).at("label").get<std::int32_t>());
  }
  return b;
}

/// The recordings, and how close they are to be met: ten times what float32 changed in PyTorch.
struct recording {
  json inputs, results;
  io::safetensors_file tensors;

  explicit recording(const std::filesystem::path& folder)
      : inputs(io::read_json(folder / "inputs.json")),
        results(io::read_json(folder / "results.json")),
        tensors{folder / "goldens.safetensors"} {}

  [[nodiscard]] std::vector<double> values(const std::string& name) const {
    return doubles(tensors, name);
  }

  /// Where no float32 figure was recorded, that of `like` stands in.
  template <class T, class Values>
  void check(const std::string& name, const Values& found, const std::string& like = "") const {
    const std::vector<double> expected = values(name + ".f64");
    const json& all = results.at("f32_against_f64");
    const json& noise = all.at(like.empty() ? name : like);
    double largest = 0.0;
    for (const double x : expected) largest = std::max(largest, std::abs(x));
    const double allowed = std::is_same_v<T, double>
                               ? 1e-12 * std::max(1.0, largest)
                               : 10.0 * noise.at("largest_f32_error").get<double>();
    INFO(name);
    REQUIRE(std::size(found) == expected.size());
    double worst = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double d = std::abs(static_cast<double>(found[i]) - expected[i]);
      worst = std::isnan(d) ? INFINITY : std::max(worst, d);
    }
    CHECK(worst <= allowed);
  }
};

/// The checkpoint with the recorded classifier on top, which it does not have.
template <class B>
std::unique_ptr<nn::bert<B>> load(B& b, const std::filesystem::path& folder, const recording& r) {
  using number = typename B::parameter;
  auto model = std::make_unique<nn::bert<B>>(b, nn::read_config(folder));
  const nn::load_report report = nn::load_weights(*model, folder, 1);
  CHECK(report.initialised == std::vector<std::string>{"classifier.weight", "classifier.bias"});
  CHECK(report.ignored == std::vector<std::string>{"embeddings.position_ids"});
  for (const std::string& name : report.initialised) {
    const std::vector<double> x = r.values(name);
    const std::vector<number> values(x.begin(), x.end());
    auto& p = model->parameters();
    b.write(std::span<const number>{values}, p.stored(p.layout().index_of(name)));
  }
  return model;
}

/// First and last row of every sequence in every hidden state, and sums over all of its tokens.
template <class B>
void check_hidden(const recording& r,
                  const std::string& set,
                  B& b,
                  nn::workspace<B>& w,
                  const packed_batch& batch) {
  using T = typename B::activation;
  const std::size_t layers = w.encoder.layers.size(), states = layers + 1;
  std::vector<double> rows, sums(batch.sequences() * states * 3);
  std::vector<std::vector<T>> hidden{host(b, w.encoder.embedded.rows(batch.tokens()))};
  for (auto& layer : w.encoder.layers) hidden.push_back(host(b, layer.output.rows(batch.tokens())));
  const std::size_t C = hidden[0].size() / batch.tokens();
  for (std::size_t x = 0; x < batch.sequences(); ++x) {
    const auto begin = static_cast<std::size_t>(batch.offsets[x]) * C;
    const auto end = static_cast<std::size_t>(batch.offsets[x + 1]) * C;
    for (std::size_t l = 0; l < states; ++l) {
      for (const std::size_t at : {begin, end - C}) {
        const auto from = hidden[l].begin() + static_cast<std::ptrdiff_t>(at);
        rows.insert(rows.end(), from, from + static_cast<std::ptrdiff_t>(C));
      }
      double* s = &sums[(x * states + l) * 3];
      for (std::size_t i = begin; i < end; ++i) {
        const auto h = static_cast<double>(hidden[l][i]);
        s[0] += h;
        s[1] += std::abs(h);
        s[2] += h * h;
      }
    }
  }
  r.check<T>(set + ".hidden.rows", rows);
  r.check<T>(set + ".hidden.sums", sums);
}

/// Outputs of the whole set as one batch, at gates of 1.
template <class B>
void check_outputs(const recording& r, const std::string& set, nn::bert<B>& model) {
  using T = typename B::activation;
  B& b = model.device();
  const nn::bert_config& c = model.config();
  const packed_batch batch = batch_of(r.inputs.at(set), 0, r.inputs.at(set).size());
  const std::size_t n = batch.sequences();
  nn::workspace<B> w{b, c, {batch.tokens(), n, 0}, nn::keep::gradients};
  w.batch.write(batch, c);
  r.check<T>(set + ".logits", host(b, model.forward(w)));
  r.check<T>(set + ".pooled", host(b, w.sequence->pooled.rows(n)));
  check_hidden(r, set, b, w, batch);
  const auto losses = host(b, model.loss(w, 1.0));
  r.check<T>(set + ".losses", losses);
  double sum = 0.0;
  for (const double x : losses) sum += x;
  r.check<T>(set + ".loss", std::vector<double>{sum / static_cast<double>(n)});

  std::vector<double> entropy;
  for (std::size_t l = 0; l < c.layers; ++l) {
    auto e = b.template allocate<double>(c.heads);
    model.layers().statistics(l, w.batch, w.encoder, view<double>{e.data(), c.heads, 1}, {});
    for (const double x : host(b, view<double>{e.data(), c.heads, 1})) {
      entropy.push_back(x / static_cast<double>(batch.tokens()));
    }
  }
  r.check<T>(set + ".entropy", entropy);
}

/// The estimators of one kind of gate. Normalised scores are floats whatever the backend.
template <class T>
void check_estimates(const recording& r,
                     const std::string& prefix,
                     const std::string& like,
                     const group& g,
                     const nn::gate_estimates& e) {
  const std::string name = prefix + g.name + ".", unmasked = like + g.name + ".";
  const auto check = [&](const std::string& which, const std::vector<double>& found) {
    r.check<T>(name + which, found, unmasked + which);
  };
  check("whole_batch", e.signed_mean);
  check("per_example_abs", e.per_example);
  check("per_example_squared", e.squared);
  check("per_batch_abs", e.per_batch);
  check("cumulative", e.cumulative);
  if (prefix != like) return;
  const auto normalised = [&](const std::string& which, const std::vector<double>& raw) {
    const scores s{g, {raw.begin(), raw.end()}};
    r.check<float>(name + which + "_normalised",
                   min_max(g.name == "heads" ? normalise_layers(s) : s).values());
  };
  normalised("cumulative", e.cumulative);
  normalised("per_example_abs", e.per_example);
}

/// All estimators of a set; also every example's own gradients, and the logits and mean loss.
template <class B>
void check_gates(const recording& r,
                 const sentences& set,
                 const std::string& state,
                 nn::bert<B>& model) {
  using T = typename B::activation;
  B& b = model.device();
  const nn::bert_config& c = model.config();
  const json& rows = r.inputs.at(set.name);
  const std::string like = set.name + ".", prefix = like + state;
  const packed_batch whole = batch_of(rows, 0, rows.size());
  nn::workspace<B> w{b, c, {whole.tokens(), set.together, 0}, nn::keep::importance};
  nn::importance all{c.layers, c.heads};
  std::vector<double> logits, heads, mlps;
  double loss = 0.0;
  for (std::size_t x = 0; x < rows.size(); x += set.together) {
    const packed_batch batch = batch_of(rows, x, set.together);
    for (const T y : host(b, nn::add_importance(model, w, batch, all))) {
      logits.push_back(static_cast<double>(y));
    }
    for (const double y : host(b, w.losses(batch.sequences()))) loss += y;
  }
  const std::vector<group> groups = nn::gate_groups(c);
  check_estimates<T>(r, prefix, like, groups[0], all.heads);
  check_estimates<T>(r, prefix, like, groups[1], all.mlps);
  r.check<T>(prefix + "logits", logits, like + "logits");
  r.check<T>(prefix + "loss", std::vector<double>{loss / static_cast<double>(rows.size())},
             like + "loss");
  if (!state.empty()) return;
  for (std::size_t x = 0; x < rows.size(); ++x) {
    nn::importance one{c.layers, c.heads};
    nn::add_importance(model, w, batch_of(rows, x, 1), one);
    heads.insert(heads.end(), one.heads.signed_mean.begin(), one.heads.signed_mean.end());
    mlps.insert(mlps.end(), one.mlps.signed_mean.begin(), one.mlps.signed_mean.end());
  }
  r.check<T>(prefix + "heads.per_example", heads);
  r.check<T>(prefix + "mlps.per_example", mlps);
}

/// Logits of a set under the model's gates.
template <class B>
void check_gated(const recording& r, const std::string& set, nn::bert<B>& model) {
  using T = typename B::activation;
  B& b = model.device();
  const packed_batch batch = batch_of(r.inputs.at(set), 0, r.inputs.at(set).size());
  nn::workspace<B> w{b, model.config(), {batch.tokens(), batch.sequences(), 0}, nn::keep::nothing};
  w.batch.write(batch, model.config());
  r.check<T>(set + ".gated.logits", host(b, model.forward(w)), set + ".logits");
}

/// Norm, sum and sum of magnitudes of every tensor's gradient. In float each may be off by ten
/// times the share by which float32 moved the norm over all of them.
template <class B>
void check_first_gradients(nn::bert<B>& model, const json& recorded, double share) {
  using T = typename B::activation;
  const nn::parameter_layout& layout = model.parameters().layout();
  REQUIRE(recorded.size() == layout.slots().size());
  for (std::size_t i = 0; i < layout.slots().size(); ++i) {
    const std::string& name = layout[i].name;
    INFO(name);
    if (std::is_same_v<T, float> && name.ends_with("key.bias")) continue;  // 0, and noise
    double squares = 0.0, sum = 0.0, magnitudes = 0.0;
    const auto gradient = host(model.device(), model.parameters().gradient(i));
    for (const T g : gradient) {
      squares += static_cast<double>(g) * static_cast<double>(g);
      sum += static_cast<double>(g);
      magnitudes += std::abs(static_cast<double>(g));
    }
    const json& x = recorded.at(name);
    const auto norm = x.at("norm").get<double>(), total = x.at("abs_sum").get<double>();
    const bool exact = std::is_same_v<T, double>;
    const double n = std::sqrt(static_cast<double>(gradient.size()));
    const double off = exact ? 1e-12 * std::max(1.0, norm) : 10.0 * share * norm;
    const double sums_off = exact ? 1e-12 * std::max(1.0, total) : off * n;
    CHECK(std::abs(std::sqrt(squares) - norm) <= off);
    CHECK(std::abs(sum - x.at("sum").get<double>()) <= sums_off);
    CHECK(std::abs(magnitudes - total) <= sums_off);
  }
}

/// Three steps on all CoLA sentences as one batch, without dropout.
template <class B>
void check_training(const recording& r, nn::bert<B>& model) {
  using T = typename B::activation;
  B& b = model.device();
  const json& recorded = r.results.at("training").at("f64");
  const json& log = recorded.at("log");
  const json& log32 = r.results.at("training").at("f32").at("log");
  const auto noise = [&](const char* what) {
    double most = 0.0;
    for (std::size_t t = 0; t < log.size(); ++t) {
      most = std::max(
          most, std::abs(log.at(t).at(what).get<double>() - log32.at(t).at(what).get<double>()));
    }
    return most;
  };
  const auto close = [&](double found, std::size_t t, const char* what) {
    const auto x = log.at(t).at(what).get<double>();
    INFO(what << " of step " << t);
    CHECK(std::abs(found - x) <=
          (std::is_same_v<T, double> ? 1e-11 * std::abs(x)
                                     : std::max(10.0 * noise(what), 1e-6 * std::abs(x))));
  };
  const packed_batch batch = batch_of(r.inputs.at("cola"), 0, r.inputs.at("cola").size());
  const auto n = static_cast<double>(batch.sequences());
  nn::workspace<B> w{
      b, model.config(), {batch.tokens(), batch.sequences(), 0}, nn::keep::gradients};
  nn::optimizer<B> o{
      b,
      model.parameters(),
      {.rate = recorded.at("rate").get<double>(), .max_norm = recorded.at("clip").get<double>()}};
  w.batch.write(batch, model.config());
  REQUIRE(log.size() == 4);
  for (std::size_t t = 0; t < log.size(); ++t) {
    model.forward(w);
    double sum = 0.0;
    for (const double x : host(b, model.loss(w, 1.0 / n))) sum += x;
    close(sum / n, t, "loss");
    model.backward(w, nn::gradients_of::weights);
    if (t == 0) {
      check_first_gradients(model, recorded.at("gradients_before_step_1"),
                            noise("gradient_norm") / log.at(0).at("gradient_norm").get<double>());
    }
    o.step(1.0);  // the last one only for its norm
    close(o.norm(), t, "gradient_norm");
  }
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("golden minilm: outputs, gates, training", "[golden]", backends) {
  const auto folder = shared("goldens/minilm");
  const auto checkpoint = minilm();
  if (!folder || !checkpoint) return;
  const recording r{*folder};
  TestType b = make_backend<TestType>();
  const auto model = load(b, *checkpoint, r);
  for (const sentences& set : sets) {
    model->gates().clear();
    check_outputs(r, set.name, *model);
    check_gates(r, set, "", *model);
    model->gates().set(r.values("mask.heads"), r.values("mask.mlps"));
    check_gates(r, set, "masked.", *model);
    model->gates().set(r.values("mask.head_gates"), r.values("mask.mlp_gates"));
    check_gated(r, set.name, *model);
  }
  model->gates().clear();
  check_training(r, *model);
}

TEST_CASE("golden minilm: magnitude pruning of the pretrained weights", "[golden]") {
  const auto folder = shared("goldens/minilm");
  const auto checkpoint = minilm();
  if (!folder || !checkpoint) return;
  const json recorded = io::read_json(*folder / "results.json").at("magnitude");
  const io::safetensors_file file{*checkpoint / "model.safetensors"};
  const auto groups = nn::weight_groups(nn::read_config(*checkpoint), nn::prunable::study);
  std::vector<std::vector<float>> values;
  std::vector<weight_span> spans;
  for (const group& g : groups) values.push_back(io::to_floats(file.at(g.name)));
  for (std::size_t i = 0; i < groups.size(); ++i) spans.push_back({groups[i], values[i]});
  REQUIRE(groups.size() == recorded.at("order_of_tensors").size());
  REQUIRE(full_ticket(spans).size() == recorded.at("n").get<std::size_t>());

  for (const auto& [share, cut_at] : recorded.at("shares").items()) {
    INFO(share);
    const std::size_t k = share_of(std::stod(share), full_ticket(spans).size());
    CHECK(k == cut_at.at("removed").get<std::size_t>());
    const ticket t = remove_by_magnitude(spans, k);
    float largest_removed = 0.0F, smallest_kept = INFINITY;
    std::size_t equal = 0, equal_removed = 0;
    const auto edge = cut_at.at("largest_removed").get<float>();
    for (std::size_t g = 0; g < groups.size(); ++g) {
      CHECK(t[g].count() == cut_at.at("kept").at(groups[g].name).get<std::size_t>());
      for (std::size_t i = 0; i < values[g].size(); ++i) {
        const float m = std::abs(values[g][i]);
        float& side = t[g][i] ? smallest_kept : largest_removed;
        side = t[g][i] ? std::min(side, m) : std::max(side, m);
        if (m == edge) ++equal;
        if (m == edge && !t[g][i]) ++equal_removed;
      }
    }
    CHECK(largest_removed == edge);
    CHECK(std::bit_cast<std::uint32_t>(largest_removed) ==
          std::stoul(cut_at.at("largest_removed_bits").get<std::string>(), nullptr, 16));
    CHECK(smallest_kept == cut_at.at("smallest_kept").get<float>());
    CHECK(equal == cut_at.at("equal_to_largest_removed").get<std::size_t>());
    CHECK(equal_removed == cut_at.at("of_these_removed").get<std::size_t>());
  }
}
