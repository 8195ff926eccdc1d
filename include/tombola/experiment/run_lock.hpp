#pragma once

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "tombola/core/error.hpp"
#include "tombola/io/descriptor.hpp"
#include "tombola/io/file_lock.hpp"

namespace tombola::experiment {

namespace detail {

[[nodiscard]] inline std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

/// `process 1234 on host somewhere since 2026-01-31 23:59:59 UTC`: this process, now.
[[nodiscard]] inline std::string owner_text() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> when{};
  std::strftime(when.data(), when.size(), "%Y-%m-%d %H:%M:%S UTC", &utc);
  return "process " + std::to_string(::getpid()) + " on host " + host_name() + " since " +
         when.data();
}

/// Whether the owner that a lock file names ran on this machine and runs no longer. Of what another
/// machine or nobody wrote, nothing is known.
[[nodiscard]] inline bool is_gone(std::string_view owner) {
  constexpr std::string_view begin = "process ";
  if (!owner.starts_with(begin)) return false;
  ::pid_t process = 0;
  const auto [end, error] =
      std::from_chars(owner.data() + begin.size(), owner.data() + owner.size(), process);
  const std::string_view rest{end, static_cast<std::size_t>(owner.data() + owner.size() - end)};
  return error == std::errc{} && process > 0 &&
         rest.starts_with(" on host " + host_name() + " since ") && ::kill(process, 0) != 0 &&
         errno == ESRCH;
}

}  // namespace detail

/// Held by who computes in a run's folder; everybody else is told who that is.
///
/// It is a lock of the kernel on the file `lock` in the folder, whose text names process, host and
/// time. The kernel drops it with the process, however that ends: a file that a killed process left
/// is taken over. The file goes with the lock. Where a file system has no such locks, the text
/// alone decides: a process of this host that runs no longer is taken over, any other is believed
/// to run.
class run_lock {
public:
  /// Throws input_error, naming the owner, where somebody else holds it, or where the file cannot
  /// be made; runtime_failure where the disk is full. Waits a second and no longer: a killed
  /// process holds its lock until the kernel has taken it apart.
  explicit run_lock(const std::filesystem::path& folder) : path_{folder / "lock"} {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds{1};
    // Whoever held it may remove the file between our opening and our locking.
    for (int attempt = 0; attempt < 1000; ++attempt) {
      const bool made = open();
      if (!file_.is_open()) continue;
      switch (io::try_lock(file_)) {
        case io::lock_outcome::held:
          if (std::chrono::steady_clock::now() < patience) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
            continue;
          }
          throw input_error(folder.string() + ": is being computed by " + owner());
        case io::lock_outcome::taken:
          break;
        case io::lock_outcome::unsupported:
          if (made) break;
          remove_if_gone(folder);
          continue;  // making it anew is what one alone can do
      }
      if (!io::still_names(path_, file_)) continue;
      sign();
      return;
    }
    throw runtime_failure(path_.string() +
                          ": cannot be locked, it is made and removed all the time");
  }

  run_lock(run_lock&&) noexcept = default;
  run_lock& operator=(run_lock&&) = delete;
  ~run_lock() {
    // In this order: nobody can hold a lock on a name that is still to go.
    if (file_.is_open() && io::still_names(path_, file_)) ::unlink(path_.c_str());
  }

private:
  /// Opens the file; true where it was not there before. Closed where it has just gone.
  bool open() {
    constexpr int how = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = ::open(path_.c_str(), how | O_CREAT | O_EXCL, 0666);
    const bool made = fd >= 0;
    const bool there = fd < 0 && errno == EEXIST;
    if (there) fd = ::open(path_.c_str(), how);
    const int code = errno;
    file_ = io::descriptor{fd};
    if (fd >= 0 || (there && code == ENOENT)) return made;
    const std::string sentence = path_.string() + ": cannot be opened: " + io::system_text(code);
    if (io::is_full_disk(code)) throw runtime_failure(sentence);
    throw input_error(sentence);
  }

  /// What the file says of its owner, fit for a sentence. An owner that has only just got its lock
  /// is given a second to say who it is.
  [[nodiscard]] std::string owner() const {
    std::array<char, 400> text{};
    auto n = ::pread(file_.get(), text.data(), text.size(), 0);
    for (int i = 0; n == 0 && i < 100 && io::still_names(path_, file_); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
      n = ::pread(file_.get(), text.data(), text.size(), 0);
    }
    std::string_view line{text.data(), static_cast<std::size_t>(n > 0 ? n : 0)};
    line = line.substr(0, line.find('\n'));
    return line.empty() ? "another process" : printable(line, 300);
  }

  /// Without locks of the kernel: removes the file of a process that is gone.
  void remove_if_gone(const std::filesystem::path& folder) const {
    const std::string who = owner();
    if (!detail::is_gone(who)) {
      throw input_error(folder.string() + ": is being computed by " + who + ", as " +
                        path_.string() + " says; if it is not, remove that file");
    }
    if (io::still_names(path_, file_)) ::unlink(path_.c_str());
  }

  /// Writes the owner over whatever is there.
  void sign() const {
    const std::string text = detail::owner_text() + "\n";
    const auto n = ::pwrite(file_.get(), text.data(), text.size(), 0);
    if (n == static_cast<::ssize_t>(text.size()) &&
        ::ftruncate(file_.get(), static_cast<off_t>(text.size())) == 0) {
      return;
    }
    const int code = n < 0 ? errno : ENOSPC;
    ::unlink(path_.c_str());
    throw runtime_failure(path_.string() + ": writing failed: " + io::system_text(code));
  }

  std::filesystem::path path_;
  io::descriptor file_;
};

}  // namespace tombola::experiment
