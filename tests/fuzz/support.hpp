#pragma once

// What the fuzz targets share. A target is one file: it defines LLVMFuzzerTestOneInput, which hands
// the bytes to a reader, and make_seeds, which gives the fuzzer its first inputs. Included by the
// one unit of a program.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/io/atomic_file.hpp"

namespace tombola::fuzz {

/// Ends the program, which the fuzzer reports with its input, where something does not hold.
inline void hold(bool holds, const char* what, std::string_view found = {}) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n%.*s\n", what, static_cast<int>(found.size()),
               found.data());
  __builtin_trap();
}

/// A sentence for people: one line of printable characters. A file is shown in it, and must not
/// choose what a terminal does.
inline void check_sentence(std::string_view sentence, bool names_files = false) {
  hold(!sentence.empty(), "a message says something");
  hold(!has_control_characters(sentence), "a message is one line without orders", sentence);
  if (names_files) return;
  hold(printable(sentence, sentence.size()) == sentence, "a message is printable", sentence);
}

/// What a reader returns, or nothing where it refuses its input as it may: with an error of the
/// library. Any other exception ends the program. Paths are repeated as they are: what is not UTF-8
/// is `?` in a sentence, except where the input names files.
template <class Read>
[[nodiscard]] auto accepted(Read read, bool names_files = false)
    -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const error& e) {
    check_sentence(e.what(), names_files);
    return std::nullopt;
  }
}

/// A mask is what its words say: no bit past its end, no more units kept than there are.
inline void check_mask(const mask& m) {
  const auto words = m.words();
  hold(words.size() == words_for(m.size()), "a mask has the words of its size");
  hold(words.empty() || (words.back() & ~tail_bits(m.size())) == 0, "no bit past a mask's end");
  hold(m.count() <= m.size(), "a mask keeps what there is");
}

/// A file in memory that readers open by its path; one is used for all inputs, as making a file is
/// slow.
class input_file {
public:
  input_file() : fd_{::memfd_create("input", MFD_CLOEXEC)} {
    if (fd_ < 0) throw runtime_failure("fuzzing: the system has no files in memory");
    path_ = "/proc/self/fd/" + std::to_string(fd_);
  }
  input_file(const input_file&) = delete;
  input_file& operator=(const input_file&) = delete;
  ~input_file() { ::close(fd_); }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// Its path, now that it holds these bytes.
  const std::filesystem::path& with(std::string_view bytes) {
    const bool written =
        ::ftruncate(fd_, static_cast<off_t>(bytes.size())) == 0 &&
        ::pwrite(fd_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
    if (!written) throw runtime_failure("fuzzing: a file in memory cannot be written");
    return path_;
  }

private:
  int fd_;
  std::filesystem::path path_;
};

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(data), size};
}

/// The path of a file that holds the input, until the next call.
[[nodiscard]] inline const std::filesystem::path& as_file(std::string_view bytes) {
  static input_file file;
  return file.with(bytes);
}

/// A folder for what targets write. Goes with the program, unless that ends with a finding.
[[nodiscard]] inline const std::filesystem::path& scratch() {
  struct owned {
    std::filesystem::path path;
    owned() {
      std::string pattern = (std::filesystem::temp_directory_path() / "fuzz-XXXXXX").string();
      if (::mkdtemp(pattern.data()) == nullptr) throw runtime_failure("fuzzing: no scratch folder");
      path = pattern;
    }
    ~owned() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  };
  static const owned folder;
  return folder.path;
}

/// A folder in which every one of these names is the input, for readers that choose the name.
inline const std::filesystem::path& as_folder(std::string_view bytes,
                                              std::initializer_list<const char*> names) {
  static const std::filesystem::path folder = [&] {
    for (const char* name : names) {
      std::filesystem::create_symlink(as_file({}), scratch() / name);
    }
    return scratch();
  }();
  (void)as_file(bytes);
  return folder;
}

/// The bytes that write(path) writes.
template <class Write>
[[nodiscard]] std::string written(Write write) {
  const std::filesystem::path path = scratch() / "written";
  write(path);
  return io::read_text(path, std::size_t{1} << 30);
}

/// The first inputs of a target, and words that its mutations put in.
class seeds {
public:
  explicit seeds(std::filesystem::path folder) : folder_{std::move(folder)} {
    std::filesystem::create_directories(folder_);
  }

  void add(std::string_view bytes) {
    io::write_file(folder_ / ("seed-" + std::to_string(count_++)), bytes);
  }
  /// The same with a part cut out, or another one in its place.
  void add(std::string bytes, std::string_view part, std::string_view instead) {
    const std::size_t at = bytes.find(part);
    hold(at != bytes.npos, "a seed has the part that is changed in it", part);
    add(bytes.replace(at, part.size(), instead));
  }

  void words(std::initializer_list<std::string_view> words) {
    for (const std::string_view word : words) {
      dictionary_ += '"';
      for (const char c : word) {
        char escaped[5];
        std::snprintf(escaped, sizeof escaped, "\\x%02X", static_cast<unsigned char>(c));
        dictionary_ += escaped;
      }
      dictionary_ += "\"\n";
    }
  }

  void finish() const { io::write_file(folder_.string() + ".dict", dictionary_); }

private:
  std::filesystem::path folder_;
  std::size_t count_ = 0;
  std::string dictionary_ = "# An empty file would be refused.\n";
};

/// Defined by each target.
void make_seeds(seeds& to);

}  // namespace tombola::fuzz

/// `TARGET --seeds FOLDER` writes the seeds and, beside them, FOLDER.dict.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc == 3 && std::string_view{(*argv)[1]} == "--seeds") {
    tombola::fuzz::seeds to{(*argv)[2]};
    tombola::fuzz::make_seeds(to);
    to.finish();
    std::exit(0);
  }
  return 0;
}
