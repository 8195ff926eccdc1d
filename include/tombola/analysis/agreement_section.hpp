#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/algebra/overlap.hpp"
#include "tombola/analysis/agreement_tables.hpp"
#include "tombola/analysis/heat_map.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/ticket_sets.hpp"

namespace tombola::analysis {

/// The most seeds whose pairs are drawn as a matrix.
inline constexpr std::size_t max_drawn_seeds = 32;

/// Jaccard indices of all pairs of seeds: observed below the diagonal, expected by chance above it.
[[nodiscard]] inline heat_map overlap_map(const part_agreement& a) {
  const std::size_t k = a.seeds.size();
  heat_map h;
  h.title = a.task + ", " + a.part +
            ": Jaccard index of seeds, below the diagonal what was found, "
            "above it what chance gives";
  h.row_title = h.column_title = "seed";
  h.rows = h.columns = a.seeds;
  h.values.resize(k * k);
  h.notes.resize(k * k);
  for (std::size_t i = 0; i < a.pairs.size(); ++i) {
    const pair_overlap& p = a.pairs[i];
    const estimate found = jaccard(p.counts), chance = a.chance[i].expected_jaccard;
    const std::size_t below = p.second * k + p.first, above = p.first * k + p.second;
    if (found.defined()) h.values[below] = found.value;
    if (chance.defined()) h.values[above] = chance.value;
    h.notes[below] = "Found; chance gives as much with p = " + probability(a.chance[i].p_at_least);
    h.notes[above] = "What chance gives";
  }
  return h;
}

/// Units that every ticket keeps, a row for each task and kind of unit, a column for each seed.
[[nodiscard]] inline table size_table(std::span<const part_agreement> all) {
  table t{"sizes",
          "Units kept, each seed",
          {{"set", "set"},
           {"task", "task"},
           {"units", "units"},
           {"size", "of"},
           {"mean", "mean"},
           {"deviation", "deviation"},
           {"share", "share"}},
          {}};
  std::vector<std::string> seeds;
  for (const part_agreement& a : all) {
    for (const std::string& s : a.seeds) {
      if (std::find(seeds.begin(), seeds.end(), s) == seeds.end()) seeds.push_back(s);
    }
  }
  for (const std::string& s : seeds) t.columns.push_back({"seed_" + s, "seed " + s});
  for (const part_agreement& a : all) {
    const moments kept = kept_of(a);
    const double n = static_cast<double>(a.counts.units);
    std::vector<cell> row{text_cell(a.set),
                          text_cell(a.task),
                          text_cell(a.part),
                          count_cell(a.counts.units),
                          number_cell(kept.mean, "no seed", 1),
                          number_cell(kept.deviation, one_value, 1),
                          number_cell(kept.mean.value_or(0.0) / n, 1, number_form::percent,
                                      "the group has no units")};
    for (const std::string& s : seeds) {
      const auto at = std::find(a.seeds.begin(), a.seeds.end(), s);
      row.push_back(
          at == a.seeds.end()
              ? cell{missing{"no ticket of this seed"}}
              : count_cell(a.counts.sizes[static_cast<std::size_t>(at - a.seeds.begin())]));
    }
    t.add(std::move(row));
  }
  return t;
}

namespace detail {

inline void put_overlaps(markup& m, std::span<const part_agreement> all) {
  m.leaf("h3", "Overlap of seeds, beside chance");
  m.leaf(
      "p", {{"class", "note"}},
      "Jaccard index: of the units that either seed keeps, the share that both keep. Below the "
      "diagonal what was found, above it what chance gives for tickets of these sizes; of weights, "
      "of these sizes in every matrix. Where neither keeps a unit there is no index and no cell. "
      "Beside each name the means of both.");
  m.open("div", {{"class", "grid"}, {"style", "--wide:240px"}}).line();
  for (const part_agreement& a : all) {
    if (a.pairs.empty() || a.seeds.size() > max_drawn_seeds) continue;
    std::string aside = in_words(a.part);
    if (a.mean_jaccard.defined() && a.mean_expected_jaccard.defined()) {
      aside += " " + fixed(a.mean_jaccard.value, 3) + ", chance " +
               fixed(a.mean_expected_jaccard.value, 3);
    }
    m.raw(framed(a.task, aside, draw(overlap_map(a))));
  }
  m.close().raw(to_html_folded(without(overlap_table(all), {"set"}), 12)).line();
}

}  // namespace detail

/// Sizes, agreement and overlap of one set.
[[nodiscard]] inline std::string agreement_section(const ticket_set& set,
                                                   std::span<const part_agreement> all,
                                                   const std::string& id) {
  markup m;
  m.open("section", {{"id", id}}).leaf("h2", "Agreement of seeds: " + in_words(set.name));
  m.raw(to_html(without(size_table(all), {"set"})));
  m.raw(to_html(
      without(agreement_table(all), {"set", "seeds", "size", "kept_mean", "kept_deviation"})));
  m.leaf(
      "p", {{"class", "note"}},
      "Cochran's Q tests whether the seeds keep equally many units, not whether they keep the "
      "same ones: two tickets of one size that share nothing have Q = 0 and p = 1. Whether they "
      "keep the same ones is what the Jaccard index beside chance, Fleiss' kappa and "
      "Krippendorff's alpha say. The last two are 1 for identical tickets, and 0 for tickets of "
      "one size that chance drew; sizes that differ lower them, and weights of which every seed "
      "keeps much in one matrix and little in another raise them. Pairs above chance: those whose "
      "overlap chance reaches with a probability below 5 %, adjusted by Holm's method for the "
      "pairs whose sizes could show it; chance draws the units and leaves each ticket's sizes, of "
      "weights those in every matrix.");
  const bool pairs =
      std::any_of(all.begin(), all.end(), [](const part_agreement& a) { return !a.pairs.empty(); });
  if (pairs) {
    detail::put_overlaps(m, all);
  } else {
    m.leaf("p", "One seed alone has nothing to agree with: agreement takes two or more.");
  }
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
