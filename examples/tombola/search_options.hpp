#pragma once

#include <string>

#include "examples/tombola/run_commands.hpp"

namespace CLI {
class App;
}

namespace tombola::driver {

/// Words of find-masks whose meaning depends on what is pruned; empty where they were not given.
struct search_words {
  std::string criterion, scope;
};

/// Adds find-masks. All three must outlive the app.
void add_find_masks(CLI::App& root,
                    experiment::search_settings& s,
                    search_words& words,
                    run_command& c);

}  // namespace tombola::driver
