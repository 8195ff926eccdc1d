// How many tokens a second does a model answer for: forward passes over real sentences?

#include "bench/support/model_work.hpp"

int main(int argc, char** argv) {
  using namespace bench;
  const model_options o = read_model_options(argc, argv);
  const product_peaks peaks = measure_peaks(o.threads);
  table t{"evaluate", "tokens/s", o};
  const auto ask = [&](const std::string& shape, const std::string& task, product_precision p) {
    const auto batches = read_batches(o, task, "dev", 32, 8);
    const nn::bert_config c = shape_of(shape);
    device_type device = make_default_backend(o.threads, p);
    nn::bert<device_type> model{device, c};
    nn::initialise(device, model.parameters(), 1);
    nn::workspace<device_type> w{device, c, nn::limits_of(batches), nn::keep::nothing};
    std::vector<float> logits(32 * c.labels);
    row r;
    r.name = shape + ", " + task + ", batch 32, " + to_string(p);
    r.amount = tokens_of(batches);
    const double gflop = useful_gflop(c, batches, 1.0) - spared_gflop(c, batches);
    r.limit = limit_rate(r.amount, gflop, peaks.of(p));
    r.threads = o.threads;
    r.work = [&] {
      for (const packed_batch& batch : batches) {
        w.batch.write(batch, c);
        const view<float> out = model.forward(w);
        device.read(read_only(out), std::span<float>{logits}.first(out.size()));
      }
    };
    const std::string rival = "evaluate --steps 8 --shape " + shape + " --task " + task +
                              (p == product_precision::bfloat16 ? " --dtype bf16" : "");
    r.rivals = {rival + " --padding packed", rival + " --padding longest"};
    t.ask(r);
  };
  using enum product_precision;
  ask("base", "RTE", float32);
  if (bfloat16_is_faster(peaks)) ask("base", "RTE", bfloat16);
  t.finish({{"peaks", peaks.json()}});
}
