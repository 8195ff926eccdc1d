// Every set operation against plain sets, on random cases.

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_units.hpp"

#include "tombola/algebra/core_and_periphery.hpp"
#include "tombola/algebra/granularity.hpp"
#include "tombola/algebra/layers.hpp"
#include "tombola/algebra/sets.hpp"
#include "tombola/algebra/survival.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/ticket.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

constexpr std::size_t cases = 10'800;

template <class Operation>
mask changed(mask m, Operation operation) {
  operation(m);
  return m;
}

/// How many of several keep a unit.
std::size_t survival_in(const std::vector<plain_units>& all, std::size_t u) {
  std::size_t r = 0;
  for (const plain_units& one : all) r += one.has(u) ? 1U : 0U;
  return r;
}

}  // namespace

TEST_CASE("twins: two sets, by value, as operators and in place") {
  random_units random{1};
  first_fault fault;
  for (std::size_t c = 0; c < cases; ++c) {
    const std::size_t n = random_units::size_of(c);
    const plain_units x = random.draw(n), y = random.draw(n);
    const mask a = x.as_mask(), b = y.as_mask();
    const auto check = [&](const char* what, const mask& m, auto keeps) {
      fault.check(is(m, n, keeps), what, c, n);
    };
    const auto either = [&](std::size_t u) { return x.has(u) || y.has(u); };
    const auto both = [&](std::size_t u) { return x.has(u) && y.has(u); };
    const auto first = [&](std::size_t u) { return x.has(u) && !y.has(u); };
    const auto one = [&](std::size_t u) { return x.has(u) != y.has(u); };
    const auto not_first = [&](std::size_t u) { return !x.has(u); };
    check("united", united(a, b), either);
    check("|", a | b, either);
    check("|=", changed(a, [&](mask& m) { m |= b; }), either);
    check("unite", changed(a, [&](mask& m) { unite(m, b); }), either);
    check("intersected", intersected(a, b), both);
    check("&", a & b, both);
    check("&=", changed(a, [&](mask& m) { m &= b; }), both);
    check("intersect", changed(a, [&](mask& m) { intersect(m, b); }), both);
    check("difference", difference(a, b), first);
    check("-", a - b, first);
    check("-=", changed(a, [&](mask& m) { m -= b; }), first);
    check("subtract", changed(a, [&](mask& m) { subtract(m, b); }), first);
    check("symmetric_difference", symmetric_difference(a, b), one);
    check("^", a ^ b, one);
    check("^=", changed(a, [&](mask& m) { m ^= b; }), one);
    check("toggle", changed(a, [&](mask& m) { toggle(m, b); }), one);
    check("complement", complement(a), not_first);
    check("~", ~a, not_first);
    check("invert", changed(a, [](mask& m) { invert(m); }), not_first);
    const bool subset = std::includes(y.kept.begin(), y.kept.end(), x.kept.begin(), x.kept.end());
    fault.check(is_subset(a, b) == subset, "is_subset", c, n);
    fault.check(is_subset(a & b, b) && is_subset(a, a | b), "is_subset of its own", c, n);
    fault.check(equal(a, b) == (x.kept == y.kept) && (a == b) == (x.kept == y.kept), "equal", c, n);
    fault.check(a.count() == x.kept.size(), "count", c, n);
  }
  CHECK(fault.text() == "");
  CHECK(fault.checks() == 23 * cases);
}

TEST_CASE("twins: many sets, core and periphery, survival") {
  random_units random{2};
  first_fault fault;
  for (std::size_t c = 0; c < cases; ++c) {
    const std::size_t n = random_units::size_of(c), k = 1 + random.below(7);
    const auto plain = random.draw_several(k, n);
    const auto masks = as_masks(plain);
    const auto check = [&](const char* what, const mask& m, auto keeps) {
      fault.check(is(m, n, keeps), what, c, n);
    };
    const auto r_of = [&](std::size_t u) { return survival_in(plain, u); };
    check("united", united(masks), [&](std::size_t u) { return r_of(u) > 0; });
    check("intersected", intersected(masks), [&](std::size_t u) { return r_of(u) == k; });
    check("difference", difference(masks),
          [&](std::size_t u) { return plain[0].has(u) && r_of(u) == 1; });
    check("symmetric_difference", symmetric_difference(masks),
          [&](std::size_t u) { return r_of(u) % 2 == 1; });
    const std::size_t least = random.below(k + 1);
    check("kept_by_at_least", kept_by_at_least(masks, least),
          [&](std::size_t u) { return r_of(u) >= least; });
    check("core_of", core_of(masks), [&](std::size_t u) { return r_of(u) == k; });
    check("periphery_of", periphery_of(masks),
          [&](std::size_t u) { return r_of(u) > 0 && r_of(u) < k; });
    check("kept_by_none", kept_by_none(masks), [&](std::size_t u) { return r_of(u) == 0; });
    const survival s = count_survival(masks, 1 + c % 3);
    std::vector<std::size_t> by_survival(k + 1), sizes;
    for (std::size_t u = 0; u < n; ++u) ++by_survival[r_of(u)];
    for (const plain_units& one : plain) sizes.push_back(one.kept.size());
    fault.check(s.units == n && s.units_by_survival == by_survival && s.sizes == sizes,
                "count_survival", c, n);
    const auto of_units = survival_of_units(masks);
    bool same = of_units.size() == n;
    for (std::size_t u = 0; u < n && same; ++u) same = of_units[u] == r_of(u);
    fault.check(same, "survival_of_units", c, n);
  }
  CHECK(fault.text() == "");
  CHECK(fault.checks() == 10 * cases);
}

TEST_CASE("twins: slices and layers") {
  random_units random{3};
  first_fault fault;
  for (std::size_t c = 0; c < cases; ++c) {
    const std::size_t n = random_units::size_of(c);
    const plain_units x = random.draw(n);
    const mask a = x.as_mask();
    const std::size_t from = random.below(n + 1), count = random.below(n - from + 1);
    fault.check(is(slice(a, from, count), count, [&](std::size_t u) { return x.has(from + u); }),
                "slice", c, n);
    const plain_units part = random.draw(count);
    const mask put = changed(a, [&](mask& m) { put_slice(m, from, part.as_mask()); });
    fault.check(is(put, n,
                   [&](std::size_t u) {
                     return u >= from && u - from < count ? part.has(u - from) : x.has(u);
                   }),
                "put_slice", c, n);
    if (n == 0) continue;  // layers have units
    // As layers: the units of some layers, a few left over are not there.
    const std::size_t layers = 1 + random.below(std::min<std::size_t>(n, 12)), width = n / layers;
    const group g{"g", {layers, width}};
    const plain_units whole{layers * width, {x.kept.begin(), x.kept.lower_bound(layers * width)}};
    const mask m = whole.as_mask();
    const auto counts = count_by_layer(m, g);
    bool same = counts.size() == layers;
    for (std::size_t l = 0; l < layers && same; ++l) {
      const auto in_layer = [&](std::size_t u) { return whole.has(l * width + u); };
      same = is(layer(m, g, l), width, in_layer);
      std::size_t kept = 0;
      for (std::size_t u = 0; u < width; ++u) kept += in_layer(u) ? 1U : 0U;
      same = same && counts[l] == kept;
    }
    fault.check(same, "layer and count_by_layer", c, n);
    const std::size_t l = random.below(layers);
    const plain_units other = random.draw(width);
    const mask replaced = changed(m, [&](mask& t) { put_layer(t, g, l, other.as_mask()); });
    fault.check(
        is(replaced, layers * width,
           [&](std::size_t u) { return u / width == l ? other.has(u % width) : whole.has(u); }),
        "put_layer", c, n);
  }
  CHECK(fault.text() == "");
  CHECK(fault.checks() == 4 * cases - 2 * (cases / 9));
}

TEST_CASE("twins: lifted and lowered, by any, all and share") {
  random_units random{4};
  first_fault fault;
  for (std::size_t c = 0; c < cases; ++c) {
    const std::size_t n = random_units::size_of(c), size = 1 + random.below(12);
    const plain_units x = random.draw(n);
    const mask a = x.as_mask();
    const std::size_t coarse = (n + size - 1) / size;
    const auto kept_in = [&](std::size_t i) {
      std::size_t kept = 0;
      for (std::size_t u = i * size; u < std::min(n, (i + 1) * size); ++u)
        kept += x.has(u) ? 1U : 0U;
      return kept;
    };
    const auto size_of = [&](std::size_t i) { return std::min(n, (i + 1) * size) - i * size; };
    const auto check = [&](const char* what, const mask& m, auto keeps) {
      fault.check(is(m, coarse, keeps), what, c, n);
    };
    const blocks place{size};
    check("lift any", lift(a, coarse, place, lift_rule::any()),
          [&](std::size_t i) { return kept_in(i) > 0; });
    check("lift all", lift(a, coarse, place, lift_rule::all()),
          [&](std::size_t i) { return kept_in(i) == size_of(i); });
    // A share in quarters: kept / size >= q / 4, in whole numbers.
    const std::size_t quarters = random.below(5);
    check("lift share", lift(a, coarse, place, lift_rule::share(static_cast<double>(quarters) / 4)),
          [&](std::size_t i) { return kept_in(i) > 0 && 4 * kept_in(i) >= quarters * size_of(i); });
    const plain_units over = random.draw(coarse);
    fault.check(
        is(lower(over.as_mask(), n, place), n, [&](std::size_t u) { return over.has(u / size); }),
        "lower", c, n);
  }
  CHECK(fault.text() == "");
  CHECK(fault.checks() == 4 * cases);
}

TEST_CASE("twins: whole tickets, group by group") {
  random_units random{5};
  first_fault fault;
  for (std::size_t c = 0; c < cases; ++c) {
    const std::size_t n = random_units::size_of(c), other = random_units::size_of(random.below(9));
    const std::vector<group> groups{{"first", {n}}, {"second", {other}}};
    std::vector<ticket> tickets;
    std::vector<std::vector<plain_units>> plain(2);  // [group][ticket]
    for (std::size_t t = 0; t < 3; ++t) {
      plain[0].push_back(random.draw(n));
      plain[1].push_back(random.draw(other));
      tickets.push_back({groups, {plain[0].back().as_mask(), plain[1].back().as_mask()}});
    }
    const auto check = [&](const char* what, const ticket& t, auto keeps) {
      bool same = t.groups().size() == 2;
      for (std::size_t g = 0; g < 2 && same; ++g) {
        same = is(t[g], plain[g][0].n, [&](std::size_t u) { return keeps(plain[g], u); });
      }
      fault.check(same, what, c, n);
    };
    using list = std::vector<plain_units>;
    const ticket &a = tickets[0], &b = tickets[1];
    check("|", a | b, [](const list& p, std::size_t u) { return p[0].has(u) || p[1].has(u); });
    check("&", a & b, [](const list& p, std::size_t u) { return p[0].has(u) && p[1].has(u); });
    check("-", a - b, [](const list& p, std::size_t u) { return p[0].has(u) && !p[1].has(u); });
    check("^", a ^ b, [](const list& p, std::size_t u) { return p[0].has(u) != p[1].has(u); });
    check("~", ~a, [](const list& p, std::size_t u) { return !p[0].has(u); });
    ticket changing = a;
    unite(changing, b), intersect(changing, tickets[2]), toggle(changing, a), subtract(changing, b);
    check("in place", changing, [](const list& p, std::size_t u) {
      return (((p[0].has(u) || p[1].has(u)) && p[2].has(u)) != p[0].has(u)) && !p[1].has(u);
    });
    check("united", united(tickets),
          [](const list& p, std::size_t u) { return survival_in(p, u) > 0; });
    check("core", core_of(tickets),
          [](const list& p, std::size_t u) { return survival_in(p, u) == 3; });
    check("at least two", kept_by_at_least(tickets, 2),
          [](const list& p, std::size_t u) { return survival_in(p, u) >= 2; });
    bool subset = true;
    for (const auto& p : plain) {
      subset = subset && std::includes(p[1].kept.begin(), p[1].kept.end(), p[0].kept.begin(),
                                       p[0].kept.end());
    }
    fault.check(is_subset(a, b) == subset, "is_subset", c, n);
  }
  CHECK(fault.text() == "");
  CHECK(fault.checks() == 10 * cases);
}
