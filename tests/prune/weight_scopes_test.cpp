// Selection of weights by scores in each scope, against taking one weight after the other away.

#include "tombola/prune/weight_scopes.hpp"

#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/algebra/sets.hpp"
#include "tombola/core/random.hpp"
#include "tombola/prune/schedule.hpp"

using namespace tombola;

namespace {

const std::vector<group> groups{{"a", {6, 8}}, {"b", {5}}, {"c", {3, 4}}};

/// Few distinct values of both signs, so that there are many ties.
std::vector<scores> drawn(std::uint64_t seed) {
  std::vector<scores> all;
  for (std::uint32_t g = 0; g < groups.size(); ++g) {
    const random_stream r{seed, purpose::subset, g};
    std::vector<float> s(groups[g].size());
    for (std::size_t i = 0; i < s.size(); ++i) s[i] = static_cast<float>(r.below(7, i)) - 3.0F;
    all.emplace_back(groups[g], s);
  }
  return all;
}

ticket drawn_ticket(std::uint64_t seed) {
  ticket t{groups};
  for (std::uint32_t g = 0; g < groups.size(); ++g) {
    const random_stream r{seed, purpose::control, g};
    for (std::size_t i = 0; i < t[g].size(); ++i) t.set(g, i, r.below(4, i) != 0);
  }
  return t;
}

struct place {
  std::size_t group, unit;
};

/// Takes k of these places away, one by one: the lowest score, of equal ones the last.
void take(ticket& t, const std::vector<scores>& s, const std::vector<place>& from, std::size_t k) {
  for (; k > 0; --k) {
    const place* lowest = nullptr;
    for (const place& p : from) {
      if (!t[p.group][p.unit]) continue;
      if (lowest == nullptr || s[p.group][p.unit] <= s[lowest->group][lowest->unit]) lowest = &p;
    }
    REQUIRE(lowest != nullptr);
    t.set(lowest->group, lowest->unit, false);
  }
}

/// The parts that a scope makes, as lists of places.
std::vector<std::vector<place>> parts(weight_scope within) {
  std::vector<std::vector<place>> all;
  if (within == weight_scope::global) all.emplace_back();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (within == weight_scope::layer) all.emplace_back();
    for (std::size_t u = 0; u < groups[g].size(); ++u) {
      if (within == weight_scope::row && u % groups[g].extents.back() == 0) all.emplace_back();
      all.back().push_back({g, u});
    }
  }
  return all;
}

}  // namespace

TEST_CASE("each scope removes what one by one would go in each of its parts") {
  const share_of_left plan{0.3, 1};
  const auto amount = [&](std::size_t n, std::size_t kept) { return plan.remove(1, n, kept); };
  for (const auto within : {weight_scope::global, weight_scope::layer, weight_scope::row}) {
    INFO(to_string(within));
    REQUIRE(parts(within).size() == (within == weight_scope::global  ? 1
                                     : within == weight_scope::layer ? 3
                                                                     : 10));
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      const std::vector<scores> s = drawn(seed);
      const ticket current = seed % 4 == 0 ? ticket{groups} : drawn_ticket(seed);
      ticket expected = current;
      for (const auto& part : parts(within)) {
        std::size_t kept = 0;
        for (const place& p : part) kept += current[p.group][p.unit] ? 1U : 0U;
        take(expected, s, part, amount(part.size(), kept));
      }
      REQUIRE(remove_lowest_of_scope(s, current, within, amount) == expected);
      REQUIRE(count_removed(current, within, amount) == current.count() - expected.count());
    }
  }
}

TEST_CASE("a pattern over several groups is that of each group") {
  const std::vector<scores> s{{{"a", {2, 4}}, {1, 2, 3, 4, 7, 5, 5, 5}},
                              {{"c", {1, 4}}, {0, 0, 1, 0}}};
  ticket t{{s[0].group(), s[1].group()}};
  t.set(0, 3, false);
  const ticket half = keep_n_of_m(s, t, 2, 4);
  CHECK(half[0] == keep_n_of_m(t[0], s[0], 2, 4));
  CHECK(half[1] == keep_n_of_m(s[1], 2, 4));
  CHECK(half.count() == 6);
  CHECK_THROWS_AS(keep_n_of_m(s, t, 2, 3), shape_error);
  CHECK_THROWS_AS(keep_n_of_m(s, ticket{groups}, 2, 4), shape_error);
}

TEST_CASE("scopes refuse what does not fit, and forget where a ticket came from") {
  const std::vector<scores> s = drawn(1);
  ticket t{groups};
  t.origin.task = "SST-2";
  const auto none = [](std::size_t, std::size_t) { return std::size_t{0}; };
  const auto much = [](std::size_t n, std::size_t) { return n + 1; };
  for (const auto within : {weight_scope::global, weight_scope::layer, weight_scope::row}) {
    INFO(to_string(within));
    const ticket same = remove_lowest_of_scope(s, t, within, none);
    CHECK(same.count() == t.size());
    CHECK(same.origin.task.empty());
    CHECK_THROWS_AS(remove_lowest_of_scope(s, t, within, much), input_error);
    CHECK_THROWS_AS(remove_lowest_of_scope(s, ticket{{groups[0]}}, within, none), shape_error);
    CHECK(remove_lowest_of_scope({}, ticket{}, within, none) == ticket{});
  }
  CHECK_THROWS_WITH(remove_lowest_of_scope(s, t, weight_scope::row, much),
                    "selection: asked to remove 9 units of 8 kept in a row of a (6 x 8)");
}

TEST_CASE("a search by any rule ends with the last ticket that passed") {
  const std::vector<scores> s = drawn(3);
  const ticket full{groups};
  const auto next = [&](std::size_t step, const ticket& t) {
    return remove_lowest_of_scope(s, t, weight_scope::global, [&](std::size_t, std::size_t) {
      return step == 2 ? std::size_t{0} : std::size_t{10};  // step 2 leaves all as it is
    });
  };
  const auto metric = [](const ticket& t) { return static_cast<double>(t.count()); };
  std::vector<std::string> phases;
  const prune_result found =
      prune_weights_by(full, 9, next, metric, guard::at_least(40.0),
                       [&](const trace_step& step) { phases.push_back(step.phase); });
  CHECK(found.accepted.count() == 45);  // 65, 55, 45, and 35 fails
  CHECK(found.steps.steps.size() == 4);
  CHECK(found.steps.baseline == 65.0);
  CHECK_FALSE(found.steps.steps.back().accepted);
  CHECK(phases == std::vector<std::string>{"full", "weights", "weights", "weights"});
  CHECK(found.accepted.origin.kind == "good");
  CHECK(prune_weights_by(full, 2, next, metric, guard::at_least(0.0)).accepted.count() == 55);
  // The full model itself does not pass: nothing is tried.
  const prune_result none = prune_weights_by(full, 9, next, metric, guard::at_least(66.0));
  CHECK(none.steps.steps.size() == 1);
  CHECK_FALSE(none.steps.steps[0].accepted);
  CHECK(none.accepted.count() == 65);
  // From a smaller ticket on: its metric is the baseline.
  const prune_result on =
      prune_weights_by(found.accepted, 1, next, metric, guard::share_of_baseline(0.5));
  CHECK(on.steps.steps[0].phase == "start");
  CHECK(on.steps.baseline == 45.0);
  CHECK(on.accepted.count() == 35);
  CHECK(is_subset(on.accepted[0], found.accepted[0]));
}
