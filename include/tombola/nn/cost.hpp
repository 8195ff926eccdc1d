#pragma once

#include <cstddef>
#include <cstdint>

#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/config.hpp"
#include "tombola/nn/parameters.hpp"

namespace tombola::nn {

/// How large a model is and how much it computes.
struct model_cost {
  std::size_t parameters = 0;
  std::uint64_t bytes = 0;       ///< of the parameters, 4 each
  double flops_per_token = 0.0;  ///< of a forward pass over sequences of one length
};

/// Floating-point operations of the products of a forward pass, divided by the n tokens of a
/// sequence; a multiplication and an addition count 2.
///
/// For each layer of H heads of D numbers and F neurons, W = H D:
///   2 * 3 C W (queries, keys, values) + 2 * 2 n W (scores and contexts) + 2 C W (output) + 2 * 2 C F;
/// for a classifier 2 (C^2 + C K) / n; for the masked LM, at every token, 2 (C^2 + C V).
/// Lookups, softmax, layer norms, gelu and biases, linear in C, are not counted.
/// Precondition: tokens > 0.
[[nodiscard]] inline double flops_per_token(const bert_config& c, double tokens) noexcept {
  const auto C = static_cast<double>(c.hidden);
  double flops = 0.0;
  for (std::size_t l = 0; l < c.layers; ++l) {
    const auto W = static_cast<double>(c.attention_width(l));
    const auto F = static_cast<double>(c.shape(l).intermediate);
    flops += 8.0 * C * W + 4.0 * tokens * W + 4.0 * C * F;
  }
  if (c.head == head_kind::masked_lm) {
    return flops + 2.0 * C * (C + static_cast<double>(c.vocabulary));
  }
  return flops + 2.0 * C * (C + static_cast<double>(c.labels)) / tokens;
}

/// Cost of a model on sequences of this many tokens. Precondition: tokens > 0; check(c) passed.
[[nodiscard]] inline model_cost cost_of(const bert_config& c, double tokens) {
  parameter_layout layout;
  lay_out(c, layout);
  const std::size_t n = layout.parameter_count();
  return {n, std::uint64_t{4} * n, flops_per_token(c, tokens)};
}

}  // namespace tombola::nn
