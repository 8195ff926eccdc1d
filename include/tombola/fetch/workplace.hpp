#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/descriptor.hpp"
#include "tombola/io/file_lock.hpp"
#include "tombola/io/json.hpp"

namespace tombola::fetch {

/// The folder `.NAME.fetching` beside a file or folder that is being fetched.
///
/// It belongs to one process at a time, where the file system locks folders. It goes with its owner
/// unless keep() was called: then what has come stays, and the next call goes on from there.
class workplace {
public:
  /// Throws input_error, naming the target, where it names nothing that could be made, where its
  /// folder cannot be written to, or where another process is fetching the same.
  explicit workplace(std::filesystem::path target) : target_{std::move(target)} {
    if (!target_.has_filename()) target_ = target_.parent_path();  // `out/` and `out` are one
    const std::string name = target_.filename().string();
    if (name.empty() || name == "." || name == "..") {
      throw input_error("'" + target_.string() + "': names no file or folder that could be made");
    }
    const auto parent = target_.has_parent_path() ? target_.parent_path() : ".";
    path_ = parent / ("." + name + ".fetching");
    std::error_code code;
    std::filesystem::create_directory(path_, code);
    constexpr int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if (!code) lock_ = io::descriptor{::open(path_.c_str(), how)};
    if (!lock_.is_open()) {
      if (io::is_full_disk(code.value())) io::cannot_create(path_, code.value());
      throw input_error(target_.string() + ": cannot be fetched, " + path_.string() +
                        " cannot be made: " + (code ? code.message() : io::system_text(errno)));
    }
    // Some network disks lock no folder: nobody is kept out there.
    if (io::try_lock(lock_) == io::lock_outcome::held || !io::still_names(path_, lock_)) {
      throw input_error(target_.string() + ": is being fetched by another process");
    }
    owner_ = true;
  }
  workplace(const workplace&) = delete;
  workplace& operator=(const workplace&) = delete;
  ~workplace() {
    std::error_code ignored;
    if (owner_ && !kept_) std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& target() const noexcept { return target_; }
  /// Where what comes is written to.
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }

  /// What has come outlives this object. Says so at the end of a sentence.
  void keep() noexcept { kept_ = true; }
  [[nodiscard]] bool is_kept() const noexcept { return kept_; }

  /// Makes `name` in here the target; nothing else outlives this. Throws runtime_failure, naming
  /// the target, which is then what it was. Call once, last.
  void publish(const std::string& name) {
    kept_ = false;
    io::flush_folder(path_ / name);  // what is no folder was flushed when it was written
    if (std::rename((path_ / name).c_str(), target_.c_str()) != 0) {
      throw runtime_failure(target_.string() + ": renaming failed: " + io::system_text(errno));
    }
    io::flush_folder(target_.has_parent_path() ? target_.parent_path() : ".");
  }

private:
  std::filesystem::path target_, path_;
  io::descriptor lock_;
  bool owner_ = false, kept_ = false;
};

namespace detail {

/// Where the bytes of a half-fetched file came from, without a password; kept beside it as JSON.
struct beginning {
  std::string address, validator, sha256;

  bool operator==(const beginning&) const = default;
};

[[nodiscard]] inline std::filesystem::path beside(std::filesystem::path file) {
  return file += ".from";
}

inline void write_beginning(const std::filesystem::path& file, const beginning& b) {
  io::write_json(beside(file),
                 {{"address", b.address}, {"validator", b.validator}, {"sha256", b.sha256}});
}

/// Nothing where there is none that can be read: the file is then fetched from its first byte.
[[nodiscard]] inline std::optional<beginning> read_beginning(const std::filesystem::path& file) {
  constexpr std::size_t most = std::size_t{64} << 10;
  std::error_code code;
  const auto from = beside(file);
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(from, code))) return {};
  try {
    const nlohmann::json j = io::read_json(from, most);
    beginning b{io::require<std::string>(j, "address", from),
                io::require<std::string>(j, "validator", from),
                io::require<std::string>(j, "sha256", from)};
    // It becomes a line of a request.
    if (b.validator.empty() || has_control_characters(b.validator)) return std::nullopt;
    return b;
  } catch (const input_error&) {
    return std::nullopt;
  }
}

}  // namespace detail

}  // namespace tombola::fetch
