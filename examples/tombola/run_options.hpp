#pragma once

#include "examples/tombola/run_commands.hpp"
#include "examples/tombola/search_options.hpp"

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
  search_words searching;
  experiment::evaluation_settings evaluation;
};

/// Where a run goes and how it is computed: options of every command that makes one.
void add_run(CLI::App* app, run_command& c);

/// Adds pretrain, train, find-masks and evaluate. The options must outlive the app.
void add_run_commands(CLI::App& root, run_command_options& o);

}  // namespace tombola::driver
