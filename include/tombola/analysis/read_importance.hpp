#pragma once

// Heavy: includes xtensor.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "tombola/analysis/folder.hpp"
#include "tombola/analysis/importance_section.hpp"
#include "tombola/analysis/important_units.hpp"
#include "tombola/analysis/mask_folder.hpp"
#include "tombola/analysis/study_arrays.hpp"
#include "tombola/analysis/ticket_sets.hpp"

namespace tombola::analysis {

namespace detail {

/// The tasks of a set that an array has.
template <std::size_t Axes>
[[nodiscard]] ticket_set only_tasks_of(const ticket_set& set, const study_array<Axes>& a) {
  ticket_set some{set.name, {}};
  for (const task_tickets& t : set.tasks) {
    if (std::find(a.tasks.begin(), a.tasks.end(), t.task) != a.tasks.end()) some.tasks.push_back(t);
  }
  return some;
}

/// Whether any seed of any task has the file.
[[nodiscard]] inline bool any_has(const std::filesystem::path& folder, const std::string& file) {
  std::error_code code;
  for (const auto& task : folders_in(folder)) {
    for (const auto& seed : folders_in(task)) {
      if (seed_of(seed) && std::filesystem::exists(seed / file, code)) return true;
    }
  }
  return false;
}

/// Tells each seed's ticket the file of importances it was chosen by.
inline void name_files(const std::filesystem::path& task,
                       const std::string& file,
                       task_tickets& tickets) {
  for (const auto& [seed, path] : files_of_seeds(task, file)) {
    for (seed_ticket& s : tickets.seeds) {
      if (s.seed == std::to_string(seed)) s.files = {path};
    }
  }
}

template <std::size_t Axes>
void add_importance(const std::filesystem::path& folder,
                    const std::string& file,
                    const ticket_set& set,
                    const std::string& part,
                    std::size_t most,
                    std::vector<important_part>& found) {
  if (!set.tasks[0].seeds[0].value.find(part) || !any_has(folder, file)) return;
  const auto a = read_study_array<Axes>(folder, file);
  const ticket_set some = only_tasks_of(set, a);
  if (some.tasks.empty() || a.values.size() == 0) return;
  const std::size_t units = some.tasks[0].seeds.at(0).value.at(part).size();
  const std::size_t k = std::min(most, units);
  important_part p{part, k, most_important(some, part, a, k), {}};
  for (task_tickets& t : p.best.tasks) name_files(folder / t.task, file, t);
  for (const task_tickets& t : some.tasks) {
    std::vector<std::vector<double>> scores;
    for (std::size_t s = 0; s < a.seeds.size(); ++s) {
      const auto from = a.values.begin() +
                        static_cast<std::ptrdiff_t>((a.task(t.task) * a.seeds.size() + s) * units);
      scores.emplace_back(from, from + static_cast<std::ptrdiff_t>(units));
    }
    p.agreement.push_back(importance_agreement_of(set.name, t.task, part, scores, k));
  }
  found.push_back(std::move(p));
}

}  // namespace detail

/// The most important units of a set that was read from `folder`, where importances lie beside the
/// masks: `<task>/seed_<n>/head_importance.npy` (layers x heads) and `mlp_importance.npy` (layers).
/// Ten heads and three MLPs as in the study, fewer where there are fewer. Empty where there are no
/// importances; a task that has none is left out.
///
/// Throws as read_study_array and most_important do.
[[nodiscard]] inline std::vector<important_part> read_importance(
    const std::filesystem::path& folder, const ticket_set& set) {
  std::vector<important_part> found;
  if (set.tasks.empty() || set.tasks[0].seeds.empty()) return found;
  detail::add_importance<2>(folder, "head_importance.npy", set, "heads", most_important_heads,
                            found);
  detail::add_importance<1>(folder, "mlp_importance.npy", set, "mlps", most_important_mlps, found);
  return found;
}

}  // namespace tombola::analysis
