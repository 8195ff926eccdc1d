#include "tombola/prune/objective.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/toy_objective.hpp"

using namespace tombola;

namespace {
struct no_metric {
  std::vector<group> groups() const { return {}; }
  std::vector<tombola::scores> scores(const ticket&) const { return {}; }
};
struct scores_of_words {
  std::vector<group> groups() const { return {}; }
  std::vector<std::string> scores(const ticket&) const { return {}; }
  double metric(const ticket&) const { return 0.0; }
};
static_assert(!objective<no_metric>);
static_assert(!objective<scores_of_words>);
}  // namespace

TEST_CASE("an objective from lambdas hands the ticket on") {
  const group g{"units", {3}};
  auto o = make_objective(
      {g},
      [&](const ticket& t) {
        return std::vector{scores{g, {1, 2, float(t.count())}}};
      },
      [](const ticket& t) { return static_cast<double>(t.count()); });
  static_assert(objective<decltype(o)>);
  ticket t = full_ticket(o);
  CHECK(t.count() == 3);
  t.set(0, 1, false);
  const measurement m = measure_under(o, t);
  CHECK(m.metric == 2.0);
  CHECK(m.scores.at(0)[2] == 2.0F);
}

TEST_CASE("scores for other groups are refused by name") {
  const auto ask = [](std::vector<scores> answer) {
    auto o = make_objective(
        {{"heads", {2}}}, [&](const ticket&) { return answer; }, [](const ticket&) { return 1.0; });
    return measure_under(o, full_ticket(o));
  };
  CHECK_NOTHROW(ask({{{"heads", {2}}, {1, 2}}}));
  CHECK_THROWS_WITH(ask({}), "objective: scores for 0 groups, expected 1");
  CHECK_THROWS_WITH(ask({{{"mlps", {2}}, {1, 2}}}),
                    "objective: scores for mlps (2), expected heads (2)");
  CHECK_THROWS_AS(ask({{{"heads", {3}}, {1, 2, 3}}}), shape_error);
}

TEST_CASE("where an objective measures in one pass, that is what is asked") {
  test::scripted_objective o{{{0.5, {1}, {2}}, {0.25, {3}, {4}}}};
  const measurement m = measure_under(o, full_ticket(o));
  CHECK(m.metric == 0.5);
  CHECK(m.scores.at(1)[0] == 2.0F);
  CHECK(o.asked.size() == 1);
}
