#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/analysis/score_tables.hpp"
#include "tombola/analysis/scores_by_ticket.hpp"
#include "tombola/analysis/settings.hpp"
#include "tombola/analysis/table.hpp"

namespace tombola::analysis {

/// Whether a claim of the study holds here.
enum class outcome { holds, in_part, does_not_hold, cannot_tell };

[[nodiscard]] constexpr std::string_view to_string(outcome o) noexcept {
  switch (o) {
    case outcome::holds:
      return "holds";
    case outcome::in_part:
      return "holds in part";
    case outcome::does_not_hold:
      return "does not hold";
    case outcome::cannot_tell:
      break;
  }
  return "cannot tell";
}

/// A claim, what was found, and whether that bears it out.
struct verdict {
  std::string task;
  std::string family;
  std::string claim;
  std::string finding;
  outcome decision = outcome::cannot_tell;
};

/// The share of the full model's score at which a ticket counts as comparable: the study's guard.
inline constexpr double comparable_share = 0.9;

/// `good beats random before retraining: holds, in 3 of 3 seeds, means 0.85 and 0.69`.
[[nodiscard]] inline std::string sentence(const verdict& v) {
  return v.claim + ": " + std::string{to_string(v.decision)} + ", " + v.finding;
}

/// Holds where it does in all cases, in part where in some.
[[nodiscard]] constexpr outcome decide(std::size_t yes, std::size_t all) noexcept {
  if (all == 0) return outcome::cannot_tell;
  return yes == all ? outcome::holds : yes == 0 ? outcome::does_not_hold : outcome::in_part;
}

/// `1 of 1 seed`, `2 of 3 seeds`.
[[nodiscard]] inline std::string of_seeds(std::size_t yes, std::size_t all) {
  return std::to_string(yes) + " of " + std::to_string(all) + (all == 1 ? " seed" : " seeds");
}

namespace detail {

/// Scores of the seeds that both rows have, pairwise.
[[nodiscard]] inline std::vector<std::pair<double, double>> paired(const score_row* a,
                                                                   const score_row* b) {
  std::vector<std::pair<double, double>> pairs;
  if (a == nullptr || b == nullptr) return pairs;
  for (const seed_score& x : a->seeds) {
    for (const seed_score& y : b->seeds) {
      if (x.seed == y.seed) pairs.emplace_back(x.score, y.score);
    }
  }
  return pairs;
}

[[nodiscard]] inline std::string mean_text(const score_row* r) {
  return r != nullptr && r->over_seeds.mean ? fixed(*r->over_seeds.mean, 4) : "undefined";
}

/// The full model against the majority class, seed by seed.
[[nodiscard]] inline verdict beats_majority(const score_group& g) {
  verdict v{g.task,
            family_and_variant(g.family, g.variant),
            "the full model beats the majority class",
            "",
            {}};
  v.decision = outcome::cannot_tell;
  const score_row* full = g.find(std::nullopt, false);
  if (full == nullptr || full->seeds.empty() || !g.majority) {
    v.finding = g.majority ? "no score of a full model" : "the metric has no majority class";
    return v;
  }
  std::size_t yes = 0;
  for (const seed_score& s : full->seeds) yes += s.score > *g.majority ? 1U : 0U;
  v.decision = decide(yes, full->seeds.size());
  v.finding = "in " + of_seeds(yes, full->seeds.size()) + ", mean " + mean_text(full) +
              " against " + fixed(*g.majority, 4);
  return v;
}

/// One kind of ticket against another in the same phase, seed by seed.
[[nodiscard]] inline verdict beats(const score_group& g,
                                   ticket_kind better,
                                   ticket_kind worse,
                                   bool retrained) {
  verdict v{g.task, family_and_variant(g.family, g.variant),
            std::string{to_string(better)} + " beats " + std::string{to_string(worse)} +
                (retrained ? " after retraining" : " before retraining"),
            "no seed has both scores", outcome::cannot_tell};
  const score_row *a = g.find(better, retrained), *b = g.find(worse, retrained);
  const auto pairs = paired(a, b);
  if (pairs.empty()) return v;
  std::size_t yes = 0;
  for (const auto& [x, y] : pairs) yes += x > y ? 1U : 0U;
  v.decision = decide(yes, pairs.size());
  v.finding =
      "in " + of_seeds(yes, pairs.size()) + ", means " + mean_text(a) + " and " + mean_text(b);
  return v;
}

/// A kind of ticket against the study's guard, a share of the full model's score of the same seed.
[[nodiscard]] inline verdict reaches(const score_group& g, ticket_kind kind, bool retrained) {
  const std::string level = fixed(100.0 * comparable_share, 0) + " %";
  verdict v{g.task, family_and_variant(g.family, g.variant),
            (retrained ? "retrained " : "masked ") + std::string{to_string(kind)} + " reaches " +
                level + " of full",
            "no full model with a score above 0 and a ticket of one seed", outcome::cannot_tell};
  const score_row* row = g.find(kind, retrained);
  const auto pairs = paired(row, g.find(std::nullopt, false));
  const auto share = row == nullptr ? std::nullopt : relative_to_full(g, *row).of_full;
  if (pairs.empty() || !share) return v;
  std::size_t yes = 0;
  for (const auto& [x, full] : pairs) yes += x >= comparable_share * full ? 1U : 0U;
  v.decision = decide(yes, pairs.size());
  v.finding = fixed(100.0 * *share, 1) + " % of full on average, " + level + " or more in " +
              of_seeds(yes, pairs.size());
  return v;
}

}  // namespace detail

/// The study's claims about scores, computed for one group.
///
/// With structured pruning the study finds even random and bad tickets trainable; with magnitude
/// pruning it finds that they fall behind: those two are claimed for weights only.
/// Source: S. Prasanna, A. Rogers, A. Rumshisky, "When BERT plays the lottery, all tickets are
/// winning", EMNLP 2020, abstract and section 4.
[[nodiscard]] inline std::vector<verdict> verdicts(const score_group& g) {
  using enum ticket_kind;
  std::vector<verdict> all{detail::beats_majority(g)};
  if (!g.family) return all;
  const auto have = [&](ticket_kind k, bool retrained) { return g.find(k, retrained) != nullptr; };
  if (have(good, false)) all.push_back(detail::reaches(g, good, false));
  for (const ticket_kind k : {random, bad}) {
    if (have(k, false)) all.push_back(detail::beats(g, good, k, false));
  }
  for (const ticket_kind k : {good, random, bad, super}) {
    if (have(k, true)) all.push_back(detail::reaches(g, k, true));
  }
  for (const ticket_kind k : {random, bad}) {
    if (*g.family == ticket_family::weights && have(k, true)) {
      all.push_back(detail::beats(g, good, k, true));
    }
  }
  return all;
}

/// Verdicts as a table.
[[nodiscard]] inline table verdict_table(std::span<const verdict> all) {
  table t{"verdicts",
          "What the study claims, and what was found here",
          {{"task", "task"},
           {"family", "tickets over"},
           {"claim", "claim"},
           {"finding", "finding"},
           {"outcome", "outcome"}},
          {}};
  for (const verdict& v : all) {
    t.add({text_cell(v.task), text_cell(v.family), text_cell(v.claim), text_cell(v.finding),
           text_cell(to_string(v.decision))});
  }
  return t;
}

}  // namespace tombola::analysis
