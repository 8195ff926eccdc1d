// A vocab.json, a merges.txt and a text in its pieces: the input is all three, with a byte between
// them that is in no text in UTF-8.

#include "tombola/data/byte_bpe.hpp"

#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/support.hpp"

using namespace tombola;

namespace {

constexpr char border = '\xFF';

/// The character of a byte, as the files spell it.
const std::string& spelled(unsigned char b) {
  static const std::vector<std::string> characters = [] {
    std::vector<std::string> all;
    for (const std::int32_t character : data::byte_characters()) {
      std::array<utf8proc_uint8_t, 4> encoded{};
      const auto n = utf8proc_encode_char(character, encoded.data());
      all.emplace_back(encoded.begin(), encoded.begin() + n);
    }
    return all;
  }();
  return characters[b];
}

std::string vocabulary_of(const std::vector<std::string>& pieces) {
  nlohmann::json j;
  std::size_t n = 0;
  for (const char* s : {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}) j[s] = n++;
  for (unsigned b = 0; b < 256; ++b) j[spelled(static_cast<unsigned char>(b))] = n++;
  for (const std::string& p : pieces) j[p] = n++;
  return j.dump();
}

/// Pieces joined say the text again, byte by byte, but for special tokens.
void check_ids(const data::byte_bpe& t, std::string_view text) {
  const std::vector<std::int32_t> ids = t.encode(text);
  fuzz::hold(ids.size() <= text.size(), "pieces are no more than there are bytes");
  std::string joined, wanted;
  for (const std::int32_t id : ids) {
    fuzz::hold(id >= 0 && static_cast<std::size_t>(id) < t.pieces().size(),
               "a piece is one of the vocabulary");
    joined += t.pieces()[static_cast<std::size_t>(id)];
  }
  for (const char c : text) wanted += spelled(static_cast<unsigned char>(c));
  fuzz::hold(joined == wanted || text.find('<') != std::string_view::npos,
             "pieces joined are the text");
  std::vector<std::int32_t> twice = ids;
  t.append(text, twice);
  fuzz::hold(twice.size() == 2 * ids.size() &&
                 std::equal(ids.begin(), ids.end(), twice.begin() + std::ssize(ids)),
             "the same text has the same pieces");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string small = vocabulary_of({"ab", "abc", "\xC4\xA0t", "th", "\xC4\xA0th"});
  static const data::byte_bpe fixed{data::byte_vocabulary::from_text(
      small, "t h\n\xC4\xA0 th\na b\nab c\n\xC4\xA0 t\n", "fixed", "fixed")};
  std::string_view rest = fuzz::text_of(data, size);
  const auto part = [&rest] {
    const std::string_view p = rest.substr(0, rest.find(border));
    rest.remove_prefix(std::min(rest.size(), p.size() + 1));
    return p;
  };
  const std::string_view pieces = part(), merges = part(), text = rest;
  check_ids(fixed, text);
  // An empty first part is the small vocabulary: to find merges, none need be found by chance.
  const auto v = fuzz::accepted([&] {
    return data::byte_vocabulary::from_text(pieces.empty() ? small : pieces, merges, "vocab.json",
                                            "merges.txt");
  });
  if (!v) return 0;
  for (std::size_t i = 0; i < v->size(); ++i) {
    fuzz::hold(v->find((*v)[i]) == static_cast<std::int32_t>(i), "a piece is found by its text");
  }
  (void)fuzz::accepted([&] { return v->mask(); });
  // A vocabulary may hold the bytes' characters and join others: what is joined is then the text
  // too, since a merge's result is its parts put together.
  check_ids(data::byte_bpe{*v}, text);
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const auto all = [](const std::string& pieces, const std::string& merges,
                      const std::string& text) { return pieces + border + merges + border + text; };
  const std::string merges = "#version: 0.2\nt h\n\xC4\xA0 th\na b\nab c\n";
  const std::string text = "abc  the\tabab <mask> it's 12\xC2\xBD \xE2\x82\xAC!\n\n</s> ";
  to.add(all("", merges, text));
  to.add(all("", "ab c\na b\n", "abcabc" + std::string(70, 'a')));
  to.add(all(vocabulary_of({"ab"}), "a b\n", text));
  to.add(all("", merges, "\xC3 \x80<mask>\xE2\x82 \xED\xA0\x80 \xF4\x90\x80\x80 \xE3\x80\x80x"));
  to.add(all("", "a b\na b\n", text));
  to.add(all("", "a  b\n", text));
  to.add(all(R"({"a": 0, "a": 1})", "", text));
  to.add(all(R"({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3})", "", ""));
  to.add(all(R"({"a": 18446744073709551615})", "", ""));
  to.words({"#version", "\xC4\xA0", "<s>", "</s>", "<pad>", "<unk>", "<mask>", "'s", "'ll", "\n\n",
            " \n", "\xC2\x85", "\xE3\x80\x80", "\xE2\x80\x8B", "\xCC\x81", "\xFF"});
}
