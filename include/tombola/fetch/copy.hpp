#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "tombola/core/error.hpp"
#include "tombola/fetch/catalogue.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/descriptor.hpp"
#include "tombola/io/sha256.hpp"

namespace tombola::fetch {

/// Copies a file out of a local folder: `FOLDER/NAME/FILE` if it is there, or else `FOLDER/FILE`,
/// where NAME is that of the thing it belongs to. tell(bytes) is called now and then.
///
/// Throws input_error, naming the file, where there is none; format_error where its size or SHA-256
/// is another. Nothing is written then.
template <class Tell>
void copy_from_folder(const remote_file& wanted,
                      const std::string& thing_name,
                      const std::filesystem::path& folder,
                      const std::filesystem::path& to,
                      Tell tell) {
  std::error_code ignored;
  std::filesystem::path from = folder / thing_name / wanted.name;
  if (!std::filesystem::exists(from, ignored)) from = folder / wanted.name;
  // A pipe would keep the opening waiting.
  if (std::filesystem::exists(from, ignored) && !std::filesystem::is_regular_file(from, ignored)) {
    throw input_error(from.string() + ": is no file, expected one");
  }
  const io::descriptor file = io::open_for_reading(from);
  struct stat info {};
  const bool sized = ::fstat(file.get(), &info) == 0;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (sized && wanted.size != 0 && size != wanted.size) {
    throw format_error(from.string(), "has " + std::to_string(size) + " bytes, expected " +
                                          std::to_string(wanted.size));
  }
  io::atomic_file out{to};
  io::sha256 hash;
  std::vector<std::byte> piece(std::size_t{1} << 20);
  std::uint64_t done = 0;
  while (const std::size_t n = io::read_some(file, piece.data(), piece.size(), from)) {
    const auto bytes = std::span{piece}.first(n);
    hash.update(bytes);
    out.write(bytes);
    tell(done += n);
  }
  if (const std::string found = hash.hex(); found != wanted.sha256) {
    throw format_error(from.string(), "has the SHA-256 " + found + ", expected " + wanted.sha256);
  }
  out.commit();
}

}  // namespace tombola::fetch
