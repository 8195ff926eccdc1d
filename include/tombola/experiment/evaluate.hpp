#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tombola/experiment/predict.hpp"
#include "tombola/experiment/result.hpp"
#include "tombola/experiment/run.hpp"
#include "tombola/experiment/ticket_fits.hpp"
#include "tombola/experiment/ticket_summary.hpp"
#include "tombola/experiment/trained_run.hpp"

namespace tombola::experiment {

/// Scoring a trained model on the development set, under a ticket or as it is.
struct evaluation_settings {
  std::filesystem::path run;     ///< a training run's folder
  std::filesystem::path data;    ///< empty: where the run was trained from
  std::filesystem::path ticket;  ///< empty: the one the run was trained under, if any
  std::filesystem::path model;  ///< scored in place of the run's, as a compact form of it; or empty
  std::string split = "dev";
  std::size_t batch = 64;
  product_precision precision = product_precision::float32;
};

struct prepared_evaluation {
  evaluation_settings settings;
  trained_run run;
  data::task_description task;
  tombola::experiment::split split;
  std::optional<tombola::ticket> ticket;
  bool retrained = false;          ///< the model was trained inside the ticket it is scored under
  std::string setting;             ///< what must be alike where scores are compared
  std::optional<double> majority;  ///< nothing where the examples are not those of the run
  run_key key;
};

namespace detail {

/// How the scored model was made. Scores on other examples, or of another model, are no average
/// with the run's own.
[[nodiscard]] inline std::string setting_of(const evaluation_settings& s, const trained_run& run) {
  std::string setting = run.setting;
  if (s.split != "dev") setting += ", split " + s.split;
  if (!s.model.empty()) {
    const bool compact = run.source.config.is_compact();
    setting += (compact ? ", compact " : ", scored ") + run.source.fingerprint.substr(0, 12);
  }
  return setting;
}

}  // namespace detail

/// Reads everything an evaluation needs; nothing is written. Throws as the readers do.
[[nodiscard]] inline prepared_evaluation prepare(const evaluation_settings& s) {
  trained_run run = open_trained_run(s.run, s.data);
  if (!s.model.empty()) {
    run.source = open_model(s.model);
    run.trained_under.reset();
    if (run.max_length > run.source.config.longest_sequence()) {
      throw input_error(s.model.string() + ": takes sequences of up to " +
                        std::to_string(run.source.config.longest_sequence()) +
                        " tokens, the run has up to " + std::to_string(run.max_length));
    }
  }
  data::task_description task = data::open_task(run.data, run.task_name);
  require_loads(run.source, task.outputs());
  split examples =
      read_split(task, run.data / task.name, s.split, run.source.tokenizer, run.max_length);
  std::optional<ticket> t = run.trained_under;
  const nn::bert_config config = config_for_task(run.source.config, task.outputs());
  if (!s.ticket.empty()) {
    t = read_ticket_for(s.ticket, config, run.source.folder);
  } else if (t) {
    require_ticket_fits(*t, s.run / "ticket.safetensors", config, run.source.folder);
  }
  const bool retrained =
      run.trained_under && t && io::fingerprint(*run.trained_under) == io::fingerprint(*t);
  nlohmann::json settings{{"model", run.source.fingerprint},
                          {"split", s.split},
                          {"examples", examples.fingerprint},
                          {"batch", s.batch}};
  put_ticket(settings, t);
  put_precision(settings, s.precision);
  // What the result tells of the run that was asked about, which another run's model may share.
  std::string setting = detail::setting_of(s, run);
  const std::optional<double> majority = run.majority_on(examples);
  settings["setting"] = setting;
  settings["retrained"] = retrained;
  settings["majority"] = majority ? nlohmann::json(*majority) : nlohmann::json(nullptr);
  run_key key{"evaluate", task.name, run.seed, std::move(settings)};
  return {s,         std::move(run),     std::move(task), std::move(examples), std::move(t),
          retrained, std::move(setting), majority,        std::move(key)};
}

/// Scores the model; does nothing where the run is done.
template <backend B>
void evaluate(B& b,
              const prepared_evaluation& p,
              const run_folder& folder,
              const provenance_of_run& who,
              const observer& watch) {
  const auto lock = folder.begin();
  if (!lock) return;
  std::vector<run_input> inputs{
      {"model", (p.settings.model.empty() ? p.run.folder : p.settings.model).string(),
       p.run.source.fingerprint},
      {p.settings.split, p.split.file.string(), io::sha256_hex_of_file(p.split.file)}};
  std::string file = (p.run.folder / "ticket.safetensors").string();
  if (!p.settings.ticket.empty()) {
    file = p.settings.ticket.string();
    inputs.push_back({"ticket", file, io::sha256_hex_of_file(p.settings.ticket)});
  }
  const auto started = std::chrono::steady_clock::now();
  auto model = load_for_task(b, p.run.source, p.task.outputs(), p.run.seed, watch);
  if (p.ticket) model->apply(*p.ticket, nn::weight_form::stored_zeros);
  auto w = evaluation_workspace(*model, p.split.set, p.settings.batch);
  const predictions said = predict(*model, w, p.split.set, p.settings.batch, watch);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();

  nlohmann::json result;
  put_scores(result, p.task, score(p.task, said, p.split.set));
  put_common(result, who, inputs, seconds, static_cast<double>(p.split.set.tokens()));
  result["majority"] = p.majority ? nlohmann::json(*p.majority) : nlohmann::json(nullptr);
  result["ticket"] = p.ticket ? ticket_json(*p.ticket, file) : nlohmann::json(nullptr);
  result["retrained"] = p.retrained;
  result["setting"] = p.setting;
  folder.finish(std::move(result));
}

}  // namespace tombola::experiment
