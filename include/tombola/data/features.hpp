#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/data/glue.hpp"
#include "tombola/data/sequence_marks.hpp"
#include "tombola/io/sha256.hpp"

namespace tombola::data {

/// How many tokens of each sentence of a pair stay.
struct kept_lengths {
  std::size_t first;
  std::size_t second;
};

/// Cuts a pair to `room` tokens, longest first: as often as needed the longer sentence loses its
/// last token, the second one when both are equal.
///
/// Source: transformers 2.5.1 (spec 13); today's tokenizers leave the odd token
/// to the other one.
[[nodiscard]] constexpr kept_lengths truncate_pair(std::size_t first,
                                                   std::size_t second,
                                                   std::size_t room) noexcept {
  if (first + second <= room) return {first, second};
  // The second keeps half, rounded down, unless one of them is shorter than its half.
  const std::size_t half = room / 2;
  if (second <= half) return {room - second, second};
  if (first <= room - half) return {first, room - first};
  return {room - half, half};
}

/// What a set knows about each example beside its text.
enum class answer : std::uint8_t {
  none,   ///< nothing: text alone, for pretraining
  label,  ///< a class
  value,  ///< a number
};

/// One example as the model sees it: [CLS] a [SEP], or [CLS] a [SEP] b [SEP], or what the
/// tokenizer's marks make of it. Views into a set.
struct encoded {
  std::span<const std::int32_t> ids;       ///< [n] vocabulary entries
  std::span<const std::int32_t> segments;  ///< [n] 0 up to the first [SEP], 1 after it if so marked
  std::int32_t label;                      ///< class; 0 where the set has none
  float target;                            ///< value; 0 where the set has none
};

/// Examples as ids, end to end. N examples, T tokens of all of them together.
///
/// Memory: 8 bytes a token and 16 an example.
class encoded_set {
public:
  /// The fewest tokens that a pair can be cut to: one beside [CLS] and two [SEP].
  static constexpr std::size_t shortest_max_length = 4;

  /// Nothing yet; examples are cut to max_length tokens, [CLS] and [SEP] included.
  /// Throws input_error where max_length is below shortest_max_length.
  explicit encoded_set(std::size_t max_length, answer kind = answer::label)
      : max_length_{max_length}, kind_{kind} {
    require_length(shortest_max_length);
  }

  /// Appends a single sentence. Throws input_error past 2^31 - 1 tokens in all.
  void add(const text_tokenizer auto& tokenizer,
           std::string_view a,
           std::int32_t label = 0,
           float target = 0) {
    const sequence_marks marks = tokenizer.marks();
    const std::size_t begin = ids_.size();
    ids_.push_back(marks.first);
    tokenizer.append(a, ids_);
    const std::size_t room = max_length_ - 2, found = ids_.size() - begin - 1;
    if (found > room) cut(begin + 1 + room);
    ids_.push_back(marks.separator);
    segments_.resize(ids_.size(), 0);
    finish(label, target);
  }

  /// Appends a pair, cut longest first. Throws as above, and input_error where max_length leaves no
  /// room beside the tokenizer's marks.
  void add(const text_tokenizer auto& tokenizer,
           std::string_view a,
           std::string_view b,
           std::int32_t label = 0,
           float target = 0) {
    const sequence_marks marks = tokenizer.marks();
    require_length(marks.between + 3);
    const std::size_t begin = ids_.size();
    ids_.push_back(marks.first);
    tokenizer.append(a, ids_);
    const std::size_t middle = ids_.size();
    tokenizer.append(b, ids_);
    const std::size_t found_a = middle - begin - 1, found_b = ids_.size() - middle;
    const auto [kept_a, kept_b] = truncate_pair(found_a, found_b, max_length_ - marks.between - 2);
    if (kept_a + kept_b < found_a + found_b) cut(middle + kept_b);
    const auto at = [this](std::size_t i) { return ids_.begin() + static_cast<std::ptrdiff_t>(i); };
    ids_.erase(at(begin + 1 + kept_a), at(middle));
    ids_.insert(at(begin + 1 + kept_a), marks.between, marks.separator);
    ids_.push_back(marks.separator);
    segments_.resize(begin + 1 + kept_a + marks.between, 0);
    segments_.resize(ids_.size(), marks.segments ? 1 : 0);
    finish(label, target);
  }

  [[nodiscard]] std::size_t size() const noexcept { return labels_.size(); }
  [[nodiscard]] std::size_t tokens() const noexcept { return ids_.size(); }
  [[nodiscard]] std::size_t max_length() const noexcept { return max_length_; }
  [[nodiscard]] answer kind() const noexcept { return kind_; }
  /// Examples that lost tokens because they were too long.
  [[nodiscard]] std::size_t truncated() const noexcept { return truncated_; }

  /// Example i. Precondition: i < size(). Valid until the next add().
  [[nodiscard]] encoded operator[](std::size_t i) const noexcept {
    const std::size_t begin = offsets_[i], n = offsets_[i + 1] - begin;
    return {std::span{ids_}.subspan(begin, n), std::span{segments_}.subspan(begin, n), labels_[i],
            targets_[i]};
  }

  [[nodiscard]] std::span<const std::int32_t> labels() const noexcept { return labels_; }
  [[nodiscard]] std::span<const float> targets() const noexcept { return targets_; }

  /// Tokens of the longest example, 0 where there is none.
  [[nodiscard]] std::size_t longest() const noexcept {
    std::size_t n = 0;
    for (std::size_t i = 0; i < size(); ++i) n = std::max(n, offsets_[i + 1] - offsets_[i]);
    return n;
  }

  /// SHA-256 of everything a model can see of the set, as 64 hexadecimal digits: for every example
  /// in order its length, ids, segments, label and the bits of its target, as little-endian int32.
  [[nodiscard]] std::string fingerprint() const {
    io::sha256 sum;
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < size(); ++i) {
      const encoded e = (*this)[i];
      bytes.clear();
      append_word(bytes, static_cast<std::int32_t>(e.ids.size()));
      for (const std::int32_t id : e.ids) append_word(bytes, id);
      for (const std::int32_t s : e.segments) append_word(bytes, s);
      append_word(bytes, e.label);
      append_word(bytes, std::bit_cast<std::int32_t>(e.target));
      sum.update(bytes);
    }
    return sum.hex();
  }

private:
  static void append_word(std::vector<std::byte>& bytes, std::int32_t value) {
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<std::byte>(static_cast<std::uint32_t>(value) >> shift & 0xFF));
    }
  }

  void require_length(std::size_t least) const {
    if (max_length_ < least) {
      throw input_error("maximal length of a sequence: found " + std::to_string(max_length_) +
                        " tokens, expected at least " + std::to_string(least));
    }
  }

  void cut(std::size_t end) {
    ids_.resize(end);
    ++truncated_;
  }

  void finish(std::int32_t label, float target) {
    if (ids_.size() > std::size_t{std::numeric_limits<std::int32_t>::max()}) {
      throw input_error("encoded examples: more than 2147483647 tokens, draw fewer rows");
    }
    offsets_.push_back(ids_.size());
    labels_.push_back(label);
    targets_.push_back(target);
  }

  std::size_t max_length_;
  answer kind_;
  std::size_t truncated_ = 0;
  std::vector<std::int32_t> ids_;        ///< [T]
  std::vector<std::int32_t> segments_;   ///< [T]
  std::vector<std::size_t> offsets_{0};  ///< [N + 1]
  std::vector<std::int32_t> labels_;     ///< [N]
  std::vector<float> targets_;           ///< [N]
};

/// Encodes examples of one task, in order.
/// Throws input_error as encoded_set does.
[[nodiscard]] inline encoded_set encode_examples(const task_description& task,
                                                 std::span<const example> examples,
                                                 const text_tokenizer auto& tokenizer,
                                                 std::size_t max_length) {
  encoded_set set{max_length, task.is_regression() ? answer::value : answer::label};
  for (const example& e : examples) {
    if (task.is_pair()) {
      set.add(tokenizer, e.a, e.b, e.label, e.target);
    } else {
      set.add(tokenizer, e.a, e.label, e.target);
    }
  }
  return set;
}

}  // namespace tombola::data
