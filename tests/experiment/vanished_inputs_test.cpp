// Inputs that go while a run needs them, or when it needs them no longer.

#include <string>

#include "tests/experiment/steps.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::test;
using namespace tombola::test::steps;

TEST_CASE("inputs that go between preparing and running: one sentence, and no result") {
  const world w;
  const auto p = experiment::prepare(w.training());
  const auto refused = [&](const fs::path& gone, const std::string& what) {
    fs::rename(gone, w.root / "elsewhere");
    CHECK(sentence<input_error>([&] { carry_out(w.runs, p, train); }) == what);
    const experiment::run_folder run{w.runs, p.key};
    CHECK_FALSE(run.done());
    for (const auto& entry : fs::directory_iterator{run.path()}) {
      CHECK(entry.path().filename() == "run.json");
    }
    fs::rename(w.root / "elsewhere", gone);
  };
  const std::string missing = ": cannot be opened for reading: No such file or directory";
  refused(w.model, (w.model / "vocab.txt").string() + missing);
  refused(w.model / "model.safetensors", (w.model / "model.safetensors").string() + missing);
  refused(w.data, (w.data / "pocket-sentiment/train.tsv").string() + missing);
  refused(w.ticket, w.ticket.string() + missing);
  CHECK(fs::exists(carry_out(w.runs, p, train) / "result.json"));
}

TEST_CASE("inputs that go while a run computes are not missed") {
  const world w;
  const auto p = experiment::prepare(w.training());
  const fs::path away = w.root / "away";
  fs::create_directory(away);
  const auto all_go = [&] {
    for (const fs::path& gone : {w.data, w.model, w.ticket}) {
      if (fs::exists(gone)) fs::rename(gone, away / gone.filename());
    }
  };
  const auto all_return = [&] {
    for (const fs::path& back : {w.data, w.model, w.ticket}) {
      fs::rename(away / back.filename(), back);
    }
  };
  const fs::path trained = carry_out(w.runs, p, train, all_go);
  CHECK_FALSE(fs::exists(w.model));
  const auto result = io::read_json(trained / "result.json");
  CHECK(result.at("inputs").size() == 4);
  all_return();
  CHECK(get(trained / "model/vocab.txt") == get(w.model / "vocab.txt"));

  experiment::train_settings full = w.training();
  full.ticket.clear();
  const fs::path run = carry_out(w.runs, experiment::prepare(full), train);
  experiment::search_settings of_search;
  of_search.run = run;
  of_search.prune = experiment::prune_what::mlps;
  const auto to_search = experiment::prepare(of_search);
  experiment::evaluation_settings of_score;
  of_score.run = run;
  of_score.ticket = w.ticket;
  const auto to_score = experiment::prepare(of_score);
  CHECK(fs::exists(carry_out(w.runs, to_search, search, all_go) / "ticket.safetensors"));
  all_return();
  CHECK(fs::exists(carry_out(w.runs, to_score, evaluate, all_go) / "result.json"));
}

TEST_CASE("a training run that is stopped and finds its data gone keeps what it has") {
  const world w;
  experiment::train_settings s = w.training();
  const auto stopped = [&] {
    const auto p = experiment::prepare(s);
    carry_out(w.runs, p, train, [] { throw experiment::interrupted("stopped"); });
  };
  s.checkpoint_seconds = -1.0;  // a state after each batch
  std::size_t batches = 0;
  const auto p = experiment::prepare(s);
  CHECK_THROWS_AS(carry_out(w.runs, p, train,
                            [&] {
                              if (++batches == 3) throw experiment::interrupted("stopped");
                            }),
                  experiment::interrupted);
  const experiment::run_folder run{w.runs, p.key};
  const std::string state = get(run / "state.safetensors");
  fs::rename(w.data, w.root / "elsewhere");
  CHECK(sentence<input_error>(stopped).find(w.data.string()) != std::string::npos);
  CHECK(get(run / "state.safetensors") == state);
  fs::rename(w.root / "elsewhere", w.data);
  carry_out(w.runs, p, train);
  CHECK(run.done());
}
