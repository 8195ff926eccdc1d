#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <utf8proc.h>

#include "tombola/data/characters.hpp"
#include "tombola/data/sequence_marks.hpp"
#include "tombola/data/text.hpp"
#include "tombola/data/vocabulary.hpp"

namespace tombola::data {

/// Whether the tokenizer lower-cases and strips accents. A property of the checkpoint.
enum class letter_case : std::uint8_t {
  lowered,  ///< as bert-base-uncased
  kept,     ///< as bert-base-cased
};

namespace detail {

/// One word being put together, as UTF-8, in a fixed buffer.
class word_buffer {
public:
  /// Characters of the longest word that is looked up; a longer one is [UNK].
  /// Source: max_input_chars_per_word of transformers 2.5.1 (Google's code has 200).
  static constexpr std::size_t longest = 100;

  word_buffer() noexcept {}  // NOLINT: 400 bytes that need no zeros

  void push_ascii(char c) noexcept {
    if (characters_++ < longest) bytes_[size_++] = c;
  }
  void push(std::int32_t code_point) noexcept {
    if (characters_++ >= longest) return;
    const auto n = utf8proc_encode_char(code_point, encoded_.data());
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      bytes_[size_++] = static_cast<char>(encoded_[i]);
    }
  }
  void clear() noexcept { size_ = characters_ = 0; }

  [[nodiscard]] bool empty() const noexcept { return characters_ == 0; }
  [[nodiscard]] bool too_long() const noexcept { return characters_ > longest; }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

private:
  std::array<char, 4 * longest> bytes_;
  std::array<utf8proc_uint8_t, 4> encoded_;
  std::size_t size_ = 0;
  std::size_t characters_ = 0;
};

}  // namespace detail

/// BERT's tokenizer: text to the ids of WordPiece pieces, without [CLS] and [SEP].
///
/// The rules are those of transformers 2.5.1, which the study used: lower-casing character by
/// character, canonical decomposition without its nonspacing marks, splitting at white space,
/// punctuation and ideographs, then the longest piece first. Special tokens typed in the text are
/// recognised as such. Bytes that are not UTF-8 are dropped.
/// Threads: any number at once. Cost: one pass over the text, about one lookup per word.
/// Source: Y. Wu et al., arXiv:1609.08144, section 4.1; spec 2.1 and 13.
class wordpiece {
public:
  explicit wordpiece(vocabulary v, letter_case c = letter_case::lowered)
      : vocabulary_{std::move(v)}, case_{c} {
    for (const std::string_view name : {"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"}) {
      if (const auto id = vocabulary_.find(name)) special_.emplace_back(name, *id);
    }
  }

  [[nodiscard]] const vocabulary& pieces() const noexcept { return vocabulary_; }
  [[nodiscard]] letter_case letters() const noexcept { return case_; }

  /// [CLS] a [SEP], or [CLS] a [SEP] b [SEP]; the second sentence is of segment 1.
  [[nodiscard]] sequence_marks marks() const noexcept {
    return {vocabulary_.first(), vocabulary_.separator(), 1, true};
  }

  /// Ids of a text. An empty text has none.
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text) const {
    std::vector<std::int32_t> ids;
    append(text, ids);
    return ids;
  }

  /// Adds the ids of a text to `ids`. Allocates only where `ids` has to grow.
  void append(std::string_view text, std::vector<std::int32_t>& ids) const {
    std::size_t bracket = text.find('[');
    while (bracket != std::string_view::npos) {
      const std::string_view rest = text.substr(bracket);
      const auto token = std::find_if(special_.begin(), special_.end(),
                                      [&](const auto& s) { return rest.starts_with(s.first); });
      if (token == special_.end()) {
        bracket = text.find('[', bracket + 1);
        continue;
      }
      ordinary(text.substr(0, bracket), ids);
      ids.push_back(token->second);
      text = rest.substr(token->first.size());
      bracket = text.find('[');
    }
    ordinary(text, ids);
  }

private:
  /// What one stretch of text without special tokens is being turned into.
  struct state {
    std::vector<std::int32_t>& ids;
    detail::word_buffer word{};
    /// Marks that take part in canonical ordering and stay (rare: a few spacing marks).
    std::vector<std::pair<int, std::int32_t>> marks{};
  };

  void ordinary(std::string_view text, std::vector<std::int32_t>& ids) const {
    state s{ids};
    for (std::size_t i = 0; i < text.size();) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < 128) {
        ascii(static_cast<char>(byte), s);
        ++i;
        continue;
      }
      const decoded d = decode(text.substr(i));
      wide(case_ == letter_case::lowered ? utf8proc_tolower(d.code_point) : d.code_point, s);
      i += d.bytes;
    }
    end_word(s);
  }

  void ascii(char c, state& s) const {
    switch (ascii_kinds[static_cast<std::size_t>(c)]) {
      case character_kind::letter:
        if (!s.marks.empty()) place_marks(s);
        if (case_ == letter_case::lowered && c >= 'A' && c <= 'Z') {
          c = static_cast<char>(c - 'A' + 'a');
        }
        s.word.push_ascii(c);
        return;
      case character_kind::dropped:
        return;
      case character_kind::space:
        end_word(s);
        return;
      default:
        end_word(s);
        s.word.push_ascii(c);
        end_word(s);
    }
  }

  /// A character outside ASCII, already in lower case where that is asked for.
  void wide(std::int32_t c, state& s) const {
    const character_kind kind = kind_of(c);
    if (kind == character_kind::dropped) return;
    if (kind == character_kind::space) return end_word(s);
    if (kind == character_kind::ideograph) end_word(s);
    if (case_ == letter_case::lowered) {
      decompose(c, s);
    } else {
      place(c, s);
    }
    if (kind == character_kind::ideograph) end_word(s);
  }

  /// Canonical decomposition without nonspacing marks, in canonical order: a mark of combining
  /// class 0 ends a run of marks even though it is dropped itself.
  void decompose(std::int32_t c, state& s) const {
    // The longest canonical decomposition of one character has 4 code points.
    std::array<utf8proc_int32_t, 8> parts{};
    int last_class = 0;
    const auto n =
        utf8proc_decompose_char(c, parts.data(), static_cast<utf8proc_ssize_t>(parts.size()),
                                UTF8PROC_DECOMPOSE, &last_class);
    for (std::size_t i = 0; i < parts.size() && static_cast<utf8proc_ssize_t>(i) < n; ++i) {
      const int order = utf8proc_get_property(parts[i])->combining_class;
      const bool dropped = utf8proc_category(parts[i]) == UTF8PROC_CATEGORY_MN;
      if (order == 0) place_marks(s);
      if (dropped) continue;
      if (order == 0) {
        place(parts[i], s);
      } else {
        s.marks.emplace_back(order, parts[i]);
      }
    }
  }

  void place_marks(state& s) const {
    if (s.marks.empty()) return;
    std::stable_sort(s.marks.begin(), s.marks.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [order, mark] : s.marks) s.word.push(mark);
    s.marks.clear();
  }

  /// One character of the decomposed text: it joins the word, or is one by itself.
  void place(std::int32_t c, state& s) const {
    if (kind_of(c) != character_kind::punctuation) return s.word.push(c);
    end_word(s);
    s.word.push(c);
    end_word(s);
  }

  void end_word(state& s) const {
    place_marks(s);
    if (s.word.empty()) return;
    if (s.word.too_long()) {
      s.ids.push_back(vocabulary_.unknown());
    } else {
      split(s.word.view(), s.ids);
    }
    s.word.clear();
  }

  /// Longest piece first; a word with a part that is in no piece is [UNK] as a whole.
  void split(std::string_view word, std::vector<std::int32_t>& ids) const {
    const std::size_t before = ids.size();
    for (std::size_t begin = 0; begin < word.size();) {
      std::string_view piece = word.substr(begin, vocabulary_.longest_piece());
      std::int32_t id = -1;
      while (!piece.empty()) {
        id = begin == 0 ? vocabulary_.find_first(piece) : vocabulary_.find_next(piece);
        if (id >= 0) break;
        // Byte by byte: a cut inside a character matches nothing, as every piece is UTF-8.
        piece.remove_suffix(1);
      }
      if (id < 0) {
        ids.resize(before);
        ids.push_back(vocabulary_.unknown());
        return;
      }
      ids.push_back(id);
      begin += piece.size();
    }
  }

  vocabulary vocabulary_;
  letter_case case_;
  std::vector<std::pair<std::string_view, std::int32_t>> special_;
};

}  // namespace tombola::data
