#pragma once

// Attention, its backward and its statistics, one head of one sequence at a time. Every sum is
// taken in double and rounded once. Letters as in forward.hpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "tombola/backend/backward.hpp"
#include "tombola/backend/forward.hpp"
#include "tombola/backend/reference/scalar.hpp"

namespace tombola::reference {

/// One head of one sequence of n tokens: where its numbers stand.
template <class A>
struct head_of_sequence {
  view<const A> qkv;  ///< [T, 3 H D] of the whole batch
  std::size_t heads, head, sequence;
  std::size_t first, n;  ///< rows first to first + n - 1

  [[nodiscard]] std::size_t width() const noexcept { return qkv.cols / 3; }
  [[nodiscard]] std::size_t size() const noexcept { return width() / heads; }
  /// Column where the queries of this head start; keys and values stand width() further each.
  [[nodiscard]] std::size_t column() const noexcept { return head * size(); }
  [[nodiscard]] const A* query(std::size_t i) const noexcept {
    return qkv.data + (first + i) * qkv.cols + column();
  }
  [[nodiscard]] const A* key(std::size_t j) const noexcept { return query(j) + width(); }
  [[nodiscard]] const A* value(std::size_t j) const noexcept { return query(j) + 2 * width(); }
  [[nodiscard]] double scale() const noexcept {
    return 1.0 / std::sqrt(static_cast<double>(size()));
  }
  [[nodiscard]] double score(std::size_t i, std::size_t j) const noexcept {
    return dot(query(i), key(j), size()) * scale();
  }
  /// The factor on this head's output: one row for all sequences, or a row for each.
  [[nodiscard]] double factor(const view<const A>& factors) const noexcept {
    if (factors.empty()) return 1.0;
    return double{at(factors, factors.rows == 1 ? 0 : sequence, head)};
  }
  /// What dropout multiplies the probability of key j for query i by.
  [[nodiscard]] double kept(const dropout_bits& d,
                            const packed_sequences& s,
                            std::size_t i,
                            std::size_t j) const noexcept {
    if (d.rate == 0.0) return 1.0;
    return dropout_factor(d, s.example.data[sequence], static_cast<std::uint32_t>(i), j, head);
  }
};

/// Calls f(head_of_sequence) for every head of every sequence, head inside sequence.
template <class A, class F>
void for_each_head(const view<const A>& qkv, std::size_t heads, const packed_sequences& s, F&& f) {
  for (std::size_t b = 0; b < s.count(); ++b) {
    const auto first = static_cast<std::size_t>(s.offsets.data[b]);
    const auto end = static_cast<std::size_t>(s.offsets.data[b + 1]);
    for (std::size_t h = 0; h < heads; ++h) {
      f(head_of_sequence<A>{qkv, heads, h, b, first, end - first});
    }
  }
}

/// What query i gives out. weights: scratch of n numbers; first the scores, then the probabilities
/// as dropout leaves them. log_sum is of the scores and knows nothing of dropout or factors.
///   ungated[d] = sum over keys j of kept(i, j) exp(score(i, j) - log_sum) value(j)[d]
template <class A>
void attend(const attention<A>& v,
            const head_of_sequence<A>& head,
            std::size_t i,
            std::vector<double>& weights) {
  const std::size_t row = head.first + i;
  for (std::size_t j = 0; j < head.n; ++j) weights[j] = head.score(i, j);
  const double log_sum = log_sum_exp(weights.data(), head.n);
  for (std::size_t j = 0; j < head.n; ++j) {
    weights[j] = head.kept(v.drop, v.sequences, i, j) * std::exp(weights[j] - log_sum);
  }
  for (std::size_t d = 0; d < head.size(); ++d) {
    double sum = 0.0;
    for (std::size_t j = 0; j < head.n; ++j) sum += weights[j] * double{head.value(j)[d]};
    const std::size_t column = head.column() + d;
    if (!v.ungated.empty()) store(at(v.ungated, row, column), sum);
    store(at(v.context, row, column), head.factor(v.factors) * sum);
  }
  if (!v.log_sum.empty()) store(at(v.log_sum, row, head.head), log_sum);
}

/// Source: Vaswani et al., arXiv:1706.03762, section 3.2. No token sees another sequence, and there
/// is no padding to mask. Cost: H n^2 D twice for a sequence of n tokens; scratch of n numbers.
template <class A>
void compute(const attention<A>& v) {
  for_each_head(v.qkv, v.heads, v.sequences, [&v](const head_of_sequence<A>& head) {
    std::vector<double> weights(head.n);
    for (std::size_t i = 0; i < head.n; ++i) attend(v, head, i, weights);
  });
}

/// Gradients of one head's queries, keys and values, [n, D] each, summed in double.
struct head_gradients {
  std::vector<double> query, key, value;
};

/// Adds what query i passes back. probability[j] and its gradient belong to this query. With
/// g = factor * dcontext, the gradient of the ungated context:
///   dvalue(j)    += kept(i, j) probability[j] g
///   dprobability[j] = kept(i, j) g . value(j)
///   dscore[j]     = probability[j] (dprobability[j] - sum of probability * dprobability)
///   dquery(i)    += dscore[j] key(j) / sqrt(D);  dkey(j) += dscore[j] query(i) / sqrt(D)
template <class A>
void add_query(const attention_backward<A>& v,
               const head_of_sequence<A>& head,
               std::size_t i,
               head_gradients& to) {
  const std::size_t size = head.size(), row = head.first + i;
  const A* dcontext = &at(v.dcontext, row, head.column());
  const double factor = head.factor(v.factors);
  std::vector<double> probability(head.n), dprobability(head.n);
  // The mean of dprobability under probability is dcontext . context. Taken so, it also cancels
  // where one key has all the probability and log_sum, being large, was rounded.
  const double mean = dot(dcontext, &at(v.context, row, head.column()), size);
  for (std::size_t j = 0; j < head.n; ++j) {
    const double kept = head.kept(v.drop, v.sequences, i, j);
    probability[j] = std::exp(head.score(i, j) - double{at(v.log_sum, row, head.head)});
    dprobability[j] = factor * kept * dot(dcontext, head.value(j), size);
    for (std::size_t d = 0; d < size; ++d) {
      to.value[j * size + d] += factor * kept * probability[j] * double{dcontext[d]};
    }
  }
  for (std::size_t j = 0; j < head.n; ++j) {
    const double dscore = probability[j] * (dprobability[j] - mean) * head.scale();
    for (std::size_t d = 0; d < size; ++d) {
      to.query[i * size + d] += dscore * double{head.key(j)[d]};
      to.key[j * size + d] += dscore * double{head.query(i)[d]};
    }
  }
}

/// The probabilities are made again from qkv and log_sum: nothing of size n * n is kept. Every
/// column of dqkv is written: a row of the batch belongs to exactly one sequence.
/// Cost: H n^2 D five times for a sequence of n tokens; scratch of 3 n D numbers.
template <class A>
void compute(const attention_backward<A>& v) {
  for_each_head(v.qkv, v.heads, v.sequences, [&v](const head_of_sequence<A>& head) {
    const std::size_t size = head.size(), width = head.width();
    const std::vector<double> zeros(head.n * size);
    head_gradients sums{zeros, zeros, zeros};
    for (std::size_t i = 0; i < head.n; ++i) add_query(v, head, i, sums);
    for (std::size_t i = 0; i < head.n; ++i) {
      for (std::size_t d = 0; d < size; ++d) {
        const std::size_t row = head.first + i, column = head.column() + d;
        store(at(v.dqkv, row, column), sums.query[i * size + d]);
        store(at(v.dqkv, row, width + column), sums.key[i * size + d]);
        store(at(v.dqkv, row, 2 * width + column), sums.value[i * size + d]);
      }
    }
  });
}

/// Without dropout and factors: what a head looks at does not depend on what becomes of its output.
/// A block of probabilities stands query by query, the keys of one side by side.
template <class A>
void compute(const attention_statistics<A>& v) {
  A* block = v.probabilities.data;
  for_each_head(v.qkv, v.heads, v.sequences, [&](const head_of_sequence<A>& head) {
    std::vector<double> scores(head.n);
    double entropy = 0.0;
    for (std::size_t i = 0; i < head.n; ++i) {
      for (std::size_t j = 0; j < head.n; ++j) scores[j] = head.score(i, j);
      const double log_sum = log_sum_exp(scores.data(), head.n);
      for (std::size_t j = 0; j < head.n; ++j) {
        // ln p is known without a logarithm of p, so that a p of 0 adds exactly 0.
        const double log_p = scores[j] - log_sum, p = std::exp(log_p);
        entropy -= p * log_p;
        if (!v.probabilities.empty()) store(*block++, p);
      }
    }
    if (!v.entropy.empty()) v.entropy.data[head.head] += entropy;
  });
}

}  // namespace tombola::reference
