#pragma once

// Heavy to include: holds JSON values.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"

namespace tombola::experiment {

/// Settings as results and tickets have them: `name value` items in the order of their names, split
/// by `, `, fingerprints cut to 12 digits. Members named in `without` and those that are null are
/// left out. Precondition: an object of numbers and strings.
[[nodiscard]] inline std::string setting_text(const nlohmann::json& settings,
                                              std::initializer_list<std::string_view> without) {
  constexpr std::size_t fingerprint_digits = 64, shown_digits = 12;
  std::string text;
  for (const auto& [name, value] : settings.items()) {
    if (value.is_null() || std::find(without.begin(), without.end(), name) != without.end()) {
      continue;
    }
    std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
    if (shown.size() == fingerprint_digits) shown.resize(shown_digits);
    text += (text.empty() ? "" : ", ") + name + " " + shown;
  }
  return text;
}

/// Throws input_error, naming it, where a setting is NaN or infinite: JSON has no such numbers, so
/// that two of them would be one run. Precondition: an object.
inline void require_finite(const nlohmann::json& settings) {
  for (const auto& [name, value] : settings.items()) {
    if (!value.is_number_float() || std::isfinite(value.get<double>())) continue;
    throw input_error("settings: " + name + " is " + std::to_string(value.get<double>()) +
                      ", expected a finite number");
  }
}

/// How a model was trained, from the settings of a training run: what must be alike where scores
/// are averaged over seeds. Not in it: the ticket and its form, and the examples, which the seed
/// draws.
[[nodiscard]] inline std::string training_setting(const nlohmann::json& settings) {
  return setting_text(settings, {"form", "ticket", "ticket_kind", "ticket_search", "train", "dev"});
}

/// How a ticket was searched for, from the settings of a search. Not in it: which units, where the
/// ticket itself says so (one over heads and MLPs may come from a search of either alone), model,
/// examples and start, which differ from seed to seed, and what a result tells beside the search:
/// the examples it is reported on, what their commonest class scores, how the model was trained.
[[nodiscard]] inline std::string search_setting(const nlohmann::json& settings) {
  const auto what = settings.find("prune");
  const bool alone = what != settings.end() && (*what == "heads" || *what == "mlps");
  return setting_text(settings, {"model", "selection", "dev", "start", "majority", "setting",
                                 alone ? "" : "prune"});
}

}  // namespace tombola::experiment
