#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tombola/core/error.hpp"

namespace tombola::io {

/// What the system says about an errno value, such as `No such file or directory`.
[[nodiscard]] inline std::string system_text(int code) {
  return std::system_category().message(code);
}

/// Whether an errno value says that no room is left, on the disk or of a quota: nobody's input is
/// wrong then.
[[nodiscard]] constexpr bool is_full_disk(int code) noexcept {
  return code == ENOSPC || code == EDQUOT;
}

/// Throws what is to be said where a file or folder cannot be created: input_error, or
/// runtime_failure where the disk is full.
[[noreturn]] inline void cannot_create(const std::filesystem::path& path, int code) {
  const std::string sentence = path.string() + ": cannot be created: " + system_text(code);
  if (is_full_disk(code)) throw runtime_failure(sentence);
  throw input_error(sentence);
}

/// An open file, closed when its owner goes. POSIX; moves, does not copy.
class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int fd) noexcept : fd_{fd} {}
  descriptor(descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

  /// Closes early; 0, or the errno of what a network disk only says now.
  [[nodiscard]] int close() noexcept {
    return ::close(std::exchange(fd_, -1)) == 0 || errno == EINTR ? 0 : errno;
  }

private:
  int fd_ = -1;
};

/// Opens a file for reading. Throws input_error, naming it, where that cannot be done or where it
/// is a folder.
[[nodiscard]] inline descriptor open_for_reading(const std::filesystem::path& path) {
  descriptor fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd.is_open()) {
    throw input_error(path.string() + ": cannot be opened for reading: " + system_text(errno));
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
    throw input_error(path.string() + ": is a folder, expected a file");
  }
  return fd;
}

/// Reads up to n bytes; fewer only at the end of the file. Throws runtime_failure, naming it, where
/// the system reports an error.
[[nodiscard]] inline std::size_t read_some(const descriptor& fd,
                                           std::byte* to,
                                           std::size_t n,
                                           const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < n) {
    const auto got = ::read(fd.get(), to + done, n - done);
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      throw runtime_failure(path.string() + ": reading failed: " + system_text(errno));
    }
    done += static_cast<std::size_t>(got);
  }
  return done;
}

/// Reads n bytes from byte `at` on; several threads may share the file. Throws runtime_failure,
/// naming it, where the system reports an error or the file has become shorter.
inline void read_at(const descriptor& fd,
                    std::uint64_t at,
                    std::span<std::byte> to,
                    const std::filesystem::path& path) {
  while (!to.empty()) {
    const auto got = ::pread(fd.get(), to.data(), to.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw runtime_failure(path.string() + ": reading failed at byte " + std::to_string(at) +
                            ": " + (got < 0 ? system_text(errno) : "the file has become shorter"));
    }
    at += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace tombola::io
