#include "tombola/prune/pruner.hpp"

#include <limits>
#include <optional>

#include "tests/support/catch.hpp"
#include "tests/support/toy_objective.hpp"

using namespace tombola;
using test::scripted_objective;
using test::toy_objective;

namespace {

std::vector<std::string> phases(const trace& t) {
  std::vector<std::string> names;
  for (const auto& s : t.steps) names.push_back(s.phase);
  return names;
}

/// Whether from -> to removes exactly the `k` lowest of group g, ties the higher index first.
bool removes_lowest(
    const ticket& from, const ticket& to, std::size_t g, const scores& s, size_t k) {
  std::size_t removed = 0;
  for (std::size_t u = 0; u < from[g].size(); ++u) {
    if (from[g][u] == to[g][u]) continue;
    if (to[g][u]) return false;
    ++removed;
    for (std::size_t kept = 0; kept < from[g].size(); ++kept) {
      if (to[g][kept] && (s[kept] < s[u] || (s[kept] == s[u] && kept > u))) return false;
    }
  }
  return removed == std::min(k, from[g].count());
}

}  // namespace

TEST_CASE("every step of the pruner follows from the ticket accepted last") {
  std::size_t rejected_before_the_end = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    toy_objective o = toy_objective::drawn(seed);
    const double share = seed % 2 == 0 ? 0.1 : 0.5;  // 1 head and 1 MLP, or 4 and 2
    const std::size_t step[] = {share < 0.2 ? 1U : 4U, share < 0.2 ? 1U : 2U};
    const prune_result r = prune(o, {.share = share, .rule = guard::share_of_baseline(0.6)});
    ticket accepted{test::toy_groups()};
    REQUIRE(r.steps.baseline == o.metric(accepted));
    REQUIRE(r.steps.threshold == 0.6 * r.steps.baseline);
    REQUIRE(r.steps.steps[0].candidate == accepted);
    for (std::size_t i = 1; i < r.steps.steps.size(); ++i) {
      const trace_step& s = r.steps.steps[i];
      const auto scored = o.scores(accepted);
      for (std::size_t g = 0; g < 2; ++g) {
        const bool in_phase = s.phase == "joint" || s.phase == test::toy_groups()[g].name;
        REQUIRE(removes_lowest(accepted, s.candidate, g, scored[g], in_phase ? step[g] : 0));
      }
      REQUIRE(s.metric == o.metric(s.candidate));
      REQUIRE(s.accepted == (s.metric >= r.steps.threshold));
      if (s.accepted) {
        accepted = s.candidate;
        REQUIRE(s.scores == o.scores(accepted));
      } else {
        REQUIRE(s.scores.empty());
        if (i + 1 < r.steps.steps.size()) ++rejected_before_the_end;
      }
    }
    REQUIRE(r.accepted.origin.kind == "good");
    REQUIRE(std::ranges::equal(r.accepted.masks(), accepted.masks()));
    // Nothing more could go: the next step of either group alone is rejected.
    const auto scored = o.scores(accepted);
    for (std::size_t g = 0; g < 2; ++g) {
      if (accepted[g].count() == 0) continue;
      ticket next = accepted;
      next.replace(g, remove_lowest(next[g], scored[g], std::min(step[g], accepted[g].count())));
      REQUIRE(o.metric(next) < r.steps.threshold);
    }
  }
  CHECK(rejected_before_the_end > 100);
}

TEST_CASE("after a rejection the scores of the accepted ticket are used") {
  scripted_objective o{{{1.0, {4, 3, 2, 1}, {3, 2, 1}},
                        {0.95, {1, 2, 9, 9}, {1, 2, 9}},   // 1100 110
                        {0.5, {2, 1, 9, 9}, {2, 1, 9}},    // 0000 010, rejected
                        {0.4, {5, 5, 5, 5}, {5, 5, 5}},    // 0000 110, rejected
                        {0.3, {5, 5, 5, 5}, {5, 5, 5}}}};  // 1100 010, rejected
  const prune_result r = prune(o, {.share = 0.5});
  CHECK(o.asked ==
        std::vector<std::string>{"1111 111", "1100 110", "0000 010", "0000 110", "1100 010"});
  CHECK(phases(r.steps) == std::vector<std::string>{"full", "joint", "joint", "heads", "mlps"});
  CHECK(scripted_objective::to_bits(r.accepted) == "1100 110");
}

TEST_CASE("a group that runs out does not stop the others") {
  scripted_objective o{{{1.0, {1, 2, 3}, {1}},
                        {1.0, {1, 2, 3}, {1}},    // 011 0
                        {1.0, {1, 2, 3}, {1}},    // 001 0
                        {1.0, {1, 2, 3}, {1}}}};  // 000 0
  const prune_result r = prune(o, {.share = 0.4});
  CHECK(o.asked == std::vector<std::string>{"111 1", "011 0", "001 0", "000 0"});
  CHECK(r.accepted.count() == 0);
}

TEST_CASE("a full model that does not pass the guard ends the search before it begins") {
  scripted_objective o{{{0.95, {1, 2, 3}, {1, 2}}}};  // another question would have no answer
  const prune_result r = prune(o, {.rule = guard::at_least(0.9999)});
  CHECK(o.asked == std::vector<std::string>{"111 11"});
  CHECK(phases(r.steps) == std::vector<std::string>{"full"});
  CHECK_FALSE(r.steps.steps[0].accepted);
  CHECK(r.steps.baseline == 0.95);
  CHECK(r.steps.threshold == 0.9999);
  CHECK(r.accepted.count() == 5);
  CHECK(r.accepted.origin.kind == "good");
  const std::vector<float> values{3, 1, 2};
  const std::vector<weight_span> weights{{{"a", {3}}, values}};
  std::size_t asked = 0;
  const auto metric = [&asked](const ticket&) { return ++asked, 0.95; };
  const prune_result w =
      prune_weights(weights, metric, share_of_left{0.5, 3}, guard::at_least(0.9999));
  CHECK(asked == 1);
  CHECK(phases(w.steps) == std::vector<std::string>{"full"});
  CHECK(w.accepted.count() == 3);
}

TEST_CASE("order and groups can be chosen") {
  const std::vector<test::scripted_answer> answers(3, {1.0, {1, 2}, {1, 2}});
  scripted_objective together{{answers[0], {0.1, {1, 2}, {1, 2}}}};
  CHECK(prune(together, {.order = prune_order::together}).accepted.count() == 4);
  CHECK(together.asked == std::vector<std::string>{"11 11", "01 01"});

  scripted_objective mlps{answers};
  const prune_result r = prune(mlps, {.groups = {"mlps"}});
  CHECK(mlps.asked == std::vector<std::string>{"11 11", "11 01", "11 00"});
  CHECK(phases(r.steps) == std::vector<std::string>{"full", "mlps", "mlps"});
  CHECK_THROWS_WITH(prune(mlps, {.groups = {"neurons"}}),
                    "objective: has no group neurons to prune");
}

TEST_CASE("within layers every step takes as much from each, of its own lowest") {
  std::size_t unlike_the_group = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    toy_objective o = toy_objective::drawn(seed);
    const prune_options options{
        .share = 0.3, .rule = guard::at_least(-100.0), .groups = {"heads"}, .within = part::layer};
    const prune_result r = prune(o, options);
    REQUIRE(r.steps.steps.size() == 5);  // 30 % of a layer's 4 heads is 1
    ticket accepted{test::toy_groups()};
    for (std::size_t i = 1; i < 5; ++i) {
      const ticket& next = r.steps.steps[i].candidate;
      const auto scored = o.scores(accepted);
      REQUIRE(next[1].count() == 4);
      ticket expected = accepted;
      for (std::size_t l = 0; l < 2; ++l) {
        std::optional<std::size_t> lowest;
        for (std::size_t h = 4 * l; h < 4 * l + 4; ++h) {
          if (!accepted[0][h]) continue;
          if (!lowest || scored[0][h] <= scored[0][*lowest]) lowest = h;
        }
        expected.set(0, lowest.value(), false);
      }
      REQUIRE(next[0].count() == 8 - 2 * i);
      for (std::size_t l = 0; l < 2; ++l) {
        std::size_t left = 0;
        for (std::size_t h = 4 * l; h < 4 * l + 4; ++h) left += next[0][h] ? 1U : 0U;
        REQUIRE(left == 4 - i);
      }
      REQUIRE(std::ranges::equal(next.masks(), expected.masks()));
      unlike_the_group += !(remove_lowest(accepted[0], scored[0], 2) == next[0]);
      accepted = next;
    }
  }
  CHECK(unlike_the_group > 30);
}

TEST_CASE("scores are asked for accepted tickets alone") {
  toy_objective o{{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};
  const prune_result r = prune(o, {.rule = guard::at_least(9.5)});
  // 12 -> 10 accepted, 8 rejected; then a head 9 and an MLP 9, both rejected.
  CHECK(r.accepted.count() == 10);
  CHECK(o.metrics_asked == 5);
  CHECK(o.scores_asked == 2);
  // All worth the same: the higher index goes.
  CHECK(scripted_objective::to_bits(r.accepted) == "11111110 1110");
}

TEST_CASE("progress sees each step as it comes, and what it throws ends the search") {
  toy_objective o = toy_objective::drawn(1);
  std::vector<trace_step> seen;
  const prune_result r = prune(o, {}, [&](const trace_step& s) { seen.push_back(s); });
  REQUIRE(seen.size() == r.steps.steps.size());
  for (std::size_t i = 0; i < seen.size(); ++i)
    CHECK(seen[i].candidate == r.steps.steps[i].candidate);
  CHECK_THROWS_AS(prune(o, {}, [](const trace_step&) { throw runtime_failure("stop"); }),
                  runtime_failure);
}

TEST_CASE("a candidate without a number is rejected, a baseline without one refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  scripted_objective broken{{{1.0, {1}, {1}}, {nan, {1}, {1}}, {nan, {1}, {1}}, {nan, {1}, {1}}}};
  CHECK(prune(broken).accepted.count() == 2);
  scripted_objective lost{{{nan, {1}, {1}}}};
  CHECK_THROWS_AS(prune(lost), input_error);
  scripted_objective zero{{{0.0, {1}, {1}}}};
  CHECK_THROWS_AS(prune(zero), input_error);
  auto none = make_objective(
      {}, [](const ticket&) { return std::vector<scores>{}; }, [](const ticket&) { return 1.0; });
  CHECK_THROWS_WITH(prune(none), "objective: has no groups, expected at least one");
}

TEST_CASE("the report split is asked for two tickets and decides nothing") {
  toy_objective selection = toy_objective::drawn(3), report = toy_objective::drawn(4);
  toy_objective alone = toy_objective::drawn(3);
  const reported_result r = prune_and_report(selection, report);
  CHECK(r.search.accepted == prune(alone).accepted);
  CHECK(r.search.accepted.count() < 12);
  CHECK(report.metrics_asked == 2);
  CHECK(report.scores_asked == 0);
  toy_objective fresh = toy_objective::drawn(4);
  CHECK(r.baseline == fresh.metric(ticket{test::toy_groups()}));
  CHECK(r.metric == fresh.metric(r.search.accepted));
  scripted_objective other{{{1.0, {1}, {1}}}};
  CHECK_THROWS_AS(prune_and_report(selection, other), shape_error);
}

TEST_CASE("weights are pruned along the schedule until the metric says no") {
  std::vector<float> a(60), b(40);
  for (std::size_t i = 0; i < 100; ++i)
    (i < 60 ? a[i] : b[i - 60]) = static_cast<float>(i * 37 % 101);
  const std::vector<weight_span> weights{{{"a", {60}}, a}, {{"b", {40}}, b}};
  const auto count = [](const ticket& t) { return static_cast<double>(t.count()); };
  const prune_result r =
      prune_weights(weights, count, share_of_whole{0.1, 10}, guard::at_least(65));
  CHECK(r.accepted.count() == 70);
  CHECK(std::ranges::equal(r.accepted.masks(), remove_by_magnitude(weights, 30).masks()));
  REQUIRE(r.steps.steps.size() == 5);
  CHECK(r.steps.steps.back().candidate.count() == 60);
  CHECK_FALSE(r.steps.steps.back().accepted);
  CHECK(
      prune_weights(weights, count, share_of_whole{0.1, 3}, guard::at_least(0)).accepted.count() ==
      70);
  CHECK_THROWS_AS(prune_weights(weights, [](const ticket&) { return 0.0; }), input_error);
  // 5 % of ten weights are none, now and later: the rest of the steps is not gone through.
  struct counting : share_of_left {
    std::size_t* asked = nullptr;
    [[nodiscard]] std::size_t remove(std::size_t step, std::size_t n, std::size_t kept) const {
      ++*asked;
      return share_of_left::remove(step, n, kept);
    }
  };
  std::size_t asked = 0;
  counting plan;
  plan.count = 100'000;
  plan.asked = &asked;
  CHECK(prune_weights(weights, count, plan, guard::at_least(0)).accepted.count() == 10);
  CHECK(asked < 100);
}
