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

/// What the products of a model are rounded to, or whichever is faster here.
enum class precision_choice { float32, bfloat16, automatic };

struct run_command {
  std::filesystem::path out;
  precision_choice precision = precision_choice::float32;
  common_options common;
};

void pretrain(experiment::pretrain_settings s, const run_command& c);
void train(experiment::train_settings s, const run_command& c);
void find_masks(experiment::search_settings s, const run_command& c);
void evaluate(experiment::evaluation_settings s, const run_command& c);

}  // namespace tombola::driver
