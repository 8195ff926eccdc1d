#pragma once

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/core/trace.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/io/ticket_file.hpp"

namespace tombola::io {

namespace detail {

/// A number as JSON; infinities and NaN, which JSON lacks, as strings: a search without a guard has
/// a threshold of minus infinity.
[[nodiscard]] inline nlohmann::json number_json(double x) {
  if (std::isfinite(x)) return x;
  return std::isnan(x) ? "nan" : x > 0 ? "inf" : "-inf";
}

[[nodiscard]] inline double number_from(const nlohmann::json& object,
                                        const std::string& key,
                                        const std::string& file) {
  const auto value = optional_member<nlohmann::json>(object, key, file);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (value == "inf") return infinity;
  if (value == "-inf") return -infinity;
  if (value == "nan") return std::numeric_limits<double>::quiet_NaN();
  return require<double>(object, key, file);
}

/// Names of the tensors of a step: `3/mask/heads`, `3/scores/heads`.
[[nodiscard]] inline std::string step_tensor(std::size_t step,
                                             const char* what,
                                             const std::string& name) {
  return std::to_string(step) + "/" + what + "/" + name;
}

/// Describes a step and lists its tensors, whose bytes stay where they are.
[[nodiscard]] inline nlohmann::json describe(const trace_step& s,
                                             std::size_t step,
                                             std::vector<tensor_to_write>& tensors) {
  nlohmann::json groups = nlohmann::json::array();
  for (std::size_t i = 0; i < s.candidate.groups().size(); ++i) {
    const group& g = s.candidate.groups()[i];
    const auto bits = packed(s.candidate[i]);
    groups.push_back(to_json(g));
    groups.back()["kept"] = s.candidate[i].count();
    tensors.push_back({step_tensor(step, "mask", g.name), dtype::u8, {bits.size()}, bits});
  }
  nlohmann::json scored = nlohmann::json::array();
  for (const tombola::scores& of : s.scores) {
    scored.push_back(to_json(of.group()));
    tensors.push_back({step_tensor(step, "scores", of.group().name),
                       dtype::f32,
                       {of.size()},
                       std::as_bytes(of.values())});
  }
  return {{"phase", s.phase},
          {"metric", number_json(s.metric)},
          {"accepted", s.accepted},
          {"groups", std::move(groups)},
          {"scores", std::move(scored)},
          {"provenance", to_json(s.candidate.origin)}};
}

[[nodiscard]] inline tombola::scores scores_from(const safetensors_file& file,
                                                 std::size_t step,
                                                 group g) {
  const std::string name = file.path().string();
  const tensor_entry& t = file.at(step_tensor(step, "scores", g.name));
  if (t.type != dtype::f32 || t.shape != std::vector<std::size_t>{g.size()}) {
    throw format_error(name, "tensor " + shown(t.name) + " is " + std::string{info(t.type).name} +
                                 " " + shown(t.shape) + ", expected F32 " +
                                 shown(std::vector<std::size_t>{g.size()}));
  }
  try {
    return {std::move(g), to_floats(t)};
  } catch (const input_error& e) {
    throw format_error(name, "tensor " + shown(t.name) + ": " + e.what());
  }
}

[[nodiscard]] inline trace_step step_from(const safetensors_file& file,
                                          std::size_t step,
                                          const nlohmann::json& j) {
  const std::string name = file.path().string() + " (step " + std::to_string(step) + ")";
  trace_step s;
  s.phase = require<std::string>(j, "phase", name);
  s.metric = number_from(j, "metric", name);
  s.accepted = require<bool>(j, "accepted", name);
  const auto described = require<nlohmann::json>(j, "groups", name);
  std::vector<group> groups = groups_from(described, name);
  std::vector<mask> masks;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const group& g = groups[i];
    masks.push_back(unpacked(file.at(step_tensor(step, "mask", g.name)), g, g.size(), name));
    const auto kept = require<std::size_t>(described[i], "kept", name);
    if (kept != masks.back().count()) {
      throw format_error(name, "says that " + std::to_string(kept) + " units of " + shown(g.name) +
                                   " are kept, but its mask keeps " +
                                   std::to_string(masks.back().count()));
    }
  }
  s.candidate = ticket{std::move(groups), std::move(masks)};
  s.candidate.origin = provenance_from(require<nlohmann::json>(j, "provenance", name), name);
  for (group& g : groups_from(require<nlohmann::json>(j, "scores", name), name)) {
    s.scores.push_back(scores_from(file, step, std::move(g)));
  }
  return s;
}

}  // namespace detail

/// Writes what a search did into one safetensors file: numbers and groups as JSON in its metadata,
/// the mask and the scores of every step as tensors. The file appears complete or not at all.
///
/// Throws input_error, naming the file, if two scores of a step are for one group, a name is not
/// UTF-8 or the description is too long; else as atomic_file does.
inline void write_trace(const std::filesystem::path& path, const trace& t) {
  nlohmann::json steps = nlohmann::json::array();
  std::vector<tensor_to_write> tensors;
  for (std::size_t i = 0; i < t.steps.size(); ++i) {
    steps.push_back(detail::describe(t.steps[i], i, tensors));
  }
  nlohmann::json description{{"baseline", detail::number_json(t.baseline)},
                             {"threshold", detail::number_json(t.threshold)},
                             {"steps", std::move(steps)}};
  if (!t.measure.empty()) description["measure"] = t.measure;
  if (t.seconds > 0.0) description["seconds"] = t.seconds;
  write_safetensors(path, tensors,
                    {{"format", "tombola-trace"},
                     {"version", "1"},
                     {"trace", detail::metadata_json(description, path)}});
}

/// Reads it back, bit for bit. Throws input_error if the file cannot be opened, format_error if it
/// is not a trace, if its seconds are negative, its masks do not keep as many units as it says, or
/// if a tensor is missing, of another shape or left over.
[[nodiscard]] inline trace read_trace(const std::filesystem::path& path) {
  const safetensors_file file{path};
  const std::string name = path.string();
  detail::require_format(file, "tombola-trace");
  const nlohmann::json description = detail::metadata_value(file, "trace");
  trace t;
  t.baseline = detail::number_from(description, "baseline", name);
  t.threshold = detail::number_from(description, "threshold", name);
  t.measure = optional_member<std::string>(description, "measure", name).value_or("");
  t.seconds = optional_member<double>(description, "seconds", name).value_or(0.0);
  if (t.seconds < 0.0) {
    throw format_error(
        name, "found " + std::to_string(t.seconds) + " as its seconds, expected 0 or more");
  }
  const auto steps = require<nlohmann::json>(description, "steps", name);
  if (!steps.is_array()) {
    throw format_error(name, "found " + shown_value(steps) + " as its steps, expected a list");
  }
  std::size_t used = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    t.steps.push_back(detail::step_from(file, i, steps[i]));
    used += t.steps.back().candidate.groups().size() + t.steps.back().scores.size();
  }
  if (used != file.tensors().size()) {
    throw format_error(name, "has " + std::to_string(file.tensors().size()) +
                                 " tensors, expected " + std::to_string(used) + " for its steps");
  }
  return t;
}

}  // namespace tombola::io
