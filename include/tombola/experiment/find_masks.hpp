#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/experiment/objectives.hpp"
#include "tombola/experiment/result.hpp"
#include "tombola/experiment/run.hpp"
#include "tombola/experiment/search_settings.hpp"
#include "tombola/experiment/search_weights.hpp"
#include "tombola/experiment/setting.hpp"
#include "tombola/experiment/structure_criteria.hpp"
#include "tombola/experiment/ticket_summary.hpp"
#include "tombola/experiment/trained_run.hpp"
#include "tombola/experiment/weight_objective.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/trace_file.hpp"
#include "tombola/prune/lower_bound.hpp"
#include "tombola/prune/pruner.hpp"
#include "tombola/prune/resume.hpp"
#include "tombola/prune/study.hpp"

namespace tombola::experiment {

/// A search whose inputs have been read and checked.
struct prepared_search {
  search_settings settings;
  trained_run run;
  data::task_description task;
  split selection;
  split dev;
  std::optional<double> majority;
  run_key key;
};

namespace detail {

/// Throws input_error where the run was trained under a ticket that this search cannot go on from.
inline void require_goes_on(const search_settings& s, const trained_run& run) {
  if (!run.trained_under) return;
  const std::string where = s.run.string() + ": was trained under a ticket";
  if (s.prune != prune_what::weights || s.mode != search_mode::standard) {
    throw input_error(where + ", expected a run of the full model; only --prune weights in mode " +
                      "standard goes on from a ticket");
  }
  if (const std::string family = family_of(*run.trained_under); family != "weights") {
    throw input_error(where + " of " + family + ", expected one of weights, or a run of the full " +
                      "model");
  }
  const auto groups = nn::weight_groups(run.source.config, nn::prunable::weights);
  if (!std::ranges::equal(groups, run.trained_under->groups())) {
    throw input_error(where +
                      " over other weights than mode standard prunes, as mode study does; " +
                      "expected one over the six matrices of each layer");
  }
}

}  // namespace detail

/// Reads everything a search needs; nothing is written. Throws as the readers do, and input_error
/// for a guard or a way to choose weights that the mode does not have; shape_error where a pattern
/// does not fit the rows of a matrix.
[[nodiscard]] inline prepared_search prepare(search_settings s) {
  if (s.mode == search_mode::study) s.which = estimator::cumulative;
  detail::require_fits(s);  // its sentences come before anything is read
  if (s.weight_steps == 0) s.weight_steps = s.mode == search_mode::study ? 30 : 60;
  trained_run run = open_trained_run(s.run, s.data);
  detail::require_goes_on(s, run);
  if (run.source.config.is_compact() && s.prune != prune_what::weights) {
    throw input_error(s.run.string() + ": its model is compact, whose layers differ; expected " +
                      "--prune weights, or the whole model it was made of");
  }
  if (s.weights.pattern) require_pattern(run.source.config, *s.weights.pattern);
  data::task_description task = data::open_task(run.data, run.task_name);
  require_loads(run.source, task.outputs());
  if (s.confidence) require_mean_over_examples(task);
  const std::filesystem::path folder = run.data / task.name;
  split dev = read_split(task, folder, "dev", run.source.tokenizer, run.max_length);
  split selection = s.select == selection_split::dev
                        ? dev
                        : read_split(task, folder, "train", run.source.tokenizer, run.max_length,
                                     dev.set.size(), run.seed, rows_for::search);
  nlohmann::json settings{{"model", run.source.fingerprint},
                          {"selection", selection.fingerprint},
                          {"select", to_string(s.select)},
                          {"prune", to_string(s.prune)},
                          {"mode", to_string(s.mode)},
                          {to_string(s.rule), s.guard_amount},
                          {"batch", s.batch}};
  // The reported score is on the development set, whichever the search looked at.
  if (s.select == selection_split::train) settings["dev"] = dev.fingerprint;
  if (s.confidence) settings["guard_confidence"] = *s.confidence;
  if (s.prune == prune_what::weights) {
    detail::put_rule(settings, s);
  } else {
    detail::put_structures(settings, s);
  }
  require_finite(settings);
  if (run.trained_under) {
    settings["start"] = io::fingerprint(*run.trained_under);
    settings["start_kept"] = run.trained_under->count();
  }
  put_precision(settings, s.precision);
  // What the result tells of the run, which another run's model may share.
  const std::optional<double> majority = run.majority_on(dev);
  settings["setting"] = run.setting;
  settings["majority"] = majority ? nlohmann::json(*majority) : nlohmann::json(nullptr);
  run_key key{"find-masks", task.name, run.seed, std::move(settings)};
  return {std::move(s),   std::move(run), std::move(task), std::move(selection),
          std::move(dev), majority,       std::move(key)};
}

namespace detail {

/// Keeps every measured candidate on disk, so that a search that was stopped measures none twice,
/// and how long it took to come there.
class kept_trace {
public:
  using clock = std::chrono::steady_clock;

  kept_trace(std::filesystem::path file,
             std::string name,
             clock::time_point started,
             const observer& watch)
      : file_{std::move(file)}, name_{std::move(name)}, started_{started}, watch_{watch} {
    if (std::filesystem::exists(file_)) earlier_ = io::read_trace(file_);
  }

  /// Seconds since the start, and those before the search was last stopped.
  [[nodiscard]] double seconds() const {
    return earlier_.seconds + std::chrono::duration<double>(clock::now() - started_).count();
  }

  [[nodiscard]] const trace& earlier() const noexcept { return earlier_; }

  void operator()(const trace_step& step) {
    now_.steps.push_back(step);
    if (now_.steps.size() > earlier_.steps.size()) {
      now_.seconds = seconds();
      io::write_trace(file_, now_);
    }
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
  clock::time_point started_;
  const observer& watch_;
  trace earlier_, now_;
};

/// A search in mode standard over what answers for the units, by the metric or by its lower bound.
template <class Objective, class Progress>
[[nodiscard]] prune_result search_standard(Objective& behind,
                                           const search_settings& s,
                                           const trace& earlier,
                                           const Progress& progress) {
  prune_options options{.share = s.step_share, .rule = guard_of(s)};
  if (s.structures.scope == structure_scope::layer) options.within = part::layer;
  if (s.prune == prune_what::heads) options.groups = {"heads"};
  if (s.prune == prune_what::mlps) options.groups = {"mlps"};
  if (!s.confidence) {
    remembering_objective<Objective> objective{behind, earlier};
    return prune(objective, options, progress);
  }
  lower_bound_objective<Objective> bounded{behind, bound_of(s)};
  remembering_objective<lower_bound_objective<Objective>> objective{bounded, earlier};
  return prune(objective, options, progress);
}

template <backend B>
[[nodiscard]] prune_result search_gates(nn::bert<B>& model,
                                        const prepared_search& p,
                                        kept_trace& keep,
                                        const observer& watch) {
  const search_settings& s = p.settings;
  const gated units = s.prune == prune_what::neurons ? gated::neurons : gated::heads_and_mlps;
  const auto progress = [&keep](const trace_step& step) { keep(step); };
  if (s.structures.criterion != structure_criterion::sensitivity) {
    structure_objective<B> behind{model,
                                  p.task,
                                  p.selection.set,
                                  units,
                                  s.structures.criterion,
                                  {.batch = s.batch, .seed = p.run.seed},
                                  watch};
    return search_standard(behind, s, keep.earlier(), progress);
  }
  gate_objective<B> behind{model, p.task, p.selection.set, s.batch, s.which, watch, units};
  if (s.mode == search_mode::standard) {
    return search_standard(behind, s, keep.earlier(), progress);
  }
  remembering_objective<gate_objective<B>> objective{behind, keep.earlier()};
  const study::search_options options{.threshold = s.guard_amount, .amount = s.step_share};
  if (s.prune == prune_what::heads) return study::search_heads(objective, options, progress);
  if (s.prune == prune_what::mlps) return study::search_mlps(objective, options, progress);
  return study::search_joint(objective, options, progress);
}

template <backend B>
[[nodiscard]] prune_result search_weights(nn::bert<B>& model,
                                          const prepared_search& p,
                                          kept_trace& keep,
                                          const observer& watch) {
  const search_settings& s = p.settings;
  const weight_score_settings how{.batch = s.batch, .seed = p.run.seed};
  weight_objective<B> fresh{model, p.task, p.selection.set, s.weights.criterion, how, watch};
  const auto progress = [&keep](const trace_step& step) { keep(step); };
  const auto plain = [&fresh](const ticket& t) { return fresh.metric(t); };
  if (s.mode == search_mode::study) {
    const host_weights host{model, nn::weight_groups(model.config(), nn::prunable::study)};
    return study::search_weights(
        host.spans(), remembering_metric(plain, keep.earlier()),
        {.threshold = s.guard_amount, .amount = s.weight_share, .total_steps = s.weight_steps},
        progress);
  }
  const auto search = [&](auto metric) {
    auto asked = remembering_metric(std::move(metric), keep.earlier());
    return search_weights_by(
        model, s.weights, s.weight_share, s.weight_steps,
        [&fresh](const ticket& t) -> decltype(auto) { return fresh.scores(t); },
        [&asked](const ticket& t) { return asked(t); }, guard_of(s), progress, watch,
        p.run.trained_under, keep.earlier());
  };
  if (!s.confidence) return search(plain);
  const auto examples = [&fresh](const ticket& t) { return fresh.examples(t); };
  return search(lower_bound_metric{
      examples,
      start_over(nn::weight_groups(model.config(), nn::prunable::weights), p.run.trained_under),
      bound_of(s)});
}

/// The metric of the ticket that was accepted: that of its step in the trace.
[[nodiscard]] inline double metric_of(const prune_result& found) {
  const trace_step* step = tombola::detail::find_step(found.steps, found.accepted);
  return step != nullptr ? step->metric : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace detail

/// Finds the good ticket of a trained model; of one that was trained under a ticket of weights,
/// inside that, against the model's own metric; or goes on where it was stopped. Does nothing where
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
  std::vector<run_input> inputs{
      {"model", p.run.folder.string(), p.run.source.fingerprint},
      {"selection", p.selection.file.string(), io::sha256_hex_of_file(p.selection.file)}};
  if (p.run.trained_under) {
    const std::filesystem::path start = p.run.folder / "ticket.safetensors";
    inputs.push_back({"start", start.string(), io::sha256_hex_of_file(start)});
  }
  const auto started = std::chrono::steady_clock::now();
  auto model = load_for_task(b, p.run.source, p.task.outputs(), p.run.seed, watch);
  const std::string name = "find-masks " + p.task.name + " seed " + std::to_string(p.run.seed);
  detail::kept_trace keep{folder / "trace-so-far.safetensors", name, started, watch};
  const std::string measure = detail::measure_of(p.settings, p.task);
  if (!measure.empty()) watch.say(name + ": the numbers are " + measure);
  const bool weights = p.settings.prune == prune_what::weights;
  prune_result found = weights ? detail::search_weights(*model, p, keep, watch)
                               : detail::search_gates(*model, p, keep, watch);

  ticket& t = found.accepted;
  t.origin.task = p.task.name;
  t.origin.seed = p.run.seed;
  t.origin.criterion = detail::criterion_of(p.settings);
  t.origin.search = search_setting(p.key.settings);
  t.origin.model = p.run.source.fingerprint;
  t.origin.data = p.selection.fingerprint;
  if (p.run.trained_under) t.origin.parent = io::fingerprint(*p.run.trained_under);
  found.steps.measure = measure;
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
  const double seconds = keep.seconds();
  const double passes = static_cast<double>(found.steps.steps.size());
  put_common(result, who, inputs, seconds, passes * static_cast<double>(p.selection.set.tokens()));
  result["majority"] = p.majority ? nlohmann::json(*p.majority) : nlohmann::json(nullptr);
  result["ticket"] = ticket_json(t, "ticket.safetensors");
  result["retrained"] = false;
  result["setting"] = p.run.setting;
  const double metric = detail::metric_of(found);
  result["search"] = {
      {"baseline", found.steps.baseline},
      {"threshold", found.steps.threshold},
      {"metric", std::isnan(metric) ? nlohmann::json(nullptr) : nlohmann::json(metric)},
      {"candidates", found.steps.steps.size()}};
  if (p.run.trained_under) {
    result["search"]["start"] = {{"fingerprint", t.origin.parent},
                                 {"kept", p.run.trained_under->count()},
                                 {"size", p.run.trained_under->size()}};
  }
  if (p.settings.confidence) {
    // What those numbers are, and beside them what they are bounds of.
    masked_metric<B> plain{*model, p.task, p.selection.set, p.settings.batch, watch};
    const trace_step& first = found.steps.steps.front();
    result["search"]["measure"] = measure;
    result["search"]["plain_baseline"] = plain(first.candidate);
    result["search"]["plain_metric"] = plain(t);
  }
  folder.finish(std::move(result));
  folder.discard("trace-so-far.safetensors");
}

}  // namespace tombola::experiment
