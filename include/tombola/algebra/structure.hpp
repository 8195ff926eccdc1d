#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"

namespace tombola {

/// A fine-grained pattern: at most `kept` units of every `of` neighbours in a row, such as 2 of 4.
/// Source: A. Mishra et al., "Accelerating sparse deep neural networks", arXiv 2104.08378, 2021.
struct n_of_m {
  std::size_t kept = 2;
  std::size_t of = 4;
};

/// Where the kept units of a group lie.
///
/// Rows go along the first extent, columns along all others together: a neuron of a linear layer or
/// a filter of a convolution is a row. Groups of fewer than two extents, or of no unit, have
/// neither.
struct structure {
  std::uint64_t kept = 0;
  std::uint64_t size = 0;
  std::optional<std::uint64_t> empty_rows;
  std::optional<std::uint64_t> empty_columns;  ///< not counted past max_counted_columns
  /// Blocks of the pattern, and those that keep to it; nothing where rows along the last extent are
  /// no multiple of a block, as no such pattern exists there.
  std::optional<std::uint64_t> blocks;
  std::optional<std::uint64_t> fitting_blocks;
};

/// Columns that are told apart: 2^26 of them take 8 MiB.
inline constexpr std::uint64_t max_counted_columns = std::uint64_t{1} << 26;

/// Counts the structure of a group from its bits, in row-major order and in pieces of any length.
///
/// Several counters may take a share of whole rows each and be merged. Memory: a bit per column.
class structure_counter {
public:
  /// Throws input_error, naming the group, for a pattern of no unit or one that keeps more than
  /// there are.
  structure_counter(const group& g, n_of_m pattern) : pattern_{pattern} {
    if (pattern.of == 0 || pattern.kept > pattern.of) {
      throw input_error("structure of " + to_string(g) + ": " + std::to_string(pattern.kept) +
                        " of every " + std::to_string(pattern.of) +
                        " units, expected N of every M with N from 0 to M, and M at least 1");
    }
    has_rows_ = g.extents.size() >= 2;
    length_ = g.size();
    if (has_rows_) {
      length_ = 1;
      for (const std::size_t e : std::span{g.extents}.subspan(1)) length_ *= e;
    }
    const std::size_t last = g.extents.empty() ? 1 : g.extents.back();
    has_blocks_ = last % pattern.of == 0;
    counts_columns_ = has_rows_ && length_ <= max_counted_columns;
  }

  /// The next `units` units. Precondition: bits past them are not looked at, words are as many as
  /// units take. The first call begins at a row.
  void add(std::span<const std::uint64_t> words, std::size_t units) {
    make_columns();
    for (std::size_t w = 0; w < words.size(); ++w) {
      const std::size_t n = std::min(bits_per_word, units - w * bits_per_word);
      add_word(words[w], n);
    }
  }

  /// Takes up what another counter of the same group has counted of other rows. Precondition: both
  /// stand at the end of a row.
  void merge(const structure_counter& other) {
    kept_ += other.kept_, size_ += other.size_, empty_rows_ += other.empty_rows_;
    blocks_ += other.blocks_, fitting_ += other.fitting_;
    if (!other.columns_.empty()) make_columns();
    for (std::size_t w = 0; w < other.columns_.size(); ++w) columns_[w] |= other.columns_[w];
  }

  [[nodiscard]] structure result() const {
    structure s{kept_, size_, {}, {}, {}, {}};
    if (has_rows_ && size_ > 0) s.empty_rows = empty_rows_;
    if (counts_columns_ && size_ > 0) {
      std::uint64_t used = 0;
      for (const std::uint64_t w : columns_) used += static_cast<std::uint64_t>(std::popcount(w));
      s.empty_columns = length_ - used;
    }
    if (has_blocks_) s.blocks = blocks_, s.fitting_blocks = fitting_;
    return s;
  }

private:
  /// When the first unit comes: groups without one cost nothing, whatever their extents.
  void make_columns() {
    if (counts_columns_ && columns_.empty()) {
      columns_.resize(words_for(static_cast<std::size_t>(length_)));
    }
  }

  void add_word(std::uint64_t bits, std::size_t n) {
    if (n < bits_per_word) bits &= (std::uint64_t{1} << n) - 1;
    kept_ += static_cast<std::uint64_t>(std::popcount(bits));
    size_ += n;
    if (has_blocks_) add_to_blocks(bits, n);
    if (has_rows_) add_to_rows(bits, n);
  }

  /// Bits [0, n) in runs that end where `length` does. f(run of bits, units) after `at` has moved.
  template <class Position, class F>
  static void in_runs(std::uint64_t bits, std::size_t n, std::uint64_t length, Position& at, F f) {
    while (n > 0) {
      const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(n, length - at));
      const std::uint64_t run =
          take == bits_per_word ? bits : bits & ((std::uint64_t{1} << take) - 1);
      f(run, take);
      n -= take;
      bits = take == bits_per_word ? 0 : bits >> take;
    }
  }

  void add_to_blocks(std::uint64_t bits, std::size_t n) {
    in_runs(bits, n, pattern_.of, in_block_, [this](std::uint64_t run, std::size_t take) {
      block_kept_ += static_cast<std::size_t>(std::popcount(run));
      in_block_ += take;
      if (in_block_ < pattern_.of) return;
      ++blocks_;
      fitting_ += block_kept_ <= pattern_.kept ? 1U : 0U;
      in_block_ = 0, block_kept_ = 0;
    });
  }

  void add_to_rows(std::uint64_t bits, std::size_t n) {
    in_runs(bits, n, length_, column_, [this](std::uint64_t run, std::size_t take) {
      row_is_used_ = row_is_used_ || run != 0;
      if (counts_columns_ && run != 0) {
        const auto word = static_cast<std::size_t>(column_ / bits_per_word);
        const std::size_t shift = column_ % bits_per_word;
        columns_[word] |= run << shift;
        if (shift + take > bits_per_word) columns_[word + 1] |= run >> (bits_per_word - shift);
      }
      column_ += take;
      if (column_ < length_) return;
      empty_rows_ += row_is_used_ ? 0U : 1U;
      column_ = 0, row_is_used_ = false;
    });
  }

  n_of_m pattern_;
  bool has_rows_ = false, has_blocks_ = false, counts_columns_ = false;
  std::uint64_t length_ = 0;  ///< of a row
  std::uint64_t kept_ = 0, size_ = 0, empty_rows_ = 0, blocks_ = 0, fitting_ = 0;
  std::uint64_t column_ = 0;
  bool row_is_used_ = false;
  std::size_t in_block_ = 0, block_kept_ = 0;
  std::vector<std::uint64_t> columns_;
};

/// The structure of a group's mask. Throws shape_error if the mask has another number of units,
/// else as structure_counter does.
[[nodiscard]] inline structure structure_of(const group& g, const mask& m, n_of_m pattern = {}) {
  if (m.size() != g.size()) {
    throw shape_error("structure of " + to_string(g) + ": a mask over " + std::to_string(m.size()) +
                      " units, expected " + std::to_string(g.size()));
  }
  structure_counter c{g, pattern};
  c.add(m.words(), m.size());
  return c.result();
}

}  // namespace tombola
