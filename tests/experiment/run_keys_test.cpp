// What a result tells is in its run's key: two runs that differ in it have two folders.

#include <cmath>
#include <limits>
#include <string>

#include "tests/experiment/steps.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::test;
using namespace tombola::test::steps;

namespace {

experiment::train_settings without_ticket(const world& w) {
  experiment::train_settings s = w.training();
  s.ticket.clear();
  return s;
}

/// Of a model that was trained for it.
experiment::search_settings search_of_mlps(const world& w) {
  experiment::search_settings s;
  s.prune = experiment::prune_what::mlps;
  s.run = carry_out(w.runs, experiment::prepare(without_ticket(w)), train);
  return s;
}

}  // namespace

TEST_CASE("the search that a ticket came from is in the key of what is made under it") {
  const world w;
  const auto under = [&](const std::string& search) {
    ticket t = io::read_ticket(w.ticket);
    t.origin.search = search;
    const fs::path file = w.root / "under.safetensors";
    io::write_ticket(file, t);
    experiment::train_settings s = w.training();
    s.ticket = file;
    return experiment::prepare(s);
  };
  const auto one = under("step_share 0.13"), other = under("step_share 0.14");
  CHECK(one.key.settings.at("ticket") == other.key.settings.at("ticket"));
  CHECK(one.key.settings.at("ticket_search") == "step_share 0.13");
  CHECK(one.key.folder_name() != other.key.folder_name());
  // How it was trained is the same.
  CHECK(experiment::training_setting(one.key.settings) ==
        experiment::training_setting(other.key.settings));
  // A ticket of which nothing is known, and none at all: as they always were.
  CHECK_FALSE(under("").key.settings.contains("ticket_search"));
  experiment::train_settings full = w.training();
  full.ticket.clear();
  const auto p = experiment::prepare(full);
  CHECK_FALSE(p.key.settings.contains("ticket_search"));

  const fs::path run = carry_out(w.runs, p, train);
  const auto scored = [&](const std::string& search) {
    (void)under(search);
    experiment::evaluation_settings s;
    s.run = run;
    s.ticket = w.root / "under.safetensors";
    const fs::path folder = carry_out(w.runs, experiment::prepare(s), evaluate);
    return io::read_json(folder / "result.json").at("ticket").at("search");
  };
  CHECK(scored("step_share 0.13") == "step_share 0.13");
  CHECK(scored("step_share 0.14") == "step_share 0.14");
}

TEST_CASE("what a search says of itself tells heads alone from heads and MLPs together") {
  const auto said = [](const char* what) {
    return experiment::search_setting({{"prune", what}, {"step_share", 0.1}, {"model", "m"}});
  };
  CHECK(said("heads") == "prune heads, step_share 0.1");
  CHECK(said("mlps") == "prune mlps, step_share 0.1");
  // Tickets of the others say so by their groups.
  CHECK(said("both") == "step_share 0.1");
  CHECK(said("weights") == "step_share 0.1");
}

TEST_CASE("a search over training rows has the examples it is reported on in its key") {
  const world w;
  experiment::train_settings full = w.training();
  full.ticket.clear();
  experiment::search_settings s;
  s.run = carry_out(w.runs, experiment::prepare(full), train);
  const auto key = [&](experiment::selection_split select) {
    s.select = select;
    return experiment::prepare(s).key;
  };
  const auto on_dev = key(experiment::selection_split::dev),
             on_train = key(experiment::selection_split::train);
  CHECK_FALSE(on_dev.settings.contains("dev"));
  CHECK(on_train.settings.at("dev") == on_dev.settings.at("selection"));
  CHECK(experiment::search_setting(on_train.settings).find("dev") == std::string::npos);
  // Another development set of as many rows: the search sees no difference, the score does.
  const fs::path rows = w.data / "pocket-sentiment/dev.tsv";
  std::string text = get(rows);
  const std::size_t last = text.rfind('\n', text.size() - 2) + 1;
  const std::size_t before = text.rfind('\n', last - 2) + 1;
  put(rows, text.substr(0, last) + text.substr(before, last - before));
  const auto other = key(experiment::selection_split::train);
  CHECK(other.settings.at("selection") == on_train.settings.at("selection"));
  CHECK(other.folder_name() != on_train.folder_name());
}

TEST_CASE("an evaluation has the run that was asked about in its key") {
  const world w;
  experiment::train_settings of_one = w.training(), of_other = w.training();
  of_one.ticket.clear();
  of_other.ticket.clear();
  of_other.optimizer.rate = 1e-3;
  experiment::evaluation_settings own, borrowed;
  own.run = carry_out(w.runs, experiment::prepare(of_one), train);
  borrowed.run = carry_out(w.runs, experiment::prepare(of_other), train);
  borrowed.model = own.run / "model";
  const fs::path first = carry_out(w.runs, experiment::prepare(own), evaluate);
  const fs::path second = carry_out(w.runs, experiment::prepare(borrowed), evaluate);
  CHECK(first != second);
  const auto setting = [](const fs::path& run) {
    return io::read_json(run / "result.json").at("setting").get<std::string>();
  };
  CHECK(setting(first).find("scored") == std::string::npos);
  CHECK(setting(second).find(", scored ") != std::string::npos);
  CHECK(io::read_json(first / "result.json").at("score") ==
        io::read_json(second / "result.json").at("score"));
}

TEST_CASE("a search that was stopped counts the seconds before") {
  const world w;
  experiment::search_settings s = search_of_mlps(w);
  const auto p = experiment::prepare(s);
  const fs::path run = w.runs / p.key.folder_name();
  int batches = 0;
  CHECK_THROWS(carry_out(w.runs, p, search, [&] {
    if (++batches == 3) throw error("stopped");
  }));
  const fs::path so_far = run / "trace-so-far.safetensors";
  trace t = io::read_trace(so_far);
  CHECK_FALSE(t.steps.empty());
  CHECK(t.seconds > 0.0);
  t.seconds = 1000.0;
  io::write_trace(so_far, t);
  (void)carry_out(w.runs, p, search);
  const auto result = io::read_json(run / "result.json");
  CHECK(result.at("seconds").get<double>() > 1000.0);
  CHECK(result.at("seconds").get<double>() < 1100.0);
  CHECK(io::read_trace(run / "trace.safetensors").seconds == 0.0);  // the same bits at any pace
}

TEST_CASE(
    "a search has what its result tells of the run in its key, not in what it says of itself") {
  const world w;
  experiment::search_settings s = search_of_mlps(w);
  experiment::train_settings full = without_ticket(w);
  const auto by_one = experiment::prepare(s);
  full.optimizer.rate = 1e-3;
  const auto other = experiment::prepare(full);
  // The other run has this one's model, bit for bit, as two settings may come to the same end.
  const fs::path twin = w.runs / other.key.folder_name();
  s.run = carry_out(w.runs, other, train);
  REQUIRE(s.run == twin);
  fs::remove_all(twin / "model");
  fs::copy(by_one.run.folder / "model", twin / "model", fs::copy_options::recursive);
  const auto by_other = experiment::prepare(s);
  REQUIRE(by_other.key.settings.at("model") == by_one.key.settings.at("model"));
  CHECK(by_other.run.setting != by_one.run.setting);
  CHECK(by_other.key.folder_name() != by_one.key.folder_name());
  CHECK(experiment::search_setting(by_other.key.settings) ==
        experiment::search_setting(by_one.key.settings));
  auto told = io::read_json(twin / "result.json");
  told["majority"] = 0.25;  // as of a run that drew other rows
  put(twin / "result.json", told.dump());
  const auto by_third = experiment::prepare(s);
  REQUIRE(by_third.majority == 0.25);
  CHECK(by_third.key.folder_name() != by_other.key.folder_name());
  CHECK(experiment::search_setting(by_third.key.settings) ==
        experiment::search_setting(by_one.key.settings));
}

TEST_CASE("what the commonest class scores is told of the run's own development set alone") {
  const world w;
  experiment::train_settings full = w.training();
  full.ticket.clear();
  experiment::evaluation_settings s;
  s.run = carry_out(w.runs, experiment::prepare(full), train);
  const auto trained = io::read_json(s.run / "result.json").at("majority");
  REQUIRE(trained.is_number());
  CHECK(experiment::prepare(s).majority == trained.get<double>());
  s.split = "train";
  CHECK_FALSE(experiment::prepare(s).majority);
  // The same task elsewhere, with other development rows.
  s.split = "dev";
  s.data = w.root / "elsewhere";
  fs::copy(w.data, s.data, fs::copy_options::recursive);
  CHECK(experiment::prepare(s).majority == trained.get<double>());
  const fs::path rows = s.data / "pocket-sentiment/dev.tsv";
  const std::string text = get(rows);
  put(rows, text.substr(0, text.rfind('\n', text.size() - 2) + 1));
  CHECK_FALSE(experiment::prepare(s).majority);
  const fs::path folder = carry_out(w.runs, experiment::prepare(s), evaluate);
  CHECK(io::read_json(folder / "result.json").at("majority").is_null());
  experiment::search_settings of_search;
  of_search.run = s.run;
  of_search.data = s.data;
  of_search.prune = experiment::prune_what::mlps;
  const fs::path found = carry_out(w.runs, experiment::prepare(of_search), search);
  CHECK(io::read_json(found / "result.json").at("majority").is_null());
}

TEST_CASE("a search over training rows draws its own, not those that training drew") {
  const world w;
  experiment::train_settings few = w.training();
  few.ticket.clear();
  few.rows = 10;  // of 24, as many as the development set has
  const auto p = experiment::prepare(few);
  experiment::search_settings s;
  s.run = carry_out(w.runs, p, train);
  s.select = experiment::selection_split::train;
  const auto looked_at = experiment::prepare(s).selection;
  REQUIRE(looked_at.set.size() == p.train.set.size());
  CHECK(looked_at.fingerprint != p.train.fingerprint);
}

TEST_CASE("settings that JSON cannot tell apart are refused by their names") {
  const double infinity = std::numeric_limits<double>::infinity();
  const world w;
  experiment::train_settings full = w.training();
  full.ticket.clear();
  const auto refused = [](const auto& s) {
    return sentence<input_error>([&] { (void)experiment::prepare(s); });
  };
  const auto with = [&](double nn::adamw_settings::*member, double x) {
    experiment::train_settings s = full;
    s.optimizer.*member = x;
    return s;
  };
  const std::string expected = ", expected a finite number";
  using adamw = nn::adamw_settings;
  CHECK(refused(with(&adamw::rate, infinity)) == "settings: rate is inf" + expected);
  CHECK(refused(with(&adamw::decay, infinity)) == "settings: decay is inf" + expected);
  CHECK(refused(with(&adamw::max_norm, -infinity)) == "settings: max_norm is -inf" + expected);
  CHECK(refused(with(&adamw::beta1, std::nan(""))).starts_with("settings: beta1 is "));

  experiment::search_settings s;
  s.run = carry_out(w.runs, experiment::prepare(full), train);
  s.rule = experiment::guard_rule::at_least;
  for (const double floor : {infinity, -infinity}) {
    s.guard_amount = floor;
    CHECK(refused(s) ==
          "settings: guard_at_least is " + std::to_string(floor) + ", expected a finite number");
  }
}
