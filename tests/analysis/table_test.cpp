#include "tombola/analysis/table.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/analysis/well_formed.hpp"
#include "tests/support/catch.hpp"
#include <nlohmann/json.hpp>

#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/table_json.hpp"
#include "tombola/core/error.hpp"

using namespace tombola::analysis;

namespace {

table sample() {
  table t{"sample", "A <caption>", {{"task", "Task"}, {"n", "N"}, {"mean", "Mean"}}, {}};
  t.add({text_cell("a,\"b\"\n<c>"), count_cell(18446744073709551615U), number_cell(1.0 / 3.0)});
  t.add(
      {text_cell("plain"), count_cell(0), number_cell(std::nan(""), 2, number_form::plain, "why")});
  return t;
}

}  // namespace

TEST_CASE("a table is CSV of RFC 4180 with the reason for what is missing") {
  CHECK(to_csv(sample()) ==
        "task,n,mean,missing\r\n"
        "\"a,\"\"b\"\"\n<c>\",18446744073709551615,0.3333333333333333,\r\n"
        "plain,0,,mean: why\r\n");
  table whole{"t", "", {{"x", "x"}}, {}};
  whole.add({number_cell(2.0)});
  CHECK(to_csv(whole) == "x\r\n2\r\n");
}

TEST_CASE("a table is JSON with exact numbers, null and a reason") {
  const std::vector<table> tables{sample()};
  const auto j = nlohmann::json::parse(to_json(tables));
  CHECK(j["sample"].size() == 2);
  CHECK(j["sample"][0]["task"] == "a,\"b\"\n<c>");
  CHECK(j["sample"][0]["n"] == 18446744073709551615U);
  CHECK(j["sample"][0]["mean"] == 1.0 / 3.0);
  CHECK(j["sample"][1]["mean"].is_null());
  CHECK(j["sample"][1]["mean_missing"] == "why");
  CHECK_FALSE(j["sample"][0].contains("mean_missing"));
}

TEST_CASE("a table on a page is escaped, rounded, and says what is missing") {
  const std::string s = to_html(sample());
  CHECK(tombola::test::ill_formed(s) == "");
  CHECK(s.find("a,&quot;b&quot;\n&lt;c&gt;") != std::string::npos);
  CHECK(s.find("title=\"0.3333333333333333\">0.3333<") != std::string::npos);
  CHECK(s.find("there is no number: why.") != std::string::npos);
  CHECK(to_html_folded(sample(), 2).find("<details>") == std::string::npos);
  CHECK(to_html_folded(sample(), 1).find("<summary>A &lt;caption&gt; (2 rows)") !=
        std::string::npos);
}

TEST_CASE("numbers of a page take the form they ask for") {
  CHECK(page_text(number_cell(0.12345, 1, number_form::percent)) == "12.3 %");
  CHECK(page_text(number_cell(1e-9, 3, number_form::probability)) == "1.0e-09");
  CHECK(plain_text(number_cell(0.12345, 1, number_form::percent)) == "0.12345");
}

TEST_CASE("a row of another length is refused, columns are taken out with their cells") {
  table t = sample();
  CHECK_THROWS_AS(t.add({text_cell("one")}), tombola::shape_error);
  t = without(t, {"n", "not there"});
  CHECK(to_csv(t) ==
        "task,mean,missing\r\n\"a,\"\"b\"\"\n<c>\",0.3333333333333333,\r\nplain,,mean: why\r\n");
}

TEST_CASE("mean and sample deviation, and what one value lacks") {
  const std::vector<double> three{1.0, 2.0, 6.0}, one{4.0};
  const moments m = moments_of(three);
  CHECK(*m.mean == 3.0);
  CHECK(*m.deviation == Approx(std::sqrt(7.0)).epsilon(1e-15));
  CHECK(*moments_of(one).mean == 4.0);
  CHECK_FALSE(moments_of(one).deviation);
  CHECK_FALSE(moments_of({}).mean);
  const std::vector<double> far{1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0};  // one pass would lose this
  CHECK(*moments_of(far).deviation == Approx(1.0).epsilon(1e-12));
}
