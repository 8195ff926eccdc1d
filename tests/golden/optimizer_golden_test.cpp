// Recorded training runs of the tiny BERT: both forms of AdamW, schedules, clipping, accumulation,
// head, MLP and weight tickets, masked and with the units gone; on the reference backend in double
// and the Eigen backend in float.

#include <optional>

#include "tests/support/bert_golden.hpp"
#include "tests/support/golden_backends.hpp"

#include "tombola/nn/optimizer.hpp"
#include "tombola/nn/study.hpp"

using namespace tombola;
using namespace tombola::test;
using nlohmann::json;

namespace {

/// Losses and norms of a run: 1e-11 relative in double; ten times the noise, and at least 1e-6
/// relative, in float.
template <class T>
void check_log(const std::string& what,
               const std::vector<double>& found,
               const json& recorded,
               double noise32) {
  INFO(what);
  REQUIRE(found.size() == recorded.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double x = recorded[i].get<double>();
    INFO(i);
    CHECK(std::abs(found[i] - x) <=
          (std::is_same_v<T, double> ? 1e-11 * std::abs(x)
                                     : std::max(10.0 * noise32, 1e-6 * std::abs(x))));
  }
}

/// One tensor's final values against the recorded ones.
template <class T, class Values>
void check_weights(const Values& found,
                   const std::vector<double>& expected,
                   double rms,
                   double rate) {
  REQUIRE(found.size() == expected.size());
  double squares = 0.0, furthest = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double d = std::abs(static_cast<double>(found[i]) - expected[i]);
    squares += d * d;
    furthest = std::isnan(d) ? INFINITY : std::max(furthest, d);
  }
  if constexpr (std::is_same_v<T, double>) {
    CHECK(furthest <= 1e-10);
  } else {
    CHECK(std::sqrt(squares / static_cast<double>(found.size())) <= 10.0 * rms);
    CHECK(furthest <= rate / 10.0);
  }
}

/// The same where only the sums of x and x^2 were kept. In float the bounds are what the rule for
/// the elements leaves by the inequality of Cauchy and Schwarz.
template <class T, class Values>
void check_sums(const Values& found, const json& recorded) {
  double sum = 0.0, squares = 0.0;
  for (const auto x : found) {
    sum += static_cast<double>(x);
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  const auto s = recorded.at("sum").get<double>(), q = recorded.at("sum_of_squares").get<double>();
  const auto n = static_cast<double>(found.size());
  const double rms = 10.0 * recorded.at("noise32_rms").get<double>();
  const bool exact = std::is_same_v<T, double>;
  const double order = 1e-12 * std::max(1.0, q);  // what another order of additions may change
  CHECK(std::abs(sum - s) <= (exact ? 1e-10 * std::max(1.0, std::abs(s)) : n * rms + order));
  CHECK(std::abs(squares - q) <=
        (exact ? 1e-10 * std::max(1.0, q) : 2.0 * std::sqrt(n * q) * rms + n * rms * rms + order));
}

/// Bits of a recorded mask: bit i of byte i / 8 at position i % 8.
mask bits_of(const io::safetensors_file& masks, const std::string& name, std::size_t n) {
  const auto bytes = masks.at(name).bytes;
  REQUIRE(bytes.size() == (n + 7) / 8);
  mask m{n};
  for (std::size_t i = 0; i < n; ++i) {
    m.set(i, (std::to_integer<unsigned>(bytes[i / 8]) >> (i % 8) & 1U) != 0);
  }
  return m;
}

/// The ticket that a run is trained under, empty for none.
ticket ticket_of(const json& settings,
                 const nn::bert_config& c,
                 const std::filesystem::path& folder) {
  if (settings.contains("ticket")) {
    std::vector<mask> masks;
    for (const group& g : nn::gate_groups(c)) {
      masks.push_back(mask::from_values(flat(settings.at("ticket").at(g.name))));
    }
    return {nn::gate_groups(c), masks};
  }
  if (!settings.contains("weight_mask")) return {};
  const json& which = settings.at("weight_mask");
  REQUIRE(which.at(0) == "study");
  const io::safetensors_file file{folder / "../magnitude/masks.safetensors"};
  std::vector<mask> masks;
  for (const group& g : nn::weight_groups(c, nn::prunable::study)) {
    masks.push_back(
        bits_of(file, "study." + which.at(1).dump() + "/" + public_name(g.name), g.size()));
  }
  return {nn::weight_groups(c, nn::prunable::study), masks};
}

struct data_set {
  std::vector<std::int32_t> ids, types, offsets, labels;

  [[nodiscard]] packed_batch batch(const std::vector<std::size_t>& which) const {
    packed_batch b = cut(ids, types, offsets, which);
    for (const std::size_t x : which) b.labels.push_back(labels[x]);
    return b;
  }
};

/// What a run logs.
struct training_log {
  std::vector<double> losses, norms, rates;
};

/// Trains by the settings of a run.
template <class B>
training_log train(nn::bert<B>& model, nn::workspace<B>& w, const data_set& data, const json& run) {
  B& b = model.device();
  const json& s = run.at("settings");
  const auto batches = s.at("batches").get<std::size_t>();
  const auto together = s.value("accumulate", std::size_t{1});
  const auto epoch = s.value("batches_per_epoch", batches);
  const std::size_t steps = epoch / together * (batches / epoch);
  const auto warm_up = s.at("warm_up").get<std::size_t>();
  nn::optimizer<B> o{b,
                     model.parameters(),
                     {.form = s.at("optimizer") == "torch" ? adamw_form::torch : adamw_form::study,
                      .rate = s.at("lr").get<double>(),
                      .decay = s.at("decay").get<double>(),
                      .max_norm = s.at("clip").get<double>()}};
  training_log log;
  for (std::size_t i = 0; i < batches; ++i) {
    const packed_batch batch = data.batch(run.at("indices").at(i).get<std::vector<std::size_t>>());
    const auto n = static_cast<double>(batch.sequences());
    w.batch.write(batch, model.config());
    model.forward(w);
    double sum = 0.0;
    for (const double x : host(b, model.loss(w, 1.0 / (n * static_cast<double>(together)))))
      sum += x;
    log.losses.push_back(sum / n);
    model.backward(w, nn::gradients_of::weights);
    if ((i % epoch + 1) % together != 0) continue;  // an epoch's odd batch waits for the next epoch
    const double factor = nn::linear_schedule(o.steps(), warm_up, steps);
    log.rates.push_back(s.at("lr").get<double>() * factor);
    o.step(factor);
    log.norms.push_back(o.norm());
  }
  CHECK_FALSE(o.has_failed());
  return log;
}

template <class B>
void check_run(const std::filesystem::path& folder,
               const std::string& name,
               const json& run,
               const data_set& data) {
  using T = typename B::activation;
  INFO(name);
  B b = make_backend<B>();
  auto model = load_model(b, folder / "../tiny-bert");
  const ticket t = ticket_of(run.at("settings"), model->config(), folder);
  if (run.at("settings").value("pruned", false)) {  // units physically gone, as the study does it
    const auto plan = nn::study::plan_for(model->config(), t, nn::study::removal::pruned);
    model = nn::make_compact(*model, plan);
  } else {
    model->apply(t, nn::weight_form::study);
  }
  nn::workspace<B> w{
      b, model->config(), {data.ids.size(), data.labels.size(), 0}, nn::keep::gradients};
  const training_log log = train(*model, w, data, run);
  check_log<T>("loss", log.losses, run.at("loss"), run.at("loss_noise32").get<double>());
  check_log<T>("gradient_norm", log.norms, run.at("gradient_norm"),
               run.at("gradient_norm_noise32").get<double>());
  check_log<double>("learning_rate", log.rates, run.at("learning_rate"), 0.0);

  const std::vector<double> after = flat(run.at("logits_after"));
  double largest = 0.0;
  for (const double x : after) largest = std::max(largest, std::abs(x));
  std::vector<std::size_t> first;
  for (std::size_t x = 0; x < run.at("logits_after").size(); ++x) first.push_back(x);
  w.batch.write(data.batch(first), model->config());
  check_close<T>("logits_after", host(b, model->forward(w)), after, largest,
                 run.at("logits_after_noise32").get<double>());

  const bool kept = std::filesystem::exists(folder / (name + ".safetensors"));
  std::optional<io::safetensors_file> final_weights;
  if (kept) final_weights.emplace(folder / (name + ".safetensors"));
  auto& p = model->parameters();
  REQUIRE(run.at("final_weights").size() == p.layout().slots().size());
  for (std::size_t i = 0; i < p.layout().slots().size(); ++i) {
    const std::string parameter = public_name(p.layout()[i].name);
    INFO(parameter);
    // In float these wander: their gradient is rounding noise, which Adam divides by its own size.
    if (std::is_same_v<T, float> && parameter.ends_with("key.bias")) continue;
    const json& recorded = run.at("final_weights").at(parameter);
    const auto found = host(b, p.stored(i));
    if (kept) {
      check_weights<T>(found, doubles(*final_weights, parameter),
                       recorded.at("noise32_rms").get<double>(),
                       run.at("settings").at("lr").get<double>());
    } else {
      check_sums<T>(found, recorded);
    }
  }
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("golden optimizer: training runs", "[golden]", golden_backends) {
  const auto folder = shared("goldens/optimizer");
  if (!folder) return;
  const io::safetensors_file in{*folder / "../tiny-bert/inputs.safetensors"};
  const data_set data{ints(in, "ids"), ints(in, "types"), ints(in, "offsets"), ints(in, "labels")};
  const json expected = io::read_json(*folder / "expected.json");
  std::size_t runs = 0;
  for (const auto& [name, run] : expected.at("runs").items()) {
    check_run<TestType>(*folder, name, run, data);
    ++runs;
  }
  CHECK(runs == 9);
}
