#pragma once

// Heavy to include: holds JSON values.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/backend/precision.hpp"
#include "tombola/core/error.hpp"
#include "tombola/experiment/run_lock.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/atomic_folder.hpp"
#include "tombola/io/file_lock.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/sha256.hpp"

namespace tombola::experiment {

/// Raised by hand when the same settings no longer give the same results.
inline constexpr int result_version = 1;

/// One step of an experiment as a value: what is computed, from what, with which settings.
///
/// Two runs with one canonical text are the same run. The text is JSON with sorted keys; it names
/// its folder, `<step>-<task>-s<seed>-<12 hex digits>`, through its SHA-256.
struct run_key {
  std::string step;  ///< pretrain, train, find-masks, evaluate
  std::string task;
  std::uint64_t seed = 0;
  nlohmann::json settings;  ///< an object; settings and fingerprints, no paths and no dates

  [[nodiscard]] std::string canonical_text() const {
    return nlohmann::json{{"step", step},
                          {"task", task},
                          {"seed", seed},
                          {"settings", settings},
                          {"result_version", result_version}}
        .dump();
  }
  [[nodiscard]] std::string folder_name() const {
    return step + "-" + task + "-s" + std::to_string(seed) + "-" +
           io::sha256_hex(canonical_text()).substr(0, 12);
  }
};

/// Notes what the products were rounded to. Nothing for float32, so that folders keep their names.
inline void put_precision(nlohmann::json& settings, product_precision p) {
  if (p != product_precision::float32) settings["precision"] = to_string(p);
}

/// A file that went into a run.
struct run_input {
  std::string name;  ///< model, data, ticket
  std::string path;
  std::string sha256;
};

/// The folder of one run: `run.json` from the start, `result.json` last of all.
class run_folder {
public:
  /// Makes the folder inside `out` and writes run.json, unless they are there.
  ///
  /// Throws input_error where the folder cannot be written, runtime_failure where the disk is full,
  /// format_error where the run.json in it is another run's.
  run_folder(const std::filesystem::path& out, const run_key& key)
      : key_{key}, path_{out / key.folder_name()} {
    io::make_folders(path_);
    const std::filesystem::path file = path_ / "run.json";
    const std::string text = key.canonical_text();
    if (!std::filesystem::exists(file)) {
      io::write_file(file, text);
    } else if (io::read_text(file, io::max_json_bytes) != text) {
      throw format_error(file.string(), "describes another run, expected the settings of this one");
    }
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] const run_key& key() const noexcept { return key_; }
  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

  /// Whether the run is complete: its result is written after everything else.
  [[nodiscard]] bool done() const { return std::filesystem::exists(path_ / "result.json"); }

  /// Begins computing: takes the run's lock, which must live as long as that goes on, and removes
  /// what killed processes left. Nothing where the run is done.
  ///
  /// Throws input_error, naming the process, where another one is computing the run.
  [[nodiscard]] std::optional<run_lock> begin() const {
    std::optional<run_lock> lock;
    if (!done()) {
      lock.emplace(path_);
      if (done()) lock.reset();  // by another process, since we looked
    }
    if (lock) io::detail::remove_abandoned(path_, "");
    if (!lock) tidy();
    return lock;
  }

  /// Removes what only an unfinished run needs, if the process that finished it was killed before
  /// it could. A finished run is complete with all of it: what cannot be removed stays.
  void tidy() const {
    if (!done() || !std::filesystem::exists(path_ / "lock")) return;
    try {
      const run_lock lock{path_};
      for (const char* name : {"state.safetensors", "trace-so-far.safetensors"}) discard(name);
      io::detail::remove_abandoned(path_, "");
    } catch (const error&) {
      // Somebody is at it, or the folder is an archive that cannot be written.
      return;
    }
  }

  /// Removes a file that the run no longer needs, if it is there. Throws runtime_failure.
  void discard(const char* name) const {
    std::error_code code;
    std::filesystem::remove(path_ / name, code);
    if (code) {
      throw runtime_failure((path_ / name).string() + ": cannot be removed: " + code.message());
    }
  }

  /// Writes result.json: the run is then done. `result` gains the run's own description.
  void finish(nlohmann::json result) const {
    result["format"] = "tombola-result";
    result["version"] = 1;
    result["step"] = key_.step;
    result["task"] = key_.task;
    result["seed"] = key_.seed;
    result["run"] = nlohmann::json::parse(key_.canonical_text());
    io::write_json(path_ / "result.json", result);
  }

  [[nodiscard]] nlohmann::json result() const { return io::read_json(path_ / "result.json"); }

private:
  run_key key_;
  std::filesystem::path path_;
};

/// run.json of a finished run. Throws input_error or format_error where `folder` is none.
[[nodiscard]] inline nlohmann::json read_run(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "run.json";
  nlohmann::json j = io::read_json(file);
  static_cast<void>(io::require<std::string>(j, "step", file));
  static_cast<void>(io::require<std::string>(j, "task", file));
  static_cast<void>(io::require<std::uint64_t>(j, "seed", file));
  static_cast<void>(io::require<nlohmann::json>(j, "settings", file));
  if (!std::filesystem::exists(folder / "result.json")) {
    throw input_error(folder.string() + ": the run is not finished, expected a result.json in it");
  }
  return j;
}

}  // namespace tombola::experiment
