#pragma once

#include <filesystem>

#include "examples/tombola/common_options.hpp"

#include "tombola/experiment/evaluate.hpp"
#include "tombola/experiment/find_masks.hpp"
#include "tombola/experiment/pretrain.hpp"
#include "tombola/experiment/train.hpp"

// The commands that run a model: what main.cpp calls once the command line is understood.
// Each prints its answer to the standard output: lines for people, or one JSON object with --json.
// What goes wrong is an exception of core/error.hpp.

namespace tombola::driver {

struct run_command {
  std::filesystem::path out;
  common_options common;
};

void pretrain(experiment::pretrain_settings s, const run_command& c);
void train(const experiment::train_settings& s, const run_command& c);
void find_masks(const experiment::search_settings& s, const run_command& c);
void evaluate(const experiment::evaluation_settings& s, const run_command& c);

}  // namespace tombola::driver
