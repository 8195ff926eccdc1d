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

TEST_CASE("bars: what is not finite is left out, its bar drawn all the same") {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  bar_figure f = two_by_two();
  f.bars[0].interval = std::pair{0.25, infinite};
  f.lines = {{"nowhere", infinite}, {"whole", 0.78}};
  const std::string s = draw(f);
  CHECK(count_of(s, "class=\"bar\"") == 3 + 2);
  CHECK(count_of(s, "class=\"interval\"") == 0);
  CHECK(count_of(s, "class=\"reference\"") == 1);
  CHECK_FALSE(holds(s, "undefined"));
  f.bars[1].value = infinite;
  CHECK(holds(draw(f), "<title>a &amp; b, MLPs: undefined</title><text"));
}

TEST_CASE("bars: as large and as small as numbers get") {
  bar_figure f = two_by_two();
  f.lines.clear();
  f.bars = {{1.7e308, {}, ""}, {-1.7e308, {}, ""}, {0.0, {}, ""}, {8.5e307, {}, ""}};
  std::string s = draw(f);
  CHECK_FALSE(holds(s, "undefined"));
  CHECK(holds(s, ">-1e+308</text>"));
  // The axis ends at the largest double, 1.798e308: 174 * 0.85 / 1.798 to the right of the middle.
  CHECK(holds(s, "x=\"270.0\" y=\"72.5\" width=\"82.3\""));
  f.bars.assign(4, {2e-5, {}, ""});
  s = draw(f);
  CHECK(holds(s, ">0.000020</text>"));
  CHECK(count_of(s, "width=\"328.3\"") == 4);  // 348 / 1.06
  f.bars.assign(4, {2e-9, {}, ""});
  s = draw(f);
  CHECK(holds(s, ">0</text>"));
  CHECK(holds(s, ">2e-09</text>"));
}

TEST_CASE("a legend goes on in a further line before it would leave the figure") {
  bar_figure f = two_by_two();
  f.lines.clear();
  const std::string narrow = draw(f);
  CHECK(holds(narrow, "viewBox=\"0 0 460.0 130.0\""));
  f.series = {"a name of twenty letters", "a name of twenty lettert"};
  const std::string s = draw(f);
  CHECK(holds(s, "<text x=\"111.0\" y=\"14.0\">a name of twenty letters</text>"));
  CHECK(holds(s, "<text x=\"300.4\" y=\"14.0\">a name of twenty lettert</text>") == false);
  CHECK(holds(s, "<text x=\"111.0\" y=\"30.0\">a name of twenty lettert</text>"));
  CHECK(holds(s, "viewBox=\"0 0 460.0 146.0\""));
  // A wide script takes the room of two letters each.
  f.series = {"\xE5\xA5\xBD\xE5\xA5\xBD", "b"};
  CHECK(holds(draw(f), "<rect x=\"153.4\" y=\"5.0\""));
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

TEST_CASE("lines: a band is broken where its width is missing, the line goes on") {
  line_figure f;
  f.places = {"0", "1", "2", "3", "4"};
  f.series = {{"a", {0.0, 1.0, 2.0, 3.0, 4.0}, {0.5, 0.5, std::nullopt, 0.5, {}}}};
  std::string s = draw(f);
  CHECK(count_of(s, "<polyline") == 1);
  CHECK(count_of(s, "<polygon") == 2);
  CHECK(count_of(s, "<circle") == 5);
  f.series[0].widths.assign(5, std::nullopt);
  CHECK(count_of(draw(f), "<polygon") == 0);
  f.series[0].values = {-1.7e308, 1.7e308, 0.0, std::numeric_limits<double>::quiet_NaN(), 1.0};
  f.series[0].widths.assign(5, 1.7e308);
  s = draw(f);
  CHECK_FALSE(holds(s, "undefined"));
  CHECK(count_of(s, "<circle") == 4);
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
