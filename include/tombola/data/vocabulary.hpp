#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/data/text.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::data {

namespace detail {

/// Strings to ids: open addressing over views, no allocation to look one up.
///
/// The strings belong to somebody else and must outlive the table.
class piece_table {
public:
  piece_table() = default;

  /// A table for at most n pieces. Memory: 24 bytes for each of 2n to 4n slots.
  explicit piece_table(std::size_t n) : slots_(std::bit_ceil(2 * n + 2)) {}

  /// The id of the piece, or -1.
  [[nodiscard]] std::int32_t find(std::string_view piece) const noexcept {
    for (std::size_t at = hash(piece);; ++at) {
      const slot& s = slots_[at & (slots_.size() - 1)];
      if (s.id < 0 || s.piece == piece) return s.id;
    }
  }

  /// Adds a piece that is not there yet; at most as many as the table was made for.
  void add(std::string_view piece, std::int32_t id) noexcept {
    std::size_t at = hash(piece);
    while (slots_[at & (slots_.size() - 1)].id >= 0) ++at;
    slots_[at & (slots_.size() - 1)] = {piece, id};
  }

private:
  struct slot {
    std::string_view piece;
    std::int32_t id = -1;
  };

  /// Eight bytes a step, mixed by multiplication; the upper half of a product is its better half.
  [[nodiscard]] static std::size_t hash(std::string_view s) noexcept {
    std::uint64_t h = 0x9E3779B97F4A7C15 ^ s.size();
    for (std::size_t i = 0; i < s.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, s.data() + i, s.size() - i < 8 ? s.size() - i : 8);
      h = (h ^ word) * 0xD6E8FEB86659FD93;
      h ^= h >> 32;
    }
    return static_cast<std::size_t>(h);
  }

  std::vector<slot> slots_ = std::vector<slot>(1);
};

}  // namespace detail

/// The pieces of a WordPiece vocabulary and their ids; line i of vocab.txt (from 0) has id i.
///
/// Pieces that begin a word and pieces that continue one (`##ing`) are looked up apart, so that
/// no lookup has to put `##` in front of anything. Copies share the text.
class vocabulary {
public:
  /// A vocabulary file is a megabyte at most; these caps stop anything absurd.
  static constexpr std::size_t longest_file = std::size_t{64} << 20;
  static constexpr std::size_t most_pieces = std::size_t{1} << 22;

  /// From the text of a vocab.txt; `file` is its name in messages.
  ///
  /// Throws format_error where it is empty or not UTF-8, at an empty line, where a piece stands
  /// twice, and where [PAD], [UNK], [CLS] or [SEP] is missing.
  [[nodiscard]] static vocabulary from_text(std::string text, const std::string& file) {
    vocabulary v;
    v.text_ = std::make_shared<const std::string>(std::move(text));
    // A cut inside a character must never match: see wordpiece.
    if (first_not_utf8(*v.text_) < v.text_->size()) throw format_error(file, "is not UTF-8");
    v.pieces_ = split_lines(*v.text_);
    if (v.pieces_.empty()) throw format_error(file, "is empty, expected one piece a line");
    if (v.pieces_.size() > most_pieces) {
      throw format_error(file, "has " + std::to_string(v.pieces_.size()) +
                                   " lines, expected at most " + std::to_string(most_pieces));
    }
    v.index(file);
    v.pad_ = v.require("[PAD]", file);
    v.unknown_ = v.require("[UNK]", file);
    v.first_ = v.require("[CLS]", file);
    v.separator_ = v.require("[SEP]", file);
    return v;
  }

  /// Reads a vocab.txt. Throws as from_text, and as read_utf8 where it cannot be read.
  [[nodiscard]] static vocabulary read(const std::filesystem::path& path) {
    return from_text(read_utf8(path, longest_file), path.string());
  }

  [[nodiscard]] std::size_t size() const noexcept { return pieces_.size(); }

  /// The piece with this id. Precondition: id < size().
  [[nodiscard]] std::string_view operator[](std::size_t id) const noexcept { return pieces_[id]; }

  /// Id of a whole entry as it stands in the file, `##` included, if it is there.
  [[nodiscard]] std::optional<std::int32_t> find(std::string_view piece) const noexcept {
    const bool inner = continues(piece);
    const std::int32_t id = inner ? continuations_.find(piece.substr(2)) : words_.find(piece);
    if (id < 0) return std::nullopt;
    return id;
  }

  /// Id of a piece at the beginning of a word, or -1.
  [[nodiscard]] std::int32_t find_first(std::string_view s) const noexcept {
    return words_.find(s);
  }
  /// Id of a piece inside a word, given without its `##`, or -1.
  [[nodiscard]] std::int32_t find_next(std::string_view s) const noexcept {
    return continuations_.find(s);
  }

  /// Bytes of the longest piece, without `##`: no longer string need be looked up.
  [[nodiscard]] std::size_t longest_piece() const noexcept { return longest_; }

  [[nodiscard]] std::int32_t pad() const noexcept { return pad_; }              ///< [PAD]
  [[nodiscard]] std::int32_t unknown() const noexcept { return unknown_; }      ///< [UNK]
  [[nodiscard]] std::int32_t first() const noexcept { return first_; }          ///< [CLS]
  [[nodiscard]] std::int32_t separator() const noexcept { return separator_; }  ///< [SEP]

  /// [MASK], which only masked language modelling needs. Throws input_error where it is missing.
  [[nodiscard]] std::int32_t mask() const {
    if (const auto id = find("[MASK]")) return *id;
    throw input_error("vocabulary: has no entry [MASK], which masked language modelling needs");
  }

private:
  vocabulary() = default;

  /// A lone `##` is a word: there is nothing for it to continue with.
  [[nodiscard]] static bool continues(std::string_view piece) noexcept {
    return piece.size() > 2 && piece.starts_with("##");
  }

  void index(const std::string& file) {
    words_ = detail::piece_table{pieces_.size()};
    continuations_ = detail::piece_table{pieces_.size()};
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      const std::string_view piece = pieces_[i];
      if (piece.empty()) {
        throw format_error(file, "line " + std::to_string(i + 1) + " is empty, expected a piece");
      }
      if (const auto before = find(piece)) {
        throw format_error(file, io::shown(piece) + " stands on lines " +
                                     std::to_string(*before + 1) + " and " + std::to_string(i + 1) +
                                     ", expected every piece once");
      }
      const bool inner = continues(piece);
      const std::string_view bare = inner ? piece.substr(2) : piece;
      (inner ? continuations_ : words_).add(bare, static_cast<std::int32_t>(i));
      if (bare.size() > longest_) longest_ = bare.size();
    }
  }

  [[nodiscard]] std::int32_t require(std::string_view piece, const std::string& file) const {
    if (const auto id = find(piece)) return *id;
    throw format_error(file, "has " + std::to_string(size()) + " pieces but no " +
                                 std::string{piece} + ", which a BERT vocabulary needs");
  }

  std::shared_ptr<const std::string> text_;  ///< what the views below point into
  std::vector<std::string_view> pieces_;
  detail::piece_table words_;
  detail::piece_table continuations_;
  std::size_t longest_ = 0;
  std::int32_t pad_ = 0;
  std::int32_t unknown_ = 0;
  std::int32_t first_ = 0;
  std::int32_t separator_ = 0;
};

}  // namespace tombola::data
