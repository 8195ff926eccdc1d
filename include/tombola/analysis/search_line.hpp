#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "tombola/analysis/figure.hpp"
#include "tombola/analysis/markup.hpp"

namespace tombola::analysis {

/// One candidate of a search.
struct search_point {
  std::string phase;   ///< `heads`, `mlps`, ...
  double share = 1.0;  ///< of all units, how many the candidate keeps
  double metric = 0.0;
  bool accepted = false;
};

/// A search as a line: the metric of each candidate in the order they were tried.
struct search_figure {
  std::string title;
  std::string metric;      ///< what the height means
  double baseline = 0.0;   ///< of the full model, or of the ticket that the search started from
  double threshold = 0.0;  ///< the guard: candidates below it are rejected; -inf: none
  std::vector<search_point> points;
};

namespace detail {

inline void draw_level(markup& m,
                       const std::string& label,
                       double value,
                       double y,
                       double from,
                       double to,
                       const std::string& kind) {
  m.open("g", {{"class", kind}}).leaf("title", label + ": " + shortest(value));
  m.empty("line",
          {{"x1", fixed(from, 1)}, {"x2", fixed(to, 1)}, {"y1", fixed(y, 1)}, {"y2", fixed(y, 1)}});
  m.leaf("text", {{"x", fixed(to + 6.0, 1)}, {"y", fixed(y + 4.0, 1)}, {"class", "start"}}, label);
  m.close().line();
}

/// An accepted candidate is a full dot, a rejected one a cross: told apart without colour.
inline void draw_point(markup& m, const search_point& p, std::size_t number, double x, double y) {
  m.open("g", {{"class", p.accepted ? "accepted" : "rejected"}});
  m.leaf("title", "candidate " + std::to_string(number) + ", " + p.phase + ": " +
                      shortest(p.metric) + ", keeps " + fixed(100.0 * p.share, 1) + " %, " +
                      (p.accepted ? "accepted" : "rejected"));
  if (p.accepted) {
    m.empty("circle", {{"cx", fixed(x, 1)}, {"cy", fixed(y, 1)}, {"r", "4"}});
  } else {
    draw_cross(m, x, y);
  }
  m.close().line();
}

}  // namespace detail

/// Draws the search as one <svg> element, the guard drawn in. Under the line stands what share of
/// all units the candidate keeps. Points whose metric is not finite are left out of the line.
[[nodiscard]] inline std::string draw(const search_figure& f) {
  constexpr double width = 440.0, height = 280.0, left = 40.0, right = 66.0, top = 42.0,
                   bottom = 226.0;
  std::vector<double> all{f.baseline, f.threshold};
  for (const search_point& p : f.points) all.push_back(p.metric);
  const axis y = axis_over(all, bottom, top);
  const std::size_t n = f.points.size();
  const axis x{0.5, static_cast<double>(n == 0 ? 1 : n) + 0.5, left, width - right};
  markup m;
  open_figure(m, f.title, width, height, {336.0, 540.0});
  draw_heights(m, y, left, width - right);
  m.leaf("text", {{"x", fixed(left, 1)}, {"y", "11"}, {"class", "axis"}}, f.metric);
  std::string path;
  std::size_t phases = 0;  // their names alternate between two lines: short phases stand close
  const std::size_t every = n / 9 + 1;
  for (std::size_t i = 0; i < n; ++i) {
    const search_point& p = f.points[i];
    const double at = x(static_cast<double>(i + 1));
    if (i > 0 && f.points[i - 1].phase != p.phase) {
      const std::string edge = fixed(x(static_cast<double>(i) + 0.5), 1);
      m.empty("line", {{"x1", edge},
                       {"x2", edge},
                       {"y1", fixed(top, 1)},
                       {"y2", fixed(bottom, 1)},
                       {"class", "edge"}});
    }
    if (i == 0 || f.points[i - 1].phase != p.phase) {
      const double high = top - (phases++ % 2 == 0 ? 3.0 : 15.0);
      m.leaf("text", {{"x", fixed(at - 5.0, 1)}, {"y", fixed(high, 1)}, {"class", "phase start"}},
             shorten(p.phase, 12));
    }
    if (i % every == 0) {
      m.leaf("text", {{"x", fixed(at, 1)}, {"y", fixed(bottom + 16.0, 1)}, {"class", "middle"}},
             fixed(100.0 * p.share, 0) + "%");
    }
    if (!std::isfinite(p.metric)) continue;
    path += (path.empty() ? "M" : "L") + fixed(at, 1) + " " + fixed(y(p.metric), 1);
  }
  const bool from_ticket = n > 0 && f.points[0].phase == "start";
  if (std::isfinite(f.baseline))
    detail::draw_level(m, from_ticket ? "start" : "full model", f.baseline, y(f.baseline), left,
                       width - right, "baseline");
  if (std::isfinite(f.threshold))
    detail::draw_level(m, "guard", f.threshold, y(f.threshold), left, width - right, "guard");
  if (!path.empty()) m.empty("path", {{"d", path}, {"class", "trace"}});
  for (std::size_t i = 0; i < n; ++i) {
    if (!std::isfinite(f.points[i].metric)) continue;
    detail::draw_point(m, f.points[i], i + 1, x(static_cast<double>(i + 1)), y(f.points[i].metric));
  }
  m.leaf("text",
         {{"x", fixed((left + width - right) / 2.0, 1)},
          {"y", fixed(bottom + 34.0, 1)},
          {"class", "axis middle"}},
         "candidates in order, and the share of units each keeps");
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
