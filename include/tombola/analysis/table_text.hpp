#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/analysis/display_width.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/table.hpp"

namespace tombola::analysis {

namespace detail {

/// Cells next to each other, two blanks apart; those of numbers to the right.
[[nodiscard]] inline std::string text_line(const std::vector<std::string>& cells,
                                           const std::vector<std::size_t>& widths,
                                           const std::vector<bool>& right) {
  std::string line;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const std::string blanks(widths[c] - display_width(cells[c]), ' ');
    line += (c == 0 ? "" : "  ") + (right[c] ? blanks + cells[c] : cells[c] + blanks);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace detail

/// The table as text for a terminal: its caption, a heading, a rule, and rows rounded as on a page;
/// a dash where there is no number, the reasons below.
[[nodiscard]] inline std::string to_text(const table& t) {
  std::vector<std::vector<std::string>> lines(1);
  std::vector<std::size_t> widths;
  std::vector<bool> right;
  for (std::size_t c = 0; c < t.columns.size(); ++c) {
    lines[0].push_back(on_one_line(t.columns[c].heading));
    right.push_back(detail::is_numeric(t, c));
  }
  for (const auto& row : t.rows) {
    lines.emplace_back();
    for (const cell& c : row) lines.back().push_back(on_one_line(page_text(c)));
  }
  widths.resize(t.columns.size());
  for (const auto& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c) {
      widths[c] = std::max(widths[c], display_width(line[c]));
    }
  }
  std::string out = on_one_line(t.caption) + "\n\n";
  std::vector<std::string> rule;
  for (const std::size_t w : widths) rule.emplace_back(w, '-');
  for (std::size_t k = 0; k < lines.size(); ++k) {
    out += detail::text_line(lines[k], widths, right);
    if (k == 0) out += detail::text_line(rule, widths, right);
  }
  if (const std::string why = detail::all_reasons(t); !why.empty()) {
    out += "\nA dash stands where there is no number: " + on_one_line(why) + ".\n";
  }
  return out;
}

}  // namespace tombola::analysis
