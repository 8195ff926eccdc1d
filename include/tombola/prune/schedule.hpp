#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <vector>

#include "tombola/core/error.hpp"

/// Schedules: how many units go in which step, as integers, so that a table of sizes can be made
/// without a model: survivors(share_of_left{0.05, 30}, 85'017'600).
///
/// Wherever a share of units is meant, the product is taken in double and rounded to the nearest
/// integer, halves to the even one; only the steps of structured searches are rounded down.
namespace tombola {

/// x to the nearest integer, halves to the even one, whatever the rounding mode of the thread.
/// Precondition: 0 <= x < 2^53.
[[nodiscard]] inline std::size_t round_half_even(double x) noexcept {
  const double down = std::floor(x);
  const auto n = static_cast<std::size_t>(down);
  const double over = x - down;
  return over > 0.5 || (over == 0.5 && n % 2 == 1) ? n + 1 : n;
}

/// Throws input_error unless 0 <= share <= 1.
inline void require_share(double share, const std::string& what) {
  if (!(share >= 0.0 && share <= 1.0)) {
    throw input_error(what + " is " + std::to_string(share) + ", expected a number from 0 to 1");
  }
}

/// round_half_even(share * n), the product in double: what one step of spec 4.4 removes.
/// Throws input_error unless 0 <= share <= 1.
[[nodiscard]] inline std::size_t share_of(double share, std::size_t n) {
  require_share(share, "share of units");
  return round_half_even(share * static_cast<double>(n));
}

/// Units that one step of a structured search removes: floor(share * n), at least 1.
/// 10 % of BERT-base's 144 heads are 14, of its 12 MLPs 1.
/// Throws input_error unless 0 < share <= 1.
[[nodiscard]] inline std::size_t step_size(double share, std::size_t n) {
  if (!(share > 0.0 && share <= 1.0)) {
    throw input_error("share of units in a step is " + std::to_string(share) +
                      ", expected a number above 0 and up to 1");
  }
  return std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(n)));
}

/// How many units go in each step.
///
///   steps()                  how many steps there are
///   remove(step, n, kept)    units to remove in step 1, 2, ..., when n stood at first and kept are
///                            left; at most kept
///
/// A schedule may have `static constexpr bool never_less_later = true`: from as many that are left
/// a later step never removes fewer. A search then ends where the last step would remove nothing,
/// and does not go through those before it.
template <class S>
concept schedule = requires(const S& s, std::size_t i) {
  { s.steps() } -> std::convertible_to<std::size_t>;
  { s.remove(i, i, i) } -> std::convertible_to<std::size_t>;
};

/// A share of all units is gone after one step, from 0 (nothing goes) to 1 (everything does). Where
/// fewer than all were left before it, what was gone counts.
struct one_shot {
  static constexpr bool never_less_later = true;

  double share = 0.5;

  [[nodiscard]] std::size_t steps() const noexcept { return 1; }
  [[nodiscard]] std::size_t remove(std::size_t, std::size_t n, std::size_t kept) const {
    return kept - std::min(kept, n - share_of(share, n));
  }
};

/// In each step a share of what is left: n goes to n - round_half_even(share * n).
/// Source: spec 4.4; the published masks used 0.05 and at most 30 steps.
struct share_of_left {
  static constexpr bool never_less_later = true;

  double share = 0.05;
  std::size_t count = 30;

  [[nodiscard]] std::size_t steps() const noexcept { return count; }
  [[nodiscard]] std::size_t remove(std::size_t, std::size_t, std::size_t kept) const {
    return share_of(share, kept);
  }
};

/// In each step the same share of what stood at first, until nothing is left.
struct share_of_whole {
  static constexpr bool never_less_later = true;

  double share = 0.1;
  std::size_t count = 10;

  [[nodiscard]] std::size_t steps() const noexcept { return count; }
  [[nodiscard]] std::size_t remove(std::size_t, std::size_t n, std::size_t kept) const {
    return std::min(kept, share_of(share, n));
  }
};

/// Quickly at first, slowly at the end: after step t of T the share final * (1 - (1 - t/T)^3) of
/// all units is gone.
/// Source: M. Zhu and S. Gupta, "To prune, or not to prune", 2017, equation 1, from sparsity 0.
struct cubic {
  static constexpr bool never_less_later = true;

  double final_share = 0.5;
  std::size_t count = 10;

  [[nodiscard]] std::size_t steps() const noexcept { return count; }
  [[nodiscard]] std::size_t remove(std::size_t step, std::size_t n, std::size_t kept) const {
    const double left = 1.0 - static_cast<double>(step) / static_cast<double>(count);
    const std::size_t gone = share_of(final_share * (1.0 - left * left * left), n);
    return kept - std::min(kept, n - gone);
  }
};

/// Equal shares of what is left, so that `final_share` of all units is gone after the last round:
/// after round t of T, n * (1 - final_share)^(t/T) are left.
/// Source: J. Frankle and M. Carbin, "The lottery ticket hypothesis", ICLR 2019, section 2.
struct iterative {
  static constexpr bool never_less_later = true;

  double final_share = 0.5;
  std::size_t count = 10;

  [[nodiscard]] std::size_t steps() const noexcept { return count; }
  [[nodiscard]] std::size_t remove(std::size_t step, std::size_t n, std::size_t kept) const {
    require_share(final_share, "share of units");
    const double rounds = static_cast<double>(step) / static_cast<double>(count);
    return kept - std::min(kept, share_of(std::pow(1.0 - final_share, rounds), n));
  }
};

static_assert(schedule<one_shot> && schedule<share_of_left> && schedule<share_of_whole>);
static_assert(schedule<cubic> && schedule<iterative>);

/// Whether no step removes anything where `kept` of n are left, as far as the schedule can tell.
template <schedule S>
[[nodiscard]] bool is_over(const S& s, std::size_t n, std::size_t kept) {
  if constexpr (requires { requires S::never_less_later; }) {
    return s.remove(s.steps(), n, kept) == 0;
  } else {
    return false;
  }
}

/// Units left before the first step and after each: n_0 = n, n_1, ..., n_T.
template <schedule S>
[[nodiscard]] std::vector<std::size_t> survivors(const S& s, std::size_t n) {
  std::vector<std::size_t> left{n};
  for (std::size_t step = 1; step <= s.steps(); ++step) {
    left.push_back(left.back() - s.remove(step, n, left.back()));
  }
  return left;
}

}  // namespace tombola
