#include "tombola/analysis/markup.hpp"

#include <limits>
#include <string>

#include "tests/support/catch.hpp"

#include "tombola/analysis/colour.hpp"
#include "tombola/core/error.hpp"

using namespace tombola::analysis;

TEST_CASE("markup escapes hostile names in text and in attributes") {
  markup m;
  m.open("a", {{"title", "\"><script>alert('x')</script>"}}).text("</a>&<b>").close();
  CHECK(m.str() ==
        "<a title=\"&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;\">"
        "&lt;/a&gt;&amp;&lt;b&gt;</a>");
}

TEST_CASE("markup replaces what is no text") {
  const std::string gone{replacement};
  CHECK(escape(std::string{"a\0b\x1B"
                           "c\x7F\n\t",
                           8}) == "a" + gone + "b" + gone + "c" + gone + "\n\t");
  CHECK(escape("\xC3\xA9") == "\xC3\xA9");                  // two bytes, valid
  CHECK(escape("\xF0\x9F\x8E\xB2") == "\xF0\x9F\x8E\xB2");  // four bytes, valid
  CHECK(escape("\xC3") == gone);                            // cut off
  CHECK(escape("\xC0\xAF") == gone + gone);                 // overlong slash
  CHECK(escape("\xE0\x80\xAF") == gone + gone + gone);      // overlong slash
  CHECK(escape("\xED\xA0\x80") == gone + gone + gone);      // surrogate
  CHECK(escape("\xF4\x90\x80\x80") == gone + gone + gone + gone);
  CHECK(escape("a\xE2\x80\xAEz") == "a" + gone + "z");  // right-to-left override
  CHECK(escape("a\xE2\x81\xA6z") == "a" + gone + "z");  // isolate
  CHECK(escape("\xE2\x80\x94") == "\xE2\x80\x94");      // a dash between the two ranges
}

TEST_CASE("markup refuses what is not well-formed") {
  markup m;
  CHECK_THROWS_AS(m.close(), tombola::error);
  m.open("svg");
  CHECK_THROWS_WITH(m.str(), "markup: <svg> is still open");
}

TEST_CASE("numbers are written whatever their size, never as NaN") {
  CHECK(fixed(1.005, 2) == "1.00");
  CHECK(fixed(-0.001, 2) == "0.00");
  CHECK(fixed(-0.1, 1) == "-0.1");
  CHECK(fixed(2.5, 0) == "2");
  CHECK(fixed(std::numeric_limits<double>::max(), 2).size() == 312);
  CHECK(fixed(std::numeric_limits<double>::quiet_NaN(), 2) == "undefined");
  CHECK(shortest(0.1) == "0.1");
  CHECK(shortest(std::numeric_limits<double>::infinity()) == "undefined");
  CHECK(probability(2.1138941109059644e-11) == "2.1e-11");
  CHECK(probability(0.0330) == "0.033");
  CHECK(probability(0.0) == "below 1e-300");
}

TEST_CASE("shorten counts characters, not bytes") {
  CHECK(shorten("abc", 3) == "abc");
  CHECK(shorten("abcd", 3) == "abc" + std::string{ellipsis});
  CHECK(shorten("\xC3\xA9\xC3\xA9", 1) == "\xC3\xA9" + std::string{ellipsis});
}

TEST_CASE("every colour of the scale carries readable ink, and lightness rises") {
  double before = -1.0;
  for (int i = 0; i <= 100; ++i) {
    const colour c = sequential(i / 100.0);
    CHECK(contrast(c, ink_on(c)) >= 4.5);
    CHECK(luminance(c) > before);
    before = luminance(c);
  }
  CHECK(to_string(sequential(-3.0)) == to_string(sequential(0.0)));
  CHECK(to_string(sequential(std::numeric_limits<double>::quiet_NaN())) == "#440154");
  CHECK(contrast(colour{}, colour{1.0, 1.0, 1.0}) == Approx(21.0));
}
