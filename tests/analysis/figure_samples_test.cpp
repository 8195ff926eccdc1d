// A page with every kind of figure, ordinary and degenerate, for a browser to look at.

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/analysis/fabricated.hpp"
#include "tests/analysis/well_formed.hpp"
#include "tests/support/catch.hpp"

#include "tombola/analysis/bars.hpp"
#include "tombola/analysis/dots.hpp"
#include "tombola/analysis/heat_map.hpp"
#include "tombola/analysis/lines.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/search_line.hpp"

using namespace tombola::analysis;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
const std::string hostile = "</svg><script>alert(1)</script>\"'&\xE2\x80\xAE\xFF";

heat_map grid() {
  heat_map h;
  h.title = "Survivors";
  for (std::size_t l = 0; l < 12; ++l) h.rows.push_back(std::to_string(l));
  h.columns = h.rows;
  h.columns.push_back("MLP");
  h.gap_before = 12;
  for (std::size_t i = 0; i < 12 * 13; ++i) {
    h.values.push_back(static_cast<double>(i % 10));
    h.deviations.push_back(0.1 * static_cast<double>(i % 7));
  }
  h.high = 9.0;
  return h;
}

/// Pairs of tasks, with marks and a pair that has no number.
heat_map matrix() {
  heat_map h;
  h.title = "Units that two tasks share";
  h.row_title = h.column_title = "task";
  h.rows = h.columns = {"CoLA", "RTE", hostile};
  h.values = {92.0, {}, {}, 40.5, 61.0, {}, 12.0, {}, 30.0};
  h.marks = {"", "", "", "***", "", "", "", "", ""};
  h.notes = {"", "", "", "p = 0.0001", "", "", "", "no common seed", ""};
  h.high = 92.0;
  h.digits = 1;
  return h;
}

dot_figure dots() {
  dot_figure f;
  f.title = "Scores";
  f.axis = "accuracy";
  f.rows = {{"full model", {{"seed 1", 0.91}, {"seed 2", 0.92}, {"seed 3", 0.92}}, 0.917, 0.006},
            {"good, retrained", {{"seed 1", 0.88}, {"seed 2", 0.9}}, 0.89, 0.014, true},
            {hostile, {{hostile, 0.5}}, 0.5, {}},
            {"no seed", {}, {}, {}}};
  f.lines = {{"majority class", 0.52}, {"full model", 0.917}};
  return f;
}

bar_figure bars() {
  bar_figure f;
  f.title = "Share of units kept";
  f.axis = "share of units kept, mean and range over seeds";
  f.groups = {"CoLA", "RTE", hostile};
  f.series = {"heads", "MLPs"};
  f.bars = {{0.61, std::pair{0.5, 0.7}, "range"},
            {1.0, {}, ""},
            {0.42, {}, ""},
            {0.0, std::pair{0.0, 0.25}, "range"},
            {{}, {}, "no such ticket"},
            {0.3, {}, ""}};
  f.lines = {{"unpruned", 0.78}};
  return f;
}

/// Both sides of zero, four series of long names, numbers that cannot be drawn.
bar_figure awkward_bars() {
  bar_figure f;
  f.title = f.axis = "gain";
  f.groups = {"a", "b"};
  f.series = {"first series of this name", "second series of this name",
              "third series of this name", hostile};
  f.bars = {{-0.5, std::pair{-0.75, -0.25}, ""},
            {0.5, std::pair{0.25, infinite}, "open above"},
            {infinite, {}, "overflow"},
            {-0.01, {}, ""},
            {0.1, {}, ""},
            {{}, {}, "no seed"},
            {1e-12, {}, ""},
            {-0.1, {}, ""}};
  f.lines = {{"nowhere", infinite}};
  return f;
}

line_figure lines() {
  line_figure f;
  f.title = "Survivors by layer";
  f.x_axis = "layer";
  f.y_axis = "tasks that keep a unit";
  f.band = "deviation";
  line_series heads{"heads", {}, {}}, mlps{"MLPs", {}, {}}, bare{"without band", {}, {}};
  for (std::size_t k = 0; k < 12; ++k) {
    const double v = 0.25 * static_cast<double>(k);
    f.places.push_back(std::to_string(k));
    heads.values.push_back(5.0 + v);
    heads.widths.push_back(0.5 + 0.5 * v);
    mlps.values.push_back(k == 5 ? std::nullopt : std::optional{7.0 - v});
    mlps.widths.push_back(k < 9 ? std::optional{0.25} : std::nullopt);
    bare.values.push_back(6.0);
  }
  f.series = {heads, mlps, bare};
  return f;
}

search_figure search() {
  search_figure f;
  f.title = "Search";
  f.metric = "accuracy";
  f.baseline = 0.9;
  f.threshold = 0.81;
  for (std::size_t k = 0; k < 24; ++k) {
    const double x = static_cast<double>(k);
    f.points.push_back({k < 16 ? "heads" : "mlps", 1.0 - 0.03 * x, 0.91 - 0.005 * x, k % 9 != 8});
  }
  return f;
}

std::string figure_page() {
  bar_figure tiny = bars(), huge = bars();
  tiny.bars.assign(6, {1e-9, {}, ""});
  tiny.lines = {};
  huge.bars.assign(6, {1.7e308, {}, ""});
  huge.bars[0].value = -1.7e308;
  dot_figure far = dots();
  far.rows = {{"far apart", {{"a", -1.7e308}, {"b", 1.7e308}}, infinite, infinite}};
  line_figure steep = lines();
  steep.series[0].values[0] = -1.7e308;
  steep.series[0].values[1] = 1.7e308;
  search_figure flat = search();
  flat.threshold = -infinite;
  flat.points = {{hostile, 1.0, 0.9, true}};
  const std::vector<std::pair<std::string, std::vector<std::string>>> kinds{
      {"Heat map", {draw(grid())}},
      {"Matrix", {draw(matrix())}},
      {"Dots", {draw(dots()), draw(far), draw(dot_figure{})}},
      {"Bars", {draw(bars()), draw(awkward_bars()), draw(tiny), draw(huge), draw(bar_figure{})}},
      {"Lines", {draw(lines()), draw(steep), draw(line_figure{})}},
      {"Search", {draw(search()), draw(flat), draw(search_figure{})}}};
  markup m;
  m.raw("<!DOCTYPE html>\n").open("html", {{"lang", "en"}}).open("head");
  m.empty("meta", {{"charset", "utf-8"}});
  m.empty("meta", {{"name", "viewport"}, {"content", "width=device-width,initial-scale=1"}});
  m.leaf("title", "Figures").open("style").raw(detail::page_style).close().close().line();
  m.open("body").open("main").line();
  for (const auto& [kind, drawings] : kinds) {
    m.open("section").leaf("h2", kind);
    for (const std::string& d : drawings) m.raw(detail::framed(kind, "sample", d));
    m.close().line();
  }
  m.close().close().close().line();
  return m.str();
}

}  // namespace

TEST_CASE("a page of every kind of figure is well-formed, whatever the numbers and names") {
  const std::string page = figure_page();
  CHECK(tombola::test::ill_formed(page) == "");
  CHECK(tombola::test::count_of(page, "<svg ") == 16);
  CHECK(tombola::test::count_of(page, "=\"undefined\"") == 0);
  CHECK(tombola::test::count_of(page, "undefined,") == 0);
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("\xE2\x80\xAE") == std::string::npos);
  CHECK(page == figure_page());
}

// Hidden: report_screens.sh runs it to get a page for a browser.
TEST_CASE("sample figures for a browser", "[.screens]") {
  const char* folder = std::getenv("TOMBOLA_SCREENS");
  REQUIRE(folder != nullptr);
  tombola::test::write_text(std::filesystem::path{folder} / "figures/report.html", figure_page());
}
