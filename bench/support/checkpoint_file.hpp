#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include <unistd.h>

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/pieces.hpp"
#include "tombola/core/detail/threads.hpp"
#include "tombola/core/random.hpp"
#include "tombola/io/descriptor.hpp"
#include "tombola/io/dtype.hpp"
#include "tombola/io/safetensors.hpp"

// What the questions about checkpoints share: a file of 2 GB, reading it, and a rival in Python.

namespace bench {

/// A folder with a checkpoint of 2 GB, half of it F32 and half BF16, that goes with its owner.
/// Every fourth weight is zero, the others are spread over a few powers of two.
class large_checkpoint {
public:
  large_checkpoint()
      : folder_{std::filesystem::temp_directory_path() /
                ("tombola-bench-" + std::to_string(::getpid()))} {
    using tombola::io::dtype;
    std::filesystem::create_directories(folder_);
    constexpr std::size_t rows = 4096, columns = 8192, units = rows * columns;
    // A few megabytes drawn and used over and over: how a weight looks does not depend on where.
    std::vector<float> wide(units);
    std::vector<std::uint16_t> narrow(units);
    constexpr std::size_t drawn = std::size_t{1} << 20;
    const tombola::random_stream random{7, tombola::purpose::initialisation};
    for (std::size_t i = 0; i < units; ++i) {
      if (i >= drawn) {
        wide[i] = wide[i - drawn + 1];
      } else if (const std::uint64_t r = random.bits(i); r % 4 != 0) {
        wide[i] = static_cast<float>(static_cast<double>(r >> 16) * 0x1p-48 - 0.5);
      }
      narrow[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(wide[i]) >> 16);
    }
    std::vector<tombola::io::tensor_to_write> tensors;
    for (int i = 0; i < 8; ++i) {
      tensors.push_back({"wide." + std::to_string(i),
                         dtype::f32,
                         {rows, columns},
                         std::as_bytes(std::span{wide})});
    }
    for (int i = 0; i < 16; ++i) {
      tensors.push_back({"narrow." + std::to_string(i),
                         dtype::bf16,
                         {rows, columns},
                         std::as_bytes(std::span{narrow})});
    }
    tombola::io::write_safetensors(file(), tensors, {{"format", "pt"}});
  }
  large_checkpoint(const large_checkpoint&) = delete;
  large_checkpoint& operator=(const large_checkpoint&) = delete;
  ~large_checkpoint() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path file() const { return folder_ / "model.safetensors"; }

private:
  std::filesystem::path folder_;
};

/// Reads a file once, each thread its part, into a buffer of the size that suits best.
inline void read_file(const std::filesystem::path& file, std::size_t threads) {
  const auto fd = tombola::io::open_for_reading(file);
  const std::uint64_t size = std::filesystem::file_size(file);
  tombola::detail::in_slices(threads, 1, threads, [&](std::size_t t, std::size_t, std::size_t) {
    std::vector<std::byte> room(tombola::checkpoint::piece_bytes);
    const std::uint64_t end = size * (t + 1) / threads;
    for (std::uint64_t at = size * t / threads; at < end; at += room.size()) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), end - at));
      tombola::io::read_at(fd, at, std::span{room}.first(n), file);
    }
  });
}

/// A program that answers one line for each line it is told: a rival that stays loaded while others
/// take their turns.
class child {
public:
  /// Starts a shell command. It is there if its first line is `ready`.
  explicit child(const std::string& command) {
    int to[2], from[2];
    if (::pipe(to) != 0 || ::pipe(from) != 0) return;
    if (::fork() == 0) {
      ::dup2(to[0], 0), ::dup2(from[1], 1);
      for (const int fd : {to[0], to[1], from[0], from[1]}) ::close(fd);
      ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(to[0]), ::close(from[1]);
    in_ = ::fdopen(to[1], "w"), out_ = ::fdopen(from[0], "r");
    there_ = in_ != nullptr && out_ != nullptr && line() == "ready";
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() {
    if (in_ != nullptr) std::fclose(in_);
    if (out_ != nullptr) std::fclose(out_);
  }

  [[nodiscard]] bool is_there() const { return there_; }
  /// Tells it a line and waits for its answer.
  std::string ask(const std::string& what) {
    std::fprintf(in_, "%s\n", what.c_str());
    std::fflush(in_);
    return line();
  }

private:
  std::string line() {
    std::string text;
    for (int c = std::fgetc(out_); c != EOF && c != '\n'; c = std::fgetc(out_)) {
      text += static_cast<char>(c);
    }
    return text;
  }

  std::FILE *in_ = nullptr, *out_ = nullptr;
  bool there_ = false;
};

/// The command that starts bench/checkpoint/rival.py, by the Python in TOMBOLA_PYTHON or python3.
inline std::string rival_command(const std::string& question, const std::filesystem::path& file) {
  const char* python = std::getenv("TOMBOLA_PYTHON");
  return std::string{python != nullptr ? python : "python3"} + " bench/checkpoint/rival.py " +
         question + " " + file.string() + " 2>/dev/null";
}

}  // namespace bench
