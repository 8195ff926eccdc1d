#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/packed_batch.hpp"
#include "tombola/nn/bert.hpp"

namespace tombola::nn {

/// How spread the heads' attention is over a data set, batch after batch.
///
/// A token's attention in one head is a distribution p over the n tokens of its sequence; its
/// entropy is -sum p ln p, in nats, from 0 (one token gets all) to ln n (all get the same). It is
/// taken before gates: a head at gate 0 has one as well. No dropout. Sums in double.
/// Source: K. Clark et al., "What does BERT look at?", BlackboxNLP 2019, section 3.3 (entropy of
/// heads).
template <backend B>
class attention_entropy {
public:
  /// Keeps a reference to the model.
  explicit attention_entropy(bert<B>& model)
      : model_{model},
        heads_{model.gates().head_count()},
        sums_{model.device().template allocate<double>(heads_)} {}

  /// Adds the batch that went forward through w last; any pass will do that keeps every layer, such
  /// as that of weight_statistics or add_importance. Throws input_error where it kept nothing,
  /// shape_error where `batch` is not of its size. Does not wait.
  void add(workspace<B>& w, const packed_batch& batch) {
    if (w.encoder.kept == keep::nothing) {
      throw input_error(
          "attention entropy: the forward pass kept nothing, expected one that keeps layers");
    }
    if (batch.tokens() != w.batch.tokens() || batch.sequences() != w.batch.sequences()) {
      throw shape_error("attention entropy: a batch of " + std::to_string(batch.tokens()) +
                        " tokens, the one that went forward has " +
                        std::to_string(w.batch.tokens()));
    }
    std::size_t first = 0;
    for (std::size_t l = 0; l < model_.config().layers; ++l) {
      const std::size_t n = model_.config().shape(l).heads;
      if (n > 0) {
        model_.layers().statistics(l, w.batch, w.encoder, {sums_.data() + first, n, 1}, {});
      }
      first += n;
    }
    for (std::size_t b = 0; b < batch.sequences(); ++b) {
      const auto n = static_cast<double>(batch.offsets[b + 1] - batch.offsets[b]);
      largest_ += n * std::log(n);
    }
    tokens_ += batch.tokens();
  }

  [[nodiscard]] std::size_t tokens() const noexcept { return tokens_; }

  /// Mean entropy over all tokens, in nats: [L, H], of a compact model the heads that are left,
  /// layer after layer. 0 before any token. Waits.
  [[nodiscard]] std::vector<double> mean() {
    std::vector<double> m(heads_);
    model_.device().read(read_only(view<double>{sums_.data(), heads_, 1}), std::span<double>{m});
    for (double& x : m) x = tokens_ == 0 ? 0.0 : x / static_cast<double>(tokens_);
    return m;
  }

  /// How far a head is from looking everywhere alike: mean over all tokens of ln n minus the
  /// entropy, in nats; [L, H] as above, at least 0. It is the Kullback-Leibler divergence of p from
  /// the uniform distribution, and it ranks heads as the entropy does, the other way round. Waits.
  [[nodiscard]] std::vector<double> focus() {
    const double most = tokens_ == 0 ? 0.0 : largest_ / static_cast<double>(tokens_);
    std::vector<double> f = mean();
    for (double& x : f) x = std::max(0.0, most - x);
    return f;
  }

private:
  bert<B>& model_;
  std::size_t heads_;
  decltype(std::declval<B&>().template allocate<double>(0)) sums_;  ///< [heads_]
  double largest_ = 0.0;  ///< what the sums would be, were all attention uniform
  std::size_t tokens_ = 0;
};

}  // namespace tombola::nn
