#include "tombola/algebra/structure.hpp"

#include <numeric>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/core/random.hpp"

using namespace tombola;

namespace {

/// By plain loops over single units.
structure naive(const group& g, const mask& m, n_of_m pattern) {
  structure s{m.count(), m.size(), {}, {}, {}, {}};
  if (g.extents.size() >= 2 && m.size() > 0) {
    const std::size_t rows = g.extents[0], columns = rows == 0 ? 0 : m.size() / rows;
    std::vector<bool> used(columns, false);
    s.empty_rows = 0;
    for (std::size_t r = 0; r < rows && columns > 0; ++r) {
      bool any = false;
      for (std::size_t c = 0; c < columns; ++c) {
        if (m[r * columns + c]) any = used[c] = true;
      }
      *s.empty_rows += any ? 0U : 1U;
    }
    s.empty_columns = static_cast<std::uint64_t>(std::count(used.begin(), used.end(), false));
  }
  const std::size_t last = g.extents.empty() ? 1 : g.extents.back();
  if (last % pattern.of == 0) {
    s.blocks = 0, s.fitting_blocks = 0;
    for (std::size_t first = 0; first < m.size(); first += pattern.of) {
      std::size_t kept = 0;
      for (std::size_t u = first; u < first + pattern.of; ++u) kept += m[u] ? 1U : 0U;
      ++*s.blocks;
      *s.fitting_blocks += kept <= pattern.kept ? 1U : 0U;
    }
  }
  return s;
}

void check_same(const structure& a, const structure& b) {
  CHECK(a.kept == b.kept);
  CHECK(a.size == b.size);
  CHECK(a.empty_rows == b.empty_rows);
  CHECK(a.empty_columns == b.empty_columns);
  CHECK(a.blocks == b.blocks);
  CHECK(a.fitting_blocks == b.fitting_blocks);
}

}  // namespace

TEST_CASE("structures are those of plain loops, for extents that fit words and that do not") {
  const std::vector<group> groups{{"plain", {4, 64}}, {"odd", {13, 37}},  {"narrow", {100, 3}},
                                  {"single", {5, 1}}, {"wide", {2, 200}}, {"filters", {6, 3, 5}},
                                  {"flat", {130}},    {"whole", {}}};
  const random_stream random{9, purpose::subset};
  std::size_t draw = 0;
  for (const group& g : groups) {
    for (const std::uint64_t one_in : {1U, 2U, 9U, 200U}) {
      mask m{g.size()};
      for (std::size_t u = 0; u < m.size(); ++u) m.set(u, random.bits(draw++) % one_in == 0);
      for (const n_of_m p : {n_of_m{2, 4}, n_of_m{1, 2}, n_of_m{0, 1}, n_of_m{1, 37}, n_of_m{3, 5},
                             n_of_m{40, 100}}) {
        INFO(to_string(g) << ", 1 in " << one_in << ", " << p.kept << ":" << p.of);
        check_same(structure_of(g, m, p), naive(g, m, p));
      }
    }
  }
}

TEST_CASE("counters of rows come together, in pieces of any length") {
  const group g{"w", {6, 37}};
  const random_stream random{3, purpose::subset};
  mask m{g.size()};
  for (std::size_t u = 0; u < m.size(); ++u) m.set(u, random.bits(u) % 5 == 0);
  structure_counter sum{g, {1, 37}};
  for (std::size_t r = 0; r < 6; ++r) {
    structure_counter one{g, {1, 37}};
    for (std::size_t c = 0; c < 37; c += 10) {
      const std::size_t n = std::min<std::size_t>(10, 37 - c);
      std::uint64_t bits = ~std::uint64_t{0} << n;  // what lies past the units is not looked at
      for (std::size_t i = 0; i < n; ++i) {
        if (m[r * 37 + c + i]) bits |= std::uint64_t{1} << i;
      }
      one.add(std::span{&bits, 1}, n);
    }
    sum.merge(one);
  }
  check_same(sum.result(), naive(g, m, {1, 37}));
}

TEST_CASE("a structure of nothing sensible is refused") {
  CHECK_THROWS_WITH(structure_of({"w", {4}}, mask{4}, {5, 4}),
                    "structure of w (4): 5 of every 4 units, expected N of every M with N "
                    "from 0 to M, and M at least 1");
  CHECK_THROWS_AS(structure_of({"w", {4}}, mask{4}, {0, 0}), input_error);
  CHECK_THROWS_WITH(structure_of({"w", {4}}, mask{3}),
                    "structure of w (4): a mask over 3 units, expected 4");
  const structure none = structure_of({"w", {0, 4}}, mask{0});
  CHECK(none.size == 0);
  CHECK(none.blocks == 0U);
  CHECK_FALSE(none.empty_rows);
  CHECK_FALSE(none.empty_columns);
}
