#include <atomic>
#include <cstdlib>
#include <new>
#include <utility>

#include "tests/support/checked_mask.hpp"

using namespace tombola;

namespace {
std::atomic<std::size_t> allocations = 0;
}

// Every allocation of this program is counted: what works in place has to make none. Not inlined:
// the compiler would see malloc() on one side alone and call that a mismatch.
[[gnu::noinline]] void* operator new(std::size_t n) {
  ++allocations;
  if (void* p = std::malloc(n == 0 ? 1 : n)) return p;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(n == 0 ? 1 : n);
}
[[gnu::noinline]] void operator delete(void* p) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}

namespace {

mask values(const std::vector<int>& v) {
  return mask::from_values(v);
}

const std::vector<group> groups{{"heads", {2, 2}}, {"mlps", {2}}};

/// Unit 0 kept by both, 1 by the first alone, 2 by the second alone, 3 by neither; MLPs likewise.
ticket first_ticket() {
  ticket t{groups, {values({1, 1, 0, 0}), values({1, 0})}};
  t.origin.task = "a task whose name is too long for the string's own place";
  t.origin.seed = 7;
  return t;
}
ticket second_ticket() {
  return {groups, {values({1, 0, 1, 0}), values({0, 0})}};
}

/// Something of a user's own that models unit_set, in a namespace of its own.
struct every_other {
  std::size_t n = 0;
  std::vector<std::uint64_t> bits;
  std::size_t size() const { return n; }
  const std::vector<std::uint64_t>& words() const { return bits; }
};
static_assert(unit_set<every_other>);

template <class A, class B>
concept combine = requires(A a, const B b) {
  a | b;
};
template <class A, class B>
concept combine_in_place = requires(A a, const B b) {
  a |= b;
};
// Masks of any kind mix, tickets do not mix with masks, nothing else gets in.
static_assert(combine<mask, mask> && combine<mask, mask_view> && combine<mask_view, mask_view>);
static_assert(combine<mask, every_other> && combine<every_other, mask_view>);
static_assert(combine<ticket, ticket>);
static_assert(!combine<mask, ticket> && !combine<ticket, mask> && !combine<mask, bool>);
static_assert(!combine<mask, int> && !combine<int, mask> && !combine<mask, std::vector<bool>>);
static_assert(!combine<mask, std::vector<mask>> && !combine<purpose, purpose>);
static_assert(combine_in_place<mask, mask_view> && !combine_in_place<mask_view, mask>);
static_assert(!combine_in_place<mask, bool> && !combine_in_place<mask, ticket>);
static_assert(!combine_in_place<ticket, mask>);

}  // namespace

TEST_CASE("operators are the named functions, for masks and views in any mixture") {
  const mask a = values({1, 1, 0, 0}), b = values({1, 0, 1, 0});
  CHECK((a | b) == values({1, 1, 1, 0}));
  CHECK((a & b) == values({1, 0, 0, 0}));
  CHECK((a - b) == values({0, 1, 0, 0}));
  CHECK((a ^ b) == values({0, 1, 1, 0}));
  CHECK(~a == values({0, 0, 1, 1}));
  CHECK(~mask_view{a} == ~a);
  CHECK((a | mask_view{b}) == (mask_view{a} | b));
  const every_other odd{4, {10}};
  CHECK((a & odd) == values({0, 1, 0, 0}));
  mask c = a;
  c |= odd;
  CHECK(c == values({1, 1, 0, 1}));
  // As for integers: difference, then intersection, then symmetric difference, then union.
  CHECK((a | b & a - b) == (a | (b & (a - b))));
  CHECK((a | b ^ a) == (a | (b ^ a)));
}

TEST_CASE("in place by name, by operator and by value are one thing") {
  const mask a = values({1, 1, 0, 0}), b = values({1, 0, 1, 0});
  mask c = a;
  unite(c, b);
  CHECK(c == (a | b));
  c = a, intersect(c, mask_view{b});
  CHECK(c == (a & b));
  c = a, subtract(c, b);
  CHECK(c == (a - b));
  c = a, toggle(c, b);
  CHECK(c == (a ^ b));
  c = a, invert(c);
  CHECK(c == ~a);
  // With itself, and with a view of itself.
  c = a, c ^= c;
  CHECK(c == mask{4});
  c = a, c &= mask_view{c};
  CHECK(c == a);
  c = a, c -= mask_view{c};
  CHECK(c == mask{4});
}

TEST_CASE("tickets combine in place as they do by value, and lose their provenance") {
  const ticket a = first_ticket(), b = second_ticket();
  const auto same = [&](const ticket& by_value, auto by_operator, auto by_name) {
    ticket x = a, y = a;
    by_operator(x, b);
    by_name(y, b);
    CHECK(x == by_value);
    CHECK(y == by_value);
    CHECK(x.origin == provenance{});
  };
  same(
      a | b, [](ticket& x, const ticket& y) { x |= y; },
      [](ticket& x, const ticket& y) { unite(x, y); });
  same(
      a & b, [](ticket& x, const ticket& y) { x &= y; },
      [](ticket& x, const ticket& y) { intersect(x, y); });
  same(
      a - b, [](ticket& x, const ticket& y) { x -= y; },
      [](ticket& x, const ticket& y) { subtract(x, y); });
  same(
      a ^ b, [](ticket& x, const ticket& y) { x ^= y; },
      [](ticket& x, const ticket& y) { toggle(x, y); });
  same(
      ~a, [](ticket& x, const ticket&) { x.flip(); }, [](ticket& x, const ticket&) { invert(x); });
  CHECK(equal(a | b, ticket{groups, {values({1, 1, 1, 0}), values({1, 0})}}));
  CHECK(equal(a & b, ticket{groups, {values({1, 0, 0, 0}), values({0, 0})}}));
  CHECK(equal(a - b, ticket{groups, {values({0, 1, 0, 0}), values({1, 0})}}));
  CHECK(equal(a ^ b, ticket{groups, {values({0, 1, 1, 0}), values({1, 0})}}));
  CHECK(equal(~a, ticket{groups, {values({0, 0, 1, 1}), values({0, 1})}}));
}

TEST_CASE("difference and symmetric difference of several tickets") {
  const ticket c{groups, {values({0, 1, 1, 1}), values({1, 1})}};
  const std::vector<ticket> three{first_ticket(), second_ticket(), c};
  CHECK(equal(difference(three), three[0] - three[1] - three[2]));
  CHECK(equal(difference(three), ticket{groups, {values({0, 0, 0, 0}), values({0, 0})}}));
  CHECK(equal(symmetric_difference(three), three[0] ^ three[1] ^ three[2]));
  CHECK(equal(symmetric_difference(three), ticket{groups, {values({0, 0, 0, 1}), values({0, 1})}}));
  CHECK_THROWS_WITH(difference(std::vector<ticket>{}),
                    "difference: no ticket, expected at least one");
  CHECK_THROWS_WITH(symmetric_difference(std::vector<ticket>{}),
                    "symmetric_difference: no ticket, expected at least one");
}

TEST_CASE("what does not fit is refused before anything changes") {
  mask a = values({1, 1, 0});
  const mask before = a, b{4};
  CHECK_THROWS_WITH(unite(a, b), "unite: masks over 3 and 4 units");
  CHECK_THROWS_WITH(intersect(a, b), "intersect: masks over 3 and 4 units");
  CHECK_THROWS_WITH(subtract(a, b), "subtract: masks over 3 and 4 units");
  CHECK_THROWS_WITH(toggle(a, b), "toggle: masks over 3 and 4 units");
  CHECK_THROWS_WITH(a | b, "united: masks over 3 and 4 units");
  CHECK_THROWS_AS(a & b, shape_error);
  CHECK_THROWS_AS(a - b, shape_error);
  CHECK_THROWS_AS(a ^ b, shape_error);
  CHECK_THROWS_AS(a |= mask_view{b}, shape_error);
  CHECK(a == before);

  // The second group differs: the first one stays as it is, and so does the provenance.
  ticket t = first_ticket();
  const ticket other{{groups[0], {"mlps", {3}}}}, fewer{{groups[0]}};
  const std::string sentence = "tickets differ in group 1: mlps (2) and mlps (3)";
  CHECK_THROWS_WITH(t |= other, sentence);
  CHECK_THROWS_WITH(t &= other, sentence);
  CHECK_THROWS_WITH(t ^= other, sentence);
  CHECK_THROWS_WITH(t -= other, sentence);
  CHECK_THROWS_WITH(unite(t, other), sentence);
  CHECK_THROWS_WITH(t - other, sentence);
  CHECK_THROWS_WITH(t ^= fewer, "tickets of 2 and 1 groups");
  CHECK(t == first_ticket());
}

TEST_CASE("bits past the end of a user's own unit_set stay out") {
  const every_other loud{3, {~std::uint64_t{0}}};
  mask a{3};
  a |= loud;
  CHECK(a == mask::all_kept(3));
  a ^= loud;
  CHECK(a == mask{3});
  CHECK((a | loud) == mask::all_kept(3));
  CHECK(~loud == mask{3});
}

TEST_CASE("in place, nothing is allocated") {
  mask a = mask::all_kept(1000);
  const mask b{1000};
  ticket t = first_ticket();
  const ticket u = second_ticket();
  const std::size_t before = allocations;
  a |= b, a &= mask_view{b}, a ^= b, a -= b;
  unite(a, b), intersect(a, b), subtract(a, b), toggle(a, b), invert(a);
  t |= u, t &= u, t ^= u, t -= u;
  unite(t, u), intersect(t, u), subtract(t, u), toggle(t, u), invert(t);
  const std::size_t after = allocations;
  CHECK(after == before);
  const mask c = a | b;
  CHECK(allocations > after);  // the counter counts
  CHECK(c.count() == 1000);
}
