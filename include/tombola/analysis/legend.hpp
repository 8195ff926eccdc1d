#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tombola/analysis/display_width.hpp"
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

/// Names of series and where they stand: in lines from left to right, none past the right edge.
/// A series without a name has no entry.
class legend {
public:
  legend(const std::vector<std::string>& names, double left, double right) {
    double x = left, line = 0.0;
    for (std::size_t s = 0; s < names.size(); ++s) {
      if (names[s].empty()) continue;
      const std::string name = shorten(names[s], 24);
      const double wide = 31.0 + 6.6 * static_cast<double>(display_width(name));
      if (x > left && x + wide - 16.0 > right) x = left, line += 1.0;
      entries_.push_back({s, name, x, line * line_height});
      x += wide;
    }
  }

  struct entry {
    std::size_t series;
    std::string name;
    double x;
    double y;  ///< below the first line
  };
  [[nodiscard]] const std::vector<entry>& entries() const noexcept { return entries_; }
  /// How much more room than one line it takes.
  [[nodiscard]] double more_height() const { return entries_.empty() ? 0.0 : entries_.back().y; }

private:
  static constexpr double line_height = 16.0;
  std::vector<entry> entries_;
};

/// A square and a name for each series, the first line at y.
inline void draw(markup& m, const legend& l, double y) {
  for (const legend::entry& e : l.entries()) {
    m.open("g", {{"class", series_class(e.series)}});
    m.empty("rect", {{"x", fixed(e.x, 1)},
                     {"y", fixed(y + e.y - 9.0, 1)},
                     {"width", "10"},
                     {"height", "10"},
                     {"class", "bar"}});
    m.close().leaf("text", {{"x", fixed(e.x + 15.0, 1)}, {"y", fixed(y + e.y, 1)}}, e.name);
  }
  m.line();
}

}  // namespace detail

}  // namespace tombola::analysis
