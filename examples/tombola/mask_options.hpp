#pragma once

#include <string>

#include "examples/tombola/mask_commands.hpp"

namespace CLI {
class App;
}

namespace tombola::driver {

/// What the commands that run no model are told.
struct mask_options {
  common_options common;
  comparison_options comparison;
  inspect_options inspection;
  controls_options control;
  select_options selection;
  convert_options conversion;
  report_command reported;
  pocket_options language;
  std::string shell;
};

/// Adds select, controls, compare, agreement, report, inspect, convert, pocket and completion. The
/// options must outlive the app.
void add_mask_commands(CLI::App& root, mask_options& o);

}  // namespace tombola::driver
