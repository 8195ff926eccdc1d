#pragma once

namespace CLI {
class App;
}

namespace tombola::driver {

/// Adds --config FILE: options of the command as lines `key = value`, the key being an option's
/// long name without its dashes, a flag's value true or false. What the command line says wins.
/// A key that the command does not have, one that stands twice and a section are refused.
void add_config_file(CLI::App* command);

}  // namespace tombola::driver
