// Byte-level BPE against what transformers gave for a small vocabulary (tests/recorded), and by
// hand.

#include "tombola/data/byte_bpe.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"
#include <nlohmann/json.hpp>

#include "tombola/data/features.hpp"
#include "tombola/data/masked_lm.hpp"
#include "tombola/data/tokenizer.hpp"
#include "tombola/io/json.hpp"

using namespace tombola;
using namespace tombola::data;
using nlohmann::json;
using test::put;
using test::sentence;

namespace {

using ids = std::vector<std::int32_t>;

const std::filesystem::path recorded =
    std::filesystem::path{TOMBOLA_SOURCE_DIR} / "tests/recorded/byte_bpe";

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

/// vocab.json with all bytes, the special tokens and these pieces behind them.
std::string vocabulary_with(const std::vector<std::string>& pieces) {
  json j;
  std::size_t n = 0;
  for (const char* s : {"<s>", "<pad>", "</s>", "<unk>"}) j[s] = n++;
  const auto recorded_pieces = io::read_json(recorded / "vocab.json");
  for (const auto& [piece, id] : recorded_pieces.items()) {
    const auto k = id.get<std::size_t>();
    if (k >= 5 && k < 261) j[piece] = n++;  // the bytes, in tokenizers' order
  }
  for (const std::string& piece : pieces) j[piece] = n++;
  return j.dump();
}

byte_vocabulary made(const std::vector<std::string>& pieces, const std::string& merges) {
  return byte_vocabulary::from_text(vocabulary_with(pieces), merges, "vocab.json", "merges.txt");
}

std::vector<std::string> spelled(const byte_bpe& t, std::string_view text) {
  std::vector<std::string> out;
  for (const std::int32_t id : t.encode(text)) {
    out.emplace_back(t.pieces()[static_cast<std::size_t>(id)]);
  }
  return out;
}

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("byte-level BPE gives the ids that were recorded with transformers") {
  const byte_bpe t{byte_vocabulary::read(recorded)};
  CHECK(t.pieces().size() == 480);
  const json j = io::read_json(recorded / "strings.json");
  REQUIRE(j.at("texts").size() > 400);
  for (const json& e : j.at("texts")) {
    INFO(e.at("text"));
    CHECK(t.encode(e.at("text").get<std::string>()) == e.at("ids").get<ids>());
  }
  REQUIRE(j.at("hostile").size() > 100);
  for (const json& e : j.at("hostile")) {
    INFO(e.at("hex"));
    CHECK(t.encode(bytes_of(e.at("hex").get<std::string>())) == e.at("ids").get<ids>());
  }
}

TEST_CASE("pairs and cut sentences have the ids that were recorded with transformers") {
  const byte_bpe t{byte_vocabulary::read(recorded)};
  const json j = io::read_json(recorded / "strings.json");
  for (const json& e : j.at("pairs")) {
    encoded_set set{512};
    set.add(t, e.at("a").get<std::string>(), e.at("b").get<std::string>());
    CHECK(ids(set[0].ids.begin(), set[0].ids.end()) == e.at("ids").get<ids>());
    CHECK(ids(set[0].segments.begin(), set[0].segments.end()) == ids(set[0].ids.size(), 0));
    CHECK(set.truncated() == 0);
  }
  REQUIRE(j.at("cut").size() == 6);
  for (const json& e : j.at("cut")) {
    encoded_set set{e.at("max_length").get<std::size_t>()};
    set.add(t, e.at("a").get<std::string>());
    CHECK(ids(set[0].ids.begin(), set[0].ids.end()) == e.at("ids").get<ids>());
  }
}

TEST_CASE("a pair is cut longest first beside its four marks") {
  const byte_bpe t{made({}, "")};
  const auto byte = [&](char c) { return t.pieces().of_byte(static_cast<unsigned char>(c)); };
  encoded_set set{8};
  set.add(t, "abcdef", "xyz", 1);
  CHECK(ids(set[0].ids.begin(), set[0].ids.end()) ==
        ids{0, byte('a'), byte('b'), 2, 2, byte('x'), byte('y'), 2});
  CHECK(set.truncated() == 1);
  CHECK(set[0].label == 1);
  set.add(t, "", "");
  CHECK(ids(set[1].ids.begin(), set[1].ids.end()) == ids{0, 2, 2, 2});
  encoded_set five{5};
  five.add(t, "ab", "xy");
  CHECK(ids(five[0].ids.begin(), five[0].ids.end()) == ids{0, byte('a'), 2, 2, 2});
  encoded_set four{4};
  four.add(t, "abc");
  CHECK(four[0].ids.size() == 4);
  CHECK(sentence<input_error>([&] { four.add(t, "a", "b"); }) ==
        "maximal length of a sequence: found 4 tokens, expected at least 5");
  CHECK(four.size() == 1);
  CHECK(four.tokens() == 4);
}

TEST_CASE("merges go by rank, then from the left") {
  // aaa: the leftmost pair first. abab: rank 0 everywhere before rank 1.
  const byte_bpe t{
      made({"aa", "ab", "abab", "bc", "abc", "cd"}, "b c\na b\na a\nab ab\nc d\na bc\n")};
  CHECK(spelled(t, "aaa") == strings{"aa", "a"});
  CHECK(spelled(t, "aaaa") == strings{"aa", "aa"});
  CHECK(spelled(t, "abab") == strings{"abab"});
  CHECK(spelled(t, "ababab") == strings{"abab", "ab"});
  CHECK(spelled(t, "abcd") == strings{"abc", "d"});
  CHECK(spelled(t, "ab cd") == strings{"ab", "\xC4\xA0", "cd"});
  CHECK(t.encode("").empty());

  // A merge that comes up late may stand first: it then goes before all that waits.
  const byte_bpe late{made({"ab", "abc", "xy"}, "#version: 0.2\nab c\na b\nx y\n")};
  CHECK(spelled(late, "abcabxyc") == strings{"abc", "ab", "xy", "c"});
}

TEST_CASE("a pair that has changed waits for the rank it has now") {
  // When b and c are one, a and b stand no longer beside each other: bc d goes before a bc.
  const byte_bpe t{made({"bc", "ab", "bcd", "abc"}, "b c\na b\nbc d\na bc\n")};
  CHECK(spelled(t, "abcd") == strings{"a", "bcd"});
  CHECK(spelled(t, "abce") == strings{"abc", "e"});
}

TEST_CASE("white space is Unicode's, and its last character goes to what follows") {
  std::vector<std::int32_t> spaces;
  for (std::int32_t c = 0; c < 0x110000; ++c) {
    if (pretoken_kind_of(c) == pretoken_kind::space) spaces.push_back(c);
  }
  CHECK(spaces == ids{9,      10,     11,     12,     13,     32,     0x85,   0xA0,   0x1680,
                      0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008,
                      0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000});
  CHECK(first_pretoken("\xC2\x85\xC2\x85z") == 2);
  CHECK(first_pretoken("\xC2\x85\xC2\x85") == 4);
  CHECK(first_pretoken("\xC2\x85z") == 2);
  CHECK(first_pretoken("  z") == 1);
  CHECK(first_pretoken(" z9") == 2);
  CHECK(first_pretoken("!'s") == 2);
  CHECK(first_pretoken("'s's") == 2);
  CHECK(first_pretoken(" 's") == 2);
  CHECK(first_pretoken("'S") == 1);
}

TEST_CASE("a long stretch takes no square of its length") {
  const byte_bpe t{made({"aa", "aaaa"}, "a a\naa aa\n")};
  const auto begin = std::chrono::steady_clock::now();
  CHECK(t.encode(std::string(4'000'000, 'a')).size() == 1'000'000);
  CHECK(t.encode(std::string(1'000'000, ' ') + "x").size() == 1'000'001);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{60});
}

TEST_CASE("special tokens of byte-level BPE") {
  const byte_bpe without{made({}, "")};
  CHECK(without.encode("<mask>").size() == 6);
  CHECK(sentence<input_error>([&] { (void)without.pieces().mask(); }) ==
        "vocabulary: has no entry <mask>, which masked language modelling needs");
  const byte_bpe with{made({"<mask>"}, "")};
  CHECK(with.pieces().mask() == 260);
  CHECK(with.encode(" \n<mask></s>") == ids{260, 2});
  CHECK(with.marks() == sequence_marks{0, 2, 2, false});
  CHECK(with.pieces().pad() == 1);
  CHECK(with.pieces().unknown() == 3);
}

TEST_CASE("tokens of a byte-level vocabulary are masked as others are") {
  const byte_bpe t{made({"<mask>"}, "")};
  encoded_set set{64, answer::none};
  set.add(t, "abcdefghij");
  packed_batch batch;
  batch.add(set[0].ids, set[0].segments, 0);
  mask_tokens(batch, t.pieces(), 3, 0, {1.0, 1.0, 0.0});
  CHECK(batch.ids.front() == 0);
  CHECK(batch.ids.back() == 2);
  CHECK(batch.masked_rows.size() == 10);
  CHECK(std::count(batch.ids.begin(), batch.ids.end(), 260) == 10);
}

TEST_CASE("a vocab.json or merges.txt that is none is refused by name") {
  const auto refuses = [](const std::string& vocabulary, const std::string& merges) {
    return sentence<format_error>(
        [&] { (void)byte_vocabulary::from_text(vocabulary, merges, "v.json", "m.txt"); });
  };
  const std::string good = vocabulary_with({"ab", "abc"});
  CHECK(refuses(good, "a b\nab c") == "(nothing was thrown)");
  CHECK(refuses("[1]", "") == "v.json: holds a list, expected pieces and their ids");
  CHECK(refuses("{}", "") == "v.json: has 0 pieces but no <s>, which a RoBERTa vocabulary needs");
  CHECK(refuses(R"({"a": 0, "b": 0})", "") ==
        "v.json: piece 'b' has the id '0', expected 0 to 1, each once");
  CHECK(refuses(R"({"a": 0, "b": 2})", "") ==
        "v.json: piece 'b' has the id '2', expected 0 to 1, each once");
  CHECK(refuses(R"({"a": -1})", "") ==
        "v.json: piece 'a' has the id '-1', expected 0 to 0, each once");
  CHECK(refuses(R"({"\u001b[31m": "x"})", "") ==
        "v.json: piece '?[31m' has the id '\"x\"', expected 0 to 0, each once");
  CHECK(refuses(R"({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3})", "") ==
        "v.json: has no piece for the byte 0, expected one for each of 0 to 255");
  CHECK(refuses(R"({"a": 0, "a": 1})", "").find("twice") != std::string::npos);
  const std::string shape = "', expected two pieces and a blank between them";
  CHECK(refuses(good, "#version: 0.2\na b\nabc") == "m.txt: line 3: found 'abc" + shape);
  CHECK(refuses(good, "a b c") == "m.txt: line 1: found 'a b c" + shape);
  CHECK(refuses(good, "a ") == "m.txt: line 1: found 'a " + shape);
  CHECK(refuses(good, " a") == "m.txt: line 1: found ' a" + shape);
  CHECK(refuses(good, "a b\n\nab c") == "m.txt: line 2: found '" + shape);
  CHECK(refuses(good, "a b\n#version: 0.2") ==
        "m.txt: line 2: found '#version: 0.2', expected both pieces and what they join to in the "
        "vocabulary");
  CHECK(refuses(good, "b c") ==
        "m.txt: line 1: found 'b c', expected both pieces and what they join to in the vocabulary");
  CHECK(refuses(good, "a b\nab c\na b\n") == "m.txt: line 3: found 'a b' a second time");
  CHECK(refuses(good, "a \x1B") ==
        "m.txt: line 1: found 'a ?', expected both pieces and what they "
        "join to in the vocabulary");
}

TEST_CASE("a folder's tokenizer is opened whole") {
  test::scratch_folder folder;
  put(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nA\na\n");
  put(folder / "vocab.json", vocabulary_with({"ab"}));
  put(folder / "merges.txt", "a b\n");
  const std::string config = (folder / "tokenizer_config.json").string();
  CHECK(tokenizer::read_wordpiece(folder.path()).encode("A") == ids{5});
  CHECK(tokenizer::read_wordpiece(folder.path()).files().size() == 1);
  CHECK(tokenizer::read_byte_bpe(folder.path()).encode("ab") == ids{260});
  CHECK(tokenizer::read_byte_bpe(folder.path()).size() == 261);
  CHECK(tokenizer::read_byte_bpe(folder.path()).pad() == 1);
  CHECK(tokenizer::read_byte_bpe(folder.path()).marks() == sequence_marks{0, 2, 2, false});
  CHECK(tokenizer::read_wordpiece(folder.path()).marks() == sequence_marks{2, 3, 1, true});

  put(config, R"({"do_lower_case": false, "strip_accents": null})");
  const tokenizer cased = tokenizer::read_wordpiece(folder.path());
  CHECK(cased.encode("A") == ids{4});
  const auto files = cased.files();
  REQUIRE(files.size() == 2);
  CHECK(files[0].first == "vocab.txt");
  CHECK(files[0].second == "[PAD]\n[UNK]\n[CLS]\n[SEP]\nA\na\n");
  CHECK(files[1].first == "tokenizer_config.json");
  CHECK(files[1].second == R"({"do_lower_case": false, "strip_accents": null})");

  const auto refuses = [&](const char* text, auto read) {
    put(config, text);
    return sentence<format_error>([&] { (void)read(folder.path()); }, config + ": ");
  };
  CHECK(refuses(R"({"strip_accents": false})", tokenizer::read_wordpiece) ==
        "'strip_accents' is false, expected true");
  CHECK(refuses(R"({"tokenize_chinese_chars": false})", tokenizer::read_wordpiece) ==
        "'tokenize_chinese_chars' is false, expected true");
  CHECK(refuses(R"({"add_prefix_space": true})", tokenizer::read_byte_bpe) ==
        "'add_prefix_space' is true, expected false");
  CHECK(refuses(R"({"add_prefix_space": 1})", tokenizer::read_byte_bpe) ==
        "'add_prefix_space' is '1', expected true or false");
  CHECK(refuses("[]", tokenizer::read_byte_bpe).find("expected") != std::string::npos);
  std::filesystem::remove(config);
  std::filesystem::remove(folder / "merges.txt");
  CHECK_THROWS_AS(tokenizer::read_byte_bpe(folder.path()), input_error);
}
