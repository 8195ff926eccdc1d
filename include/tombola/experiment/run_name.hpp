#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tombola/core/error.hpp"
#include "tombola/core/printable.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::experiment {

/// Bytes that the name of a text or task may have. A folder's name has at most 255 on common file
/// systems, and step, seed and digits stand in it too.
inline constexpr std::size_t longest_run_name = 100;

/// Throws input_error, naming `what` and what was found, unless the name can be part of a run's
/// folder name: one folder inside the folder of runs, shown on one line, and text that JSON holds.
inline void require_run_name(std::string_view name, const std::string& what) {
  const auto refuse = [&](const std::string& found) {
    throw input_error(what + " " + found + ", expected one that a folder's name can hold");
  };
  if (name.empty()) refuse("is empty");
  if (name == "." || name == "..") refuse(io::shown(name) + " is no name of its own");
  if (name.size() > longest_run_name) {
    refuse(io::shown(name, 20) + " has " + std::to_string(name.size()) + " bytes, more than " +
           std::to_string(longest_run_name));
  }
  for (std::string_view rest = name; !rest.empty();) {
    const auto [c, bytes] = tombola::detail::first_character(rest);
    if (bytes == 0) refuse(io::shown(name) + " is not UTF-8");
    if (c == U'/') refuse(io::shown(name) + " holds a '/'");
    if (!tombola::detail::is_printable(c)) {
      refuse(io::shown(name) + " holds a control character or one that cannot be seen");
    }
    rest.remove_prefix(bytes);
  }
}

}  // namespace tombola::experiment
