#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/nn/architecture.hpp"

namespace tombola::nn {

/// What stands on top of the encoder.
enum class head_kind {
  classification,  ///< pooler, then one logit per label; cross entropy
  regression,      ///< pooler, then one number; squared error
  masked_lm,       ///< a dense layer, then one logit per vocabulary entry, tied to the embeddings
};

/// What is left of one layer of a compact model (compact.hpp).
///
/// A branch without units is still a branch: its last bias is added, as in a model whose gates are
/// 0. A branch that is not there adds nothing, not even that.
struct layer_shape {
  std::size_t heads = 0;         ///< each as wide as in the whole model
  std::size_t intermediate = 0;  ///< neurons of the MLP
  bool attention = true;  ///< whether the attention branch is there; it then may have no head
  bool mlp = true;        ///< whether the MLP is there; it then may have no neuron

  friend bool operator==(const layer_shape&, const layer_shape&) = default;
};

/// Sizes of an encoder, as in the public config.json files (names there in parentheses; those of
/// another architecture are in its keys).
///
/// Letters used in this folder: V vocabulary, P positions, S segments, C hidden, L layers, H heads
/// of D = C / H numbers, F intermediate, K labels; T tokens and B sequences of a packed batch.
/// Source of the defaults: bert-base-uncased; Devlin et al., NAACL 2019.
struct bert_config {
  std::size_t vocabulary = 30522;   ///< V (vocab_size)
  std::size_t positions = 512;      ///< P (max_position_embeddings)
  std::size_t segments = 2;         ///< S (type_vocab_size); 0 where there are none
  std::size_t hidden = 768;         ///< C (hidden_size)
  std::size_t layers = 12;          ///< L (num_hidden_layers)
  std::size_t heads = 12;           ///< H (num_attention_heads)
  std::size_t intermediate = 3072;  ///< F (intermediate_size)
  double epsilon = 1e-12;           ///< of the layer norms (layer_norm_eps)
  double hidden_dropout = 0.1;      ///< (hidden_dropout_prob)
  double attention_dropout = 0.1;   ///< (attention_probs_dropout_prob)
  double classifier_dropout = 0.1;  ///< (classifier_dropout; hidden_dropout_prob where it is null)
  head_kind head = head_kind::classification;
  std::size_t labels = 2;  ///< K; 1 for regression, unused for masked_lm
  /// Which encoder this is: never null, and longer lived than the model.
  const architecture* family = &bert_architecture;

  /// [L] where layers differ, as in a compact model; empty where all have H heads and F neurons,
  /// which are then the most that a layer may have.
  std::vector<layer_shape> shapes;

  [[nodiscard]] std::size_t head_size() const noexcept { return hidden / heads; }
  [[nodiscard]] bool is_compact() const noexcept { return !shapes.empty(); }
  /// Precondition: l < layers.
  [[nodiscard]] layer_shape shape(std::size_t l) const noexcept {
    return shapes.empty() ? layer_shape{heads, intermediate, true, true} : shapes[l];
  }
  /// Numbers in the context vector of layer l: its heads times D.
  [[nodiscard]] std::size_t attention_width(std::size_t l) const noexcept {
    return shape(l).heads * head_size();
  }
  /// Tokens of the longest sequence: the rows of the position table that tokens use.
  [[nodiscard]] std::size_t longest_sequence() const noexcept {
    return positions - family->position_offset;
  }
  /// Of what attention gives, before it is added to what went in.
  [[nodiscard]] double attended_dropout() const noexcept {
    return family->drops_attended ? hidden_dropout : 0.0;
  }

  friend bool operator==(const bert_config&, const bert_config&) = default;
};

namespace detail {

/// Throws input_error unless the shapes are none, or one possible one for each layer.
inline void check_shapes(const bert_config& c) {
  if (c.shapes.empty()) return;
  const config_keys& k = c.family->keys;
  if (c.shapes.size() != c.layers) {
    throw input_error("model config: sizes of " + std::to_string(c.shapes.size()) +
                      " layers, expected those of " + k.layers + " " + std::to_string(c.layers));
  }
  for (std::size_t l = 0; l < c.layers; ++l) {
    const layer_shape& s = c.shapes[l];
    const auto units = [l](std::size_t n, std::size_t most, bool there, const char* what,
                           const char* branch, const char* key) {
      const std::string found =
          "model config: layer " + std::to_string(l) + " has " + std::to_string(n) + " " + what;
      if (n > most) {
        throw input_error(found + ", expected at most " + key + " " + std::to_string(most));
      }
      if (n > 0 && !there) throw input_error(found + " and no " + branch + ", expected none");
    };
    units(s.heads, c.heads, s.attention, "heads", "attention", k.heads);
    units(s.intermediate, c.intermediate, s.mlp, "neurons", "MLP", k.intermediate);
  }
}

}  // namespace detail

/// Throws input_error, naming the field, unless a model of these sizes can be built.
///
/// The upper bounds keep the number of parameters far from overflow; no BERT comes near them.
inline void check(const bert_config& c) {
  const auto within = [](std::size_t value, std::size_t low, std::size_t high, const char* name) {
    if (value < low || value > high) {
      throw input_error(std::string{"model config: "} + name + " is " + std::to_string(value) +
                        ", expected " + std::to_string(low) + " to " + std::to_string(high));
    }
  };
  const config_keys& k = c.family->keys;
  within(c.vocabulary, 1, 1u << 24, "vocab_size");
  within(c.positions, c.family->position_offset + 1, 1u << 20, "max_position_embeddings");
  within(c.segments, k.segments ? 1 : 0, k.segments ? 1u << 10 : 0u, "type_vocab_size");
  within(c.hidden, 1, 1u << 16, k.hidden);
  within(c.layers, 1, 1u << 10, k.layers);
  within(c.heads, 1, 1u << 10, k.heads);
  within(c.intermediate, 1, 1u << 18, k.intermediate);
  if (c.head != head_kind::masked_lm) within(c.labels, 1, 1u << 16, "number of labels");
  if (c.hidden % c.heads != 0) {
    throw input_error(std::string{"model config: "} + k.hidden + " " + std::to_string(c.hidden) +
                      " is not a multiple of " + k.heads + " " + std::to_string(c.heads));
  }
  // It is added in single precision to a variance, which it is not to drown.
  constexpr double least = std::numeric_limits<float>::min();
  if (!(c.epsilon >= least && c.epsilon <= 1.0)) {
    throw input_error("model config: layer_norm_eps is " + io::shown(c.epsilon) +
                      ", expected a number from 1.2e-38 to 1");
  }
  if (k.epsilon == nullptr && c.epsilon != c.family->epsilon) {
    throw input_error("model config: the layer norms' epsilon is " + io::shown(c.epsilon) +
                      ", a model of type " + c.family->model_type + " has " +
                      io::shown(c.family->epsilon));
  }
  for (const auto& [key, rate] : {std::pair{k.hidden_dropout, c.hidden_dropout},
                                  std::pair{k.attention_dropout, c.attention_dropout},
                                  std::pair{k.classifier_dropout, c.classifier_dropout}}) {
    if (!(rate >= 0.0 && rate < 1.0)) {
      throw input_error(std::string{"model config: "} + key + " is " + io::shown(rate) +
                        ", expected a rate in [0, 1)");
    }
  }
  if (c.head == head_kind::regression && c.labels != 1) {
    throw input_error("model config: regression with " + std::to_string(c.labels) +
                      " labels, expected one");
  }
  detail::check_shapes(c);
}

}  // namespace tombola::nn
