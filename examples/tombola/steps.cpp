// BERT over the backend that this program was built with: everything heavy of it, in one unit.

#include "examples/tombola/steps.hpp"

#include <utility>
#include <vector>

#include "default_backend.hpp"
#include "examples/tombola/read_weights.hpp"

namespace tombola::driver {

namespace {

using backend = default_backend;

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
    backend b = make_default_backend(o.device.threads, p.settings.precision);
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

product_precision faster_precision_here(int threads) {
  return faster_precision(threads);
}

std::string products_in_words() {
  return default_products_in_words();
}

nlohmann::json run(const experiment::prepared_compaction& p,
                   const device& d,
                   const experiment::observer& watch) {
  backend b = make_default_backend(d.threads, product_precision::float32);
  return experiment::compact(b, p, watch);
}

std::vector<std::vector<float>> read_weights(const std::filesystem::path& model_folder,
                                             const std::vector<group>& groups) {
  backend b = make_default_backend(1, product_precision::float32);
  nn::bert<backend> model{b, nn::read_config(model_folder)};
  nn::load_weights(model, model_folder, 0);
  return experiment::host_weights{model, groups}.values();
}

}  // namespace tombola::driver
