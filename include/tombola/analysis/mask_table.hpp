#pragma once

// Heavy: reads JSON and tensors.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tombola/analysis/mask_folder.hpp"
#include "tombola/analysis/ticket_sets.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/io/csv.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/io/ticket_file.hpp"

namespace tombola::analysis {

/// The group of units that an array file holds, by its name: `heads` for head_mask.npy and
/// head_importance.npy, `mlps` for those of MLPs, else the name without its ending and `_mask`.
[[nodiscard]] inline std::string group_named_by(const std::filesystem::path& file) {
  std::string name = file.stem().string();
  if (name == "head_mask" || name == "head_importance") return "heads";
  if (name == "mlp_mask" || name == "mlp_importance") return "mlps";
  if (name.size() > 5 && name.ends_with("_mask")) name.resize(name.size() - 5);
  return name;
}

namespace detail {

/// Throws format_error, naming the line, unless there is a name that messages can repeat: a table
/// must not choose what a terminal does.
inline void require_file_name(const io::csv_table& table, std::size_t row, std::size_t column) {
  const std::string& name = table.field(row, column);
  const auto line = [&] { return "line " + std::to_string(table.line(row)) + ": "; };
  if (name.empty()) {
    throw format_error(table.file(), line() + "an empty file name, expected a file of masks");
  }
  if (has_control_characters(name)) {
    throw format_error(table.file(), line() + "the file name " + io::shown(name) +
                                         " has control characters, expected none");
  }
}

/// The optional column of this name: its text in a row, or nothing.
[[nodiscard]] inline std::string text_or_nothing(const io::csv_table& table,
                                                 std::size_t row,
                                                 const std::string& name) {
  const auto at = std::find(table.header().begin(), table.header().end(), name);
  if (at == table.header().end()) return {};
  return table.field(row, static_cast<std::size_t>(at - table.header().begin()));
}

/// What the rows of one set, task and seed have brought so far.
struct gathered_ticket {
  std::vector<group> groups;
  std::vector<mask> masks;
  seed_ticket seed;
  std::uint64_t number = 0;
};

struct gathered_task {
  std::string task;
  std::vector<gathered_ticket> tickets;
};

struct gathered_set {
  std::string name;
  std::vector<gathered_task> tasks;
};

/// Reads a file of masks into a ticket that may have groups from other files.
inline void gather_file(const std::filesystem::path& file,
                        const std::string& group_name,
                        const io::csv_table& table,
                        std::size_t row,
                        gathered_ticket& t) {
  const auto add = [&](group g, mask m) {
    for (const group& other : t.groups) {
      if (other.name != g.name) continue;
      throw format_error(table.file(),
                         "line " + std::to_string(table.line(row)) + ": " + file.string() +
                             " has a group " + io::shown(g.name) + " that " +
                             t.seed.files.front().string() +
                             " or a file after it has too, for one task and seed; a column "
                             "'group' can tell arrays apart");
    }
    t.groups.push_back(std::move(g));
    t.masks.push_back(std::move(m));
  };
  const ticket read = [&]() -> ticket {
    try {
      if (file.extension() != ".npy") return io::read_ticket(file);
      io::npy_mask m = io::read_mask_npy(file);
      std::vector<mask> one;
      one.push_back(std::move(m.mask));
      return {{{group_name, std::move(m.extents)}}, std::move(one)};
    } catch (const input_error& e) {
      throw format_error(table.file(), "line " + std::to_string(table.line(row)) + ": " + e.what());
    }
  }();
  for (std::size_t g = 0; g < read.groups().size(); ++g) add(read.groups()[g], read[g]);
  t.seed.files.push_back(file);
}

/// The element of this name, added at the end if need be.
template <class T, class Name>
[[nodiscard]] T& named(std::vector<T>& all, std::string T::*name, const Name& wanted) {
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const T& x) { return x.*name == wanted; });
  if (at != all.end()) return *at;
  all.emplace_back();
  all.back().*name = wanted;
  return all.back();
}

}  // namespace detail

/// Reads the masks that a table names: a CSV file with the columns `file`, `task`, `seed`; also
/// `set` if there are several (else the set is called `masks`), and `group` if a ticket has several
/// arrays (else an array is `heads` or `mlps` by the study's names, or `mask`). Others are not
/// looked at.
///
/// A file is a 0/1 array (.npy) or a ticket; a relative name is taken from the table's folder.
/// Files of one set, task and seed are groups of one ticket. Sets and tasks come in the order of
/// the rows, seeds by number.
///
/// Throws format_error, naming the table, line and file, where a column is missing, a file or task
/// is empty, a file's name has control characters, a seed is no whole number, a file cannot be
/// read, a group stands twice in a ticket, or the tickets of a set differ in their groups; and as
/// read_csv does.
[[nodiscard]] inline std::vector<ticket_set> read_mask_table(const std::filesystem::path& path) {
  const io::csv_table table = io::read_csv(path);
  const std::size_t file = table.column("file"), task = table.column("task"),
                    seed = table.column("seed");
  if (table.rows() == 0)
    throw format_error(table.file(), "names no file, expected one in each row");
  std::vector<detail::gathered_set> found;
  for (std::size_t r = 0; r < table.rows(); ++r) {
    detail::require_file_name(table, r, file);
    if (table.field(r, task).empty()) {
      throw format_error(table.file(), "line " + std::to_string(table.line(r)) +
                                           ": an empty task, expected the name of one");
    }
    const std::string set = detail::text_or_nothing(table, r, "set");
    auto& in_set =
        detail::named(found, &detail::gathered_set::name, set.empty() ? std::string{"masks"} : set);
    auto& in_task = detail::named(in_set.tasks, &detail::gathered_task::task, table.field(r, task));
    const auto number = table.number_of<std::uint64_t>(r, seed);
    auto at = std::find_if(in_task.tickets.begin(), in_task.tickets.end(),
                           [&](const detail::gathered_ticket& t) { return t.number == number; });
    if (at == in_task.tickets.end()) {
      at = in_task.tickets.insert(at, {{}, {}, {std::to_string(number), {}, {}}, number});
    }
    const std::filesystem::path masks = path.parent_path() / table.field(r, file);
    std::string group_name = detail::text_or_nothing(table, r, "group");
    if (group_name.empty()) {
      const std::string known = group_named_by(masks);
      group_name = known == "heads" || known == "mlps" ? known : "mask";
    }
    detail::gather_file(masks, group_name, table, r, *at);
  }
  std::vector<ticket_set> sets;
  for (auto& from_set : found) {
    ticket_set to{from_set.name, {}};
    for (auto& from : from_set.tasks) {
      std::stable_sort(from.tickets.begin(), from.tickets.end(),
                       [](const auto& a, const auto& b) { return a.number < b.number; });
      to.tasks.push_back({from.task, {}});
      for (auto& t : from.tickets) {
        t.seed.value = ticket{std::move(t.groups), std::move(t.masks)};
        t.seed.value.origin.task = from.task;
        t.seed.value.origin.seed = t.number;
        to.tasks.back().seeds.push_back(std::move(t.seed));
      }
    }
    detail::require_one_shape(to);
    sets.push_back(std::move(to));
  }
  return sets;
}

}  // namespace tombola::analysis
