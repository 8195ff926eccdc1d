// Searches over weights by criterion, scope, schedule and pattern, on a tiny model.

#include "tombola/experiment/search_weights.hpp"

#include <cmath>
#include <optional>
#include <string>

#include "tests/experiment/digits.hpp"
#include "tests/nn/tiny_model.hpp"

#include "tombola/algebra/sets.hpp"

using namespace tombola;
using namespace tombola::test;
using namespace tombola::experiment;

namespace {

using exact = reference_backend<double>;
using criterion = weight_criterion;

struct fixture {
  exact b;
  nn::bert_config config = [] {
    nn::bert_config c = tiny_config(nn::head_kind::classification);
    c.hidden = 8;
    c.heads = 2;
    c.intermediate = 12;
    return c;
  }();
  nn::bert<exact> model{b, config};
  data::encoded_set set = three_examples();
  std::vector<group> groups = nn::weight_groups(config, nn::prunable::weights);
  std::size_t scored = 0;  ///< how often a search asked for scores

  fixture() { randomise(model, 5); }

  /// The share of weights that is left is the metric.
  prune_result search(const weight_rule& rule,
                      double share,
                      std::size_t steps,
                      double least,
                      const std::optional<ticket>& start = {},
                      const observer& watch = {},
                      const trace& earlier = {}) {
    const auto metric = [](const ticket& t) {
      return static_cast<double>(t.count()) / static_cast<double>(t.size());
    };
    const auto scores_of = [&](const ticket& t) {
      ++scored;
      model.apply(t, nn::weight_form::study);
      return score_weights(model, set, groups, rule.criterion, {.batch = 2, .seed = 3}, watch);
    };
    return search_weights_by(model, rule, share, steps, scores_of, metric, guard::at_least(least),
                             no_progress{}, watch, start, earlier);
  }
};

}  // namespace

TEST_CASE("the default rule is magnitude pruning, and the same through scores") {
  fixture f;
  const host_weights host{f.model, f.groups};
  const auto metric = [](const ticket& t) {
    return static_cast<double>(t.count()) / static_cast<double>(t.size());
  };
  const prune_result expected = prune_weights(host.spans(), metric, share_of_left{0.3, 9},
                                              guard::at_least(0.3), no_progress{});
  const prune_result found = f.search({}, 0.3, 9, 0.3);
  CHECK(found.accepted == expected.accepted);
  CHECK(found.steps.steps.size() == expected.steps.steps.size());
  CHECK(found.steps.steps.size() == 5);  // 0.7, 0.49, 0.343, and 0.240 fails
  // The same weights go when they are scored.
  const auto s = score_weights(f.model, f.set, f.groups, criterion::magnitude);
  const auto next = [&](std::size_t step, const ticket& t) {
    return remove_lowest_of_scope(s, t, weight_scope::global, [&](std::size_t n, std::size_t kept) {
      return share_of_left{0.3, 9}.remove(step, n, kept);
    });
  };
  CHECK(prune_weights_by(ticket{f.groups}, 9, next, metric, guard::at_least(0.3)).accepted ==
        expected.accepted);
}

TEST_CASE("every step scores the model under the ticket accepted last") {
  fixture f;
  const weight_rule rule{.criterion = criterion::taylor, .within = weight_scope::layer};
  const prune_result found = f.search(rule, 0.25, 3, 0.0);
  REQUIRE(found.steps.steps.size() == 4);
  ticket t{f.groups};
  bool moved = false;
  f.model.apply(t, nn::weight_form::study);
  const auto at_first = score_weights(f.model, f.set, f.groups, criterion::taylor, {.batch = 2});
  for (std::size_t step = 1; step <= 3; ++step) {
    INFO("step " << step);
    f.model.apply(t, nn::weight_form::study);
    const auto s = score_weights(f.model, f.set, f.groups, criterion::taylor, {.batch = 2});
    const auto amount = [&](std::size_t, std::size_t kept) { return share_of(0.25, kept); };
    moved = moved || !(remove_lowest_of_scope(s, t, weight_scope::layer, amount) ==
                       remove_lowest_of_scope(at_first, t, weight_scope::layer, amount));
    t = remove_lowest_of_scope(s, t, weight_scope::layer, amount);
    CHECK(std::ranges::equal(found.steps.steps[step].candidate.masks(), t.masks()));
  }
  CHECK(moved);
}

TEST_CASE("schedules remove what they say, whole or in each row") {
  fixture f;
  const auto left = [&](weight_schedule schedule, weight_scope within, std::size_t steps) {
    const weight_rule rule{.criterion = criterion::wanda, .within = within, .schedule = schedule};
    std::vector<std::size_t> counts;
    for (const trace_step& s : f.search(rule, 0.5, steps, 0.0).steps.steps) {
      counts.push_back(s.candidate.count());
    }
    return counts;
  };
  const std::size_t n = ticket{f.groups}.size();
  const auto global = weight_scope::global;
  CHECK(left(weight_schedule::share_of_left, global, 3) == survivors(share_of_left{0.5, 3}, n));
  CHECK(left(weight_schedule::share_of_whole, global, 2) == survivors(share_of_whole{0.5, 2}, n));
  CHECK(left(weight_schedule::one_shot, global, 7) == survivors(one_shot{0.5}, n));
  CHECK(left(weight_schedule::cubic, global, 3) == survivors(cubic{0.5, 3}, n));
  CHECK(left(weight_schedule::iterative, global, 3) == survivors(iterative{0.5, 3}, n));
  // In rows of 8 and 12 weights.
  CHECK(left(weight_schedule::one_shot, weight_scope::row, 1) ==
        std::vector<std::size_t>{n, n / 2});
  const auto iterative_rows = left(weight_schedule::iterative, weight_scope::row, 2);
  CHECK(iterative_rows.back() == n / 2);
  CHECK(iterative_rows.size() == 3);
}

TEST_CASE("a search that starts from a ticket brings nothing back") {
  fixture f;
  const prune_result first = f.search({}, 0.3, 1, 0.0);
  const ticket start = first.accepted;
  const std::size_t n = start.size();
  const auto within = [&](const ticket& t) { return is_subset(t, start); };
  for (const criterion c : {criterion::magnitude, criterion::random, criterion::taylor}) {
    INFO(to_string(c));
    const prune_result found = f.search({.criterion = c}, 0.5, 1, 0.0, start);
    REQUIRE(found.steps.steps.size() == 2);
    CHECK(found.steps.steps[0].phase == "start");
    CHECK(found.steps.steps[0].candidate.count() == start.count());
    CHECK(found.steps.baseline ==
          Approx(static_cast<double>(start.count()) / static_cast<double>(n)));
    CHECK(found.accepted.count() == survivors(share_of_left{0.5, 1}, start.count())[1]);
    CHECK(within(found.accepted));
  }
  // By magnitude that is what two steps from the full model find.
  const auto lost = [](std::size_t kept) { return kept - share_of(0.3, kept); };
  const prune_result on = f.search({}, 0.3, 1, 0.0, start), two = f.search({}, 0.3, 2, 0.0);
  CHECK(on.accepted.count() == lost(lost(n)));
  CHECK(std::ranges::equal(on.accepted.masks(), two.accepted.masks()));
  // What is gone already counts where a schedule says how much shall be gone.
  for (const auto schedule : {weight_schedule::one_shot, weight_schedule::cubic}) {
    const prune_result half = f.search({.schedule = schedule}, 0.5, 4, 0.0, start);
    CHECK(half.accepted.count() == n - share_of(0.5, n));
    CHECK(within(half.accepted));
  }
  CHECK(within(f.search({.pattern = n_of_m{1, 4}}, 0.5, 1, 0.0, start).accepted));
  CHECK_THROWS_AS(f.search({}, 0.5, 1, 0.0, ticket{{f.groups[0]}}), shape_error);
}

TEST_CASE("a search ends where no step removes anything, and can be stopped in each") {
  fixture f;
  std::size_t asked = 0, until = 0;
  observer watch;
  watch.stop = [&] { return ++asked == until; };
  for (const auto c : {criterion::magnitude, criterion::random}) {
    for (const auto schedule : {weight_schedule::share_of_left, weight_schedule::share_of_whole}) {
      const weight_rule rule{.criterion = c, .schedule = schedule};
      INFO(to_string(c) << ", " << to_string(schedule));
      asked = 0;
      const prune_result found = f.search(rule, 0.9, 20'000, -1.0, {}, watch);
      CHECK(found.accepted.count() < 2);
      CHECK(asked < 20);
    }
  }
  // Steps that remove nothing are many here: each is an opportunity to stop.
  asked = 0;
  until = 50;
  CHECK_THROWS_AS(f.search({.schedule = weight_schedule::cubic}, 0.001, 20'000, -1.0, {}, watch),
                  interrupted);
  CHECK(asked == until);
}

TEST_CASE("scores are taken for steps that remove something, and for none that was tried") {
  fixture f;
  const auto same = [](const prune_result& a, const prune_result& b) {
    return a.accepted == b.accepted && a.steps.steps.size() == b.steps.steps.size();
  };
  for (const auto within : {weight_scope::global, weight_scope::layer, weight_scope::row}) {
    INFO(to_string(within));
    const weight_rule rule{criterion::taylor, within, weight_schedule::cubic, {}};
    // Some of 40 steps remove nothing of so few weights.
    f.scored = 0;
    const prune_result whole = f.search(rule, 0.5, 40, 0.0);
    const std::size_t candidates = whole.steps.steps.size() - 1;
    CHECK(f.scored == candidates);
    CHECK(candidates < 40);
    trace earlier = whole.steps;
    earlier.steps.resize(4);
    f.scored = 0;
    CHECK(same(f.search(rule, 0.5, 40, 0.0, {}, {}, earlier), whole));
    CHECK(f.scored == candidates - 3);
  }
  const weight_rule pattern{.criterion = criterion::wanda, .pattern = n_of_m{2, 4}};
  const prune_result whole = f.search(pattern, 0.05, 60, 0.5);
  f.scored = 0;
  CHECK(same(f.search(pattern, 0.05, 60, 0.5, {}, {}, whole.steps), whole));
  CHECK(f.scored == 0);
}

TEST_CASE("a pattern is one step, accepted or not") {
  fixture f;
  const weight_rule rule{.criterion = criterion::wanda, .pattern = n_of_m{2, 4}};
  const prune_result found = f.search(rule, 0.05, 60, 0.5);
  REQUIRE(found.steps.steps.size() == 2);
  CHECK(found.accepted.count() * 2 == found.accepted.size());
  CHECK(
      std::ranges::equal(found.accepted.masks(),
                         one_shot_ticket(f.model, f.set, criterion::wanda, n_of_m{2, 4}).masks()));
  CHECK(f.search(rule, 0.05, 60, 0.51).accepted.count() == found.accepted.size());
  CHECK_THROWS_AS(f.search({.pattern = n_of_m{2, 3}}, 0.05, 60, 0.5), shape_error);
  CHECK_THROWS_AS(require_pattern(f.config, n_of_m{5, 4}), input_error);
  CHECK_NOTHROW(require_pattern(f.config, n_of_m{1, 2}));
}

TEST_CASE("random searches draw by seed, and rules know whether anything was asked") {
  fixture f;
  const weight_rule rule{.criterion = criterion::random};
  const prune_result a = f.search(rule, 0.5, 2, 0.0), b = f.search(rule, 0.5, 2, 0.0);
  CHECK(a.accepted == b.accepted);
  CHECK(weight_rule{}.is_default());
  CHECK_FALSE(rule.is_default());
  CHECK_FALSE(weight_rule{.within = weight_scope::row}.is_default());
  CHECK_FALSE(weight_rule{.schedule = weight_schedule::cubic}.is_default());
  CHECK_FALSE(weight_rule{.pattern = n_of_m{2, 4}}.is_default());
}
