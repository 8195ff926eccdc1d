#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "tombola/core/error.hpp"

namespace tombola::test {

/// An empty folder that goes with its owner.
class scratch_folder {
public:
  scratch_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tombola-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw runtime_failure("no scratch folder");
    path_ = pattern;
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Names of the files in it.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& e : std::filesystem::directory_iterator{path_}) {
      found.push_back(e.path().filename().string());
    }
    return found;
  }

private:
  std::filesystem::path path_;
};

/// A file written the plain way, so that tests of files do not rest on what they test.
/// A new one each time: some file systems wait for the disk when a file is emptied and refilled.
inline void put(const std::filesystem::path& path, std::string_view content) {
  std::remove(path.c_str());
  std::FILE* f = std::fopen(path.c_str(), "wb");
  if (f == nullptr || std::fwrite(content.data(), 1, content.size(), f) != content.size() ||
      std::fclose(f) != 0) {
    throw runtime_failure("cannot write " + path.string());
  }
}

/// A file's bytes, read the plain way.
[[nodiscard]] inline std::string get(const std::filesystem::path& path) {
  std::FILE* f = std::fopen(path.c_str(), "rb");
  if (f == nullptr) throw runtime_failure("cannot read " + path.string());
  std::string all;
  char piece[4096];
  while (const std::size_t n = std::fread(piece, 1, sizeof piece, f)) all.append(piece, n);
  std::fclose(f);
  return all;
}

/// The sentence of the Error that a call throws, without `prefix` in front; says so where there is
/// no error or another kind of error.
template <class Error, class Call>
[[nodiscard]] std::string sentence(Call call, const std::string& prefix = "") {
  try {
    call();
  } catch (const Error& e) {
    const std::string s = e.what();
    return s.starts_with(prefix) ? s.substr(prefix.size()) : "(without its file) " + s;
  } catch (const std::exception& e) {
    return std::string{"(of another kind) "} + e.what();
  }
  return "(nothing was thrown)";
}

/// The bytes of a number, little-endian.
template <class T>
[[nodiscard]] std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace tombola::test
