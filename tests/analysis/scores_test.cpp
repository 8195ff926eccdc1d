#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/analysis/result.hpp"
#include "tombola/analysis/score_section.hpp"
#include "tombola/analysis/score_tables.hpp"
#include "tombola/analysis/scores_by_ticket.hpp"
#include "tombola/analysis/verdicts.hpp"
#include "tombola/core/error.hpp"

using namespace tombola::analysis;

namespace {

result full(std::uint64_t seed, double score, run_step step = run_step::train) {
  result r;
  r.file = "f" + std::to_string(seed);
  r.step = step;
  r.task = "SST-2";
  r.seed = seed;
  r.metric = "accuracy";
  r.score = score;
  r.majority = 0.5;
  return r;
}

result with(ticket_kind kind,
            bool retrained,
            std::uint64_t seed,
            double score,
            run_step step = run_step::evaluate,
            ticket_family family = ticket_family::weights) {
  result r = full(seed, score, step);
  r.ticket = ticket_summary{"t",
                            kind,
                            family,
                            "f" + std::string{to_string(kind)},
                            "",
                            {{"weights", 30}},
                            {{"weights", 120}}};
  r.retrained = retrained;
  return r;
}

const verdict& find(const std::vector<verdict>& all, const std::string& claim) {
  for (const verdict& v : all) {
    if (v.claim == claim) return v;
  }
  throw tombola::error("no verdict: " + claim);
}

/// Two seeds: full 0.8 and 0.9; good beats random in one of them; bad is left at the majority.
std::vector<result> study() {
  using enum ticket_kind;
  return {full(2, 0.9),
          full(1, 0.8),
          with(good, false, 1, 0.75),
          with(good, false, 2, 0.75),
          with(random, false, 1, 0.6),
          with(random, false, 2, 0.8),
          with(bad, false, 1, 0.5),
          with(good, true, 1, 0.8, run_step::train),
          with(good, true, 2, 0.9, run_step::train),
          with(bad, true, 1, 0.4, run_step::train),
          with(bad, true, 2, 0.4, run_step::train)};
}

}  // namespace

TEST_CASE("results are sorted into rows: full, good, random, bad; masked before retrained") {
  const auto groups = score_groups(study());
  REQUIRE(groups.size() == 1);
  const score_group& g = groups[0];
  REQUIRE(g.rows.size() == 6);
  std::string order;
  for (const score_row& r : g.rows) order += name_of(r.kind) + "/" + phase_of(r) + " ";
  CHECK(order == "full/trained good/masked random/masked bad/masked good/retrained bad/retrained ");
  CHECK(g.rows[0].seeds[0].seed == 1);
  CHECK(*g.rows[0].over_seeds.mean == Approx(0.85).epsilon(1e-15));
  CHECK(*g.rows[0].over_seeds.deviation == Approx(std::sqrt(0.005)).epsilon(1e-14));
  CHECK(*g.rows[1].kept.mean == 0.25);
  CHECK(*g.majority == 0.5);
}

TEST_CASE("an evaluation counts before the end of training, and that before a search") {
  using enum ticket_kind;
  std::vector<result> r = study();
  r.push_back(full(1, 0.7, run_step::evaluate));
  r.push_back(with(good, false, 1, 0.99, run_step::find_masks));
  r.push_back(with(super, false, 1, 0.3, run_step::find_masks));
  const auto g = score_groups(r)[0];
  CHECK(g.find(std::nullopt, false)->seeds[0].score == 0.7);
  CHECK(g.find(good, false)->seeds[0].score == 0.75);
  CHECK(g.find(super, false)->seeds[0].score == 0.3);  // nothing better is there
}

TEST_CASE("several runs of one seed are averaged and counted; undefined ones are said") {
  std::vector<result> r{full(1, 0.6), full(1, 0.8), full(2, 0.9)};
  r.push_back(full(3, 0.0));
  r.back().score.reset();
  const auto g = score_groups(r)[0];
  REQUIRE(g.rows[0].seeds.size() == 2);
  CHECK(g.rows[0].seeds[0].score == Approx(0.7).epsilon(1e-15));
  CHECK(g.rows[0].seeds[0].runs == 2);
  CHECK(g.rows[0].undefined == 1);
  const std::string csv = to_csv(score_table(g));
  CHECK(csv.find("1: 0.7000 (mean of 2 runs), 2: 0.9000, 1 undefined") != std::string::npos);
}

TEST_CASE("families and tasks do not mix, and the full model is in each of them") {
  using enum ticket_kind;
  std::vector<result> r = study();
  r.push_back(with(good, false, 1, 0.7, run_step::evaluate, ticket_family::heads));
  r.push_back(full(1, 0.6));
  r.back().task = "CoLA";
  r.push_back(full(1, 0.1, run_step::pretrain));
  const auto groups = score_groups(r);
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].task == "CoLA");
  CHECK_FALSE(groups[0].family);
  CHECK(*groups[1].family == ticket_family::heads);
  CHECK(*groups[1].find(std::nullopt, false)->over_seeds.mean == Approx(0.85));
  CHECK(groups[1].find(random, false) == nullptr);
}

TEST_CASE("what was trained or found differently is not averaged") {
  using enum ticket_kind;
  std::vector<result> r = study();
  for (result& one : r) one.setting = "epochs 3, rate 0.1";
  r.push_back(with(good, false, 1, 0.7));
  r.push_back(with(good, false, 2, 0.6));
  for (std::size_t i = r.size() - 2; i < r.size(); ++i) {
    r[i].setting = r[0].setting;
    r[i].ticket->search = "mode study";
  }
  r.push_back(full(1, 0.55));
  r.back().setting = "epochs 1, rate 0.1";
  const auto groups = score_groups(r);
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].variant == "epochs 1");
  CHECK_FALSE(groups[0].family);
  CHECK(*groups[0].rows[0].over_seeds.mean == 0.55);
  CHECK(groups[1].variant == "epochs 3, mode study");
  CHECK(*groups[1].find(good, false)->over_seeds.mean == Approx(0.65));
  CHECK(*groups[1].find(std::nullopt, false)->over_seeds.mean == Approx(0.85));
  CHECK(groups[2].variant == "epochs 3, settings not known");
  CHECK(*groups[2].find(good, false)->over_seeds.mean == 0.75);
  const std::string csv = to_csv(all_scores(groups));
  CHECK(csv.find("\"weights, epochs 3, mode study\"") != std::string::npos);
}

TEST_CASE("two metrics of one task are refused, naming the file") {
  std::vector<result> r = study();
  r.push_back(full(3, 0.5));
  r.back().metric = "f1";
  CHECK_THROWS_WITH(score_groups(r),
                    "f3: 'metric' is f1 for task SST-2, expected accuracy as in f2");
}

TEST_CASE("the score tables have exact numbers") {
  const auto groups = score_groups(study());
  const std::string csv = to_csv(all_scores(groups));
  CHECK(csv.find("SST-2,weights,accuracy,0.5,bad,masked,0.5,,1,0.625,0,0.25,"
                 "deviation: a deviation takes two seeds or more\r\n") != std::string::npos);
  CHECK(csv.find("SST-2,weights,accuracy,0.5,good,masked,0.75,0,2,") != std::string::npos);
  CHECK(csv.find("nan") == std::string::npos);
  const std::string seeds = to_csv(scores_by_seed(groups));
  CHECK(seeds.find("SST-2,weights,random,masked,2,0.8,1,0\r\n") != std::string::npos);
}

TEST_CASE("a share of full is taken over the seeds that have both scores") {
  using enum ticket_kind;
  std::vector<result> r{full(1, 0.8), full(2, 0.9), with(good, false, 2, 0.81)};
  const auto share = [&](ticket_kind kind) {
    const auto g = score_groups(r)[0];
    return relative_to_full(g, *g.find(kind, false));
  };
  CHECK(*share(good).of_full == Approx(0.9).epsilon(1e-15));  // of seed 2's 0.9, not of 0.85
  CHECK(*share(good).of_gain == Approx(0.31 / 0.4).epsilon(1e-14));
  r.push_back(with(good, false, 3, 0.1));  // no full model of this seed
  CHECK(*share(good).of_full == Approx(0.9).epsilon(1e-15));
  r.push_back(with(bad, false, 3, 0.1));
  CHECK_FALSE(share(bad).of_full);
}

TEST_CASE("seeds whose commonest class differs are each held against their own") {
  std::vector<result> r{full(1, 0.5), full(2, 0.7)};
  r[0].majority = 0.35;
  r[1].majority = 0.65;
  const auto g = score_groups(r)[0];
  CHECK(beats_majority(g).finding == "in 2 of 2 seeds, mean 0.6000 against 0.5000");
  r[0].score = 0.3;
  CHECK(beats_majority(score_groups(r)[0]).decision == outcome::in_part);
  r[0].score = 0.6;  // above 0.35, not above the other seed's
  const auto g2 = score_groups(r)[0];
  CHECK(beats_majority(g2).decision == outcome::holds);
  CHECK(*relative_to_full(g2, g2.rows[0]).of_gain == Approx(1.0));
}

TEST_CASE("why there is no share of full or of gain is said") {
  using enum ticket_kind;
  std::vector<result> r{full(1, 0.5), with(good, false, 1, 0.4), with(bad, false, 2, 0.4)};
  const auto of = [&](ticket_kind kind) {
    const auto g = score_groups(r)[0];
    return relative_to_full(g, *g.find(kind, false));
  };
  CHECK(*of(good).of_full == Approx(0.8));
  CHECK_FALSE(of(good).of_gain);
  CHECK(of(good).why_not_gain == "the full model does not beat the majority class");
  CHECK(of(bad).why_not_full == "no seed has both this score and a full model's");
  r[0].score = 0.0;
  CHECK(of(good).why_not_full == "the full model's score is not above 0");
  for (result& one : r) one.majority.reset();
  CHECK(of(good).why_not_gain == "what the majority class scores is not known");
}

TEST_CASE("claims are computed seed by seed, and failures are said plainly") {
  const auto all = verdicts(score_groups(study())[0]);
  const verdict& random = find(all, "good beats random before retraining");
  CHECK(random.decision == outcome::in_part);
  CHECK(random.finding == "in 1 of 2 seeds, means 0.7500 and 0.7000");
  const verdict& bad = find(all, "good beats bad before retraining");
  CHECK(bad.decision == outcome::holds);
  CHECK(bad.finding.starts_with("in 1 of 1 seed,"));
  // 0.75 of 0.8 passes 90 %, 0.75 of 0.9 does not.
  const verdict& reached = find(all, "masked good reaches 90 % of full");
  CHECK(reached.decision == outcome::in_part);
  CHECK(reached.finding == "88.2 % of full by the means, 90 % or more in 1 of 2 seeds");
  const verdict& lost = find(all, "retrained bad reaches 90 % of full");
  CHECK(lost.decision == outcome::does_not_hold);
  CHECK(sentence(lost) ==
        "retrained bad reaches 90 % of full: does not hold, 47.1 % of full by the means, 90 % "
        "or more in 0 of 2 seeds");
  CHECK(find(all, "good beats bad after retraining").decision == outcome::holds);
  CHECK_THROWS(find(all, "retrained random reaches 90 % of full"));  // nothing was run
}

TEST_CASE("a tie is no win, and without a full model nothing can be told") {
  using enum ticket_kind;
  const std::vector<result> r{with(good, false, 1, 0.7), with(random, false, 1, 0.7),
                              with(bad, false, 2, 0.1)};
  const auto all = verdicts(score_groups(r)[0]);
  CHECK(find(all, "good beats random before retraining").decision == outcome::does_not_hold);
  CHECK(find(all, "good beats bad before retraining").finding == "no seed has both scores");
  CHECK(find(all, "good beats bad before retraining").decision == outcome::cannot_tell);
  CHECK(find(all, "masked good reaches 90 % of full").decision == outcome::cannot_tell);
  const verdict full_model = beats_majority(score_groups(r)[0]);
  CHECK(full_model.decision == outcome::cannot_tell);
  CHECK(full_model.finding == "no score of a full model");
}

TEST_CASE("what is claimed of the full model is claimed of a task, not of its tickets") {
  std::vector<result> r = study();
  for (result& one : r) {
    if (one.ticket) one.ticket->search = "mode standard";
  }
  r.push_back(r.back());
  r.back().ticket->search = "mode study";
  const auto groups = score_groups(r);
  REQUIRE(groups.size() == 2);
  for (const score_group& g : groups) {
    const verdict v = beats_majority(g);
    CHECK(v.family == "none");
    CHECK(v.decision == outcome::holds);
    CHECK(v.finding == "in 2 of 2 seeds, mean 0.8500 against 0.5000");
    for (const verdict& other : verdicts(g)) CHECK(other.claim != v.claim);
  }
  // Models that were trained otherwise are named so, whatever tickets they have.
  r.push_back(full(1, 0.4));
  r.back().setting = "rate 1";
  std::string said;
  for (const score_group& g : score_groups(r)) {
    const verdict v = beats_majority(g);
    said += v.family + ": " + std::string{to_string(v.decision)} + "\n";
  }
  CHECK(said ==
        "none, rate 1: does not hold\n"
        "none, settings not known: holds\n"
        "none, settings not known: holds\n");
}

TEST_CASE("a ticket is not compared with itself") {
  using enum ticket_kind;
  std::vector<result> r = study();
  // Seed 2: the search kept what the draw kept.
  for (result& one : r) {
    if (one.seed == 2 && one.ticket) one.ticket->fingerprint = "same";
  }
  r.push_back(with(bad, false, 2, 0.75));
  r.back().ticket->fingerprint = "same";
  r.push_back(with(random, true, 1, 0.7, run_step::train));
  r.push_back(with(random, true, 2, 0.9, run_step::train));
  r.back().ticket->fingerprint = "same";
  const auto all = verdicts(score_groups(r)[0]);
  const verdict& drawn = find(all, "good beats random before retraining");
  CHECK(drawn.decision == outcome::holds);  // 0.75 against 0.6; seed 2 is no loss
  CHECK(drawn.finding ==
        "in 1 of 1 seed, means 0.7500 and 0.6000; in 1 seed both are the same ticket");
  CHECK(find(all, "retrained random reaches 90 % of full").finding ==
        "87.5 % of full by the means, 90 % or more in 0 of 1 seed; in 1 seed the ticket is the "
        "good one");
  // Of the good one it is a finding.
  CHECK(find(all, "retrained good reaches 90 % of full").finding.ends_with("in 2 of 2 seeds"));
  for (result& one : r) {
    if (one.ticket) one.ticket->fingerprint = "same";
  }
  const auto none = verdicts(score_groups(r)[0]);
  CHECK(find(none, "good beats bad before retraining").decision == outcome::cannot_tell);
  CHECK(find(none, "good beats bad before retraining").finding ==
        "nothing to compare: in 2 seeds both are the same ticket");
  CHECK(find(none, "retrained bad reaches 90 % of full").decision == outcome::cannot_tell);
}

TEST_CASE("a control is the good ticket also where good was run in the other phase alone") {
  using enum ticket_kind;
  std::vector<result> r{full(1, 0.8), with(good, false, 1, 0.75),
                        with(random, true, 1, 0.8, run_step::train)};
  r[2].ticket->fingerprint = r[1].ticket->fingerprint;
  CHECK(find(verdicts(score_groups(r)[0]), "retrained random reaches 90 % of full").finding ==
        "nothing to compare: in 1 seed the ticket is the good one");
}

TEST_CASE("a ticket whose fingerprint is not known, or that differs by run, is compared") {
  using enum ticket_kind;
  std::vector<result> r{full(1, 0.8), with(good, false, 1, 0.75), with(random, false, 1, 0.6)};
  r[1].ticket->fingerprint = r[2].ticket->fingerprint = "";
  CHECK(find(verdicts(score_groups(r)[0]), "good beats random before retraining").decision ==
        outcome::holds);
  r[1].ticket->fingerprint = r[2].ticket->fingerprint = "f";
  r.push_back(with(random, false, 1, 0.7));  // another draw
  CHECK(find(verdicts(score_groups(r)[0]), "good beats random before retraining").finding ==
        "in 1 of 1 seed, means 0.7500 and 0.6500");
}

TEST_CASE("a ticket that keeps everything, and a full model that learnt nothing, reach nothing") {
  using enum ticket_kind;
  std::vector<result> r = study();
  for (result& one : r) {
    if (one.ticket && one.seed == 1) one.ticket->kept["weights"] = 120;
  }
  r.push_back(full(3, 0.5));  // the majority class
  r.push_back(with(good, true, 3, 0.5, run_step::train));
  const auto all = verdicts(score_groups(r)[0]);
  CHECK(find(all, "retrained good reaches 90 % of full").finding ==
        "100.0 % of full by the means, 90 % or more in 1 of 1 seed; in 1 seed the ticket keeps "
        "everything, in 1 seed the full model does not beat the majority class");
  for (result& one : r) {
    one.majority.reset();
    if (!one.ticket) one.score = 0.0;
  }
  CHECK(find(verdicts(score_groups(r)[0]), "retrained good reaches 90 % of full").finding ==
        "nothing to compare: in 3 seeds the full model's score is not above 0");
}

TEST_CASE("what a search's own guard asked for is no claim that holds") {
  using enum ticket_kind;
  const auto decided = [](const std::string& search, const std::string& setting = "epochs 3",
                          double score = 0.82) {
    std::vector<result> r{full(1, 0.9), with(good, false, 1, score), with(good, true, 1, score)};
    for (result& one : r) {
      one.setting = setting;
      if (one.ticket) one.ticket->search = search;
    }
    return verdicts(score_groups(r)[0]);
  };
  const std::string masked = "masked good reaches 90 % of full";
  const auto built = decided("batch 64, guard_share 0.9, mode standard, select dev");
  CHECK(find(built, masked).decision == outcome::by_construction);
  CHECK(sentence(find(built, masked)) ==
        "masked good reaches 90 % of full: by construction, by the search's own guard, on these "
        "examples; 91.1 % of full by the means, 90 % or more in 1 of 1 seed");
  CHECK(find(built, "retrained good reaches 90 % of full").decision == outcome::holds);
  for (const char* other :
       {"guard_share 0.9, select train", "guard_share 0.8, select dev", "",
        "guard_share 0.9, select dev, start_kept 12", "guard_share 0.9",
        "guard_drop 0.1, select dev", "guard_at_least 0.8, select dev", "guard_share x, select dev",
        // The full model has 0.9: nothing was tried.
        "guard_at_least 0.91, select dev"}) {
    INFO(other);
    CHECK(find(decided(other), masked).decision == outcome::holds);
  }
  CHECK(find(decided("guard_drop 0.05, select dev"), masked).decision == outcome::by_construction);
  CHECK(find(decided("guard_at_least 0.82, select dev"), masked).decision ==
        outcome::by_construction);
  for (const char* other : {"epochs 3, split test", "epochs 3, compact 0123456789ab"}) {
    INFO(other);
    CHECK(find(decided("guard_share 0.9, select dev", other), masked).decision == outcome::holds);
  }
  // Scored otherwise than the search did, and below.
  CHECK(find(decided("guard_share 0.9, select dev", "epochs 3", 0.7), masked).decision ==
        outcome::does_not_hold);
  const std::string page = findings_section(built, true);
  CHECK(page.find("Of 2 claims checked here, 1 hold, 0 hold in part, 0 do not hold, and of 0 "
                  "nothing can be told. By construction: 1.<") != std::string::npos);
  CHECK(page.find(">by construction<") != std::string::npos);
}

TEST_CASE("an undefined metric that counts 0 is marked, and the reason stands below") {
  std::vector<result> r{full(1, 0.5), full(2, 0.0), full(3, 0.0), full(3, 0.4)};
  CHECK(undefined_note(score_groups(r)[0]).empty());
  CHECK(score_section(score_groups(r)).find("undefined") == std::string::npos);
  r[1].undefined = r[2].undefined = "one side is constant";
  const auto groups = score_groups(r);
  CHECK(groups[0].rows[0].over_seeds.count == 3);
  const std::string csv = to_csv(score_table(groups[0]));
  CHECK(csv.find("1: 0.5000, 2: 0.0000 undefined, 3: 0.2000 (mean of 2 runs), 1 undefined") !=
        std::string::npos);
  CHECK(to_csv(scores_by_seed(groups)).find(",3,0.2,2,1\r\n") != std::string::npos);
  const dot_figure f = score_figure(groups[0]);
  CHECK(f.rows[0].dots[0].note.empty());
  CHECK(f.rows[0].dots[1].note == "undefined");
  CHECK(f.rows[0].dots[2].note == "1 undefined");
  CHECK(score_section(groups).find("A score marked undefined counts 0, as in the study: one side "
                                   "is constant.") != std::string::npos);
}

TEST_CASE("the dot figure has every seed, the majority class and the full model") {
  const dot_figure f = score_figure(score_groups(study())[0]);
  REQUIRE(f.rows.size() == 6);
  CHECK(f.rows[4].label == "good, retrained");
  CHECK(f.rows[4].emphasis);
  CHECK(f.rows[4].dots.size() == 2);
  REQUIRE(f.lines.size() == 2);
  CHECK(f.lines[0].value == 0.5);
  CHECK(f.lines[1].value == Approx(0.85));
}
