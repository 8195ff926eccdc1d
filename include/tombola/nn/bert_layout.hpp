#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tombola/core/group.hpp"
#include "tombola/nn/config.hpp"
#include "tombola/nn/parameters.hpp"

namespace tombola::nn {

/// Indices of one layer's parameters in the layout. Query, key and value stand adjacent, so that
/// one product makes all three. W is the width of the layer's heads together: C, or less in a
/// compact model. Members that the layer does not have are 0.
struct layer_slots {
  std::size_t query_weight, key_weight, value_weight;  ///< [W, C] each
  std::size_t query_bias, key_bias, value_bias;        ///< [W] each
  std::size_t output_weight, output_bias;              ///< [C, W], [C]
  std::size_t norm1_weight, norm1_bias;                ///< [C]
  std::size_t up_weight, up_bias;                      ///< [F, C], [F]
  std::size_t down_weight, down_bias;                  ///< [C, F], [C]
  std::size_t norm2_weight, norm2_bias;                ///< [C]
};

/// Indices of all parameters of a BERT. Members of a head, or segments, that the model does not
/// have are 0.
struct bert_slots {
  std::size_t word = 0, position = 0, segment = 0;  ///< [V, C], [P, C], [S, C]
  std::size_t norm_weight = 0, norm_bias = 0;       ///< [C], of the embeddings
  std::vector<layer_slots> layers;
  std::size_t pooler_weight = 0, pooler_bias = 0;          ///< [C, C], [C]
  std::size_t classifier_weight = 0, classifier_bias = 0;  ///< [K, C], [K]
  std::size_t transform_weight = 0, transform_bias = 0;    ///< [C, C], [C], of the masked LM
  std::size_t transform_norm_weight = 0, transform_norm_bias = 0;
  std::size_t decoder_bias = 0;  ///< [V]
};

/// The public names of the parameters, without the prefix (`bert.`), and where they lie.
inline bert_slots lay_out(const bert_config& c, parameter_layout& layout) {
  bert_slots s;
  const std::size_t C = c.hidden;
  s.word = layout.add("embeddings.word_embeddings.weight", c.vocabulary, C, true);
  s.position = layout.add("embeddings.position_embeddings.weight", c.positions, C, true);
  if (c.segments > 0) {
    s.segment = layout.add("embeddings.token_type_embeddings.weight", c.segments, C, true);
  }
  s.norm_weight = layout.add("embeddings.LayerNorm.weight", C, 0, false);
  s.norm_bias = layout.add("embeddings.LayerNorm.bias", C, 0, false);
  for (std::size_t l = 0; l < c.layers; ++l) {
    const std::string layer = "encoder.layer." + std::to_string(l) + ".";
    const std::string self = layer + "attention.self.", out = layer + "attention.output.";
    const layer_shape shape = c.shape(l);
    const std::size_t W = c.attention_width(l), F = shape.intermediate;
    layer_slots n{};
    if (W > 0) {
      n.query_weight = layout.add(self + "query.weight", W, C, true);
      n.key_weight = layout.add_adjacent(self + "key.weight", W, C, true);
      n.value_weight = layout.add_adjacent(self + "value.weight", W, C, true);
      n.query_bias = layout.add(self + "query.bias", W, 0, false);
      n.key_bias = layout.add_adjacent(self + "key.bias", W, 0, false);
      n.value_bias = layout.add_adjacent(self + "value.bias", W, 0, false);
      n.output_weight = layout.add(out + "dense.weight", C, W, true);
    }
    if (shape.attention) n.output_bias = layout.add(out + "dense.bias", C, 0, false);
    n.norm1_weight = layout.add(out + "LayerNorm.weight", C, 0, false);
    n.norm1_bias = layout.add(out + "LayerNorm.bias", C, 0, false);
    if (F > 0) {
      n.up_weight = layout.add(layer + "intermediate.dense.weight", F, C, true);
      n.up_bias = layout.add(layer + "intermediate.dense.bias", F, 0, false);
      n.down_weight = layout.add(layer + "output.dense.weight", C, F, true);
    }
    if (shape.mlp) n.down_bias = layout.add(layer + "output.dense.bias", C, 0, false);
    n.norm2_weight = layout.add(layer + "output.LayerNorm.weight", C, 0, false);
    n.norm2_bias = layout.add(layer + "output.LayerNorm.bias", C, 0, false);
    s.layers.push_back(n);
  }
  if (c.head == head_kind::masked_lm) {
    const std::string head = "cls.predictions.";
    s.transform_weight = layout.add(head + "transform.dense.weight", C, C, true);
    s.transform_bias = layout.add(head + "transform.dense.bias", C, 0, false);
    s.transform_norm_weight = layout.add(head + "transform.LayerNorm.weight", C, 0, false);
    s.transform_norm_bias = layout.add(head + "transform.LayerNorm.bias", C, 0, false);
    s.decoder_bias = layout.add(head + "bias", c.vocabulary, 0, false);
  } else {
    s.pooler_weight = layout.add("pooler.dense.weight", C, C, true);
    s.pooler_bias = layout.add("pooler.dense.bias", C, 0, false);
    s.classifier_weight = layout.add("classifier.weight", c.labels, C, true);
    s.classifier_bias = layout.add("classifier.bias", c.labels, 0, false);
  }
  layout.rename([&](const std::string& name) { return name_in(*c.family, name); });
  return s;
}

/// The groups that a structured ticket covers: `heads` (L x H) and `mlps` (L). Those of the whole
/// model where it is compact.
[[nodiscard]] inline std::vector<group> gate_groups(const bert_config& c) {
  return {{"heads", {c.layers, c.heads}}, {"mlps", {c.layers}}};
}

/// The group of a ticket over the neurons of all MLPs, `neurons` (L x F): rows of the first matrix,
/// columns of the second. That of the whole model where it is compact.
[[nodiscard]] inline group neuron_group(const bert_config& c) {
  return {"neurons", {c.layers, c.intermediate}};
}

/// Which parameters of a layer magnitude pruning may remove.
enum class prunable {
  weights,  ///< the six matrices of each layer
  study,    ///< also their biases, without the last one; key before query (spec of the study, 4.4)
  all,      ///< all six biases too
};

/// The groups that a weight ticket covers, layer after layer. A compact model's have the sizes that
/// are left; what it does not have is no group.
[[nodiscard]] inline std::vector<group> weight_groups(const bert_config& c, prunable which) {
  std::vector<group> groups;
  const std::size_t C = c.hidden;
  const bool study = which == prunable::study;
  for (std::size_t l = 0; l < c.layers; ++l) {
    const std::string layer = "encoder.layer." + std::to_string(l) + ".";
    const auto add = [&](const std::string& name, std::size_t rows, std::size_t cols, bool bias) {
      const auto here = [&](const char* part) { return name_in(*c.family, layer + name + part); };
      if (rows * cols > 0) groups.push_back({here(".weight"), {rows, cols}});
      if (bias && rows > 0) groups.push_back({here(".bias"), {rows}});
    };
    const layer_shape shape = c.shape(l);
    const std::size_t W = c.attention_width(l), F = shape.intermediate;
    const bool biases = which != prunable::weights;
    // Only the order decides which of two equal magnitudes goes first.
    add(study ? "attention.self.key" : "attention.self.query", W, C, biases);
    add(study ? "attention.self.query" : "attention.self.key", W, C, biases);
    add("attention.self.value", W, C, biases);
    add("attention.output.dense", C, W, biases && shape.attention);
    add("intermediate.dense", F, C, biases);
    add("output.dense", C, F, which == prunable::all && shape.mlp);
  }
  return groups;
}

}  // namespace tombola::nn
