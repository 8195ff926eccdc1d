#pragma once

// What a machine does on a bad day, done to a child process: full disks, read-only ones, system
// calls that fail. Linux; nothing outside the child changes.

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tombola::test {

/// What a child process that does this work says of it: what work() returns, or the sentence of
/// what it throws.
template <class Work>
[[nodiscard]] std::string in_child(Work work) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return "(no pipe)";
  const pid_t child = ::fork();
  if (child == 0) {
    std::string said;
    try {
      said = work();
    } catch (const std::exception& e) {
      said = e.what();
    }
    const bool told =
        ::write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size());
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  std::string said;
  std::array<char, 4096> piece{};
  for (ssize_t n = 1; n > 0;) {
    n = ::read(ends[0], piece.data(), piece.size());
    if (n > 0) said.append(piece.data(), static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? said : "(the child died) " + said;
}

/// From now on these system calls fail with an errno value in this process. False where the kernel
/// does not have it.
inline bool let_fail(const std::vector<long>& calls, int code) {
  std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const long call : calls) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(code)));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// The calls behind rename() on this machine.
inline std::vector<long> rename_calls() {
  std::vector<long> calls{SYS_renameat2};
#ifdef SYS_rename
  calls.push_back(SYS_rename);
#endif
#ifdef SYS_renameat
  calls.push_back(SYS_renameat);
#endif
  return calls;
}

/// Puts a file system of this size over a folder, for this process and its children alone. False
/// where that is not allowed.
inline bool mount_small(const std::filesystem::path& folder, const std::string& size) {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("none", folder.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
}

/// Makes a folder read-only, even for root, for this process and its children alone.
inline bool make_read_only(const std::filesystem::path& folder) {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
         ::mount("none", folder.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
}

/// What the two above say where they are not allowed.
inline const std::string no_mounts = "(no mounts)";

}  // namespace tombola::test
