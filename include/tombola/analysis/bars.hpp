#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tombola/analysis/figure.hpp"
#include "tombola/analysis/legend.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/core/error.hpp"

namespace tombola::analysis {

/// One bar: a value with an interval around it, or the reason why there is none.
struct bar {
  std::optional<double> value;
  std::optional<std::pair<double, double>> interval;  ///< a whisker, where both are finite
  std::string note;  ///< for the tooltip: what the interval is, or why there is no value
};

/// Groups of bars from zero on, one below the other: a group for each task, a bar for each series.
struct bar_figure {
  std::string title;                ///< what a screen reader says instead of the picture
  std::string axis;                 ///< what the numbers are
  std::vector<std::string> groups;  ///< [G] labels
  std::vector<std::string> series;  ///< [S] names, at most most_series
  std::vector<bar> bars;            ///< [G x S], row-major
  std::vector<reference_line> lines;
};

namespace detail {

inline constexpr double bar_height = 11.0, group_gap = 9.0;

inline void draw_bar(markup& m, const bar& b, const std::string& name, const axis& x, double y) {
  m.open("g").leaf("title", name + ": " + (b.value ? shortest(*b.value) : "no value") +
                                (b.note.empty() ? "" : ". " + b.note));
  if (!b.value || !std::isfinite(*b.value)) {
    m.leaf("text", {{"x", fixed(x(0.0) + 4.0, 1)}, {"y", fixed(y + bar_height - 2.0, 1)}}, en_dash);
    m.close().line();
    return;
  }
  const double from = std::min(x(0.0), x(*b.value)), to = std::max(x(0.0), x(*b.value));
  m.empty("rect", {{"x", fixed(from, 1)},
                   {"y", fixed(y, 1)},
                   {"width", fixed(std::max(to - from, 0.8), 1)},
                   {"height", fixed(bar_height - 2.0, 1)},
                   {"class", "bar"}});
  if (b.interval && std::isfinite(b.interval->first) && std::isfinite(b.interval->second)) {
    const std::string middle = fixed(y + (bar_height - 2.0) / 2.0, 1);
    m.empty("line", {{"x1", fixed(x(b.interval->first), 1)},
                     {"x2", fixed(x(b.interval->second), 1)},
                     {"y1", middle},
                     {"y2", middle},
                     {"class", "interval"}});
    for (const double end : {b.interval->first, b.interval->second}) {
      m.empty("line", {{"x1", fixed(x(end), 1)},
                       {"x2", fixed(x(end), 1)},
                       {"y1", fixed(y + 1.0, 1)},
                       {"y2", fixed(y + bar_height - 3.0, 1)},
                       {"class", "interval"}});
    }
  }
  m.close().line();
}

/// Every number that the axis has to reach; bars start at zero.
[[nodiscard]] inline std::vector<double> reach_of(const bar_figure& f) {
  std::vector<double> all{0.0};
  for (const bar& b : f.bars) {
    if (b.value) all.push_back(*b.value);
    if (b.interval) {
      all.push_back(b.interval->first);
      all.push_back(b.interval->second);
    }
  }
  for (const reference_line& l : f.lines) all.push_back(l.value);
  return all;
}

/// A line from top to bottom with its label above.
inline void draw_reference(
    markup& m, const reference_line& l, double at, double label_y, double top, double bottom) {
  m.open("g", {{"class", "reference"}}).leaf("title", l.label + ": " + shortest(l.value));
  m.empty("line", {{"x1", fixed(at, 1)},
                   {"x2", fixed(at, 1)},
                   {"y1", fixed(top - 4.0, 1)},
                   {"y2", fixed(bottom, 1)}});
  m.leaf("text", {{"x", fixed(at, 1)}, {"y", fixed(label_y, 1)}, {"class", "middle"}},
         shorten(l.label, 24));
  m.close().line();
}

}  // namespace detail

/// Draws the bars as one <svg> element. Every bar's tooltip has the exact value; where there is
/// none stands a dash. Lines at no finite value are left out; those that are close write their
/// labels over each other: give few.
///
/// Throws shape_error if there is not one bar for each group and series, or too many series.
[[nodiscard]] inline std::string draw(const bar_figure& f) {
  detail::check_series("bars " + f.title, f.series.size());
  if (f.bars.size() != f.groups.size() * f.series.size()) {
    throw shape_error("bars " + f.title + ": " + std::to_string(f.bars.size()) + " bars for " +
                      std::to_string(f.groups.size()) + " groups of " +
                      std::to_string(f.series.size()) + " series");
  }
  constexpr double width = 460.0, left = 96.0, right = 16.0;
  const detail::legend key{f.series, left, width - right};
  const double top = (f.lines.empty() ? 26.0 : 42.0) + key.more_height();
  const double group_height =
      detail::bar_height * static_cast<double>(f.series.size()) + detail::group_gap;
  const double bottom = top + group_height * static_cast<double>(f.groups.size());
  const std::vector<double> reach = detail::reach_of(f);
  axis x = axis_over(reach, left, width - right);
  if (*std::min_element(reach.begin(), reach.end()) >= 0.0) x.low = 0.0;
  markup m;
  open_figure(m, f.title, width, bottom + 42.0, {336.0, 560.0});
  detail::draw(m, key, 14.0);
  draw_scale(m, x, f.axis, top, bottom);
  for (std::size_t g = 0; g < f.groups.size(); ++g) {
    const double y = top + group_height * static_cast<double>(g) + detail::group_gap / 2.0;
    m.leaf("text",
           {{"x", fixed(left - 8.0, 1)},
            {"y", fixed(y + (group_height - detail::group_gap) / 2.0 + 3.0, 1)},
            {"class", "end"}},
           shorten(f.groups[g], 13));
    for (std::size_t s = 0; s < f.series.size(); ++s) {
      const std::string name = f.groups[g] + (f.series[s].empty() ? "" : ", " + f.series[s]);
      m.open("g", {{"class", detail::series_class(s)}});
      detail::draw_bar(m, f.bars[g * f.series.size() + s], name, x,
                       y + detail::bar_height * static_cast<double>(s));
      m.close();
    }
  }
  for (const reference_line& l : f.lines) {
    if (!std::isfinite(l.value)) continue;
    detail::draw_reference(m, l, x(l.value), top - 9.0, top, bottom);
  }
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
