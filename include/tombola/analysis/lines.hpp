#pragma once

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

/// A number at each place of a line, with a band around them.
struct line_series {
  std::string name;
  std::vector<std::optional<double>> values;  ///< [X]; the line is broken where there is none
  std::vector<std::optional<double>> widths;  ///< [X] half the band's width, or empty: no band
};

/// Lines over equally spaced places: survivors over the layers of a model.
struct line_figure {
  std::string title;                ///< what a screen reader says instead of the picture
  std::string x_axis;               ///< what the places are
  std::string y_axis;               ///< what the numbers are
  std::string band;                 ///< what a band shows, for the tooltips: `deviation`
  std::vector<std::string> places;  ///< [X] labels
  std::vector<line_series> series;  ///< at most most_series
};

namespace detail {

/// Where places and numbers lie.
struct line_layout {
  double left = 52.0, right = 16.0, top = 28.0, plot_height = 190.0, width = 460.0;
  axis y;
  std::size_t places = 1;

  [[nodiscard]] double x(std::size_t k) const {
    const double inner = width - left - right - 16.0;
    return left + 8.0 +
           (places < 2 ? inner / 2.0
                       : inner * static_cast<double>(k) / static_cast<double>(places - 1));
  }
  [[nodiscard]] double bottom() const { return top + plot_height; }
};

[[nodiscard]] inline std::string point_text(double x, double y) {
  return fixed(x, 1) + "," + fixed(y, 1);
}

[[nodiscard]] inline std::optional<double> entry(const std::vector<std::optional<double>>& v,
                                                 std::size_t k) {
  return k < v.size() && v[k] && std::isfinite(*v[k]) ? v[k] : std::nullopt;
}

/// Pieces of a line between missing values: [from, to) each.
[[nodiscard]] inline std::vector<std::pair<std::size_t, std::size_t>> pieces_of(
    const std::vector<std::optional<double>>& values) {
  std::vector<std::pair<std::size_t, std::size_t>> pieces;
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (!entry(values, k)) continue;
    if (!pieces.empty() && pieces.back().second == k) {
      ++pieces.back().second;
    } else {
      pieces.emplace_back(k, k + 1);
    }
  }
  return pieces;
}

/// Opens the mark of one point: a disc or, for every other series, a square.
inline void draw_marker(markup& m, double x, double y, bool square) {
  if (square) {
    m.open("rect", {{"x", fixed(x - 3.5, 1)},
                    {"y", fixed(y - 3.5, 1)},
                    {"width", "7"},
                    {"height", "7"},
                    {"class", "bar"}});
  } else {
    m.open("circle", {{"cx", fixed(x, 1)}, {"cy", fixed(y, 1)}, {"r", "3.8"}, {"class", "bar"}});
  }
}

inline void draw_series(
    markup& m, const line_figure& f, const line_series& s, const line_layout& at, bool square) {
  for (const auto& [from, to] : pieces_of(s.values)) {
    std::string line, upper, lower;
    for (std::size_t k = from; k < to; ++k) {
      const double v = *s.values[k], half = entry(s.widths, k).value_or(0.0);
      line += (k == from ? "" : " ") + point_text(at.x(k), at.y(v));
      upper += (k == from ? "" : " ") + point_text(at.x(k), at.y(v + half));
      lower = " " + point_text(at.x(k), at.y(v - half)) + lower;
    }
    if (!s.widths.empty()) m.empty("polygon", {{"points", upper + lower}, {"class", "band"}});
    m.empty("polyline", {{"points", line}, {"class", "line"}});
  }
  for (std::size_t k = 0; k < s.values.size(); ++k) {
    const auto v = entry(s.values, k);
    if (!v) continue;
    const auto half = entry(s.widths, k);
    draw_marker(m, at.x(k), at.y(*v), square);
    m.leaf("title", (s.name.empty() ? "" : s.name + ", ") + f.x_axis + " " + f.places[k] + ": " +
                        shortest(*v) + (half ? ", " + f.band + " " + shortest(*half) : ""));
    m.close();
  }
  m.line();
}

}  // namespace detail

/// Draws the lines as one <svg> element. Every point's tooltip has the exact value.
///
/// Throws shape_error if a series has not one value, and one width or none at all, for each place;
/// or if there are too many series.
[[nodiscard]] inline std::string draw(const line_figure& f) {
  detail::check_series("lines " + f.title, f.series.size());
  std::vector<double> reach;
  std::vector<std::string> names;
  for (const line_series& s : f.series) {
    if (s.values.size() != f.places.size() ||
        (!s.widths.empty() && s.widths.size() != f.places.size())) {
      throw shape_error("lines " + f.title + ", " + s.name + ": " +
                        std::to_string(s.values.size()) + " values and " +
                        std::to_string(s.widths.size()) + " widths for " +
                        std::to_string(f.places.size()) + " places");
    }
    names.push_back(s.name);
    for (std::size_t k = 0; k < s.values.size(); ++k) {
      if (const auto v = detail::entry(s.values, k)) {
        const double half = detail::entry(s.widths, k).value_or(0.0);
        reach.push_back(*v - half);
        reach.push_back(*v + half);
      }
    }
  }
  detail::line_layout at;
  at.places = f.places.size();
  at.y = axis_over(reach, at.bottom(), at.top);
  markup m;
  open_figure(m, f.title, at.width, at.bottom() + 42.0, {336.0, 560.0});
  detail::draw_legend(m, names, at.left + 8.0, 14.0);
  for (const double t : round_ticks(at.y.low, at.y.high, 5)) {
    const std::string y = fixed(at.y(t), 1);
    m.empty("line", {{"x1", fixed(at.left, 1)},
                     {"x2", fixed(at.width - at.right, 1)},
                     {"y1", y},
                     {"y2", y},
                     {"class", "rule"}});
    m.leaf("text",
           {{"x", fixed(at.left - 6.0, 1)}, {"y", fixed(at.y(t) + 4.0, 1)}, {"class", "end"}},
           fixed(t, at.y.digits()));
  }
  // Labels that would run into each other are left out.
  const std::size_t every = 1 + f.places.size() / 25;
  for (std::size_t k = 0; k < f.places.size(); k += every) {
    m.leaf("text",
           {{"x", fixed(at.x(k), 1)}, {"y", fixed(at.bottom() + 16.0, 1)}, {"class", "middle"}},
           shorten(f.places[k], 8));
  }
  m.leaf("text",
         {{"x", fixed((at.left + at.width - at.right) / 2.0, 1)},
          {"y", fixed(at.bottom() + 34.0, 1)},
          {"class", "axis middle"}},
         f.x_axis);
  m.leaf(
      "text",
      {{"transform", "translate(12," + fixed(at.top, 1) + ") rotate(-90)"}, {"class", "axis end"}},
      f.y_axis);
  m.line();
  for (std::size_t s = 0; s < f.series.size(); ++s) {
    m.open("g", {{"class", detail::series_class(s)}});
    detail::draw_series(m, f, f.series[s], at, s % 2 == 1);
    m.close();
  }
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
