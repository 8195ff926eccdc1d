#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tombola/analysis/figure.hpp"
#include "tombola/analysis/markup.hpp"

namespace tombola::analysis {

/// One value of a row, and whose it is: the score of one seed.
struct dot {
  std::string name;
  double value = 0.0;
  std::string note{};  ///< why it is a cross and not a dot, such as `undefined`; mostly empty
};

/// One line of a dot figure: each seed as a dot, their mean as a bar, one deviation to each side.
struct dot_row {
  std::string label;
  std::vector<dot> dots;
  std::optional<double> mean;
  std::optional<double> deviation;
  bool emphasis = false;  ///< drawn in the second colour: after retraining
};

/// Rows of scores on one axis.
struct dot_figure {
  std::string title;
  std::string axis;  ///< what the numbers are: the metric
  std::vector<dot_row> rows;
  std::vector<reference_line> lines;
};

namespace detail {

inline void draw_row(markup& m, const dot_row& row, const axis& x, double y, double left) {
  m.leaf("text", {{"x", fixed(left - 10.0, 1)}, {"y", fixed(y + 4.0, 1)}, {"class", "end"}},
         shorten(row.label, 18));
  m.open("g", {{"class", row.emphasis ? "series second" : "series first"}});
  if (row.mean && row.deviation) {
    m.empty("line", {{"x1", fixed(x(*row.mean - *row.deviation), 1)},
                     {"x2", fixed(x(*row.mean + *row.deviation), 1)},
                     {"y1", fixed(y, 1)},
                     {"y2", fixed(y, 1)},
                     {"class", "whisker"}});
  }
  if (row.mean) {
    m.open("g").leaf("title", row.label + ": mean " + shortest(*row.mean) +
                                  (row.deviation ? ", deviation " + shortest(*row.deviation) : ""));
    m.empty("rect", {{"x", fixed(x(*row.mean) - 2.0, 1)},
                     {"y", fixed(y - 9.0, 1)},
                     {"width", "4"},
                     {"height", "18"},
                     {"class", "mean"}});
    m.close();
  }
  for (std::size_t i = 0; i < row.dots.size(); ++i) {
    // Seeds with equal scores would hide each other: they stand a little apart.
    const double offset =
        3.0 * (static_cast<double>(i % 5) -
               0.5 * static_cast<double>(std::min<std::size_t>(row.dots.size(), 5) - 1));
    const dot& d = row.dots[i];
    m.open("g").leaf("title", row.label + ", " + d.name + ": " + shortest(d.value) +
                                  (d.note.empty() ? "" : ", " + d.note));
    if (d.note.empty()) {
      m.empty("circle", {{"cx", fixed(x(d.value), 1)}, {"cy", fixed(y + offset, 1)}, {"r", "4"}});
    } else {
      draw_cross(m, x(d.value), y + offset);
    }
    m.close();
  }
  m.close().line();
}

}  // namespace detail

/// Draws the rows as one <svg> element. Every mark's tooltip has the exact value.
/// What is not finite is left out: a caller says so in words.
[[nodiscard]] inline std::string draw(const dot_figure& f) {
  constexpr double width = 460.0, left = 128.0, right = 14.0, row_height = 28.0, top = 26.0;
  const double bottom = top + row_height * static_cast<double>(f.rows.size());
  std::vector<double> all;
  for (const dot_row& r : f.rows) {
    for (const dot& d : r.dots) all.push_back(d.value);
    if (r.mean) all.push_back(*r.mean);
    if (r.mean && r.deviation) {
      all.push_back(*r.mean - *r.deviation);
      all.push_back(*r.mean + *r.deviation);
    }
  }
  for (const reference_line& l : f.lines) all.push_back(l.value);
  const axis x = axis_over(all, left, width - right);
  markup m;
  open_figure(m, f.title, width, bottom + 42.0, {336.0, 500.0});
  m.open("g", {{"class", "large"}});
  draw_scale(m, x, f.axis, top, bottom);
  double last = -1e9;
  for (const reference_line& l : f.lines) {
    if (!std::isfinite(l.value)) continue;
    const double at = x(l.value);
    m.open("g", {{"class", "reference"}}).leaf("title", l.label + ": " + shortest(l.value));
    m.empty("line", {{"x1", fixed(at, 1)},
                     {"x2", fixed(at, 1)},
                     {"y1", fixed(top - 4.0, 1)},
                     {"y2", fixed(bottom, 1)}});
    const bool room_left = at > left + 100.0;
    const double y = std::abs(at - last) < 130.0 ? 7.0 : 19.0;
    m.leaf("text",
           {{"x", fixed(at, 1)}, {"y", fixed(y, 1)}, {"class", room_left ? "end" : "start"}},
           l.label);
    m.close().line();
    last = at;
  }
  for (std::size_t r = 0; r < f.rows.size(); ++r) {
    dot_row row = f.rows[r];
    std::erase_if(row.dots, [](const dot& d) { return !std::isfinite(d.value); });
    if (!std::isfinite(row.mean.value_or(0.0))) row.mean.reset();
    // A sum of finite numbers may not be finite.
    if (!std::isfinite(std::abs(row.mean.value_or(0.0)) + row.deviation.value_or(0.0))) {
      row.deviation.reset();
    }
    detail::draw_row(m, row, x, top + row_height * (static_cast<double>(r) + 0.5), left);
  }
  m.close().close().line();
  return m.str();
}

}  // namespace tombola::analysis
