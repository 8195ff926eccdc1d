// The recorded tiny BERT: every activation, loss and gradient, on the reference backend in double
// and on the Eigen backend in float.

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "tests/support/bert_golden.hpp"
#include "tests/support/golden_backends.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

std::vector<std::size_t> first(std::size_t n) {
  std::vector<std::size_t> which(n);
  std::iota(which.begin(), which.end(), std::size_t{0});
  return which;
}

/// All recorded gradients of parameters against the model's.
template <class B>
void check_gradients(nn::bert<B>& model,
                     const io::safetensors_file& recorded,
                     const nlohmann::json& entries) {
  for (std::size_t i = 0; i < model.parameters().layout().slots().size(); ++i) {
    const std::string name = public_name(model.parameters().layout()[i].name);
    check_close<typename B::activation>(entries.at(name), name,
                                        host(model.device(), model.parameters().gradient(i)),
                                        doubles(recorded, name));
  }
}

/// The mean loss of n predictions that went forward through w, and all its gradients.
template <class B>
void check_backward(nn::bert<B>& model,
                    nn::workspace<B>& w,
                    std::size_t n,
                    const std::filesystem::path& folder,
                    const nlohmann::json& expected) {
  const auto losses = host(model.device(), model.loss(w, 1.0 / static_cast<double>(n)));
  const double loss = std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(n);
  const double recorded = expected.at("loss").at("value").get<double>();
  const double noise = expected.at("loss").at("noise32").get<double>();
  CHECK(std::abs(loss - recorded) <= allowance<typename B::activation>(recorded, noise));
  model.backward(w, nn::gradients_of::weights);
  check_gradients(model, io::safetensors_file{folder / "gradients.safetensors"},
                  expected.at("gradients.safetensors"));
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("golden tiny-bert: activations, loss, gradients",
                        "[golden]",
                        golden_backends) {
  const auto folder = shared("goldens/tiny-bert");
  if (!folder) return;
  using B = TestType;
  using T = typename B::activation;
  B b = make_backend<B>();
  const auto model = load_model(b, *folder);
  const io::safetensors_file in{*folder / "inputs.safetensors"},
      out{*folder / "expected.safetensors"};
  const nlohmann::json expected = io::read_json(*folder / "expected.json");
  const auto& entries = expected.at("expected.safetensors");
  const auto n = expected.at("sequences").get<std::size_t>();
  packed_batch batch = cut(ints(in, "ids"), ints(in, "types"), ints(in, "offsets"), first(n));
  const auto labels = ints(in, "labels");
  batch.labels.assign(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(n));

  nn::workspace<B> w{b, model->config(), {batch.tokens(), n, 0}, nn::keep::gradients};
  w.batch.write(batch, model->config());
  const auto logits = host(b, model->forward(w));
  check_close<T>(entries.at("logits"), "logits", logits, doubles(out, "logits"));
  check_close<T>(entries.at("hidden.0"), "hidden.0",
                 host(b, w.encoder.embedded.rows(batch.tokens())), doubles(out, "hidden.0"));
  for (std::size_t l = 0; l < model->config().layers; ++l) {
    auto& a = w.encoder.layers[l];
    const std::string s = std::to_string(l), next = "hidden." + std::to_string(l + 1);
    check_close<T>(entries.at("context." + s), "context", host(b, a.context.rows(batch.tokens())),
                   doubles(out, "context." + s));
    check_close<T>(entries.at("after_attention." + s), "after_attention",
                   host(b, a.after_attention.rows(batch.tokens())),
                   doubles(out, "after_attention." + s));
    check_close<T>(entries.at(next), next, host(b, a.output.rows(batch.tokens())),
                   doubles(out, next));
    const std::vector<double> probabilities = doubles(out, "attention." + s);
    auto p = b.template allocate<T>(probabilities.size());
    model->layers().statistics(l, w.batch, w.encoder, {}, {p.data(), p.size(), 1});
    check_close<T>(entries.at("attention." + s), "attention",
                   host(b, view<T>{p.data(), p.size(), 1}), probabilities);
  }
  check_close<T>(entries.at("pooled"), "pooled", host(b, w.sequence->pooled.rows(n)),
                 doubles(out, "pooled"));

  check_backward(*model, w, n, *folder, expected);
}

TEMPLATE_LIST_TEST_CASE("golden tiny-bert-regression: loss, gradients",
                        "[golden]",
                        golden_backends) {
  const auto folder = shared("goldens/tiny-bert-regression");
  if (!folder) return;
  using B = TestType;
  using T = typename B::activation;
  B b = make_backend<B>();
  const auto model = load_model(b, *folder);
  REQUIRE(model->config().head == nn::head_kind::regression);
  const io::safetensors_file in{*folder / "../tiny-bert/inputs.safetensors"};
  const io::safetensors_file out{*folder / "expected.safetensors"};
  const nlohmann::json expected = io::read_json(*folder / "expected.json");
  const auto n = expected.at("sequences").get<std::size_t>();
  packed_batch batch = cut(ints(in, "ids"), ints(in, "types"), ints(in, "offsets"), first(n));
  const auto targets = doubles(in, "targets");
  batch.targets.assign(targets.begin(), targets.begin() + static_cast<std::ptrdiff_t>(n));

  nn::workspace<B> w{b, model->config(), {batch.tokens(), n, 0}, nn::keep::gradients};
  w.batch.write(batch, model->config());
  check_close<T>(expected.at("expected.safetensors").at("logits"), "logits",
                 host(b, model->forward(w)), doubles(out, "logits"));
  check_backward(*model, w, n, *folder, expected);
}

TEMPLATE_LIST_TEST_CASE("golden tiny-bert-mlm: logits, loss, gradients",
                        "[golden]",
                        golden_backends) {
  const auto folder = shared("goldens/tiny-bert-mlm");
  if (!folder) return;
  using B = TestType;
  using T = typename B::activation;
  B b = make_backend<B>();
  const auto model = load_model(b, *folder);
  REQUIRE(model->config().head == nn::head_kind::masked_lm);
  const io::safetensors_file in{*folder / "inputs.safetensors"},
      out{*folder / "expected.safetensors"};
  const nlohmann::json expected = io::read_json(*folder / "expected.json");
  const auto offsets = ints(in, "offsets");
  packed_batch batch = cut(ints(in, "ids"), ints(in, "types"), offsets, first(offsets.size() - 1));
  batch.masked_rows = ints(in, "masked_positions");
  batch.masked_ids = ints(in, "masked_targets");
  const std::size_t n = batch.masked_rows.size();

  nn::workspace<B> w{
      b, model->config(), {batch.tokens(), batch.sequences(), n}, nn::keep::gradients};
  w.batch.write(batch, model->config());
  check_close<T>(expected.at("expected.safetensors").at("logits"), "logits",
                 host(b, model->forward(w)), doubles(out, "logits"));
  check_backward(*model, w, n, *folder, expected);
}
