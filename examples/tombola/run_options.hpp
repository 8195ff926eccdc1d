#pragma once

#include "examples/tombola/run_commands.hpp"

namespace CLI {
class App;
}

namespace tombola::driver {

/// What the commands that train or run a model are told.
struct run_command_options {
  run_command run;
  experiment::pretrain_settings pretraining;
  experiment::train_settings training;
  experiment::search_settings search;
  experiment::evaluation_settings evaluation;
};

/// Adds pretrain, train, find-masks and evaluate. The options must outlive the app.
void add_run_commands(CLI::App& root, run_command_options& o);

}  // namespace tombola::driver
