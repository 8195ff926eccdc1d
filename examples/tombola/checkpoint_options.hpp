#pragma once

#include <string>

#include "examples/tombola/checkpoint_commands.hpp"
#include "examples/tombola/common_options.hpp"

namespace CLI {
class App;
}

namespace tombola::driver {

struct checkpoint_options {
  common_options common;
  mask_of_options mask;
  prune_options pruning;
  std::string criterion = "magnitude";
};

/// Adds the commands that take any checkpoint; `o` must outlive the parsing.
void add_checkpoint_commands(CLI::App& root, checkpoint_options& o);

}  // namespace tombola::driver
