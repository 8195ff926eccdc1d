#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/settings.hpp"
#include "tombola/core/error.hpp"

namespace tombola::analysis {

/// Why nothing is said of the majority class: the metric has none, or another set was scored.
inline constexpr std::string_view no_majority = "what the majority class scores is not known";

/// The score of one seed.
struct seed_score {
  std::uint64_t seed = 0;
  double score = 0.0;      ///< mean of the runs
  std::size_t runs = 1;    ///< runs of the same kind that this seed has
  std::size_t zeros = 0;   ///< of them, those whose metric is undefined and counts 0
  std::string ticket;      ///< fingerprint; empty where it is not known, or runs differ in it
  bool keeps_all = false;  ///< every run's ticket keeps all units
  std::optional<double> majority;  ///< what the commonest class scores on the seed's examples
};

/// The scores of one kind of ticket, before or after retraining, over seeds.
struct score_row {
  std::optional<ticket_kind> kind;  ///< nothing: the full model
  bool retrained = false;
  std::vector<seed_score> seeds;  ///< by seed
  moments over_seeds;
  std::size_t undefined = 0;  ///< runs without a score; they are in no number here
  moments kept;  ///< share of all units that the tickets keep; empty for the full model
  std::set<std::string> why_zero;  ///< why metrics are undefined that count 0
};

/// All that is compared with each other: one task, one family of tickets, trained and found alike.
struct score_group {
  std::string task;
  std::optional<ticket_family> family;  ///< nothing: only full models were run
  std::string variant;  ///< what tells it from other groups of this task and family; mostly empty
  std::string metric;
  std::optional<double> majority;  ///< mean over the seeds, each once
  std::vector<score_row> rows;     ///< full, then good, random, bad, super; before, then after
  std::string setting;             ///< how the models were trained and scored (result.hpp)
  std::string setting_name;        ///< what tells that from the task's other settings; mostly empty
  std::string search;              ///< how the tickets were found

  /// The row, or null where nothing of the kind was run.
  [[nodiscard]] const score_row* find(std::optional<ticket_kind> kind, bool retrained) const {
    for (const score_row& r : rows) {
      if (r.kind == kind && r.retrained == retrained) return &r;
    }
    return nullptr;
  }
};

namespace detail {

/// Which of several runs of one seed counts: an evaluation before the score at the end of training,
/// and that before what a search measured, perhaps on other data.
[[nodiscard]] constexpr int rank(run_step s) noexcept {
  return s == run_step::evaluate ? 2 : s == run_step::train ? 1 : 0;
}

[[nodiscard]] inline std::optional<double> kept_share(const ticket_summary& t) {
  double kept = 0.0, size = 0.0;
  for (const auto& [name, n] : t.kept) kept += static_cast<double>(n);
  for (const auto& [name, n] : t.size) size += static_cast<double>(n);
  return size > 0.0 ? std::optional<double>{kept / size} : std::nullopt;
}

/// The best-ranked runs of a seed as one score.
inline void add_seed(score_row& row, std::uint64_t seed, const std::vector<const result*>& runs) {
  int best = -1;
  for (const result* r : runs) best = std::max(best, rank(r->step));
  seed_score s;
  s.seed = seed;
  s.runs = 0;
  for (const result* r : runs) {
    if (rank(r->step) != best) continue;
    if (!r->score) {
      ++row.undefined;
    } else {
      const std::string ticket = r->ticket ? r->ticket->fingerprint : "";
      const bool all = r->ticket && kept_share(*r->ticket) == 1.0;
      s.keeps_all = all && (s.runs == 0 || s.keeps_all);
      s.ticket = s.runs == 0 || s.ticket == ticket ? ticket : "";
      s.score += *r->score;
      ++s.runs;
      if (!s.majority) s.majority = r->majority;
      if (r->undefined.empty()) continue;
      ++s.zeros;
      row.why_zero.insert(r->undefined);
    }
  }
  if (s.runs == 0) return;
  s.score /= static_cast<double>(s.runs);
  row.seeds.push_back(s);
}

[[nodiscard]] inline score_row make_row(std::optional<ticket_kind> kind,
                                        bool retrained,
                                        const std::vector<const result*>& runs) {
  score_row row;
  row.kind = kind;
  row.retrained = retrained;
  std::map<std::uint64_t, std::vector<const result*>> by_seed;
  std::map<std::string, double> shares;  // by fingerprint: a ticket counts once
  for (const result* r : runs) {
    by_seed[r->seed].push_back(r);
    if (!r->ticket) continue;
    if (const auto share = kept_share(*r->ticket)) {
      shares[r->ticket->fingerprint + "/" + std::to_string(r->seed)] = *share;
    }
  }
  for (const auto& [seed, of_seed] : by_seed) add_seed(row, seed, of_seed);
  std::vector<double> scores, kept;
  for (const seed_score& s : row.seeds) scores.push_back(s.score);
  for (const auto& [name, share] : shares) kept.push_back(share);
  row.over_seeds = moments_of(scores);
  row.kept = moments_of(kept);
  return row;
}

/// What the commonest class scores: that of each seed's first run that knows it, and of several the
/// mean, since seeds that drew other training rows may have other commonest classes.
template <class Runs>
[[nodiscard]] std::optional<double> mean_majority(const Runs& of_family) {
  std::map<std::uint64_t, double> by_seed;
  for (const auto& [kind_and_phase, of_kind] : of_family) {
    for (const result* r : of_kind) {
      if (r->majority) by_seed.emplace(r->seed, *r->majority);
    }
  }
  std::vector<double> all;
  for (const auto& [seed, score] : by_seed) all.push_back(score);
  if (all.empty()) return std::nullopt;
  // The mean of equal numbers may differ from them in its last digit.
  const bool one = std::all_of(all.begin(), all.end(), [&](double x) { return x == all[0]; });
  return one ? all[0] : moments_of(all).mean;
}

}  // namespace detail

/// Sorts results into groups by task and family, and by setting and search where there are
/// several; the runs of a full model go into every family of its task and setting.
///
/// Throws format_error if two results of one task were scored by different metrics: they cannot
/// stand in one column.
[[nodiscard]] inline std::vector<score_group> score_groups(std::span<const result> results) {
  using key = std::pair<std::optional<ticket_kind>, bool>;
  using runs = std::map<key, std::vector<const result*>>;
  // By task and setting: groups by family and search, of which the full model's has neither.
  using group_key = std::pair<std::optional<ticket_family>, std::string>;
  std::map<std::pair<std::string, std::string>, std::map<group_key, runs>> tasks;
  std::map<std::string, const result*> first;
  const variants named{results};
  for (const result& r : results) {
    if (r.step == run_step::pretrain || (r.step == run_step::find_masks && !r.ticket)) continue;
    const result& other = *first.emplace(r.task, &r).first->second;
    if (r.metric != other.metric) {
      throw format_error(r.file.string(), "'metric' is " + escape(r.metric) + " for task " +
                                              escape(r.task) + ", expected " +
                                              escape(other.metric) + " as in " +
                                              other.file.string());
    }
    group_key group;
    std::optional<ticket_kind> kind;
    if (r.ticket) group = {r.ticket->family, r.ticket->search}, kind = r.ticket->kind;
    tasks[{r.task, r.setting}][group][{kind, r.ticket && r.retrained}].push_back(&r);
  }
  std::vector<score_group> groups;
  for (auto& [task_and_setting, families] : tasks) {
    const std::string& task = task_and_setting.first;
    const runs full = families[group_key{}];
    for (auto& [family_and_search, of_family] : families) {
      const auto family = family_and_search.first;
      if (!family && families.size() > 1) continue;
      const result& one = *of_family.begin()->second.front();
      score_group g;
      g.task = task, g.family = family, g.variant = named.name_of(one);
      g.metric = first[task]->metric;
      g.setting = task_and_setting.second, g.search = family_and_search.second;
      g.setting_name = named.setting_of(one);
      if (family) of_family.insert(full.begin(), full.end());
      g.majority = detail::mean_majority(of_family);
      for (const auto& [kind_and_phase, of_kind] : of_family) {
        g.rows.push_back(detail::make_row(kind_and_phase.first, kind_and_phase.second, of_kind));
      }
      std::stable_sort(g.rows.begin(), g.rows.end(), [](const score_row& a, const score_row& b) {
        return std::tuple{a.retrained, a.kind} < std::tuple{b.retrained, b.kind};
      });
      groups.push_back(std::move(g));
    }
  }
  std::stable_sort(groups.begin(), groups.end(), [](const score_group& a, const score_group& b) {
    return std::tie(a.task, a.family, a.variant) < std::tie(b.task, b.family, b.variant);
  });
  return groups;
}

/// `full`, `good`, ...
[[nodiscard]] inline std::string name_of(std::optional<ticket_kind> kind) {
  return kind ? std::string{to_string(*kind)} : "full";
}

/// `trained` for the full model, `masked` before and `retrained` after training inside the ticket.
[[nodiscard]] inline std::string phase_of(const score_row& r) {
  return !r.kind ? "trained" : r.retrained ? "retrained" : "masked";
}

}  // namespace tombola::analysis
