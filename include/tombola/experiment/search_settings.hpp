#pragma once

// Heavy to include: holds JSON values.

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tombola/backend/precision.hpp"
#include "tombola/core/error.hpp"
#include "tombola/data/metric.hpp"
#include "tombola/data/task.hpp"
#include "tombola/experiment/objectives.hpp"
#include "tombola/experiment/search_weights.hpp"
#include "tombola/experiment/structure_criteria.hpp"
#include "tombola/prune/guard.hpp"
#include "tombola/prune/lower_bound.hpp"
#include "tombola/prune/schedule.hpp"
#include "tombola/prune/weight_scopes.hpp"

/// What find_masks.hpp can be asked for, what of it goes together, and what of it is in a run's
/// key.
namespace tombola::experiment {

/// Which units a search prunes.
enum class prune_what { heads, mlps, both, neurons, weights };

/// How a search goes.
enum class search_mode {
  standard,  ///< one step size for each kind, scores always of the accepted ticket
  study,     ///< spec 4.1 to 4.4, as the study's code did it
};

/// Which examples a search looks at.
enum class selection_split {
  dev,    ///< the development set, as the study; the reported score has then seen the search
  train,  ///< as many rows of the training set, drawn by the run's seed
};

/// When a search stops: which rule of prune/guard.hpp takes the amount.
enum class guard_rule {
  share,     ///< below this share of the full model's metric, which must be above 0
  drop,      ///< more than this below the full model's metric
  at_least,  ///< below this number
};

[[nodiscard]] constexpr const char* to_string(guard_rule r) noexcept {
  constexpr std::array<const char*, 3> names{"guard_share", "guard_drop", "guard_at_least"};
  return names[static_cast<std::size_t>(r)];
}
[[nodiscard]] constexpr const char* to_string(prune_what p) noexcept {
  constexpr std::array<const char*, 5> names{"heads", "mlps", "both", "neurons", "weights"};
  return names[static_cast<std::size_t>(p)];
}
[[nodiscard]] constexpr const char* to_string(search_mode m) noexcept {
  return m == search_mode::study ? "study" : "standard";
}
[[nodiscard]] constexpr const char* to_string(selection_split s) noexcept {
  return s == selection_split::train ? "train" : "dev";
}

/// Among which heads or neurons one ranking is made, and what loses a share of them in a step.
enum class structure_scope {
  global,  ///< those of all layers
  layer,   ///< those of each layer alone
};

[[nodiscard]] constexpr const char* to_string(structure_scope s) noexcept {
  return s == structure_scope::layer ? "layer" : "global";
}

/// Which heads, MLPs or neurons a search removes.
struct structure_rule {
  structure_criterion criterion = structure_criterion::sensitivity;
  structure_scope scope = structure_scope::global;

  friend bool operator==(const structure_rule&, const structure_rule&) = default;
};

struct search_settings {
  std::filesystem::path run;   ///< a training run's folder
  std::filesystem::path data;  ///< empty: where the run was trained from
  prune_what prune = prune_what::both;
  search_mode mode = search_mode::standard;
  estimator which = estimator::per_example;  ///< the study's mode always takes `cumulative`
  selection_split select = selection_split::dev;
  guard_rule rule = guard_rule::share;
  double guard_amount = 0.9;
  std::optional<double> confidence = {};  ///< the rule is on a lower bound at this level
  structure_rule structures;     ///< which heads, MLPs or neurons go; the study's mode: the default
  double step_share = 0.1;       ///< of the heads and of the MLPs in a step
  double weight_share = 0.05;    ///< of the weights: as the schedule says, left in a step
  std::size_t weight_steps = 0;  ///< at most; 0: 30 in the study's mode, else 60, or what is there
  weight_rule weights;           ///< which weights go; the study's mode has the default alone
  std::size_t batch = 64;
  product_precision precision = product_precision::float32;
};

namespace detail {

/// The rule on the lower bound. Precondition: there is a confidence.
[[nodiscard]] inline lower_bound_rule bound_of(const search_settings& s) {
  const confidence sure{.level = *s.confidence};
  switch (s.rule) {
    case guard_rule::drop:
      return lower_bound_rule::drop(s.guard_amount, sure);
    case guard_rule::at_least:
      return lower_bound_rule::at_least(s.guard_amount, sure);
    case guard_rule::share:
      break;
  }
  return lower_bound_rule::share_of_baseline(s.guard_amount, sure);
}

/// What a candidate has to reach: by its metric, or, with a confidence, by its bound.
[[nodiscard]] inline guard guard_of(const search_settings& s) {
  if (s.confidence) return bound_of(s).on_bounds();
  switch (s.rule) {
    case guard_rule::drop:
      return guard::drop(s.guard_amount);
    case guard_rule::at_least:
      return guard::at_least(s.guard_amount);
    case guard_rule::share:
      break;
  }
  return guard::share_of_baseline(s.guard_amount);
}

/// Throws input_error where structures are to be chosen in a way that these do not have.
inline void require_fits(const structure_rule& rule, const search_settings& s) {
  if (rule == structure_rule{}) return;
  if (s.prune == prune_what::weights) {
    throw input_error("a criterion or scope of structures, found a search for weights");
  }
  if (s.mode == search_mode::study) {
    throw input_error(
        "mode study ranks all units by sensitivity; found another criterion or scope");
  }
  if (rule.criterion == structure_criterion::entropy && s.prune != prune_what::heads) {
    throw input_error(
        std::string{"criterion entropy is of heads, which attend; found a search for "} +
        to_string(s.prune));
  }
  const bool has_mlps = s.prune == prune_what::mlps || s.prune == prune_what::both;
  if (rule.scope == structure_scope::layer && has_mlps) {
    throw input_error(std::string{"scope layer is of heads, neurons or weights: a layer has one "} +
                      "MLP; found a search for " + to_string(s.prune));
  }
}

/// Throws input_error where the weights are to be chosen in a way that this search does not have.
inline void require_fits(const weight_rule& rule, const search_settings& s) {
  if (rule.is_default()) return;
  if (s.prune != prune_what::weights) {
    throw input_error(
        std::string{"schedule, pattern, and such a criterion and scope are of weights, found a "} +
        "search for " + to_string(s.prune));
  }
  if (s.mode == search_mode::study) {
    throw input_error(
        "mode study prunes by magnitude in one ranking, a share of what is left in "
        "each step; found another criterion, scope, schedule or pattern");
  }
  if (rule.pattern &&
      (rule.within != weight_scope::global || rule.schedule != weight_schedule::share_of_left)) {
    throw input_error("a pattern of weights has no scope and no schedule, found both");
  }
}

/// Throws input_error for what this mode or these units do not have, before anything is read.
inline void require_fits(const search_settings& s) {
  const bool study = s.mode == search_mode::study;
  if (study && s.rule != guard_rule::share) {
    throw input_error("mode study takes a share of the full model's metric, found " +
                      std::string{to_string(s.rule)});
  }
  if (study && s.prune == prune_what::neurons) {
    throw input_error("mode study prunes heads, mlps, both or weights, found neurons");
  }
  if (study && s.confidence) {
    throw input_error("mode study looks at the metric itself, found a guard with a confidence");
  }
  (void)guard_of(s);
  if (s.prune != prune_what::weights) (void)step_size(s.step_share, 1);
  require_fits(s.structures, s);
  require_fits(s.weights, s);
}

/// What of a search over weights is in its key: what was not asked for is not, so that a new option
/// leaves other searches their folders.
inline void put_rule(nlohmann::json& settings, const search_settings& s) {
  const weight_rule& rule = s.weights;
  if (rule.criterion != weight_criterion::magnitude) {
    settings["criterion"] = to_string(rule.criterion);
  }
  if (rule.pattern) {
    settings["pattern"] =
        std::to_string(rule.pattern->kept) + ":" + std::to_string(rule.pattern->of);
    return;
  }
  if (rule.within != weight_scope::global) settings["scope"] = to_string(rule.within);
  if (rule.schedule != weight_schedule::share_of_left) {
    settings["schedule"] = to_string(rule.schedule);
  }
  settings["weight_share"] = s.weight_share;
  if (rule.schedule != weight_schedule::one_shot) settings["weight_steps"] = s.weight_steps;
}

/// The same of a search over heads, MLPs or neurons.
inline void put_structures(nlohmann::json& settings, const search_settings& s) {
  if (s.structures.criterion == structure_criterion::sensitivity) {
    settings["estimator"] = to_string(s.which);
  } else {
    settings["criterion"] = to_string(s.structures.criterion);
  }
  if (s.structures.scope != structure_scope::global) {
    settings["scope"] = to_string(s.structures.scope);
  }
  settings["step_share"] = s.step_share;
}

/// What a ticket says that its units were ranked by.
[[nodiscard]] inline const char* criterion_of(const search_settings& s) {
  if (s.prune == prune_what::weights) return to_string(s.weights.criterion);
  const structure_criterion c = s.structures.criterion;
  return c == structure_criterion::sensitivity ? to_string(s.which) : to_string(c);
}

/// What baseline, threshold and metrics of the search are; empty where they are the metric itself.
[[nodiscard]] inline std::string measure_of(const search_settings& s,
                                            const data::task_description& task) {
  if (!s.confidence) return {};
  const auto number = [](double x) { return nlohmann::json(x).dump(); };
  const std::string bound = ", lower bound at confidence " + number(*s.confidence);
  const std::string metric{data::to_string(task.selection)};
  if (s.rule == guard_rule::at_least) return metric + bound;
  const bool share = s.rule == guard_rule::share;
  return metric + " less " + (share ? number(s.guard_amount) + " of " : "") + "the baseline's" +
         bound;
}

}  // namespace detail

}  // namespace tombola::experiment
