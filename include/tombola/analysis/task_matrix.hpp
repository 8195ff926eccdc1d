#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/analysis/heat_map.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/super_tickets.hpp"
#include "tombola/analysis/task_pairs.hpp"

namespace tombola::analysis {

/// One star below 0.05, two below 0.01, three below 0.001; nothing else. A probability that equals
/// a level must not fall below it by a rounding that differs from machine to machine.
[[nodiscard]] inline std::string significance_mark(std::optional<double> p) {
  const auto below = [&](double level) { return *p < level * (1.0 - 1e-9); };
  return !p ? "" : below(0.001) ? "***" : below(0.01) ? "**" : below(0.05) ? "*" : "";
}

/// What the stars say, in a sentence.
inline constexpr std::string_view meaning_of_stars =
    " Stars: chance gives as much with a probability below 0.05 (*), 0.01 (**), 0.001 (***), "
    "adjusted by Holm's method for all pairs of tasks.";

namespace detail {

/// An empty square over tasks.
[[nodiscard]] inline heat_map square_of(std::vector<std::string> tasks, const std::string& title) {
  heat_map h;
  h.title = title;
  h.row_title = h.column_title = "task";
  h.rows = tasks;
  h.columns = std::move(tasks);
  const std::size_t cells = h.rows.size() * h.rows.size();
  h.values.resize(cells), h.marks.resize(cells), h.notes.resize(cells);
  return h;
}

[[nodiscard]] inline std::size_t place_in(const heat_map& h, const std::string& task) {
  return static_cast<std::size_t>(std::find(h.rows.begin(), h.rows.end(), task) - h.rows.begin());
}

}  // namespace detail

/// Units that two tasks' tickets of one seed share: mean and deviation over seeds below the
/// diagonal, with stars for the adjusted probability; the sizes on it. As shares of all units where
/// as_share, else as numbers. Precondition: the pairs are of one set and one kind of unit.
[[nodiscard]] inline heat_map shared_units_map(std::span<const task_pair> pairs, bool as_share) {
  std::vector<std::string> tasks;
  for (const task_pair& p : pairs) {
    if (p.first == p.second) tasks.push_back(p.first);
  }
  const std::string part = pairs.empty() ? "none" : pairs[0].part;
  heat_map h = detail::square_of(std::move(tasks), "Units that two tasks share: " + part);
  h.digits = as_share ? 2 : 1;
  const bool deviations = std::any_of(pairs.begin(), pairs.end(), [](const task_pair& p) {
    return p.shared.deviation.has_value();
  });
  if (deviations) h.deviations.resize(h.values.size());
  for (const task_pair& p : pairs) {
    const double unit = as_share ? static_cast<double>(std::max<std::size_t>(p.units, 1)) : 1.0;
    h.high = as_share ? 1.0 : static_cast<double>(p.units);
    const std::size_t at =
        detail::place_in(h, p.second) * h.rows.size() + detail::place_in(h, p.first);
    h.marks[at] = significance_mark(p.adjusted_p);
    if (p.first == p.second) h.notes[at] = "The size of the tickets";
    if (p.expected.mean) {
      h.notes[at] = "Chance gives " + shortest(*p.expected.mean / unit) +
                    (p.adjusted_p ? ", and as much with p = " + probability(*p.adjusted_p) +
                                        " (adjusted for all pairs)"
                                  : "");
    }
    if (!p.shared.mean) {
      h.notes[at] = "No seed that both tasks have";
      continue;
    }
    h.values[at] = *p.shared.mean / unit;
    if (p.shared.deviation) h.deviations[at] = *p.shared.deviation / unit;
  }
  return h;
}

/// Units that the super tickets of two tasks share, below the diagonal; the sizes on it. Stars for
/// the adjusted probability of as many by chance. Precondition: the tickets are of one set and one
/// kind of unit, the pairs theirs. As shares of all units where as_share, else as numbers.
[[nodiscard]] inline heat_map super_map(std::span<const super_ticket> tickets,
                                        std::span<const super_pair> pairs,
                                        bool as_share) {
  std::vector<std::string> tasks;
  for (const super_ticket& s : tickets) tasks.push_back(s.task);
  const std::string part = tickets.empty() ? "none" : tickets[0].part;
  heat_map h =
      detail::square_of(std::move(tasks), "Units that every seed of two tasks keeps: " + part);
  const auto unit = [as_share](std::size_t units) {
    return as_share ? static_cast<double>(std::max<std::size_t>(units, 1)) : 1.0;
  };
  h.digits = as_share ? 2 : 0;
  h.high = as_share ? 1e-9 : 1.0;
  for (const super_ticket& s : tickets) {
    const std::size_t at = detail::place_in(h, s.task) * (h.rows.size() + 1);
    h.values[at] = static_cast<double>(s.in_all.count()) / unit(s.units);
    h.notes[at] = "In every seed; chance gives " + shortest(s.expected_all / unit(s.units));
    h.high = std::max(h.high, *h.values[at]);
  }
  for (const super_pair& p : pairs) {
    const std::size_t at =
        detail::place_in(h, p.second) * h.rows.size() + detail::place_in(h, p.first);
    h.values[at] = static_cast<double>(p.counts.both) / unit(p.counts.size());
    h.marks[at] = significance_mark(p.adjusted_p);
    h.notes[at] = "Chance gives " + shortest(p.expected_both / unit(p.counts.size())) +
                  ", and as much with p = " + probability(p.adjusted_p) +
                  " (adjusted for all pairs)";
  }
  return h;
}

}  // namespace tombola::analysis
