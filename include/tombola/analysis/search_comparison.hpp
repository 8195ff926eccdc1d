#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/algebra/estimate.hpp"
#include "tombola/analysis/agreement_tables.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/score_tables.hpp"
#include "tombola/analysis/scores_by_ticket.hpp"
#include "tombola/analysis/settings.hpp"
#include "tombola/analysis/table.hpp"

namespace tombola::analysis {

/// What one way to search kept of one kind of unit, over the seeds of a task: a row of the table
/// that sets the ways beside each other.
struct search_outcome {
  std::string task;
  std::string set;          ///< family and variant of the search
  std::string part;         ///< `heads`, `mlps`, ...
  std::size_t tickets = 0;  ///< one a seed, more where a seed was searched in several ways
  std::size_t units = 0;    ///< that there are
  std::size_t least = 0;    ///< kept by the ticket that keeps fewest
  std::size_t most = 0;     ///< by the one that keeps most
  moments kept;             ///< over tickets
  estimate jaccard;         ///< mean over pairs of tickets
  estimate expected_jaccard;
  std::optional<double> score;    ///< of good tickets, masked; mean over the seeds that have one
  std::optional<double> of_full;  ///< as relative_to_full() says
  std::string why_not_full;       ///< why there is no such share
  moments seconds;                ///< of a search, over searches
};

namespace detail {

/// Whether a search leaves units of this kind alone: heads and MLPs stand in one ticket where only
/// either was searched.
[[nodiscard]] inline bool leaves_alone(const std::string& search, const std::string& part) {
  const std::string other = part == "heads" ? "prune mlps" : part == "mlps" ? "prune heads" : "";
  const auto items = setting_items(search);
  return !other.empty() && std::find(items.begin(), items.end(), other) != items.end();
}

}  // namespace detail

/// Every way to search beside the others, by task. `all` are the agreements of the tickets that the
/// searches found, `groups` the scores. Empty without results of searches. Units that a search
/// leaves alone have no row.
[[nodiscard]] inline std::vector<search_outcome> compare_searches(
    std::span<const result> results,
    std::span<const score_group> groups,
    std::span<const part_agreement> all) {
  using key = std::pair<std::string, std::string>;  // task and set
  const variants named{results};
  std::map<key, std::vector<double>> seconds;
  std::map<key, std::string> searches;
  for (const result& r : results) {
    if (r.step != run_step::find_masks || !r.ticket) continue;
    const key way{r.task, family_and_variant(r.ticket->family, named.name_of(r))};
    seconds[way].push_back(r.seconds);
    searches[way] = r.ticket->search;
  }
  std::vector<search_outcome> outcomes;
  for (const part_agreement& a : all) {
    const auto spent = seconds.find({a.task, a.set});
    if (spent == seconds.end() || a.counts.sizes.empty()) continue;
    if (detail::leaves_alone(searches[{a.task, a.set}], a.part)) continue;
    search_outcome o;
    o.task = a.task, o.set = a.set, o.part = a.part;
    o.tickets = a.seeds.size(), o.units = a.counts.units;
    const auto [least, most] = std::minmax_element(a.counts.sizes.begin(), a.counts.sizes.end());
    o.least = *least, o.most = *most, o.kept = kept_of(a);
    o.jaccard = a.mean_jaccard, o.expected_jaccard = a.mean_expected_jaccard;
    o.seconds = moments_of(spent->second);
    for (const score_group& g : groups) {
      if (g.task != a.task || family_and_variant(g.family, g.variant) != a.set) continue;
      if (const score_row* good = g.find(ticket_kind::good, false)) {
        o.score = good->over_seeds.mean;
        const relative_score relative = relative_to_full(g, *good);
        o.of_full = relative.of_full, o.why_not_full = relative.why_not_full;
      }
    }
    outcomes.push_back(std::move(o));
  }
  std::stable_sort(
      outcomes.begin(), outcomes.end(),
      [](const search_outcome& a, const search_outcome& b) { return a.task < b.task; });
  return outcomes;
}

/// One row for each task, way to search and kind of unit.
[[nodiscard]] inline table comparison_table(std::span<const search_outcome> all) {
  table t{"search_comparison",
          "What each search keeps, and how far its tickets agree",
          {{"task", "task"},
           {"search", "tickets over"},
           {"units", "units"},
           {"tickets", "tickets"},
           {"size", "of"},
           {"kept_least", "kept least"},
           {"kept_mean", "kept"},
           {"kept_most", "kept most"},
           {"kept_share", "share kept"},
           {"score", "score"},
           {"share_of_full", "of full"},
           {"jaccard", "mean Jaccard"},
           {"expected_jaccard", "by chance"},
           {"seconds", "seconds"}},
          {}};
  for (const search_outcome& o : all) {
    const double units = static_cast<double>(o.units);
    t.add({text_cell(o.task), text_cell(o.set), text_cell(o.part), count_cell(o.tickets),
           count_cell(o.units), count_cell(o.least), number_cell(o.kept.mean, "no ticket", 1),
           count_cell(o.most),
           number_cell(o.kept.mean.value_or(0.0) / units, 1, number_form::percent,
                       "the group has no units"),
           number_cell(o.score, "no score before retraining"),
           number_cell(o.of_full, o.why_not_full, 1, number_form::percent),
           number_cell(o.jaccard, 3), number_cell(o.expected_jaccard, 3),
           number_cell(o.seconds.mean, "no search", 0)});
  }
  return t;
}

}  // namespace tombola::analysis
