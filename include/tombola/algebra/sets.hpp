#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/algebra/unit_sets.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola {

// A mask is the set of units it keeps. Everything throws shape_error where sizes or groups differ,
// and takes one pass over the words. To count a result without building it: overlap.hpp.
//
//   by value                   operator  in place   operator
//   united(a, b)               a | b     unite      a |= b
//   intersected(a, b)          a & b     intersect  a &= b
//   difference(a, b)           a - b     subtract   a -= b
//   symmetric_difference(a, b) a ^ b     toggle     a ^= b
//   complement(a)              ~a        invert     a.flip()

namespace detail {

/// f over the words of two masks.
template <unit_set A, unit_set B, class F>
[[nodiscard]] mask combined(const A& a, const B& b, const char* what, F f) {
  require_same_size(a, b, what);
  const std::span<const std::uint64_t> x = a.words(), y = b.words();
  mask m{a.size()};
  for (std::size_t w = 0; w < x.size(); ++w) m.set_word(w, f(x[w], y[w]));
  return m;
}

/// f folded from the left over the words of one mask or more.
template <unit_sets R, class F>
[[nodiscard]] mask folded(const R& masks, const char* what, F f) {
  if (masks.size() == 0) throw input_error(std::string{what} + ": no mask, expected at least one");
  mask m{common_size(masks, what)};
  for (std::size_t w = 0; w < m.words().size(); ++w) {
    std::uint64_t bits = std::span<const std::uint64_t>{masks[0].words()}[w];
    for (std::size_t j = 1; j < masks.size(); ++j) {
      bits = f(bits, std::span<const std::uint64_t>{masks[j].words()}[w]);
    }
    m.set_word(w, bits);
  }
  return m;
}

inline constexpr auto word_or = [](std::uint64_t x, std::uint64_t y) { return x | y; };
inline constexpr auto word_and = [](std::uint64_t x, std::uint64_t y) { return x & y; };
inline constexpr auto word_xor = [](std::uint64_t x, std::uint64_t y) { return x ^ y; };
inline constexpr auto word_minus = [](std::uint64_t x, std::uint64_t y) { return x & ~y; };

/// f over the masks of two tickets, group by group.
template <class F>
[[nodiscard]] ticket by_group(const ticket& a, const ticket& b, F f) {
  require_same_groups(a, b);
  std::vector<mask> masks;
  masks.reserve(a.masks().size());
  for (std::size_t g = 0; g < a.masks().size(); ++g) masks.push_back(f(a[g], b[g]));
  return ticket{{a.groups().begin(), a.groups().end()}, std::move(masks)};
}

/// f over the masks that several tickets hold for each group.
template <tickets R, class F>
[[nodiscard]] ticket by_group(const R& several, const char* what, F f) {
  if (several.size() == 0) {
    throw input_error(std::string{what} + ": no ticket, expected at least one");
  }
  require_same_groups(several);
  const auto groups = several[0].groups();
  std::vector<mask> masks;
  masks.reserve(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) masks.push_back(f(masks_of_group(several, g)));
  return ticket{{groups.begin(), groups.end()}, std::move(masks)};
}

}  // namespace detail

/// Units that a or b keeps.
template <unit_set A, unit_set B>
[[nodiscard]] mask united(const A& a, const B& b) {
  return detail::combined(a, b, "united", detail::word_or);
}

/// Units that a and b keep.
template <unit_set A, unit_set B>
[[nodiscard]] mask intersected(const A& a, const B& b) {
  return detail::combined(a, b, "intersected", detail::word_and);
}

/// Units that a keeps and b does not.
template <unit_set A, unit_set B>
[[nodiscard]] mask difference(const A& a, const B& b) {
  return detail::combined(a, b, "difference", detail::word_minus);
}

/// Units that one of a and b keeps, and not the other.
template <unit_set A, unit_set B>
[[nodiscard]] mask symmetric_difference(const A& a, const B& b) {
  return detail::combined(a, b, "symmetric_difference", detail::word_xor);
}

/// Units that a does not keep: the inverted mask.
template <unit_set A>
[[nodiscard]] mask complement(const A& a) {
  const std::span<const std::uint64_t> words = a.words();
  mask m{a.size()};
  for (std::size_t w = 0; w < words.size(); ++w) m.set_word(w, ~words[w]);
  return m;
}

/// Units that any mask keeps. Of many: throw input_error where there is no mask.
template <unit_sets R>
[[nodiscard]] mask united(const R& masks) {
  return detail::folded(masks, "united", detail::word_or);
}

/// Units that all masks keep; over the seeds of a task, the `super` units of the study.
template <unit_sets R>
[[nodiscard]] mask intersected(const R& masks) {
  return detail::folded(masks, "intersected", detail::word_and);
}

/// Units that the first mask keeps and none of the others.
template <unit_sets R>
[[nodiscard]] mask difference(const R& masks) {
  return detail::folded(masks, "difference", detail::word_minus);
}

/// Units that an odd number of masks keeps.
template <unit_sets R>
[[nodiscard]] mask symmetric_difference(const R& masks) {
  return detail::folded(masks, "symmetric_difference", detail::word_xor);
}

/// Whether both keep exactly the same units.
template <unit_set A, unit_set B>
[[nodiscard]] bool equal(const A& a, const B& b) {
  require_same_size(a, b, "equal");
  const std::span<const std::uint64_t> x = a.words(), y = b.words();
  return std::equal(x.begin(), x.end(), y.begin(), y.end());
}

/// Whether b keeps all that a keeps.
template <unit_set A, unit_set B>
[[nodiscard]] bool is_subset(const A& a, const B& b) {
  require_same_size(a, b, "is_subset");
  const std::span<const std::uint64_t> x = a.words(), y = b.words();
  for (std::size_t w = 0; w < x.size(); ++w) {
    if ((x[w] & ~y[w]) != 0) return false;
  }
  return true;
}

// Whole tickets, group by group. The result has the groups of its arguments and an empty
// provenance: it comes from several tickets, and only the caller knows what it is for.

[[nodiscard]] inline ticket united(const ticket& a, const ticket& b) {
  return detail::by_group(a, b, [](const mask& x, const mask& y) { return united(x, y); });
}
[[nodiscard]] inline ticket intersected(const ticket& a, const ticket& b) {
  return detail::by_group(a, b, [](const mask& x, const mask& y) { return intersected(x, y); });
}
[[nodiscard]] inline ticket difference(const ticket& a, const ticket& b) {
  return detail::by_group(a, b, [](const mask& x, const mask& y) { return difference(x, y); });
}
[[nodiscard]] inline ticket symmetric_difference(const ticket& a, const ticket& b) {
  return detail::by_group(a, b,
                          [](const mask& x, const mask& y) { return symmetric_difference(x, y); });
}
[[nodiscard]] inline ticket complement(const ticket& a) {
  return detail::by_group(a, a, [](const mask& x, const mask&) { return complement(x); });
}

// Of several tickets, as of several masks. Throw input_error where there is no ticket.

template <tickets R>
[[nodiscard]] ticket united(const R& several) {
  return detail::by_group(several, "united", [](const auto& masks) { return united(masks); });
}
template <tickets R>
[[nodiscard]] ticket intersected(const R& several) {
  return detail::by_group(several, "intersected",
                          [](const auto& masks) { return intersected(masks); });
}
template <tickets R>
[[nodiscard]] ticket difference(const R& several) {
  return detail::by_group(several, "difference",
                          [](const auto& masks) { return difference(masks); });
}
template <tickets R>
[[nodiscard]] ticket symmetric_difference(const R& several) {
  return detail::by_group(several, "symmetric_difference",
                          [](const auto& masks) { return symmetric_difference(masks); });
}

/// Whether both tickets keep exactly the same units. Provenance does not count.
[[nodiscard]] inline bool equal(const ticket& a, const ticket& b) {
  require_same_groups(a, b);
  return std::equal(a.masks().begin(), a.masks().end(), b.masks().begin());
}

/// Whether b keeps all that a keeps, in every group.
[[nodiscard]] inline bool is_subset(const ticket& a, const ticket& b) {
  require_same_groups(a, b);
  for (std::size_t g = 0; g < a.masks().size(); ++g) {
    if (!is_subset(a[g], b[g])) return false;
  }
  return true;
}

// In place: a becomes the result, nothing is allocated, and where the sizes or groups differ a
// stays as it is. A ticket keeps its groups; its provenance becomes empty, as that of the result by
// value.

/// Keeps what b keeps, too.
template <unit_set B>
void unite(mask& a, const B& b) {
  require_same_size(a, b, "unite");
  a |= b;
}
/// Prunes what b does not keep.
template <unit_set B>
void intersect(mask& a, const B& b) {
  require_same_size(a, b, "intersect");
  a &= b;
}
/// Prunes what b keeps.
template <unit_set B>
void subtract(mask& a, const B& b) {
  require_same_size(a, b, "subtract");
  a -= b;
}
/// Changes the units that b keeps: kept becomes pruned, pruned becomes kept.
template <unit_set B>
void toggle(mask& a, const B& b) {
  require_same_size(a, b, "toggle");
  a ^= b;
}
/// Changes every unit.
inline void invert(mask& a) noexcept {
  a.flip();
}

inline void unite(ticket& a, const ticket& b) {
  a |= b;
}
inline void intersect(ticket& a, const ticket& b) {
  a &= b;
}
inline void subtract(ticket& a, const ticket& b) {
  a -= b;
}
inline void toggle(ticket& a, const ticket& b) {
  a ^= b;
}
inline void invert(ticket& a) noexcept {
  a.flip();
}

// Operators, for masks and views in any mixture and for two tickets; no other type gets here. They
// bind as for integers: `-` first, then `==`, then `&`, `^`, `|`. So a & b == c asks for
// parentheses, and without them does not compile.

template <unit_set A, unit_set B>
[[nodiscard]] mask operator|(const A& a, const B& b) {
  return united(a, b);
}
template <unit_set A, unit_set B>
[[nodiscard]] mask operator&(const A& a, const B& b) {
  return intersected(a, b);
}
template <unit_set A, unit_set B>
[[nodiscard]] mask operator-(const A& a, const B& b) {
  return difference(a, b);
}
template <unit_set A, unit_set B>
[[nodiscard]] mask operator^(const A& a, const B& b) {
  return symmetric_difference(a, b);
}
template <unit_set A>
[[nodiscard]] mask operator~(const A& a) {
  return complement(a);
}

[[nodiscard]] inline ticket operator|(const ticket& a, const ticket& b) {
  return united(a, b);
}
[[nodiscard]] inline ticket operator&(const ticket& a, const ticket& b) {
  return intersected(a, b);
}
[[nodiscard]] inline ticket operator-(const ticket& a, const ticket& b) {
  return difference(a, b);
}
[[nodiscard]] inline ticket operator^(const ticket& a, const ticket& b) {
  return symmetric_difference(a, b);
}
[[nodiscard]] inline ticket operator~(const ticket& a) {
  return complement(a);
}

}  // namespace tombola
