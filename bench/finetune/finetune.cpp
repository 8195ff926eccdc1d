// How many sequences a second does a training step take in: forward, loss, backward, clipping,
// AdamW, dropout 0.1?

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

#include "bench/support/memory.hpp"
#include "bench/support/model_work.hpp"

#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/optimizer.hpp"

namespace {

using namespace bench;

class trainer {
public:
  trainer(int threads,
          product_precision p,
          const nn::bert_config& c,
          const std::vector<packed_batch>& batches)
      : device_{make_default_backend(threads, p)},
        batches_{batches},
        model_{device_, c},
        optimizer_{device_, model_.parameters(), {}},
        workspace_{device_, c, nn::limits_of(batches), nn::keep::gradients} {
    nn::initialise(device_, model_.parameters(), 1);
  }

  void run() {
    for (const packed_batch& batch : batches_) {
      const nn::dropout_plan drop{true, 1, epoch_};
      workspace_.batch.write(batch, model_.config());
      model_.forward(workspace_, drop);
      model_.loss(workspace_, 1.0 / static_cast<double>(batch.sequences()));
      model_.backward(workspace_, nn::gradients_of::weights, drop);
      optimizer_.step(1.0);
    }
    ++epoch_;
    if (optimizer_.has_failed()) throw runtime_failure("a gradient was not finite");  // and waits
  }

private:
  device_type device_;
  const std::vector<packed_batch>& batches_;
  nn::bert<device_type> model_;
  nn::optimizer<device_type> optimizer_;
  nn::workspace<device_type> workspace_;
  std::uint32_t epoch_ = 0;
};

/// What a training run may take: the weights, their gradients and AdamW's two moments in float32, a
/// fifth more, and what the backward pass keeps of each token.
double allowed_bytes(const nn::bert_config& c, double tokens) {
  nn::parameter_layout layout;
  nn::lay_out(c, layout);
  const auto C = static_cast<double>(c.hidden), F = static_cast<double>(c.intermediate),
             L = static_cast<double>(c.layers), H = static_cast<double>(c.heads);
  const double a_token = L * (8 * C + 2 * F + H + 2) + 9 * C + F + 1;
  return 1.2 * 16.0 * static_cast<double>(layout.total()) + 4.0 * tokens * a_token;
}

/// Seconds of the faster of three calls.
template <class Work>
double seconds_of(const Work& work) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 3; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(
        best, std::chrono::duration<double>{std::chrono::steady_clock::now() - start}.count());
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const model_options o = read_model_options(argc, argv);
  const product_peaks peaks = measure_peaks(o.threads);
  table t{"finetune", "sequences/s", o};
  nlohmann::json notes = nlohmann::json::object();
  const auto ask = [&](const std::string& shape, const std::string& task, product_precision p,
                       std::vector<std::string> paddings) {
    const auto batches = read_batches(o, task, "train", 32, 5);
    const nn::bert_config c = shape_of(shape);
    row r;
    r.name = shape + ", " + task + ", batch 32, " + to_string(p);
    if (r.name.find(o.only) == std::string::npos) return;
    std::optional<trainer> ours;
    const std::size_t bytes = memory_of([&] {
      ours.emplace(o.threads, p, c, batches);
      ours->run();
    });
    const double allowed = allowed_bytes(c, static_cast<double>(nn::limits_of(batches).tokens));
    nlohmann::json& noted = notes[r.name];
    noted = {{"memory_bytes", bytes}, {"memory_allowed_bytes", allowed}};
    if (o.threads > 1) {
      trainer alone{1, p, c, batches};
      noted["times_faster_than_one_thread"] =
          seconds_of([&] { alone.run(); }) / seconds_of([&] { ours->run(); });
    }
    r.amount = sequences_of(batches);
    r.limit = limit_rate(r.amount, useful_gflop(c, batches, 3.0), peaks.of(p));
    r.threads = o.threads;
    r.work = [&] { ours->run(); };
    for (const std::string& padding : paddings) {
      r.rivals.push_back("finetune --steps 5 --shape " + shape + " --task " + task + " --padding " +
                         padding + (p == product_precision::bfloat16 ? " --dtype bf16" : ""));
    }
    t.ask(r);
  };
  using enum product_precision;
  ask("base", "CoLA", float32, {"packed", "longest"});
  ask("minilm", "RTE", float32, {"packed", "bucketed", "longest"});
  if (bfloat16_is_faster(peaks)) {
    ask("base", "CoLA", bfloat16, {"packed", "longest"});
    ask("minilm", "RTE", bfloat16, {"packed"});
  }
  t.finish({{"peaks", peaks.json()}, {"notes", notes}});
}
