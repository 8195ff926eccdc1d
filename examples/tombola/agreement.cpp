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

#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/stability.hpp"
#include "tombola/algebra/survival.hpp"

namespace tombola::driver {

namespace {

struct summary {
  std::string name;
  survival counts;
  cochran q;
  std::vector<pair_overlap> pairs;
};

nlohmann::json to_json(const summary& s) {
  nlohmann::json j{
      {"units", s.counts.units},
      {"masks", s.counts.masks()},
      {"sizes", s.counts.sizes},
      {"units_by_survival", s.counts.units_by_survival},
      {"expected_units_by_survival", expected_survival(s.counts).expected_units_by_survival},
      {"cochran_degrees", s.q.degrees}};
  put(j, "fleiss_kappa", fleiss_kappa(s.counts));
  put(j, "krippendorff_alpha", krippendorff_alpha(s.counts));
  put(j, "mean_jaccard", mean_over_pairs(s.pairs, jaccard));
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
  std::cout << fmt::format("{}: {} masks over {} units, keeping", s.name, s.counts.masks(),
                           s.counts.units);
  for (const std::size_t n : s.counts.sizes) std::cout << ' ' << n;
  std::cout << fmt::format(
      "\n  Fleiss' kappa {}\n  Krippendorff's alpha {}\n  mean Jaccard of pairs {}\n",
      text_of(fleiss_kappa(s.counts)), text_of(krippendorff_alpha(s.counts)),
      text_of(mean_over_pairs(s.pairs, jaccard)));
  if (const stability n = nogueira(s.pairs); n.value.defined()) {
    std::cout << fmt::format("  Nogueira's stability {:.4f}, 95 % interval {:.4f} to {:.4f}\n",
                             n.value.value, n.lower().value, n.upper().value);
  }
  if (s.q.q.defined()) {
    std::cout << fmt::format("  Cochran's Q {:.4f}, p = {:.4g} (tests equal sizes, not overlap)\n",
                             s.q.q.value, s.q.p.value);
  } else {
    std::cout << fmt::format("  Cochran's Q {}\n", text_of(s.q.q));
  }
  const auto expected = expected_survival(s.counts).expected_units_by_survival;
  std::cout << "  kept by r masks (by chance):";
  for (std::size_t r = 0; r < s.counts.units_by_survival.size(); ++r) {
    std::cout << fmt::format("  {}: {} ({:.1f})", r, s.counts.units_by_survival[r], expected[r]);
  }
  std::cout << '\n';
}

/// Every group, and all together where there are several.
std::vector<summary> summaries_of(const std::vector<ticket>& all, const common_options& c) {
  terminal screen{c.quiet || c.json};
  const experiment::observer watcher = screen.observer();
  const std::size_t groups = all.front().groups().size();
  const auto threads = static_cast<std::size_t>(c.threads);
  std::vector<summary> summaries;
  summary together{"all", {}, {}, {}};
  for (std::size_t g = 0; g < groups; ++g) {
    const auto masks = masks_of_group(all, g);
    const survival s = count_survival(masks, threads);
    summaries.push_back(
        {all.front().groups()[g].name, s, cochran_q(s), count_overlaps(masks, threads)});
    const auto& pairs = summaries.back().pairs;
    if (g == 0) {
      together.counts = s, together.pairs = pairs;
    } else {
      together.counts += s;
      for (std::size_t i = 0; i < pairs.size(); ++i) together.pairs[i].counts += pairs[i].counts;
    }
    watcher.tell({"agreement", g + 1, groups, NAN, 0.0, NAN});
  }
  together.q = cochran_q(together.counts);
  if (groups > 1) summaries.push_back(std::move(together));
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
      (s.name == "all" ? j["all"] : j["groups"][s.name]) = to_json(s);
    }
    if (groups == 1) j["all"] = to_json(summaries.front());
    std::cout << json_line(j);
    return;
  }
  for (const summary& s : summaries) {
    if (groups <= 4 || s.name == "all") print(s);
  }
}

}  // namespace tombola::driver
