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

namespace detail {

/// The architecture that config.json names; BERT where it names none, as old ones do.
[[nodiscard]] inline const architecture& architecture_in(const nlohmann::json& j,
                                                         const std::filesystem::path& file) {
  const auto found = io::optional_member<std::string>(j, "model_type", file);
  if (!found) return bert_architecture;
  std::string known;
  for (const architecture* a : architectures) {
    if (*found == a->model_type) return *a;
    known += (known.empty() ? "" : ", ") + io::shown(a->model_type);
  }
  throw format_error(file.string(),
                     "model_type is " + io::shown(*found) + ", expected one of " + known);
}

/// Refuses a checkpoint that another variant of the architecture wrote, naming what was found.
inline void require_plain(const nlohmann::json& j,
                          const architecture& a,
                          const std::filesystem::path& file) {
  const auto expect = [&](const char* key, const char* wanted) {
    const auto found = io::optional_member<std::string>(j, key, file);
    if (found && *found != wanted) {
      throw format_error(file.string(), std::string{key} + " is " + io::shown(*found) +
                                            ", expected " + io::shown(wanted));
    }
  };
  expect(a.keys.activation, "gelu");
  expect("position_embedding_type", "absolute");
  for (const char* key : {"is_decoder", "add_cross_attention"}) {
    if (io::optional_member<bool>(j, key, file).value_or(false)) {
      throw format_error(file.string(), std::string{key} + " is true, expected an encoder");
    }
  }
  const auto problem = io::optional_member<std::string>(j, "problem_type", file);
  if (problem && *problem != "single_label_classification" && *problem != "regression") {
    throw format_error(file.string(), "problem_type is " + io::shown(*problem) +
                                          ", expected single_label_classification or regression");
  }
  if (const auto pruned = io::optional_member<nlohmann::json>(j, "pruned_heads", file);
      pruned && !pruned->empty()) {
    throw format_error(file.string(),
                       "pruned_heads is not empty, expected a model with all its heads");
  }
  const auto pad = io::optional_member<std::size_t>(j, "pad_token_id", file);
  if (a.position_offset > 0 && pad && *pad != a.pad_token) {
    throw format_error(file.string(), "pad_token_id is " + std::to_string(*pad) + ", expected " +
                                          std::to_string(a.pad_token) +
                                          ", behind which positions are counted");
  }
}

[[nodiscard]] inline std::size_t labels_in(const nlohmann::json& j,
                                           const std::filesystem::path& file) {
  if (const auto n = io::optional_member<std::size_t>(j, "num_labels", file)) return *n;
  if (j.contains("id2label") && j["id2label"].is_object()) return j["id2label"].size();
  return 2;  // the default of transformers
}

}  // namespace detail

/// A model's config.json, with the head it was saved with: masked LM where `architectures` says so,
/// regression where there is one label, else classification.
///
/// Also that of a compact model (compact_config_file.hpp). Throws input_error or format_error,
/// naming file and key, for what is missing, of an architecture that is none of nn::architectures,
/// a variant of one, or out of range. Unknown keys are ignored.
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
  const architecture& a = detail::architecture_in(j, file);
  detail::require_plain(j, a, file);
  const config_keys& k = a.keys;
  const auto size = [&](const char* key) { return io::require<std::size_t>(j, key, file); };
  const auto number = [&](const char* key, double otherwise) {
    return key ? io::optional_member<double>(j, key, file).value_or(otherwise) : otherwise;
  };
  bert_config c;
  c.family = &a;
  c.vocabulary = size("vocab_size");
  c.positions = size("max_position_embeddings");
  c.segments = k.segments ? size(k.segments) : 0;
  c.hidden = size(k.hidden);
  c.layers = size(k.layers);
  c.heads = size(k.heads);
  c.intermediate = size(k.intermediate);
  c.epsilon = number(k.epsilon, a.epsilon);
  c.hidden_dropout = number(k.hidden_dropout, 0.1);
  c.attention_dropout = number(k.attention_dropout, 0.1);
  c.classifier_dropout = number(k.classifier_dropout,
                                a.classifier_dropout > 0 ? a.classifier_dropout : c.hidden_dropout);
  c.labels = detail::labels_in(j, file);
  c.head = c.labels == 1 ? head_kind::regression : head_kind::classification;
  const auto names = io::optional_member<nlohmann::json>(j, "architectures", file);
  if (names && names->is_array()) {
    for (const nlohmann::json& name : *names) {
      if (name == a.masked_lm) c.head = head_kind::masked_lm;
    }
  }
  c.shapes = std::move(shapes);
  if (c.head == head_kind::masked_lm &&
      !io::optional_member<bool>(j, "tie_word_embeddings", file).value_or(true)) {
    throw format_error(file.string(),
                       "tie_word_embeddings is false, expected a decoder tied to the embeddings");
  }
  try {
    check(c);
  } catch (const input_error& e) {
    throw format_error(file.string(), e.what());
  }
  return c;
}

/// What read_config reads, as other tools write it; a compact model's so that they refuse it.
[[nodiscard]] inline nlohmann::json config_json(const bert_config& c) {
  const architecture& a = *c.family;
  const config_keys& keys = a.keys;
  nlohmann::json j{
      {"model_type", a.model_type},
      {"architectures", {c.head == head_kind::masked_lm ? a.masked_lm : a.classification}},
      {"vocab_size", c.vocabulary},
      {"max_position_embeddings", c.positions},
      {keys.hidden, c.hidden},
      {keys.layers, c.layers},
      {keys.heads, c.heads},
      {keys.intermediate, c.intermediate},
      {keys.activation, "gelu"},
      {keys.hidden_dropout, c.hidden_dropout},
      {keys.attention_dropout, c.attention_dropout},
      {keys.classifier_dropout, c.classifier_dropout},
      {"initializer_range", 0.02},
      {"pad_token_id", a.pad_token},
  };
  if (keys.segments) j[keys.segments] = c.segments;
  if (keys.epsilon) j[keys.epsilon] = c.epsilon;
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
