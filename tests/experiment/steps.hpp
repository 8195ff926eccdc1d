#pragma once

// A model of two layers and its tasks, and steps over them in this process.

#include <filesystem>
#include <functional>

#include "tests/io/scratch.hpp"

#include "tombola/backend/reference.hpp"
#include "tombola/data/pocket_language.hpp"
#include "tombola/experiment/evaluate.hpp"
#include "tombola/experiment/find_masks.hpp"
#include "tombola/experiment/pretrain.hpp"
#include "tombola/experiment/train.hpp"

namespace tombola::test::steps {

namespace fs = std::filesystem;

using backend_type = reference_backend<float>;
inline const experiment::provenance_of_run nobody{"", "a test"};

/// A model of two layers, its tasks, and a training run; all of it may be spoiled.
struct world {
  scratch_folder root;
  fs::path data = root / "data", runs = root / "runs", model, ticket = root / "t.safetensors";

  world() {
    data::write_pocket_data(data, 1, {.corpus = 20, .train = 24, .dev = 10});
    experiment::pretrain_settings s;
    s.corpus = data / "corpus.txt";
    s.vocabulary = data / "vocab.txt";
    s.batch = 10;
    s.max_length = 32;
    s.model.positions = 32;
    s.model.hidden = 4;
    s.model.layers = 2;
    s.model.heads = 2;
    s.model.intermediate = 4;
    const auto p = experiment::prepare(s);
    const experiment::run_folder folder{runs, p.key};
    backend_type b;
    experiment::pretrain(b, p, folder, nobody, {});
    model = folder / "model";
    io::write_ticket(ticket, ::tombola::ticket{{{"heads", {2, 2}}, {"mlps", {2}}}});
  }

  [[nodiscard]] experiment::train_settings training() const {
    experiment::train_settings s;
    s.model = model;
    s.data = data;
    s.task = "pocket-sentiment";
    s.ticket = ticket;
    s.epochs = 2;
    s.batch = 8;
    s.max_length = 32;
    return s;
  }
};

/// Carries a prepared step out with `during` called after each of its batches.
template <class Prepared, class Step>
fs::path carry_out(const fs::path& runs,
                   const Prepared& p,
                   Step step,
                   const std::function<void()>& during = {}) {
  const experiment::run_folder folder{runs, p.key};
  experiment::observer watch;
  watch.stop = [&] {
    if (during) during();
    return false;
  };
  backend_type b;
  step(b, p, folder, watch);
  return folder.path();
}

inline const auto train = [](auto& b, const auto& p, const auto& folder, const auto& watch) {
  experiment::train(b, p, folder, nobody, watch);
};
inline const auto search = [](auto& b, const auto& p, const auto& folder, const auto& watch) {
  experiment::find_masks(b, p, folder, nobody, watch);
};
inline const auto evaluate = [](auto& b, const auto& p, const auto& folder, const auto& watch) {
  experiment::evaluate(b, p, folder, nobody, watch);
};

}  // namespace tombola::test::steps
