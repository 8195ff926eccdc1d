#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tombola/experiment/observer.hpp"
#include "tombola/experiment/task_data.hpp"
#include "tombola/nn/bert.hpp"

namespace tombola::experiment {

/// Adds what a batch's logits [n, K] say: the largest one's class (the lower of equals), or, for
/// K = 1, the number itself. Throws runtime_failure at a logit that is NaN.
template <class T>
void append_predictions(std::span<const T> logits, std::size_t outputs, predictions& to) {
  for (std::size_t i = 0; i < logits.size(); i += outputs) {
    const auto row = logits.subspan(i, outputs);
    for (const T x : row) {
      if (std::isnan(x)) {
        throw runtime_failure("the model answers NaN for example " +
                              std::to_string(to.classes.size() + to.values.size()) +
                              ", expected numbers");
      }
    }
    if (outputs == 1) {
      to.values.push_back(static_cast<float>(row[0]));
    } else {
      to.classes.push_back(
          static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
    }
  }
}

/// The same of logits that lie on a backend. Waits.
template <backend B>
void append_predictions(B& device, view<typename B::activation> logits, predictions& to) {
  using A = typename B::activation;
  std::vector<A> read(logits.size());
  device.read(read_only(logits), std::span<A>{read});
  append_predictions<A>(read, logits.cols, to);
}

/// What the model says about every example of a set, in order, without dropout.
/// w: planned for limits_of(set, file order, batch). Waits once per batch.
template <backend B>
[[nodiscard]] predictions predict(nn::bert<B>& model,
                                  nn::workspace<B>& w,
                                  const data::encoded_set& set,
                                  std::size_t batch,
                                  const observer& watch = {}) {
  const std::vector<std::size_t> order = data::file_order(set.size());
  predictions all;
  packed_batch host;
  for (std::size_t first = 0; first < set.size(); first += batch) {
    data::fill_batch(set, order, first, std::min(batch, set.size() - first), host);
    w.batch.write(host, model.config());
    append_predictions(model.device(), model.forward(w), all);
    if (watch.wants_stop()) throw interrupted("stopped while evaluating; nothing was written");
  }
  return all;
}

/// A workspace for evaluating a set.
template <backend B>
[[nodiscard]] nn::workspace<B> evaluation_workspace(nn::bert<B>& model,
                                                    const data::encoded_set& set,
                                                    std::size_t batch) {
  return {model.device(), model.config(), limits_of(set, data::file_order(set.size()), batch),
          nn::keep::nothing};
}

}  // namespace tombola::experiment
