#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "examples/tombola/common_options.hpp"

// The commands that run no model. They print and throw as those of run_commands.hpp do.

namespace tombola::driver {

struct controls_options {
  std::vector<std::filesystem::path> tickets;  ///< one, or several for `super`
  std::string kind;                            ///< random, bad, super
  std::uint64_t seed = 1;
  std::filesystem::path model;  ///< folder with the weights; for `bad` of a weight ticket alone
  std::filesystem::path out;    ///< the ticket to write
};
void controls(const controls_options& o, const common_options& c);

void compare(const std::vector<std::filesystem::path>& files, const common_options& c);
void agreement(const std::vector<std::filesystem::path>& files, const common_options& c);
void inspect(const std::filesystem::path& file, const common_options& c);

struct report_command {
  std::filesystem::path folder;
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

}  // namespace tombola::driver
