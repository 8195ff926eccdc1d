#include "tombola/io/csv.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

std::string refused(const std::string& text) {
  return sentence<format_error>([&] { (void)io::parse_csv(text, "t.csv"); }, "t.csv: ");
}

}  // namespace

TEST_CASE("csv: fields, quotes, line breaks and lines") {
  const auto t = io::parse_csv(
      "\xEF\xBB\xBFname,\"the \"\"size\"\"\",c\r\n\"a,b\",\"1\n2\",\n,\"\",x y \nlast,,\"\r\n\"",
      "t");
  CHECK(t.header() == std::vector<std::string>{"name", "the \"size\"", "c"});
  REQUIRE(t.rows() == 3);
  CHECK(t.field(0, 0) == "a,b");
  CHECK(t.field(0, 1) == "1\n2");
  CHECK(t.field(0, 2).empty());
  CHECK(t.field(1, 2) == "x y ");
  CHECK(t.field(2, 2) == "\r\n");
  CHECK(t.line(0) == 2);
  CHECK(t.line(1) == 4);
  CHECK(t.line(2) == 5);
  CHECK(t.column("c") == 2);
  CHECK(t.file() == "t");
  CHECK(io::parse_csv("a,b", "t").rows() == 0);
  CHECK(io::parse_csv("a\n\n\n", "t").rows() == 2);  // one column, two empty fields
}

TEST_CASE("csv: numbers") {
  const auto t =
      io::parse_csv("x,n\n-1.5e3,7\nnan,-1\n1e999,1.5\n 1,99999999999999999999\n,\n", "t");
  CHECK(t.number_of(0, 0) == -1500);
  CHECK(t.number_of<std::uint64_t>(0, 1) == 7);
  CHECK(t.number_of<int>(1, 1) == -1);
  const auto said = [&](auto call) { return sentence<format_error>(call, "t: "); };
  for (const std::size_t r : {1U, 2U, 3U, 4U}) {
    CHECK(said([&] { (void)t.number_of(r, 0); }) == "line " + std::to_string(r + 2) +
                                                        ", column 'x': '" + t.field(r, 0) +
                                                        "', expected a finite number");
    CHECK(said([&] { (void)t.number_of<std::uint64_t>(r, 1); }) ==
          "line " + std::to_string(r + 2) + ", column 'n': '" + t.field(r, 1) +
              "', expected a whole number of 64 bits from 0 up");
  }
  CHECK(said([&] { (void)t.number_of<int>(2, 1); }).ends_with("a whole number of 32 bits"));
  CHECK(said([&] { (void)t.column("y"); }) == "has no column 'y', but 'x', 'n'");
}

TEST_CASE("csv: what is malformed is refused, each with its sentence") {
  CHECK(refused("") == "is empty, expected a line with column names");
  CHECK(refused("a,b,a\n") == "line 1: the column 'a' twice, expected each name once");
  CHECK(refused("a,b\n1,2\n3\n") == "line 3: 1 field, expected 2 as in line 1");
  CHECK(refused("a,b\n1,2,3\n") == "line 2: 3 fields, expected 2 as in line 1");
  CHECK(refused("a,b\n1,2\n\n") == "line 3: 1 empty field, expected 2 as in line 1");
  CHECK(refused("a\n\"x\ny") == "line 2: a quoted field without its closing quote");
  CHECK(refused("a\n\"x\ny\"z") ==
        "line 3: text after a closing quote, expected a comma or the line's end");
  CHECK(refused("a\nx\"y\n") ==
        "line 2: a quote inside a field that does not start with one, expected one around it too");
  CHECK(refused("a\rb\n") ==
        "line 1: a carriage return without a line feed, expected both or a line feed");
  CHECK(refused("a\n1\r") ==
        "line 2: a carriage return without a line feed, expected both or a line feed");
  CHECK(refused(std::string("a\nx\0y", 5)) == "line 2: a byte 0, expected text");
  const scratch_folder folder;
  put(folder / "t.csv", "a\n1\n");
  CHECK(io::read_csv(folder / "t.csv").number_of(0, 0) == 1);
  CHECK(sentence<input_error>([&] {
          (void)io::read_csv(folder / "none.csv");
        }).starts_with((folder / "none.csv").string()));
}
