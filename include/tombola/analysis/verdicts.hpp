#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/analysis/compared_seeds.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/own_guard.hpp"
#include "tombola/analysis/scores_by_ticket.hpp"
#include "tombola/analysis/settings.hpp"
#include "tombola/analysis/table.hpp"

namespace tombola::analysis {

/// Whether a claim of the study holds here. By construction: it does, but could not have failed.
enum class outcome { holds, in_part, does_not_hold, cannot_tell, by_construction };

[[nodiscard]] constexpr std::string_view to_string(outcome o) noexcept {
  switch (o) {
    case outcome::holds:
      return "holds";
    case outcome::in_part:
      return "holds in part";
    case outcome::does_not_hold:
      return "does not hold";
    case outcome::by_construction:
      return "by construction";
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

/// What is claimed of the full model.
inline constexpr std::string_view full_model_claim = "the full model beats the majority class";

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

/// The seeds that were left out, for the end of a finding.
[[nodiscard]] inline std::string also(const compared_seeds& seeds) {
  const std::string text = seeds.left_out_text();
  return text.empty() ? "" : "; " + text;
}

/// The claim where no seed is left to compare; it keeps its finding where none was left out.
[[nodiscard]] inline verdict with_nothing(verdict v, const compared_seeds& seeds) {
  const std::string text = seeds.left_out_text();
  if (!text.empty()) v.finding = "nothing to compare: " + text;
  return v;
}

[[nodiscard]] inline std::string mean_text(const score_row* r) {
  return r != nullptr && r->over_seeds.mean ? fixed(*r->over_seeds.mean, 4) : "undefined";
}

/// One kind of ticket against another in the same phase, seed by seed; the means are those of the
/// seeds that are compared.
[[nodiscard]] inline verdict beats(const score_group& g,
                                   ticket_kind better,
                                   ticket_kind worse,
                                   bool retrained) {
  verdict v{g.task, family_and_variant(g.family, g.variant),
            std::string{to_string(better)} + " beats " + std::string{to_string(worse)} +
                (retrained ? " after retraining" : " before retraining"),
            "no seed has both scores", outcome::cannot_tell};
  const auto seeds = compare_tickets(g.find(better, retrained), g.find(worse, retrained));
  if (seeds.size() == 0) return with_nothing(std::move(v), seeds);
  std::size_t yes = 0;
  for (std::size_t i = 0; i < seeds.size(); ++i) yes += seeds.first[i] > seeds.second[i] ? 1U : 0U;
  v.decision = decide(yes, seeds.size());
  v.finding = "in " + of_seeds(yes, seeds.size()) + ", means " +
              fixed(*moments_of(seeds.first).mean, 4) + " and " +
              fixed(*moments_of(seeds.second).mean, 4) + also(seeds);
  return v;
}

/// A kind of ticket against the study's guard, a share of the full model's score of the same seed.
[[nodiscard]] inline verdict reaches(const score_group& g, ticket_kind kind, bool retrained) {
  const std::string level = fixed(100.0 * comparable_share, 0) + " %";
  verdict v{g.task, family_and_variant(g.family, g.variant),
            (retrained ? "retrained " : "masked ") + std::string{to_string(kind)} + " reaches " +
                level + " of full",
            "no seed has both a full model and the ticket", outcome::cannot_tell};
  const compared_seeds seeds = compare_with_full(g, kind, retrained);
  if (seeds.size() == 0) return with_nothing(std::move(v), seeds);
  std::size_t yes = 0, asked = 0;  // asked: the search itself took nothing below that share
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const double least = comparable_share * seeds.second[i];
    yes += seeds.first[i] >= least ? 1U : 0U;
    const auto guard = own_guard(g.search, g.setting, seeds.second[i]);
    asked += guard && *guard >= least ? 1U : 0U;
  }
  v.decision = decide(yes, seeds.size());
  const double ratio = *moments_of(seeds.first).mean / *moments_of(seeds.second).mean;
  v.finding = fixed(100.0 * ratio, 1) + " % of full by the means, " + level + " or more in " +
              of_seeds(yes, seeds.size()) + also(seeds);
  // A ticket that falls short all the same was scored otherwise than the search did.
  const bool found_so = kind == ticket_kind::good && !retrained && asked == seeds.size();
  if (found_so && v.decision == outcome::holds) {
    v.decision = outcome::by_construction;
    v.finding = "by the search's own guard, on these examples; " + v.finding;
  }
  return v;
}

}  // namespace detail

/// The full model against the majority class, seed by seed: a claim about the task and how it was
/// trained, not about the group's tickets.
[[nodiscard]] inline verdict beats_majority(const score_group& g) {
  verdict v{g.task, family_and_variant(std::nullopt, g.setting_name), std::string{full_model_claim},
            "", outcome::cannot_tell};
  const score_row* full = g.find(std::nullopt, false);
  if (full == nullptr || full->seeds.empty() || !g.majority) {
    v.finding = g.majority ? "no score of a full model" : std::string{no_majority};
    return v;
  }
  std::size_t yes = 0;
  for (const seed_score& s : full->seeds) yes += s.score > *majority_of(g, s) ? 1U : 0U;
  v.decision = decide(yes, full->seeds.size());
  v.finding = "in " + of_seeds(yes, full->seeds.size()) + ", mean " + detail::mean_text(full) +
              " against " + fixed(*g.majority, 4);
  return v;
}

/// The study's claims about the tickets of one group, by their scores. None without tickets.
///
/// With structured pruning the study finds even random and bad tickets trainable; with magnitude
/// pruning it finds that they fall behind: those two are claimed for weights only.
/// Source: S. Prasanna, A. Rogers, A. Rumshisky, "When BERT plays the lottery, all tickets are
/// winning", EMNLP 2020, abstract and section 4.
[[nodiscard]] inline std::vector<verdict> verdicts(const score_group& g) {
  using enum ticket_kind;
  std::vector<verdict> all;
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
