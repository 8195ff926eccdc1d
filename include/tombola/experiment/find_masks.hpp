#pragma once

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/experiment/objectives.hpp"
#include "tombola/experiment/result.hpp"
#include "tombola/experiment/run.hpp"
#include "tombola/experiment/search_weights.hpp"
#include "tombola/experiment/setting.hpp"
#include "tombola/experiment/trained_run.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/trace_file.hpp"
#include "tombola/prune/pruner.hpp"
#include "tombola/prune/resume.hpp"
#include "tombola/prune/study.hpp"

namespace tombola::experiment {

/// Which units a search prunes.
enum class prune_what { heads, mlps, both, neurons, weights };

/// How a search goes.
enum class search_mode {
  standard,  ///< one step size for each kind, scores always of the accepted ticket
  study,     ///< spec 4.1 to 4.4, as the study's code did it
};

/// Which examples a search looks at.
enum class selection_split {
  dev,    ///< the development set, as the study; the reported score has then seen the search
  train,  ///< as many rows of the training set, drawn by the run's seed
};

/// When a search stops: which rule of prune/guard.hpp takes the amount.
enum class guard_rule {
  share,     ///< below this share of the full model's metric, which must be above 0
  drop,      ///< more than this below the full model's metric
  at_least,  ///< below this number
};

[[nodiscard]] constexpr const char* to_string(guard_rule r) noexcept {
  constexpr std::array<const char*, 3> names{"guard_share", "guard_drop", "guard_at_least"};
  return names[static_cast<std::size_t>(r)];
}
[[nodiscard]] constexpr const char* to_string(prune_what p) noexcept {
  constexpr std::array<const char*, 5> names{"heads", "mlps", "both", "neurons", "weights"};
  return names[static_cast<std::size_t>(p)];
}
[[nodiscard]] constexpr const char* to_string(search_mode m) noexcept {
  return m == search_mode::study ? "study" : "standard";
}
[[nodiscard]] constexpr const char* to_string(selection_split s) noexcept {
  return s == selection_split::train ? "train" : "dev";
}

struct search_settings {
  std::filesystem::path run;   ///< a training run's folder
  std::filesystem::path data;  ///< empty: where the run was trained from
  prune_what prune = prune_what::both;
  search_mode mode = search_mode::standard;
  estimator which = estimator::per_example;  ///< the study's mode always takes `cumulative`
  selection_split select = selection_split::dev;
  guard_rule rule = guard_rule::share;
  double guard_amount = 0.9;
  double step_share = 0.1;       ///< of the heads and of the MLPs in a step
  double weight_share = 0.05;    ///< of the weights: as the schedule says, left in a step
  std::size_t weight_steps = 0;  ///< at most; 0: 30 in the study's mode, else 60, or what is there
  weight_rule weights;           ///< which weights go; the study's mode has the default alone
  std::size_t batch = 64;
  product_precision precision = product_precision::float32;
};

/// A search whose inputs have been read and checked.
struct prepared_search {
  search_settings settings;
  trained_run run;
  data::task_description task;
  split selection;
  split dev;
  run_key key;
};

namespace detail {

[[nodiscard]] inline guard guard_of(const search_settings& s) {
  switch (s.rule) {
    case guard_rule::drop:
      return guard::drop(s.guard_amount);
    case guard_rule::at_least:
      return guard::at_least(s.guard_amount);
    case guard_rule::share:
      break;
  }
  return guard::share_of_baseline(s.guard_amount);
}

/// Throws input_error where the weights are to be chosen in a way that this search does not have.
inline void require_fits(const weight_rule& rule, const search_settings& s) {
  if (rule.is_default()) return;
  if (s.prune != prune_what::weights) {
    throw input_error(
        std::string{"criterion, scope, schedule and pattern are of weights, found a "} +
        "search for " + to_string(s.prune));
  }
  if (s.mode == search_mode::study) {
    throw input_error(
        "mode study prunes by magnitude in one ranking, a share of what is left in "
        "each step; found another criterion, scope, schedule or pattern");
  }
  if (rule.pattern &&
      (rule.within != weight_scope::global || rule.schedule != weight_schedule::share_of_left)) {
    throw input_error("a pattern of weights has no scope and no schedule, found both");
  }
}

/// What of a search over weights is in its key: what was not asked for is not, so that searches keep
/// their folders.
inline void put_rule(nlohmann::json& settings, const search_settings& s) {
  const weight_rule& rule = s.weights;
  if (rule.criterion != weight_criterion::magnitude) {
    settings["criterion"] = to_string(rule.criterion);
  }
  if (rule.pattern) {
    settings["pattern"] =
        std::to_string(rule.pattern->kept) + ":" + std::to_string(rule.pattern->of);
    return;
  }
  if (rule.within != weight_scope::global) settings["scope"] = to_string(rule.within);
  if (rule.schedule != weight_schedule::share_of_left) {
    settings["schedule"] = to_string(rule.schedule);
  }
  settings["weight_share"] = s.weight_share;
  if (rule.schedule != weight_schedule::one_shot) settings["weight_steps"] = s.weight_steps;
}

}  // namespace detail

/// Reads everything a search needs; nothing is written. Throws as the readers do, and input_error
/// for a guard or a way to choose weights that the mode does not have; shape_error where a pattern
/// does not fit the rows of a matrix.
[[nodiscard]] inline prepared_search prepare(search_settings s) {
  if (s.mode == search_mode::study) s.which = estimator::cumulative;
  if (s.mode == search_mode::study && s.rule != guard_rule::share) {
    throw input_error("mode study takes a share of the full model's metric, found " +
                      std::string{to_string(s.rule)});
  }
  if (s.mode == search_mode::study && s.prune == prune_what::neurons) {
    throw input_error("mode study prunes heads, mlps, both or weights, found neurons");
  }
  (void)detail::guard_of(s);  // its sentence comes before anything is read
  detail::require_fits(s.weights, s);
  if (s.weight_steps == 0) s.weight_steps = s.mode == search_mode::study ? 30 : 60;
  trained_run run = open_trained_run(s.run, s.data);
  if (run.trained_under) {
    throw input_error(s.run.string() +
                      ": was trained under a ticket, expected a run of the full model");
  }
  if (run.source.config.is_compact() && s.prune != prune_what::weights) {
    throw input_error(s.run.string() + ": its model is compact, whose layers differ; expected " +
                      "--prune weights, or the whole model it was made of");
  }
  if (s.weights.pattern) require_pattern(run.source.config, *s.weights.pattern);
  data::task_description task = data::open_task(run.data, run.task_name);
  const std::filesystem::path folder = run.data / task.name;
  split dev = read_split(task, folder, "dev", run.source.tokenizer, run.max_length);
  split selection = s.select == selection_split::dev
                        ? dev
                        : read_split(task, folder, "train", run.source.tokenizer, run.max_length,
                                     dev.set.size(), run.seed);
  const bool weights = s.prune == prune_what::weights;
  nlohmann::json settings{{"model", run.source.fingerprint},
                          {"selection", selection.fingerprint},
                          {"select", to_string(s.select)},
                          {"prune", to_string(s.prune)},
                          {"mode", to_string(s.mode)},
                          {to_string(s.rule), s.guard_amount},
                          {"batch", s.batch}};
  if (weights) {
    detail::put_rule(settings, s);
  } else {
    settings["estimator"] = to_string(s.which);
    settings["step_share"] = s.step_share;
  }
  put_precision(settings, s.precision);
  run_key key{"find-masks", task.name, run.seed, std::move(settings)};
  return {std::move(s),         std::move(run), std::move(task),
          std::move(selection), std::move(dev), std::move(key)};
}

namespace detail {

/// Keeps every measured candidate on disk, so that a search that was stopped measures none twice.
class kept_trace {
public:
  kept_trace(std::filesystem::path file, std::string name, const observer& watch)
      : file_{std::move(file)}, name_{std::move(name)}, watch_{watch} {
    if (std::filesystem::exists(file_)) earlier_ = io::read_trace(file_);
  }

  [[nodiscard]] const trace& earlier() const noexcept { return earlier_; }

  void operator()(const trace_step& step) {
    now_.steps.push_back(step);
    if (now_.steps.size() > earlier_.steps.size()) io::write_trace(file_, now_);
    std::string kept;
    for (std::size_t i = 0; i < step.candidate.groups().size() && i < 2; ++i) {
      kept += (i == 0 ? "" : ", ") + std::to_string(step.candidate[i].count()) + " of " +
              std::to_string(step.candidate[i].size()) + " " + step.candidate.groups()[i].name;
    }
    if (step.candidate.groups().size() > 2) {
      kept = std::to_string(step.candidate.count()) + " of " +
             std::to_string(step.candidate.size()) + " weights";
    }
    watch_.say(name_ + ": " + step.phase + ", " + kept + ": " + std::to_string(step.metric) +
               (step.accepted ? "" : " (rejected)"));
  }

private:
  std::filesystem::path file_;
  std::string name_;
  const observer& watch_;
  trace earlier_, now_;
};

template <backend B>
[[nodiscard]] prune_result search_gates(nn::bert<B>& model,
                                        const prepared_search& p,
                                        kept_trace& keep,
                                        const observer& watch) {
  const search_settings& s = p.settings;
  const gated units = s.prune == prune_what::neurons ? gated::neurons : gated::heads_and_mlps;
  gate_objective<B> behind{model, p.task, p.selection.set, s.batch, s.which, watch, units};
  remembering_objective<gate_objective<B>> objective{behind, keep.earlier()};
  const auto progress = [&keep](const trace_step& step) { keep(step); };
  if (s.mode == search_mode::study) {
    const study::search_options options{.threshold = s.guard_amount, .amount = s.step_share};
    if (s.prune == prune_what::heads) return study::search_heads(objective, options, progress);
    if (s.prune == prune_what::mlps) return study::search_mlps(objective, options, progress);
    return study::search_joint(objective, options, progress);
  }
  prune_options options{.share = s.step_share, .rule = guard_of(s)};
  if (s.prune == prune_what::heads) options.groups = {"heads"};
  if (s.prune == prune_what::mlps) options.groups = {"mlps"};
  return prune(objective, options, progress);
}

template <backend B>
[[nodiscard]] prune_result search_weights(nn::bert<B>& model,
                                          const prepared_search& p,
                                          kept_trace& keep,
                                          const observer& watch) {
  const search_settings& s = p.settings;
  masked_weights_metric<B> fresh{model, p.task, p.selection.set, s.batch, watch};
  const auto metric = [&](const ticket& t) {
    const trace_step* known = tombola::detail::find_step(keep.earlier(), t);
    return known != nullptr ? known->metric : fresh(t);
  };
  const auto progress = [&keep](const trace_step& step) { keep(step); };
  if (s.mode == search_mode::study) {
    const host_weights host{model, nn::weight_groups(model.config(), nn::prunable::study)};
    return study::search_weights(
        host.spans(), metric,
        {.threshold = s.guard_amount, .amount = s.weight_share, .total_steps = s.weight_steps},
        progress);
  }
  return search_weights_by(model, p.selection.set, s.weights, s.weight_share, s.weight_steps,
                           {.batch = s.batch, .seed = p.run.seed}, metric, guard_of(s), progress,
                           watch);
}

/// The metric of the ticket that was accepted: that of its step in the trace.
[[nodiscard]] inline double metric_of(const prune_result& found) {
  const trace_step* step = tombola::detail::find_step(found.steps, found.accepted);
  return step != nullptr ? step->metric : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace detail

/// Finds the good ticket of a trained model; or goes on where it was stopped. Does nothing where
/// the run is done.
///
/// The folder then holds ticket.safetensors, trace.safetensors, for heads and MLPs also the study's
/// head_mask.npy and mlp_mask.npy, run.json and result.json.
template <backend B>
void find_masks(B& b,
                const prepared_search& p,
                const run_folder& folder,
                const provenance_of_run& who,
                const observer& watch) {
  const auto lock = folder.begin();
  if (!lock) return;
  const std::vector<run_input> inputs{
      {"model", p.run.folder.string(), p.run.source.fingerprint},
      {"selection", p.selection.file.string(), io::sha256_hex_of_file(p.selection.file)}};
  const auto started = std::chrono::steady_clock::now();
  auto model = load_for_task(b, p.run.source, p.task.outputs(), p.run.seed, watch);
  const std::string name = "find-masks " + p.task.name + " seed " + std::to_string(p.run.seed);
  detail::kept_trace keep{folder / "trace-so-far.safetensors", name, watch};
  const bool weights = p.settings.prune == prune_what::weights;
  prune_result found = weights ? detail::search_weights(*model, p, keep, watch)
                               : detail::search_gates(*model, p, keep, watch);

  ticket& t = found.accepted;
  t.origin.task = p.task.name;
  t.origin.seed = p.run.seed;
  t.origin.criterion =
      weights ? to_string(p.settings.weights.criterion) : to_string(p.settings.which);
  t.origin.search = search_setting(p.key.settings);
  t.origin.model = p.run.source.fingerprint;
  t.origin.data = p.selection.fingerprint;
  io::write_ticket(folder / "ticket.safetensors", t);
  io::write_trace(folder / "trace.safetensors", found.steps);
  if (!weights && p.settings.prune != prune_what::neurons) {
    const auto npy = [&](const char* file, const char* group_name) {
      const group& g = t.groups()[*t.find(group_name)];
      io::write_mask_npy(folder / file, g.extents, t.at(group_name), io::mask_number::float32);
    };
    npy("head_mask.npy", "heads");
    npy("mlp_mask.npy", "mlps");
  }
  model->apply(t, nn::weight_form::study);
  auto w = evaluation_workspace(*model, p.dev.set, p.settings.batch);
  const predictions said = predict(*model, w, p.dev.set, p.settings.batch);

  nlohmann::json result;
  put_scores(result, p.task, score(p.task, said, p.dev.set));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const double passes = static_cast<double>(found.steps.steps.size());
  put_common(result, who, inputs, seconds, passes * static_cast<double>(p.selection.set.tokens()));
  result["majority"] = p.run.majority ? nlohmann::json(*p.run.majority) : nlohmann::json(nullptr);
  result["ticket"] = ticket_json(t, "ticket.safetensors");
  result["retrained"] = false;
  result["setting"] = p.run.setting;
  const double metric = detail::metric_of(found);
  result["search"] = {
      {"baseline", found.steps.baseline},
      {"threshold", found.steps.threshold},
      {"metric", std::isnan(metric) ? nlohmann::json(nullptr) : nlohmann::json(metric)},
      {"candidates", found.steps.steps.size()}};
  folder.finish(std::move(result));
  folder.discard("trace-so-far.safetensors");
}

}  // namespace tombola::experiment
