// How many sequences a second does a training step take in: forward, loss, backward, clipping,
// AdamW, dropout 0.1? Over real sentences and random weights, on which speed does not depend.
//
//   bench_finetune DATA VOCAB [--task CoLA] [--shape minilm|base|tiny] [--batch 32] [--steps 5]
//                  [--repeat 3] [--threads N]
//
// Prints one JSON line. Batch s holds rows 7919 i mod n of the training file, i from batch * s on.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tombola/data/batches.hpp"
#include "tombola/data/features.hpp"
#include "tombola/data/glue.hpp"
#include "tombola/data/vocabulary.hpp"
#include "tombola/data/wordpiece.hpp"
#include "tombola/eigen/backend.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/initialise.hpp"
#include "tombola/nn/optimizer.hpp"

namespace {

using namespace tombola;
using backend = eigen::backend<float>;

nn::bert_config shape_of(const std::string& name) {
  nn::bert_config c;
  if (name == "minilm") {
    c.layers = 6, c.hidden = 384, c.heads = 12, c.intermediate = 1536;
  } else if (name == "tiny") {
    c.layers = 2, c.hidden = 128, c.heads = 2, c.intermediate = 512;
  } else if (name != "base") {
    throw input_error("shape " + name + ", expected base, minilm or tiny");
  }
  return c;
}

/// Multiply-adds of the encoder on real tokens, three times the forward pass, in GFLOP.
double useful_gflop(const nn::bert_config& c, const std::vector<packed_batch>& batches) {
  const auto C = static_cast<double>(c.hidden), F = static_cast<double>(c.intermediate),
             L = static_cast<double>(c.layers);
  double total = 0.0;
  for (const packed_batch& b : batches) {
    for (std::size_t s = 0; s < b.sequences(); ++s) {
      const double t = b.offsets[s + 1] - b.offsets[s];
      total += t * 2.0 * L * (4.0 * C * C + 2.0 * C * F) + 4.0 * L * t * t * C;
    }
  }
  return 3.0 * total / 1e9;
}

class trainer {
public:
  trainer(backend& b, const nn::bert_config& c, const std::vector<packed_batch>& batches)
      : batches_{batches},
        model_{b, c},
        optimizer_{b, model_.parameters(), {}},
        workspace_{b, c, limits(), nn::keep::gradients} {
    nn::initialise(b, model_.parameters(), 1);
  }

  void run(std::size_t steps) {
    for (std::size_t i = 0; i < steps; ++i) {
      const packed_batch& batch = batches_[i];
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
  [[nodiscard]] nn::batch_limits limits() const {
    nn::batch_limits most;
    for (const packed_batch& b : batches_) {
      most.tokens = std::max(most.tokens, b.tokens());
      most.sequences = std::max(most.sequences, b.sequences());
    }
    return most;
  }

  const std::vector<packed_batch>& batches_;
  nn::bert<backend> model_;
  nn::optimizer<backend> optimizer_;
  nn::workspace<backend> workspace_;
  std::uint32_t epoch_ = 0;
};

int measure(const std::string& data,
            const std::string& vocabulary,
            std::map<std::string, std::string> options) {
  const auto number = [&](const char* name) {
    return static_cast<std::size_t>(std::stoul(options.at(name)));
  };
  const std::size_t batch = number("--batch"), steps = number("--steps");
  const int threads = std::stoi(options.at("--threads"));
  const data::wordpiece tokenizer{data::vocabulary::read(vocabulary)};
  const data::task_description& task = data::find_task(options.at("--task"));
  const auto rows = data::read_examples(task, data + "/" + task.name, "train");
  const auto set = data::encode_examples(task, rows.examples, tokenizer, 128);
  std::vector<std::size_t> order(batch * steps);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i * 7919 % set.size();
  std::vector<packed_batch> batches(steps);
  std::size_t tokens = 0;
  for (std::size_t s = 0; s < steps; ++s) {
    data::fill_batch(set, order, s * batch, batch, batches[s]);
    tokens += batches[s].tokens();
  }
  const nn::bert_config c = shape_of(options.at("--shape"));
  backend b{threads};
  trainer t{b, c, batches};
  t.run(std::min<std::size_t>(2, steps));
  std::vector<double> rates;
  for (std::size_t r = 0; r < number("--repeat"); ++r) {
    const auto started = std::chrono::steady_clock::now();
    t.run(steps);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - started;
    rates.push_back(static_cast<double>(batch * steps) / taken.count());
  }
  std::printf("{\"name\": \"finetune/tombola packed\", \"workload\": {\"task\": \"%s\", ",
              task.name.c_str());
  std::printf("\"shape\": \"%s\", \"batch\": %zu, \"steps\": %zu, \"tokens\": %zu, ",
              options.at("--shape").c_str(), batch, steps, tokens);
  std::printf("\"useful_gflop\": %.6g}, \"unit\": \"sequences/s\", \"better\": \"higher\", ",
              useful_gflop(c, batches));
  std::string values;
  for (const double r : rates) values += (values.empty() ? "" : ", ") + std::to_string(r);
  std::sort(rates.begin(), rates.end());
  std::printf("\"values\": [%s], \"median\": %.6g, \"threads\": %d}\n", values.c_str(),
              rates[rates.size() / 2], threads);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options{
      {"--task", "CoLA"}, {"--shape", "minilm"},
      {"--batch", "32"},  {"--steps", "5"},
      {"--repeat", "3"},  {"--threads", std::to_string(std::thread::hardware_concurrency())}};
  try {
    if (argc < 3 || argc % 2 == 0) {
      std::puts(
          "skipped: bench_finetune DATA VOCAB [--task ...]: needs a GLUE folder and a vocab.txt");
      return argc == 1 ? 0 : 2;
    }
    for (int i = 3; i < argc; i += 2) options.at(argv[i]) = argv[i + 1];
    return measure(argv[1], argv[2], options);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_finetune: %s\n", e.what());
    return 2;
  }
}
