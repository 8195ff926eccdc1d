#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "examples/tombola/common_options.hpp"

#include "tombola/io/npy.hpp"
#include "tombola/prune/normalise.hpp"

// The commands that run no model. They print and throw as those of run_commands.hpp do.

namespace CLI {
class App;
}

namespace tombola::driver {

struct select_options {
  enum class scope { all, group };
  std::vector<std::filesystem::path> scores;
  std::optional<double> share;       ///< to keep; one of these three is given
  std::optional<std::size_t> count;  ///< to keep
  std::string keep_of;               ///< `2:4`
  scope within = scope::all;
  normalisation how = normalisation::none;
  std::optional<std::size_t> least;  ///< of each layer
  std::optional<std::size_t> most;
  std::filesystem::path out;
};
void select(const select_options& o, const common_options& c);

struct controls_options {
  enum class source { standard, study };
  std::vector<std::filesystem::path> tickets;  ///< one; several for what is made of several
  std::string kind;                            ///< random, layers, bad, inverted, super, ...
  source mode = source::standard;
  std::uint64_t seed = 1;
  std::filesystem::path model;  ///< folder with the weights; for `bad` of a weight ticket alone
  std::filesystem::path out;    ///< the ticket to write
};
void controls(const controls_options& o, const common_options& c);

struct comparison_options {
  std::vector<std::filesystem::path> named;  ///< files, or folders of them
  std::vector<std::string> only;             ///< patterns of tensor names, for checkpoints
};
void compare(const comparison_options& o, const common_options& c);
void agreement(const comparison_options& o, const common_options& c);

struct convert_options {
  std::vector<std::filesystem::path> files;
  std::vector<std::string> groups;  ///< empty: all
  io::mask_number number = io::mask_number::float32;
  std::filesystem::path out;
};
void convert(const convert_options& o, const common_options& c);

struct inspect_options {
  std::filesystem::path file;  ///< or a folder
  std::string pattern = "2:4";
};
void inspect(const inspect_options& o, const common_options& c);

struct report_command {
  std::filesystem::path source;
  std::filesystem::path out;  ///< folder to write to; empty: the folder itself
};
void report(const report_command& o, const common_options& c);

struct pocket_options {
  std::filesystem::path folder;
  std::uint64_t seed = 1;
  std::size_t corpus = 20000;  ///< sentences for pretraining
  std::size_t train = 4000;    ///< examples of each task
  std::size_t dev = 1000;
};
/// Writes the small generated language and its two tasks, for trying things out.
void pocket(const pocket_options& o, const common_options& c);

/// Prints a script for bash, zsh or fish that completes the commands and options of `root`.
void completion(const std::string& shell, const CLI::App& root);

}  // namespace tombola::driver
