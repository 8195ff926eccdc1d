#pragma once

#include <limits>
#include <string>

namespace tombola {

/// Why a statistic has no value. `defined` means that it has one.
enum class reason {
  defined,
  no_units,               ///< the group has no units
  too_few_masks,          ///< agreement takes two masks or more, its interval three
  nothing_kept,           ///< neither mask keeps a unit
  first_keeps_nothing,    ///< a share of the first mask's units, of which there are none
  second_keeps_nothing,   ///< a share of the second mask's units, of which there are none
  a_mask_keeps_nothing,   ///< a share of the smaller mask's units, of which there are none
  a_mask_is_constant,     ///< one mask keeps all or none, so it varies with nothing
  masks_are_constant,     ///< every mask keeps all, or every mask none: chance agrees fully
  masks_are_identical,    ///< no unit on which the masks differ
  chance_has_one_answer,  ///< masks of these sizes overlap in one way only
  sizes_differ,           ///< an index for masks of one size
  too_few_units,          ///< a correlation takes two units or more
  scores_are_constant,    ///< a list of equal scores ranks nothing
};

/// A sentence fragment for messages and reports, such as `neither mask keeps a unit`.
[[nodiscard]] inline std::string to_string(reason why) {
  switch (why) {
    case reason::defined:
      return "defined";
    case reason::no_units:
      return "the group has no units";
    case reason::too_few_masks:
      return "too few masks";
    case reason::nothing_kept:
      return "neither mask keeps a unit";
    case reason::first_keeps_nothing:
      return "the first mask keeps nothing";
    case reason::second_keeps_nothing:
      return "the second mask keeps nothing";
    case reason::a_mask_keeps_nothing:
      return "a mask keeps nothing";
    case reason::a_mask_is_constant:
      return "a mask keeps all or none";
    case reason::masks_are_constant:
      return "every mask keeps all, or every mask none";
    case reason::masks_are_identical:
      return "no unit on which the masks differ";
    case reason::chance_has_one_answer:
      return "masks of these sizes overlap in one way only";
    case reason::sizes_differ:
      return "the masks keep different numbers of units";
    case reason::too_few_units:
      return "fewer than two units";
    case reason::scores_are_constant:
      return "all scores are equal";
  }
  return "unknown reason";
}

/// What every statistic returns: a number, or why there is none.
///
/// Without a reason to be undefined the value is never NaN. With one it always is, on purpose: a
/// plausible stand-in would slip unseen into a mean, a NaN does not.
struct estimate {
  double value = std::numeric_limits<double>::quiet_NaN();
  reason why = reason::no_units;

  [[nodiscard]] constexpr bool defined() const noexcept { return why == reason::defined; }
  [[nodiscard]] constexpr double value_or(double otherwise) const noexcept {
    return defined() ? value : otherwise;
  }

  /// Undefined answers are equal if their reasons are.
  friend constexpr bool operator==(const estimate& a, const estimate& b) noexcept {
    return a.why == b.why && (!a.defined() || a.value == b.value);
  }
};

/// An answer. Precondition: the value is a number.
[[nodiscard]] constexpr estimate defined(double value) noexcept {
  return {value, reason::defined};
}

/// No answer. Precondition: why is not reason::defined.
[[nodiscard]] constexpr estimate undefined(reason why) noexcept {
  return {std::numeric_limits<double>::quiet_NaN(), why};
}

namespace detail {

/// top / bottom, or `why` where bottom is 0.
[[nodiscard]] constexpr estimate ratio(double top, double bottom, reason why) noexcept {
  return bottom == 0.0 ? undefined(why) : defined(top / bottom);
}

}  // namespace detail

}  // namespace tombola
