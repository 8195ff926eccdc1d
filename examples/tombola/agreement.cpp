// agreement: k masks as k raters of their units.

#include "tombola/algebra/agreement.hpp"

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
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/stability.hpp"
#include "tombola/algebra/stratified.hpp"
#include "tombola/algebra/survival.hpp"

namespace tombola::driver {

namespace {

struct summary {
  std::string name;
  bool several = false;  ///< all groups together; chance acts within each of them
  survival counts;
  cochran q;
  std::vector<pair_overlap> pairs;
  std::vector<double> expected_survival;  ///< units that r masks keep by chance
  estimate expected_jaccard;              ///< what chance gives the pairs on the average
  estimate kappa_within;                  ///< of several groups
};

nlohmann::json to_json(const summary& s) {
  nlohmann::json j{{"units", s.counts.units},
                   {"masks", s.counts.masks()},
                   {"sizes", s.counts.sizes},
                   {"units_by_survival", s.counts.units_by_survival},
                   {"expected_units_by_survival", s.expected_survival},
                   {"cochran_degrees", s.q.degrees}};
  put(j, "fleiss_kappa", fleiss_kappa(s.counts));
  if (s.several) put(j, "fleiss_kappa_within_groups", s.kappa_within);
  put(j, "krippendorff_alpha", krippendorff_alpha(s.counts));
  put(j, "mean_jaccard", mean_over_pairs(s.pairs, jaccard));
  put(j, "mean_expected_jaccard", s.expected_jaccard);
  put(j, "mean_kuncheva", mean_over_pairs(s.pairs, kuncheva));
  const stability n = nogueira(s.pairs);
  put(j, "nogueira_stability", n.value);
  put(j, "nogueira_variance", n.variance);
  put(j, "nogueira_lower", n.lower());
  put(j, "nogueira_upper", n.upper());
  put(j, "cochran_q", s.q.q);
  put(j, "cochran_q_p", s.q.p);
  put(j, "cochran_q_log_p", s.q.log_p);
  return j;
}

void print(const summary& s) {
  std::cout << fmt::format("{}: {} masks over {} units, keeping", printable(s.name),
                           s.counts.masks(), s.counts.units);
  for (const std::size_t n : s.counts.sizes) std::cout << ' ' << n;
  std::cout << fmt::format("\n  Fleiss' kappa {}", text_of(fleiss_kappa(s.counts)));
  if (s.several) {
    std::cout << fmt::format(" (where each group keeps its share: {})", text_of(s.kappa_within));
  }
  std::cout << fmt::format(
      "\n  Krippendorff's alpha {}\n  mean Jaccard of pairs {} (chance{} {})\n",
      text_of(krippendorff_alpha(s.counts)), text_of(mean_over_pairs(s.pairs, jaccard)),
      s.several ? " where each group keeps its size" : "", text_of(s.expected_jaccard));
  if (const stability n = nogueira(s.pairs); n.value.defined()) {
    std::cout << fmt::format("  Nogueira's stability {:.4f}", n.value.value);
    if (const estimate low = n.lower(); low.defined()) {
      std::cout << fmt::format(", 95 % interval for many masks {:.4f} to {:.4f}\n", low.value,
                               n.upper().value);
    } else {
      std::cout << ", no interval: " << to_string(low.why) << '\n';
    }
  }
  if (s.q.q.defined()) {
    std::cout << fmt::format("  Cochran's Q {:.4f}, p = {} (tests equal sizes, not overlap)\n",
                             s.q.q.value, probability(s.q.p.value, s.q.log_p.value));
  } else {
    std::cout << fmt::format("  Cochran's Q {}\n", text_of(s.q.q));
  }
  std::cout << "  kept by r masks (by chance):";
  for (std::size_t r = 0; r < s.counts.units_by_survival.size(); ++r) {
    std::cout << fmt::format("  {}: {} ({:.1f})", r, s.counts.units_by_survival[r],
                             s.expected_survival[r]);
  }
  std::cout << '\n';
}

summary of_one_group(const std::vector<ticket>& all, std::size_t g, std::size_t threads) {
  const auto masks = masks_of_group(all, g);
  summary s;
  s.name = all.front().groups()[g].name;
  s.counts = count_survival(masks, threads);
  s.q = cochran_q(s.counts);
  s.pairs = count_overlaps(masks, threads);
  s.expected_survival = tombola::expected_survival(s.counts).expected_units_by_survival;
  s.expected_jaccard = mean_over_pairs(s.pairs, tombola::expected_jaccard);
  return s;
}

summary of_all(const std::vector<summary>& groups, std::size_t threads) {
  summary s = groups.front();
  s.name = "all";
  s.several = true;
  std::vector<agreement_counts> strata{agreement_counts_of(s.counts)};
  std::vector<std::vector<pair_overlap>> pairs{s.pairs};
  for (std::size_t g = 1; g < groups.size(); ++g) {
    s.counts += groups[g].counts;
    strata.push_back(agreement_counts_of(groups[g].counts));
    pairs.push_back(groups[g].pairs);
    for (std::size_t i = 0; i < s.pairs.size(); ++i) {
      s.pairs[i].counts += groups[g].pairs[i].counts;
    }
    for (std::size_t r = 0; r < s.expected_survival.size(); ++r) {
      s.expected_survival[r] += groups[g].expected_survival[r];
    }
  }
  s.q = cochran_q(s.counts);
  s.kappa_within = fleiss_kappa_within(strata);
  s.expected_jaccard = mean_expected_jaccard(chance_within_groups(pairs, 10'000, threads));
  return s;
}

/// Every group, and all together where there are several.
std::vector<summary> summaries_of(const std::vector<ticket>& all, const common_options& c) {
  terminal screen{c.quiet || c.json};
  const experiment::observer watcher = screen.observer();
  const std::size_t groups = all.front().groups().size();
  std::vector<summary> summaries;
  for (std::size_t g = 0; g < groups; ++g) {
    summaries.push_back(of_one_group(all, g, static_cast<std::size_t>(c.threads)));
    watcher.tell({"agreement", g + 1, groups, NAN, 0.0, NAN});
  }
  if (groups > 1) summaries.push_back(of_all(summaries, static_cast<std::size_t>(c.threads)));
  return summaries;
}

}  // namespace

void agreement(const comparison_options& o, const common_options& c) {
  const std::vector<std::filesystem::path> files = mask_files_of(o.named);
  if (files.size() < 2) {
    throw input_error("agreement: " + std::to_string(files.size()) +
                      " file, expected at least two");
  }
  const std::vector<ticket> all = read_masks_of(files, o, c, "agreement");
  const std::vector<summary> summaries = summaries_of(all, c);
  const std::size_t groups = all.front().groups().size();
  if (c.json) {
    nlohmann::json j{{"files", nlohmann::json::array()}, {"groups", nlohmann::json::object()}};
    for (const auto& f : files) j["files"].push_back(f.string());
    for (const summary& s : summaries) {
      (s.several ? j["all"] : j["groups"][s.name]) = to_json(s);
    }
    if (groups == 1) j["all"] = to_json(summaries.front());
    std::cout << json_line(j);
    return;
  }
  if (groups > 4) std::cout << fmt::format("{} groups, in --json each\n", groups);
  for (const summary& s : summaries) {
    if (groups <= 4 || s.several) print(s);
  }
}

}  // namespace tombola::driver
