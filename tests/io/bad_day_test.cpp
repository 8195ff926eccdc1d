// Disks that fill up, folders that cannot be written, processes that are killed: whoever looks sees
// the old file or the new one, and nothing piles up.

#include "tests/support/bad_day.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <sys/stat.h>
#include <sys/wait.h>

#include "tombola/core/random.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/atomic_folder.hpp"
#include "tombola/io/file_lock.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

namespace {

/// One word for how writing a file went: `done`, or what was thrown, with the sentence.
std::string outcome(const fs::path& path, const std::string& text) {
  try {
    io::write_file(path, text);
    return "done";
  } catch (const input_error& e) {
    return std::string{"input: "} + e.what();
  } catch (const runtime_failure& e) {
    return std::string{"failure: "} + e.what();
  }
}

std::string joined(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  std::string all;
  for (const std::string& n : names) all += (all.empty() ? "" : " ") + n;
  return all;
}

}  // namespace

TEST_CASE("a real disk that fills up: one sentence, the old file, nothing temporary") {
  const scratch_folder folder;
  const auto path = folder / "a.txt";
  const std::string said = in_child([&] {
    if (!mount_small(folder.path(), "256k")) return no_mounts;
    io::write_file(path, "old");
    const std::string first = outcome(path, std::string(1 << 20, 'x'));
    const std::string after = get(path) + " " + joined(folder.names());
    // Room enough once more: what failed has taken none with it.
    return first + "|" + after + "|" + outcome(path, std::string(200 << 10, 'y'));
  });
  if (said == no_mounts) return skip("no right to mount a file system");
  CHECK(said ==
        "failure: " + path.string() + ": writing failed: No space left on device|old a.txt|done");
}

TEST_CASE("no room at the last moment: flushing, renaming, or for the very name") {
  const scratch_folder folder;
  const auto path = folder / "a.txt";
  put(path, "old");
  const auto failing = [&](const std::vector<long>& calls, int code) {
    return in_child(
        [&] { return let_fail(calls, code) ? outcome(path, "new") : std::string{"no seccomp"}; });
  };
  const std::string fsync = failing({SYS_fsync}, ENOSPC);
  if (fsync == "no seccomp") return skip("the kernel lets no calls fail");
  CHECK(fsync ==
        "failure: " + path.string() + ": flushing to the disk failed: No space left on device");
  CHECK(failing(rename_calls(), EDQUOT) ==
        "failure: " + path.string() + ": renaming failed: Disk quota exceeded");
  CHECK(failing({SYS_openat}, ENOSPC) ==
        "failure: " + path.string() + ": cannot be created: No space left on device");
  CHECK(failing({SYS_openat}, EROFS) ==
        "input: " + path.string() + ": cannot be created: Read-only file system");
  CHECK(get(path) == "old");
  CHECK(joined(folder.names()) == "a.txt");
  // Where nothing can be locked or flushed, files are written all the same.
  CHECK(failing({SYS_flock}, ENOLCK) == "done");
  CHECK(failing({SYS_fsync}, EINVAL) == "done");
  CHECK(get(path) == "new");
  CHECK(joined(folder.names()) == "a.txt");
}

TEST_CASE("a folder on a full disk appears not at all") {
  const scratch_folder folder;
  const std::string said = in_child([&] {
    if (!mount_small(folder.path(), "256k")) return no_mounts;
    const fs::path target = folder / "out";
    std::string told;
    try {
      io::atomic_folder out{target};
      out.named([&] {
        io::write_file(out.path() / "a.txt", "small");
        io::write_file(out.path() / "b.txt", std::string(1 << 20, 'x'));
      });
      out.commit();
    } catch (const runtime_failure& e) {
      told = e.what();
    }
    return told + "|" + joined(folder.names());
  });
  if (said == no_mounts) return skip("no right to mount a file system");
  CHECK(said == (folder / "out/b.txt").string() + ": writing failed: No space left on device|");
}

TEST_CASE("a folder that is read-only for root, too") {
  const scratch_folder folder;
  const auto path = folder / "a.txt";
  put(path, "old");
  const std::string said = in_child([&] {
    if (!make_read_only(folder.path())) return no_mounts;
    return outcome(path, "new");
  });
  if (said == no_mounts) return skip("no right to mount a folder read-only");
  CHECK(said == "input: " + path.string() + ": cannot be created: Read-only file system");
  CHECK(get(path) == "old");
}

TEST_CASE("what killed processes left goes with the next writing; what is in use stays") {
  const scratch_folder folder;
  const auto path = folder / "a.txt";
  const std::vector<std::string> others{".a.txt.tmp-",    ".a.txt.tmp-1",    ".a.txt.tmp-1-x",
                                        ".b.txt.tmp-1-0", "a.txt.tmp-1-0",   ".a.txt.tmp-1-0.bak",
                                        ".a.txt.tmp--0",  ".a.txt.tmp-1-0 ", ".a.txt.TMP-1-0"};
  for (const std::string& name : others) put(folder / name, "somebody else's");
  put(folder / ".a.txt.tmp-1-0", "left behind");
  fs::create_directories(folder / ".a.txt.tmp-2-17/with");
  put(folder / ".a.txt.tmp-2-17/with/a file", "left behind");
  fs::create_symlink(folder / ".b.txt.tmp-1-0", folder / ".a.txt.tmp-3-0");  // not ours
  io::atomic_file in_use{path};
  in_use.write("slow");
  io::write_file(path, "fast");
  std::vector<std::string> expected = others;
  expected.emplace_back(".a.txt.tmp-3-0");
  expected.emplace_back("a.txt");
  expected.push_back(".a.txt.tmp-" + std::to_string(::getpid()) + "-0");
  CHECK(joined(folder.names()) == joined(expected));
  CHECK(get(path) == "fast");
  in_use.commit();
  CHECK(get(path) == "slow");

  const fs::path target = folder / "out";
  fs::create_directories(folder / ".out.tmp-1-0/model");
  io::atomic_folder out{target};
  CHECK_FALSE(fs::exists(folder / ".out.tmp-1-0"));
  io::atomic_folder beside{target};
  CHECK(fs::exists(out.path()));
  out.commit();
  CHECK(fs::exists(target));
}

TEST_CASE("two folders at once do not mix: one appears, the other is refused") {
  const scratch_folder folder;
  io::atomic_folder one{folder / "out"}, two{folder / "out"};
  io::write_file(one.path() / "a", "1");
  io::write_file(two.path() / "b", "2");
  one.commit();
  CHECK(sentence<runtime_failure>([&] { two.commit(); }) ==
        (folder / "out").string() + ": renaming failed: Directory not empty");
  CHECK(fs::exists(folder / "out/a"));
  CHECK_FALSE(fs::exists(folder / "out/b"));
}

TEST_CASE("killed at any moment of writing: the old file or the new one") {
  const scratch_folder on_disk;
  // In memory where that can be: there renaming takes as long as writing, and is hit as often.
  std::string in_memory = "/dev/shm/tombola-XXXXXX";
  const bool fast = ::mkdtemp(in_memory.data()) != nullptr;
  const fs::path folder = fast ? fs::path{in_memory} : on_disk.path(), path = folder / "a.txt";
  const auto files_there = [&] {
    return std::distance(fs::directory_iterator{folder}, fs::directory_iterator{});
  };
  const auto content = [](std::uint64_t n) {
    return std::string(1 + n % 3 * 20000, static_cast<char>('a' + n % 26));
  };
  const auto is_whole = [](const std::string& text) {
    return text.size() % 20000 == 1 && text == std::string(text.size(), text[0]);
  };
  const random_stream moments{20, purpose::language, 0};
  io::write_file(path, content(0));
  std::string last = content(0);
  std::uint64_t longest = 1000;  // microseconds
  std::size_t changed = 0, left = 0;
  for (std::uint64_t kill = 0; kill < 200 || ((changed < 20 || left < 6) && kill < 3000); ++kill) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const bool ready = ::write(ends[1], "x", 1) == 1;
      for (std::uint64_t n = kill; ready && outcome(path, content(n)) == "done"; ++n) continue;
      ::_exit(1);
    }
    char ready = 0;
    const bool began = ::read(ends[0], &ready, 1) == 1;
    ::close(ends[0]);
    ::close(ends[1]);
    ::usleep(static_cast<useconds_t>(moments.below(longest, kill)));
    // Whoever looks while the child writes sees a whole file, too.
    const std::string meanwhile = get(path);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    const std::string now = get(path);
    INFO("kill " << kill << ", " << meanwhile.size() << " and " << now.size() << " bytes");
    REQUIRE((began && WIFSIGNALED(status)));
    REQUIRE(is_whole(meanwhile));
    REQUIRE(is_whole(now));
    const auto there = files_there();
    REQUIRE(there <= 2);  // the file, and what this kill has left: the one before is gone
    if (now == last && longest < 500'000) longest += longest / 16;  // a disk that takes its time
    changed += now != last ? 1U : 0U;
    left += there > 1 ? 1U : 0U;
    last = now;
  }
  CHECK(changed >= 20);
  CHECK(left >= 6);
  io::write_file(path, "end");
  CHECK(files_there() == 1);
  if (fast) fs::remove_all(folder);
}

TEST_CASE("many processes write one file: one of them wins, whole, and nobody is disturbed") {
  const scratch_folder folder;
  const auto path = folder / "a.txt";
  std::vector<pid_t> children;
  for (int c = 0; c < 6; ++c) {
    const pid_t child = ::fork();
    if (child == 0) {
      const std::string text(5000, static_cast<char>('a' + c));
      for (int n = 0; n < 60; ++n) {
        if (outcome(path, text) != "done") ::_exit(1);
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
  CHECK(get(path) == std::string(5000, get(path)[0]));
  CHECK(joined(folder.names()) == "a.txt");
}
