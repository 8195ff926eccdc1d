#include "tombola/data/wordpiece.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/error.hpp"
#include "tombola/data/vocabulary.hpp"

namespace {

using namespace tombola;
using data::letter_case;
using data::vocabulary;
using data::wordpiece;
using test::sentence;

using ids = std::vector<std::int32_t>;

// 0 [PAD] 1 [UNK] 2 [CLS] 3 [SEP] 4 [MASK] 5 un 6 ##aff 7 ##able 8 able 9 , 10 [ 11 ] 12 e 13 ##e
// 14 the middle dot 15 ## 16 Un 17 ##a 18 mask 19 unaff
const std::string text =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\nable\n,\n[\n]\ne\n##e\n\xC2\xB7\n##\nUn"
    "\n##a\nmask\nunaff\n";

wordpiece lowered() {
  return wordpiece{vocabulary::from_text(text, "v")};
}

std::string refusal(const std::string& content) {
  return sentence<format_error>([&] { (void)vocabulary::from_text(content, "v"); }, "v: ");
}

}  // namespace

TEST_CASE("the longest piece wins, and a word with a hole is unknown as a whole") {
  const wordpiece w = lowered();
  CHECK(w.encode("unaffable") == ids{19, 7});
  CHECK(w.encode("unable") == ids{5, 7});
  CHECK(w.encode("ableable able") == ids{8, 7, 8});
  CHECK(w.encode("unxable un") == ids{1, 5});
  CHECK(w.encode("unaffx") == ids{1});
  CHECK(w.encode("").empty());
  CHECK(w.encode(" \t\r\n ").empty());
}

TEST_CASE("words end at white space and punctuation, not at what is dropped") {
  const wordpiece w = lowered();
  CHECK(w.encode("un,able,") == ids{5, 9, 8, 9});
  CHECK(w.encode("un\xC2\xA0"
                 "able\xE2\x80\xA8un") == ids{5, 8, 5});     // U+00A0, U+2028
  CHECK(w.encode(std::string{"un\0able", 7}) == ids{5, 7});  // U+0000
  CHECK(w.encode("un\xE2\x80\x8B"
                 "able\xEF\xBF\xBD") == ids{5, 7});  // U+200B, U+FFFD
  CHECK(w.encode("un\xCE\x87un") == ids{5, 14, 5});  // U+0387 decomposes to the middle dot
}

TEST_CASE("lower-casing and accents follow the checkpoint") {
  CHECK(lowered().encode("UNABLE \xC3\x89 e\xCC\x81") == ids{5, 7, 12, 12});
  const wordpiece kept{vocabulary::from_text(text, "v"), letter_case::kept};
  CHECK(kept.encode("Unable UNABLE") == ids{16, 7, 1});
  CHECK(kept.encode("e\xCC\x81") == ids{1});
}

TEST_CASE("special tokens typed in a text are recognised, in their own spelling") {
  const wordpiece w = lowered();
  CHECK(w.encode("[CLS]un[MASK] able[SEP]") == ids{2, 5, 4, 8, 3});
  CHECK(w.encode("[mask] [[MASK]") == ids{10, 18, 11, 10, 4});
  // Without [MASK] in the vocabulary there is no such token.
  const wordpiece bare{vocabulary::from_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[\n]\nmask", "v")};
  CHECK(bare.encode("[MASK]") == ids{4, 6, 5});
  CHECK(sentence<input_error>([&] { (void)bare.pieces().mask(); }) ==
        "vocabulary: has no entry [MASK], which masked language modelling needs");
}

TEST_CASE("a word of 100 characters is split, one of 101 is unknown") {
  const wordpiece w = lowered();
  CHECK(w.encode(std::string(100, 'e')).size() == 100);
  CHECK(w.encode(std::string(101, 'e') + " un") == ids{1, 5});
  std::string accented;
  for (int i = 0; i < 100; ++i) accented += "\xC3\xA9";
  CHECK(w.encode(accented).size() == 100);
  CHECK(w.encode(accented + "\xC3\xA9") == ids{1});
}

TEST_CASE("spacing marks take their canonical order") {
  // U+302E (class 224) stays and U+16FF0 (class 6) too; the lower class goes first.
  const std::string a = "\xE3\x80\xAE", b = "\xF0\x96\xBF\xB0";
  const wordpiece w{
      vocabulary::from_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\ne" + b + a + "\n" + a + "e\n", "v")};
  CHECK(w.encode("e" + a + b) == ids{4});
  CHECK(w.encode("e" + b + a) == ids{4});
  CHECK(w.encode("e" + a + b + "e") == ids{1});
  // Marks of class 0 keep their neighbours apart, though they go (U+034F); so do letters (U+00E9).
  CHECK(w.encode("e" + a + "\xCD\x8F" + b) == ids{1});
  CHECK(w.encode(a + "\xC3\xA9") == ids{5});
}

TEST_CASE("bytes that are no text are dropped and never read past") {
  const wordpiece w = lowered();
  CHECK(w.encode("un\xFF\xC3") == ids{5});
  CHECK(w.encode("\xF0\x9F") == ids{});
  CHECK(w.encode("un\xED\xA0\x80"
                 "able") == ids{5, 7});
}

TEST_CASE("a vocabulary knows its pieces") {
  const vocabulary v = vocabulary::from_text(text, "v");
  CHECK(v.size() == 20);
  CHECK(v[7] == "##able");
  CHECK(v.find("##able") == 7);
  CHECK(v.find("able") == 8);
  CHECK(v.find("##") == 15);
  CHECK(!v.find("nothing"));
  CHECK(v.pad() == 0);
  CHECK(v.unknown() == 1);
  CHECK(v.first() == 2);
  CHECK(v.separator() == 3);
  CHECK(v.mask() == 4);
  const vocabulary windows = vocabulary::from_text("[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\nx", "v");
  CHECK(windows.find("x") == 4);
}

TEST_CASE("a vocabulary that is none is refused with a sentence") {
  CHECK(refusal("") == "is empty, expected one piece a line");
  for (const std::string missing : {"[PAD]", "[UNK]", "[CLS]", "[SEP]"}) {
    std::string content = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n";
    content.replace(content.find(missing), missing.size(), "word");
    CHECK(refusal(content) == "has 4 pieces but no " + missing + ", which a BERT vocabulary needs");
  }
  CHECK(refusal("[PAD]\na\n##a\na\n") == "'a' stands on lines 2 and 4, expected every piece once");
  CHECK(refusal("[PAD]\n\n[UNK]") == "line 2 is empty, expected a piece");
  CHECK(refusal("\xFF\n") == "is not UTF-8");

  const test::scratch_folder folder;
  const std::string file = (folder / "vocab.txt").string();
  CHECK(sentence<input_error>([&] { (void)vocabulary::read(file); }).starts_with(file + ": "));
  test::put(file, "word\n\xC3\n");
  CHECK(sentence<format_error>([&] { (void)vocabulary::read(file); }, file + ": ") ==
        "line 2: found bytes that are not UTF-8, expected text");
  test::put(file, "\xEF\xBB\xBF" + text);
  CHECK(vocabulary::read(file).find("[PAD]") == 0);
}
