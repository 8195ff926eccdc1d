#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

#include <sys/mman.h>
#include <sys/stat.h>

#include "tombola/core/error.hpp"
#include "tombola/io/descriptor.hpp"

namespace tombola::io {

/// A file's bytes, mapped read-only: pages come from the disk when they are looked at.
///
/// Files that this library writes are replaced by renaming, so a mapping keeps the bytes it was
/// opened on. A file that somebody else shortens in place must not be mapped meanwhile: the system
/// answers a look past its end with a signal.
class mapped_file {
public:
  mapped_file() = default;

  /// Throws input_error, naming the file, if it cannot be opened or is not a regular file.
  explicit mapped_file(const std::filesystem::path& path) {
    const descriptor fd = open_for_reading(path);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
      throw input_error(path.string() + ": is not a regular file, expected one");
    }
    size_ = static_cast<std::size_t>(info.st_size);
    if (size_ == 0) return;  // An empty mapping is refused by the system.
    data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (data_ == MAP_FAILED) {
      data_ = nullptr;
      throw runtime_failure(path.string() + ": cannot be mapped: " + system_text(errno));
    }
  }

  mapped_file(mapped_file&& other) noexcept
      : data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, 0)} {}
  mapped_file& operator=(mapped_file&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~mapped_file() {
    if (data_ != nullptr) ::munmap(data_, size_);
  }

  /// Starts at a page boundary; valid as long as this object.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {static_cast<const std::byte*>(data_), size_};
  }

private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tombola::io
