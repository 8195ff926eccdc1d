#include "tombola/experiment/run_lock.hpp"

#include <array>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/bad_day.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <sys/wait.h>

#include "tombola/experiment/run.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

namespace {

/// The sentence of who does not get the lock; empty for who does.
std::string refusal(const fs::path& folder) {
  try {
    const experiment::run_lock lock{folder};
    return "";
  } catch (const error& e) {
    return e.what();
  }
}

/// A process that holds a lock until it is killed.
class holder {
public:
  explicit holder(const fs::path& folder) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    child_ = ::fork();
    if (child_ == 0) {
      const experiment::run_lock lock{folder};
      if (::write(ends[1], "x", 1) != 1) ::_exit(1);
      while (true) ::pause();
    }
    char ready = 0;
    REQUIRE(::read(ends[0], &ready, 1) == 1);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  holder(const holder&) = delete;
  holder& operator=(const holder&) = delete;
  ~holder() { kill(); }

  void kill() {
    if (child_ == 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
  }
  [[nodiscard]] std::string who() const {
    return "process " + std::to_string(child_) + " on host ";
  }

private:
  pid_t child_ = 0;
};

experiment::run_key key() {
  return {"train", "RTE", 1, nlohmann::json{{"rate", 1}}};
}

}  // namespace

TEST_CASE("a run's lock: one process at a time, named to the other; the file goes with it") {
  const scratch_folder folder;
  {
    const holder other{folder.path()};
    const std::string said = refusal(folder.path());
    CHECK(said.starts_with(folder.path().string() + ": is being computed by " + other.who()));
    CHECK(said.find(" since 20") != said.npos);
    CHECK(said.ends_with(" UTC"));
    CHECK(get(folder / "lock") == said.substr(said.find("process ")) + "\n");
  }
  {
    // Killed: its file is still there and says so, but nobody holds it.
    CHECK(get(folder / "lock").starts_with("process "));
    std::optional<experiment::run_lock> mine{folder.path()};
    CHECK(get(folder / "lock").starts_with("process " + std::to_string(::getpid()) + " on host "));
    // Two threads of one process are two, too.
    CHECK(refusal(folder.path()).find(std::to_string(::getpid())) != std::string::npos);
    const experiment::run_lock moved{*std::move(mine)};
    mine.reset();
    CHECK_FALSE(refusal(folder.path()).empty());
  }
  CHECK(folder.names().empty());
}

TEST_CASE("a run's lock: whatever the file says is printable") {
  const scratch_folder folder;
  const holder other{folder.path()};
  const auto says = [&](const std::string& text) {
    std::FILE* f = std::fopen((folder / "lock").c_str(), "r+b");  // the same file, not a new one
    REQUIRE(std::fwrite(text.data(), 1, text.size(), f) == text.size());
    REQUIRE(std::fclose(f) == 0);
    REQUIRE(::truncate((folder / "lock").c_str(), static_cast<off_t>(text.size())) == 0);
    return refusal(folder.path());
  };
  const std::string begin = folder.path().string() + ": is being computed by ";
  CHECK(says("\x1b[2Jme\nnot me") == begin + "?[2Jme");
  CHECK(says(std::string(5000, 'x')) == begin + std::string(300, 'x') + "...");
  CHECK(says("") == begin + "another process");
}

TEST_CASE("a run's lock: what cannot be made is refused in one sentence") {
  const scratch_folder folder;
  CHECK(sentence<input_error>([&] { experiment::run_lock{folder / "no"}; }) ==
        (folder / "no/lock").string() + ": cannot be opened: No such file or directory");
  put(folder / "elsewhere", "precious");
  fs::create_symlink("elsewhere", folder / "lock");
  CHECK(sentence<input_error>([&] { experiment::run_lock{folder.path()}; }) ==
        (folder / "lock").string() + ": cannot be opened: Too many levels of symbolic links");
  CHECK(get(folder / "elsewhere") == "precious");
  fs::remove(folder / "lock");
  fs::create_directory(folder / "lock");
  CHECK(sentence<input_error>([&] { experiment::run_lock{folder.path()}; }) ==
        (folder / "lock").string() + ": cannot be opened: Is a directory");
  fs::remove(folder / "lock");
  const std::string full = in_child([&] {
    return let_fail({SYS_pwrite64}, ENOSPC) ? refusal(folder.path()) : std::string{"no seccomp"};
  });
  if (full == "no seccomp") return skip("the kernel lets no calls fail");
  CHECK(full == (folder / "lock").string() + ": writing failed: No space left on device");
  CHECK_FALSE(fs::exists(folder / "lock"));
}

TEST_CASE("a run's lock where the file system has none: the text decides") {
  const scratch_folder folder;
  const auto without = [&] {
    return in_child([&] {
      return let_fail({SYS_flock}, ENOLCK) ? "got it" + refusal(folder.path())
                                           : std::string{"no seccomp"};
    });
  };
  const std::string free = without();
  if (free == "no seccomp") return skip("the kernel lets no calls fail");
  CHECK(free == "got it");
  CHECK(folder.names().empty());
  const std::string hint =
      ", as " + (folder / "lock").string() + " says; if it is not, remove that file";
  {
    holder other{folder.path()};
    const std::string held = without();
    CHECK(held.find(": is being computed by " + other.who()) != held.npos);
    CHECK(held.ends_with(hint));
    other.kill();
    // A process of somebody else is not ours to ask, but it is there.
    const std::string not_ours = in_child([&] {
      return let_fail({SYS_flock}, ENOLCK) && let_fail({SYS_kill}, EPERM) ? refusal(folder.path())
                                                                          : std::string{};
    });
    CHECK(not_ours == held.substr(6));
    CHECK(without() == "got it");
  }
  const std::string begin = "got it" + folder.path().string() + ": is being computed by ";
  put(folder / "lock", "process 1 on host of-somebody-else since yesterday\n");
  CHECK(without() == begin + "process 1 on host of-somebody-else since yesterday" + hint);
  put(folder / "lock", "");  // its owner has not come to writing yet, or never will
  CHECK(without() == begin + "another process" + hint);
  put(folder / "lock",
      "process 999999999999 on host " + experiment::detail::host_name() + " since\n");
  CHECK(without().starts_with(begin));
}

TEST_CASE("a run's lock: taken and dropped by many at once, never by two") {
  const scratch_folder folder;
  std::vector<pid_t> children;
  for (int c = 0; c < 4; ++c) {
    const pid_t child = ::fork();
    if (child == 0) {
      int got = 0;
      while (got < 100) {
        std::optional<experiment::run_lock> lock;
        try {
          lock.emplace(folder.path());
        } catch (const input_error&) {
          continue;
        }
        // Nobody else may have this file while the lock is held.
        const int fd = ::open((folder / "alone").c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600);
        if (fd < 0) ::_exit(1);
        ::close(fd);
        if (::unlink((folder / "alone").c_str()) != 0) ::_exit(2);
        ++got;
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  CHECK(folder.names().empty());
}

TEST_CASE("a run begins under its lock and without what killed processes left") {
  const scratch_folder out;
  const experiment::run_folder run{out.path(), key()};
  put(run / ".state.safetensors.tmp-1-0", "half");
  put(run / "state.safetensors", "where training stood");
  fs::create_directory(run / ".model.tmp-1-0");
  {
    const auto lock = run.begin();
    CHECK(lock.has_value());
    CHECK_FALSE(refusal(run.path()).empty());
    CHECK_FALSE(fs::exists(run / ".state.safetensors.tmp-1-0"));
    CHECK_FALSE(fs::exists(run / ".model.tmp-1-0"));
    CHECK(fs::exists(run / "state.safetensors"));
    run.finish({{"score", 1}});
  }
  CHECK_FALSE(fs::exists(run / "lock"));
  // Done. The state is what a kill between result and removal leaves, with the lock's file.
  CHECK_FALSE(run.begin().has_value());
  CHECK(fs::exists(run / "state.safetensors"));
  put(run / "lock", "process 1 on host x since then\n");
  CHECK_FALSE(run.begin().has_value());
  CHECK_FALSE(fs::exists(run / "state.safetensors"));
  CHECK_FALSE(fs::exists(run / "lock"));
  CHECK(fs::exists(run / "result.json"));
}

TEST_CASE("a finished run in an archive that is read-only is complete with what it has") {
  const scratch_folder out;
  const experiment::run_folder run{out.path(), key()};
  run.finish({{"score", 1}});
  put(run / "lock", "process 1 on host x since then\n");
  put(run / "trace-so-far.safetensors", "left");
  const std::string said = in_child([&] {
    if (!make_read_only(out.path())) return no_mounts;
    const experiment::run_folder again{out.path(), key()};
    return std::string{again.begin() ? "begun" : "done"};
  });
  if (said == no_mounts) return skip("no right to mount a folder read-only");
  CHECK(said == "done");
  CHECK(fs::exists(run / "trace-so-far.safetensors"));
}
