#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "tombola/core/error.hpp"
#include "tombola/io/descriptor.hpp"
#include "tombola/io/file_lock.hpp"

namespace tombola::io {

/// A file that appears complete or not at all.
///
/// What is written goes to a temporary in the same folder, `.NAME.tmp-PID-K`; commit() flushes it
/// to the disk, renames it over the target and flushes the folder. A kill at any moment leaves the
/// old file or the new one; a temporary it may leave behind is never mistaken for either, and is
/// removed by whoever writes the same file next. A symbolic link at the target is replaced, not
/// followed.
class atomic_file {
public:
  /// Throws input_error, naming the file, where it cannot be created: the folder is missing or
  /// read-only, or the target is something other than a regular file; runtime_failure where the
  /// disk is full.
  explicit atomic_file(std::filesystem::path path) : path_{std::move(path)} {
    std::error_code ignored;
    if (std::filesystem::exists(path_, ignored) &&
        !std::filesystem::is_regular_file(path_, ignored)) {
      throw input_error(path_.string() + ": cannot be written, it is not a regular file");
    }
    if (!path_.has_filename()) {
      throw input_error("'" + path_.string() + "': cannot be written, it names no file");
    }
    create();
  }

  atomic_file(const atomic_file&) = delete;
  atomic_file& operator=(const atomic_file&) = delete;
  /// Removes the temporary unless commit() has run.
  ~atomic_file() {
    if (!committed_) ::unlink(temporary_.c_str());
  }

  /// Appends. Throws runtime_failure, naming the file, where the disk does not take it.
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto n = ::write(file_.get(), bytes.data(), bytes.size());
      if (n < 0) {
        if (errno == EINTR) continue;
        fail("writing failed", errno);
      }
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span{text.data(), text.size()})); }

  /// Writes at byte `at`, whatever was appended; what nobody writes before the furthest byte is 0.
  /// Several threads may write at different places. Throws as write() does.
  void write_at(std::uint64_t at, std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      const auto n = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (n < 0) {
        if (errno == EINTR) continue;
        fail("writing failed", errno);
      }
      at += static_cast<std::uint64_t>(n);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }

  /// Makes the file appear. Throws runtime_failure, naming it; the target is then what it was.
  /// Call once, last.
  void commit() {
    // Pipes and some network disks cannot be flushed and say EINVAL: nothing more can be done
    // there.
    if (::fsync(file_.get()) != 0 && errno != EINVAL) fail("flushing to the disk failed", errno);
    // Closing says what network disks only say then; this keeps the temporary's lock until it has
    // its name.
    const descriptor still_mine{::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0)};
    if (const int code = file_.close(); code != 0) fail("closing failed", code);
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("renaming failed", errno);
    committed_ = true;
    // The name is in the folder, so the folder has to reach the disk too.
    flush_folder(parent());
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
  [[nodiscard]] std::filesystem::path parent() const {
    return path_.has_parent_path() ? path_.parent_path() : std::filesystem::path{"."};
  }

  void create() {
    const std::string name = "." + path_.filename().string() + ".tmp-";
    const std::string stem = name + std::to_string(::getpid()) + "-";
    detail::remove_abandoned(parent(), name);
    int code = EEXIST;
    // Another thread, or a process of the same number on another machine, may own the first names.
    for (int k = 0; k < 10000 && code == EEXIST; ++k) {
      temporary_ = parent() / (stem + std::to_string(k));
      file_ = descriptor{::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)};
      if (!file_.is_open()) {
        code = errno;
      } else if (detail::keep(temporary_, file_)) {
        return;
      }
    }
    cannot_create(path_, code);
  }

  [[noreturn]] void fail(const std::string& what, int code) const {
    throw runtime_failure(path_.string() + ": " + what + ": " + system_text(code));
  }

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  descriptor file_;
  bool committed_ = false;
};

/// Writes a whole file, which appears complete or not at all. Throws as atomic_file does.
inline void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  atomic_file file{path};
  file.write(bytes);
  file.commit();
}
inline void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span{text.data(), text.size()}));
}

namespace detail {

/// Memory grows with what was read, never with what a file claims.
template <class Buffer>
[[nodiscard]] Buffer read_whole(const std::filesystem::path& path, std::size_t max_bytes) {
  constexpr std::size_t first = std::size_t{1} << 16;
  const descriptor fd = open_for_reading(path);
  Buffer buffer;
  std::size_t used = 0;
  while (true) {
    if (used == buffer.size()) buffer.resize(std::max(first, 2 * used));
    const std::size_t room = buffer.size() - used;
    const std::size_t got =
        read_some(fd, std::as_writable_bytes(std::span{buffer}).data() + used, room, path);
    used += got;
    if (used > max_bytes) {
      throw input_error(path.string() + ": is larger than " + std::to_string(max_bytes) +
                        " bytes, the most that is read here");
    }
    if (got < room) break;
  }
  buffer.resize(used);
  return buffer;
}

}  // namespace detail

/// The content of a file or pipe. Throws input_error, naming it, where it cannot be opened or holds
/// more than max_bytes; runtime_failure where reading fails. Memory: at most about 4 * max_bytes.
[[nodiscard]] inline std::string read_text(const std::filesystem::path& path,
                                           std::size_t max_bytes) {
  return detail::read_whole<std::string>(path, max_bytes);
}
[[nodiscard]] inline std::vector<std::byte> read_bytes(const std::filesystem::path& path,
                                                       std::size_t max_bytes) {
  return detail::read_whole<std::vector<std::byte>>(path, max_bytes);
}

}  // namespace tombola::io
