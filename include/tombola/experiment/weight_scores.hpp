#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/algebra/structure.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/data/batches.hpp"
#include "tombola/experiment/observer.hpp"
#include "tombola/experiment/predict.hpp"
#include "tombola/experiment/task_data.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/weight_statistics.hpp"
#include "tombola/prune/activation_criteria.hpp"
#include "tombola/prune/criteria.hpp"
#include "tombola/prune/schedule.hpp"
#include "tombola/prune/weight_scopes.hpp"

/// Scores of single weights of a model, by criterion, and tickets from them in one step.
///
///   // Wanda as published: half of the weights of each output.
///   ticket t = one_shot_ticket(model, dev, weight_criterion::wanda, weight_scope::row, 0.5);
namespace tombola::experiment {

/// What a weight's score is made of. With w the weight and g_x the gradient of example x's own
/// loss, without dropout; the three of gradients differ in what may cancel before it counts:
///
///   magnitude  |w|                              no data
///   random     uniform in [0, 1]                no data: what a criterion has to beat
///   snip       |w sum_x g_x|, divided by its    all examples: the first-order change of the loss
///              sum over all weights             when w goes
///   taylor     |w| sqrt(sum_b G_b^2)            those of one batch; G_b is the sum of its g_x
///   fisher     |w| sqrt(sum_x g_x^2)            nothing
///   wanda      |w| times the norm of its input  no gradients
///
/// So taylor ranks as snip does with all examples in one batch, and as fisher with one in each. The
/// papers of taylor and fisher rank by the squares of what is here, fisher's divided by twice the
/// number of examples: that is the same ranking, but squares of small numbers are 0 in a float.
/// Source: N. Lee et al., "SNIP", ICLR 2019, equation 6 (there at initialisation); P. Molchanov et
/// al., "Importance estimation for neural network pruning", CVPR 2019, equation 8, averaged over
/// batches; L. Theis et al., "Faster gaze prediction with dense networks and Fisher pruning", 2018;
/// M. Sun et al., "A simple and effective pruning approach for large language models", 2023 (within
/// a row: weight_scope::row).
enum class weight_criterion { magnitude, random, taylor, fisher, snip, wanda };

[[nodiscard]] constexpr const char* to_string(weight_criterion c) noexcept {
  constexpr std::array<const char*, 6> names{"magnitude", "random", "taylor",
                                             "fisher",    "snip",   "wanda"};
  return names[static_cast<std::size_t>(c)];
}

/// What a pass has to collect for a criterion; nothing for those that need no data.
[[nodiscard]] constexpr nn::wanted_statistics statistics_for(weight_criterion c) noexcept {
  return {.gradients = c == weight_criterion::snip,
          .squares = c == weight_criterion::taylor || c == weight_criterion::fisher,
          .input_norms = c == weight_criterion::wanda};
}

/// Whether the criterion goes through a set in batches of any size, so that the pass says what the
/// model predicts as well. Fisher takes its examples one by one.
[[nodiscard]] constexpr bool in_one_pass(weight_criterion c) noexcept {
  const nn::wanted_statistics wanted = statistics_for(c);
  return c != weight_criterion::fisher &&
         (wanted.gradients || wanted.squares || wanted.input_norms);
}

/// Statistics of a model's weights over a whole set, in file order, `batch` examples at a time:
/// what several criteria want at once comes out of one pass. No pass where nothing is wanted.
/// said: where to append what the model predicts in that pass; null for nowhere.
/// Throws as weight_statistics does; interrupted where the observer asks for an end; input_error
/// where batch is 0. Memory: weight_statistics' and a training workspace's.
template <backend B>
[[nodiscard]] nn::weight_statistics collect_statistics(nn::bert<B>& model,
                                                       const data::encoded_set& set,
                                                       std::vector<group> groups,
                                                       nn::wanted_statistics wanted,
                                                       std::size_t batch,
                                                       const observer& watch = {},
                                                       predictions* said = nullptr) {
  nn::weight_statistics s{model, std::move(groups), wanted};
  (void)data::batch_count(set.size(), batch);  // its sentence
  if (!wanted.gradients && !wanted.squares && !wanted.input_norms) return s;
  const std::vector<std::size_t> order = data::file_order(set.size());
  nn::workspace<B> w{model.device(), model.config(), limits_of(set, order, batch),
                     nn::keep::gradients};
  packed_batch host;
  for (std::size_t first = 0; first < set.size(); first += batch) {
    data::fill_batch(set, order, first, std::min(batch, set.size() - first), host);
    const auto logits = s.add(model, w, host);
    if (said != nullptr) append_predictions(model.device(), logits, *said);
    if (watch.wants_stop()) {
      throw interrupted("stopped while scoring weights; the same command scores them again");
    }
  }
  return s;
}

namespace detail {

/// |w| times a number for each weight.
template <class Factor>
[[nodiscard]] scores weighted(const group& g, std::span<const float> weights, Factor factor) {
  std::vector<float> out(weights.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(std::abs(static_cast<double>(weights[i])) * factor(i));
  }
  return {g, std::move(out)};
}

/// Sum over all weights of |w sum_x g_x|, in double, in order.
template <backend B>
[[nodiscard]] double sum_of_sensitivities(nn::bert<B>& model, const nn::weight_statistics& s) {
  double sum = 0.0;
  for (std::size_t g = 0; g < s.groups().size(); ++g) {
    const std::vector<float> w = nn::effective_weights(model, s.groups()[g]);
    const auto gradient = s.gradient(g);
    for (std::size_t i = 0; i < w.size(); ++i) {
      sum += std::abs(static_cast<double>(w[i]) * gradient[i]);
    }
  }
  return sum;
}

}  // namespace detail

/// Scores by one criterion for every group of the statistics, from the model's effective weights:
/// those under a ticket that it masks score 0, but for random.
///
/// s: of this model, as it was when they were collected. Fisher takes the squares that are there:
/// exact only where they came from batches of one example. seed: of random, nothing else; a group's
/// place among the groups is part of its draws. Where all of SNIP's products are 0, so are its
/// scores. Throws input_error, naming what is missing, where s lacks what the criterion needs, or,
/// naming group and weight, where a score is NaN.
/// Memory: a float per weight.
template <backend B>
[[nodiscard]] std::vector<scores> scores_of_weights(nn::bert<B>& model,
                                                    const nn::weight_statistics& s,
                                                    weight_criterion c,
                                                    std::uint64_t seed = 0) {
  const nn::wanted_statistics needs = statistics_for(c), has = s.wanted();
  if ((needs.gradients && !has.gradients) || (needs.squares && !has.squares) ||
      (needs.input_norms && !has.input_norms)) {
    throw input_error(std::string{"criterion "} + to_string(c) + ": the statistics have no " +
                      (needs.gradients ? "gradients"
                       : needs.squares ? "squares of gradients"
                                       : "norms of inputs"));
  }
  const double all = c == weight_criterion::snip ? detail::sum_of_sensitivities(model, s) : 0.0;
  std::vector<scores> out;
  for (std::size_t g = 0; g < s.groups().size(); ++g) {
    const group& its = s.groups()[g];
    if (c == weight_criterion::random) {
      out.push_back(random_criterion{seed}(its, static_cast<std::uint32_t>(g)));
      continue;
    }
    const std::vector<float> w = nn::effective_weights(model, its);
    switch (c) {
      case weight_criterion::snip:
        out.push_back(detail::weighted(its, w, [&](std::size_t i) {
          return all == 0.0 ? 0.0 : std::abs(s.gradient(g)[i]) / all;
        }));
        break;
      case weight_criterion::taylor:
      case weight_criterion::fisher:
        out.push_back(
            detail::weighted(its, w, [&](std::size_t i) { return std::sqrt(s.squares(g)[i]); }));
        break;
      case weight_criterion::wanda:
        out.push_back(wanda_criterion{}(its, w, s.input_norms(g)));
        break;
      case weight_criterion::magnitude:
      case weight_criterion::random:
        out.push_back(magnitude_criterion{}(its, w));
        break;
    }
  }
  return out;
}

/// How a set is gone through for scores.
struct weight_score_settings {
  std::size_t batch = 32;  ///< examples of a batch; a part of what taylor is
  std::uint64_t seed = 0;  ///< of random
};

/// Scores of some weights of a model by one criterion, over a whole set: statistics, then scores.
/// Fisher goes through the set one example at a time, whatever the batch: only that is what it
/// says. said: as collect_statistics has it; nothing is said where the criterion needs no pass.
/// Throws as the two do.
template <backend B>
[[nodiscard]] std::vector<scores> score_weights(nn::bert<B>& model,
                                                const data::encoded_set& set,
                                                std::vector<group> groups,
                                                weight_criterion c,
                                                const weight_score_settings& how = {},
                                                const observer& watch = {},
                                                predictions* said = nullptr) {
  const std::size_t batch = c == weight_criterion::fisher ? 1 : how.batch;
  const nn::weight_statistics s =
      collect_statistics(model, set, std::move(groups), statistics_for(c), batch, watch, said);
  return scores_of_weights(model, s, c, how.seed);
}

namespace detail {

[[nodiscard]] inline ticket with_origin(ticket t, weight_criterion c, std::string search) {
  t.origin.criterion = to_string(c);
  t.origin.search = std::move(search);
  return t;
}

}  // namespace detail

/// A ticket over the matrices of a model's layers from one scoring of the whole model: `share` of
/// the weights goes, of all, of each matrix or of each row as the scope says; always the number
/// that share_of says. Weights that the model masks already score 0 and so go first. The ticket's
/// origin names criterion and search. Throws as score_weights does, and input_error unless 0 <=
/// share <= 1.
template <backend B>
[[nodiscard]] ticket one_shot_ticket(nn::bert<B>& model,
                                     const data::encoded_set& set,
                                     weight_criterion c,
                                     weight_scope within,
                                     double share,
                                     const weight_score_settings& how = {},
                                     const observer& watch = {}) {
  require_share(share, "share of weights");
  std::vector<group> groups = nn::weight_groups(model.config(), nn::prunable::weights);
  const std::vector<scores> s = score_weights(model, set, groups, c, how, watch);
  const auto amount = [share](std::size_t n, std::size_t) { return share_of(share, n); };
  return detail::with_origin(remove_lowest_of_scope(s, ticket{std::move(groups)}, within, amount),
                             c,
                             std::string{"schedule one_shot, scope "} + to_string(within) +
                                 ", share " + std::to_string(share));
}

/// The same in a pattern: of every m weights along a row the n with the highest scores stay. Throws
/// shape_error, naming the group, where a row is no multiple of m.
template <backend B>
[[nodiscard]] ticket one_shot_ticket(nn::bert<B>& model,
                                     const data::encoded_set& set,
                                     weight_criterion c,
                                     n_of_m pattern,
                                     const weight_score_settings& how = {},
                                     const observer& watch = {}) {
  std::vector<group> groups = nn::weight_groups(model.config(), nn::prunable::weights);
  for (const group& g : groups) tombola::detail::require_pattern(g, pattern.kept, pattern.of);
  const std::vector<scores> s = score_weights(model, set, groups, c, how, watch);
  return detail::with_origin(
      keep_n_of_m(s, ticket{std::move(groups)}, pattern.kept, pattern.of), c,
      "pattern " + std::to_string(pattern.kept) + ":" + std::to_string(pattern.of));
}

}  // namespace tombola::experiment
