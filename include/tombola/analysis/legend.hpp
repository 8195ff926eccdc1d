#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tombola/analysis/markup.hpp"
#include "tombola/core/error.hpp"

namespace tombola::analysis {

/// The most series that a figure can tell apart without relying on colour: two colours, filled and
/// outlined.
inline constexpr std::size_t most_series = 4;

namespace detail {

/// The class that the page's style gives a look: `s0` to `s3`.
[[nodiscard]] inline std::string series_class(std::size_t s) {
  return "s" + std::to_string(s);
}

/// Throws shape_error where a figure has more series than can be told apart.
inline void check_series(const std::string& figure, std::size_t series) {
  if (series > most_series) {
    throw shape_error(figure + ": " + std::to_string(series) + " series, expected at most " +
                      std::to_string(most_series));
  }
}

/// A square and a name for each series, from left to right; nothing for one series without a name.
inline void draw_legend(markup& m, const std::vector<std::string>& names, double left, double y) {
  double x = left;
  for (std::size_t s = 0; s < names.size(); ++s) {
    if (names[s].empty()) continue;
    m.open("g", {{"class", series_class(s)}});
    m.empty("rect", {{"x", fixed(x, 1)},
                     {"y", fixed(y - 9.0, 1)},
                     {"width", "10"},
                     {"height", "10"},
                     {"class", "bar"}});
    m.close().leaf("text", {{"x", fixed(x + 15.0, 1)}, {"y", fixed(y, 1)}}, shorten(names[s], 24));
    x += 31.0 + 6.6 * static_cast<double>(shorten(names[s], 24).size());
  }
  m.line();
}

}  // namespace detail

}  // namespace tombola::analysis
