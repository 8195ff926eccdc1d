#pragma once

// Heavy to include: parses JSON.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"
#include "tombola/data/text.hpp"
#include "tombola/data/vocabulary.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::data {

/// The character that stands for a byte in vocab.json and merges.txt: itself where it is visible in
/// Latin-1, else the next free one from U+0100 on, so that every byte is a character and no blank.
/// Source: encoder.py of openai/gpt-2, 2019.
[[nodiscard]] constexpr std::array<std::int32_t, 256> byte_characters() noexcept {
  std::array<std::int32_t, 256> characters{};
  std::int32_t next = 256;
  for (std::int32_t b = 0; b < 256; ++b) {
    const bool visible = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    characters[static_cast<std::size_t>(b)] = visible ? b : next++;
  }
  return characters;
}

/// A pair of pieces that becomes one: the lower the rank, the sooner.
struct piece_merge {
  std::int32_t left, right;
  std::int32_t rank;    ///< line of merges.txt
  std::int32_t result;  ///< id of the piece that both are together
};

/// The pieces of a byte-level BPE vocabulary and the merges that make them.
///
/// Pieces are spelled in byte_characters(). Copies share the text.
class byte_vocabulary {
public:
  /// The files of public models have about a megabyte; these caps stop anything absurd.
  static constexpr std::size_t longest_file = std::size_t{16} << 20;
  static constexpr std::size_t most_pieces = std::size_t{1} << 22;

  /// From the texts of a vocab.json (piece to id) and a merges.txt (two pieces a line, the soonest
  /// first, after a line that begins with `#version` or none); the files are their names in
  /// messages.
  ///
  /// Throws format_error, naming file and line or piece, unless the ids are 0 to n - 1, once each;
  /// every byte has a piece, and <s>, <pad>, </s> and <unk> are there; each merge stands once and
  /// joins two pieces to a third.
  [[nodiscard]] static byte_vocabulary from_text(std::string_view vocabulary,
                                                 std::string_view merges,
                                                 const std::string& vocabulary_file,
                                                 const std::string& merges_file) {
    byte_vocabulary v;
    v.read_pieces(io::parse_json(vocabulary, vocabulary_file), vocabulary_file);
    v.read_merges(merges, merges_file);
    return v;
  }

  /// Reads vocab.json and merges.txt of a folder. Throws as from_text, and as read_utf8 where one
  /// of them cannot be read.
  [[nodiscard]] static byte_vocabulary read(const std::filesystem::path& folder) {
    const std::filesystem::path pieces = folder / "vocab.json", merges = folder / "merges.txt";
    const std::string first = read_utf8(pieces, longest_file);
    const std::string second = read_utf8(merges, longest_file);
    return from_text(first, second, pieces.string(), merges.string());
  }

  [[nodiscard]] std::size_t size() const noexcept { return pieces_->size(); }

  /// The piece with this id. Precondition: id < size().
  [[nodiscard]] std::string_view operator[](std::size_t id) const noexcept {
    return (*pieces_)[id];
  }

  /// Id of a piece as it stands in the file, if it is there.
  [[nodiscard]] std::optional<std::int32_t> find(std::string_view piece) const noexcept {
    const std::int32_t id = ids_.find(piece);
    if (id < 0) return std::nullopt;
    return id;
  }

  /// Id of the piece of one byte.
  [[nodiscard]] std::int32_t of_byte(unsigned char b) const noexcept { return bytes_[b]; }

  /// The merge of two pieces, or null. Cost: a search among the merges of the left one.
  [[nodiscard]] const piece_merge* merge_of(std::int32_t left, std::int32_t right) const noexcept {
    const auto at = [this](std::size_t i) {
      return merges_.begin() + static_cast<std::ptrdiff_t>(i);
    };
    const auto l = static_cast<std::size_t>(left);
    const auto end = at(begins_[l + 1]);
    const auto found =
        std::lower_bound(at(begins_[l]), end, right,
                         [](const piece_merge& m, std::int32_t r) { return m.right < r; });
    return found != end && found->right == right ? &*found : nullptr;
  }

  [[nodiscard]] std::int32_t first() const noexcept { return first_; }          ///< <s>
  [[nodiscard]] std::int32_t pad() const noexcept { return pad_; }              ///< <pad>
  [[nodiscard]] std::int32_t separator() const noexcept { return separator_; }  ///< </s>
  [[nodiscard]] std::int32_t unknown() const noexcept { return unknown_; }      ///< <unk>

  /// <mask>, which only masked language modelling needs. Throws input_error where it is missing.
  [[nodiscard]] std::int32_t mask() const {
    if (const auto id = find("<mask>")) return *id;
    throw input_error("vocabulary: has no entry <mask>, which masked language modelling needs");
  }

private:
  byte_vocabulary() = default;

  void read_pieces(const nlohmann::json& j, const std::string& file) {
    if (!j.is_object()) {
      throw format_error(file, "holds " + io::shown_value(j) + ", expected pieces and their ids");
    }
    if (j.size() > most_pieces) {
      throw format_error(file, "has " + std::to_string(j.size()) + " pieces, expected at most " +
                                   std::to_string(most_pieces));
    }
    std::vector<std::string> pieces(j.size());
    std::vector<bool> seen(j.size());
    for (const auto& [piece, value] : j.items()) {
      const bool whole = value.is_number_unsigned() && value.get<std::uint64_t>() < j.size();
      if (!whole || seen[value.get<std::size_t>()]) {
        throw format_error(file, "piece " + io::shown(piece) + " has the id " +
                                     io::shown_value(value) + ", expected 0 to " +
                                     std::to_string(j.size() - 1) + ", each once");
      }
      seen[value.get<std::size_t>()] = true;
      pieces[value.get<std::size_t>()] = piece;
    }
    pieces_ = std::make_shared<const std::vector<std::string>>(std::move(pieces));
    ids_ = detail::piece_table{pieces_->size()};
    for (std::size_t i = 0; i < pieces_->size(); ++i) {
      ids_.add((*pieces_)[i], static_cast<std::int32_t>(i));
    }
    first_ = require("<s>", file);
    pad_ = require("<pad>", file);
    separator_ = require("</s>", file);
    unknown_ = require("<unk>", file);
    constexpr auto characters = byte_characters();
    for (std::size_t b = 0; b < characters.size(); ++b) {
      std::array<utf8proc_uint8_t, 4> encoded{};
      const auto n = utf8proc_encode_char(characters[b], encoded.data());
      const auto id = find(std::string(encoded.begin(), encoded.begin() + n));
      if (!id) {
        throw format_error(file, "has no piece for the byte " + std::to_string(b) +
                                     ", expected one for each of 0 to 255");
      }
      bytes_[b] = *id;
    }
  }

  [[nodiscard]] std::int32_t require(std::string_view piece, const std::string& file) const {
    if (const auto id = find(piece)) return *id;
    throw format_error(file, "has " + std::to_string(size()) + " pieces but no " +
                                 std::string{piece} + ", which a RoBERTa vocabulary needs");
  }

  void read_merges(std::string_view text, const std::string& file) {
    const std::vector<std::string_view> lines = split_lines(text);
    std::string joined;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i == 0 && lines[i].starts_with("#version")) continue;
      const auto refuse = [&](const std::string& what) {
        throw format_error(
            file, "line " + std::to_string(i + 1) + ": found " + io::shown(lines[i]) + ", " + what);
      };
      const std::size_t blank = lines[i].find(' ');
      if (blank == std::string_view::npos || blank == 0 || blank + 1 == lines[i].size() ||
          lines[i].find(' ', blank + 1) != std::string_view::npos) {
        refuse("expected two pieces and a blank between them");
      }
      joined.assign(lines[i]).erase(blank, 1);
      const std::int32_t left = ids_.find(lines[i].substr(0, blank));
      const std::int32_t right = ids_.find(lines[i].substr(blank + 1));
      const std::int32_t result = ids_.find(joined);
      if (left < 0 || right < 0 || result < 0) {
        refuse("expected both pieces and what they join to in the vocabulary");
      }
      merges_.push_back({left, right, static_cast<std::int32_t>(i), result});
    }
    const auto before = [](const piece_merge& a, const piece_merge& b) {
      return std::pair{a.left, a.right} < std::pair{b.left, b.right};
    };
    std::stable_sort(merges_.begin(), merges_.end(), before);
    begins_.assign(size() + 1, 0);
    for (std::size_t i = 0; i < merges_.size(); ++i) {
      if (i > 0 && !before(merges_[i - 1], merges_[i])) {
        const auto second = static_cast<std::size_t>(merges_[i].rank);
        throw format_error(file, "line " + std::to_string(second + 1) + ": found " +
                                     io::shown(lines[second]) + " a second time");
      }
      begins_[static_cast<std::size_t>(merges_[i].left) + 1] = i + 1;
    }
    for (std::size_t l = 1; l < begins_.size(); ++l) {
      begins_[l] = std::max(begins_[l], begins_[l - 1]);
    }
  }

  std::shared_ptr<const std::vector<std::string>> pieces_;  ///< what ids_ points into
  detail::piece_table ids_;
  std::array<std::int32_t, 256> bytes_{};
  std::vector<piece_merge> merges_;  ///< by left, then right
  std::vector<std::size_t> begins_;  ///< [size() + 1] where a left piece's merges begin
  std::int32_t first_ = 0, pad_ = 0, separator_ = 0, unknown_ = 0;
};

}  // namespace tombola::data
