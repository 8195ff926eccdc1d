#include "tombola/io/csv.hpp"

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

using rows = std::vector<std::vector<std::string>>;

/// Header and rows as they were read.
rows all(const std::string& text) {
  const io::csv_table t = io::parse_csv(text, "t.csv");
  rows found{t.header()};
  for (std::size_t r = 0; r < t.rows(); ++r) {
    found.emplace_back();
    for (std::size_t c = 0; c < t.columns(); ++c) found.back().emplace_back(t.field(r, c));
  }
  return found;
}

std::string refused(const std::string& text) {
  return sentence<format_error>([&] { (void)io::parse_csv(text, "t.csv"); }, "t.csv: ");
}

template <class T>
std::string no_number(const std::string& field) {
  const io::csv_table t = io::parse_csv("x,n\n\"a\nb\"," + field + "\n", "t.csv");
  return sentence<format_error>([&] { (void)t.number_of<T>(0, 1); }, "t.csv: line 2, column 'n': ");
}

template <class T>
T number(const std::string& field) {
  return io::parse_csv("n\n" + field, "t.csv").number_of<T>(0, 0);
}

}  // namespace

TEST_CASE("csv: fields, plain and quoted, and every line ending") {
  const rows expected{{"a", "b"}, {"1", "2"}, {"", "x y "}};
  CHECK(all("a,b\n1,2\n,x y \n") == expected);
  CHECK(all("a,b\n1,2\n,x y ") == expected);
  CHECK(all("a,b\r\n1,2\r\n,x y \r\n") == expected);
  CHECK(all("a,b\r\n1,2\n,x y ") == expected);
  CHECK(all("\xEF\xBB\xBF\"a\",\"b\"\n\"1\",2\n\"\",\"x y \"") == expected);
  CHECK(all("a,b") == rows{{"a", "b"}});
  CHECK(all("a,b\n") == rows{{"a", "b"}});
  CHECK(all("a,b\n,\n1,") == rows{{"a", "b"}, {"", ""}, {"1", ""}});
  CHECK(all("\"a,\"\"b\"\"\",\"\"\"\"\n\"1\r\n2\n\r3\",\"\n\"\n") ==
        rows{{"a,\"b\"", "\""}, {"1\r\n2\n\r3", "\n"}});
  // Numbered rows of pandas have a column without a name.
  CHECK(all(",b\n0,\xC3\xA9\t'\n") == rows{{"", "b"}, {"0", "\xC3\xA9\t'"}});
}

TEST_CASE("csv: an empty line is one empty field") {
  CHECK(all("a\n\n1\n\n") == rows{{"a"}, {""}, {"1"}, {""}});
  CHECK(all("a\r\n\r\n1") == rows{{"a"}, {""}, {"1"}});
  CHECK(refused("a,b\n1,2\n\n3,4\n") == "line 3 is empty, expected 2 as in the header");
  CHECK(refused("a,b\r\n\r\n") == "line 2 is empty, expected 2 as in the header");
  CHECK(refused("\na\n") == "line 1 names no column, expected one at least");
}

TEST_CASE("csv: lines are those of the file") {
  const io::csv_table t = io::parse_csv("a,\"b\n\"\n1,2\n\"x\n\ny\",3\r\n5,6\n", "t.csv");
  REQUIRE(t.rows() == 3);
  CHECK(t.line(0) == 3);
  CHECK(t.line(1) == 4);
  CHECK(t.line(2) == 7);
  CHECK(t.number_of<int>(2, 1) == 6);
  CHECK(refused("a,b\n\"x\n\n\",1\n2\n") == "line 5 has 1 field, expected 2 as in the header");
}

TEST_CASE("csv: what is malformed is refused with its line") {
  const std::string close = " after a closing quote, expected a comma or a line break";
  const std::string inside =
      " has a quote inside a field without quotes, expected the field in quotes and the quote "
      "doubled";
  const std::string cr =
      " has a carriage return without a line feed, expected both or the line feed alone";
  CHECK(refused("") == "is empty, expected a header with the names of the columns");
  CHECK(refused("\xEF\xBB\xBF") == "is empty, expected a header with the names of the columns");
  CHECK(refused("a,b\n1\n") == "line 2 has 1 field, expected 2 as in the header");
  CHECK(refused("a,b\n1,2,\n") == "line 2 has 3 fields, expected 2 as in the header");
  CHECK(refused("a,b\n\"\"\n") == "line 2 has 1 field, expected 2 as in the header");
  CHECK(refused("a,b\n1,\"2\" \n") == "line 2 has ' '" + close);
  CHECK(refused("a,\"b\nc\"x") == "line 2 has 'x'" + close);
  CHECK(refused("a\n\"1\"\x1b\n") == "line 2 has '?'" + close);
  CHECK(refused("a\n1\n2\"\n") == "line 3" + inside);
  CHECK(refused("a\n \"1\"\n") == "line 2" + inside);
  CHECK(refused("a,b\n1,\"2\n3,4\n") ==
        "line 2 opens a quote that is never closed, expected a closing quote");
  CHECK(refused("a\n\"\"\"") ==
        "line 2 opens a quote that is never closed, expected a closing quote");
  CHECK(refused("a,b\r1,2\r") == "line 1" + cr);
  CHECK(refused("a\n1\r") == "line 2" + cr);
  CHECK(refused("a\n\"1\"\rx") == "line 2" + cr);
  CHECK(refused(std::string("a\n1\0", 4)) == "line 2 has a NUL byte, expected text");
  CHECK(refused(std::string("a\n\"\n\0\"", 6)) == "line 3 has a NUL byte, expected text");
  CHECK(refused(std::string("a\n\"1\"\0", 6)) == "line 2 has a NUL byte, expected text");
  CHECK(refused("a,b,a\n") == "line 1 names the column 'a' twice, expected each name once");
  CHECK(refused(",\n") == "line 1 names the column '' twice, expected each name once");
}

TEST_CASE("csv: limits") {
  std::string most = "0";
  for (int i = 1; i < 100'000; ++i) most += "," + std::to_string(i);
  CHECK(io::parse_csv(most, "t.csv").columns() == 100'000);
  CHECK(refused(most + ",x") == "line 1 has more than 100000 fields, expected at most so many");
  CHECK(refused("a\n" + std::string(100'000, ',')) ==
        "line 2 has more than 100000 fields, expected at most so many");
  const scratch_folder folder;
  const auto path = folder / "t.csv";
  put(path, "a\n");
  std::filesystem::resize_file(path, (std::size_t{1} << 30) + 1);  // a hole, no bytes on the disk
  CHECK(sentence<format_error>([&] { (void)io::read_csv(path); }, path.string()) ==
        ": has 1073741825 bytes, expected at most 1073741824");
}

TEST_CASE("csv: columns by name") {
  const io::csv_table t = io::parse_csv("task,seed\nRTE,1\n", "t.csv");
  CHECK(t.column("task") == 0);
  CHECK(t.column("seed") == 1);
  CHECK(t.file() == "t.csv");
  const auto missing = [](const io::csv_table& table, const std::string& name) {
    return sentence<format_error>([&] { (void)table.column(name); });
  };
  CHECK(missing(t, "Seed") == "t.csv: has no column 'Seed', its columns are 'task', 'seed'");
  std::string many = "c0";
  for (int i = 1; i < 21; ++i) many += ",c" + std::to_string(i);
  CHECK(missing(io::parse_csv(many, "m"), "x").ends_with("'c18', 'c19', ..."));
}

TEST_CASE("csv: numbers are whole fields, exactly") {
  CHECK(number<double>("0.1") == 0.1);
  CHECK(number<double>("-1e-3") == -1e-3);
  CHECK(number<double>("\"1.5\"") == 1.5);
  CHECK(number<double>("4.9406564584124654e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(number<std::uint64_t>("18446744073709551615") == 18446744073709551615U);
  CHECK(number<std::int64_t>("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK(number<std::int8_t>("-128") == -128);
  CHECK(io::parse_csv("n\n2.5", "t").number_of(0, 0) == 2.5);
  for (const std::string field : {"", "abc", "1 ", " 1", "+1", "1.5x", "0x10", "1;5", "--1"}) {
    CHECK(no_number<double>(field) == "'" + field + "', expected a number");
    CHECK(no_number<int>(field) == "'" + field + "', expected a whole number");
  }
  for (const std::string field : {"inf", "-inf", "nan", "NaN", "infinity"}) {
    CHECK(no_number<double>(field) == "'" + field + "', expected a finite number");
  }
  CHECK(no_number<double>("1e999") == "'1e999', expected a number within the range of a double");
  CHECK(no_number<int>("1.0") == "'1.0', expected a whole number");
  CHECK(no_number<std::size_t>("-1") == "'-1', expected a whole number of 0 or more");
  CHECK(no_number<std::uint8_t>("256") == "'256', expected a whole number from 0 to 255");
  CHECK(no_number<std::int8_t>("-129") == "'-129', expected a whole number from -128 to 127");
  CHECK(no_number<int>("99999999999x") == "'99999999999x', expected a whole number");
}

TEST_CASE("csv: a file, and what is no file") {
  const scratch_folder folder;
  const auto path = folder / "t.csv";
  put(path, "a,b\r\n1,x\r\n");
  io::csv_table t = io::read_csv(path);
  const io::csv_table taken = std::move(t);
  CHECK(taken.file() == path.string());
  CHECK(taken.header() == std::vector<std::string>{"a", "b"});
  CHECK(taken.field(0, 1) == "x");
  put(path, "");
  CHECK(sentence<format_error>([&] { (void)io::read_csv(path); }, path.string()) ==
        ": is empty, expected a header with the names of the columns");
  CHECK(
      sentence<input_error>([&] { (void)io::read_csv(folder / "no"); }, (folder / "no").string()) ==
      ": cannot be opened for reading: No such file or directory");
  CHECK(sentence<input_error>([&] { (void)io::read_csv(folder.path()); }, folder.path().string()) ==
        ": is a folder, expected a file");
}
