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
  std::string set;   ///< family and variant of the search
  std::string part;  ///< `heads`, `mlps`, ...
  std::size_t seeds = 0;
  std::size_t units = 0;  ///< that there are
  std::size_t least = 0;  ///< kept by the seed that keeps fewest
  std::size_t most = 0;   ///< by the one that keeps most
  moments kept;           ///< over seeds
  estimate jaccard;       ///< mean over pairs of seeds
  estimate expected_jaccard;
  std::optional<double> score;    ///< of the good ticket, masked; mean over seeds
  std::optional<double> of_full;  ///< ratio of the means over seeds
  moments seconds;                ///< of a search, over seeds
};

namespace detail {

/// Whether any of the tickets prunes a unit of this kind.
[[nodiscard]] inline bool prunes_any(const part_agreement& a) {
  return a.counts.kept_by_all() < a.counts.units;
}

}  // namespace detail

/// The parts of an agreement that say something: of one set and task those of which some ticket
/// prunes a unit, as a search of heads alone keeps every MLP; or all of them, where none does.
[[nodiscard]] inline std::vector<part_agreement> pruned_parts(std::span<const part_agreement> all) {
  std::map<std::pair<std::string, std::string>, bool> some;
  for (const part_agreement& a : all) {
    bool& any = some[{a.set, a.task}];
    any = any || detail::prunes_any(a);
  }
  std::vector<part_agreement> left;
  for (const part_agreement& a : all) {
    if (detail::prunes_any(a) || !some[{a.set, a.task}]) left.push_back(a);
  }
  return left;
}

/// Every way to search beside the others, by task. `all` are the agreements of the tickets that the
/// searches found, `groups` the scores. Empty without results of searches.
[[nodiscard]] inline std::vector<search_outcome> compare_searches(
    std::span<const result> results,
    std::span<const score_group> groups,
    std::span<const part_agreement> all) {
  using key = std::pair<std::string, std::string>;  // task and set
  const variants named{results};
  std::map<key, std::vector<double>> seconds;
  for (const result& r : results) {
    if (r.step != run_step::find_masks || !r.ticket) continue;
    seconds[{r.task, family_and_variant(r.ticket->family, named.name_of(r))}].push_back(r.seconds);
  }
  std::vector<search_outcome> outcomes;
  for (const part_agreement& a : pruned_parts(all)) {
    const auto spent = seconds.find({a.task, a.set});
    if (spent == seconds.end()) continue;
    search_outcome o;
    o.task = a.task, o.set = a.set, o.part = a.part;
    o.seeds = a.seeds.size(), o.units = a.counts.units;
    const auto [least, most] = std::minmax_element(a.counts.sizes.begin(), a.counts.sizes.end());
    o.least = *least, o.most = *most, o.kept = kept_of(a);
    o.jaccard = a.mean_jaccard, o.expected_jaccard = a.mean_expected_jaccard;
    o.seconds = moments_of(spent->second);
    for (const score_group& g : groups) {
      if (g.task != a.task || family_and_variant(g.family, g.variant) != a.set) continue;
      if (const score_row* good = g.find(ticket_kind::good, false)) {
        o.score = good->over_seeds.mean;
        o.of_full = relative_to_full(g, *good).of_full;
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
          "What each search keeps, and how far its seeds agree",
          {{"task", "task"},
           {"search", "tickets over"},
           {"units", "units"},
           {"seeds", "seeds"},
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
    t.add({text_cell(o.task), text_cell(o.set), text_cell(o.part), count_cell(o.seeds),
           count_cell(o.units), count_cell(o.least), number_cell(o.kept.mean, "no seed", 1),
           count_cell(o.most),
           number_cell(o.kept.mean.value_or(0.0) / units, 1, number_form::percent,
                       "the group has no units"),
           number_cell(o.score, "the metric is undefined"),
           number_cell(o.of_full, "no full model with a score above 0 to compare with", 1,
                       number_form::percent),
           number_cell(o.jaccard, 3), number_cell(o.expected_jaccard, 3),
           number_cell(o.seconds.mean, "no run", 0)});
  }
  return t;
}

}  // namespace tombola::analysis
