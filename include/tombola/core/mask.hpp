#pragma once

#include <algorithm>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tombola/core/detail/count_bits.hpp"
#include "tombola/core/error.hpp"

namespace tombola {

/// Bits in one word of a mask, everywhere: in memory, in views and in ticket files.
inline constexpr std::size_t bits_per_word = 64;

/// Words that hold n bits: ceil(n / 64).
[[nodiscard]] constexpr std::size_t words_for(std::size_t n) noexcept {
  return n / bits_per_word + (n % bits_per_word != 0 ? 1 : 0);
}

/// The bits of the last word that stand for units, when a mask has n of them; all ones for n = 0.
[[nodiscard]] constexpr std::uint64_t tail_bits(std::size_t n) noexcept {
  return n % bits_per_word == 0 ? ~std::uint64_t{0} : (std::uint64_t{1} << (n % bits_per_word)) - 1;
}

/// What the algebra asks of a mask: a number of units and their bits, 64 to a word.
///
/// What the compiler cannot check: unit i is bit i % 64 of word i / 64 and 1 means kept; there are
/// words_for(size()) words; the bits past size() are 0, so that counting bits counts units.
/// A read-only view of a mask file models this as well as the owning mask below.
template <class M>
concept unit_set = requires(const M& m) {
  { m.size() } -> std::same_as<std::size_t>;
  { m.words() } -> std::convertible_to<std::span<const std::uint64_t>>;
};

/// Which units of one group survive pruning: a subset of {0, ..., n-1}.
///
/// Shape:   (n). Groups of more axes are flattened row-major: head h of layer l is unit l * H + h.
/// Memory:  8 * ceil(n / 64) bytes; the 84,934,656 encoder weights of BERT-base take 10.6 MB.
/// Threads: any number of concurrent readers, or one writer; writers of different words may run
///          side by side.
/// No public call whose precondition holds can set a bit past size().
class mask {
public:
  /// A group of n units, all pruned.
  explicit mask(std::size_t n = 0) : size_{n}, words_(words_for(n)) {}

  mask(const mask&) = default;
  mask& operator=(const mask&) = default;
  ~mask() = default;
  /// A mask moved from has no units left: size and words go together.
  mask(mask&& m) noexcept : size_{std::exchange(m.size_, 0)}, words_{std::exchange(m.words_, {})} {}
  mask& operator=(mask&& m) noexcept {
    size_ = std::exchange(m.size_, 0);
    words_ = std::exchange(m.words_, {});
    return *this;
  }

  /// A group of n units, all kept.
  [[nodiscard]] static mask all_kept(std::size_t n) {
    mask m{n};
    std::fill(m.words_.begin(), m.words_.end(), ~std::uint64_t{0});
    m.clear_tail();
    return m;
  }

  /// Takes packed words. Throws shape_error if their number is not words_for(n), or if a bit past
  /// n is set: the words would then be somebody else's.
  [[nodiscard]] static mask from_words(std::size_t n, std::vector<std::uint64_t> words) {
    if (words.size() != words_for(n)) {
      throw shape_error("mask over " + std::to_string(n) + " units takes " +
                        std::to_string(words_for(n)) + " words, not " +
                        std::to_string(words.size()));
    }
    if (!words.empty() && (words.back() & ~tail_bits(n)) != 0) {
      throw shape_error("mask over " + std::to_string(n) + " units has bits set past its end");
    }
    mask m;
    m.size_ = n;
    m.words_ = std::move(words);
    return m;
  }

  /// One unit per value: kept where the value is not zero (false, 0, 0.0).
  template <class Range>
  [[nodiscard]] static mask from_values(const Range& values) {
    mask m{static_cast<std::size_t>(std::size(values))};
    std::size_t i = 0;
    for (const auto& value : values) {
      if (value != std::remove_cvref_t<decltype(value)>{}) m.set(i);
      ++i;
    }
    return m;
  }

  /// Number of units in the group, kept or not.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<const std::uint64_t> words() const noexcept { return words_; }

  /// Number of units kept. Cost: one pass over the words.
  [[nodiscard]] std::size_t count() const noexcept {
    return static_cast<std::size_t>(detail::fastest_bits().count(words_.data(), words_.size()));
  }

  /// Whether unit i is kept. Precondition: i < size().
  [[nodiscard]] bool operator[](std::size_t i) const noexcept {
    assert(i < size_);
    return (words_[i / bits_per_word] >> (i % bits_per_word) & 1U) != 0;
  }

  /// Keeps unit i, or prunes it. Precondition: i < size().
  void set(std::size_t i, bool kept = true) noexcept {
    assert(i < size_);
    const std::uint64_t bit = std::uint64_t{1} << (i % bits_per_word);
    std::uint64_t& word = words_[i / bits_per_word];
    word = kept ? word | bit : word & ~bit;
  }

  /// Sets 64 units at once; bits past size() are dropped. Precondition: w < words_for(size()).
  void set_word(std::size_t w, std::uint64_t bits) noexcept {
    assert(w < words_.size());
    words_[w] = w + 1 == words_.size() ? bits & tail_bits(size_) : bits;
  }

  /// In place, word by word, with a mask or a view: union, intersection, symmetric difference, and
  /// set difference, which prunes what b keeps. b may be this mask itself.
  ///
  /// Throw shape_error if the sizes differ, and change nothing then. Nothing is allocated. By
  /// value: `|`, `&`, `^` and `-` in algebra/sets.hpp.
  template <unit_set B>
  mask& operator|=(const B& b) {
    return combine(b, [](auto x, auto y) { return x | y; });
  }
  template <unit_set B>
  mask& operator&=(const B& b) {
    return combine(b, [](auto x, auto y) { return x & y; });
  }
  template <unit_set B>
  mask& operator^=(const B& b) {
    return combine(b, [](auto x, auto y) { return x ^ y; });
  }
  template <unit_set B>
  mask& operator-=(const B& b) {
    return combine(b, [](auto x, auto y) { return x & ~y; });
  }

  /// Kept becomes pruned and the other way round.
  void flip() noexcept {
    for (std::uint64_t& w : words_) w = ~w;
    clear_tail();
  }

  friend bool operator==(const mask&, const mask&) = default;

private:
  void clear_tail() noexcept {
    if (!words_.empty()) words_.back() &= tail_bits(size_);
  }

  template <unit_set B, class F>
  mask& combine(const B& b, F f) {
    if (size_ != b.size()) {
      throw shape_error("masks over " + std::to_string(size_) + " and " + std::to_string(b.size()) +
                        " units");
    }
    const std::span<const std::uint64_t> words = b.words();
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] = f(words_[i], words[i]);
    clear_tail();  // should somebody's own unit_set have bits past its end
    return *this;
  }

  std::size_t size_ = 0;
  std::vector<std::uint64_t> words_;
};

/// A mask that somebody else owns, such as the packed bits of a mapped ticket file.
///
/// Throws shape_error at construction if the words do not fit n or a bit past n is set.
class mask_view {
public:
  mask_view(std::size_t n, std::span<const std::uint64_t> words) : size_{n}, words_{words} {
    if (words.size() != words_for(n)) {
      throw shape_error("mask over " + std::to_string(n) + " units takes " +
                        std::to_string(words_for(n)) + " words, not " +
                        std::to_string(words.size()));
    }
    if (!words.empty() && (words.back() & ~tail_bits(n)) != 0) {
      throw shape_error("mask over " + std::to_string(n) + " units has bits set past its end");
    }
  }
  mask_view(const mask& m) noexcept : size_{m.size()}, words_{m.words()} {}  // NOLINT: a view

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<const std::uint64_t> words() const noexcept { return words_; }
  [[nodiscard]] bool operator[](std::size_t i) const noexcept {
    assert(i < size_);
    return (words_[i / bits_per_word] >> (i % bits_per_word) & 1U) != 0;
  }

  /// A mask of its own with the same bits.
  [[nodiscard]] mask copy() const {
    return mask::from_words(size_, {words_.begin(), words_.end()});
  }

private:
  std::size_t size_;
  std::span<const std::uint64_t> words_;
};

static_assert(unit_set<mask>);
static_assert(unit_set<mask_view>);

}  // namespace tombola
