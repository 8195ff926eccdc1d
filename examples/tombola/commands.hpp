#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "examples/tombola/steps.hpp"

#include "tombola/data/pocket_language.hpp"
#include "tombola/experiment/evaluate.hpp"
#include "tombola/experiment/find_masks.hpp"
#include "tombola/experiment/pretrain.hpp"
#include "tombola/experiment/train.hpp"

// One function per command of the program: what main.cpp calls once the command line is understood.
// Each prints its answer to the standard output: lines for people, or one JSON object with --json.
// What goes wrong is an exception of core/error.hpp.

namespace tombola::driver {

/// What every command takes.
struct common_options {
  bool json = false;
  bool quiet = false;
  int threads = 1;
};

struct run_command {
  std::filesystem::path out;
  common_options common;
};

void pretrain(experiment::pretrain_settings s, const run_command& c);
void train(const experiment::train_settings& s, const run_command& c);
void find_masks(const experiment::search_settings& s, const run_command& c);
void evaluate(const experiment::evaluation_settings& s, const run_command& c);

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
  data::pocket_sizes sizes;
};
/// Writes the small generated language and its two tasks, for trying things out.
void pocket(const pocket_options& o, const common_options& c);

}  // namespace tombola::driver
