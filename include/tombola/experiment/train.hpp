#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "tombola/experiment/model_source.hpp"
#include "tombola/experiment/predict.hpp"
#include "tombola/experiment/result.hpp"
#include "tombola/experiment/run.hpp"
#include "tombola/experiment/run_name.hpp"
#include "tombola/experiment/setting.hpp"
#include "tombola/experiment/task_data.hpp"
#include "tombola/experiment/ticket_fits.hpp"
#include "tombola/experiment/ticket_summary.hpp"
#include "tombola/experiment/training_loop.hpp"
#include "tombola/io/atomic_folder.hpp"
#include "tombola/io/ticket_file.hpp"
#include "tombola/nn/checkpoint.hpp"

namespace tombola::experiment {

/// Fine-tuning on a task. Defaults are the study's (spec 2.2), but the rows: 0 takes all.
struct train_settings {
  std::filesystem::path model;  ///< a public BERT folder
  std::filesystem::path data;   ///< folder with one folder per task
  std::string task;
  std::uint64_t seed = 1;
  std::filesystem::path ticket;  ///< empty: the full model
  nn::weight_form form = nn::weight_form::stored_zeros;
  nn::adamw_settings optimizer;
  std::size_t epochs = 3;
  std::size_t batch = 32;
  std::size_t evaluation_batch = 64;
  std::size_t accumulation = 1;
  std::size_t max_length = 128;
  std::size_t rows = 0;  ///< of the training set, drawn by the seed
  double warm_up_share = 0.0;
  product_precision precision = product_precision::float32;
  double checkpoint_seconds = 60.0;  ///< changes no result
};

/// `stored_zeros` or `study`.
[[nodiscard]] constexpr const char* to_string(nn::weight_form f) noexcept {
  return f == nn::weight_form::study ? "study" : "stored_zeros";
}
[[nodiscard]] constexpr const char* to_string(adamw_form f) noexcept {
  return f == adamw_form::study ? "study" : "torch";
}

/// A training run whose inputs have been read and checked, and whose folder is known.
struct prepared_training {
  train_settings settings;
  model_source source;
  data::task_description task;
  split train, dev;
  std::optional<tombola::ticket> ticket;
  run_key key;
};

[[nodiscard]] inline nlohmann::json settings_json(const train_settings& s) {
  return {{"form", to_string(s.form)},
          {"optimizer", to_string(s.optimizer.form)},
          {"rate", s.optimizer.rate},
          {"beta1", s.optimizer.beta1},
          {"beta2", s.optimizer.beta2},
          {"epsilon", s.optimizer.epsilon},
          {"decay", s.optimizer.decay},
          {"max_norm", s.optimizer.max_norm},
          {"epochs", s.epochs},
          {"batch", s.batch},
          {"accumulation", s.accumulation},
          {"max_length", s.max_length},
          {"rows", s.rows},
          {"warm_up_share", s.warm_up_share}};
}

/// Reads everything a training run needs; nothing is written. Throws as the readers do, and
/// input_error for a ticket that does not fit the model, or more batches in a step than there are.
[[nodiscard]] inline prepared_training prepare(const train_settings& s) {
  model_source source = open_model(s.model);
  data::task_description task = data::open_task(s.data, s.task);
  require_run_name(task.name, "training: the task's name");
  require_loads(source, task.outputs());
  if (s.max_length > source.config.longest_sequence()) {
    throw input_error("max length is " + std::to_string(s.max_length) + ", expected at most the " +
                      std::to_string(source.config.longest_sequence()) + " positions of the model");
  }
  split train =
      read_split(task, s.data / task.name, "train", source.tokenizer, s.max_length, s.rows, s.seed);
  split dev = read_split(task, s.data / task.name, "dev", source.tokenizer, s.max_length);
  std::optional<ticket> t;
  if (!s.ticket.empty()) {
    t = read_ticket_for(s.ticket, config_for_task(source.config, task.outputs()), s.model);
  }
  if (s.batch > 0 && data::batch_count(train.set.size(), s.batch) < s.accumulation) {
    throw input_error("training: the " +
                      std::to_string(data::batch_count(train.set.size(), s.batch)) +
                      " batches of an epoch make no step of " + std::to_string(s.accumulation));
  }
  nlohmann::json settings = settings_json(s);
  require_finite(settings);
  if (s.rows >= train.in_file) settings["rows"] = 0;  // as many as there are: nothing was drawn
  put_precision(settings, s.precision);
  settings["model"] = source.fingerprint;
  settings["train"] = train.fingerprint;
  settings["dev"] = dev.fingerprint;
  put_ticket(settings, t);
  run_key key{"train", task.name, s.seed, std::move(settings)};
  return {s,
          std::move(source),
          std::move(task),
          std::move(train),
          std::move(dev),
          std::move(t),
          std::move(key)};
}

[[nodiscard]] inline std::vector<run_input> inputs_of(const prepared_training& p) {
  std::vector<run_input> inputs{
      {"model", p.settings.model.string(), p.source.fingerprint},
      {"train", p.train.file.string(), io::sha256_hex_of_file(p.train.file)},
      {"dev", p.dev.file.string(), io::sha256_hex_of_file(p.dev.file)}};
  if (p.ticket) {
    inputs.push_back(
        {"ticket", p.settings.ticket.string(), io::sha256_hex_of_file(p.settings.ticket)});
  }
  return inputs;
}

/// Saves the trained model as a public model folder, in place of one that is there; a `model`
/// folder is always complete. tokenizer: name and text of each of its files. Throws
/// runtime_failure, naming the file, where the disk does not take it.
template <backend B>
void save_model_folder(nn::bert<B>& model,
                       const std::vector<std::pair<std::string, std::string>>& tokenizer,
                       const std::filesystem::path& target) {
  std::error_code code;
  std::filesystem::remove_all(target, code);
  if (code) throw runtime_failure(target.string() + ": cannot be replaced: " + code.message());
  io::atomic_folder making{target};
  making.named([&] {
    for (const auto& [name, text] : tokenizer) io::write_file(making.path() / name, text);
    nn::save_model(model, making.path());
  });
  making.commit();
}

/// Fine-tunes, evaluates on the development set, saves the model; or goes on where it was stopped.
///
/// Does nothing where the run is done. The folder then holds model/, the ticket it was trained
/// under as ticket.safetensors, run.json and result.json.
template <backend B>
void train(B& b,
           const prepared_training& p,
           const run_folder& folder,
           const provenance_of_run& who,
           const observer& watch) {
  const auto lock = folder.begin();
  if (!lock) return;
  const train_settings& s = p.settings;
  // Now: after hours of training the inputs may be elsewhere.
  const auto tokenizer = p.source.tokenizer.files();
  const std::vector<run_input> inputs = inputs_of(p);
  auto model = load_for_task(b, p.source, p.task.outputs(), s.seed, watch);
  if (p.ticket) {
    model->apply(*p.ticket, s.form);
    io::write_ticket(folder / "ticket.safetensors", *p.ticket);
  }
  const loop_plan plan{"train " + p.task.name + " seed " + std::to_string(s.seed),
                       p.train.set.size(),
                       s.batch,
                       s.epochs,
                       s.accumulation,
                       s.seed,
                       s.warm_up_share,
                       s.checkpoint_seconds};
  nn::batch_limits most;
  for (std::uint32_t e = 0; e < s.epochs; ++e) {
    const auto one =
        limits_of(p.train.set, data::epoch_order(p.train.set.size(), s.seed, e), s.batch);
    most.tokens = std::max(most.tokens, one.tokens);
    most.sequences = std::max(most.sequences, one.sequences);
  }
  loop_position end;
  {
    training_loop<B> loop{*model, s.optimizer, plan, most, folder / "state.safetensors", watch};
    end = loop.run(
        [&](std::span<const std::size_t> order, std::size_t first, std::size_t count, std::uint32_t,
            packed_batch& batch) { data::fill_batch(p.train.set, order, first, count, batch); });
  }
  auto w = evaluation_workspace(*model, p.dev.set, s.evaluation_batch);
  const predictions said = predict(*model, w, p.dev.set, s.evaluation_batch);
  save_model_folder(*model, tokenizer, folder / "model");

  nlohmann::json result;
  put_scores(result, p.task, score(p.task, said, p.dev.set));
  put_common(result, who, inputs, end.seconds, static_cast<double>(end.tokens));
  const auto majority = majority_score(p.task, p.train.set, p.dev.set);
  result["majority"] = majority ? nlohmann::json(*majority) : nlohmann::json(nullptr);
  result["ticket"] =
      p.ticket ? ticket_json(*p.ticket, "ticket.safetensors") : nlohmann::json(nullptr);
  result["retrained"] = p.ticket.has_value();
  result["setting"] = training_setting(p.key.settings);
  result["training"] = {{"last_epoch_loss", end.last_epoch_loss},
                        {"steps", plan.steps()},
                        {"examples", p.train.set.size()},
                        {"truncated", p.train.set.truncated()},
                        {"tokens", end.tokens}};
  folder.finish(std::move(result));
  folder.discard("state.safetensors");
}

}  // namespace tombola::experiment
