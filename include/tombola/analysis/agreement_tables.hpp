#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/algebra/agreement.hpp"
#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/multiple_testing.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/stratified.hpp"
#include "tombola/algebra/survival.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/analysis/verdicts.hpp"

namespace tombola::analysis {

/// How far the seeds of one task agree on one kind of unit.
struct part_agreement {
  std::string set;  ///< name of the ticket set
  std::string task;
  std::string part;  ///< `heads`, `mlps` or `weights`
  std::vector<std::string> seeds;
  survival counts;
  cochran equal_sizes;  ///< tests equal sizes, not overlap
  estimate fleiss;
  estimate krippendorff;
  std::vector<pair_overlap> pairs;
  std::vector<stratified_chance> chance;  ///< [pairs] where each group keeps its sizes
  std::vector<bool> can_tell;      ///< [pairs] whether their sizes could show more than chance
  estimate mean_jaccard;           ///< over all pairs
  estimate mean_expected_jaccard;  ///< what chance gives for the pairs' sizes, mean over pairs
};

/// The one-sided level at which a pair's overlap counts as more than chance.
inline constexpr double overlap_level = 0.05;

namespace detail {

/// Whether a probability lies below overlap_level. It is summed in floating point to 12 digits or
/// more: one that equals the level must not fall below it by a rounding that differs from machine
/// to machine.
[[nodiscard]] inline bool beyond_chance(double p) {
  return p < overlap_level * (1.0 - 1e-9);
}

/// The largest overlap that two masks of these sizes can have, group by group.
[[nodiscard]] inline std::vector<overlap> most_alike(std::vector<overlap> groups) {
  for (overlap& o : groups) {
    o = overlap_of_sizes(o.size(), o.first(), o.second(), std::min(o.first(), o.second()));
  }
  return groups;
}

}  // namespace detail

/// Computes all of it. Cost: one pass over the masks for the counts, one for each pair, and for
/// tickets of several groups the draws of chance_within_groups.
[[nodiscard]] inline part_agreement agreement_of(const std::string& set,
                                                 const std::string& task,
                                                 const ticket_part& part) {
  part_agreement a;
  a.set = set;
  a.task = task;
  a.part = part.name;
  a.seeds = part.seeds;
  a.counts = count_survival(part.tickets);
  a.equal_sizes = cochran_q(a.counts);
  a.fleiss = fleiss_kappa(a.counts);
  a.krippendorff = krippendorff_alpha(a.counts);
  for (std::size_t i = 0; i < part.tickets.size(); ++i) {
    for (std::size_t j = i + 1; j < part.tickets.size(); ++j) {
      const auto groups = count_overlap_by_group(part.tickets[i], part.tickets[j]);
      a.pairs.push_back({i, j, pooled(groups)});
      a.chance.push_back(chance_within_groups(groups));
      // Where what was found is beyond chance, the largest overlap is, and need not be drawn.
      a.can_tell.push_back(
          detail::beyond_chance(a.chance.back().p_at_least) ||
          detail::beyond_chance(chance_within_groups(detail::most_alike(groups)).p_at_least));
    }
  }
  a.mean_jaccard = mean_over_pairs(a.pairs, jaccard);
  a.mean_expected_jaccard = mean_expected_jaccard(a.chance);
  return a;
}

/// For every task and kind of unit of a set.
[[nodiscard]] inline std::vector<part_agreement> agreements_of(const ticket_set& set) {
  std::vector<part_agreement> all;
  for (const task_tickets& task : set.tasks) {
    for (const ticket_part& part : parts_of(task)) {
      all.push_back(agreement_of(set.name, task.task, part));
    }
  }
  return all;
}

/// Pairs whose sizes allow an overlap that chance reaches with less than overlap_level: the others
/// could not show more than chance even if one ticket held the other.
[[nodiscard]] inline std::size_t pairs_that_can_tell(const part_agreement& a) {
  return static_cast<std::size_t>(std::count(a.can_tell.begin(), a.can_tell.end(), true));
}

/// Pairs of seeds that overlap more than chance gives at overlap_level, one-sided, adjusted by
/// Holm's method for the pairs that can tell.
/// Source of leaving out the others: R. E. Tarone, "A modified Bonferroni method for discrete
/// data", Biometrics 46(2), 1990.
[[nodiscard]] inline std::size_t pairs_above_chance(const part_agreement& a) {
  std::vector<double> p;
  for (std::size_t i = 0; i < a.pairs.size(); ++i) {
    if (a.can_tell[i]) p.push_back(a.chance[i].p_at_least);
  }
  const std::vector<double> adjusted = holm(p);
  return static_cast<std::size_t>(
      std::count_if(adjusted.begin(), adjusted.end(), detail::beyond_chance));
}

/// Units that the tickets keep, over seeds.
[[nodiscard]] inline moments kept_of(const part_agreement& a) {
  return moments_of(std::vector<double>(a.counts.sizes.begin(), a.counts.sizes.end()));
}

/// One row for each task and kind of unit.
[[nodiscard]] inline table agreement_table(std::span<const part_agreement> all) {
  table t{"agreement",
          "How far the seeds agree on which units survive",
          {{"set", "set"},
           {"task", "task"},
           {"units", "units"},
           {"seeds", "seeds"},
           {"size", "of"},
           {"kept_mean", "kept"},
           {"kept_deviation", "deviation"},
           {"kept_by_all", "kept by all"},
           {"kept_by_any", "kept by any"},
           {"jaccard", "mean Jaccard"},
           {"expected_jaccard", "by chance"},
           {"pairs_above_chance", "pairs above chance"},
           {"pairs", "of pairs"},
           {"fleiss_kappa", "Fleiss' kappa"},
           {"krippendorff_alpha", "Krippendorff's alpha"},
           {"cochran_q", "Cochran's Q"},
           {"cochran_q_p", "its p"}},
          {}};
  for (const part_agreement& a : all) {
    const moments kept = kept_of(a);
    t.add({text_cell(a.set), text_cell(a.task), text_cell(a.part), count_cell(a.seeds.size()),
           count_cell(a.counts.units), number_cell(kept.mean, "no seed", 1),
           number_cell(kept.deviation, one_value, 1), count_cell(a.counts.kept_by_all()),
           count_cell(a.counts.kept_by_any()), number_cell(a.mean_jaccard, 3),
           number_cell(a.mean_expected_jaccard, 3), count_cell(pairs_above_chance(a)),
           count_cell(a.pairs.size()), number_cell(a.fleiss, 3), number_cell(a.krippendorff, 3),
           number_cell(a.equal_sizes.q, 2),
           number_cell(a.equal_sizes.p, 3, number_form::probability)});
  }
  return t;
}

/// One row for each pair of seeds.
[[nodiscard]] inline table overlap_table(std::span<const part_agreement> all) {
  table t{"overlap",
          "Overlap of every pair of seeds beside what chance gives",
          {{"set", "set"},
           {"task", "task"},
           {"units", "units"},
           {"first_seed", "first seed"},
           {"second_seed", "second seed"},
           {"first_kept", "first keeps"},
           {"second_kept", "second keeps"},
           {"both", "both"},
           {"expected_both", "both by chance"},
           {"jaccard", "Jaccard"},
           {"expected_jaccard", "by chance"},
           {"p_at_least", "p of as much"}},
          {}};
  for (const part_agreement& a : all) {
    for (std::size_t i = 0; i < a.pairs.size(); ++i) {
      const pair_overlap& p = a.pairs[i];
      const stratified_chance& c = a.chance[i];
      t.add({text_cell(a.set), text_cell(a.task), text_cell(a.part), text_cell(a.seeds[p.first]),
             text_cell(a.seeds[p.second]), count_cell(p.counts.first()),
             count_cell(p.counts.second()), count_cell(p.counts.both),
             number_cell(c.expected_both, 2), number_cell(jaccard(p.counts), 3),
             number_cell(c.expected_jaccard, 3),
             number_cell(c.p_at_least, 3, number_form::probability)});
    }
  }
  return t;
}

namespace detail {

/// Whether any of the tickets prunes a unit of this kind.
[[nodiscard]] inline bool prunes_any(const part_agreement& a) {
  return a.counts.kept_by_all() < a.counts.units;
}

}  // namespace detail

/// The agreements that could say something: of one set and task those on units of which some ticket
/// prunes one, as a search of heads alone keeps every MLP; or all of them, where none does.
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

/// Whether the seeds found the same tickets, more than chance makes them.
[[nodiscard]] inline verdict agree_beyond_chance(const part_agreement& a) {
  verdict v{a.task, a.set, "seeds agree on " + in_words(a.part) + " more than chance", "",
            outcome::cannot_tell};
  if (!a.mean_jaccard.defined() || !a.mean_expected_jaccard.defined()) {
    v.finding = "no overlap to judge: " + to_string(a.mean_jaccard.why);
    return v;
  }
  const std::size_t above = pairs_above_chance(a), able = pairs_that_can_tell(a);
  v.decision = decide(above, able);
  v.finding = "mean Jaccard " + fixed(a.mean_jaccard.value, 3) + ", chance gives " +
              fixed(a.mean_expected_jaccard.value, 3) + "; ";
  if (able == 0) {
    v.finding += "no pair has sizes that could show more than chance";
    return v;
  }
  v.finding += "above chance at the " + fixed(100.0 * overlap_level, 0) +
               " % level, adjusted for their number, in " + std::to_string(above) + " of " +
               std::to_string(able) + (able == 1 ? " pair" : " pairs") +
               " whose sizes could show it";
  return v;
}

}  // namespace tombola::analysis
