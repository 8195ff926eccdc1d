#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/algebra/estimate.hpp"
#include "tombola/core/mask.hpp"

namespace tombola::test {

// Twins: the same units as a mask and as a std::set, drawn and packed without the library. Every
// case is compared whole and asserts only where something differs, so that ten thousand are quick.

using set_of_units = std::set<std::size_t>;

inline set_of_units union_of(const set_of_units& a, const set_of_units& b) {
  set_of_units c;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::inserter(c, c.end()));
  return c;
}
inline set_of_units intersection_of(const set_of_units& a, const set_of_units& b) {
  set_of_units c;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(c, c.end()));
  return c;
}
inline set_of_units difference_of(const set_of_units& a, const set_of_units& b) {
  set_of_units c;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(c, c.end()));
  return c;
}
inline set_of_units symmetric_difference_of(const set_of_units& a, const set_of_units& b) {
  set_of_units c;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(c, c.end()));
  return c;
}
inline set_of_units complement_of(const set_of_units& a, std::size_t n) {
  set_of_units c;
  for (std::size_t i = 0; i < n; ++i) {
    if (!a.contains(i)) c.insert(c.end(), i);
  }
  return c;
}

/// The units as words of 64 bits.
inline std::vector<std::uint64_t> words_of_units(std::size_t n, const set_of_units& kept) {
  std::vector<std::uint64_t> words((n + 63) / 64);
  for (const std::size_t i : kept) words[i / 64] |= std::uint64_t{1} << (i % 64);
  return words;
}

/// Units of one group, twice.
struct twin {
  std::size_t n = 0;
  set_of_units kept;
  mask bits;

  twin(std::size_t size, set_of_units set)
      : n{size}, kept{std::move(set)}, bits{mask::from_words(n, words_of_units(n, kept))} {}
};

/// One of many random cases, to draw from and to compare in.
class random_case {
public:
  static constexpr std::array<std::size_t, 9> sizes{0, 1, 63, 64, 65, 127, 128, 129, 1000};
  static constexpr std::array<double, 5> densities{0.0, 0.02, 0.5, 0.98, 1.0};

  random_case(std::size_t number, std::uint64_t seed)
      : number_{number}, random_{seed * 1'000'003 + number} {}

  [[nodiscard]] std::size_t number() const { return number_; }
  /// The size of this case's masks: one after another.
  [[nodiscard]] std::size_t size() const { return sizes[number_ % sizes.size()]; }

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  set_of_units draw(std::size_t n, double density) {
    set_of_units kept;
    for (std::size_t i = 0; i < n; ++i) {
      if (uniform() < density) kept.insert(kept.end(), i);
    }
    return kept;
  }
  /// Of any density, or a relative of those before: the same, a part or the opposite of one.
  twin draw_beside(std::size_t n, const std::vector<twin>& before) {
    const std::size_t kin = before.empty() ? 3 : below(12);
    if (kin > 2) return {n, draw(n, densities[below(densities.size())])};
    const set_of_units& other = before[below(before.size())].kept;
    if (kin == 0) return {n, other};
    if (kin == 1) return {n, intersection_of(other, draw(n, 0.5))};
    return {n, complement_of(other, n)};
  }
  /// k masks over n units.
  std::vector<twin> draw_masks(std::size_t k, std::size_t n) {
    std::vector<twin> masks;
    for (std::size_t j = 0; j < k; ++j) masks.push_back(draw_beside(n, masks));
    return masks;
  }

  void expect(bool ok, const char* what) const {
    if (!ok) FAIL(what << " is wrong in case " << number_ << ", masks over " << size() << " units");
  }
  /// Exactly these units, and nothing past the end.
  void same(const mask& m, std::size_t n, const set_of_units& kept, const char* what) const {
    same(m, n, words_of_units(n, kept), what);
  }
  void same(const mask& m,
            std::size_t n,
            const std::vector<std::uint64_t>& expected,
            const char* what) const {
    const std::span<const std::uint64_t> words = m.words();
    expect(
        m.size() == n && std::equal(words.begin(), words.end(), expected.begin(), expected.end()),
        what);
  }
  /// The number, up to rounding, or the same reason for having none.
  void same(const estimate& e, const estimate& expected, const char* what) const {
    const bool close =
        e.defined() && expected.defined() &&
        std::abs(e.value - expected.value) <= 1e-11 * std::max(1.0, std::abs(expected.value));
    const bool absent = !e.defined() && std::isnan(e.value);
    if (e.why == expected.why && (close || absent)) return;
    FAIL(what << " is " << e.value << " (" << to_string(e.why) << "), expected " << expected.value
              << " (" << to_string(expected.why) << ") in case " << number_ << ", masks over "
              << size() << " units");
  }

private:
  std::size_t number_;
  std::mt19937_64 random_;
};

/// Calls f(case) for so many cases.
template <class F>
void for_cases(std::size_t cases, std::uint64_t seed, F f) {
  for (std::size_t number = 0; number < cases; ++number) {
    random_case c{number, seed};
    f(c);
  }
  SUCCEED(cases << " cases");
}

/// The masks alone.
inline std::vector<mask> masks_of(const std::vector<twin>& twins) {
  std::vector<mask> masks;
  for (const twin& t : twins) masks.push_back(t.bits);
  return masks;
}

/// Of each of n units, how many of the sets keep it.
inline std::vector<std::size_t> times_kept(std::size_t n, const std::vector<twin>& twins) {
  std::vector<std::size_t> times(n, 0);
  for (const twin& t : twins) {
    for (const std::size_t i : t.kept) ++times[i];
  }
  return times;
}

}  // namespace tombola::test
