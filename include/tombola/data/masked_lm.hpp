#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/packed_batch.hpp"
#include "tombola/core/random.hpp"
#include "tombola/data/features.hpp"
#include "tombola/data/sequence_marks.hpp"
#include "tombola/data/text.hpp"

namespace tombola::data {

/// Which tokens are to be predicted, and what stands in their place.
/// Source: J. Devlin et al., "BERT", NAACL 2019, section 3.1.
struct masking_rule {
  double share = 0.15;     ///< of a sequence's tokens, [CLS] and [SEP] not counted
  double masked = 0.8;     ///< of the chosen ones: become [MASK]
  double random_id = 0.1;  ///< of the chosen ones: become any entry; the rest stays as it is
};

/// Throws input_error where a share is not in [0, 1] or the two outcomes add up to more than 1.
inline void check(const masking_rule& r) {
  const auto is_share = [](double x) { return x >= 0 && x <= 1; };
  if (!is_share(r.share) || !is_share(r.masked) || !is_share(r.random_id) ||
      r.masked + r.random_id > 1 + 1e-9) {
    throw input_error("masking rule: found shares " + std::to_string(r.share) + ", " +
                      std::to_string(r.masked) + " and " + std::to_string(r.random_id) +
                      ", expected numbers in [0, 1], the last two at most 1 together");
  }
}

/// Chooses the tokens that a masked language model has to predict, and hides them.
///
/// Of every sequence max(1, round(share * n)) of its n tokens that are no [CLS], [SEP] or [PAD];
/// none where n is 0. Fills masked_rows (ascending) and masked_ids (what stood there) and
/// changes ids. What is drawn for a token depends on seed, epoch, the sequence's place in the
/// epoch and the token's in the sequence, not on the batch.
/// The vocabulary is vocabulary or byte_vocabulary.
/// Throws input_error for one without [MASK] and as check(rule) does.
template <class Vocabulary>
void mask_tokens(packed_batch& batch,
                 const Vocabulary& v,
                 std::uint64_t seed,
                 std::uint32_t epoch,
                 const masking_rule& rule = {}) {
  check(rule);
  const std::int32_t mask = v.mask();
  const random_stream draws{seed, purpose::masking, epoch};
  batch.masked_rows.clear();
  batch.masked_ids.clear();
  std::vector<std::pair<std::uint64_t, std::int32_t>> candidates;  // random key, row
  for (std::size_t b = 0; b < batch.sequences(); ++b) {
    const std::int32_t begin = batch.offsets[b];
    const std::uint64_t base = std::uint64_t{batch.example[b]} << 32;
    const auto words = [&](std::int32_t row) {
      return draws.words(base | static_cast<std::uint32_t>(row - begin));
    };
    candidates.clear();
    for (std::int32_t row = begin; row < batch.offsets[b + 1]; ++row) {
      const std::int32_t id = batch.ids[static_cast<std::size_t>(row)];
      if (id == v.first() || id == v.separator() || id == v.pad()) continue;
      const auto w = words(row);
      candidates.emplace_back(std::uint64_t{w[0]} << 32 | w[1], row);
    }
    if (candidates.empty()) continue;
    const auto chosen = std::clamp<std::size_t>(
        static_cast<std::size_t>(std::lround(rule.share * static_cast<double>(candidates.size()))),
        1, candidates.size());
    std::sort(candidates.begin(), candidates.end());
    candidates.resize(chosen);
    std::sort(candidates.begin(), candidates.end(),
              [](const auto& a, const auto& c) { return a.second < c.second; });
    for (const auto& [key, row] : candidates) {
      std::int32_t& id = batch.ids[static_cast<std::size_t>(row)];
      batch.masked_rows.push_back(row);
      batch.masked_ids.push_back(id);
      const auto w = words(row);
      const double outcome = w[2] * 0x1.0p-32;
      if (outcome < rule.masked) {
        id = mask;
      } else if (outcome < rule.masked + rule.random_id) {
        id = static_cast<std::int32_t>(std::uint64_t{w[3]} * v.size() >> 32);
      }
    }
  }
}

/// The mean loss, in nats, of predicting every token by how often it stands in the set: the entropy
/// of those shares. What knows no context cannot do better on that set. [CLS], [SEP] and [PAD] do
/// not count; 0 for a set without other tokens. Cost: one pass over the ids; memory: a count for
/// each entry of the vocabulary.
template <class Vocabulary>
[[nodiscard]] double unigram_loss(const encoded_set& set, const Vocabulary& v) {
  std::vector<std::uint64_t> counts(v.size());
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < set.size(); ++i) {
    for (const std::int32_t id : set[i].ids) {
      if (id == v.first() || id == v.separator() || id == v.pad()) continue;
      ++counts[static_cast<std::size_t>(id)];
      ++all;
    }
  }
  double loss = 0.0;
  for (const std::uint64_t n : counts) {
    if (n == 0) continue;
    const double share = static_cast<double>(n) / static_cast<double>(all);
    loss -= share * std::log(share);
  }
  return loss;
}

/// Text for pretraining.
struct corpus {
  encoded_set sentences;
  std::size_t blank_lines = 0;  ///< lines without a token, left out
};

/// Reads a text file, one sentence a line; each becomes a sequence [CLS] ... [SEP].
///
/// Throws format_error where no line has a token, and as read_utf8 and encoded_set do.
[[nodiscard]] inline corpus read_corpus(const std::filesystem::path& path,
                                        const text_tokenizer auto& tokenizer,
                                        std::size_t max_length) {
  const std::string text = read_utf8(path);
  corpus c{encoded_set{max_length, answer::none}};
  std::vector<std::int32_t> ids;
  for (const std::string_view line : split_lines(text)) {
    ids.clear();
    tokenizer.append(line, ids);
    if (ids.empty()) {
      ++c.blank_lines;
    } else {
      c.sentences.add(tokenizer, line);
    }
  }
  if (c.sentences.size() == 0) {
    throw format_error(path.string(), "has no text, expected one sentence a line");
  }
  return c;
}

}  // namespace tombola::data
