#pragma once

// xtensor on both ends: any expression goes in as scores or as a mask, both come out as views or as
// arrays. This is the one header that knows both sides; it needs xtensor 0.24 or later.

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xexpression.hpp>
#include <xtensor/xgenerator.hpp>
#include <xtensor/xshape.hpp>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/scores.hpp"

namespace tombola::interop {

namespace detail {

/// `(2, 5)`: the index of unit `place` of a group.
[[nodiscard]] inline std::string index_text(std::size_t place,
                                            const std::vector<std::size_t>& extents) {
  std::string s = ")";
  for (std::size_t a = extents.size(); a > 0; --a) {
    s.insert(0, (a > 1 ? ", " : "") + std::to_string(place % extents[a - 1]));
    place /= extents[a - 1];
  }
  return "(" + s;
}

/// Throws shape_error, naming both shapes, unless they are equal.
inline void require_shape(const group& found, const group& expected, const char* what) {
  if (found.extents != expected.extents) {
    throw shape_error(std::string{what} + ": an expression of shape " + to_string(found) +
                      ", expected " + to_string(expected));
  }
}

/// Calls f(place, value) for every element, in row-major order whatever the expression's layout.
template <class E, class F>
void for_elements(const E& e, F f) {
  std::size_t place = 0;
  const auto last = e.template end<xt::layout_type::row_major>();
  for (auto at = e.template begin<xt::layout_type::row_major>(); at != last; ++at) f(place++, *at);
}

/// Reads one bit of a mask by its index in a group: what a generator of xtensor calls.
class bit_reader {
public:
  bit_reader(mask_view bits, const std::vector<std::size_t>& extents)
      : bits_{bits}, extents_{extents} {}

  template <class... Index>
  [[nodiscard]] bool operator()(Index... index) const {
    const std::array<std::size_t, sizeof...(Index)> all{static_cast<std::size_t>(index)...};
    return element(all.begin(), all.end());
  }

  /// Of more indices than axes the last ones count, of fewer the first are 0, as in xtensor.
  template <class It>
  [[nodiscard]] bool element(It first, It last) const {
    auto given = static_cast<std::size_t>(last - first);
    for (; given > extents_.size(); --given) ++first;
    std::size_t unit = 0;
    for (std::size_t a = extents_.size() - given; a < extents_.size(); ++a, ++first) {
      unit = unit * extents_[a] + static_cast<std::size_t>(*first);
    }
    return bits_[unit];
  }

private:
  mask_view bits_;
  std::vector<std::size_t> extents_;
};

}  // namespace detail

/// A group of this name with an expression's shape. An expression without axes has one unit.
template <class E>
[[nodiscard]] group group_of(std::string name, const xt::xexpression<E>& expression) {
  const auto& shape = expression.derived_cast().shape();
  group g{std::move(name), {}};
  for (const auto extent : shape) g.extents.push_back(static_cast<std::size_t>(extent));
  return g;
}

/// The values of an expression as scores of a group of its shape. Units are numbered row-major,
/// whatever the expression's layout; the expression is evaluated once. Wider numbers are rounded to
/// float; infinities stay.
///
/// Throws input_error, naming group and index, at the first value that is NaN or that is finite and
/// out of float's range.
template <class E>
[[nodiscard]] scores scores_from(std::string name, const xt::xexpression<E>& expression) {
  const group g = group_of(std::move(name), expression);
  std::vector<float> values(g.size());
  detail::for_elements(expression.derived_cast(), [&](std::size_t unit, auto value) {
    static_assert(std::is_arithmetic_v<decltype(value)>, "scores are made of numbers");
    const double x = static_cast<double>(value);
    const float rounded = static_cast<float>(x);
    if (std::isnan(x) || (std::isinf(rounded) && !std::isinf(x))) {
      throw input_error(
          "scores for " + to_string(g) + ": unit " + detail::index_text(unit, g.extents) + " is " +
          (std::isnan(x) ? "NaN, expected a number"
                         : std::to_string(x) + ", expected a number that fits a float"));
    }
    values[unit] = rounded;
  });
  return scores{g, std::move(values)};
}

/// The same for a group that is known. Throws shape_error, naming both shapes, if they differ.
template <class E>
[[nodiscard]] scores scores_from(const group& g, const xt::xexpression<E>& expression) {
  detail::require_shape(group_of(g.name, expression), g, "scores_from");
  return scores_from(g.name, expression);
}

/// The values of an expression as a mask over as many units, numbered row-major: 1 or true is kept,
/// 0 or false pruned. Numbers of any type; `importance > 0.5` is such an expression.
///
/// Throws input_error, naming the index, at the first value that is neither 0 nor 1, NaN included.
template <class E>
[[nodiscard]] mask mask_from(const xt::xexpression<E>& expression) {
  const group g = group_of("mask", expression);
  mask m{g.size()};
  detail::for_elements(expression.derived_cast(), [&](std::size_t unit, auto value) {
    static_assert(std::is_arithmetic_v<decltype(value)>, "masks are made of numbers");
    const double x = static_cast<double>(value);
    if (!(x == 0.0 || x == 1.0)) {
      throw input_error("mask_from: element " + detail::index_text(unit, g.extents) + " is " +
                        (std::isnan(x) ? "NaN" : std::to_string(x)) + ", expected 0 or 1");
    }
    if (x == 1.0) m.set(unit);
  });
  return m;
}

/// The same for a group that is known. Throws shape_error, naming both shapes, if they differ.
template <class E>
[[nodiscard]] mask mask_from(const group& g, const xt::xexpression<E>& expression) {
  detail::require_shape(group_of(g.name, expression), g, "mask_from");
  return mask_from(expression);
}

/// Scores as a read-only xtensor expression of their group's shape, without a copy. It lives no
/// longer than the scores.
[[nodiscard]] inline auto view(const scores& s) {
  return xt::adapt(s.values().data(), s.size(), xt::no_ownership(), s.group().extents);
}
auto view(const scores&&) = delete;  // it would outlive what it shows

/// A mask as a lazy expression of bool with the shape of `g`: bits are read when asked for, nothing
/// is unpacked. It lives no longer than the mask. Throws shape_error if the group has another
/// number of units.
[[nodiscard]] inline auto view(const mask& m, const group& g) {
  if (m.size() != g.size()) {
    throw shape_error("view: a mask over " + std::to_string(m.size()) + " units, expected " +
                      std::to_string(g.size()) + " for " + to_string(g));
  }
  using shape = xt::dynamic_shape<std::size_t>;
  return xt::xgenerator<detail::bit_reader, bool, shape>{detail::bit_reader{m, g.extents},
                                                         shape(g.extents.begin(), g.extents.end())};
}
auto view(const mask&&, const group&) = delete;

/// A mask as an array of its own, 0 and 1 as T, with the shape of `g`. Memory: sizeof(T) a unit,
/// where the mask takes a bit. Throws as view() does.
template <class T = bool>
[[nodiscard]] xt::xarray<T> array_of(const mask& m, const group& g) {
  return xt::cast<T>(view(m, g));
}

}  // namespace tombola::interop
