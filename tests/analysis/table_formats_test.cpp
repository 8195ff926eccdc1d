#include <cmath>
#include <string>

#include "tests/support/catch.hpp"

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
        "\xC3\xA9t\xC3\xA9\\textasciitilde{}\\textasciicircum{} \xEF\xBF\xBD & 0 & \xE2\x80\x93 "
        "\\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "\\par\\smallskip\\footnotesize A dash stands where there is no number: no \\#1.\n"
        "\\end{table}\n");
  table whole{"t", "", {{"x", "x"}}, {}};
  whole.add({number_cell(-2.0, 1)});
  CHECK(to_latex(whole).find("dash") == std::string::npos);
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
  CHECK(to_text({"t", "c", {}, {}}) == "c\n\n\n\n");
}
