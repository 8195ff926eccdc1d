#include "tombola/core/printable.hpp"

#include <string>

#include "tests/support/catch.hpp"

using namespace tombola;

TEST_CASE("printable: names in any script stand as they are") {
  for (const std::string name :
       {"encoder.layer.0", "gewichte.größe", "层.0.注意力.权重", "слой.вес", "שכבה", "é", "e\u0301",
        "🎲", "ﬃ \u00A0\u2003", "\U0010FFFD"}) {
    CHECK(printable(name) == name);
  }
  CHECK(printable("").empty());
}

TEST_CASE("printable: a ? for each order and each character that is not seen") {
  CHECK(printable("a\x1b[31m\n\x7f") == "a?[31m??");
  CHECK(printable(std::string{"a\0b", 3}) == "a?b");
  CHECK(printable("a\u0080b\u009Bc\u009F") == "a?b?c?");  // orders of eight bits
  CHECK(printable("a\u202Eb\u2066c\u2069\u200F\u061C") == "a?b?c???");
  CHECK(printable("\u202A\u2028\u2029\u200B\u200D\uFEFF\u00AD\u2060") == "????????");
  CHECK(printable("\uFFFE\U0001FFFF\U0010FFFE\U000E0041\uFFF9") == "?????");
  CHECK(printable("\u00A0\u200A\u2010\u2027\u202F\u205F\u2070\uFFFC\uFFFD") ==
        "\u00A0\u200A\u2010\u2027\u202F\u205F\u2070\uFFFC\uFFFD");  // their neighbours
}

TEST_CASE("printable: a ? for each byte of what is no character") {
  CHECK(printable("a\xC0\xAF"
                  "b") == "a??b");                                  // a slash in two bytes
  CHECK(printable("\xE0\x9F\xBF \xF0\x8F\xBF\xBF") == "??? ????");  // in three, in four
  CHECK(printable("\xED\xA0\x80") == "???");                        // half of a pair
  CHECK(printable("\xED\x9F\xBF\xEE\x80\x80") == "\xED\x9F\xBF\xEE\x80\x80");
  CHECK(printable("\xF4\x90\x80\x80\xF5\xFF") == "??????");  // past U+10FFFF
  CHECK(printable("层\xE5\xB1") == "层??");                  // cut off at the end
  CHECK(printable("\xE5\xB1z\x80") == "??z?");               // and before a letter
  CHECK(printable("\xC3") == "?");
}

TEST_CASE("printable: texts are cut between characters") {
  CHECK(printable("größe", 5) == "größe");
  CHECK(printable("größe", 4) == "größ...");
  CHECK(printable("größe", 3) == "grö...");
  CHECK(printable("\xFF\xFF\xFF", 2) == "??...");
  CHECK(printable("a", 0) == "...");
  std::string names;
  for (int i = 0; i < 100; ++i) names += "层";
  CHECK(printable(names) == names.substr(0, 240) + "...");
}
