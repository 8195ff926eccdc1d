#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/packed_batch.hpp"
#include "tombola/core/random.hpp"
#include "tombola/data/features.hpp"

namespace tombola::data {

/// Order of n examples in one epoch of training: a function of n, seed and epoch alone.
[[nodiscard]] inline std::vector<std::size_t> epoch_order(std::size_t n,
                                                          std::uint64_t seed,
                                                          std::uint32_t epoch) {
  return permutation(n, random_stream{seed, purpose::shuffle, epoch});
}

/// Order of n examples in evaluation: as they come.
[[nodiscard]] inline std::vector<std::size_t> file_order(std::size_t n) {
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  return order;
}

/// `count` of n rows drawn by seed without repetition, in the order of the file. draw: those of one
/// seed know nothing of each other. Throws input_error where there are fewer than `count`.
[[nodiscard]] inline std::vector<std::size_t> random_subset(std::size_t n,
                                                            std::size_t count,
                                                            std::uint64_t seed,
                                                            std::uint32_t draw = 0) {
  if (count > n) {
    throw input_error("cannot draw " + std::to_string(count) + " rows from " + std::to_string(n));
  }
  std::vector<std::size_t> rows = permutation(n, random_stream{seed, purpose::subset, draw});
  rows.resize(count);
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// The elements of a list at some places. Precondition: every place is below all.size().
template <class T>
[[nodiscard]] std::vector<T> pick(std::span<const T> all, std::span<const std::size_t> places) {
  std::vector<T> picked;
  picked.reserve(places.size());
  for (const std::size_t i : places) picked.push_back(all[i]);
  return picked;
}

/// Number of batches of at most batch_size examples that n examples make; the last may be smaller.
/// Throws input_error where batch_size is 0.
[[nodiscard]] inline std::size_t batch_count(std::size_t n, std::size_t batch_size) {
  if (batch_size == 0) throw input_error("batch size: found 0, expected at least 1");
  return n / batch_size + (n % batch_size != 0 ? 1 : 0);
}

/// Packs the examples at places first to first + count - 1 of an order into a batch.
///
/// What was in the batch is replaced, its memory is used again. Each sequence's `example` is its
/// place in the order. Labels or targets are filled as the set has them.
/// Throws shape_error where the range leaves the order or the order the set.
inline void fill_batch(const encoded_set& set,
                       std::span<const std::size_t> order,
                       std::size_t first,
                       std::size_t count,
                       packed_batch& batch) {
  if (first > order.size() || count > order.size() - first) {
    throw shape_error("batch: " + std::to_string(count) + " examples from place " +
                      std::to_string(first) + " of an order of " + std::to_string(order.size()));
  }
  if (order.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw shape_error("batch: an order of " + std::to_string(order.size()) +
                      " examples, expected fewer than 2^32");
  }
  batch.clear();
  for (std::size_t place = first; place < first + count; ++place) {
    if (order[place] >= set.size()) {
      throw shape_error("batch: example " + std::to_string(order[place]) + " of a set of " +
                        std::to_string(set.size()));
    }
    const encoded e = set[order[place]];
    batch.add(e.ids, e.segments, static_cast<std::uint32_t>(place));
    if (set.kind() == answer::label) batch.labels.push_back(e.label);
    if (set.kind() == answer::value) batch.targets.push_back(e.target);
  }
}

}  // namespace tombola::data
