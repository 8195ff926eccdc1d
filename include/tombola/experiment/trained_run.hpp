#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "tombola/experiment/model_source.hpp"
#include "tombola/experiment/run.hpp"
#include "tombola/experiment/setting.hpp"
#include "tombola/experiment/task_data.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/io/ticket_file.hpp"

namespace tombola::experiment {

/// A finished training run, read back: its model, its task, and the ticket it was trained under.
struct trained_run {
  std::filesystem::path folder;
  std::string task_name;
  std::uint64_t seed = 0;
  std::size_t max_length = 0;
  std::size_t rows = 0;
  std::filesystem::path data;      ///< folder of the tasks, as given when it was trained
  std::string dev;                 ///< fingerprint of its development set; empty: not known
  std::optional<double> majority;  ///< score of the training set's commonest class on that
  std::string setting;             ///< how it was trained (setting.hpp)
  model_source source;
  std::optional<ticket> trained_under;

  /// What the commonest class scores on these examples, which is known of the run's own alone.
  [[nodiscard]] std::optional<double> majority_on(const split& examples) const {
    return examples.fingerprint == dev ? majority : std::nullopt;
  }
};

/// Reads a training run's folder. `data` replaces the data folder that the run was trained from
/// where it is not empty. Throws input_error or format_error, naming the file.
[[nodiscard]] inline trained_run open_trained_run(const std::filesystem::path& folder,
                                                  const std::filesystem::path& data) {
  const nlohmann::json run = read_run(folder);
  const std::filesystem::path file = folder / "run.json";
  if (const auto step = io::require<std::string>(run, "step", file); step != "train") {
    throw format_error(file.string(), "is a run of " + io::shown(step) + ", expected one of train");
  }
  const auto settings = io::require<nlohmann::json>(run, "settings", file);
  std::filesystem::path from = data;
  const std::filesystem::path result_file = folder / "result.json";
  const nlohmann::json result = io::read_json(result_file);
  if (from.empty()) {
    for (const auto& i : io::require<std::vector<nlohmann::json>>(result, "inputs", result_file)) {
      if (io::require<std::string>(i, "name", result_file) != "dev") continue;
      const auto path = io::require<std::string>(i, "path", result_file);
      from = std::filesystem::path{path}.parent_path().parent_path();
    }
  }
  std::optional<ticket> t;
  if (io::optional_member<std::string>(settings, "ticket", file))
    t = io::read_ticket(folder / "ticket.safetensors");
  return {folder,
          io::require<std::string>(run, "task", file),
          io::require<std::uint64_t>(run, "seed", file),
          io::require<std::size_t>(settings, "max_length", file),
          io::require<std::size_t>(settings, "rows", file),
          from,
          io::optional_member<std::string>(settings, "dev", file).value_or(""),
          io::optional_member<double>(result, "majority", result_file),
          training_setting(settings),
          open_model(folder / "model"),
          std::move(t)};
}

}  // namespace tombola::experiment
