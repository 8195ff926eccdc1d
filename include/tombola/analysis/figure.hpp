#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tombola/analysis/markup.hpp"

namespace tombola::analysis {

/// How wide a figure may be on a page, in pixels.
struct figure_width {
  double least = 300.0;  ///< narrower could not be read: its frame scrolls instead
  double most = 600.0;   ///< wider would only be larger
};

/// Opens the <svg> of a figure; `width` and `height` are those of its own coordinates.
inline void open_figure(
    markup& m, const std::string& title, double width, double height, const figure_width& page) {
  m.open("svg", {{"viewBox", "0 0 " + fixed(width, 1) + " " + fixed(height, 1)},
                 {"role", "img"},
                 {"aria-label", title},
                 {"style", "width:100%;max-width:" + fixed(page.most, 0) +
                               "px;min-width:" + fixed(page.least, 0) + "px;height:auto"}})
      .line();
}

/// Round numbers inside [low, high], about n of them: multiples of 1, 2 or 5 times a power of ten.
[[nodiscard]] inline std::vector<double> round_ticks(double low, double high, int n) {
  if (!(high > low) || n < 1) return {low};
  const double raw = (high - low) / n;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double lead = raw / power;
  const double step = (lead <= 1.0 ? 1.0 : lead <= 2.0 ? 2.0 : lead <= 5.0 ? 5.0 : 10.0) * power;
  std::vector<double> ticks;
  for (double t = std::ceil(low / step - 1e-9); t * step <= high + 1e-9 * step; t += 1.0) {
    ticks.push_back(t * step);
    if (ticks.size() > 50) break;  // low and high too close for steps of this size to differ
  }
  return ticks;
}

/// A linear map from values to pixels.
struct axis {
  double low = 0.0;
  double high = 1.0;
  double from = 0.0;  ///< pixel of low
  double to = 1.0;    ///< pixel of high

  [[nodiscard]] double operator()(double v) const {
    return from + (to - from) * (v - low) / (high - low);
  }
  /// Places that tell two neighbouring ticks apart.
  [[nodiscard]] int digits() const {
    const double span = (high - low) / 5.0;
    return std::clamp(static_cast<int>(std::ceil(-std::log10(span) - 1e-9)), 0, 6);
  }
};

/// An axis over all the values, a little wider than they are.
[[nodiscard]] inline axis axis_over(const std::vector<double>& values, double from, double to) {
  axis a{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), from,
         to};
  for (const double v : values) {
    if (!std::isfinite(v)) continue;
    a.low = std::min(a.low, v);
    a.high = std::max(a.high, v);
  }
  if (!(a.low <= a.high)) a.low = 0.0, a.high = 1.0;
  const double margin = std::max(0.06 * (a.high - a.low), 0.005 * std::max(1.0, std::abs(a.high)));
  a.low -= margin;
  a.high += margin;
  return a;
}

/// A value that the rows are read against, drawn from top to bottom.
struct reference_line {
  std::string label;
  double value = 0.0;
};

/// The scale of a figure of rows: rules from top to bottom, their numbers, and what they are.
inline void draw_scale(
    markup& m, const axis& x, const std::string& what, double top, double bottom) {
  for (const double t : round_ticks(x.low, x.high, 5)) {
    const std::string at = fixed(x(t), 1);
    m.empty("line", {{"x1", at},
                     {"x2", at},
                     {"y1", fixed(top, 1)},
                     {"y2", fixed(bottom, 1)},
                     {"class", "rule"}});
    m.leaf("text", {{"x", at}, {"y", fixed(bottom + 16.0, 1)}, {"class", "middle"}},
           fixed(t, x.digits()));
  }
  m.leaf("text",
         {{"x", fixed((x.from + x.to) / 2.0, 1)},
          {"y", fixed(bottom + 34.0, 1)},
          {"class", "axis middle"}},
         what);
  m.line();
}

}  // namespace tombola::analysis
