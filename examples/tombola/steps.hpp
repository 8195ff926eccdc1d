#pragma once

#include <filesystem>
#include <string>

#include "tombola/backend/precision.hpp"
#include "tombola/experiment/compact.hpp"
#include "tombola/experiment/evaluate.hpp"
#include "tombola/experiment/find_masks.hpp"
#include "tombola/experiment/observer.hpp"
#include "tombola/experiment/pretrain.hpp"
#include "tombola/experiment/train.hpp"

// The steps of an experiment on the backend that this program was built with. Only steps.cpp sees
// it: BERT is compiled once.

namespace tombola::driver {

/// Which device, and how much of it.
struct device {
  int threads = 1;
};

/// Where a run goes, and who watches it.
struct run_options {
  std::filesystem::path out;
  driver::device device;
  experiment::provenance_of_run who;
};

/// The precision whose products are faster on this processor, measured.
product_precision faster_precision_here(int threads);

/// Whose products a run computes with, such as `oneDNN 2.6.3`: for its provenance.
std::string products_in_words();

// Each step carries a prepared run out, or finds it done, and returns its folder.
std::filesystem::path run(const experiment::prepared_pretraining& p,
                          const run_options& o,
                          const experiment::observer& watch);
std::filesystem::path run(const experiment::prepared_training& p,
                          const run_options& o,
                          const experiment::observer& watch);
std::filesystem::path run(const experiment::prepared_search& p,
                          const run_options& o,
                          const experiment::observer& watch);
std::filesystem::path run(const experiment::prepared_evaluation& p,
                          const run_options& o,
                          const experiment::observer& watch);

/// Not a run: writes the folder it was told to and returns what was found.
nlohmann::json run(const experiment::prepared_compaction& p,
                   const device& d,
                   const experiment::observer& watch);

}  // namespace tombola::driver
