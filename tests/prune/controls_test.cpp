#include "tombola/prune/controls.hpp"

#include "tests/support/catch.hpp"

using namespace tombola;

namespace {

ticket good_ticket(std::size_t heads, std::size_t mlps) {
  ticket t{{{"heads", {12, 12}}, {"mlps", {12}}}};
  t = remove_at_random(t, 0, random_stream{0, purpose::subset});
  for (std::size_t u = 0; u < 144; ++u) t.set(0, (u * 89) % 144, u < heads);
  for (std::size_t u = 0; u < 12; ++u) t.set(1, (u * 7) % 12, u < mlps);
  t.origin = {"RTE", 3, "cumulative", "s", "good", "before", "m", "d"};
  return t;
}

std::size_t both(const mask& a, const mask& b) {
  return (mask{a} &= b).count();
}

}  // namespace

TEST_CASE("random and bad tickets have the good one's size in every group") {
  for (const std::size_t heads : {0U, 1U, 71U, 72U, 73U, 116U, 143U, 144U}) {
    for (const std::size_t mlps : {0U, 5U, 6U, 7U, 12U}) {
      const ticket good = good_ticket(heads, mlps);
      for (const std::uint64_t seed : {0U, 1U, 2U}) {
        for (const ticket& t : {random_like(good, seed), bad_like(good, seed)}) {
          REQUIRE(t[0].count() == heads);
          REQUIRE(t[1].count() == mlps);
        }
        const ticket bad = bad_like(good, seed);
        REQUIRE(both(good[0], bad[0]) == (heads > 72 ? 2 * heads - 144 : 0));
        REQUIRE(both(good[1], bad[1]) == (mlps > 6 ? 2 * mlps - 12 : 0));
      }
    }
  }
}

TEST_CASE("controls depend on their seed and know where they come from") {
  const ticket good = good_ticket(60, 7);
  CHECK(random_like(good, 1) == random_like(good, 1));
  CHECK(!(random_like(good, 1)[0] == random_like(good, 2)[0]));
  CHECK(!(bad_like(good, 1)[0] == bad_like(good, 2)[0]));
  CHECK(!(random_like(good, 1)[0] == good[0]));
  const ticket bad = bad_like(good, 8, "abc");
  CHECK(bad.origin == provenance{"RTE", 3, "good ones last, draw 8", "s", "bad", "abc", "m", "d"});
  CHECK(random_like(good, 8, "abc").origin ==
        provenance{"RTE", 3, "uniform in each group, draw 8", "s", "random", "abc", "m", "d"});
}

TEST_CASE("groups of one shape are drawn independently of each other") {
  ticket good{{{"a", {100}}, {"b", {100}}}};
  for (std::size_t g = 0; g < 2; ++g) {
    for (std::size_t u = 60; u < 100; ++u) good.set(g, u, false);
  }
  const ticket random = random_like(good, 1), bad = bad_like(good, 1);
  CHECK(!(random[0] == random[1]));
  CHECK(!(bad[0] == bad[1]));
}

TEST_CASE("every unit has the same chance, and bad ones come from the right side") {
  const ticket good = good_ticket(36, 9);
  std::vector<double> random(144), bad(144), bad_mlps(12);
  const int draws = 4000;
  for (int d = 0; d < draws; ++d) {
    const ticket r = random_like(good, static_cast<std::uint64_t>(d));
    const ticket b = bad_like(good, static_cast<std::uint64_t>(d));
    for (std::size_t u = 0; u < 144; ++u) random[u] += r[0][u], bad[u] += b[0][u];
    for (std::size_t u = 0; u < 12; ++u) bad_mlps[u] += b[1][u];
  }
  // Five standard deviations of a share of 4,000 draws are below 0.04.
  for (std::size_t u = 0; u < 144; ++u) {
    CHECK(random[u] / draws == Approx(0.25).margin(0.04));
    CHECK(bad[u] / draws == Approx(good[0][u] ? 0.0 : 1.0 / 3).margin(good[0][u] ? 0.0 : 0.04));
  }
  for (std::size_t u = 0; u < 12; ++u) {
    CHECK(bad_mlps[u] / draws ==
          Approx(good[1][u] ? 6.0 / 9 : 1.0).margin(good[1][u] ? 0.04 : 0.0));
  }
}

TEST_CASE("over weights the size holds in all, and bad keeps the smallest") {
  std::vector<float> a(100), b(28);
  for (std::size_t i = 0; i < 100; ++i) a[i] = static_cast<float>(i);
  for (std::size_t i = 0; i < 28; ++i) b[i] = -1000.0F - static_cast<float>(i);
  const std::vector<weight_span> weights{{{"a", {100}}, a}, {{"b", {28}}, b}};
  const ticket good = remove_by_magnitude(weights, 38);
  CHECK(good[1].count() == 28);
  const ticket random = random_in_all(good, 5, "p");
  CHECK(random.count() == 90);
  CHECK(random[1].count() < 28);
  CHECK(random.origin.kind == "random");
  const ticket bad = bad_weights_like(good, weights, "p");
  CHECK(bad.count() == 90);
  CHECK(bad[1].count() == 0);
  for (std::size_t i = 0; i < 100; ++i) CHECK(bad[0][i] == (i < 90));
  CHECK(bad.origin.kind == "bad");
  CHECK(bad.origin.parent == "p");
  CHECK_THROWS_AS(bad_weights_like(good_ticket(1, 1), weights), shape_error);
}

TEST_CASE("the super ticket is what survives in all") {
  ticket a = good_ticket(144, 12), b = a, c = a;
  a.set(0, 0, false);
  b.set(0, 1, false);
  c.set(1, 11, false);
  b.origin.seed = 4;
  c.origin.data = "other";
  const ticket s = super_of(std::vector{a, b, c}, "x");
  CHECK(s[0].count() == 142);
  CHECK_FALSE((s[0][0] || s[0][1] || s[1][11]));
  CHECK(s[1].count() == 11);
  CHECK(s.origin == provenance{"RTE", {}, "survives in all of 3", "s", "super", "x", "m", ""});
  b.origin.search = "other";
  CHECK(super_of(std::vector{a, b}).origin.search.empty());
  CHECK_THROWS_AS(super_of({}), input_error);
  CHECK_THROWS_AS(super_of(std::vector{a, ticket{{{"heads", {144}}}}}), shape_error);
}
