#pragma once

// Heavy: includes xtensor. Tables that are made of masks alone take ticket_sets.hpp instead.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <xtensor/xtensor.hpp>

#include "tombola/analysis/folder.hpp"
#include "tombola/analysis/mask_folder.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::analysis {

/// One number for every unit of a group, of every task and seed of a study, in double.
///
/// Shape: [task, seed, ...] and the group's axes, row-major. No entry is missing.
template <std::size_t Axes>
struct study_array {
  std::vector<std::string> tasks;        ///< [task] by name
  std::vector<std::string> seeds;        ///< [seed] without `seed_`, the same for every task
  xt::xtensor<double, Axes + 2> values;  ///< [task, seed, ...]
  std::vector<std::string> left_out;     ///< tasks that have no such numbers for any seed

  /// The place of a task. Throws input_error that lists the tasks there are.
  [[nodiscard]] std::size_t task(const std::string& name) const {
    return place(tasks, name, "task");
  }
  /// The place of a seed. Throws input_error that lists the seeds there are.
  [[nodiscard]] std::size_t seed(const std::string& name) const {
    return place(seeds, name, "seed");
  }

private:
  [[nodiscard]] static std::size_t place(const std::vector<std::string>& all,
                                         const std::string& name,
                                         const char* what) {
    const auto at = std::find(all.begin(), all.end(), name);
    if (at != all.end()) return static_cast<std::size_t>(at - all.begin());
    std::string there;
    for (const std::string& s : all) there += (there.empty() ? "" : ", ") + s;
    throw input_error(std::string{"no "} + what + " " + io::shown(name) + ", expected one of " +
                      there);
  }
};

/// Numbers of heads, [task, seed, layer, head], and of MLPs, [task, seed, layer].
using head_array = study_array<2>;
using mlp_array = study_array<1>;

namespace detail {

/// The extents of a study's array. Throws shape_error where their product overflows.
template <std::size_t Axes>
[[nodiscard]] std::array<std::size_t, Axes + 2> study_shape(
    std::size_t tasks, std::size_t seeds, const std::vector<std::size_t>& extents) {
  std::array<std::size_t, Axes + 2> shape{tasks, seeds};
  std::copy(extents.begin(), extents.end(), shape.begin() + 2);
  (void)checked_product({shape.begin(), shape.end()}, "an array over tasks and seeds");
  return shape;
}

/// The files of this name in a task's `seed_<n>` folders, by seed; empty where there is none.
/// Throws format_error, naming the first that is missing, where only some seeds have it.
[[nodiscard]] inline std::vector<std::pair<std::uint64_t, std::filesystem::path>> files_of_seeds(
    const std::filesystem::path& task, const std::string& file) {
  std::vector<std::pair<std::uint64_t, std::filesystem::path>> there;
  std::vector<std::filesystem::path> missing;
  for (const auto& folder : folders_in(task)) {
    const auto seed = seed_of(folder);
    if (!seed) continue;
    std::error_code code;
    if (std::filesystem::exists(folder / file, code)) {
      there.emplace_back(*seed, folder / file);
    } else {
      missing.push_back(folder / file);
    }
  }
  if (!there.empty() && !missing.empty()) {
    throw format_error(missing[0].string(), "is not there, expected one beside " +
                                                there[0].second.string() + " for every seed");
  }
  std::sort(there.begin(), there.end());
  return there;
}

/// An array of numbers with so many axes. Throws format_error, naming the index, at a number that
/// is not finite: one of them would make every mean over it meaningless.
[[nodiscard]] inline io::npy_array read_finite(const std::filesystem::path& file,
                                               std::size_t axes) {
  io::npy_array a = io::read_npy(file);
  if (a.extents.size() != axes || a.values.empty()) {
    throw format_error(file.string(), "has shape " + io::shown(a.extents) + ", expected " +
                                          (axes == 2 ? "layers x heads" : "one number per layer"));
  }
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    if (!std::isfinite(a.values[i])) {
      throw format_error(file.string(), "element " + io::detail::npy_index(i, a.extents) + " is " +
                                            io::shown(a.values[i]) + ", expected a finite number");
    }
  }
  return a;
}

}  // namespace detail

/// Reads `<task>/seed_<n>/<file>` of every task and seed: importances, entropies or masks.
///
/// Tasks by name, seeds by number. A task that has the file for no seed is named in left_out.
/// Throws format_error, naming the file, where a seed of another task lacks it, where seeds or
/// shapes differ between tasks, or a number is not finite; input_error where no task has the file.
template <std::size_t Axes>
[[nodiscard]] study_array<Axes> read_study_array(const std::filesystem::path& folder,
                                                 const std::string& file) {
  static_assert(Axes == 1 || Axes == 2, "numbers of layers, or of layers and heads");
  study_array<Axes> all;
  std::vector<io::npy_array> arrays;
  std::vector<std::uint64_t> seeds;
  for (const auto& task : folders_in(folder)) {
    const auto files = detail::files_of_seeds(task, file);
    std::vector<std::uint64_t> here;
    for (const auto& [seed, path] : files) here.push_back(seed);
    if (files.empty()) {
      all.left_out.push_back(task.filename().string());
      continue;
    }
    if (all.tasks.empty()) {
      seeds = here;
    } else if (here != seeds) {
      throw format_error(task.string(), "has " + std::to_string(here.size()) + " seeds with a " +
                                            file + ", expected the " +
                                            std::to_string(seeds.size()) + " of " + all.tasks[0]);
    }
    all.tasks.push_back(task.filename().string());
    for (const auto& [seed, path] : files) {
      arrays.push_back(detail::read_finite(path, Axes));
      if (arrays.back().extents != arrays[0].extents) {
        throw format_error(path.string(), "has shape " + io::shown(arrays.back().extents) +
                                              ", expected " + io::shown(arrays[0].extents) +
                                              " as in " + all.tasks[0]);
      }
    }
  }
  if (arrays.empty()) {
    throw input_error(folder.string() + ": no task has a " + file + ", expected <task>/seed_<n>/" +
                      file);
  }
  for (const std::uint64_t s : seeds) all.seeds.push_back(std::to_string(s));
  all.values.resize(detail::study_shape<Axes>(all.tasks.size(), seeds.size(), arrays[0].extents));
  auto out = all.values.begin();
  for (const auto& a : arrays) out = std::copy(a.values.begin(), a.values.end(), out);
  return all;
}

/// The masks of one group of a set as numbers, 0 and 1.
///
/// Throws input_error, naming task and seed, where a task lacks a seed that another has, or a
/// ticket the group; shape_error if the group has another number of axes.
template <std::size_t Axes>
[[nodiscard]] study_array<Axes> study_array_of(const ticket_set& set,
                                               const std::string& group_name) {
  if (set.tasks.empty()) throw input_error("study_array_of: a set without tasks");
  study_array<Axes> all;
  for (const seed_ticket& s : set.tasks[0].seeds) all.seeds.push_back(s.seed);
  const ticket& first = set.tasks[0].seeds.at(0).value;
  (void)first.at(group_name);  // names the group where there is none
  const std::vector<std::size_t> extents = first.groups()[*first.find(group_name)].extents;
  if (extents.size() != Axes) {
    throw shape_error("study_array_of: " + to_string(group{group_name, extents}) + ", expected " +
                      std::to_string(Axes) + " axes");
  }
  all.values.resize(detail::study_shape<Axes>(set.tasks.size(), all.seeds.size(), extents));
  auto out = all.values.begin();
  for (const task_tickets& t : set.tasks) {
    all.tasks.push_back(t.task);
    if (t.seeds.size() != all.seeds.size()) {
      throw input_error("study_array_of: " + t.task + " has " + std::to_string(t.seeds.size()) +
                        " seeds, expected the " + std::to_string(all.seeds.size()) + " of " +
                        all.tasks[0]);
    }
    for (const std::string& seed : all.seeds) {
      const auto at = std::find_if(t.seeds.begin(), t.seeds.end(),
                                   [&](const seed_ticket& s) { return s.seed == seed; });
      if (at == t.seeds.end()) {
        throw input_error("study_array_of: " + t.task + " has no seed " + seed +
                          ", expected it as " + all.tasks[0] + " has it");
      }
      require_same_groups(first, at->value);
      const mask& m = at->value.at(group_name);
      for (std::size_t i = 0; i < m.size(); ++i) *out++ = m[i] ? 1.0 : 0.0;
    }
  }
  return all;
}

}  // namespace tombola::analysis
