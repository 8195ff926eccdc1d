#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tests/analysis/well_formed.hpp"
#include "tests/support/catch.hpp"

#include "tombola/analysis/dots.hpp"
#include "tombola/analysis/heat_map.hpp"
#include "tombola/analysis/search_line.hpp"
#include "tombola/analysis/search_section.hpp"
#include "tombola/core/error.hpp"

using namespace tombola::analysis;
using tombola::test::count_of;
using tombola::test::ill_formed;

TEST_CASE("the checker of markup notices what is wrong") {
  CHECK(ill_formed("<a b=\"c\"><d/></a>").empty());
  CHECK_FALSE(ill_formed("<a>").empty());
  CHECK_FALSE(ill_formed("<a></b>").empty());
  CHECK_FALSE(ill_formed("<a b=c></a>").empty());
  CHECK_FALSE(ill_formed("<a b=\"c\" b=\"c\"></a>").empty());
}

TEST_CASE("a heat map has a cell, a number and an exact tooltip for every value") {
  heat_map h;
  h.title = "t<>";
  h.rows = {"0", "1"};
  h.columns = {"0", "1", "MLP"};
  h.values = {0.25, 1.0 / 3.0, std::nullopt, 0.5, 0.75, 1.0};
  h.deviations = {0.1, std::nullopt, std::nullopt, 0.1, 0.1, 0.125};
  h.gap_before = 2;
  const std::string s = draw(h);
  CHECK(ill_formed(s) == "");
  CHECK(count_of(s, "class=\"cell\"") == 5);
  CHECK(count_of(s, "class=\"d\"") == 4);
  CHECK(s.find("layer 0, head 1: 0.3333333333333333<") != std::string::npos);
  CHECK(s.find("layer 1, MLP: 1, deviation 0.125<") != std::string::npos);
  CHECK(s.find(">0.33<") != std::string::npos);
  CHECK(s.find("aria-label=\"t&lt;&gt;\"") != std::string::npos);
  CHECK(count_of(s, to_string(sequential(0.5))) == 1);
}

TEST_CASE("a heat map writes marks, and a dash with its reason where a value is missing") {
  heat_map h;
  h.row_title = h.column_title = "task";
  h.rows = h.columns = {"a", "b"};
  h.values = {0.5, std::nullopt, std::nullopt, 0.25};
  h.marks = {"**", "", "", ""};
  h.notes = {"", "", "no <seed>", "p"};
  const std::string s = draw(h);
  CHECK(ill_formed(s) == "");
  CHECK(s.find(">0.50**<") != std::string::npos);
  CHECK(s.find("<title>task a, task a: 0.5</title>") != std::string::npos);
  CHECK(s.find("<title>task b, task b: 0.25. p</title>") != std::string::npos);
  CHECK(s.find("<title>task b, task a: no &lt;seed&gt;</title>") != std::string::npos);
  CHECK(count_of(s, ">\xE2\x80\x93<") == 1);
  CHECK(count_of(s, "class=\"cell\"") == 2);
  h.marks.pop_back();
  CHECK_THROWS_AS(draw(h), tombola::shape_error);
}

TEST_CASE("a heat map of the wrong size is refused") {
  heat_map h;
  h.rows = {"0"};
  h.columns = {"0", "1"};
  h.values = {0.0};
  CHECK_THROWS_AS(draw(h), tombola::shape_error);
  h.values = {0.0, 1.0};
  h.deviations = {0.0};
  CHECK_THROWS_AS(draw(h), tombola::shape_error);
  h.deviations.clear();
  h.notes = {"a"};
  CHECK_THROWS_AS(draw(h), tombola::shape_error);
}

TEST_CASE("dots stand where their values are, means and deviations beside them") {
  dot_figure f;
  f.rows = {{"good", {{"seed 1", 0.8}, {"seed 2", 0.9}}, 0.85, 0.07, false},
            {"lonely", {{"seed 1", 0.8}, {"seed 3", 0.1, "no metric"}}, 0.8, std::nullopt, true},
            {"empty", {}, std::nullopt, std::nullopt, false},
            {"broken",
             {{"seed 1", std::numeric_limits<double>::quiet_NaN()}},
             std::nullopt,
             std::nullopt,
             false}};
  f.lines = {{"majority", 0.5}};
  const std::string s = draw(f);
  CHECK(ill_formed(s) == "");
  CHECK(count_of(s, "<circle") == 3);
  CHECK(count_of(s, "class=\"mean\"") == 2);
  CHECK(count_of(s, "class=\"whisker\"") == 1);
  CHECK(s.find("good, seed 2: 0.9<") != std::string::npos);
  // What has a note is a cross.
  CHECK(s.find("lonely, seed 3: 0.1, no metric<") != std::string::npos);
  CHECK(count_of(s, "l8 8m0 -8l-8 8") == 1);
  CHECK(s.find("good: mean 0.85, deviation 0.07<") != std::string::npos);
  CHECK(s.find("undefined") == std::string::npos);
  CHECK(s.find("nan") == std::string::npos);
  // The mean of finite scores may not be finite, nor a mean and its deviation together.
  constexpr double infinite = std::numeric_limits<double>::infinity();
  f.rows = {{"far", {{"seed 1", 1.7e308}, {"seed 2", 1.6e308}}, infinite, infinite, false},
            {"wide", {{"seed 1", 1.7e308}}, 1.7e308, 1.7e308, false}};
  f.lines.push_back({"nowhere", infinite});
  const std::string far = draw(f);
  CHECK(far.find("undefined") == std::string::npos);
  CHECK(count_of(far, "<circle") == 3);
  CHECK(count_of(far, "class=\"mean\"") == 1);
  CHECK(count_of(far, "class=\"whisker\"") == 0);
  CHECK(count_of(far, "class=\"reference\"") == 1);
}

TEST_CASE("an axis maps its ends and survives equal values") {
  const axis a{2.0, 4.0, 100.0, 200.0};
  CHECK(a(2.0) == 100.0);
  CHECK(a(3.0) == 150.0);
  const axis one = axis_over({0.5, 0.5}, 0.0, 100.0);
  CHECK(one(0.5) == Approx(50.0));
  const axis none = axis_over({}, 0.0, 100.0);
  CHECK(none.high > none.low);
  CHECK(round_ticks(0.0, 1.0, 5) ==
        std::vector<double>{0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0});
  CHECK(round_ticks(1.0, 1.0, 5) == std::vector<double>{1.0});
  constexpr double most = std::numeric_limits<double>::max();
  const axis all = axis_over({-most, most}, 0.0, 100.0);
  CHECK(all(0.0) == 50.0);
  CHECK(all(most) == 100.0);
  CHECK(all.digits() == 0);
  CHECK(round_ticks(-most, most, 5) == std::vector<double>{-1e308, 0.0, 1e308});
  CHECK(round_ticks(0.0, 5e-324, 5) == std::vector<double>{0.0});
  // As wide around small numbers as around large ones.
  CHECK(axis_over({2e-6, 4e-6}, 0.0, 112.0)(2e-6) == Approx(6.0));
  CHECK(axis_over({2e6, 4e6}, 0.0, 112.0)(2e6) == Approx(6.0));
}

TEST_CASE("a search shows the guard, accepted dots and rejected crosses") {
  search_figure f;
  f.baseline = 0.9;
  f.threshold = 0.81;
  f.points = {{"full", 1.0, 0.9, true},
              {"heads", 0.9, 0.85, true},
              {"heads", 0.8, 0.5, false},
              {"mlps", 0.8, std::numeric_limits<double>::quiet_NaN(), false}};
  std::string s = draw(f);
  CHECK(ill_formed(s) == "");
  CHECK(count_of(s, "class=\"accepted\"") == 2);
  CHECK(count_of(s, "class=\"rejected\"") == 1);
  CHECK(count_of(s, "class=\"guard\"") == 1);
  CHECK(s.find("guard: 0.81<") != std::string::npos);
  CHECK(s.find("candidate 3, heads: 0.5, keeps 80.0 %, rejected<") != std::string::npos);
  f.threshold = -std::numeric_limits<double>::infinity();
  s = draw(f);
  CHECK(ill_formed(s) == "");
  CHECK(s.find("guard") == std::string::npos);
  f.points.clear();
  CHECK(ill_formed(draw(f)) == "");
}

TEST_CASE("a search of weights that came to the end of its steps says so") {
  found_search s{"t", 1, "weights", {}};
  s.figure.points = {{"full", 1.0, 0.9, true}, {"weights", 0.5, 0.88, true}};
  const auto says = [&] {
    const std::string page = search_section(std::vector{s});
    return page.find("weights; ended after its steps, not at the guard") != std::string::npos;
  };
  CHECK(says());
  s.figure.points.push_back({"weights", 0.25, 0.2, false});
  CHECK_FALSE(says());
  s.figure.points = {{"full", 1.0, 0.9, true}, {"weights", 0.0, 0.9, true}};
  CHECK_FALSE(says());  // nothing was left to remove
  s.figure.points = {{"full", 1.0, 0.9, true}};
  CHECK_FALSE(says());
  s.figure.points = {{"full", 1.0, 0.9, true}, {"heads", 0.5, 0.9, true}};
  CHECK_FALSE(says());  // no head was left
}
