#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "tombola/data/vocabulary.hpp"
#include "tombola/data/wordpiece.hpp"
#include "tombola/experiment/observer.hpp"
#include "tombola/io/sha256.hpp"
#include "tombola/nn/checkpoint.hpp"

namespace tombola::experiment {

/// A model's folder, looked at but not loaded: its config, tokenizer and fingerprint.
struct model_source {
  std::filesystem::path folder;
  nn::bert_config config;
  data::wordpiece tokenizer;
  std::string fingerprint;  ///< of config.json, model.safetensors and vocab.txt together
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

/// Reads config.json and vocab.txt of a public BERT folder and fingerprints it.
/// Throws input_error or format_error, naming the file, where the two do not fit each other.
[[nodiscard]] inline model_source open_model(const std::filesystem::path& folder) {
  nn::bert_config config = nn::read_config(folder);
  data::wordpiece tokenizer{data::vocabulary::read(folder / "vocab.txt")};
  if (tokenizer.pieces().size() > config.vocabulary) {
    throw format_error((folder / "vocab.txt").string(),
                       "has " + std::to_string(tokenizer.pieces().size()) +
                           " pieces, config.json announces " + std::to_string(config.vocabulary));
  }
  require_weights_for(config, folder);
  io::sha256 sum;
  for (const char* name : {"config.json", "model.safetensors", "vocab.txt"}) {
    const std::string one = io::sha256_hex_of_file(folder / name);
    sum.update(std::as_bytes(std::span{one}));
  }
  return {folder, config, std::move(tokenizer), sum.hex()};
}

/// The model of a folder on a backend, with a head for a task of `outputs` outputs. What the folder
/// lacks of the head is initialised from the seed, and said.
template <backend B>
[[nodiscard]] std::unique_ptr<nn::bert<B>> load_for_task(B& b,
                                                         const model_source& source,
                                                         std::size_t outputs,
                                                         std::uint64_t seed,
                                                         const observer& watch) {
  nn::bert_config c = source.config;
  c.labels = outputs;
  c.head = outputs == 1 ? nn::head_kind::regression : nn::head_kind::classification;
  auto model = std::make_unique<nn::bert<B>>(b, c);
  const nn::load_report report = nn::load_weights(*model, source.folder, seed);
  if (!report.initialised.empty()) {
    watch.say("initialised from the seed: " + nn::detail::joined(report.initialised));
  }
  return model;
}

}  // namespace tombola::experiment
