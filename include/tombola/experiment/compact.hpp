#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/experiment/machine.hpp"
#include "tombola/experiment/observer.hpp"
#include "tombola/experiment/ticket_fits.hpp"
#include "tombola/experiment/ticket_summary.hpp"
#include "tombola/experiment/trained_run.hpp"
#include "tombola/io/atomic_folder.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/nn/compact_proof.hpp"
#include "tombola/nn/cost.hpp"
#include "tombola/nn/study.hpp"

namespace tombola::experiment {

/// Making a model physically smaller, or a compact one full-size again.
struct compact_settings {
  std::filesystem::path from;    ///< a training run's folder, or a model's
  std::filesystem::path data;    ///< empty: where the run was trained from
  std::filesystem::path ticket;  ///< empty: the one the run was trained under
  std::filesystem::path out;     ///< new folder of the model
  std::filesystem::path probes;  ///< file for random ids and the saved model's answers; or empty
  bool padded = false;           ///< write it at full size, with zeros where units are gone
  nn::study::removal how = nn::study::removal::exact;
  std::size_t tokens = 128;      ///< of the sequences that FLOPs are stated for
  std::size_t repetitions = 11;  ///< passes that a latency is the median of
};

/// `exact`, `study` or `study_reloaded`.
[[nodiscard]] constexpr const char* to_string(nn::study::removal how) noexcept {
  switch (how) {
    case nn::study::removal::pruned:
      return "study";
    case nn::study::removal::reloaded:
      return "study_reloaded";
    case nn::study::removal::exact:
      break;
  }
  return "exact";
}

/// A compaction whose inputs have been read and checked.
struct prepared_compaction {
  compact_settings settings;
  model_source source;
  std::optional<tombola::ticket> ticket;  ///< nothing where the model is compact already
  std::filesystem::path ticket_file;
  nn::compact_plan plan;
  std::vector<packed_batch> probes;    ///< random ids
  std::vector<packed_batch> examples;  ///< of the task's development set; none without a task
};

namespace detail {

/// Development examples that the models are compared and timed on: 64 in batches of 32.
[[nodiscard]] inline std::vector<packed_batch> probe_examples(const trained_run& run) {
  constexpr std::size_t examples = 64, batch = 32;
  const data::task_description task = data::open_task(run.data, run.task_name);
  const split dev =
      read_split(task, run.data / task.name, "dev", run.source.tokenizer, run.max_length);
  const std::vector<std::size_t> order = data::file_order(dev.set.size());
  const std::size_t n = std::min(examples, dev.set.size());
  std::vector<packed_batch> batches;
  for (std::size_t first = 0; first < n; first += batch) {
    data::fill_batch(dev.set, order, first, std::min(batch, n - first), batches.emplace_back());
  }
  return batches;
}

[[nodiscard]] inline bool is_structured(const tombola::ticket& t) {
  return std::all_of(t.groups().begin(), t.groups().end(), holds_structures);
}

/// Throws interrupted where the observer asks so.
inline void stop_if_asked(const observer& watch) {
  if (watch.wants_stop()) throw interrupted("compact: stopped; nothing was saved");
}

/// Medians of the time of one pass over all batches, for each model: milliseconds. The models take
/// turns, after one pass each that is not counted. Throws interrupted where the observer asks so.
template <backend B>
[[nodiscard]] std::vector<double> median_milliseconds(std::span<nn::bert<B>* const> models,
                                                      std::span<const packed_batch> batches,
                                                      std::size_t repetitions,
                                                      const observer& watch) {
  using A = typename B::activation;
  using clock = std::chrono::steady_clock;
  std::vector<std::unique_ptr<nn::workspace<B>>> spaces;
  for (nn::bert<B>* m : models) {
    spaces.push_back(std::make_unique<nn::workspace<B>>(m->device(), m->config(),
                                                        nn::limits_of(batches), nn::keep::nothing));
  }
  std::vector<std::vector<double>> times(models.size());
  std::vector<A> host;
  for (std::size_t r = 0; r <= repetitions; ++r) {
    for (std::size_t m = 0; m < models.size(); ++m) {
      const auto started = clock::now();
      for (const packed_batch& batch : batches) {
        spaces[m]->batch.write(batch, models[m]->config());
        const view<A> out = models[m]->forward(*spaces[m]);
        host.resize(out.size());
        models[m]->device().read(read_only(out), std::span<A>{host});
      }
      const std::chrono::duration<double, std::milli> took = clock::now() - started;
      if (r > 0) times[m].push_back(took.count());
      stop_if_asked(watch);
    }
    watch.tell({"compact: timing", r, repetitions, NAN, 0.0, NAN});
  }
  std::vector<double> medians;
  for (auto& t : times) {
    std::nth_element(t.begin(), t.begin() + static_cast<std::ptrdiff_t>(t.size() / 2), t.end());
    medians.push_back(t[t.size() / 2]);
  }
  return medians;
}

/// Writes random ids and a model's answers to them, for whoever reads the model with another tool:
/// `ids`, `segments` [T], `offsets` [B + 1] as in packed_batch, `logits` [n, K] in F32; for the
/// masked LM also `masked_rows` [n].
template <backend B>
void write_probes(nn::bert<B>& model,
                  std::span<const packed_batch> batches,
                  const std::filesystem::path& file) {
  using A = typename B::activation;
  nn::workspace<B> w{model.device(), model.config(), nn::limits_of(batches), nn::keep::nothing};
  std::vector<std::int32_t> ids, segments, offsets{0}, rows;
  std::vector<float> logits;
  std::size_t columns = 1;
  std::vector<A> host;
  for (const packed_batch& batch : batches) {
    w.batch.write(batch, model.config());
    const view<A> out = model.forward(w);
    host.resize(out.size());
    model.device().read(read_only(out), std::span<A>{host});
    columns = out.cols;
    for (const A x : host) logits.push_back(static_cast<float>(x));
    const auto before = static_cast<std::int32_t>(ids.size());
    for (const std::int32_t r : batch.masked_rows) rows.push_back(before + r);
    for (const std::int32_t o : std::span{batch.offsets}.subspan(1)) offsets.push_back(before + o);
    ids.insert(ids.end(), batch.ids.begin(), batch.ids.end());
    segments.insert(segments.end(), batch.segments.begin(), batch.segments.end());
  }
  const auto whole = [](const char* name, const std::vector<std::int32_t>& v) {
    return io::tensor_to_write{name, io::dtype::i32, {v.size()}, std::as_bytes(std::span{v})};
  };
  std::vector<io::tensor_to_write> tensors{whole("ids", ids), whole("segments", segments),
                                           whole("offsets", offsets)};
  if (!rows.empty()) tensors.push_back(whole("masked_rows", rows));
  tensors.push_back({"logits",
                     io::dtype::f32,
                     {logits.size() / columns, columns},
                     std::as_bytes(std::span{logits})});
  io::write_safetensors(file, tensors);
}

}  // namespace detail

/// Reads everything a compaction needs; nothing is written. Throws as the readers do, and
/// input_error for a ticket over weights, for none where one is needed, or one where none can be.
[[nodiscard]] inline prepared_compaction prepare(const compact_settings& s) {
  std::optional<trained_run> run;
  std::error_code code;  // what cannot be looked at is told by the readers
  if (std::filesystem::exists(s.from / "run.json", code)) run = open_trained_run(s.from, s.data);
  if (!run && !s.data.empty()) {
    throw input_error(s.from.string() + ": is no training run, whose task --data would be looked " +
                      "for in; expected --run with a run.json in its folder, or no --data");
  }
  const std::filesystem::path own = s.from / "ticket.safetensors";
  std::optional<ticket> t;
  if (run && run->trained_under) {
    if (!detail::is_structured(*run->trained_under)) {
      throw input_error(s.from.string() +
                        ": was trained under a ticket over single weights, expected masks of "
                        "heads, mlps or neurons");
    }
    t = run->trained_under;
  }
  if (!s.ticket.empty()) t = io::read_ticket(s.ticket);
  model_source source = run ? run->source : open_model(s.from);
  nn::require_weights(source.config, source.folder);
  nn::compact_plan plan;
  if (source.config.is_compact()) {
    if (t) {
      throw input_error((s.ticket.empty() ? own : s.ticket).string() + ": " + s.from.string() +
                        " is compact already, expected no ticket");
    }
    if (!s.padded) {
      throw input_error(s.from.string() +
                        ": is compact already, expected --padded or a whole model");
    }
    if (s.how != nn::study::removal::exact) {
      throw input_error(s.from.string() +
                        ": is compact already, so that nothing is removed; expected mode exact");
    }
    plan = nn::plan_of(source.config);
  } else {
    if (!t) {
      throw input_error(s.from.string() +
                        ": was trained under no ticket, expected --ticket with masks of heads, "
                        "mlps or neurons");
    }
    const std::filesystem::path& file = s.ticket.empty() ? own : s.ticket;
    for (const group& g : t->groups()) {
      if (holds_structures(g)) continue;
      throw input_error(file.string() + ": has the group " + to_string(g) +
                        " of single weights, which leave no smaller matrix; expected masks of " +
                        "heads, mlps or neurons");
    }
    require_ticket_fits(*t, file, source.config, source.folder);
    plan = nn::study::plan_for(source.config, *t, s.how);
  }
  if (!s.probes.empty()) {
    const auto whole = [](const std::filesystem::path& path) {
      return std::filesystem::absolute(path).lexically_normal();
    };
    const auto inside = whole(s.probes).lexically_relative(whole(s.out));
    if (!inside.empty() && *inside.begin() != "..") {
      throw input_error(s.probes.string() + ": probes cannot lie in the new folder " +
                        s.out.string());
    }
  }
  auto examples = run ? detail::probe_examples(*run) : std::vector<packed_batch>{};
  auto probes = nn::probe_batches(source.config, 1);
  return {s,
          std::move(source),
          std::move(t),
          s.ticket.empty() ? own : s.ticket,
          std::move(plan),
          std::move(probes),
          std::move(examples)};
}

/// Makes the compact model, proves on the probes that it answers as the masked one, saves it, or
/// with `padded` its full-size form, and returns what was found: the folder's compaction.json.
///
/// The folder appears complete or not at all. Throws runtime_failure where the models differ.
template <backend B>
nlohmann::json compact(B& b, const prepared_compaction& p, const observer& watch) {
  using model = nn::bert<B>;
  io::atomic_folder folder{p.settings.out};
  auto loaded = std::make_unique<model>(b, p.source.config);
  // A head that the folder lacks is compared, but not saved: training makes one for its task.
  const nn::load_report report = nn::load_weights(*loaded, p.source.folder, 1);
  if (!p.settings.probes.empty() && !report.initialised.empty()) {
    throw input_error(p.settings.from.string() + ": has no " + report.initialised.front() +
                      ", and answers of a head that is not saved are no probes");
  }
  std::vector<std::unique_ptr<model>> models;
  std::vector<std::string> names;
  const auto add = [&](const char* name, std::unique_ptr<model> m) {
    names.emplace_back(name);
    models.push_back(std::move(m));
  };
  if (p.ticket) {
    auto small = nn::make_compact(*loaded, p.plan);
    nn::study::mask_units_for(*loaded, *p.ticket, p.plan, p.settings.how);
    add("masked", std::move(loaded));
    add("compact", std::move(small));
  } else {
    add("compact", std::move(loaded));
  }
  if (p.settings.padded) add("padded", nn::make_padded(*models.back(), p.plan));

  nlohmann::json proofs = nlohmann::json::array(), costs = nlohmann::json::array();
  for (std::size_t m = 1; m < models.size(); ++m) {
    for (const auto& [kind, batches] :
         {std::pair{"random ids", &p.probes}, std::pair{"development set", &p.examples}}) {
      if (batches->empty()) continue;
      const auto found =
          nn::compare_models(*models[0], *models[m], std::span<const packed_batch>{*batches},
                             nn::compact_tolerance, [&] { detail::stop_if_asked(watch); });
      nn::require_agreement(found, names[0], names[m]);
      std::size_t sequences = 0;
      for (const packed_batch& batch : *batches) sequences += batch.sequences();
      proofs.push_back({{"first", names[0]},
                        {"second", names[m]},
                        {"probes", kind},
                        {"sequences", sequences},
                        {"logits", found.logits},
                        {"difference", found.difference},
                        {"tolerance", found.tolerance},
                        {"largest_logit", found.largest}});
    }
  }
  const std::vector<packed_batch>& timed = p.examples.empty() ? p.probes : p.examples;
  std::vector<model*> pointers;
  for (const auto& m : models) pointers.push_back(m.get());
  const auto times = detail::median_milliseconds<B>(pointers, timed, p.settings.repetitions, watch);
  for (std::size_t m = 0; m < models.size(); ++m) {
    const nn::model_cost cost =
        nn::cost_of(models[m]->config(), static_cast<double>(p.settings.tokens));
    costs.push_back({{"model", names[m]},
                     {"parameters", cost.parameters},
                     {"bytes", cost.bytes},
                     {"flops_per_token", cost.flops_per_token},
                     {"milliseconds", times[m]}});
  }
  std::size_t tokens = 0, sequences = 0;
  for (const packed_batch& batch : timed) {
    tokens += batch.tokens(), sequences += batch.sequences();
  }
  nlohmann::json result{
      {"format", "tombola-compaction"},
      {"version", 1},
      {"from", {{"folder", io::path_json(p.settings.from)}, {"fingerprint", p.source.fingerprint}}},
      {"ticket",
       p.ticket ? ticket_json(*p.ticket, p.ticket_file.string()) : nlohmann::json(nullptr)},
      {"removal", to_string(p.settings.how)},
      {"padded", p.settings.padded},
      {"not_saved", report.initialised},
      {"proofs", std::move(proofs)},
      {"costs", std::move(costs)},
      {"flops_tokens", p.settings.tokens},
      {"timing",
       {{"repetitions", p.settings.repetitions},
        {"probes", p.examples.empty() ? "random ids" : "development set"},
        {"sequences", sequences},
        {"tokens", tokens},
        {"machine", machine_in_words()}}}};
  folder.named([&] {
    for (const auto& [name, text] : p.source.tokenizer.files()) {
      io::write_file(folder.path() / name, text);
    }
    nn::save_model(*models.back(), folder.path(), report.initialised);
    io::write_json(folder.path() / "compaction.json", result);
  });
  if (!p.settings.probes.empty()) {
    detail::write_probes(*models.back(), std::span<const packed_batch>{p.probes},
                         p.settings.probes);
  }
  folder.commit();
  return result;
}

}  // namespace tombola::experiment
