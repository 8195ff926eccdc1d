#include <map>
#include <utility>
#include <vector>

#include "tests/support/random_units.hpp"

#include "tombola/algebra/core_and_periphery.hpp"
#include "tombola/algebra/granularity.hpp"
#include "tombola/algebra/layers.hpp"
#include "tombola/algebra/sets.hpp"
#include "tombola/algebra/survival.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

using namespace tombola;
using test::for_cases;
using test::random_case;
using test::set_of_units;
using test::twin;

namespace {

constexpr std::size_t cases = 10'000;

/// The units whose number of times kept passes.
template <class F>
set_of_units units_where(const std::vector<std::size_t>& times, F passes) {
  set_of_units kept;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (passes(times[i])) kept.insert(kept.end(), i);
  }
  return kept;
}

/// Units [first, first + count), numbered from 0.
set_of_units part_of(const set_of_units& kept, std::size_t first, std::size_t count) {
  set_of_units part;
  for (const std::size_t i : kept) {
    if (i >= first && i < first + count) part.insert(part.end(), i - first);
  }
  return part;
}

/// Units [first, first + count) replaced by others.
set_of_units with_part(const set_of_units& kept,
                       std::size_t first,
                       std::size_t count,
                       const set_of_units& part) {
  set_of_units all;
  for (const std::size_t i : kept) {
    if (i < first || i >= first + count) all.insert(i);
  }
  for (const std::size_t i : part) all.insert(first + i);
  return all;
}

/// Tickets over three groups, whose sets are [ticket][group].
struct twin_tickets {
  std::vector<group> groups;
  std::vector<std::vector<twin>> by_group;  ///< [group][ticket]
  std::vector<ticket> all;

  twin_tickets(random_case& c, std::size_t k) {
    const std::vector<std::size_t> sizes{c.size(), 5, random_case::sizes[c.below(8)]};
    for (std::size_t g = 0; g < sizes.size(); ++g) {
      groups.push_back({"g" + std::to_string(g), {sizes[g]}});
      by_group.push_back(c.draw_masks(k, sizes[g]));
    }
    for (std::size_t j = 0; j < k; ++j) {
      std::vector<mask> masks;
      for (const auto& of_group : by_group) masks.push_back(of_group[j].bits);
      all.emplace_back(groups, std::move(masks));
      all.back().origin.task = "CoLA";
    }
  }

  /// What f makes of each group's sets, as words.
  template <class F>
  std::vector<std::vector<std::uint64_t>> expected(F f) const {
    std::vector<std::vector<std::uint64_t>> words;
    for (const auto& sets : by_group) words.push_back(test::words_of_units(sets[0].n, f(sets)));
    return words;
  }

  /// Compares a ticket, group by group. Its provenance has to be empty.
  void same(const random_case& c,
            const ticket& t,
            const std::vector<std::vector<std::uint64_t>>& words,
            const char* what) const {
    c.expect(std::equal(t.groups().begin(), t.groups().end(), groups.begin(), groups.end()), what);
    c.expect(t.origin == provenance{}, what);
    for (std::size_t g = 0; g < groups.size(); ++g) c.same(t[g], by_group[g][0].n, words[g], what);
  }
};

/// f folded over the sets of a group, from the left.
template <class F>
set_of_units folded(const std::vector<twin>& sets, F f) {
  set_of_units all = sets[0].kept;
  for (std::size_t j = 1; j < sets.size(); ++j) all = f(all, sets[j].kept);
  return all;
}

}  // namespace

TEST_CASE("twin: a mask written unit by unit and word by word is the set") {
  for_cases(cases, 1, [](random_case& c) {
    const std::size_t n = c.size();
    mask m = c.below(2) == 0 ? mask{n} : mask::all_kept(n);
    set_of_units kept = m.count() == 0 ? set_of_units{} : test::complement_of({}, n);
    for (int step = 0; step < 12 && n > 0; ++step) {
      const std::size_t i = c.below(n);
      switch (c.below(4)) {
        case 0:
          m.set(i);
          kept.insert(i);
          break;
        case 1:
          m.set(i, false);
          kept.erase(i);
          break;
        case 2:
          m.flip();
          kept = test::complement_of(kept, n);
          break;
        default: {
          // All 64 bits, those past the end of the mask too.
          const std::uint64_t bits = c.below(3) == 0 ? ~std::uint64_t{0} : c.below(~std::size_t{0});
          m.set_word(i / 64, bits);
          for (std::size_t b = 0; b < 64; ++b) {
            const std::size_t at = i / 64 * 64 + b;
            kept.erase(at);
            if (at < n && (bits >> b & 1U) != 0) kept.insert(at);
          }
        }
      }
    }
    c.same(m, n, kept, "mask");
    c.expect(m.count() == kept.size(), "count");
    const mask_view view{n, m.words()};
    std::vector<int> values(n, 0);
    for (const std::size_t i : kept) values[i] = static_cast<int>(1 + c.below(9));
    c.same(mask::from_values(values), n, kept, "from_values");
    c.same(view.copy(), n, kept, "copy");
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (m[i] != kept.contains(i) || view[i] != kept.contains(i)) ++wrong;
    }
    c.expect(wrong == 0, "operator[]");
    mask moved = std::move(m);
    c.same(moved, n, kept, "mask moved to");
    c.same(m, 0, set_of_units{}, "mask moved from");  // NOLINT: it is defined
    c.expect((moved == view.copy()) && (n == 0 || moved != ~view.copy()), "operator==");
  });
}

TEST_CASE("twin: operations of two masks, by value, as operators and in place") {
  for_cases(cases, 2, [](random_case& c) {
    const std::size_t n = c.size();
    const auto m = c.draw_masks(2, n);
    const mask &a = m[0].bits, &b = m[1].bits;
    const set_of_units &x = m[0].kept, &y = m[1].kept;
    const mask_view second{b};

    const set_of_units either = test::union_of(x, y), both = test::intersection_of(x, y);
    const set_of_units first_only = test::difference_of(x, y);
    const set_of_units one = test::symmetric_difference_of(x, y), rest = test::complement_of(x, n);
    const auto check = [&](const char* what, const set_of_units& expected, auto by_value,
                           auto binary, auto in_place, auto assigned) {
      c.same(by_value(a, b), n, expected, what);
      c.same(by_value(mask_view{a}, second), n, expected, what);
      c.same(binary(a, b), n, expected, what);
      c.same(binary(a, second), n, expected, what);
      mask m1 = a, m2 = a, m3 = a;
      in_place(m1, b);
      assigned(m2, b);
      in_place(m3, second);
      c.same(m1, n, expected, what);
      c.same(m2, n, expected, what);
      c.same(m3, n, expected, what);
    };
    check(
        "union", either, [](const auto& p, const auto& q) { return united(p, q); },
        [](const auto& p, const auto& q) { return p | q; }, [](mask& p, auto& q) { unite(p, q); },
        [](mask& p, auto& q) { p |= q; });
    check(
        "intersection", both, [](const auto& p, const auto& q) { return intersected(p, q); },
        [](const auto& p, const auto& q) { return p & q; },
        [](mask& p, auto& q) { intersect(p, q); }, [](mask& p, auto& q) { p &= q; });
    check(
        "difference", first_only, [](const auto& p, const auto& q) { return difference(p, q); },
        [](const auto& p, const auto& q) { return p - q; },
        [](mask& p, auto& q) { subtract(p, q); }, [](mask& p, auto& q) { p -= q; });
    check(
        "symmetric difference", one,
        [](const auto& p, const auto& q) { return symmetric_difference(p, q); },
        [](const auto& p, const auto& q) { return p ^ q; }, [](mask& p, auto& q) { toggle(p, q); },
        [](mask& p, auto& q) { p ^= q; });
    mask inverted = a;
    invert(inverted);
    c.same(inverted, n, rest, "invert");
    c.same(complement(mask_view{a}), n, rest, "complement");
    c.same(~a, n, rest, "operator~");

    c.expect(is_subset(a, b) == std::includes(y.begin(), y.end(), x.begin(), x.end()), "subset");
    c.expect(is_subset(second, a) == std::includes(x.begin(), x.end(), y.begin(), y.end()),
             "subset");
    c.expect(equal(a, second) == (x == y) && (a == b) == (x == y), "equality");
    // With itself, in place.
    mask own = a;
    own ^= own;
    c.same(own, n, set_of_units{}, "symmetric difference with itself");
    own = a;
    own -= own;
    c.same(own, n, set_of_units{}, "difference with itself");
    own = a;
    own |= own;
    own &= own;
    c.same(own, n, x, "union and intersection with itself");
  });
}

TEST_CASE("twin: operations of many masks, core, periphery and survival counts") {
  for_cases(cases, 3, [](random_case& c) {
    const std::size_t n = c.size();
    // Now and then more masks than the block counter takes.
    const std::size_t k = c.number() % 500 == 8 ? 60 + c.below(10) : 1 + c.below(9);
    const auto m = c.draw_masks(k, n);
    const auto masks = test::masks_of(m);
    const auto times = test::times_kept(n, m);
    c.same(united(masks), n, folded(m, test::union_of), "union of many");
    c.same(intersected(masks), n, folded(m, test::intersection_of), "intersection of many");
    c.same(difference(masks), n, folded(m, test::difference_of), "difference of many");
    c.same(symmetric_difference(masks), n, folded(m, test::symmetric_difference_of),
           "symmetric difference of many");

    const set_of_units all = units_where(times, [k](std::size_t t) { return t == k; });
    const set_of_units none = units_where(times, [](std::size_t t) { return t == 0; });
    const set_of_units some = units_where(times, [k](std::size_t t) { return t > 0 && t < k; });
    c.same(core_of(masks), n, all, "core");
    c.same(kept_by_none(masks), n, none, "kept by none");
    c.same(periphery_of(masks), n, some, "periphery");

    std::vector<std::size_t> sizes, by_survival(k + 1, 0);
    for (const twin& t : m) sizes.push_back(t.kept.size());
    for (const std::size_t t : times) ++by_survival[t];
    const survival s = count_survival(masks, 1 + c.below(2));
    c.expect(s.units == n && s.sizes == sizes && s.units_by_survival == by_survival, "survival");
    c.expect(s.kept_by_all() == all.size() && s.kept_by_none() == none.size() &&
                 s.in_periphery() == some.size() && s.kept_by_any() == n - none.size(),
             "survival of core, periphery and rest");
    std::size_t kept = 0;
    for (const std::size_t size : sizes) kept += size;
    c.expect(s.kept() == kept && s.masks() == k, "survival of all kept units");
    const auto of_units = survival_of_units(masks);
    c.expect(std::equal(of_units.begin(), of_units.end(), times.begin(), times.end()),
             "survival of units");

    const std::size_t r = c.below(k + 1);
    const set_of_units at_least = units_where(times, [r](std::size_t t) { return t >= r; });
    c.same(kept_by_at_least(masks, r), n, at_least, "kept by at least");
    c.expect(s.kept_by_at_least(r) == at_least.size(), "survival of at least");
    const double share =
        c.below(3) == 0 ? static_cast<double>(r) / static_cast<double>(k) : c.uniform();
    const set_of_units of_share = units_where(times, [&](std::size_t t) {
      return t > 0 && static_cast<double>(t) / static_cast<double>(k) >= share;
    });
    c.same(kept_by_share(masks, share), n, of_share, "kept by share");
    c.expect(s.kept_by_share(share) == of_share.size(), "survival of share");
  });
}

TEST_CASE("twin: tickets, two and many, group by group") {
  for_cases(cases, 4, [](random_case& c) {
    const std::size_t k = 1 + c.below(5);
    const twin_tickets t{c, k};
    const ticket &a = t.all[0], &b = t.all[k - 1];
    const auto check = [&](const char* what, auto of_sets, auto by_value, auto binary,
                           auto in_place, auto assigned) {
      const auto two =
          t.expected([&](const auto& sets) { return of_sets(sets[0].kept, sets[k - 1].kept); });
      t.same(c, by_value(a, b), two, what);
      t.same(c, binary(a, b), two, what);
      ticket p = a, q = a;
      in_place(p, b);
      assigned(q, b);
      t.same(c, p, two, what);
      t.same(c, q, two, what);
      t.same(c, by_value(t.all),
             t.expected([&](const auto& sets) { return folded(sets, of_sets); }), what);
    };
    check(
        "union of tickets", test::union_of, [](const auto&... p) { return united(p...); },
        [](const auto& p, const auto& q) { return p | q; }, [](ticket& p, auto& q) { unite(p, q); },
        [](ticket& p, auto& q) { p |= q; });
    check(
        "intersection of tickets", test::intersection_of,
        [](const auto&... p) { return intersected(p...); },
        [](const auto& p, const auto& q) { return p & q; },
        [](ticket& p, auto& q) { intersect(p, q); }, [](ticket& p, auto& q) { p &= q; });
    check(
        "difference of tickets", test::difference_of,
        [](const auto&... p) { return difference(p...); },
        [](const auto& p, const auto& q) { return p - q; },
        [](ticket& p, auto& q) { subtract(p, q); }, [](ticket& p, auto& q) { p -= q; });
    check(
        "symmetric difference of tickets", test::symmetric_difference_of,
        [](const auto&... p) { return symmetric_difference(p...); },
        [](const auto& p, const auto& q) { return p ^ q; },
        [](ticket& p, auto& q) { toggle(p, q); }, [](ticket& p, auto& q) { p ^= q; });
    const auto opposite =
        t.expected([](const auto& sets) { return test::complement_of(sets[0].kept, sets[0].n); });
    ticket inverted = a;
    invert(inverted);
    t.same(c, inverted, opposite, "inverted ticket");
    t.same(c, complement(a), opposite, "complement of a ticket");
    t.same(c, ~a, opposite, "operator~ of a ticket");

    bool subset = true, same = true;
    std::size_t size = 0, count = 0;
    for (const auto& sets : t.by_group) {
      const set_of_units &x = sets[0].kept, &y = sets[k - 1].kept;
      subset = subset && std::includes(y.begin(), y.end(), x.begin(), x.end());
      same = same && x == y;
      size += sets[0].n;
      count += x.size();
    }
    c.expect(is_subset(a, b) == subset, "subset of tickets");
    c.expect(equal(a, b) == same, "equality of tickets");
    c.expect(a.size() == size && a.count() == count, "size and count of a ticket");

    const std::size_t r = c.below(k + 1);
    std::vector<std::vector<std::size_t>> times;
    for (const auto& sets : t.by_group) times.push_back(test::times_kept(sets[0].n, sets));
    const auto kept_by = [&](std::size_t low, std::size_t high) {
      std::vector<std::vector<std::uint64_t>> words;
      for (const auto& of_group : times) {
        words.push_back(test::words_of_units(
            of_group.size(),
            units_where(of_group, [&](std::size_t x) { return x >= low && x <= high; })));
      }
      return words;
    };
    t.same(c, kept_by_at_least(t.all, r), kept_by(r, k), "tickets that keep at least");
    t.same(c, kept_by_share(t.all, 1.0), kept_by(k, k), "tickets that keep by share");
    t.same(c, core_of(t.all), kept_by(k, k), "core of tickets");
    t.same(c, kept_by_none(t.all), kept_by(0, 0), "rest of tickets");
    if (k > 1) t.same(c, periphery_of(t.all), kept_by(1, k - 1), "periphery of tickets");
    std::vector<std::size_t> by_survival(k + 1, 0);
    for (const auto& of_group : times) {
      for (const std::size_t x : of_group) ++by_survival[x];
    }
    const survival s = count_survival(t.all);
    c.expect(s.units == size && s.units_by_survival == by_survival, "survival of tickets");
  });
}

TEST_CASE("twin: layers, put back too") {
  for_cases(cases, 5, [](random_case& c) {
    const std::size_t layers = 1 + c.below(4);
    const std::size_t width = random_case::sizes[1 + c.number() % 8] / (c.number() % 3 + 1) + 1;
    const group g{"w", {layers, width}};
    const auto m = c.draw_masks(2, layers * width);
    const mask &a = m[0].bits, &b = m[1].bits;
    const set_of_units &x = m[0].kept, &y = m[1].kept;
    const auto kept = count_by_layer(a, g);
    const auto overlaps = count_overlap_by_layer(a, b, g);
    c.expect(kept.size() == layers && overlaps.size() == layers, "number of layers");
    for (std::size_t l = 0; l < layers; ++l) {
      const set_of_units first = part_of(x, l * width, width),
                         second = part_of(y, l * width, width);
      c.same(layer(a, g, l), width, first, "layer");
      c.expect(kept[l] == first.size(), "count by layer");
      const std::size_t both = test::intersection_of(first, second).size();
      c.expect(overlaps[l] == overlap{both, first.size() - both, second.size() - both,
                                      width - test::union_of(first, second).size()},
               "overlap by layer");
    }
    const std::size_t l = c.below(layers);
    const twin part{width, c.draw(width, 0.5)};
    mask changed = a;
    put_layer(changed, g, l, part.bits);
    c.same(changed, layers * width, with_part(x, l * width, width, part.kept), "put_layer");
    const ticket t{{{"other", {2}}, g}, {mask{2}, a}};
    c.same(layer(t, "w", l)[0], width, part_of(x, l * width, width), "layer of a ticket");
    c.expect(count_by_layer(t, "w") == kept, "count by layer of a ticket");
  });
}

TEST_CASE("twin: lifted by any, all and share, lowered again, and slices") {
  for_cases(cases, 6, [](random_case& c) {
    const std::size_t n = c.size();
    const twin fine = c.draw_masks(1, n)[0];
    const std::size_t size = 1 + c.below(7), columns = 1 + c.below(12);
    const std::size_t width = 1 + c.below(columns);
    const bool rows = c.below(2) == 0;
    const auto place = [&](std::size_t unit) {
      return rows ? blocks{size}(unit) : column_blocks{columns, width}(unit);
    };
    // Coarse units, by walking: one more than there are now and then, which has no fine unit.
    std::map<std::size_t, std::pair<std::size_t, std::size_t>> of;  // fine units, kept ones
    for (std::size_t i = 0; i < n; ++i) {
      std::size_t at = 0;
      for (std::size_t left = rows ? i : i - i / columns * columns;
           left >= (rows ? size : width);) {
        left -= rows ? size : width;
        ++at;
      }
      ++of[at].first;
      if (fine.kept.contains(i)) ++of[at].second;
    }
    const std::size_t coarse = (of.empty() ? 0 : of.rbegin()->first + 1) + c.below(2);
    const double share = c.below(2) == 0 ? c.uniform() : 0.5;
    set_of_units any, all, by_share;
    for (const auto& [at, counts] : of) {
      const auto [there, kept] = counts;
      if (kept > 0) any.insert(at);
      if (kept == there) all.insert(at);
      if (kept > 0 && static_cast<double>(kept) / static_cast<double>(there) >= share) {
        by_share.insert(at);
      }
    }
    c.same(lift(fine.bits, coarse, place, lift_rule::any()), coarse, any, "lift by any");
    c.same(lift(fine.bits, coarse, place, lift_rule::all()), coarse, all, "lift by all");
    c.same(lift(fine.bits, coarse, place, lift_rule::share(share)), coarse, by_share,
           "lift by share");
    const unit_counts counts = count_by(mask_view{fine.bits}, coarse, place);
    bool right = counts.size.size() == coarse && counts.kept.size() == coarse;
    for (std::size_t i = 0; right && i < coarse; ++i) {
      right = counts.size[i] == of[i].first && counts.kept[i] == of[i].second;
    }
    c.expect(right, "count by coarse unit");

    set_of_units lowered;
    const twin over{coarse, c.draw(coarse, 0.5)};
    for (std::size_t i = 0; i < n; ++i) {
      if (over.kept.contains(rows ? i / size : i % columns / width)) lowered.insert(i);
    }
    c.same(lower(over.bits, n, place), n, lowered, "lower");

    const std::size_t first = c.below(n + 1), count = c.below(n - first + 1);
    c.same(slice(fine.bits, first, count), count, part_of(fine.kept, first, count), "slice");
    const twin part{count, c.draw(count, 0.5)};
    mask changed = fine.bits;
    put_slice(changed, first, part.bits);
    c.same(changed, n, with_part(fine.kept, first, count, part.kept), "put_slice");
  });
}
