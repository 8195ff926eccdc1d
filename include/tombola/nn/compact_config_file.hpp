#pragma once

// Heavy to include: holds JSON values.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/nn/config.hpp"

namespace tombola::nn {

/// What a compact model's config.json says where others name their architecture, and its weights'
/// file where others name their library: whoever does not know it stops there.
inline constexpr const char* compact_model_type = "tombola-compact-bert";
inline constexpr std::size_t compact_format_version = 1;

[[nodiscard]] inline bool is_compact_config(const nlohmann::json& j) {
  return j.is_object() && j.contains("model_type") && j["model_type"] == compact_model_type;
}

/// The config.json of a compact model: the marker, what each layer has left, and the config of the
/// whole model inside it, where no other tool looks: without its `model_type`, by which
/// transformers 5 would find it there. An activation that does not exist stops those that take
/// defaults for all.
/// Precondition: `whole` is an object with a `model_type`.
[[nodiscard]] inline nlohmann::json compact_config_json(nlohmann::json whole,
                                                        const std::vector<layer_shape>& shapes) {
  nlohmann::json whole_type = whole.at("model_type");
  whole.erase("model_type");
  nlohmann::json layers = nlohmann::json::array();
  for (const layer_shape& s : shapes) {
    layers.push_back({{"heads", s.heads},
                      {"intermediate", s.intermediate},
                      {"attention", s.attention},
                      {"mlp", s.mlp}});
  }
  return {{"model_type", compact_model_type},          {"hidden_act", compact_model_type},
          {"format_version", compact_format_version},  {"layers", std::move(layers)},
          {"whole_model_type", std::move(whole_type)}, {"whole", std::move(whole)}};
}

/// What each layer of a compact model has left. Throws format_error, naming file and key; whether
/// the sizes fit the whole model is for check() of its config.
[[nodiscard]] inline std::vector<layer_shape> read_layer_shapes(const nlohmann::json& j,
                                                                const std::filesystem::path& file) {
  const auto version = io::require<std::size_t>(j, "format_version", file);
  if (version != compact_format_version) {
    throw format_error(file.string(), "format_version is " + std::to_string(version) +
                                          ", expected " + std::to_string(compact_format_version));
  }
  const auto layers = io::require<std::vector<nlohmann::json>>(j, "layers", file);
  if (layers.empty()) {
    throw format_error(file.string(), "'layers' is empty, expected one entry for each layer");
  }
  std::vector<layer_shape> shapes;
  for (const nlohmann::json& layer : layers) {
    if (!layer.is_object()) {
      throw format_error(file.string(),
                         "'layers' holds " + io::shown_value(layer) + ", expected objects");
    }
    shapes.push_back({io::require<std::size_t>(layer, "heads", file),
                      io::require<std::size_t>(layer, "intermediate", file),
                      io::require<bool>(layer, "attention", file),
                      io::require<bool>(layer, "mlp", file)});
  }
  return shapes;
}

/// The config of the whole model that a compact one was made of. Throws format_error, naming the
/// file, where it is not there.
[[nodiscard]] inline nlohmann::json read_whole_config(const nlohmann::json& j,
                                                      const std::filesystem::path& file) {
  auto whole = io::require<nlohmann::json>(j, "whole", file);
  if (!whole.is_object()) {
    throw format_error(file.string(),
                       "'whole' is " + io::shown_value(whole) + ", expected an object");
  }
  whole["model_type"] = io::require<std::string>(j, "whole_model_type", file);
  return whole;
}

}  // namespace tombola::nn
