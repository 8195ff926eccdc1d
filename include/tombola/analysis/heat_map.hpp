#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tombola/analysis/colour.hpp"
#include "tombola/analysis/figure.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/core/error.hpp"

namespace tombola::analysis {

/// A grid of numbers as colours, each with its number and deviation written in: survivors as
/// layers (down) x heads (across), or a matrix of pairs.
struct heat_map {
  std::string title;                          ///< what a screen reader says instead of the picture
  std::string row_title = "layer";            ///< what the rows are, one word
  std::string column_title = "head";          ///< what the columns are, one word
  std::vector<std::string> rows;              ///< [R] labels
  std::vector<std::string> columns;           ///< [C] labels
  std::vector<std::optional<double>> values;  ///< [R x C], row-major; no value, no cell
  std::vector<std::optional<double>> deviations;  ///< [R x C], or empty: none are written
  std::vector<std::string> marks;                 ///< [R x C] written behind the numbers, or empty
  /// [R x C] for the tooltips, or empty. Where there is no value, the reason: a dash is drawn.
  std::vector<std::string> notes;
  double low = 0.0;            ///< the value of the darkest colour
  double high = 1.0;           ///< the value of the lightest colour
  int digits = 2;              ///< places written in a cell
  std::size_t gap_before = 0;  ///< leaves a gap before this column; 0 for none
};

namespace detail {

/// Where the parts of a heat map lie, in pixels of its own coordinates.
struct heat_map_layout {
  double cell_width = 38.0;
  double cell_height = 32.0;
  double left = 0.0;  ///< width of the row labels
  double top = 34.0;  ///< height of the column labels
  double gap = 0.0;   ///< before the columns that stand apart
  double width = 0.0;
  double height = 0.0;
  double bottom = 34.0;  ///< height of the key

  explicit heat_map_layout(const heat_map& h) {
    std::size_t longest = 1, widest = 1;
    for (const std::string& r : h.rows)
      longest = std::max(longest, std::min<std::size_t>(r.size(), 24));
    for (const std::string& c : h.columns)
      widest = std::max(widest, std::min<std::size_t>(c.size(), 10));
    if (h.deviations.empty()) cell_height = 26.0;
    const bool marked = std::any_of(h.marks.begin(), h.marks.end(),
                                    [](const std::string& mark) { return !mark.empty(); });
    if (marked) cell_width = 54.0;
    cell_width = std::max(cell_width, 7.0 * static_cast<double>(widest) + 8.0);
    left = 22.0 + 7.0 * static_cast<double>(longest);
    gap = h.gap_before == 0 ? 0.0 : 10.0;
    width = left + gap + cell_width * static_cast<double>(h.columns.size()) + 2.0;
    width = std::max(width, left + 150.0);
    height = top + cell_height * static_cast<double>(h.rows.size()) + bottom;
  }

  [[nodiscard]] double x(const heat_map& h, std::size_t column) const {
    const bool apart = h.gap_before != 0 && column >= h.gap_before;
    return left + cell_width * static_cast<double>(column) + (apart ? gap : 0.0);
  }
  [[nodiscard]] double y(std::size_t row) const {
    return top + cell_height * static_cast<double>(row);
  }
};

/// A dash where there is no number, with the reason as its tooltip.
inline void draw_gap(
    markup& m, const heat_map_layout& at, double x, double y, const std::string& reason) {
  m.open("g").leaf("title", reason);
  m.leaf("text",
         {{"x", fixed(x + at.cell_width / 2.0, 1)},
          {"y", fixed(y + at.cell_height / 2.0 + 3.5, 1)},
          {"class", "axis middle"}},
         en_dash);
  m.close().line();
}

inline void draw_cell(
    markup& m, const heat_map& h, const heat_map_layout& at, std::size_t r, std::size_t c) {
  const std::size_t i = r * h.columns.size() + c;
  const bool apart = h.gap_before != 0 && c >= h.gap_before;  // its name says what it is
  const std::string where = (h.row_title.empty() ? "" : h.row_title + " ") + h.rows[r] + ", " +
                            (apart ? "" : h.column_title + " ") + h.columns[c];
  if (!h.values[i]) {
    if (!h.notes.empty() && !h.notes[i].empty())
      draw_gap(m, at, at.x(h, c), at.y(r), where + ": " + h.notes[i]);
    return;
  }
  const double v = *h.values[i];
  const double span = h.high - h.low;
  const colour paint = sequential(span > 0.0 ? (v - h.low) / span : 1.0);
  const double x = at.x(h, c), y = at.y(r), w = at.cell_width, tall = at.cell_height;
  const bool with_deviation = !h.deviations.empty() && h.deviations[i];
  m.open("g", {{"fill", to_string(ink_on(paint))}, {"class", "cell"}});
  std::string tip = where + ": " + shortest(v);
  if (with_deviation) tip += ", deviation " + shortest(*h.deviations[i]);
  if (!h.notes.empty() && !h.notes[i].empty()) tip += ". " + h.notes[i];
  m.leaf("title", tip);
  m.empty("rect", {{"x", fixed(x, 1)},
                   {"y", fixed(y, 1)},
                   {"width", fixed(w - 1.0, 1)},
                   {"height", fixed(tall - 1.0, 1)},
                   {"fill", to_string(paint)}});
  const std::string middle = fixed(x + (w - 1.0) / 2.0, 1);
  const double base = with_deviation ? y + tall / 2.0 - 1.0 : y + tall / 2.0 + 3.5;
  m.leaf("text", {{"x", middle}, {"y", fixed(base, 1)}, {"class", "v"}},
         fixed(v, h.digits) + (h.marks.empty() ? "" : h.marks[i]));
  if (with_deviation) {
    m.leaf("text", {{"x", middle}, {"y", fixed(base + 11.0, 1)}, {"class", "d"}},
           std::string{plus_minus} + fixed(*h.deviations[i], h.digits));
  }
  m.close().line();
}

/// The colours with the two values at their ends.
inline void draw_key(markup& m, const heat_map& h, const heat_map_layout& at) {
  constexpr int steps = 24;
  const double y = at.height - 18.0;
  m.leaf("text", {{"x", fixed(at.left - 6.0, 1)}, {"y", fixed(y + 9.0, 1)}, {"class", "end"}},
         fixed(h.low, h.low == 0.0 ? 0 : h.digits));
  for (int s = 0; s < steps; ++s) {
    m.empty("rect", {{"x", fixed(at.left + 4.0 * s, 1)},
                     {"y", fixed(y, 1)},
                     {"width", "4.5"},
                     {"height", "10"},
                     {"fill", to_string(sequential(s / (steps - 1.0)))}});
  }
  m.leaf(
      "text",
      {{"x", fixed(at.left + 4.0 * steps + 6.0, 1)}, {"y", fixed(y + 9.0, 1)}, {"class", "start"}},
      fixed(h.high, h.high == static_cast<double>(static_cast<long>(h.high)) ? 0 : h.digits));
}

}  // namespace detail

/// Draws the grid as one <svg> element. Every cell's tooltip has the exact value.
///
/// Throws shape_error if values, deviations, marks or notes do not have one entry per cell.
[[nodiscard]] inline std::string draw(const heat_map& h) {
  const std::size_t cells = h.rows.size() * h.columns.size();
  const auto fits = [cells](std::size_t n) { return n == 0 || n == cells; };
  if (h.values.size() != cells || !fits(h.deviations.size()) || !fits(h.marks.size()) ||
      !fits(h.notes.size())) {
    throw shape_error("heat map " + h.title + ": " + std::to_string(h.values.size()) + " values, " +
                      std::to_string(h.deviations.size()) + " deviations, " +
                      std::to_string(h.marks.size()) + " marks and " +
                      std::to_string(h.notes.size()) + " notes, expected " + std::to_string(cells));
  }
  const detail::heat_map_layout at{h};
  markup m;
  open_figure(m, h.title, at.width, at.height,
              {std::min(at.width, std::max(300.0, 0.8 * at.width)), at.width});
  m.leaf("text", {{"x", fixed(at.left, 1)}, {"y", "11"}, {"class", "axis"}}, h.column_title);
  m.leaf(
      "text",
      {{"transform", "translate(10," + fixed(at.top, 1) + ") rotate(-90)"}, {"class", "axis end"}},
      h.row_title);
  for (std::size_t c = 0; c < h.columns.size(); ++c) {
    m.leaf("text",
           {{"x", fixed(at.x(h, c) + at.cell_width / 2.0, 1)}, {"y", "28"}, {"class", "middle"}},
           shorten(h.columns[c], 10));
  }
  m.line();
  for (std::size_t r = 0; r < h.rows.size(); ++r) {
    m.leaf("text",
           {{"x", fixed(at.left - 6.0, 1)},
            {"y", fixed(at.y(r) + at.cell_height / 2.0 + 3.5, 1)},
            {"class", "end"}},
           shorten(h.rows[r], 24));
    for (std::size_t c = 0; c < h.columns.size(); ++c) detail::draw_cell(m, h, at, r, c);
  }
  detail::draw_key(m, h, at);
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
