#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tombola::analysis {

/// What a run did.
enum class run_step { pretrain, train, find_masks, evaluate };

/// What a search found, or a control made of it (prune/controls.hpp).
enum class ticket_kind { good, random, bad, inverted, super, super_bad, super_random };

/// Which units a search prunes.
enum class ticket_family { heads, mlps, heads_mlps, weights, neurons, structures };

/// The words of the files, in the order of reports.
inline constexpr std::array<std::pair<run_step, std::string_view>, 4> step_words{
    {{run_step::pretrain, "pretrain"},
     {run_step::train, "train"},
     {run_step::find_masks, "find-masks"},
     {run_step::evaluate, "evaluate"}}};
inline constexpr std::array<std::pair<ticket_kind, std::string_view>, 7> kind_words{
    {{ticket_kind::good, "good"},
     {ticket_kind::random, "random"},
     {ticket_kind::bad, "bad"},
     {ticket_kind::inverted, "inverted"},
     {ticket_kind::super, "super"},
     {ticket_kind::super_bad, "super bad"},
     {ticket_kind::super_random, "super random"}}};
inline constexpr std::array<std::pair<ticket_family, std::string_view>, 6> family_words{
    {{ticket_family::heads, "heads"},
     {ticket_family::mlps, "mlps"},
     {ticket_family::heads_mlps, "heads_mlps"},
     {ticket_family::weights, "weights"},
     {ticket_family::neurons, "neurons"},
     {ticket_family::structures, "structures"}}};

[[nodiscard]] constexpr std::string_view to_string(run_step s) noexcept {
  return step_words[static_cast<std::size_t>(s)].second;
}
[[nodiscard]] constexpr std::string_view to_string(ticket_kind k) noexcept {
  return kind_words[static_cast<std::size_t>(k)].second;
}
[[nodiscard]] constexpr std::string_view to_string(ticket_family f) noexcept {
  return family_words[static_cast<std::size_t>(f)].second;
}

/// A family, or a kind of unit, as prose has it; other names stay as they are.
///
/// What follows a comma, as in `weights, mode study`, is kept.
[[nodiscard]] inline std::string in_words(std::string_view name) {
  const std::size_t end = std::min(name.find(", "), name.size());
  const std::string_view family = name.substr(0, end);
  const std::string_view words = family == "heads_mlps" ? "heads and MLPs"
                                 : family == "mlps"     ? "MLPs"
                                 : family == "none"     ? "full model"
                                                        : family;
  return std::string{words} + std::string{name.substr(end)};
}

/// The ticket a run had: what the report needs of it without opening its file.
struct ticket_summary {
  std::string file;
  ticket_kind kind = ticket_kind::good;
  ticket_family family = ticket_family::heads;
  std::string fingerprint;
  std::string search;  ///< how it, or the good ticket behind it, was found; may be empty
  std::map<std::string, std::size_t> kept;  ///< units by group
  std::map<std::string, std::size_t> size;  ///< units there are, by group
};

/// A file that went into a run. `sha256` may be empty: not known.
struct input_file {
  std::string name;
  std::string path;
  std::string sha256;
};

/// What one run wrote about itself: its result.json (docs/formats.md).
struct result {
  std::filesystem::path file;  ///< where it was read
  run_step step = run_step::train;
  std::string run;      ///< the settings, as one line of JSON
  std::string setting;  ///< what must be alike where results are averaged; may be empty
  std::string task;
  std::uint64_t seed = 0;
  std::string metric;
  std::optional<double> score;  ///< nothing where the metric is undefined and counts nothing
  std::string undefined;        ///< why the metric is undefined and counts 0; mostly empty
  std::map<std::string, std::optional<double>> metrics;
  std::optional<double> majority;        ///< score of always answering the commonest class
  std::optional<ticket_summary> ticket;  ///< nothing: the full model
  bool retrained = false;                ///< trained inside the ticket
  double seconds = 0.0;
  double tokens_per_second = 0.0;
  std::string machine;
  std::string commit;
  std::vector<input_file> inputs;
};

}  // namespace tombola::analysis
