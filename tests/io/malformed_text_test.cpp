#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/io/malformed.hpp"

#include "tombola/io/csv.hpp"
#include "tombola/io/json.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

/// Reads a settings file of one name, one seed and a list of sizes.
void read_object(const std::filesystem::path& path) {
  const auto j = io::read_json(path);
  (void)io::require<std::string>(j, "name", path);
  (void)io::require<std::uint32_t>(j, "seed", path);
  (void)io::require<std::vector<double>>(j, "sizes", path);
  (void)io::optional_member<bool>(j, "done", path);
}

/// Reads a table of a name, a score and a seed.
void read_table(const std::filesystem::path& path) {
  const io::csv_table t = io::read_csv(path);
  (void)t.column("name");
  for (std::size_t r = 0; r < t.rows(); ++r) {
    (void)t.number_of(r, t.column("score"));
    (void)t.number_of<std::uint8_t>(r, t.column("seed"));
  }
}

std::string row(const std::string& fields) {
  return "name,score,seed\nfirst,1,1\n" + fields;
}

}  // namespace

TEST_CASE("malformed JSON") {
  refuse_each(
      {
          {"", ": is not JSON: line 1, column 1: *"},
          {"{\"name\": \"a\",\n}", ": is not JSON: line 2, column 1: *"},
          {"{\"name\": \"a\tb\"}", ": is not JSON: line 1, column 12: *"},
          {"{\"name\": \"\xC3\"}", ": is not JSON: line 1, column 12*"},
          {"{} {}", ": is not JSON: line 1, column 4: *"},
          {R"({"seed": -1e999})", ": is not JSON that can be used: *"},
          {R"({"name": "a", "name": "a"})", ": JSON object has the key 'name' twice"},
          {std::string(70, '['), ": JSON is nested more than 64 levels deep"},
          {"[1]", ": found a list where an object with 'name' was expected"},
          {"null", ": found 'null' where an object with 'name' was expected"},
          {"{}", ": has no 'name', expected a string"},
          {R"({"name": ["a"]})", ": 'name' is a list, expected a string"},
          {R"({"name": {}})", ": 'name' is an object, expected a string"},
          {R"({"name": "a"})", ": has no 'seed', expected a whole number of 0 or more"},
          {R"({"name": "a", "seed": 4294967296})",
           ": 'seed' is '4294967296', expected a whole number of 0 or more"},
          {R"({"name": "a", "seed": 1.0})",
           ": 'seed' is '1.0', expected a whole number of 0 or more"},
          {R"({"name": "a", "seed": 1, "sizes": 2})",
           ": 'sizes' is '2', expected a list, each a number"},
          {R"({"name": "a", "seed": 1, "sizes": [1, 2, null]})",
           ": 'sizes' has 'null' as element 2, expected a list, each a number"},
          {R"({"name": "a", "seed": 1, "sizes": [], "done": 0})",
           ": 'done' is '0', expected true or false"},
      },
      read_object);
}

TEST_CASE("malformed CSV") {
  const std::string cr = ": a carriage return without a line feed, expected both or a line feed";
  refuse_each(
      {
          {"\xEF\xBB\xBF", ": is empty, expected a line with column names"},
          {"name,score,name\n", ": line 1: the column 'name' twice, expected each name once"},
          {",\n", ": line 1: the column '' twice, expected each name once"},
          {"Name,score\n", ": has no column 'name', but 'Name', 'score'"},
          {row("a,1\n"), ": line 3: 2 fields, expected 3 as in line 1"},
          {row("a,1,2,\n"), ": line 3: 4 fields, expected 3 as in line 1"},
          {row("\n"), ": line 3: 1 empty field, expected 3 as in line 1"},
          {row("\"a\n\n\",1,2\nb\n"), ": line 6: 1 field, expected 3 as in line 1"},
          {row("\"a\"b,1,2\n"),
           ": line 3: text after a closing quote, expected a comma or the line's end"},
          {row("\"a\n\" ,1,2\n"),
           ": line 4: text after a closing quote, expected a comma or the line's end"},
          {row("a \"b\",1,2\n"),
           ": line 3: a quote inside a field that does not start with one, expected one around it "
           "too"},
          {row("a,1,2\n\"b,3,4\n5\n"), ": line 4: a quoted field without its closing quote"},
          {row("a,1,2\r"), ": line 3" + cr},
          {"name\rscore\r", ": line 1" + cr},
          {row(std::string("a,\0,2\n", 6)), ": line 3: a byte 0, expected text"},
          {row("a,abc,2\n"), ": line 3, column 'score': 'abc', expected a finite number"},
          {row("a,-inf,2\n"), ": line 3, column 'score': '-inf', expected a finite number"},
          {row("a, 1,2\n"), ": line 3, column 'score': ' 1', expected a finite number"},
          {row("a,,2\n"), ": line 3, column 'score': '', expected a finite number"},
          {row("a,1,256\n"),
           ": line 3, column 'seed': '256', expected a whole number of 8 bits from 0 up"},
          {row("a,1,2.0\n"),
           ": line 3, column 'seed': '2.0', expected a whole number of 8 bits from 0 up"},
          {row("\"\x1b[2J\",\x07,2\n"), ": line 3, column 'score': '?', expected a finite number"},
          {"a" + std::string(100'000, ','), ": line 1: more than 100000 fields, expected fewer"},
      },
      read_table);
}

TEST_CASE("a table may have as many columns as the limit says") {
  std::string most = "0";
  for (int i = 1; i < 100'000; ++i) most += "," + std::to_string(i);
  CHECK(io::parse_csv(most, "t").columns() == 100'000);
}

TEST_CASE("malformed text: cut or with a bit turned over") {
  const std::string object = R"({"name": "RTE", "seed": 7, "sizes": [0.5, -1e3], "done": true})";
  CHECK(damage_each(object, read_object).read > 0);
  const std::string table = "name,score,seed\r\n\"a \"\"b\"\",\nc\",-1.5,7\n,2e3,255";
  const auto t = damage_each(table, read_table);
  CHECK(t.read > 0);
  CHECK(t.refused > t.read);
}
