#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "tombola/core/error.hpp"

namespace tombola::io {

/// A new folder that appears complete or not at all.
///
/// Files are written to path(), a temporary folder `.NAME.tmp-PID-K` beside the target; commit()
/// renames it. Without that it is removed with all that is in it.
class atomic_folder {
public:
  /// Throws input_error, naming the folder, where the target is there already and not an empty
  /// folder (a link is not), or cannot be made.
  explicit atomic_folder(std::filesystem::path target) : target_{std::move(target)} {
    // `out/` and `out` are one folder.
    if (!target_.has_filename()) target_ = target_.parent_path();
    const std::string name = target_.filename().string();
    if (name.empty() || name == "." || name == "..") {
      throw input_error("'" + target_.string() + "': names no folder that could be made");
    }
    std::error_code code;
    const auto there = std::filesystem::symlink_status(target_, code);
    if (std::filesystem::exists(there) &&
        !(std::filesystem::is_directory(there) && std::filesystem::is_empty(target_, code))) {
      throw input_error(target_.string() + ": is there already, expected a new or empty folder");
    }
    const auto parent = target_.has_parent_path() ? target_.parent_path() : ".";
    const std::string stem = "." + name + ".tmp-" + std::to_string(::getpid()) + "-";
    for (int k = 0; k < 10000; ++k) {
      path_ = parent / (stem + std::to_string(k));
      if (std::filesystem::create_directory(path_, code)) return;
      if (code) break;
    }
    throw input_error(
        target_.string() + ": cannot be created: " +
        (code ? code.message() : std::string{"too many temporary folders beside it"}));
  }
  atomic_folder(const atomic_folder&) = delete;
  atomic_folder& operator=(const atomic_folder&) = delete;
  ~atomic_folder() {
    std::error_code ignored;
    if (!committed_) std::filesystem::remove_all(path_, ignored);
  }

  /// Where files are written until commit().
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// A sentence about a file in path() as one about the folder to come, which outlives it.
  [[nodiscard]] std::string in_target(std::string sentence) const {
    for (auto at = sentence.find(path_.string()); at != sentence.npos;) {
      sentence.replace(at, path_.string().size(), target_.string());
      at = sentence.find(path_.string());
    }
    return sentence;
  }

  /// Makes the folder appear. Throws runtime_failure, naming it. Call once, last.
  void commit() {
    std::error_code code;
    std::filesystem::rename(path_, target_, code);
    if (code) throw runtime_failure(target_.string() + ": renaming failed: " + code.message());
    committed_ = true;
  }

private:
  std::filesystem::path target_, path_;
  bool committed_ = false;
};

}  // namespace tombola::io
