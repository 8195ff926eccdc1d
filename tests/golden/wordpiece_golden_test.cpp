#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/data/features.hpp"
#include "tombola/data/text.hpp"
#include "tombola/data/wordpiece.hpp"
#include "tombola/io/sha256.hpp"

namespace {

using namespace tombola;
using data::letter_case;
using data::vocabulary;
using data::wordpiece;
using nlohmann::json;

json read_json(const std::filesystem::path& path) {
  std::ifstream in{path};
  return json::parse(in);
}

/// The texts of one column list of a GLUE file, by position as files.json gives them.
struct text_rows {
  std::vector<std::string> first, second;
};

text_rows read_rows(const std::filesystem::path& path, const json& columns, bool header) {
  const std::string text = data::read_utf8(path);
  std::vector<std::string_view> lines = data::split_lines(text), fields;
  text_rows rows;
  for (std::size_t i = header ? 1 : 0; i < lines.size(); ++i) {
    data::split_fields(lines[i], fields);
    rows.first.emplace_back(fields.at(columns.at(0).get<std::size_t>()));
    if (columns.size() > 1) rows.second.emplace_back(fields.at(columns.at(1).get<std::size_t>()));
  }
  return rows;
}

}  // namespace

TEST_CASE("golden wordpiece: strings", "[golden]") {
  const auto folder = test::shared("goldens/wordpiece");
  const auto data_folder = test::shared("data");
  if (!folder || !data_folder) return;
  const json expected = read_json(*folder / "strings.json");
  const json& vocabularies = expected.at("vocabularies");
  const wordpiece lowered{
      vocabulary::read(*data_folder / vocabularies.at("uncased").get<std::string>())};
  const wordpiece kept{vocabulary::read(*folder / "cased-vocab.txt"), letter_case::kept};

  std::size_t checked = 0;
  for (const auto& [name, tokenizer] :
       {std::pair{"uncased", &lowered}, std::pair{"cased", &kept}}) {
    for (const json& c : expected.at(name)) {
      INFO(name << ": " << c.at("text").dump());
      CHECK(tokenizer->encode(c.at("text").get<std::string>()) ==
            c.at("ids").get<std::vector<std::int32_t>>());
      ++checked;
    }
  }
  CHECK(checked == expected.at("uncased").size() + expected.at("cased").size());
  CHECK(checked > 0);
}

TEST_CASE("golden wordpiece: truncation of pairs", "[golden]") {
  const auto folder = test::shared("goldens/wordpiece");
  if (!folder) return;
  const json expected = read_json(*folder / "strings.json");
  const json& cases = expected.at("truncation").at("cases");
  REQUIRE(!cases.empty());
  for (const json& c : cases) {
    INFO(c.dump());
    const data::kept_lengths kept =
        data::truncate_pair(c.at("first").get<std::size_t>(), c.at("second").get<std::size_t>(),
                            c.at("max_length").get<std::size_t>() - 3);
    CHECK(kept.first == c.at("kept").at(0).get<std::size_t>());
    CHECK(kept.second == c.at("kept").at(1).get<std::size_t>());
  }
}

TEST_CASE("golden wordpiece: whole GLUE files", "[golden]") {
  const auto folder = test::shared("goldens/wordpiece");
  const auto data_folder = test::shared("data");
  if (!folder || !data_folder) return;
  const json strings = read_json(*folder / "strings.json");
  const json expected = read_json(*folder / "files.json");
  const wordpiece tokenizer{
      vocabulary::read(*data_folder / strings.at("vocabularies").at("uncased").get<std::string>())};
  REQUIRE(!expected.at("files").empty());
  for (const json& f : expected.at("files")) {
    INFO(f.at("file").get<std::string>() << " at " << f.at("max_length"));
    const text_rows rows = read_rows(*data_folder / f.at("file").get<std::string>(),
                                     f.at("columns"), f.at("header").get<bool>());
    data::encoded_set set{f.at("max_length").get<std::size_t>()};
    for (std::size_t i = 0; i < rows.first.size(); ++i) {
      if (rows.second.empty()) {
        set.add(tokenizer, rows.first[i]);
      } else {
        set.add(tokenizer, rows.first[i], rows.second[i]);
      }
    }

    std::size_t tokens = 0, second = 0, longest = 0;
    std::vector<std::int32_t> stream;
    const json& head = f.at("first_20_rows");
    for (std::size_t i = 0; i < set.size(); ++i) {
      const auto ids = set[i].ids;
      tokens += ids.size();
      longest = std::max(longest, ids.size());
      for (const std::int32_t s : set[i].segments) second += static_cast<std::size_t>(s);
      stream.insert(stream.end(), ids.begin(), ids.end());
      stream.push_back(-1);
      if (i < head.size()) {
        CHECK(std::vector<std::int32_t>(ids.begin(), ids.end()) ==
              head[i].get<std::vector<std::int32_t>>());
      }
    }
    CHECK(set.size() == f.at("rows").get<std::size_t>());
    CHECK(tokens == f.at("tokens").get<std::size_t>());
    CHECK(second == f.at("tokens_of_type_1").get<std::size_t>());
    CHECK(longest == f.at("longest").get<std::size_t>());
    CHECK(set.truncated() == f.at("rows_truncated").get<std::size_t>());
    CHECK(io::sha256_hex(std::as_bytes(std::span{stream})) == f.at("sha256").get<std::string>());
  }
}
