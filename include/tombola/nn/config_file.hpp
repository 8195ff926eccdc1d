#pragma once

// Heavy to include: parses JSON.

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/nn/compact_config_file.hpp"
#include "tombola/nn/config.hpp"

namespace tombola::nn {

/// Architecture names that public BERT checkpoints write into config.json.
inline constexpr const char* classification_architecture = "BertForSequenceClassification";
inline constexpr const char* masked_lm_architecture = "BertForMaskedLM";

namespace detail {

/// Refuses a checkpoint that another architecture or variant wrote, naming what was found.
inline void require_plain_bert(const nlohmann::json& j, const std::filesystem::path& file) {
  const auto expect = [&](const char* key, const char* wanted) {
    const auto found = io::optional_member<std::string>(j, key, file);
    if (found && *found != wanted) {
      throw format_error(file.string(), std::string{key} + " is " + io::shown(*found) +
                                            ", expected " + io::shown(wanted));
    }
  };
  expect("model_type", "bert");
  expect("hidden_act", "gelu");
  expect("position_embedding_type", "absolute");
  if (io::optional_member<bool>(j, "is_decoder", file).value_or(false)) {
    throw format_error(file.string(), "is_decoder is true, expected an encoder");
  }
  if (j.contains("pruned_heads") && j["pruned_heads"].is_object() && !j["pruned_heads"].empty()) {
    throw format_error(file.string(),
                       "pruned_heads is not empty, expected a model with all its heads");
  }
}

[[nodiscard]] inline std::size_t labels_in(const nlohmann::json& j,
                                           const std::filesystem::path& file) {
  if (const auto n = io::optional_member<std::size_t>(j, "num_labels", file)) return *n;
  if (j.contains("id2label") && j["id2label"].is_object()) return j["id2label"].size();
  return 2;  // the default of transformers
}

}  // namespace detail

/// A model's config.json, with the head it was saved with: masked LM where the architecture says
/// so, regression where there is one label, else classification.
///
/// Also that of a compact model (compact_config_file.hpp). Throws input_error or format_error, naming
/// file and key, for what is missing, of another architecture, or out of range. Unknown keys are
/// ignored.
[[nodiscard]] inline bert_config read_config(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "config.json";
  nlohmann::json j = io::read_json(file);
  if (!j.is_object()) {
    throw format_error(file.string(), "holds " + io::shown_value(j) + ", expected an object");
  }
  std::vector<layer_shape> shapes;
  if (is_compact_config(j)) {
    shapes = read_layer_shapes(j, file);
    j = read_whole_config(j, file);
  }
  detail::require_plain_bert(j, file);
  const auto size = [&](const char* key) { return io::require<std::size_t>(j, key, file); };
  const auto number = [&](const char* key, double otherwise) {
    return io::optional_member<double>(j, key, file).value_or(otherwise);
  };
  bert_config c;
  c.vocabulary = size("vocab_size");
  c.positions = size("max_position_embeddings");
  c.segments = size("type_vocab_size");
  c.hidden = size("hidden_size");
  c.layers = size("num_hidden_layers");
  c.heads = size("num_attention_heads");
  c.intermediate = size("intermediate_size");
  c.epsilon = number("layer_norm_eps", 1e-12);
  c.hidden_dropout = number("hidden_dropout_prob", 0.1);
  c.attention_dropout = number("attention_probs_dropout_prob", 0.1);
  c.classifier_dropout = number("classifier_dropout", c.hidden_dropout);
  c.labels = detail::labels_in(j, file);
  c.head = c.labels == 1 ? head_kind::regression : head_kind::classification;
  const auto names = io::optional_member<nlohmann::json>(j, "architectures", file);
  if (names && names->is_array()) {
    for (const nlohmann::json& name : *names) {
      if (name == masked_lm_architecture) c.head = head_kind::masked_lm;
    }
  }
  c.shapes = std::move(shapes);
  try {
    check(c);
  } catch (const input_error& e) {
    throw format_error(file.string(), e.what());
  }
  return c;
}

/// What read_config reads, as other tools write it; a compact model's so that they refuse it.
[[nodiscard]] inline nlohmann::json config_json(const bert_config& c) {
  nlohmann::json j{
      {"model_type", "bert"},
      {"architectures",
       {c.head == head_kind::masked_lm ? masked_lm_architecture : classification_architecture}},
      {"vocab_size", c.vocabulary},
      {"max_position_embeddings", c.positions},
      {"type_vocab_size", c.segments},
      {"hidden_size", c.hidden},
      {"num_hidden_layers", c.layers},
      {"num_attention_heads", c.heads},
      {"intermediate_size", c.intermediate},
      {"hidden_act", "gelu"},
      {"layer_norm_eps", c.epsilon},
      {"hidden_dropout_prob", c.hidden_dropout},
      {"attention_probs_dropout_prob", c.attention_dropout},
      {"classifier_dropout", c.classifier_dropout},
      {"initializer_range", 0.02},
      {"pad_token_id", 0},
  };
  if (c.head != head_kind::masked_lm) {
    nlohmann::json ids = nlohmann::json::object(), labels = nlohmann::json::object();
    for (std::size_t k = 0; k < c.labels; ++k) {
      ids[std::to_string(k)] = "LABEL_" + std::to_string(k);
      labels["LABEL_" + std::to_string(k)] = k;
    }
    j["id2label"] = ids;
    j["label2id"] = labels;
    if (c.head == head_kind::regression) j["problem_type"] = "regression";
  }
  return c.is_compact() ? compact_config_json(j, c.shapes) : j;
}

}  // namespace tombola::nn
