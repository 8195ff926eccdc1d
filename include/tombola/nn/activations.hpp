#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/nn/config.hpp"
#include "tombola/nn/device_batch.hpp"

namespace tombola::nn {

/// What a forward pass keeps.
enum class keep {
  nothing,            ///< evaluation: one layer's memory, used over and over
  gradients,          ///< what a backward pass to every weight needs
  importance,         ///< what a backward pass to the gates needs: also what the gates multiply
  neuron_importance,  ///< the same, and what the gates of neurons get
};

/// Whether a pass goes back to gates.
[[nodiscard]] constexpr bool for_gates(keep what) noexcept {
  return what == keep::importance || what == keep::neuron_importance;
}

/// A matrix that is planned for its largest numbers of rows and columns and handed out with fewer.
template <backend B>
class planned {
public:
  using number = typename B::activation;
  planned(B& b, std::size_t rows, std::size_t cols)
      : cols_{cols}, memory_{b.template allocate<number>(rows * cols)} {}

  /// The first `rows` rows. Empty where nothing was planned.
  [[nodiscard]] view<number> rows(std::size_t rows) noexcept {
    return memory_.size() == 0 ? view<number>{} : view<number>{memory_.data(), rows, cols_};
  }

  /// The same memory with other columns, as layers of different sizes share it.
  /// Precondition: cols is at most what was planned.
  [[nodiscard]] view<number> rows(std::size_t rows, std::size_t cols) noexcept {
    return memory_.size() == 0 ? view<number>{} : view<number>{memory_.data(), rows, cols};
  }

private:
  std::size_t cols_;
  decltype(std::declval<B&>().template allocate<number>(0)) memory_;
};

/// The most units of each kind that a layer of the model has.
[[nodiscard]] inline layer_shape largest_shape(const bert_config& c) noexcept {
  layer_shape most;
  for (std::size_t l = 0; l < c.layers; ++l) {
    most.heads = std::max(most.heads, c.shape(l).heads);
    most.intermediate = std::max(most.intermediate, c.shape(l).intermediate);
  }
  return most;
}

/// One layer's share of a forward pass. Shapes for T tokens; letters as in config.hpp, W = H * D.
/// What a layer does not have is not planned.
template <backend B>
struct layer_activations {
  layer_activations(B& b, const bert_config& c, const layer_shape& shape, std::size_t T, keep what)
      : layer_activations{b, c, shape, T, what, shape.heads * c.head_size()} {}

  planned<B> qkv;              ///< [T, 3W]
  planned<B> context;          ///< [T, W] what the heads give, gated
  planned<B> ungated;          ///< [T, W] and before the gates
  planned<B> log_sum;          ///< [T, H]
  planned<B> normalized1;      ///< [T, C]
  planned<B> deviation1;       ///< [T]
  planned<B> after_attention;  ///< [T, C] output of the first layer norm
  planned<B> pre;              ///< [T, F] before gelu
  planned<B> up;               ///< [T, F] after it
  planned<B> branch;           ///< [T, C] output of the MLP before its gate
  planned<B> normalized2;      ///< [T, C]
  planned<B> deviation2;       ///< [T]
  planned<B> output;           ///< [T, C] output of the second layer norm

private:
  layer_activations(
      B& b, const bert_config& c, const layer_shape& shape, std::size_t T, keep what, std::size_t W)
      : qkv{b, T, 3 * W},
        context{b, T, W},
        ungated{b, for_gates(what) ? T : 0, W},
        log_sum{b, what == keep::nothing ? 0 : T, shape.heads},
        normalized1{b, what == keep::nothing ? 0 : T, c.hidden},
        deviation1{b, what == keep::nothing ? 0 : T, 1},
        after_attention{b, T, c.hidden},
        pre{b, what == keep::nothing ? 0 : T, shape.intermediate},
        up{b, T, shape.intermediate},
        branch{b, for_gates(what) ? T : 0, c.hidden},
        normalized2{b, what == keep::nothing ? 0 : T, c.hidden},
        deviation2{b, what == keep::nothing ? 0 : T, 1},
        output{b, T, c.hidden} {}
};

/// Memory of a forward and a backward pass of the encoder, planned once for the largest batch.
template <backend B>
struct encoder_activations {
  encoder_activations(B& b, const bert_config& c, const batch_limits& most, keep what)
      : kept{what},
        embedded{b, most.tokens, c.hidden},
        normalized0{b, what == keep::gradients ? most.tokens : 0, c.hidden},
        deviation0{b, what == keep::gradients ? most.tokens : 0, 1},
        scratch{b, most.tokens, c.hidden},
        first_hidden{b, what == keep::nothing ? most.sequences : 0, c.hidden},
        first_context{b, what == keep::nothing ? most.sequences : 0,
                      c.attention_width(c.layers - 1)},
        dhidden{b, what == keep::nothing ? 0 : most.tokens, c.hidden},
        dscratch{b, what == keep::nothing ? 0 : most.tokens, c.hidden},
        dbranch{b, what == keep::nothing ? 0 : most.tokens, c.hidden},
        dqkv{b, what == keep::nothing ? 0 : most.tokens,
             3 * c.head_size() * largest_shape(c).heads},
        dup{b, what == keep::nothing ? 0 : most.tokens, largest_shape(c).intermediate} {
    const std::size_t n = what == keep::nothing ? 1 : c.layers;
    layers.reserve(n);
    for (std::size_t l = 0; l < n; ++l) {
      const layer_shape shape = what == keep::nothing ? largest_shape(c) : c.shape(l);
      layers.emplace_back(b, c, shape, most.tokens, what);
    }
    if (for_gates(what)) {
      for (std::size_t l = 0; l < c.layers; ++l) {
        head_dots.emplace_back(b, most.tokens, c.shape(l).heads);
        mlp_dots.emplace_back(b, most.tokens, 1);
      }
    }
    if (what == keep::neuron_importance) {
      for (std::size_t l = 0; l < c.layers; ++l) {
        neuron_sums.emplace_back(b, most.sequences, c.shape(l).intermediate);
        neuron_absolutes.emplace_back(b, most.sequences, c.shape(l).intermediate);
      }
    }
  }

  [[nodiscard]] layer_activations<B>& of_layer(std::size_t l) noexcept {
    return layers[kept == keep::nothing ? 0 : l];
  }

  keep kept;
  planned<B> embedded;                       ///< [T, C] output of the embeddings
  planned<B> normalized0, deviation0;        ///< [T, C], [T]
  planned<B> scratch;                        ///< [T, C]
  planned<B> first_hidden, first_context;    ///< [B, C], [B, W] what enters the last layer's rest
  planned<B> dhidden, dscratch, dbranch;     ///< [T, C]
  planned<B> dqkv;                           ///< [T, 3W], as wide as the widest layer's
  planned<B> dup;                            ///< [T, F], likewise
  std::vector<layer_activations<B>> layers;  ///< L, or 1 where nothing is kept
  std::vector<planned<B>> head_dots;         ///< L of [T, H]: gradient of each token's head gates
  std::vector<planned<B>> mlp_dots;          ///< L of [T, 1]
  std::vector<planned<B>> neuron_sums, neuron_absolutes;  ///< L of [B, F] (neuron_dots)
};

}  // namespace tombola::nn
