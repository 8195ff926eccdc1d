#include "tombola/io/json.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::test;
using nlohmann::json;

TEST_CASE("json: what is written is read back, bit for bit") {
  const scratch_folder folder;
  const auto path = folder / "a.json";
  const json value{{"b", {1, -2, 0.1, 1e300, 0x1.fffffffffffffp-1022}},
                   {"a", "text \xC3\xA9 \"\n"},
                   {"big", std::numeric_limits<std::uint64_t>::max()},
                   {"none", nullptr}};
  io::write_json(path, value);
  CHECK(io::read_json(path) == value);
  const std::string text = get(path);
  CHECK(text.starts_with("{\n  \"a\": "));
  CHECK(text.ends_with("\n}\n"));
  CHECK(sentence<input_error>(
            [&] {
              io::write_json(folder / "b", json{{"x", "\xFF"}});
            },
            (folder / "b").string())
            .starts_with(": cannot be written as JSON: "));
  CHECK(folder.names() == std::vector<std::string>{"a.json"});
}

TEST_CASE("json: text that is not JSON is refused with its place") {
  const auto whole = [](const std::string& text) {
    return sentence<format_error>([&] { (void)io::parse_json(text, "x.json"); }, "x.json: ");
  };
  CHECK(whole("").starts_with("is not JSON: line 1, column 1: "));
  CHECK(whole("{\"a\": 1,\n \"b\": x}").starts_with("is not JSON: line 2, column 7: "));
  CHECK(whole("[1] 2").starts_with("is not JSON: line 1, column 5: "));
  CHECK(whole("[1").starts_with("is not JSON: line 1, column 3: "));
  CHECK(whole("\"\xFF\"").starts_with("is not JSON: line 1, column 2: "));
  CHECK(whole("[1e999]").starts_with("is not JSON that can be used: "));
  CHECK(whole("{\"a\":1,\"b\":{\"a\":1},\"a\":2}") == "JSON object has the key 'a' twice");
  CHECK(whole(std::string(65, '[') + std::string(65, ']')) ==
        "JSON is nested more than 64 levels deep");
  CHECK(whole(std::string(1'000'000, '[')) == "JSON is nested more than 64 levels deep");
  CHECK(whole("{\"a\":" + std::string(64, '[')) == "JSON is nested more than 64 levels deep");
  CHECK(io::parse_json(std::string(64, '[') + std::string(64, ']'), "x").is_array());
  CHECK(whole(std::string(5000, 'x')).size() < 400);
  for (const char c : whole("\"\x1b[31m")) CHECK((c >= ' ' && c <= '~'));
}

TEST_CASE("json: a file larger than the limit, or missing, is refused") {
  const scratch_folder folder;
  put(folder / "a.json", "[1, 2, 3]");
  CHECK(io::read_json(folder / "a.json", 9).size() == 3);
  CHECK(sentence<input_error>([&] { (void)io::read_json(folder / "a.json", 8); },
                              (folder / "a.json").string()) ==
        ": is larger than 8 bytes, the most that is read here");
  CHECK(sentence<input_error>([&] { (void)io::read_json(folder / "no"); },
                              (folder / "no").string()) ==
        ": cannot be opened for reading: No such file or directory");
}

TEST_CASE("json: members are fetched by type, with a sentence for every other type") {
  const json j = json::parse(R"({"t": true, "n": 3, "m": -3, "x": 2.5, "s": "text", "l": [1, 2],
                                 "mixed": [1, "a"], "o": {}, "z": null, "big": 300})");
  CHECK(io::require<bool>(j, "t", "f"));
  CHECK(io::require<std::size_t>(j, "n", "f") == 3);
  CHECK(io::require<int>(j, "m", "f") == -3);
  CHECK(io::require<double>(j, "n", "f") == 3.0);
  CHECK(io::require<float>(j, "x", "f") == 2.5F);
  CHECK(io::require<std::string>(j, "s", "f") == "text");
  CHECK(io::require<std::vector<int>>(j, "l", "f") == std::vector<int>{1, 2});
  CHECK(io::require<json>(j, "o", "f").is_object());
  CHECK(io::require<std::size_t>(json{{"n", 3}}, "n", "f") == 3);  // made in code, so signed
  CHECK(io::optional_member<int>(j, "absent", "f") == std::nullopt);
  CHECK(io::optional_member<int>(j, "z", "f") == std::nullopt);
  CHECK(io::optional_member<int>(j, "n", "f") == 3);
  const auto of = [&]<class T>(T, const json& object, const std::string& key) {
    return sentence<format_error>([&] { (void)io::require<T>(object, key, "f.json"); }, "f.json: ");
  };
  CHECK(of(1, j, "absent") == "has no 'absent', expected a whole number");
  CHECK(of(1, json::array(), "n") == "found a list where an object with 'n' was expected");
  CHECK(of(true, j, "n") == "'n' is '3', expected true or false");
  CHECK(of(1, j, "x") == "'x' is '2.5', expected a whole number");
  CHECK(of(1, j, "t") == "'t' is 'true', expected a whole number");
  CHECK(of(1U, j, "m") == "'m' is '-3', expected a whole number of 0 or more");
  CHECK(of(std::uint8_t{1}, j, "big") == "'big' is '300', expected a whole number of 0 or more");
  CHECK(of(1.0, j, "s") == "'s' is '\"text\"', expected a number");
  CHECK(of(std::string{}, j, "o") == "'o' is an object, expected a string");
  CHECK(of(std::vector<int>{}, j, "mixed") ==
        "'mixed' has '\"a\"' as element 1, expected a list, each a whole number");
  CHECK(sentence<format_error>([&] { (void)io::optional_member<int>(j, "s", "f.json"); }) ==
        "f.json: 's' is '\"text\"', expected a whole number");
}
