#pragma once

// Heavy: reads JSON. Headers that only work on results include result.hpp.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/analysis/folder.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/core/error.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::analysis {

/// Folders inside folders that are searched for results.
inline constexpr int max_result_depth = 3;
/// Bytes that a result.json may have.
inline constexpr std::size_t max_result_bytes = std::size_t{4} << 20;

namespace detail {

/// The member as one of the words of an enum. Throws format_error that lists them.
template <class Enum, std::size_t N>
[[nodiscard]] Enum require_word(const nlohmann::json& object,
                                const std::string& key,
                                const std::filesystem::path& file,
                                const std::array<std::pair<Enum, std::string_view>, N>& words) {
  const auto found = io::require<std::string>(object, key, file);
  std::string expected;
  for (const auto& [value, word] : words) {
    if (found == word) return value;
    expected += (expected.empty() ? "" : ", ") + std::string{word};
  }
  throw format_error(file.string(),
                     io::shown(key) + " is " + io::shown(found) + ", expected one of " + expected);
}

/// A number that may be null: undefined. Throws format_error where it is missing.
[[nodiscard]] inline std::optional<double> require_number_or_null(
    const nlohmann::json& object, const std::string& key, const std::filesystem::path& file) {
  if (object.is_object() && !object.contains(key)) {
    throw format_error(file.string(), "has no " + io::shown(key) + ", expected a number or null");
  }
  return io::optional_member<double>(object, key, file);
}

/// A number of 0 or more. Throws format_error.
[[nodiscard]] inline double require_amount(const nlohmann::json& object,
                                           const std::string& key,
                                           const std::filesystem::path& file) {
  const auto x = io::require<double>(object, key, file);
  if (!(x >= 0.0) || !std::isfinite(x)) {
    throw format_error(file.string(),
                       io::shown(key) + " is " + shortest(x) + ", expected a number of 0 or more");
  }
  return x;
}

[[nodiscard]] inline std::map<std::string, std::size_t> require_counts(
    const nlohmann::json& object, const std::string& key, const std::filesystem::path& file) {
  const auto members = io::require<nlohmann::json>(object, key, file);
  if (!members.is_object()) {
    throw format_error(file.string(), io::shown(key) + " is " + io::shown_value(members) +
                                          ", expected an object of counts by group");
  }
  std::map<std::string, std::size_t> counts;
  for (const auto& [name, value] : members.items()) {
    counts[name] = io::require<std::size_t>(members, name, file);
  }
  return counts;
}

[[nodiscard]] inline ticket_summary read_summary(const nlohmann::json& t,
                                                 const std::filesystem::path& file) {
  ticket_summary s;
  s.file = io::require<std::string>(t, "file", file);
  s.kind = require_word(t, "kind", file, kind_words);
  s.family = require_word(t, "family", file, family_words);
  s.fingerprint = io::require<std::string>(t, "fingerprint", file);
  s.search = io::optional_member<std::string>(t, "search", file).value_or("");
  s.kept = require_counts(t, "kept", file);
  s.size = require_counts(t, "size", file);
  for (const auto& [name, kept] : s.kept) {
    const auto at = s.size.find(name);
    if (at == s.size.end() || kept > at->second) {
      throw format_error(file.string(),
                         "'kept' says " + std::to_string(kept) + " units of " + io::shown(name) +
                             " and 'size' " +
                             (at == s.size.end() ? "none" : std::to_string(at->second)) +
                             ", expected a size of at least as many");
    }
  }
  return s;
}

/// Why the score is undefined, or nothing. A mean of two metrics is undefined where one of them is.
[[nodiscard]] inline std::string read_undefined(const nlohmann::json& object,
                                                const result& r,
                                                const std::filesystem::path& file) {
  const auto reasons = io::optional_member<nlohmann::json>(object, "undefined", file);
  if (!reasons) return {};
  if (!reasons->is_object()) {
    throw format_error(file.string(), "'undefined' is " + io::shown_value(*reasons) +
                                          ", expected an object of reasons");
  }
  for (const auto& [name, why] : reasons->items()) {
    if (name == r.metric || !r.metrics.contains(r.metric)) {
      return io::require<std::string>(*reasons, name, file);
    }
  }
  return {};
}

[[nodiscard]] inline std::vector<input_file> read_inputs(const nlohmann::json& object,
                                                         const std::filesystem::path& file) {
  std::vector<input_file> inputs;
  for (const auto& i : io::require<std::vector<nlohmann::json>>(object, "inputs", file)) {
    inputs.push_back({io::require<std::string>(i, "name", file),
                      io::require<std::string>(i, "path", file),
                      io::require<std::string>(i, "sha256", file)});
  }
  return inputs;
}

}  // namespace detail

/// The result of one run from its result.json.
///
/// Throws format_error, naming the file, the key, what was found and what was expected; input_error
/// where the file cannot be read.
[[nodiscard]] inline result read_result(const std::filesystem::path& file) {
  const nlohmann::json j = io::read_json(file, max_result_bytes);
  if (const auto format = io::require<std::string>(j, "format", file); format != "tombola-result") {
    throw format_error(file.string(),
                       "'format' is " + io::shown(format) + ", expected 'tombola-result'");
  }
  if (const auto version = io::require<std::int64_t>(j, "version", file); version != 1) {
    throw format_error(file.string(), "'version' is " + std::to_string(version) + ", expected 1");
  }
  result r;
  r.file = file;
  r.step = detail::require_word(j, "step", file, step_words);
  const auto run = io::require<nlohmann::json>(j, "run", file);
  r.run = run.dump(-1, ' ', true);
  r.setting = io::optional_member<std::string>(j, "setting", file).value_or("");
  r.task = io::require<std::string>(j, "task", file);
  r.seed = io::require<std::uint64_t>(j, "seed", file);
  r.metric = io::require<std::string>(j, "metric", file);
  r.score = detail::require_number_or_null(j, "score", file);
  const auto metrics = io::require<nlohmann::json>(j, "metrics", file);
  if (!metrics.is_object()) {
    throw format_error(file.string(), "'metrics' is " + io::shown_value(metrics) +
                                          ", expected an object of numbers");
  }
  for (const auto& [name, value] : metrics.items()) {
    r.metrics[name] = io::optional_member<double>(metrics, name, file);
  }
  r.undefined = detail::read_undefined(j, r, file);
  r.majority = io::optional_member<double>(j, "majority", file);
  if (const auto t = io::optional_member<nlohmann::json>(j, "ticket", file)) {
    r.ticket = detail::read_summary(*t, file);
  }
  r.retrained = io::require<bool>(j, "retrained", file);
  r.seconds = detail::require_amount(j, "seconds", file);
  r.tokens_per_second = detail::require_amount(j, "tokens_per_second", file);
  r.machine = io::require<std::string>(j, "machine", file);
  r.commit = io::require<std::string>(j, "commit", file);
  r.inputs = detail::read_inputs(j, file);
  return r;
}

namespace detail {

inline void find_results(const std::filesystem::path& folder,
                         int depth,
                         std::vector<std::filesystem::path>& found) {
  std::error_code code;
  if (std::filesystem::is_regular_file(folder / "result.json", code)) {
    found.push_back(folder / "result.json");
  }
  if (depth == max_result_depth) return;
  for (const auto& inner : folders_in(folder)) find_results(inner, depth + 1, found);
}

}  // namespace detail

/// All results in a folder of run folders, at most max_result_depth folders down, in the order of
/// their paths. Empty where there are none; runs without a result are unfinished and not counted.
///
/// Throws as read_result does at the first file that is not a result; input_error if the folder
/// cannot be read.
[[nodiscard]] inline std::vector<result> read_results(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  detail::find_results(folder, 0, files);
  std::vector<result> results;
  results.reserve(files.size());
  for (const auto& f : files) results.push_back(read_result(f));
  return results;
}

}  // namespace tombola::analysis
