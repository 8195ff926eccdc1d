#include "tombola/io/atomic_file.hpp"

#include <csignal>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"
#include <sys/resource.h>
#include <sys/stat.h>

#include "tombola/io/mapped_file.hpp"

using namespace tombola;
using namespace tombola::test;

TEST_CASE("atomic_file: appears on commit, whole, and replaces what was there") {
  const scratch_folder folder;
  const auto path = folder / "a.txt";
  put(path, "old");
  {
    io::atomic_file f{path};
    f.write("new ");
    f.write("text");
    CHECK(get(path) == "old");
    CHECK(folder.names().size() == 2);
    f.commit();
    CHECK(get(path) == "new text");
  }
  CHECK(get(path) == "new text");
  CHECK(folder.names() == std::vector<std::string>{"a.txt"});
}

TEST_CASE("atomic_file: without commit nothing changes and nothing is left") {
  const scratch_folder folder;
  put(folder / "a.txt", "old");
  {
    io::atomic_file one{folder / "a.txt"};
    io::atomic_file two{folder / "a.txt"};  // two writers do not share a temporary
    one.write("1");
    two.write("2");
    CHECK(folder.names().size() == 3);
  }
  CHECK(folder.names() == std::vector<std::string>{"a.txt"});
  CHECK(get(folder / "a.txt") == "old");
}

TEST_CASE("atomic_file: files get the permissions that others get") {
  const scratch_folder folder;
  put(folder / "plain", "");
  io::write_file(folder / "ours", "");
  CHECK(std::filesystem::status(folder / "ours").permissions() ==
        std::filesystem::status(folder / "plain").permissions());
}

TEST_CASE("atomic_file: what cannot be created is refused in one sentence") {
  const scratch_folder folder;
  const auto missing = folder / "missing/a.txt";
  CHECK(sentence<input_error>([&] { io::write_file(missing, "x"); }) ==
        missing.string() + ": cannot be created: No such file or directory");
  CHECK(sentence<input_error>([&] { io::write_file(folder.path(), "x"); }) ==
        folder.path().string() + ": cannot be written, it is not a regular file");
  CHECK(sentence<input_error>([&] { io::write_file("", "x"); }) ==
        "'': cannot be written, it names no file");
  const auto under_file = folder / "file/a.txt";
  put(folder / "file", "");
  CHECK(sentence<input_error>([&] { io::write_file(under_file, "x"); }) ==
        under_file.string() + ": cannot be created: Not a directory");
  if (::geteuid() != 0) {  // root may write anywhere
    ::chmod(folder.path().c_str(), 0555);
    const auto inside = folder / "a.txt";
    CHECK(sentence<input_error>([&] { io::write_file(inside, "x"); }) ==
          inside.string() + ": cannot be created: Permission denied");
    ::chmod(folder.path().c_str(), 0755);
  }
}

TEST_CASE("atomic_file: a disk that is full is a failure that leaves the old file") {
  const scratch_folder folder;
  const auto path = folder / "a.txt";
  put(path, "old");
  // A limit on file sizes stands in for the full disk: the same call fails the same way.
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{4096, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto s = sentence<runtime_failure>([&] { io::write_file(path, std::string(10000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(s == path.string() + ": writing failed: File too large");
  CHECK(get(path) == "old");
  CHECK(folder.names() == std::vector<std::string>{"a.txt"});
}

TEST_CASE("read_text and read_bytes: the whole file, up to a limit") {
  const scratch_folder folder;
  const auto path = folder / "a.txt";
  for (const std::size_t n : {0UL, 1UL, 65535UL, 65536UL, 65537UL, 300000UL}) {
    std::string text(n, 'a');
    if (n != 0) text.back() = 'z';
    put(path, text);
    CHECK((io::read_text(path, n) == text));
    CHECK(io::read_bytes(path, n + 1).size() == n);
    if (n == 0) continue;
    CHECK(sentence<input_error>([&] { (void)io::read_text(path, n - 1); }) ==
          path.string() + ": is larger than " + std::to_string(n - 1) +
              " bytes, the most that is read here");
  }
  CHECK(sentence<input_error>([&] { (void)io::read_text(folder / "no", 9); }) ==
        (folder / "no").string() + ": cannot be opened for reading: No such file or directory");
  CHECK(sentence<input_error>([&] { (void)io::read_text(folder.path(), 9); }) ==
        folder.path().string() + ": is a folder, expected a file");
  // A device without end does not fill the memory.
  CHECK(sentence<input_error>([&] { (void)io::read_text("/dev/zero", 100); }) ==
        "/dev/zero: is larger than 100 bytes, the most that is read here");
}

TEST_CASE("mapped_file: the bytes it was opened on, even after a replacement") {
  const scratch_folder folder;
  const auto path = folder / "a";
  put(path, "first");
  io::mapped_file m{path};
  io::write_file(path, "second");
  CHECK(static_cast<char>(m.bytes()[0]) == 'f');
  CHECK(m.bytes().size() == 5);
  const io::mapped_file n = std::move(m);
  CHECK(static_cast<char>(n.bytes()[4]) == 't');
  put(path, "");
  CHECK(io::mapped_file{path}.bytes().empty());
  CHECK(sentence<input_error>([] { io::mapped_file{"/dev/null"}; }) ==
        "/dev/null: is not a regular file, expected one");
}
