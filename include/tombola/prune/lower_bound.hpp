#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/prune/detail/quantiles.hpp"
#include "tombola/prune/guard.hpp"
#include "tombola/prune/objective.hpp"
#include "tombola/prune/pruner.hpp"
#include "tombola/prune/schedule.hpp"

/// The guard that asks how sure one is: a candidate passes while a lower confidence bound, taken
/// over the examples one by one, stays above a floor. On 277 examples a fall of two points may be
/// luck; a bound knows that, a threshold on the metric does not.
///
///   // Stop unless we are 95 % sure that accuracy fell by less than 0.02.
///   auto found = prune_by_lower_bound(objective, lower_bound_rule::drop(0.02), {.share = 0.1});
namespace tombola {

/// Whose quantile a bound takes.
enum class bound_kind {
  student_t,  ///< Student's t with n - 1 degrees of freedom: allows for the variance being guessed
  normal,     ///< the normal one: a little closer to the mean, the same for many examples
};

/// How sure a bound is to be, and how it is computed.
struct confidence {
  double level = 0.95;  ///< the mean lies above the bound with this probability; 0.5 to below 1
  bound_kind kind = bound_kind::student_t;
};

namespace detail {

inline void require_level(const confidence& sure) {
  if (!(sure.level >= 0.5 && sure.level < 1.0)) {
    throw input_error("guard: confidence level of " + std::to_string(sure.level) +
                      ", expected a number from 0.5 to below 1");
  }
}

}  // namespace detail

/// One-sided lower confidence bound of the mean of results:
///
///   mean - q * s / sqrt(n),   s^2 = sum (x - mean)^2 / (n - 1),   q the quantile at the level
///
/// One result says nothing of its spread: the bound is minus infinity. Results that are all the
/// same have none: the bound is that value, which says more than few examples can know. The mean
/// and s are taken in two passes, in double, in order.
/// Throws input_error for no result, for one that is not finite, naming it, and for a level outside
/// 0.5 to 1.
/// Source: Student, "The probable error of a mean", Biometrika 6(1), 1908.
[[nodiscard]] inline double lower_bound_of_mean(std::span<const double> results,
                                                const confidence& sure = {}) {
  detail::require_level(sure);
  if (results.empty()) throw input_error("guard: bound of no result, expected at least one");
  double sum = 0.0;
  bool all_same = true;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!std::isfinite(results[i])) {
      throw input_error("guard: the result of example " + std::to_string(i) + " is " +
                        std::to_string(results[i]) + ", expected a finite number");
    }
    sum += results[i];
    all_same = all_same && results[i] == results[0];
  }
  const std::size_t n = results.size();
  if (n == 1) return -std::numeric_limits<double>::infinity();
  if (all_same) return results[0];
  const double mean = sum / static_cast<double>(n);
  double squares = 0.0;
  for (const double x : results) squares += (x - mean) * (x - mean);
  const double q = sure.kind == bound_kind::normal ? detail::normal_quantile(sure.level)
                                                   : detail::student_quantile(sure.level, n - 1);
  return mean - q * std::sqrt(squares / static_cast<double>(n - 1) / static_cast<double>(n));
}

/// The same for the mean of candidate[i] - share * baseline[i], example by example. Pairing takes
/// out what makes an example hard for both, so that the bound is as wide as the changes are, and
/// identical results give exactly 0 where the share is 1.
///
/// baseline, candidate: one result for each example, in one order. Throws shape_error if they are
/// not equally many, else as lower_bound_of_mean; differences are what is called a result there.
[[nodiscard]] inline double lower_bound_of_difference(std::span<const double> baseline,
                                                      std::span<const double> candidate,
                                                      double share = 1.0,
                                                      const confidence& sure = {}) {
  if (baseline.size() != candidate.size()) {
    throw shape_error("guard: results of " + std::to_string(candidate.size()) +
                      " examples, expected " + std::to_string(baseline.size()) +
                      ", as many as the full model's");
  }
  std::vector<double> differences(candidate.size());
  for (std::size_t i = 0; i < differences.size(); ++i) {
    differences[i] = candidate[i] - share * baseline[i];
  }
  return lower_bound_of_mean(differences, sure);
}

/// What is bounded and where the floor is: one of three rules, those of guard but on the bound.
class lower_bound_rule {
public:
  /// The mean over examples of candidate - baseline lies above -allowed.
  /// Throws input_error unless allowed is a number from 0 up, or for a level out of range.
  [[nodiscard]] static lower_bound_rule drop(double allowed, const confidence& sure = {}) {
    static_cast<void>(guard::drop(allowed));  // the same numbers are refused, in the same words
    return {1.0, -allowed, true, sure};
  }

  /// The mean over examples of candidate - share * baseline lies above 0, so that the mean of the
  /// candidate exceeds that share of the baseline's. Throws input_error unless 0 <= share <= 1, or
  /// for a level out of range.
  [[nodiscard]] static lower_bound_rule share_of_baseline(double share,
                                                          const confidence& sure = {}) {
    require_share(share, "guard: share of the baseline");
    return {share, 0.0, true, sure};
  }

  /// The mean of the candidate lies above the floor, whatever the baseline. Throws input_error if
  /// floor is NaN, or for a level out of range.
  [[nodiscard]] static lower_bound_rule at_least(double floor, const confidence& sure = {}) {
    static_cast<void>(guard::at_least(floor));
    return {0.0, floor, false, sure};
  }

  /// The bound for a candidate. Throws as lower_bound_of_difference does.
  [[nodiscard]] double bound(std::span<const double> baseline,
                             std::span<const double> candidate) const {
    return lower_bound_of_difference(baseline, candidate, share_, sure_);
  }

  /// The guard that holds bounds against the floor: a bound equal to it passes.
  [[nodiscard]] guard on_bounds() const { return guard::at_least(floor_); }

  /// Throws input_error where the full model's results cannot carry the rule: fewer than two of
  /// them, or, for a share of their mean, a mean that is not above 0 (see guard).
  void require_usable(std::span<const double> baseline) const {
    if (baseline.size() < 2) {
      throw input_error("guard: " + std::to_string(baseline.size()) +
                        " examples, expected at least 2: a bound needs their spread");
    }
    if (!paired_ || share_ == 1.0) return;
    double sum = 0.0;
    for (const double x : baseline) sum += x;
    // Fails for a sum of 0, below 0 or NaN, with guard's own sentence.
    static_cast<void>(
        guard::share_of_baseline(share_).threshold(sum / static_cast<double>(baseline.size())));
  }

private:
  lower_bound_rule(double share, double floor, bool paired, const confidence& sure)
      : share_{share}, floor_{floor}, paired_{paired}, sure_{sure} {
    detail::require_level(sure);
  }

  double share_, floor_;
  bool paired_;
  confidence sure_;
};

/// A metric that is the lower bound of a rule: for prune_weights, or anything else that asks for
/// one number under a ticket. Pass rule.on_bounds() as the guard.
///
/// ExamplesFn: (const ticket&) -> std::vector<double>, one result for each example, in one order.
/// The full model's results are taken once, when the first bound is asked for, so that a search
/// that goes on from a trace (resume.hpp) does not take them for nothing.
/// Memory: the full model's results and a candidate's, 8 bytes an example.
template <class ExamplesFn>
class lower_bound_metric {
public:
  /// full: the ticket of the baseline.
  lower_bound_metric(ExamplesFn examples, ticket full, const lower_bound_rule& rule)
      : examples_{std::move(examples)}, full_{std::move(full)}, rule_{rule} {}

  /// Throws input_error or shape_error as the rule does.
  [[nodiscard]] double operator()(const ticket& t) {
    if (baseline_.empty()) {
      baseline_ = examples_(full_);
      rule_.require_usable(baseline_);
    }
    if (t == full_) return rule_.bound(baseline_, baseline_);
    const std::vector<double> results = examples_(t);
    return rule_.bound(baseline_, results);
  }

private:
  ExamplesFn examples_;
  ticket full_;
  lower_bound_rule rule_;
  std::vector<double> baseline_;
};

/// An objective whose metric is the lower bound of a rule, over one that hands out its examples.
///
/// Every pruner takes it, with rule.on_bounds() as its guard; the trace then holds bounds, and the
/// metric of the ticket found is asked of the objective behind, which must outlive this one.
/// remembering_objective goes round it: what is remembered are the bounds.
template <example_objective O>
class lower_bound_objective {
public:
  lower_bound_objective(O& behind, const lower_bound_rule& rule)
      : behind_{behind}, metric_{ask{&behind}, full_ticket(behind), rule} {}

  [[nodiscard]] decltype(auto) groups() { return behind_.groups(); }
  [[nodiscard]] std::vector<tombola::scores> scores(const ticket& t) { return behind_.scores(t); }
  [[nodiscard]] double metric(const ticket& t) { return metric_(t); }

private:
  struct ask {
    O* behind;
    std::vector<double> operator()(const ticket& t) const { return behind->examples(t); }
  };

  O& behind_;
  lower_bound_metric<ask> metric_;
};

/// prune() under a rule on the lower bound: options.rule is replaced, the rest holds.
/// Throws as prune and the rule do.
template <example_objective O, class Progress = no_progress>
[[nodiscard]] prune_result prune_by_lower_bound(O& o,
                                                const lower_bound_rule& rule,
                                                prune_options options = {},
                                                Progress progress = {}) {
  lower_bound_objective<O> bounded{o, rule};
  options.rule = rule.on_bounds();
  return prune(bounded, options, std::move(progress));
}

}  // namespace tombola
