#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/core/packed_batch.hpp"
#include "tombola/nn/config.hpp"

namespace tombola::nn {

/// The largest batch of a run, for which memory is planned once.
struct batch_limits {
  std::size_t tokens = 0;     ///< T
  std::size_t sequences = 0;  ///< B
  std::size_t masked = 0;     ///< tokens to predict, for the masked LM
};

/// The largest of these batches, for which a workspace is planned.
[[nodiscard]] inline batch_limits limits_of(std::span<const packed_batch> batches) {
  batch_limits most;
  for (const packed_batch& b : batches) {
    most.tokens = std::max(most.tokens, b.tokens());
    most.sequences = std::max(most.sequences, b.sequences());
    most.masked = std::max(most.masked, b.masked_rows.size());
  }
  return most;
}

/// A packed batch in a backend's memory, with what dropout and the heads need beside it.
template <backend B>
class device_batch {
public:
  device_batch(B& b, const batch_limits& most)
      : backend_{&b},
        most_{most},
        integers_{b.template allocate<std::int32_t>(3 * most.tokens + 3 * most.sequences + 1 +
                                                    2 * most.masked)},
        places_{b.template allocate<std::uint32_t>(2 * most.tokens + 2 * most.sequences)},
        targets_{b.template allocate<typename B::activation>(most.sequences)} {}

  /// Copies a batch over. Throws shape_error where it is larger than planned, input_error where an
  /// id, segment, position or label does not exist in the model: nothing behind this looks again.
  /// Segments are not looked at where the model has none.
  void write(const packed_batch& h, const bert_config& c) {
    check(h, c);
    tokens_ = h.tokens();
    sequences_ = h.sequences();
    masked_ = h.masked_rows.size();
    longest_ = h.longest();
    pairs_ = h.pairs();
    has_labels_ = !h.labels.empty();
    has_targets_ = !h.targets.empty();
    backend_->write(std::span<const std::int32_t>{h.ids}, writable(0, tokens_));
    backend_->write(std::span<const std::int32_t>{h.segments}, writable(most_.tokens, tokens_));
    backend_->write(std::span<const std::int32_t>{h.positions},
                    writable(2 * most_.tokens, tokens_));
    backend_->write(std::span<const std::int32_t>{h.offsets},
                    writable(3 * most_.tokens, sequences_ + 1));
    write_optional(h.labels, labels_at());
    write_optional(h.masked_rows, masked_at());
    write_optional(h.masked_ids, masked_at() + most_.masked);
    write_places(h);
    if (has_targets_) {
      host_targets_.assign(h.targets.begin(), h.targets.end());
      backend_->write(std::span<const typename B::activation>{host_targets_},
                      view<typename B::activation>{targets_.data(), sequences_, 1});
    }
  }

  [[nodiscard]] std::size_t tokens() const noexcept { return tokens_; }
  [[nodiscard]] std::size_t sequences() const noexcept { return sequences_; }
  [[nodiscard]] std::size_t masked() const noexcept { return masked_; }

  [[nodiscard]] view<const std::int32_t> ids() const noexcept { return ints(0, tokens_); }
  [[nodiscard]] view<const std::int32_t> segments() const noexcept {
    return ints(most_.tokens, tokens_);
  }
  [[nodiscard]] view<const std::int32_t> positions() const noexcept {
    return ints(2 * most_.tokens, tokens_);
  }
  [[nodiscard]] packed_sequences packed() const noexcept {
    return {ints(3 * most_.tokens, sequences_ + 1), words(2 * most_.tokens, sequences_), longest_,
            pairs_};
  }
  /// Row of the first token ([CLS]) of each sequence.
  [[nodiscard]] view<const std::int32_t> first_rows() const noexcept {
    return ints(3 * most_.tokens, sequences_);
  }
  /// Empty where the batch has none, as are targets: the losses refuse that.
  [[nodiscard]] view<const std::int32_t> labels() const noexcept {
    return ints(labels_at(), has_labels_ ? sequences_ : 0);
  }
  [[nodiscard]] view<const typename B::activation> targets() const noexcept {
    return {targets_.data(), has_targets_ ? sequences_ : 0, 1};
  }
  [[nodiscard]] view<const std::int32_t> masked_rows() const noexcept {
    return ints(masked_at(), masked_);
  }
  [[nodiscard]] view<const std::int32_t> masked_ids() const noexcept {
    return ints(masked_at() + most_.masked, masked_);
  }
  /// Where each token stands, and where each sequence's one pooled row does.
  [[nodiscard]] row_places token_places() const noexcept {
    return {words(0, tokens_), words(most_.tokens, tokens_)};
  }
  [[nodiscard]] row_places sequence_places() const noexcept {
    return {words(2 * most_.tokens, sequences_),
            words(2 * most_.tokens + most_.sequences, sequences_)};
  }

private:
  [[nodiscard]] std::size_t labels_at() const noexcept {
    return 3 * most_.tokens + most_.sequences + 1;
  }
  [[nodiscard]] std::size_t masked_at() const noexcept { return labels_at() + most_.sequences; }
  [[nodiscard]] view<const std::int32_t> ints(std::size_t at, std::size_t n) const noexcept {
    return {integers_.data() + at, n, 1};
  }
  [[nodiscard]] view<std::int32_t> writable(std::size_t at, std::size_t n) noexcept {
    return {integers_.data() + at, n, 1};
  }
  [[nodiscard]] view<const std::uint32_t> words(std::size_t at, std::size_t n) const noexcept {
    return {places_.data() + at, n, 1};
  }
  void write_optional(const std::vector<std::int32_t>& values, std::size_t at) {
    if (!values.empty()) {
      backend_->write(std::span<const std::int32_t>{values}, writable(at, values.size()));
    }
  }

  void write_places(const packed_batch& h) {
    host_places_.clear();
    for (std::size_t b = 0; b < sequences_; ++b) {
      const auto n = static_cast<std::size_t>(h.offsets[b + 1] - h.offsets[b]);
      host_places_.insert(host_places_.end(), n, h.example[b]);
    }
    const auto put = [&](std::span<const std::uint32_t> values, std::size_t at) {
      backend_->write(values, view<std::uint32_t>{places_.data() + at, values.size(), 1});
    };
    put(host_places_, 0);
    host_places_.assign(h.positions.begin(), h.positions.end());
    put(host_places_, most_.tokens);
    put(h.example, 2 * most_.tokens);
    host_places_.assign(sequences_, 0);
    put(host_places_, 2 * most_.tokens + most_.sequences);
  }

  /// Members that somebody filled by hand have to fit one another.
  static void check_places(const packed_batch& h) {
    if (h.offsets.size() < 2) throw shape_error("batch without a sequence");
    for (const std::size_t n : {h.segments.size(), h.positions.size()}) {
      if (n != h.tokens()) {
        throw shape_error("batch of " + std::to_string(h.tokens()) + " tokens and " +
                          std::to_string(n) + " segments or positions");
      }
    }
    if (h.example.size() != h.sequences()) {
      throw shape_error("batch of " + std::to_string(h.sequences()) + " sequences and " +
                        std::to_string(h.example.size()) + " places in the epoch");
    }
    if (h.offsets.front() != 0 || static_cast<std::size_t>(h.offsets.back()) != h.tokens() ||
        std::adjacent_find(h.offsets.begin(), h.offsets.end(), std::greater_equal<>{}) !=
            h.offsets.end()) {
      throw shape_error("batch of " + std::to_string(h.tokens()) +
                        " tokens: its offsets do not rise from 0 to that");
    }
  }

  void check(const packed_batch& h, const bert_config& c) const {
    check_places(h);
    const auto most = [](std::size_t found, std::size_t planned, const char* what) {
      if (found > planned) {
        throw shape_error("batch of " + std::to_string(found) + " " + what + ", planned for " +
                          std::to_string(planned));
      }
    };
    most(h.tokens(), most_.tokens, "tokens");
    most(h.sequences(), most_.sequences, "sequences");
    most(h.masked_rows.size(), most_.masked, "masked tokens");
    const auto below = [](const std::vector<std::int32_t>& values, std::size_t n,
                          const char* what) {
      for (const std::int32_t v : values) {
        if (v < 0 || static_cast<std::size_t>(v) >= n) {
          throw input_error(std::string{"batch holds "} + what + " " + std::to_string(v) +
                            ", the model has 0 to " + std::to_string(n - 1));
        }
      }
    };
    below(h.ids, c.vocabulary, "token id");
    if (c.segments > 0) below(h.segments, c.segments, "segment");
    below(h.positions, c.longest_sequence(), "position");
    below(h.labels, std::max<std::size_t>(c.labels, 1), "label");
    below(h.masked_rows, std::max<std::size_t>(h.tokens(), 1), "masked row");
    below(h.masked_ids, c.vocabulary, "masked id");
    if (h.masked_rows.size() != h.masked_ids.size()) {
      throw shape_error("batch of " + std::to_string(h.masked_rows.size()) + " masked rows and " +
                        std::to_string(h.masked_ids.size()) + " masked ids");
    }
    for (const std::size_t n : {h.labels.size(), h.targets.size()}) {
      if (n != 0 && n != h.sequences()) {
        throw shape_error("batch of " + std::to_string(h.sequences()) + " sequences and " +
                          std::to_string(n) + " labels or targets");
      }
    }
  }

  using int_buffer = decltype(std::declval<B&>().template allocate<std::int32_t>(0));
  using word_buffer = decltype(std::declval<B&>().template allocate<std::uint32_t>(0));
  using number_buffer = decltype(std::declval<B&>().template allocate<typename B::activation>(0));

  B* backend_;
  batch_limits most_;
  int_buffer integers_;
  word_buffer places_;
  number_buffer targets_;
  std::vector<std::uint32_t> host_places_;
  std::vector<typename B::activation> host_targets_;
  std::size_t tokens_ = 0, sequences_ = 0, masked_ = 0, longest_ = 0, pairs_ = 0;
  bool has_labels_ = false, has_targets_ = false;
};

}  // namespace tombola::nn
