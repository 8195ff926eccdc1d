#pragma once

#include <cmath>
#include <string>

#include "tombola/core/error.hpp"
#include "tombola/prune/schedule.hpp"

namespace tombola {

/// When a search stops, as one of four rules with its amount.
///
/// The rule is chosen before the search; the threshold follows once the full model is measured. A
/// candidate passes while its metric is at or above it; a NaN never passes. Metrics are those of
/// the objective, such as accuracy or Matthews correlation; larger is better.
class guard {
public:
  /// metric >= share * baseline.
  ///
  /// A share of a baseline that is 0 or below says nothing: 90 % of -1 lies above -1, and any
  /// collapsed model reaches 90 % of 0. threshold() refuses such a baseline, and the caller chooses
  /// drop() or at_least() (spec Q17). Throws input_error unless 0 <= share <= 1.
  [[nodiscard]] static guard share_of_baseline(double share) {
    require_share(share, "guard: share of the baseline");
    return {rule::positive_share, share};
  }

  /// The same without the check, as the study computed it: with a baseline below 0 nothing is ever
  /// tried, with a baseline of 0 a collapsed model passes. Source: spec 4.1 and Q17.
  [[nodiscard]] static guard study(double share) {
    require_share(share, "guard: share of the baseline");
    return {rule::any_share, share};
  }

  /// metric >= baseline - allowed, in the metric's own unit. Throws input_error unless allowed is a
  /// number from 0 up.
  [[nodiscard]] static guard drop(double allowed) {
    if (!(allowed >= 0.0) || std::isinf(allowed)) {
      throw input_error("guard: allowed drop of " + std::to_string(allowed) +
                        ", expected a number from 0 up");
    }
    return {rule::drop, allowed};
  }

  /// metric >= floor, whatever the baseline. Throws input_error if floor is NaN.
  [[nodiscard]] static guard at_least(double floor) {
    if (std::isnan(floor)) throw input_error("guard: floor is NaN, expected a number");
    return {rule::floor, floor};
  }

  /// Lowest metric that passes. Throws input_error if the baseline is not finite, or is not above 0
  /// where the rule is a share of it.
  [[nodiscard]] double threshold(double baseline) const {
    if (!std::isfinite(baseline)) {
      throw input_error("guard: the full model's metric is " + std::to_string(baseline) +
                        ", expected a finite number");
    }
    switch (rule_) {
      case rule::positive_share:
        if (baseline <= 0.0) {
          throw input_error("guard: a share of the full model's metric needs one above 0, not " +
                            std::to_string(baseline) + "; allow a drop or name a floor instead");
        }
        return amount_ * baseline;
      case rule::any_share:
        return amount_ * baseline;
      case rule::drop:
        return baseline - amount_;
      case rule::floor:
        break;
    }
    return amount_;
  }

private:
  enum class rule { positive_share, any_share, drop, floor };
  guard(rule r, double amount) : rule_{r}, amount_{amount} {}

  rule rule_;
  double amount_;
};

}  // namespace tombola
