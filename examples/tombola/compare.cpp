// compare: the overlap of every pair of masks, group by group and in all, beside what chance gives.

#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "examples/tombola/json_line.hpp"
#include "examples/tombola/mask_commands.hpp"
#include "examples/tombola/mask_files.hpp"
#include "examples/tombola/terminal.hpp"
#include <fmt/format.h>

#include "tombola/algebra/chance.hpp"
#include "tombola/algebra/multiple_testing.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/stability.hpp"
#include "tombola/algebra/stratified.hpp"

namespace tombola::driver {

namespace {

nlohmann::json to_json(const overlap& o) {
  nlohmann::json j{{"units", o.size()},
                   {"first", o.first()},
                   {"second", o.second()},
                   {"both", o.both},
                   {"first_only", o.first_only},
                   {"second_only", o.second_only},
                   {"neither", o.neither},
                   {"expected_both", expected_both(o)},
                   {"hamming", hamming(o)},
                   {"p_at_least", p_at_least(o)},
                   {"log_p_at_least", log_p_at_least(o)},
                   {"p_at_most", p_at_most(o)},
                   {"log_p_at_most", log_p_at_most(o)}};
  put(j, "jaccard", jaccard(o));
  put(j, "expected_jaccard", expected_jaccard(o));
  put(j, "chance_corrected_jaccard", chance_corrected_jaccard(o));
  put(j, "dice", dice(o));
  put(j, "containment_of_first", containment_of_first(o));
  put(j, "containment_of_second", containment_of_second(o));
  put(j, "overlap_coefficient", overlap_coefficient(o));
  put(j, "phi", phi(o));
  put(j, "cohen_kappa", cohen_kappa(o));
  put(j, "kuncheva", kuncheva(o));
  return j;
}

nlohmann::json to_json(const stratified_chance& c) {
  nlohmann::json j{{"expected_both", c.expected_both},
                   {"p_at_least", c.p_at_least},
                   {"log_p_at_least", c.log_p_at_least},
                   {"draws", c.draws}};
  put(j, "expected_jaccard", c.expected_jaccard);
  return j;
}

/// One of which no logarithm is known below 1e-290.
std::string small_probability(double p) {
  return p > 0.0 ? fmt::format("{:.3g}", p) : "below 1e-290";
}

/// within: what chance gives where every group keeps its size, for pairs of several.
void print(const std::string& name, const overlap& o, const stratified_chance* within = nullptr) {
  std::cout << fmt::format(
      "  {}: keep {} and {} of {}, both {}\n"
      "    jaccard {} (chance {}), at least this by chance: p = {}\n",
      printable(name), o.first(), o.second(), o.size(), o.both, text_of(jaccard(o)),
      text_of(expected_jaccard(o)), probability(p_at_least(o), log_p_at_least(o)));
  if (within != nullptr) {
    std::cout << fmt::format("    where each group keeps its size: chance {}, p = {}\n",
                             text_of(within->expected_jaccard),
                             small_probability(within->p_at_least));
  }
  std::cout << fmt::format("    dice {}, overlap coefficient {}, phi {}, kappa {}, hamming {}\n",
                           text_of(dice(o)), text_of(overlap_coefficient(o)), text_of(phi(o)),
                           text_of(cohen_kappa(o)), hamming(o));
}

/// What is asked of all pairs together: of many p-values some are small by chance alone.
struct adjusted {
  std::vector<double> holm, false_discovery;

  explicit adjusted(const std::vector<double>& p)
      : holm{tombola::holm(p)}, false_discovery{benjamini_hochberg(p)} {}
};

/// As many draws as leave room for a p-value of 0.04 after Holm's method; of more than 4,000 pairs
/// none would end with these numbers of draws.
std::size_t draws_for(std::size_t pairs) {
  return std::clamp<std::size_t>(25 * pairs, 10'000, 100'000);
}

/// The overlap of every pair, group by group, each group's masks read once.
std::vector<std::vector<pair_overlap>> overlaps_by_group(const std::vector<ticket>& all,
                                                         const common_options& c) {
  terminal screen{c.quiet || c.json};
  const experiment::observer watcher = screen.observer();
  const std::size_t groups = all.front().groups().size();
  std::vector<std::vector<pair_overlap>> counts;
  for (std::size_t g = 0; g < groups; ++g) {
    counts.push_back(count_overlaps(masks_of_group(all, g), static_cast<std::size_t>(c.threads)));
    watcher.tell({"compare", g + 1, groups, NAN, 0.0, NAN});
  }
  return counts;
}

}  // namespace

void compare(const comparison_options& o, const common_options& c) {
  const std::vector<std::filesystem::path> files = mask_files_of(o.named);
  if (files.size() < 2) {
    throw input_error("compare: " + std::to_string(files.size()) + " file, expected at least two");
  }
  const std::vector<ticket> all = read_masks_of(files, o, c, "compare");
  const auto by_group = overlaps_by_group(all, c);
  const std::size_t groups = by_group.size(), count = groups == 0 ? 0 : by_group[0].size();
  std::vector<overlap> totals(count);
  for (const auto& pairs : by_group) {
    for (std::size_t i = 0; i < count; ++i) totals[i] += pairs[i].counts;
  }
  const std::vector<stratified_chance> within =
      chance_within_groups(by_group, draws_for(count), static_cast<std::size_t>(c.threads));
  std::vector<double> p;
  for (const stratified_chance& w : within) p.push_back(w.p_at_least);
  const adjusted together{p};
  nlohmann::json pairs = nlohmann::json::array();
  for (std::size_t i = 0; i < count; ++i) {
    const auto& first = files[by_group[0][i].first];
    const auto& second = files[by_group[0][i].second];
    nlohmann::json pair{{"first_file", first.string()},
                        {"second_file", second.string()},
                        {"all", to_json(totals[i])},
                        {"groups", nlohmann::json::object()}};
    pair["all"]["within_groups"] = to_json(within[i]);
    pair["all"]["p_at_least_holm"] = together.holm[i];
    pair["all"]["p_at_least_benjamini_hochberg"] = together.false_discovery[i];
    if (!c.json) std::cout << first.string() << "  and  " << second.string() << '\n';
    for (std::size_t g = 0; g < groups; ++g) {
      const std::string& name = all[0].groups()[g].name;
      pair["groups"][name] = to_json(by_group[g][i].counts);
      if (!c.json && groups <= 4) print(name, by_group[g][i].counts);
    }
    if (!c.json && groups > 4) std::cout << fmt::format("  {} groups, in --json each\n", groups);
    if (!c.json && groups > 1) print("all", totals[i], &within[i]);
    if (!c.json && count > 1) {
      std::cout << fmt::format(
          "    of {} pairs{}: p = {} after Holm, {} after Benjamini-Hochberg\n", count,
          groups > 1 ? ", each group at its size" : "", small_probability(together.holm[i]),
          small_probability(together.false_discovery[i]));
    }
    pairs.push_back(std::move(pair));
  }
  if (c.json) std::cout << json_line({{"pairs", pairs}});
}

}  // namespace tombola::driver
