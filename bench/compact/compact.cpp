// How much faster is a model whose pruned units are gone than one where they are masked? Forward
// passes over real sentences, the two in turn.

#include "tombola/nn/compact.hpp"

#include "bench/support/model_work.hpp"

#include "tombola/nn/compact_proof.hpp"

namespace {

using namespace bench;
using model_type = nn::bert<device_type>;

/// A model and what its forward passes need.
class runner {
public:
  runner(model_type& model, const std::vector<packed_batch>& batches)
      : model_{model},
        batches_{batches},
        workspace_{model.device(), model.config(), nn::limits_of(batches), nn::keep::nothing},
        logits_(32 * model.config().labels) {}

  /// Seconds of one pass over all batches.
  double operator()() {
    const auto start = std::chrono::steady_clock::now();
    for (const packed_batch& batch : batches_) {
      workspace_.batch.write(batch, model_.config());
      const view<float> out = model_.forward(workspace_);
      model_.device().read(read_only(out), std::span<float>{logits_}.first(out.size()));
    }
    return std::chrono::duration<double>{std::chrono::steady_clock::now() - start}.count();
  }

private:
  model_type& model_;
  const std::vector<packed_batch>& batches_;
  nn::workspace<device_type> workspace_;
  std::vector<float> logits_;
};

/// Every second unit of a group stays.
mask every_second(std::size_t n) {
  mask m{n};
  for (std::size_t u = 0; u < n; u += 2) m.set(u);
  return m;
}

}  // namespace

int main(int argc, char** argv) {
  const model_options o = read_model_options(argc, argv);
  table t{"compact", "x", o};
  nlohmann::json seconds = nlohmann::json::object();
  const auto batches = read_batches(o, "RTE", "dev", 32, 4);
  const nn::bert_config c = shape_of("base");
  const auto ask = [&](const std::string& what, const ticket& kept) {
    device_type device = make_default_backend(o.threads, product_precision::float32);
    model_type masked{device, c};
    nn::initialise(device, masked.parameters(), 1);
    const auto compact = nn::make_compact(masked, nn::plan_compaction(c, kept));
    nn::mask_units(masked, kept);
    nn::require_agreement(nn::compare_models(masked, *compact, std::span{batches}), "masked",
                          "compact");
    runner slow{masked, batches}, fast{*compact, batches};
    std::vector<double> with, without;
    t.ask({.name = "base, RTE, batch 32, " + what,
           .value =
               [&] {
                 with.push_back(slow());
                 without.push_back(fast());
                 return with.back() / without.back();
               },
           .rivals = {"compact --shape base --task RTE"},
           .threads = o.threads,
           .line = "compact/speed-up over masked"});
    if (!with.empty()) seconds[what] = {{"masked", median(with)}, {"compact", median(without)}};
  };
  const group heads{"heads", {c.layers, c.heads}}, mlps{"mlps", {c.layers}},
      neurons{"neurons", {c.layers, c.intermediate}};
  ask("half of heads and neurons",
      ticket{{heads, neurons},
             {every_second(c.layers * c.heads), every_second(c.layers * c.intermediate)}});
  // The rival's own case.
  ask("half of heads and MLPs",
      ticket{{heads, mlps}, {every_second(c.layers * c.heads), every_second(c.layers)}});
  t.finish({{"seconds", seconds}});
}
