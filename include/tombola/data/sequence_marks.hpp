#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tombola::data {

/// What stands around the sentences of an example: `first` a `separator`, or `first` a, `between`
/// separators, b, `separator`.
struct sequence_marks {
  std::int32_t first = 0;
  std::int32_t separator = 0;
  std::size_t between = 1;
  bool segments = true;  ///< whether the second sentence and its end are of segment 1, or all of 0

  friend bool operator==(const sequence_marks&, const sequence_marks&) = default;
};

/// What turns text into ids. Laws: append adds the ids of one text and changes none that was there;
/// the same text gives the same ids. Models: wordpiece, byte_bpe, tokenizer.
template <class T>
concept text_tokenizer = requires(const T& t,
                                  std::string_view text,
                                  std::vector<std::int32_t>& ids) {
  { t.marks() } -> std::same_as<sequence_marks>;
  t.append(text, ids);
};

}  // namespace tombola::data
