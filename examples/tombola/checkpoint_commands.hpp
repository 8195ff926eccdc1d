#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "examples/tombola/common_options.hpp"

#include "tombola/checkpoint/prune.hpp"

// The commands that take a checkpoint of any architecture. They print and throw as those of
// run_commands.hpp do.

namespace tombola::driver {

class terminal;

struct mask_of_options {
  std::filesystem::path checkpoint;
  std::vector<std::string> only;  ///< patterns of tensor names
  std::filesystem::path out;      ///< the ticket to write
};
void mask_of(const mask_of_options& o, const common_options& c);

struct prune_options {
  std::filesystem::path checkpoint;
  checkpoint::magnitude_pruning what;
  std::string keep_of;  ///< `2:4`
  std::vector<std::string> only;
  std::filesystem::path out;  ///< the folder to write
};
void prune(const prune_options& o, const common_options& c);

/// How passes over checkpoints are made for these options, with what is left shown on the terminal.
/// Ctrl-C ends them.
[[nodiscard]] checkpoint::manner manner_of(const common_options& c,
                                           terminal& screen,
                                           const std::string& what);

/// `2:4`, as the option of this name gives it. Throws input_error, naming the option, also for a
/// pattern that keeps nothing.
[[nodiscard]] n_of_m pattern_of(const std::string& text, const std::string& option);

}  // namespace tombola::driver
