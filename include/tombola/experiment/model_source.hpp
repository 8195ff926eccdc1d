#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "tombola/data/tokenizer.hpp"
#include "tombola/experiment/observer.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/io/sha256.hpp"
#include "tombola/nn/checkpoint.hpp"

namespace tombola::experiment {

/// A model's folder, looked at but not loaded: its config, tokenizer and fingerprint.
struct model_source {
  std::filesystem::path folder;
  nn::bert_config config;
  data::tokenizer tokenizer;
  std::string fingerprint;  ///< of config.json, model.safetensors and the vocabulary together
};

/// Throws format_error where the weights' file is too small for the encoder that config.json
/// announces, at half a byte a number: no memory is asked for on a config's word alone.
inline void require_weights_for(nn::bert_config c, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "model.safetensors";
  std::error_code code;
  const auto bytes = std::filesystem::file_size(file, code);
  if (code) throw input_error(file.string() + ": cannot be read: " + code.message());
  c.labels = 1;
  c.head = nn::head_kind::regression;
  nn::parameter_layout layout;
  nn::lay_out(c, layout);
  if (layout.parameter_count() / 2 > bytes) {
    throw format_error(file.string(), "has " + std::to_string(bytes) +
                                          " bytes, config.json announces " +
                                          std::to_string(layout.parameter_count()) + " parameters");
  }
}

/// The tokenizer of a folder with a model of this architecture. Throws as its reader does.
[[nodiscard]] inline data::tokenizer open_tokenizer(const nn::architecture& a,
                                                    const std::filesystem::path& folder) {
  return a.tokenizer == nn::tokenizer_kind::byte_bpe ? data::tokenizer::read_byte_bpe(folder)
                                                     : data::tokenizer::read_wordpiece(folder);
}

/// Reads config.json and the tokenizer of a public folder of any of nn::architectures, and
/// fingerprints it. Throws input_error or format_error, naming the file, where they do not fit each
/// other.
[[nodiscard]] inline model_source open_model(const std::filesystem::path& folder) {
  nn::bert_config config = nn::read_config(folder);
  data::tokenizer tokenizer = open_tokenizer(*config.family, folder);
  const std::string file = tokenizer.vocabulary_file().string();
  if (tokenizer.size() > config.vocabulary) {
    throw format_error(file, "has " + std::to_string(tokenizer.size()) +
                                 " pieces, config.json announces " +
                                 std::to_string(config.vocabulary));
  }
  const auto pad = static_cast<std::size_t>(tokenizer.pad());
  if (config.family->position_offset > 0 && pad != config.family->pad_token) {
    throw format_error(file, "gives the padding the id " + std::to_string(pad) + ", expected " +
                                 std::to_string(config.family->pad_token) +
                                 ", behind which positions are counted");
  }
  require_weights_for(config, folder);
  std::vector<std::string> names{"config.json", "model.safetensors"};
  names.insert(names.end(), tokenizer.names().begin(), tokenizer.names().end());
  io::sha256 sum;
  for (const std::string& name : names) {
    const std::string one = io::sha256_hex_of_file(folder / name);
    sum.update(std::as_bytes(std::span{one}));
  }
  return {folder, config, std::move(tokenizer), sum.hex()};
}

/// The config of a model with a head for a task of `outputs` outputs.
[[nodiscard]] inline nn::bert_config config_for_task(nn::bert_config c, std::size_t outputs) {
  c.labels = outputs;
  c.head = outputs == 1 ? nn::head_kind::regression : nn::head_kind::classification;
  return c;
}

namespace detail {

/// Throws input_error where the folder has a classifier for another number of outputs.
inline void require_outputs(const model_source& source, std::size_t outputs) {
  const nn::architecture& family = *source.config.family;
  const io::safetensors_file file{source.folder / "model.safetensors"};
  const io::tensor_entry* t =
      file.find(nn::prefixed(family, nn::name_in(family, "classifier.weight")));
  if (t == nullptr || t->shape.empty() || t->shape[0] == outputs) return;
  throw input_error(source.folder.string() + ": the classifier has " + std::to_string(t->shape[0]) +
                    " outputs, the task " + std::to_string(outputs) +
                    "; expected a model with as many, or without a classifier");
}

}  // namespace detail

/// Throws what load_for_task throws of the folder's header, before anything is written.
inline void require_loads(const model_source& source, std::size_t outputs) {
  detail::require_outputs(source, outputs);
  nn::require_weights(config_for_task(source.config, outputs), source.folder);
}

/// The model of a folder on a backend, with a head for a task of `outputs` outputs. What the folder
/// lacks of the head is initialised from the seed, and said. Throws input_error where the folder has
/// a head for another number.
template <backend B>
[[nodiscard]] std::unique_ptr<nn::bert<B>> load_for_task(B& b,
                                                         const model_source& source,
                                                         std::size_t outputs,
                                                         std::uint64_t seed,
                                                         const observer& watch) {
  detail::require_outputs(source, outputs);
  auto model = std::make_unique<nn::bert<B>>(b, config_for_task(source.config, outputs));
  const nn::load_report report = nn::load_weights(*model, source.folder, seed);
  if (!report.initialised.empty()) {
    watch.say("initialised from the seed: " + nn::detail::joined(report.initialised));
  }
  return model;
}

}  // namespace tombola::experiment
