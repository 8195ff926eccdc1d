// completion: a script that teaches a shell the commands and options of this program, written from
// the program's own command line, so that neither can get ahead of the other.

#include <iostream>
#include <string>
#include <vector>

#include "examples/tombola/mask_commands.hpp"
#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace tombola::driver {

namespace {

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::vector<std::string> options_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* o : command.get_options()) {
    for (const std::string& name : o->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// Text inside single quotes, for bash, zsh and fish alike.
std::string quoted(const std::string& text) {
  std::string all = "'";
  for (const char c : text) all += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return all + "'";
}

/// Words of the first place are commands, of the others options and files.
std::string bash(const CLI::App& root) {
  std::vector<std::string> names;
  std::string cases;
  for (const CLI::App* command : root.get_subcommands({})) {
    names.push_back(command->get_name());
    cases += fmt::format("    {}) words={} ;;\n", command->get_name(),
                         quoted(joined(options_of(*command))));
  }
  return fmt::format(
      "_tombola() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} words=\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W {} -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${{COMP_WORDS[1]}} in\n{}"
      "  esac\n"
      "  if [[ $word == -* ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "  else\n"
      "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
      "  fi\n"
      "}}\n"
      "complete -o filenames -F _tombola tombola\n",
      quoted(joined(names) + " --help --version"), cases);
}

/// zsh understands the script of bash.
std::string zsh(const CLI::App& root) {
  return "autoload -U +X bashcompinit && bashcompinit\n" + bash(root);
}

std::string fish(const CLI::App& root) {
  std::string script;
  for (const CLI::App* command : root.get_subcommands({})) {
    script += fmt::format("complete -c tombola -n __fish_use_subcommand -f -a {} -d {}\n",
                          command->get_name(), quoted(command->get_description()));
    for (const CLI::Option* o : command->get_options()) {
      for (const std::string& name : o->get_lnames()) {
        script += fmt::format("complete -c tombola -n {} -l {}{} -d {}\n",
                              quoted("__fish_seen_subcommand_from " + command->get_name()), name,
                              o->get_expected_max() > 0 ? " -r" : "", quoted(o->get_description()));
      }
    }
  }
  return script;
}

}  // namespace

void completion(const std::string& shell, const CLI::App& root) {
  std::cout << (shell == "bash" ? bash(root) : shell == "zsh" ? zsh(root) : fish(root));
}

}  // namespace tombola::driver
