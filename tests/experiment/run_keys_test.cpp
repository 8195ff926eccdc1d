// What a result tells is in its run's key: two runs that differ in it have two folders.

#include <string>

#include "tests/experiment/steps.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::test;
using namespace tombola::test::steps;

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
