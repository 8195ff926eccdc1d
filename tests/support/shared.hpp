#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include "tests/support/catch.hpp"

namespace tombola::test {

/// Says that the running test is skipped, and why. CTest turns the line into a skip, by name.
inline void skip(const std::string& reason) {
  std::cout << "skipped: " << reason << std::endl;
  SUCCEED();
}

/// A path inside the folder of reference data: TOMBOLA_SHARED, or ../shared beside the sources.
/// Nothing, after saying 'skipped', where it is missing.
inline std::optional<std::filesystem::path> shared(const std::string& inside) {
  const char* set = std::getenv("TOMBOLA_SHARED");
  const std::filesystem::path root = set != nullptr && *set != '\0'
                                         ? std::filesystem::path{set}
                                         : std::filesystem::path{TOMBOLA_SOURCE_DIR} / "../shared";
  if (std::filesystem::exists(root / inside)) return root / inside;
  skip((root / inside).lexically_normal().string() + " is not there");
  return std::nullopt;
}

/// The MiniLM checkpoint: TOMBOLA_MINILM, or where its fetch script puts it.
inline std::optional<std::filesystem::path> minilm() {
  std::filesystem::path p;
  if (const char* set = std::getenv("TOMBOLA_MINILM")) {
    p = set;
  } else if (const char* cache = std::getenv("XDG_CACHE_HOME")) {
    p = std::filesystem::path{cache} / "tombola/minilm-l6-h384-uncased";
  } else if (const char* home = std::getenv("HOME")) {
    p = std::filesystem::path{home} / ".cache/tombola/minilm-l6-h384-uncased";
  }
  if (std::filesystem::exists(p / "model.safetensors")) return p;
  skip(p.string() + " is not there");
  return std::nullopt;
}

}  // namespace tombola::test
