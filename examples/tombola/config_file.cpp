// --config: options of a command from a file.

#include "examples/tombola/config_file.hpp"

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tombola/core/error.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::driver {

namespace {

constexpr std::size_t longest_file = std::size_t{1} << 20;

/// What a flag gets for a value in the file: nothing where it stays unset.
std::vector<std::string> flag_value(const CLI::ConfigItem& item, const std::string& what) {
  const std::string word = item.inputs.size() == 1 ? item.inputs[0] : "";
  if (word == "true") return {"true"};
  if (word == "false") return {};
  throw input_error(what + " is " + io::shown(word) + ", expected true or false");
}

void take_options(CLI::App* command, const std::string& file) {
  std::istringstream text{io::read_text(file, longest_file)};
  std::set<std::string> seen;
  for (const CLI::ConfigItem& item : CLI::ConfigTOML{}.from_config(text)) {
    const std::string what = file + ": " + io::shown(item.name);
    if (!item.parents.empty()) {
      throw input_error(file + ": has the section " + io::shown(item.parents.front()) +
                        ", expected lines `key = value` of one command");
    }
    CLI::Option* option = command->get_option_no_throw("--" + item.name);
    if (option == nullptr || item.name == "config" || item.name == "help") {
      throw input_error(what + " is no option of " + command->get_name());
    }
    if (!seen.insert(item.name).second) throw input_error(what + " stands twice");
    if (option->count() > 0) continue;
    const bool is_flag = option->get_items_expected_max() == 0;
    const auto values = is_flag ? flag_value(item, what) : item.inputs;
    if (values.empty()) continue;
    option->add_result(values);
    // The command may have passed by it already.
    option->run_callback();
  }
}

}  // namespace

void add_config_file(CLI::App* command) {
  command->add_option_function<std::string>(
      "--config", [command](const std::string& file) { take_options(command, file); },
      "Options from a file, lines `key = value`; the command line wins");
}

}  // namespace tombola::driver
