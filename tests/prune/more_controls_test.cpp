#include <algorithm>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/prune/controls.hpp"
#include "tombola/prune/super_controls.hpp"

using namespace tombola;

namespace {

ticket drawn_ticket(std::uint64_t seed) {
  ticket t{{{"heads", {6, 10}}, {"mlps", {7}}, {"pooler", {}}, {"none", {0, 3}}}};
  const random_stream r{seed, purpose::subset};
  for (std::size_t u = 0; u < 60; ++u)
    t.set(0, u, r.below(6, u) >= u / 10);  // layer 5 the emptiest
  for (std::size_t u = 0; u < 7; ++u) t.set(1, u, r.below(2, 100 + u) == 0);
  t.origin = {"RTE", 3, "cumulative", "s", "good", "before", "m", "d"};
  return t;
}

std::size_t both(const mask& a, const mask& b) {
  return (mask{a} &= b).count();
}

std::size_t in_layer(const mask& m, std::size_t layer) {
  std::size_t n = 0;
  for (std::size_t u = 0; u < 10; ++u) n += m[layer * 10 + u];
  return n;
}

}  // namespace

TEST_CASE("layer-matched random tickets keep the good one's size in every layer") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const ticket good = drawn_ticket(seed);
    const ticket random = random_in_layers_like(good, seed, "abc");
    for (std::size_t layer = 0; layer < 6; ++layer) {
      REQUIRE(in_layer(random[0], layer) == in_layer(good[0], layer));
    }
    // A layer of one unit leaves no choice.
    REQUIRE(random[1] == good[1]);
    REQUIRE(random[2] == good[2]);
    REQUIRE(random.origin == provenance{"RTE", 3,
                                        "uniform in each layer, draw " + std::to_string(seed), "s",
                                        "random", "abc", "m", "d"});
  }
  const ticket good = drawn_ticket(1);
  CHECK(random_in_layers_like(good, 5) == random_in_layers_like(good, 5));
  CHECK(!(random_in_layers_like(good, 5)[0] == random_in_layers_like(good, 6)[0]));
  CHECK(!(random_in_layers_like(good, 5)[0] == random_like(good, 5)[0]));
}

TEST_CASE("within a layer every unit has the same chance, in each layer and group by itself") {
  ticket good{{{"a", {2, 5}}, {"b", {2, 5}}}};
  for (const std::size_t u : {0U, 1U, 2U}) good.set(0, u, false), good.set(1, u, false);
  for (const std::size_t u : {5U, 6U}) good.set(0, u, false), good.set(1, u, false);
  std::vector<double> share(10);
  std::size_t alike = 0;
  const int draws = 4000;
  for (int d = 0; d < draws; ++d) {
    const ticket r = random_in_layers_like(good, static_cast<std::uint64_t>(d));
    for (std::size_t u = 0; u < 10; ++u) share[u] += r[0][u];
    alike += r[0] == r[1];
  }
  // Five standard deviations of a share of 4,000 draws are below 0.04.
  for (std::size_t u = 0; u < 10; ++u) {
    CHECK(share[u] / draws == Approx(u < 5 ? 0.4 : 0.6).margin(0.04));
  }
  // Two groups agree by chance in one of 10 * 10 draws: 40, with a deviation of 6.3.
  CHECK(alike < 80);
}

TEST_CASE("the inverted ticket is the rest") {
  const ticket good = drawn_ticket(2);
  const ticket inverted = inverted_like(good, "p");
  for (std::size_t g = 0; g < good.groups().size(); ++g) {
    CHECK(both(good[g], inverted[g]) == 0);
    CHECK(good[g].count() + inverted[g].count() == good[g].size());
  }
  CHECK(inverted_like(inverted)[0] == good[0]);
  CHECK(inverted.origin ==
        provenance{"RTE", 3, "pruned and kept exchanged", "s", "inverted", "p", "m", "d"});
}

namespace {

/// Three tickets over n units: all keep the first `all`, none the last `none`, and of those between
/// ticket i % 3 alone keeps unit i.
std::vector<ticket> three(std::size_t n, std::size_t all, std::size_t none) {
  std::vector<ticket> tickets(3, ticket{{{"a", {n}}, {"b", {n}}}});
  for (std::size_t t = 0; t < 3; ++t) {
    for (std::size_t g = 0; g < 2; ++g) {
      for (std::size_t u = all; u < n; ++u) tickets[t].set(g, u, u < n - none && u % 3 == t);
    }
    tickets[t].origin.task = "RTE";
    tickets[t].origin.seed = t;
  }
  return tickets;
}

/// Units of m among the first `all`, between, and the last `none`.
std::vector<std::size_t> counts(const mask& m, std::size_t all, std::size_t none) {
  std::vector<std::size_t> c(3);
  for (std::size_t u = 0; u < m.size(); ++u) {
    c[u < all ? 0 : u < m.size() - none ? 1 : 2] += m[u];
  }
  return c;
}

using sizes = std::vector<std::size_t>;

}  // namespace

TEST_CASE("super, its bad and its random ticket have one size, and meet as little as it allows") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::size_t all = 0; all <= 30; all += 3) {
      for (std::size_t none = 0; none + all <= 30; none += 3) {
        const auto tickets = three(30, all, none);
        const std::size_t some = 30 - all - none;
        const ticket super = super_of(tickets), bad = super_bad_of(tickets, seed),
                     random = super_random_of(tickets, seed);
        for (std::size_t g = 0; g < 2; ++g) {
          REQUIRE(super[g].count() == all);
          REQUIRE(bad[g].count() == all);
          REQUIRE(random[g].count() == all);
          const std::size_t from_none = std::min(all, none),
                            from_some = std::min(all - from_none, some);
          REQUIRE(counts(bad[g], all, none) ==
                  sizes{all - from_none - from_some, from_some, from_none});
          // What is in neither goes first into the random one.
          mask neither = super[g];
          (neither |= bad[g]).flip();
          REQUIRE(both(random[g], neither) == std::min(all, neither.count()));
        }
      }
    }
  }
}

TEST_CASE("opposites of the super ticket depend on their seed and know where they come from") {
  const auto tickets = three(60, 10, 30);
  CHECK(super_bad_of(tickets, 1) == super_bad_of(tickets, 1));
  CHECK(super_random_of(tickets, 1) == super_random_of(tickets, 1));
  CHECK(!(super_bad_of(tickets, 1)[0] == super_bad_of(tickets, 2)[0]));
  CHECK(!(super_random_of(tickets, 1)[0] == super_random_of(tickets, 2)[0]));
  CHECK(!(super_bad_of(tickets, 1)[0] == super_bad_of(tickets, 1)[1]));
  CHECK(!(super_random_of(tickets, 1)[0] == super_random_of(tickets, 1)[1]));
  CHECK(super_bad_of(tickets, 4, "p").origin ==
        provenance{"RTE", {}, "survives in none of 3, draw 4", "", "super bad", "p", "", ""});
  CHECK(super_random_of(tickets, 4, "p").origin ==
        provenance{"RTE",
                   {},
                   "between the super ticket and its bad one, draw 4",
                   "",
                   "super random",
                   "p",
                   "",
                   ""});
  CHECK_THROWS_AS(super_bad_of({}, 1), input_error);
  CHECK_THROWS_AS(super_random_of({}, 1), input_error);
  auto other = tickets;
  other.push_back(ticket{{{"a", {60}}}});
  CHECK_THROWS_AS(super_bad_of(other, 1), shape_error);
  CHECK_THROWS_AS(super_random_of(other, 1), shape_error);
}

TEST_CASE("units of one pool have the same chance in both opposites") {
  // Super has 4 of 20 units, none keeps 8: bad draws 4 of 8, random 4 of the 12 in neither.
  const auto tickets = three(20, 4, 8);
  std::vector<double> bad(20), random(20);
  const int draws = 4000;
  for (int d = 0; d < draws; ++d) {
    const ticket b = super_bad_of(tickets, static_cast<std::uint64_t>(d));
    const ticket r = super_random_of(tickets, static_cast<std::uint64_t>(d));
    for (std::size_t u = 0; u < 20; ++u) bad[u] += b[0][u], random[u] += r[0][u];
  }
  // Five standard deviations of a share of 4,000 draws are below 0.04.
  for (std::size_t u = 0; u < 20; ++u) {
    CHECK(bad[u] / draws == Approx(u < 12 ? 0.0 : 0.5).margin(u < 12 ? 0.0 : 0.04));
    // Of the last eight, half are taken by bad: 4 / 12 of the other half.
    const double expected = u < 4 ? 0.0 : u < 12 ? 4.0 / 12 : 2.0 / 12;
    CHECK(random[u] / draws == Approx(expected).margin(u < 4 ? 0.0 : 0.04));
  }
}

TEST_CASE("controls of many units keep as many as they should, and the same ones each time") {
  std::vector<ticket> tickets(3, ticket{{{"w", {400, 500}}, {"v", {70'000}}}});
  for (std::size_t t = 0; t < 3; ++t)
    tickets[t] = remove_at_random(tickets[t], 90'000, {t, purpose::subset});
  const auto all = [&] {
    return std::vector<ticket>{random_in_layers_like(tickets[0], 7), inverted_like(tickets[0]),
                               super_of(tickets), super_bad_of(tickets, 7),
                               super_random_of(tickets, 7)};
  };
  const auto one = all();
  CHECK(one[0].count() == tickets[0].count());
  CHECK(one[1].count() == tickets[0].size() - tickets[0].count());
  CHECK(one[3].count() == one[2].count());
  CHECK(one[4].count() == one[2].count());
  const bool same = all() == one;
  CHECK(same);  // a million flags are nothing to print
}
