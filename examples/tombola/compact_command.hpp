#pragma once

#include "examples/tombola/common_options.hpp"

#include "tombola/experiment/compact.hpp"

namespace CLI {
class App;
}

namespace tombola::driver {

/// What `compact` is told.
struct compact_command_options {
  common_options common;
  experiment::compact_settings settings;
};

/// Adds compact. The options must outlive the app.
void add_compact_command(CLI::App& root, compact_command_options& o);

}  // namespace tombola::driver
