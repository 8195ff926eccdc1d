#pragma once

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "tombola/core/error.hpp"
#include "tombola/io/descriptor.hpp"
#include "tombola/io/file_lock.hpp"

namespace tombola::io {

/// Makes a folder, and those that it lies in, where they are not there. Throws input_error, naming
/// it, where that cannot be done, runtime_failure where the disk is full.
inline void make_folders(const std::filesystem::path& folder) {
  std::error_code code;
  const bool made = std::filesystem::create_directories(folder, code);
  if (code) cannot_create(folder, code.value());
  if (made && folder.has_parent_path()) flush_folder(folder.parent_path());
}

/// A new folder that appears complete or not at all.
///
/// Files are written to path(), a temporary folder `.NAME.tmp-PID-K` beside the target; commit()
/// renames it. Without that it is removed with all that is in it; one that a killed process left is
/// removed by whoever makes the same folder next.
class atomic_folder {
public:
  /// Throws input_error, naming the folder, where the target is there already and not an empty
  /// folder (a link is not), or cannot be made; runtime_failure where the disk is full.
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
    const std::string mark = "." + name + ".tmp-";
    const std::string stem = mark + std::to_string(::getpid()) + "-";
    detail::remove_abandoned(parent(), mark);
    for (int k = 0; k < 10000; ++k) {
      path_ = parent() / (stem + std::to_string(k));
      if (std::filesystem::create_directory(path_, code)) {
        lock_ = descriptor{::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        if (!lock_.is_open() || detail::keep(path_, lock_)) return;
      }
      if (code) break;
    }
    cannot_create(target_, code ? code.value() : EEXIST);
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

  /// Does some work in path(), and speaks of the folder to come where it fails there. Failures that
  /// say nothing of path() pass as they are.
  template <class Work>
  auto named(Work work) const {
    try {
      return work();
    } catch (const input_error& e) {
      if (const std::string said = in_target(e.what()); said != e.what()) throw input_error(said);
      throw;
    } catch (const runtime_failure& e) {
      if (const std::string said = in_target(e.what()); said != e.what()) {
        throw runtime_failure(said);
      }
      throw;
    }
  }

  /// Makes the folder appear. Throws runtime_failure, naming it. Call once, last.
  void commit() {
    flush_folder(path_);
    std::error_code code;
    std::filesystem::rename(path_, target_, code);
    if (code) throw runtime_failure(target_.string() + ": renaming failed: " + code.message());
    committed_ = true;
    flush_folder(parent());
  }

private:
  [[nodiscard]] std::filesystem::path parent() const {
    return target_.has_parent_path() ? target_.parent_path() : std::filesystem::path{"."};
  }

  std::filesystem::path target_, path_;
  descriptor lock_;  ///< says that the temporary folder is in use
  bool committed_ = false;
};

}  // namespace tombola::io
