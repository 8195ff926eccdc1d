#pragma once

#include <algorithm>
#include <array>
#include <charconv>
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
  const double raw = high / n - low / n;  // high - low may be more than a double holds
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double lead = raw / power;
  const double step = (lead <= 1.0 ? 1.0 : lead <= 2.0 ? 2.0 : lead <= 5.0 ? 5.0 : 10.0) * power;
  if (!(step > 0.0) || !std::isfinite(step)) return {low};  // less or more than a double holds
  std::vector<double> ticks;
  for (double t = std::ceil(low / step - 1e-9); t <= high / step + 1e-9; t += 1.0) {
    ticks.push_back(t * step);
    if (ticks.size() > 50) break;  // low and high too close for steps of this size to differ
  }
  return ticks;
}

/// A linear map from values to pixels. All numbers finite: so is every pixel between them.
struct axis {
  double low = 0.0;
  double high = 1.0;
  double from = 0.0;  ///< pixel of low
  double to = 1.0;    ///< pixel of high

  [[nodiscard]] double operator()(double v) const {
    // Halves, since high - low may be more than a double holds.
    return from + (to - from) * ((0.5 * v - 0.5 * low) / (0.5 * high - 0.5 * low));
  }
  /// Places that tell two neighbouring ticks apart.
  [[nodiscard]] int digits() const {
    const double span = high / 5.0 - low / 5.0;
    return static_cast<int>(std::clamp(std::ceil(-std::log10(span) - 1e-9), 0.0, 6.0));
  }
  /// A tick's number; in powers of ten where it would be too long, or six places all the same.
  [[nodiscard]] std::string tick(double t) const {
    if (std::max(std::abs(low), std::abs(high)) < 1e7 && high - low >= 5e-6) {
      return fixed(t, digits());
    }
    std::array<char, 32> text{};
    if (t == 0.0) t = 0.0;  // never -0
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), t, std::chars_format::general, 4);
    return {text.data(), end.ptr};
  }
};

/// An axis over all the values that are finite, a little wider than they are: by 6 % of their span,
/// and by 0.5 % of the largest at least.
[[nodiscard]] inline axis axis_over(const std::vector<double>& values, double from, double to) {
  axis a{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), from,
         to};
  for (const double v : values) {
    if (!std::isfinite(v)) continue;
    a.low = std::min(a.low, v);
    a.high = std::max(a.high, v);
  }
  if (!(a.low <= a.high)) a.low = 0.0, a.high = 1.0;
  const double largest = std::max(std::abs(a.low), std::abs(a.high));
  const double margin = std::max(0.06 * a.high - 0.06 * a.low, 0.005 * largest);
  constexpr double most = std::numeric_limits<double>::max();
  a.low = std::max(a.low - (margin > 0.0 ? margin : 0.005), -most);
  a.high = std::min(a.high + (margin > 0.0 ? margin : 0.005), most);
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
    m.leaf("text", {{"x", at}, {"y", fixed(bottom + 16.0, 1)}, {"class", "middle"}}, x.tick(t));
  }
  m.leaf("text",
         {{"x", fixed((x.from + x.to) / 2.0, 1)},
          {"y", fixed(bottom + 34.0, 1)},
          {"class", "axis middle"}},
         what);
  m.line();
}

/// A point that is marked apart from the dots, without colour.
inline void draw_cross(markup& m, double x, double y) {
  m.empty("path", {{"d", "M" + fixed(x - 4.0, 1) + " " + fixed(y - 4.0, 1) + "l8 8m0 -8l-8 8"}});
}

/// The scale of a figure of heights: rules from left to right, their numbers before them.
inline void draw_heights(markup& m, const axis& y, double left, double right) {
  for (const double t : round_ticks(y.low, y.high, 5)) {
    const std::string at = fixed(y(t), 1);
    m.empty("line", {{"x1", fixed(left, 1)},
                     {"x2", fixed(right, 1)},
                     {"y1", at},
                     {"y2", at},
                     {"class", "rule"}});
    m.leaf("text", {{"x", fixed(left - 6.0, 1)}, {"y", fixed(y(t) + 4.0, 1)}, {"class", "end"}},
           y.tick(t));
  }
}

}  // namespace tombola::analysis
