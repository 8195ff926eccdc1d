#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "tombola/core/error.hpp"

namespace tombola::analysis {

/// The folders inside a folder, by name. Symbolic links are left out: a loop of them never ends.
/// So are hidden ones: what is being written starts with a dot.
///
/// Throws input_error, naming the folder, where it is none or cannot be read.
[[nodiscard]] inline std::vector<std::filesystem::path> folders_in(
    const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code code;
  std::filesystem::directory_iterator at{folder, code};
  if (code) {
    throw input_error(folder.string() + ": cannot be read as a folder: " + code.message());
  }
  for (; at != std::filesystem::directory_iterator{}; at.increment(code)) {
    std::error_code gone;  // an entry that vanishes meanwhile is no folder
    if (std::filesystem::is_directory(at->symlink_status(gone)) &&
        !at->path().filename().string().starts_with('.')) {
      found.push_back(at->path());
    }
  }
  if (code) throw input_error(folder.string() + ": cannot be read: " + code.message());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace tombola::analysis
