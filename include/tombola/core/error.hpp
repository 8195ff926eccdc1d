#pragma once

#include <stdexcept>
#include <string>

#include "tombola/core/printable.hpp"

namespace tombola {

/// Root of everything the library throws. what() is one sentence that names what was found and
/// what was expected.
class error : public std::runtime_error {
public:
  explicit error(const std::string& sentence) : std::runtime_error{sentence} {}
};

/// The caller handed in something unusable: an option, a shape, a file. Nothing was changed.
class input_error : public error {
public:
  using error::error;
};

/// Two shapes that had to agree do not.
class shape_error : public input_error {
public:
  using input_error::input_error;
};

/// A file is not what it claims or ought to be.
///
/// The sentence starts with the file's name, followed by what was found and what was expected.
class format_error : public input_error {
public:
  format_error(const std::string& file, const std::string& complaint)
      : input_error{file + ": " + complaint}, file_{file} {}

  [[nodiscard]] const std::string& file() const noexcept { return file_; }

private:
  std::string file_;
};

/// The input was fine but the work failed: a loss became NaN, a disk is full.
class runtime_failure : public error {
public:
  using error::error;
};

}  // namespace tombola
