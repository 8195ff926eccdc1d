// A vocabulary and a text in its pieces: the input is both, with a byte between them that is in no
// text in UTF-8.

#include "tombola/data/vocabulary.hpp"

#include <vector>

#include "tests/fuzz/support.hpp"

#include "tombola/data/wordpiece.hpp"

using namespace tombola;

namespace {

constexpr char border = '\xFF';

void check_ids(const data::wordpiece& w, std::string_view text) {
  const std::vector<std::int32_t> ids = w.encode(text);
  // A character is four at most when decomposed, each of them a piece at most.
  fuzz::hold(ids.size() <= 4 * text.size(), "pieces are no more than there are characters");
  for (const std::int32_t id : ids) {
    fuzz::hold(id >= 0 && static_cast<std::size_t>(id) < w.pieces().size(),
               "a piece is one of the vocabulary");
  }
  std::vector<std::int32_t> twice = ids;
  w.append(text, twice);
  fuzz::hold(twice.size() == 2 * ids.size() &&
                 std::equal(ids.begin(), ids.end(), twice.begin() + std::ssize(ids)),
             "the same text has the same pieces");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const data::wordpiece fixed{
      data::vocabulary::from_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\nb\n##b\n\xC3\xA4\n##"
                                  "\xC3\xA4\ni\n.\n\xE4\xB8\xAD",
                                  "fixed")};
  const std::string_view input = fuzz::text_of(data, size);
  const std::string_view lines = input.substr(0, input.find(border));
  const std::string_view text = input.substr(std::min(input.size(), lines.size() + 1));
  check_ids(fixed, text);
  const auto& path = fuzz::as_file(lines);
  const auto pieces = fuzz::accepted([&] { return data::vocabulary::read(path); });
  if (!pieces) return 0;
  for (std::size_t i = 0; i < pieces->size(); ++i) {
    fuzz::hold(pieces->find((*pieces)[i]) == static_cast<std::int32_t>(i),
               "a piece is found by its text");
  }
  (void)fuzz::accepted([&] { return pieces->mask(); });
  check_ids(data::wordpiece{*pieces, data::letter_case::lowered}, text);
  check_ids(data::wordpiece{*pieces, data::letter_case::kept}, text);
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const std::string pieces =
      "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\n\xC3\xA9t\n##\xE2\x82\xAC\n##\n,\n";
  const auto both = [](const std::string& lines, const std::string& text) {
    return lines + border + text;
  };
  const std::string full =
      both(pieces, "Unaffable, \xC3\x89T\xC3\x89 [MASK] [MASK \xE4\xB8\xAD\xE6\x96\x87 e\xCC\x81");
  to.add(full);
  to.add(full, "[UNK]\n", "");
  to.add(full, "##aff", "##able");
  to.add(full, "##aff", "");
  to.add(full, "\n", "\r\n");
  to.add(full, "\xC3\xA9t", "\xC3");
  to.add(full, "\xC3\xA9t", "\x1B[31m\n\x1B[31m");
  // Hangul, a musical symbol of three code points, marks in the wrong order, and no UTF-8 at all.
  to.add(both(pieces, "\xED\x95\x9C\xEA\xB8\x80 \xF0\x9D\x85\xA0 a\xCC\x81\xCC\xA3 \xE0\xB7\x9E"));
  to.add(both(pieces, "\xF0\x9F\x98 \xC0\x80 \xED\xA0\x80 \xF4\x90\x80\x80"));
  to.add(both(pieces, std::string(101, 'a') + " " + std::string(100, '\x7F')));
  to.words({"[PAD]\n", "[UNK]\n", "[CLS]\n", "[SEP]\n", "[MASK]", "\n##", "\r\n", "\xFF",
            "\xEF\xBB\xBF", "\xC4\xB0", "\xCC\x81", "\xE0\xB7\x9E", "\xED\x95\x9C",
            "\xF0\x9D\x85\xA0", "\xE4\xB8\xAD", "\xE2\x80\x8B", "\xC2\xA0", "\xEF\xBF\xBD"});
}
