#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "backends/default/product_rate.hpp"
#include "bench/support/rounds.hpp"
#include "default_backend.hpp"

#include "tombola/data/batches.hpp"
#include "tombola/data/features.hpp"
#include "tombola/data/glue.hpp"
#include "tombola/data/vocabulary.hpp"
#include "tombola/data/wordpiece.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/device_batch.hpp"
#include "tombola/nn/initialise.hpp"

// What the questions about BERT share: shapes, real sentences, and what the processor could do.

namespace bench {

using namespace tombola;
using device_type = default_backend;

/// Public shapes; weights are drawn, on which speed does not depend.
inline nn::bert_config shape_of(const std::string& name) {
  nn::bert_config c;
  if (name == "minilm") c.layers = 6, c.hidden = 384, c.heads = 12, c.intermediate = 1536;
  return c;
}

/// Batch s holds rows 7919 i mod n of a task's split, i from batch * s on: a permutation that any
/// program can reproduce.
inline std::vector<packed_batch> read_batches(const model_options& o,
                                              const std::string& task_name,
                                              const std::string& split,
                                              std::size_t batch,
                                              std::size_t steps) {
  const data::wordpiece tokenizer{data::vocabulary::read(o.vocabulary())};
  const data::task_description& task = data::find_task(task_name);
  const auto rows = data::read_examples(task, o.glue() / task.name, split);
  const auto set = data::encode_examples(task, rows.examples, tokenizer, 128);
  std::vector<std::size_t> order(batch * steps);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i * 7919 % set.size();
  std::vector<packed_batch> batches(steps);
  for (std::size_t s = 0; s < steps; ++s) {
    data::fill_batch(set, order, s * batch, batch, batches[s]);
  }
  return batches;
}

inline double tokens_of(const std::vector<packed_batch>& batches) {
  double n = 0.0;
  for (const packed_batch& b : batches) n += static_cast<double>(b.tokens());
  return n;
}

inline double sequences_of(const std::vector<packed_batch>& batches) {
  double n = 0.0;
  for (const packed_batch& b : batches) n += static_cast<double>(b.sequences());
  return n;
}

/// Multiply-adds of the encoder on real tokens, in GFLOP; passes: 1 forward, 2 with gradients of
/// activations, 3 with those of weights.
inline double useful_gflop(const nn::bert_config& c,
                           const std::vector<packed_batch>& batches,
                           double passes) {
  const auto C = static_cast<double>(c.hidden), F = static_cast<double>(c.intermediate),
             L = static_cast<double>(c.layers);
  double total = 0.0;
  for (const packed_batch& b : batches) {
    for (std::size_t s = 0; s < b.sequences(); ++s) {
      const double t = b.offsets[s + 1] - b.offsets[s];
      total += t * 2.0 * L * (4.0 * C * C + 2.0 * C * F) + 4.0 * L * t * t * C;
    }
  }
  return passes * total / 1e9;
}

/// Of one forward pass's, what an evaluation leaves out: behind its attention, the last layer works
/// on the first token of each sequence alone.
inline double spared_gflop(const nn::bert_config& c, const std::vector<packed_batch>& batches) {
  const auto C = static_cast<double>(c.hidden), F = static_cast<double>(c.intermediate);
  return (tokens_of(batches) - sequences_of(batches)) * 2.0 * (C * C + 2.0 * C * F) / 1e9;
}

/// GFLOP/s of large products in both precisions; nothing where a precision is not there.
struct product_peaks {
  double float32 = 0.0;
  std::optional<double> bfloat16;

  [[nodiscard]] double of(product_precision p) const {
    return p == product_precision::float32 ? float32 : bfloat16.value_or(0.0);
  }
  [[nodiscard]] nlohmann::json json() const {
    return {{"products", default_products_in_words()},
            {"float32_gflops", float32},
            {"bfloat16_gflops", bfloat16 ? nlohmann::json(*bfloat16) : nlohmann::json(nullptr)}};
  }
};

inline double product_peak(int threads, product_precision p) {
  device_type b = make_default_backend(threads, p);
  return product_rate(b, 2048, 6);
}

/// Measures both and prints them first.
inline product_peaks measure_peaks(int threads) {
  product_peaks found{product_peak(threads, product_precision::float32), {}};
  try {
    found.bfloat16 = product_peak(threads, product_precision::bfloat16);
  } catch (const input_error&) {
  }
  std::printf("%s\n",
              nlohmann::json{{"name", "limits/products"}, {"peaks", found.json()}}.dump().c_str());
  return found;
}

/// The rate at which the processor's products alone would take `amount` in.
inline double limit_rate(double amount, double gflop, double peak) {
  return peak > 0.0 ? amount * peak / gflop : 0.0;
}

/// Whether bfloat16 is worth a row: its products outrun float32's by a fifth.
inline bool bfloat16_is_faster(const product_peaks& p) {
  return p.bfloat16.value_or(0.0) > 1.2 * p.float32;
}

}  // namespace bench
