#include <cmath>
#include <string>

#include "tests/support/catch.hpp"

#include "tombola/analysis/display_width.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/table_latex.hpp"
#include "tombola/analysis/table_text.hpp"

using namespace tombola::analysis;

namespace {

table sample() {
  table t{"some_sample", "50 % of {a}", {{"task", "Task_1"}, {"n", "N"}, {"mean", "Mean"}}, {}};
  t.add({text_cell("a&b\\c"), count_cell(12345), number_cell(1.0 / 3.0)});
  t.add({text_cell("\xC3\xA9t\xC3\xA9~^\n\xFF"), count_cell(0),
         number_cell(std::nan(""), 2, number_form::plain, "no #1")});
  return t;
}

}  // namespace

TEST_CASE("a table is LaTeX: every special character escaped, numbers rounded, reasons below") {
  CHECK(to_latex(sample()) ==
        "% Needs \\usepackage{booktabs}.\n"
        "\\begin{table}\n"
        "\\centering\n"
        "\\caption{50 \\% of \\{a\\}}\n"
        "\\label{tab:some_sample}\n"
        "\\begin{tabular}{lrr}\n"
        "\\toprule\n"
        "Task\\_1 & N & Mean \\\\\n"
        "\\midrule\n"
        "a\\&b\\textbackslash{}c & 12345 & 0.3333 \\\\\n"
        "\xC3\xA9t\xC3\xA9\\textasciitilde{}\\textasciicircum{} \xEF\xBF\xBD & 0 & -- \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "\\par\\smallskip\\footnotesize A dash stands where there is no number: no \\#1.\n"
        "\\end{table}\n");
  table whole{"t", "", {{"x", "x"}}, {}};
  whole.add({number_cell(-2.0, 1)});
  CHECK(to_latex(whole).find("dash") == std::string::npos);
}

TEST_CASE("LaTeX: signs of its own fonts, hyphens, and line ends that would take what follows") {
  CHECK(latex_text("p < 0.1 | q > 2 -- --- a-b") ==
        "p \\textless{} 0.1 \\textbar{} q \\textgreater{} 2 -{}- -{}-{}- a-b");
  CHECK(latex_text("a\xC2\x85\x62\xE2\x80\xA8\x63\xE2\x80\xAE") == "a b c\xEF\xBF\xBD");
  table t{"t", "c", {{"x", "[x]"}, {"y", "y"}}, {}};
  t.add({text_cell("*"), number_cell(-0.25, 2)});
  t.add({text_cell(" [1pt]"), number_cell(-0.125, 1, number_form::percent)});
  t.add({text_cell("-1"), number_cell(1e-9, 1, number_form::probability)});
  t.add({text_cell(""), count_cell(1)});
  const std::string s = to_latex(t);
  CHECK(s.find("\\toprule\n{}[x] & y \\\\\n\\midrule\n"
               "{}* & $-$0.25 \\\\\n"
               "{} [1pt] & $-$12.5 \\% \\\\\n"
               "-1 & 1.0e-09 \\\\\n"
               " & 1 \\\\\n\\bottomrule") != std::string::npos);
}

TEST_CASE("display width: one column, two for wide characters, none for marks") {
  CHECK(display_width("") == 0);
  CHECK(display_width("abc") == 3);
  CHECK(display_width("\xC3\xA9") == 1);
  CHECK(display_width("e\xCC\x81") == 1);                 // e and an acute accent
  CHECK(display_width("\xE5\xA5\xBD") == 2);              // U+597D
  CHECK(display_width("\xED\x9E\xA3\xED\x9E\xA4") == 3);  // last of Hangul, and one past it
  CHECK(display_width("\xF0\x9F\x98\x80") == 2);          // U+1F600
  CHECK(display_width("\xEF\xBC\xA1") == 2);              // full-width A
  CHECK(display_width("\xFF\xE5\xA5") == 3);              // no UTF-8: a column for each byte
  table t{"t", "c", {{"x", "x"}, {"n", "n"}}, {}};
  t.add({text_cell("\xE5\xA5\xBD\xE5\xA5\xBD"), count_cell(1)});
  t.add({text_cell("e\xCC\x81\x61"), count_cell(22)});
  CHECK(to_text(t) ==
        "c\n\nx      n\n----  --\n\xE5\xA5\xBD\xE5\xA5\xBD   1\ne\xCC\x81\x61    22\n");
}

TEST_CASE("a table is text: columns line up by characters, and nothing steers a terminal") {
  CHECK(to_text(sample()) ==
        "50 % of {a}\n"
        "\n"
        "Task_1       N    Mean\n"
        "-------  -----  ------\n"
        "a&b\\c    12345  0.3333\n"
        "\xC3\xA9t\xC3\xA9~^ \xEF\xBF\xBD      0       \xE2\x80\x93\n"
        "\n"
        "A dash stands where there is no number: no #1.\n");
  table steering{"t", "c", {{"x", "x"}}, {}};
  steering.add(
      {text_cell("\x1B[31m\xC2\x9B"
                 "1m\x7F")});
  CHECK(to_text(steering) == "c\n\nx\n---------\n [31m 1m\n");
  steering.rows = {{text_cell("a\xE2\x80\xAE\x62\xE2\x81\xA6\x63\xE2\x80\xA9\x64")}};
  CHECK(to_text(steering) == "c\n\nx\n-------\na\xEF\xBF\xBD\x62\xEF\xBF\xBD\x63 d\n");
  CHECK(to_text({"t", "c", {}, {}}) == "c\n\n\n\n");
}
