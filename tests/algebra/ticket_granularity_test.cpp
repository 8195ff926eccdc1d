#include "tombola/algebra/ticket_granularity.hpp"

#include <vector>

#include "tests/support/catch.hpp"

using namespace tombola;

namespace {

const std::vector<group> weights{{"query", {4, 3}}, {"output", {2, 6}}};
const std::vector<group> rows{{"query rows", {4}}, {"output rows", {2}}};

/// Rows of each matrix.
blocks rows_of(std::size_t g) {
  return blocks{weights[g].extents[1]};
}

ticket some_weights() {
  const std::vector<int> query{1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0};
  const std::vector<int> output{1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  ticket t{weights, {mask::from_values(query), mask::from_values(output)}};
  t.origin.task = "CoLA";
  return t;
}

ticket row_ticket(const std::vector<int>& query, const std::vector<int>& output) {
  return {rows, {mask::from_values(query), mask::from_values(output)}};
}

}  // namespace

TEST_CASE("a ticket is lifted group by group, each by its own place") {
  const ticket t = some_weights();
  // Its provenance, which t has, is gone: == compares that too.
  CHECK(lift(t, rows, rows_of, lift_rule::any()) == row_ticket({1, 0, 1, 1}, {1, 0}));
  CHECK(lift(t, rows, rows_of, lift_rule::all()) == row_ticket({0, 0, 1, 0}, {0, 0}));
  CHECK(lift(t, rows, rows_of, lift_rule::share(0.5)) == row_ticket({0, 0, 1, 1}, {1, 0}));
  CHECK(lift(ticket{}, {}, rows_of, lift_rule::any()) == ticket{});
}

TEST_CASE("a ticket lowered and lifted again is the same") {
  const ticket coarse = row_ticket({1, 0, 0, 1}, {0, 1});
  const ticket fine = lower(coarse, weights, rows_of);
  CHECK(fine.count() == 2 * 3 + 6);
  CHECK((fine[0][0] && !fine[0][3] && fine[0][11] && !fine[1][5] && fine[1][6]));
  for (const lift_rule& rule : {lift_rule::any(), lift_rule::all(), lift_rule::share(0.3)}) {
    CHECK(lift(fine, rows, rows_of, rule) == coarse);
  }
}

TEST_CASE("the first group that does not fit is named") {
  const std::vector<group> short_rows{{"query rows", {4}}, {"output rows", {1}}};
  CHECK_THROWS_WITH(lift(some_weights(), short_rows, rows_of, lift_rule::any()),
                    "lift: from group output (2 x 6) to output rows (1), unit 6 belongs to coarse "
                    "unit 1 of 1");
  const ticket coarse{short_rows};
  CHECK_THROWS_WITH(lower(coarse, weights, rows_of),
                    "lower: from group output rows (1) to output (2 x 6), unit 6 belongs to coarse "
                    "unit 1 of 1");
  CHECK_THROWS_WITH(lower(coarse, {weights[0]}, rows_of), "lower: ticket of 2 groups, expected 1");
  CHECK_THROWS_AS(lift(some_weights(), {rows[0]}, rows_of, lift_rule::any()), shape_error);
  CHECK_THROWS_AS(lift(some_weights(), {rows[0], {"query rows", {2}}}, rows_of, lift_rule::any()),
                  input_error);
}
