#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/data/byte_vocabulary.hpp"
#include "tombola/data/pretokens.hpp"
#include "tombola/data/sequence_marks.hpp"

namespace tombola::data {

/// The byte-level BPE of GPT-2 and RoBERTa: text to ids, without <s> and </s>.
///
/// The text is cut by the pattern in pretokens.hpp; each stretch starts as its bytes, and the pair
/// of neighbours whose merge stands first in merges.txt is joined, the leftmost of equals, until
/// none is left. No byte is unknown: what is not UTF-8 is encoded like anything else. Special
/// tokens typed in the text are recognised, and <mask> takes the white space before it, as public
/// RoBERTa tokenizers have it.
/// Threads: any number at once. Cost: n log n for a stretch of n bytes.
/// Source: R. Sennrich et al., ACL 2016; A. Radford et al., "Language Models are Unsupervised
/// Multitask Learners", 2019; Y. Liu et al., arXiv:1907.11692.
class byte_bpe {
public:
  explicit byte_bpe(byte_vocabulary v) : vocabulary_{std::move(v)} {
    for (const std::string_view name : {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}) {
      if (const auto id = vocabulary_.find(name)) special_.push_back({name, *id});
    }
  }

  [[nodiscard]] const byte_vocabulary& pieces() const noexcept { return vocabulary_; }

  /// <s> a </s>, or <s> a </s></s> b </s>, all of one segment.
  [[nodiscard]] sequence_marks marks() const noexcept {
    return {vocabulary_.first(), vocabulary_.separator(), 2, false};
  }

  /// Ids of a text. An empty text has none.
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text) const {
    std::vector<std::int32_t> ids;
    append(text, ids);
    return ids;
  }

  /// Adds the ids of a text to `ids`.
  void append(std::string_view text, std::vector<std::int32_t>& ids) const {
    state s{ids};
    std::size_t bracket = text.find('<');
    while (bracket != std::string_view::npos) {
      const std::string_view rest = text.substr(bracket);
      const auto token = std::find_if(special_.begin(), special_.end(),
                                      [&](const special& t) { return rest.starts_with(t.name); });
      if (token == special_.end()) {
        bracket = text.find('<', bracket + 1);
        continue;
      }
      const std::string_view before = text.substr(0, bracket);
      ordinary(token->name == "<mask>" ? without_space(before) : before, s);
      ids.push_back(token->id);
      text = rest.substr(token->name.size());
      bracket = text.find('<');
    }
    ordinary(text, s);
  }

private:
  struct special {
    std::string_view name;
    std::int32_t id;
  };

  /// One piece of a stretch; pieces that were joined to the one before have id -1.
  struct symbol {
    std::int32_t id;
    std::size_t before, after;  ///< places of the neighbours; none: the number of symbols
  };

  /// A pair that could be joined, when it was looked at.
  struct candidate {
    std::int32_t rank;
    std::size_t place;  ///< of the left one
    [[nodiscard]] friend bool operator<(const candidate& a, const candidate& b) noexcept {
      return std::pair{b.rank, b.place} < std::pair{a.rank, a.place};  // the soonest on top
    }
  };

  /// What a text is being turned into, and memory that its stretches share.
  struct state {
    std::vector<std::int32_t>& ids;
    std::vector<symbol> symbols{};
    std::vector<candidate> heap{};
  };

  /// The text without the white space at its end.
  [[nodiscard]] static std::string_view without_space(std::string_view text) noexcept {
    std::size_t end = 0;
    for (std::size_t i = 0; i < text.size();) {
      const decoded d = decode(text.substr(i));
      i += d.bytes;
      if (pretoken_kind_of(d.code_point) != pretoken_kind::space) end = i;
    }
    return text.substr(0, end);
  }

  void ordinary(std::string_view text, state& s) const {
    while (!text.empty()) {
      const std::size_t n = first_pretoken(text);
      join(text.substr(0, n), s);
      text.remove_prefix(n);
    }
  }

  void join(std::string_view stretch, state& s) const {
    const std::size_t n = stretch.size();
    s.symbols.clear();
    for (std::size_t i = 0; i < n; ++i) {
      s.symbols.push_back(
          {vocabulary_.of_byte(static_cast<unsigned char>(stretch[i])), i == 0 ? n : i - 1, i + 1});
    }
    s.heap.clear();
    for (std::size_t i = 0; i + 1 < n; ++i) consider(i, s);
    while (!s.heap.empty()) {
      std::pop_heap(s.heap.begin(), s.heap.end());
      const candidate c = s.heap.back();
      s.heap.pop_back();
      symbol& left = s.symbols[c.place];
      // The pair may be gone, or another one by now: a merge's rank names its pair.
      const piece_merge* m = merge_at(c.place, s);
      if (m == nullptr || m->rank != c.rank) continue;
      symbol& right = s.symbols[left.after];
      left.id = m->result;
      left.after = right.after;
      right.id = -1;
      if (left.after < n) s.symbols[left.after].before = c.place;
      if (left.before < n) consider(left.before, s);
      consider(c.place, s);
    }
    for (const symbol& piece : s.symbols) {
      if (piece.id >= 0) s.ids.push_back(piece.id);
    }
  }

  [[nodiscard]] const piece_merge* merge_at(std::size_t place, const state& s) const noexcept {
    const symbol& left = s.symbols[place];
    if (left.id < 0 || left.after >= s.symbols.size()) return nullptr;
    return vocabulary_.merge_of(left.id, s.symbols[left.after].id);
  }

  void consider(std::size_t place, state& s) const {
    if (const piece_merge* m = merge_at(place, s)) {
      s.heap.push_back({m->rank, place});
      std::push_heap(s.heap.begin(), s.heap.end());
    }
  }

  byte_vocabulary vocabulary_;
  std::vector<special> special_;
};

static_assert(text_tokenizer<byte_bpe>);

}  // namespace tombola::data
