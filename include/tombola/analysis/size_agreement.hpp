#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tombola/algebra/agreement.hpp"
#include "tombola/algebra/estimate.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/analysis/agreement_tables.hpp"
#include "tombola/analysis/table.hpp"

namespace tombola::analysis {

/// How pairs of tickets are judged and averaged where a number is undefined.
enum class pair_rule {
  /// Identical tickets are of one size; a mean over pairs is undefined where a pair is.
  correct,
  /// An undefined test counts as a difference, so that identical tickets differ; means are over the
  /// pairs that are defined; of two tasks, only a seed with a later one is compared.
  as_study,
};

/// The level at which Cochran's test tells the sizes of two tickets apart.
inline constexpr double size_level = 0.05;

/// Whether Cochran's test does not tell the sizes of two tickets apart. Of two it is McNemar's
/// test without continuity correction: chi square (b - c)^2 / (b + c) of one degree.
[[nodiscard]] inline bool of_one_size(const overlap& o, pair_rule rule = pair_rule::correct) {
  const pair_overlap pair{0, 1, o};
  const estimate p = cochran_q(agreement_counts_of(std::span{&pair, 1})).p;
  return p.defined() ? p.value >= size_level : rule == pair_rule::correct;
}

/// Pairs whose sizes the test does not tell apart.
[[nodiscard]] inline std::size_t pairs_of_one_size(std::span<const pair_overlap> pairs,
                                                   pair_rule rule = pair_rule::correct) {
  std::size_t similar = 0;
  for (const pair_overlap& p : pairs) similar += of_one_size(p.counts, rule) ? 1U : 0U;
  return similar;
}

/// The mean of a measure over pairs, as the rule says.
template <class Measure>
[[nodiscard]] estimate mean_over_pairs(std::span<const pair_overlap> pairs,
                                       Measure measure,
                                       pair_rule rule) {
  if (rule == pair_rule::correct) return tombola::mean_over_pairs(pairs, measure);
  double sum = 0.0, defined_pairs = 0.0;
  estimate last = undefined(reason::too_few_masks);
  for (const pair_overlap& p : pairs) {
    if (const estimate e = measure(p.counts); e.defined()) {
      sum += e.value;
      defined_pairs += 1.0;
    } else {
      last = e;
    }
  }
  return defined_pairs > 0.0 ? defined(sum / defined_pairs) : last;
}

/// Of the units that some seed keeps, the share that every seed does. Undefined (nothing_kept)
/// where no seed keeps any.
[[nodiscard]] inline estimate share_in_all(const survival& s) {
  if (s.kept_by_any() == 0) return undefined(reason::nothing_kept);
  return defined(static_cast<double>(s.kept_by_all()) / static_cast<double>(s.kept_by_any()));
}

/// One row for each task and kind of unit: what the study's statistics of pruning print. Cochran's
/// test is about sizes, the rest about which units.
[[nodiscard]] inline table size_agreement_table(std::span<const part_agreement> all,
                                                pair_rule rule = pair_rule::correct) {
  table t{"size_agreement",
          "Whether the seeds keep equally many units, and the same ones",
          {{"set", "set"},
           {"task", "task"},
           {"units", "units"},
           {"cochran_q", "Cochran's Q"},
           {"cochran_q_p", "its p"},
           {"pairs_of_one_size", "pairs of one size"},
           {"pairs", "of pairs"},
           {"fleiss_kappa", "Fleiss' kappa"},
           {"krippendorff_alpha", "Krippendorff's alpha"},
           {"jaccard", "mean Jaccard"},
           {"kept_by_all", "kept by all"},
           {"kept_by_any", "kept by any"},
           {"share_in_all", "all of any"}},
          {}};
  for (const part_agreement& a : all) {
    t.add({text_cell(a.set), text_cell(a.task), text_cell(a.part), number_cell(a.equal_sizes.q, 3),
           number_cell(a.equal_sizes.p, 3, number_form::probability),
           count_cell(pairs_of_one_size(a.pairs, rule)), count_cell(a.pairs.size()),
           number_cell(a.fleiss, 3), number_cell(a.krippendorff, 3),
           number_cell(mean_over_pairs(a.pairs, jaccard, rule), 3),
           count_cell(a.counts.kept_by_all()), count_cell(a.counts.kept_by_any()),
           number_cell(share_in_all(a.counts), 3)});
  }
  return t;
}

}  // namespace tombola::analysis
