// The command line of tombola: options in, one function of run_commands.hpp or mask_commands.hpp
// called, an exit code out.
// 0: done. 1: failed while running, or stopped. 2: an option or a file is wrong.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "examples/tombola/checkpoint_options.hpp"
#include "examples/tombola/compact_command.hpp"
#include "examples/tombola/fetch_commands.hpp"
#include "examples/tombola/mask_options.hpp"
#include "examples/tombola/option_kinds.hpp"
#include "examples/tombola/run_options.hpp"
#include <CLI/CLI.hpp>

#include "tombola/core/error.hpp"
#include "tombola/io/descriptor.hpp"
#include "tombola/version.hpp"

int main(int argc, char** argv) {
  using namespace tombola;
  CLI::App app{
      "Prune BERT and treat the masks as data: find good heads, MLPs and weights, retrain and "
      "compare.",
      "tombola"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::to_string(TOMBOLA_VERSION_MAJOR) + "." +
                                        std::to_string(TOMBOLA_VERSION_MINOR) + "." +
                                        std::to_string(TOMBOLA_VERSION_PATCH));
  // One sentence, as for everything else that is wrong.
  app.failure_message([](const CLI::App*, const CLI::Error& e) {
    return "tombola: " + std::string{e.what()} + "; see --help\n";
  });
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  driver::run_command_options runs;
  driver::mask_options masks;
  driver::checkpoint_options checkpoints;
  driver::compact_command_options compaction;
  driver::fetch_options fetched;
  runs.run.common.threads = masks.common.threads = checkpoints.common.threads = cores;
  compaction.common.threads = cores;
  driver::add_run_commands(app, runs);
  driver::add_mask_commands(app, masks);
  driver::add_checkpoint_commands(app, checkpoints);
  driver::add_compact_command(app, compaction);
  driver::add_fetch_command(app, fetched);
  for (CLI::App* command : app.get_subcommands({})) {
    for (CLI::Option* o : command->get_options()) {
      if (o->get_type_name() == "ENUM") o->type_name("WORD");
      if (o->get_items_expected_max() > 0) o->check(driver::not_empty());
    }
  }

  // A limit on the size of files is a full disk: a sentence, not a signal.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    app.parse(argc, argv);
    // A result that a full disk did not take is no result.
    errno = 0;
    if (!std::cout.flush()) {
      throw runtime_failure(std::string{"standard output: writing failed"} +
                            (errno != 0 ? ": " + io::system_text(errno) : ""));
    }
    return 0;
  } catch (const CLI::RequiredError& e) {
    // What is missing may be there, misspelt.
    const std::vector<std::string> unknown = app.remaining(true);
    if (unknown.empty()) return app.exit(e) == 0 ? 0 : 2;
    std::cerr << "tombola: " << e.what() << ", and unknown: " << unknown.front()
              << "; see --help\n";
    return 2;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const input_error& e) {
    std::cerr << "tombola: " << e.what() << '\n';
    return 2;
  } catch (const std::exception& e) {
    std::cerr << "tombola: " << e.what() << '\n';
    return 1;
  }
}
