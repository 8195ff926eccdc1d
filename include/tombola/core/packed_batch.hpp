#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tombola/core/error.hpp"

namespace tombola {

/// Sequences laid end to end with offsets; no padding anywhere. On the host.
///
/// Whoever reads text makes it, whoever runs a model takes it.
/// T tokens of all sequences together, B sequences; sequence b owns tokens offsets[b] to
/// offsets[b + 1] - 1.
struct packed_batch {
  std::vector<std::int32_t> ids;          ///< [T] vocabulary entries
  std::vector<std::int32_t> segments;     ///< [T] 0 for the first sentence, 1 for the second
  std::vector<std::int32_t> positions;    ///< [T] place in the sequence, from 0
  std::vector<std::int32_t> offsets{0};   ///< [B + 1]
  std::vector<std::uint32_t> example;     ///< [B] position of the example in the shuffled epoch
  std::vector<std::int32_t> labels;       ///< [B] class of each sequence, or empty
  std::vector<float> targets;             ///< [B] value of each sequence, or empty
  std::vector<std::int32_t> masked_rows;  ///< [M] tokens to predict (masked LM), or empty
  std::vector<std::int32_t> masked_ids;   ///< [M] what stood there

  [[nodiscard]] std::size_t tokens() const noexcept { return ids.size(); }
  [[nodiscard]] std::size_t sequences() const noexcept { return offsets.size() - 1; }
  [[nodiscard]] std::size_t longest() const noexcept {
    std::int32_t n = 0;
    for (std::size_t b = 0; b < sequences(); ++b) n = std::max(n, offsets[b + 1] - offsets[b]);
    return static_cast<std::size_t>(n);
  }

  /// Pairs of tokens that see each other: the sum of n * n over sequences of n tokens.
  [[nodiscard]] std::size_t pairs() const noexcept {
    std::size_t sum = 0;
    for (std::size_t b = 0; b < sequences(); ++b) {
      const auto n = static_cast<std::size_t>(offsets[b + 1] - offsets[b]);
      sum += n * n;
    }
    return sum;
  }

  /// Appends one sequence. `place` is its position in the shuffled epoch.
  /// Throws shape_error if it is empty, if ids and segments differ in length, or if the batch would
  /// hold more tokens than offsets can say.
  void add(std::span<const std::int32_t> sequence_ids,
           std::span<const std::int32_t> sequence_segments,
           std::uint32_t place) {
    if (sequence_ids.empty() || sequence_ids.size() != sequence_segments.size()) {
      throw shape_error("packed_batch: a sequence of " + std::to_string(sequence_ids.size()) +
                        " ids and " + std::to_string(sequence_segments.size()) + " segments");
    }
    constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
    if (ids.size() + sequence_ids.size() > most) {
      throw shape_error("packed_batch: a sequence of " + std::to_string(sequence_ids.size()) +
                        " tokens after " + std::to_string(ids.size()) + ", expected at most " +
                        std::to_string(most) + " in all");
    }
    ids.insert(ids.end(), sequence_ids.begin(), sequence_ids.end());
    segments.insert(segments.end(), sequence_segments.begin(), sequence_segments.end());
    for (std::size_t i = 0; i < sequence_ids.size(); ++i) {
      positions.push_back(static_cast<std::int32_t>(i));
    }
    offsets.push_back(static_cast<std::int32_t>(ids.size()));
    example.push_back(place);
  }

  /// Forgets all sequences and keeps the memory.
  void clear() {
    ids.clear();
    segments.clear();
    positions.clear();
    offsets.assign(1, 0);
    example.clear();
    labels.clear();
    targets.clear();
    masked_rows.clear();
    masked_ids.clear();
  }
};

}  // namespace tombola
