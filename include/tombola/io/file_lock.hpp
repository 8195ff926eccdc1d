#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "tombola/io/descriptor.hpp"

namespace tombola::io {

/// How an attempt to lock a file went.
enum class lock_outcome {
  taken,
  held,         ///< by another opening of the file, in this process or another
  unsupported,  ///< the file system has no such locks, or this opening may not have one
};

/// Tries to lock an open file or folder; does not wait.
///
/// The lock belongs to the opening and goes with its last descriptor: a process that is killed
/// keeps none. It keeps nobody from reading or writing, only from locking. (flock)
[[nodiscard]] inline lock_outcome try_lock(const descriptor& file) noexcept {
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    return errno == EWOULDBLOCK ? lock_outcome::held : lock_outcome::unsupported;
  }
  return lock_outcome::taken;
}

/// Whether a path still leads to what was opened there: whoever waited for a lock may hold that of
/// a file that has been removed meanwhile.
[[nodiscard]] inline bool still_names(const std::filesystem::path& path,
                                      const descriptor& file) noexcept {
  struct stat opened {
  }, there{};
  return ::fstat(file.get(), &opened) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

/// Flushes a folder's list of names to the disk. A folder that may be written but not read cannot
/// be opened for this, and some file systems refuse: its names are there all the same, as long as
/// the machine stays up.
inline void flush_folder(const std::filesystem::path& folder) noexcept {
  const descriptor fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (fd.is_open()) ::fsync(fd.get());
}

namespace detail {

/// Whether a file's name is one of `.NAME.tmp-PID-K`, as atomic_file and atomic_folder make them.
/// stem: `.NAME.tmp-`; empty for that of any NAME.
[[nodiscard]] inline bool is_temporary(std::string_view name, std::string_view stem) noexcept {
  constexpr std::string_view digits = "0123456789", mark = ".tmp-";
  const auto at = name.rfind(mark);
  if (at == name.npos || at < 2 || name[0] != '.') return false;
  const std::string_view numbers = name.substr(at + mark.size());
  const auto dash = numbers.find('-');
  return (stem.empty() || name.substr(0, at + mark.size()) == stem) && dash != numbers.npos &&
         dash > 0 && dash + 1 < numbers.size() &&
         numbers.substr(0, dash).find_first_not_of(digits) == numbers.npos &&
         numbers.substr(dash + 1).find_first_not_of(digits) == numbers.npos;
}

/// Opens a temporary so that it can be locked; not what is neither file nor folder.
[[nodiscard]] inline descriptor open_temporary(const std::filesystem::path& path) noexcept {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (S_ISDIR(info.st_mode)) {
    return descriptor{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  }
  if (!S_ISREG(info.st_mode)) return {};
  // Network disks lock what may be written, and nothing else.
  return descriptor{::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
}

/// Removes temporaries that killed processes left in a folder: those that nobody holds locked. What
/// cannot be removed stays, and is nobody's failure: it is in nobody's way.
/// Cost: reads the names in the folder.
inline void remove_abandoned(const std::filesystem::path& folder, std::string_view stem) {
  std::error_code code;
  std::filesystem::directory_iterator at{folder, code};
  for (; !code && at != std::filesystem::directory_iterator{}; at.increment(code)) {
    if (!is_temporary(at->path().filename().native(), stem)) continue;
    const descriptor fd = open_temporary(at->path());
    // Not that of somebody who has just made it under the same name.
    if (fd.is_open() && try_lock(fd) == lock_outcome::taken && still_names(at->path(), fd)) {
      std::error_code stays;
      std::filesystem::remove_all(at->path(), stays);
    }
  }
}

/// Marks a temporary that was just made as in use. False where somebody who tidies up was faster:
/// then another name has to be tried.
[[nodiscard]] inline bool keep(const std::filesystem::path& temporary, const descriptor& fd) {
  return try_lock(fd) != lock_outcome::held && still_names(temporary, fd);
}

}  // namespace detail

}  // namespace tombola::io
