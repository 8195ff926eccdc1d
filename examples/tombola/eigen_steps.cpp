// BERT over the Eigen backend: everything heavy of this program, in one unit.

#include <utility>
#include <vector>

#include "examples/tombola/read_weights.hpp"
#include "examples/tombola/steps.hpp"

#include "tombola/eigen/backend.hpp"

namespace tombola::driver {

namespace {

using backend = eigen::backend<float>;

template <class Prepared, class Step>
std::filesystem::path carry_out(const Prepared& p,
                                const run_options& o,
                                const experiment::observer& watch,
                                Step step) {
  const experiment::run_folder folder{o.out, p.key};
  if (folder.done()) {
    folder.tidy();
    watch.say("done already: " + folder.path().string());
  } else {
    backend b{o.device.threads};
    step(b, folder);
  }
  return folder.path();
}

}  // namespace

std::filesystem::path run(const experiment::prepared_pretraining& p,
                          const run_options& o,
                          const experiment::observer& watch) {
  return carry_out(p, o, watch, [&](backend& b, const experiment::run_folder& f) {
    experiment::pretrain(b, p, f, o.who, watch);
  });
}

std::filesystem::path run(const experiment::prepared_training& p,
                          const run_options& o,
                          const experiment::observer& watch) {
  return carry_out(p, o, watch, [&](backend& b, const experiment::run_folder& f) {
    experiment::train(b, p, f, o.who, watch);
  });
}

std::filesystem::path run(const experiment::prepared_search& p,
                          const run_options& o,
                          const experiment::observer& watch) {
  return carry_out(p, o, watch, [&](backend& b, const experiment::run_folder& f) {
    experiment::find_masks(b, p, f, o.who, watch);
  });
}

std::filesystem::path run(const experiment::prepared_evaluation& p,
                          const run_options& o,
                          const experiment::observer& watch) {
  return carry_out(p, o, watch, [&](backend& b, const experiment::run_folder& f) {
    experiment::evaluate(b, p, f, o.who, watch);
  });
}

std::vector<std::vector<float>> read_weights(const std::filesystem::path& model_folder,
                                             const std::vector<group>& groups) {
  backend b{1};
  nn::bert<backend> model{b, nn::read_config(model_folder)};
  nn::load_weights(model, model_folder, 0);
  return experiment::host_weights{model, groups}.values();
}

}  // namespace tombola::driver
