#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tombola/data/masked_lm.hpp"
#include "tombola/data/wordpiece.hpp"
#include "tombola/experiment/result.hpp"
#include "tombola/experiment/run.hpp"
#include "tombola/experiment/run_name.hpp"
#include "tombola/experiment/setting.hpp"
#include "tombola/experiment/train.hpp"
#include "tombola/experiment/training_loop.hpp"
#include "tombola/nn/initialise.hpp"

namespace tombola::experiment {

/// Masked language modelling from scratch: how small models come to be.
struct pretrain_settings {
  std::filesystem::path corpus;      ///< text, one sentence a line
  std::filesystem::path vocabulary;  ///< a vocab.txt
  std::string name = "corpus";       ///< what folder and report call the text
  nn::bert_config model;             ///< sizes; vocabulary and head are set here
  std::uint64_t seed = 1;
  nn::adamw_settings optimizer;
  std::size_t epochs = 1;
  std::size_t batch = 32;
  std::size_t max_length = 128;
  double warm_up_share = 0.05;
  double checkpoint_seconds = 60.0;
  product_precision precision = product_precision::float32;
};

struct prepared_pretraining {
  pretrain_settings settings;
  data::wordpiece tokenizer;
  data::corpus text;
  run_key key;
};

/// Reads everything that pretraining needs; nothing is written. Throws as the readers do, and
/// input_error for a model whose text is not WordPieces, or a name that no folder can have.
[[nodiscard]] inline prepared_pretraining prepare(pretrain_settings s) {
  require_run_name(s.name, "pretraining: the text's name");
  if (s.model.family->tokenizer != nn::tokenizer_kind::wordpiece) {
    throw input_error(std::string{"pretraining: found a model of type "} +
                      s.model.family->model_type +
                      ", expected one whose vocabulary is a vocab.txt");
  }
  data::wordpiece tokenizer{data::vocabulary::read(s.vocabulary)};
  s.model.vocabulary = tokenizer.pieces().size();
  s.model.head = nn::head_kind::masked_lm;
  nn::check(s.model);
  static_cast<void>(tokenizer.pieces().mask());
  if (s.max_length > s.model.longest_sequence()) {
    throw input_error("max length is " + std::to_string(s.max_length) + ", expected at most the " +
                      std::to_string(s.model.longest_sequence()) + " positions of the model");
  }
  data::corpus text = data::read_corpus(s.corpus, tokenizer, s.max_length);
  nlohmann::json settings{{"corpus", text.sentences.fingerprint()},
                          {"vocabulary", io::sha256_hex_of_file(s.vocabulary)},
                          {"config", nn::config_json(s.model)},
                          {"optimizer", to_string(s.optimizer.form)},
                          {"rate", s.optimizer.rate},
                          {"decay", s.optimizer.decay},
                          {"max_norm", s.optimizer.max_norm},
                          {"epochs", s.epochs},
                          {"batch", s.batch},
                          {"max_length", s.max_length},
                          {"warm_up_share", s.warm_up_share}};
  require_finite(settings);
  put_precision(settings, s.precision);
  run_key key{"pretrain", s.name, s.seed, std::move(settings)};
  return {std::move(s), std::move(tokenizer), std::move(text), std::move(key)};
}

/// Pretrains, or goes on where it was stopped; does nothing where the run is done. The folder then
/// holds model/, run.json and result.json.
template <backend B>
void pretrain(B& b,
              const prepared_pretraining& p,
              const run_folder& folder,
              const provenance_of_run& who,
              const observer& watch) {
  const auto lock = folder.begin();
  if (!lock) return;
  const pretrain_settings& s = p.settings;
  const std::vector<std::pair<std::string, std::string>> tokenizer{
      {"vocab.txt", io::read_text(s.vocabulary, data::vocabulary::longest_file)}};
  const std::vector<run_input> inputs{
      {"corpus", s.corpus.string(), io::sha256_hex_of_file(s.corpus)},
      {"vocabulary", s.vocabulary.string(), io::sha256_hex_of_file(s.vocabulary)}};
  const data::encoded_set& set = p.text.sentences;
  nn::bert<B> model{b, s.model};
  nn::initialise(b, model.parameters(), s.seed);
  const loop_plan plan{"pretrain " + s.name + " seed " + std::to_string(s.seed),
                       set.size(),
                       s.batch,
                       s.epochs,
                       1,
                       s.seed,
                       s.warm_up_share,
                       s.checkpoint_seconds};
  nn::batch_limits most;
  for (std::uint32_t e = 0; e < s.epochs; ++e) {
    const auto one = limits_of(set, data::epoch_order(set.size(), s.seed, e), s.batch);
    most.tokens = std::max(most.tokens, one.tokens);
    most.sequences = std::max(most.sequences, one.sequences);
  }
  // A sequence of n tokens has round(0.15 n) of them chosen, and at least one.
  most.masked = most.sequences + (most.tokens * 15 + 99) / 100;
  loop_position end;
  {
    training_loop<B> loop{model, s.optimizer, plan, most, folder / "state.safetensors", watch};
    end = loop.run([&](std::span<const std::size_t> order, std::size_t first, std::size_t count,
                       std::uint32_t epoch, packed_batch& batch) {
      data::fill_batch(set, order, first, count, batch);
      data::mask_tokens(batch, p.tokenizer.pieces(), s.seed, epoch);
    });
  }
  save_model_folder(model, tokenizer, folder / "model");
  nlohmann::json result;
  result["metric"] = "negative_masked_lm_loss";
  result["score"] = -end.last_epoch_loss;
  result["metrics"] = {{"masked_lm_loss", end.last_epoch_loss},
                       {"unigram_loss", data::unigram_loss(set, p.tokenizer.pieces())}};
  put_common(result, who, inputs, end.seconds, static_cast<double>(end.tokens));
  result["majority"] = nullptr;
  result["ticket"] = nullptr;
  result["retrained"] = false;
  result["training"] = {{"steps", plan.steps()}, {"examples", set.size()}, {"tokens", end.tokens}};
  folder.finish(std::move(result));
  folder.discard("state.safetensors");
}

}  // namespace tombola::experiment
