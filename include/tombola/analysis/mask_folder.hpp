#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "tombola/analysis/folder.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::analysis {

namespace detail {

/// The number in a folder name `seed_<number>`, or nothing for another name.
[[nodiscard]] inline std::optional<std::uint64_t> seed_of(const std::filesystem::path& folder) {
  const std::string name = folder.filename().string();
  if (!name.starts_with("seed_")) return std::nullopt;
  std::uint64_t seed = 0;
  const char *from = name.data() + 5, *to = name.data() + name.size();
  const auto end = std::from_chars(from, to, seed);
  return end.ec == std::errc{} && end.ptr == to ? std::optional{seed} : std::nullopt;
}

/// Adds one mask file of a seed's folder, if it is there, as a group of so many axes.
inline void add_group(const std::filesystem::path& file,
                      const std::string& name,
                      std::size_t axes,
                      std::vector<group>& groups,
                      std::vector<mask>& masks,
                      seed_ticket& s) {
  std::error_code code;
  if (!std::filesystem::exists(file, code)) return;
  io::npy_mask found = io::read_mask_npy(file);
  if (found.extents.size() != axes || found.mask.size() == 0) {
    throw format_error(file.string(), "has shape " + io::shown(found.extents) + ", expected " +
                                          (axes == 2 ? "layers x heads" : "one unit per layer"));
  }
  groups.push_back({name, std::move(found.extents)});
  masks.push_back(std::move(found.mask));
  s.files.push_back(file);
}

/// The ticket of one `seed_<n>` folder. Throws format_error unless it holds a mask.
[[nodiscard]] inline seed_ticket read_seed(const std::filesystem::path& folder,
                                           std::uint64_t seed,
                                           const std::string& task) {
  seed_ticket s{std::to_string(seed), {}, {}};
  std::vector<group> groups;
  std::vector<mask> masks;
  add_group(folder / "head_mask.npy", "heads", 2, groups, masks, s);
  add_group(folder / "mlp_mask.npy", "mlps", 1, groups, masks, s);
  if (groups.empty()) {
    throw format_error(folder.string(),
                       "has neither head_mask.npy nor mlp_mask.npy, expected one at least");
  }
  s.value = ticket{std::move(groups), std::move(masks)};
  s.value.origin.task = task;
  s.value.origin.seed = seed;
  return s;
}

/// All tickets of a set are over the same groups, or the first that is not is named.
inline void require_one_shape(const ticket_set& set) {
  const seed_ticket& first = set.tasks.at(0).seeds.at(0);
  for (const task_tickets& t : set.tasks) {
    for (const seed_ticket& s : t.seeds) {
      try {
        require_same_groups(first.value, s.value);
      } catch (const shape_error& e) {
        throw format_error(s.files.at(0).string(),
                           "does not fit " + first.files.at(0).string() + ": " + e.what());
      }
    }
  }
}

}  // namespace detail

/// Reads a folder of masks in the study's layout, `<task>/seed_<n>/head_mask.npy` (layers x heads)
/// and `mlp_mask.npy` (layers), both 0/1; one of the two may be missing, everywhere.
///
/// Tasks by name, seeds by number. A set without tasks where the folder has no such folders. Throws
/// format_error, naming the file, what was found and what was expected; input_error where something
/// cannot be read.
[[nodiscard]] inline ticket_set read_mask_set(const std::filesystem::path& folder) {
  const auto name = folder.filename().empty() ? folder.parent_path().filename() : folder.filename();
  ticket_set set{name.string(), {}};
  for (const auto& task_folder : folders_in(folder)) {
    std::vector<std::pair<std::uint64_t, std::filesystem::path>> seeds;
    for (const auto& f : folders_in(task_folder)) {
      if (const auto seed = detail::seed_of(f)) seeds.emplace_back(*seed, f);
    }
    if (seeds.empty()) continue;
    std::sort(seeds.begin(), seeds.end());
    task_tickets task{task_folder.filename().string(), {}};
    for (const auto& [seed, f] : seeds) {
      task.seeds.push_back(detail::read_seed(f, seed, task.task));
    }
    set.tasks.push_back(std::move(task));
  }
  if (!set.tasks.empty()) detail::require_one_shape(set);
  return set;
}

/// A folder in the study's layout, or a folder of several of them. Empty where there is neither.
/// Throws as read_mask_set does.
[[nodiscard]] inline std::vector<ticket_set> read_mask_sets(const std::filesystem::path& folder) {
  std::vector<ticket_set> sets;
  if (ticket_set one = read_mask_set(folder); !one.tasks.empty()) {
    sets.push_back(std::move(one));
    return sets;
  }
  for (const auto& inner : folders_in(folder)) {
    if (ticket_set one = read_mask_set(inner); !one.tasks.empty()) sets.push_back(std::move(one));
  }
  return sets;
}

}  // namespace tombola::analysis
