#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/analysis/well_formed.hpp"
#include "tests/support/catch.hpp"

#include "tombola/analysis/bars.hpp"
#include "tombola/analysis/lines.hpp"
#include "tombola/core/error.hpp"

using namespace tombola::analysis;
using tombola::test::count_of;
using tombola::test::ill_formed;

namespace {

bool holds(const std::string& s, const std::string& part) {
  return s.find(part) != std::string::npos;
}

bar_figure two_by_two() {
  bar_figure f;
  f.title = "t<>";
  f.axis = "share";
  f.groups = {"a & b", "c"};
  f.series = {"heads", "MLPs"};
  f.bars = {{1.0 / 3.0, std::pair{0.25, 0.5}, "over 5 seeds"},
            {1.0, std::nullopt, ""},
            {std::nullopt, std::nullopt, "no seed"},
            {0.0, std::nullopt, ""}};
  f.lines = {{"whole", 0.78}};
  return f;
}

}  // namespace

TEST_CASE("bars: one for each group and series, with exact tooltips and whiskers") {
  const std::string s = draw(two_by_two());
  CHECK(ill_formed(s) == "");
  CHECK(count_of(s, "class=\"bar\"") == 3 + 2);  // and two in the legend
  CHECK(count_of(s, "class=\"interval\"") == 3);
  CHECK(holds(s, "<title>a &amp; b, heads: 0.3333333333333333. over 5 seeds</title>"));
  CHECK(holds(s, "<title>c, heads: no value. no seed</title>"));
  CHECK(holds(s, "<title>whole: 0.78</title>"));
  CHECK(holds(s, ">\xE2\x80\x93</text>"));
  CHECK(holds(s, ">MLPs</text>"));
  // From 96 at 0 to 444 at 1.06: a third lies 109.4 to the right.
  CHECK(holds(s, "x=\"96.0\" y=\"46.5\" width=\"109.4\" height=\"9.0\" class=\"bar\""));
}

TEST_CASE("bars: below zero they go left, and none is left out for being small") {
  bar_figure f = two_by_two();
  f.lines.clear();
  f.bars = {{-0.5, {}, ""}, {0.5, {}, ""}, {1e-12, {}, ""}, {-1e-12, {}, ""}};
  const std::string s = draw(f);
  CHECK(count_of(s, "class=\"bar\"") == 4 + 2);
  CHECK(count_of(s, "width=\"0.8\"") == 2);
  CHECK_FALSE(holds(s, "width=\"-"));
  f.bars[0].value = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(holds(draw(f), "nan"));
}

TEST_CASE("bars: nothing to draw, too much to tell apart, and what does not fit") {
  CHECK(ill_formed(draw(bar_figure{})) == "");
  bar_figure f = two_by_two();
  f.bars.pop_back();
  CHECK_THROWS_WITH(draw(f), "bars t<>: 3 bars for 2 groups of 2 series");
  f.series.assign(5, "s");
  CHECK_THROWS_WITH(draw(f), "bars t<>: 5 series, expected at most 4");
}

TEST_CASE("lines: points with exact tooltips, bands, and a break where a value is missing") {
  line_figure f;
  f.title = "t";
  f.x_axis = "layer";
  f.y_axis = "tasks";
  f.band = "deviation";
  f.places = {"0", "1", "2", "<3>"};
  f.series = {{"heads", {1.0 / 3.0, 0.5, std::nullopt, 1.0}, {0.25, 0.5, std::nullopt, 0.125}},
              {"MLPs", {2.0, 2.0, 2.0, 2.0}, {}}};
  const std::string s = draw(f);
  CHECK(ill_formed(s) == "");
  CHECK(count_of(s, "<polyline") == 3);  // heads in two pieces
  CHECK(count_of(s, "<polygon") == 2);
  CHECK(count_of(s, "<circle") == 3);
  CHECK(count_of(s, "height=\"7\"") == 4);  // the second series has squares
  CHECK(holds(s, "<title>heads, layer 0: 0.3333333333333333, deviation 0.25</title>"));
  CHECK(holds(s, "<title>MLPs, layer &lt;3&gt;: 2</title>"));
  // The band of a piece runs out above and comes back below.
  line_figure one = f;
  one.series = {{"", {0.0, 1.0, std::nullopt, std::nullopt}, {1.0, 1.0, {}, {}}}};
  const std::string band = draw(one);
  const auto at = band.find("points=\"") + 8;
  const std::string points = band.substr(at, band.find('"', at) - at);
  CHECK(count_of(points, ",") == 4);
}

TEST_CASE("lines: one place, no value, and what does not fit") {
  line_figure f;
  f.title = "t";
  CHECK(ill_formed(draw(f)) == "");
  f.places = {"0"};
  f.series = {{"a", {0.5}, {}}, {"b", {std::nullopt}, {}}};
  CHECK(count_of(draw(f), "<circle") == 1);
  f.series[0].widths = {0.1, 0.2};
  CHECK_THROWS_WITH(draw(f), "lines t, a: 1 values and 2 widths for 1 places");
  f.series.assign(5, {"s", {0.5}, {}});
  CHECK_THROWS_AS(draw(f), tombola::shape_error);
}
