#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/packed_batch.hpp"
#include "tombola/core/random.hpp"
#include "tombola/nn/bert.hpp"

namespace tombola::nn {

/// Tokens of the longest probe: attention takes memory and time by their square, and every model of
/// BERT's family that is in use ends far below.
inline constexpr std::size_t longest_probe = 2048;

/// Batches of random token ids and segments for a model, a function of its sizes and the seed: one
/// token alone, lengths in between as powers of two together, and the longest sequence that the
/// model takes, up to longest_probe. For the masked LM the first and the last token of each are to
/// be predicted.
[[nodiscard]] inline std::vector<packed_batch> probe_batches(const bert_config& c,
                                                             std::uint64_t seed) {
  const std::size_t longest = std::min(c.longest_sequence(), longest_probe);
  std::vector<std::vector<std::size_t>> lengths{{1}, {}, {longest}};
  for (std::size_t n = 2; n < longest; n *= 2) lengths[1].push_back(n);
  std::vector<packed_batch> batches;
  std::uint32_t place = 0;
  for (const auto& batch_lengths : lengths) {
    if (batch_lengths.empty()) continue;
    packed_batch batch;
    for (const std::size_t n : batch_lengths) {
      const random_stream ids{seed, purpose::probe, 2 * place};
      const random_stream segments{seed, purpose::probe, 2 * place + 1};
      std::vector<std::int32_t> id(n), segment(n);
      for (std::size_t t = 0; t < n; ++t) {
        id[t] = static_cast<std::int32_t>(ids.below(c.vocabulary, t));
        if (c.segments > 0) segment[t] = static_cast<std::int32_t>(segments.below(c.segments, t));
      }
      const auto first = static_cast<std::int32_t>(batch.tokens());
      batch.add(id, segment, place++);
      if (c.head != head_kind::masked_lm) continue;
      batch.masked_rows.push_back(first);
      batch.masked_ids.push_back(id.front());
      if (n == 1) continue;
      batch.masked_rows.push_back(first + static_cast<std::int32_t>(n) - 1);
      batch.masked_ids.push_back(id.back());
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

/// How far two models' answers lie apart.
struct model_agreement {
  double difference = 0.0;  ///< largest absolute difference of two logits; infinite for NaN
  double largest = 0.0;     ///< largest absolute logit of the first model
  double tolerance = 0.0;   ///< the difference that is still rounding
  std::size_t logits = 0;   ///< how many were compared

  [[nodiscard]] bool holds() const noexcept { return logits > 0 && difference <= tolerance; }
};

/// Share of the largest logit that two orders of summation in single precision may differ by.
/// Twelve layers of BERT-base differ by a few 1e-6; a bias that was lost, by far more than 1e-3.
inline constexpr double compact_tolerance = 1e-4;

/// Compares two models on the same batches, without dropout: the tolerance is `share` times the
/// first one's largest logit. before_each() is called before each batch, and ends all by what it
/// throws. Throws as device_batch::write where a batch does not fit a model.
template <backend B>
[[nodiscard]] model_agreement compare_models(
    bert<B>& first,
    bert<B>& second,
    std::span<const packed_batch> batches,
    double share = compact_tolerance,
    const std::function<void()>& before_each = [] {}) {
  using A = typename B::activation;
  const batch_limits most = limits_of(batches);
  workspace<B> w1{first.device(), first.config(), most, keep::nothing};
  workspace<B> w2{second.device(), second.config(), most, keep::nothing};
  const auto logits_of = [](bert<B>& model, workspace<B>& w, const packed_batch& batch) {
    w.batch.write(batch, model.config());
    const view<A> out = model.forward(w);
    std::vector<A> host(out.size());
    model.device().read(read_only(out), std::span<A>{host});
    return host;
  };
  model_agreement found;
  for (const packed_batch& batch : batches) {
    before_each();
    const std::vector<A> a = logits_of(first, w1, batch), b = logits_of(second, w2, batch);
    if (a.size() != b.size()) {
      throw shape_error("compaction: models of " + std::to_string(a.size()) + " and " +
                        std::to_string(b.size()) + " logits");
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double x = static_cast<double>(a[i]), d = std::abs(x - static_cast<double>(b[i]));
      found.difference = std::isfinite(d) ? std::max(found.difference, d) : INFINITY;
      if (std::isfinite(x)) found.largest = std::max(found.largest, std::abs(x));
    }
    found.logits += a.size();
  }
  found.tolerance = share * found.largest;
  return found;
}

/// Throws runtime_failure with what was found and what was allowed, unless the two agree: `second`
/// and `first` name them in the sentence.
inline void require_agreement(const model_agreement& a,
                              const std::string& first,
                              const std::string& second) {
  if (a.holds()) return;
  const auto text = [](double x) {
    std::string s(32, '\0');
    s.resize(static_cast<std::size_t>(std::snprintf(s.data(), s.size(), "%.3g", x)));
    return s;
  };
  throw runtime_failure("the " + second + " model differs from the " + first + " one by " +
                        text(a.difference) + " in " + std::to_string(a.logits) +
                        " logits, expected at most " + text(a.tolerance) + "; nothing was saved");
}

}  // namespace tombola::nn
