#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "tombola/backend/backward.hpp"
#include "tombola/eigen/approximations.hpp"
#include "tombola/eigen/dropping.hpp"
#include "tombola/eigen/products.hpp"
#include "tombola/eigen/workers.hpp"

namespace tombola::eigen {

/// Queries whose scores are held at once: scratch is two blocks of query_block x longest numbers a
/// thread, so that memory grows with the length of a sequence and not with its square.
inline constexpr std::size_t query_block = 64;

/// One head of one sequence: the piece of work of everything in this file.
template <class T>
struct attention_piece {
  std::size_t sequence = 0, head = 0;
  std::size_t first = 0, tokens = 0;     ///< rows of the batch
  std::size_t width = 0;                 ///< D
  std::size_t stride = 0;                ///< numbers from a row of a score block to the next
  T scale{};                             ///< 1 / sqrt(D)
  block<const T> queries, keys, values;  ///< [tokens, D] inside qkv
  T *workspace = nullptr, *scores = nullptr, *other = nullptr;  ///< scratch; the last two blocks

  /// This head's columns of a [T, H D] matrix, from one of its queries on.
  template <class U>
  [[nodiscard]] block<U> columns_of(const view<U>& m, std::size_t query) const noexcept {
    return {m.data + (first + query) * m.cols + head * width, m.cols};
  }
  [[nodiscard]] block<const T> queries_from(std::size_t query) const noexcept {
    return {queries.data + query * queries.stride, queries.stride};
  }
};

/// Calls body(piece) for every head of every sequence, and before that plans the scratch.
template <class P, class T, class Body>
inline void for_heads(workers<T, P>& w,
                      const view<const T>& qkv,
                      std::size_t heads,
                      const packed_sequences& s,
                      const Body& body) {
  const auto offset = [&](std::size_t i) { return static_cast<std::size_t>(s.offsets.data[i]); };
  std::size_t longest = 0;
  for (std::size_t b = 0; b < s.count(); ++b)
    longest = std::max(longest, offset(b + 1) - offset(b));
  const std::size_t stride = (longest + 15) / 16 * 16;
  const std::size_t lent = w.product().template workspace<T>();
  w.plan(lent + 2 * query_block * stride);

  w.share(s.count() * heads, [&](std::size_t i, T* scratch) {
    attention_piece<T> p;
    p.sequence = i / heads;
    p.head = i % heads;
    p.first = offset(p.sequence);
    p.tokens = offset(p.sequence + 1) - p.first;
    p.width = qkv.cols / (3 * heads);
    p.stride = stride;
    p.scale = static_cast<T>(1.0 / std::sqrt(static_cast<double>(p.width)));
    const T* start = qkv.data + p.first * qkv.cols + p.head * p.width;
    p.queries = {start, qkv.cols};
    p.keys = {start + heads * p.width, qkv.cols};
    p.values = {start + 2 * heads * p.width, qkv.cols};
    p.workspace = scratch;
    p.scores = scratch + lent;
    p.other = p.scores + query_block * stride;
    body(p);
  });
}

/// Calls body(query, count) for blocks of the piece's queries.
template <class T, class Body>
inline void for_query_blocks(const attention_piece<T>& p, const Body& body) {
  for (std::size_t q = 0; q < p.tokens; q += query_block) {
    body(q, std::min(query_block, p.tokens - q));
  }
}

/// Zeros, for a product to be added to.
template <class T>
inline void clear(block<T> b, std::size_t rows, std::size_t columns) noexcept {
  for (std::size_t i = 0; i < rows; ++i) std::fill_n(b.data + i * b.stride, columns, T{0});
}

/// scores = q k^T / sqrt(D) for a block of queries.
template <class P, class T>
inline void score_block(const P& product,
                        const attention_piece<T>& p,
                        std::size_t query,
                        std::size_t count) {
  clear<T>({p.scores, p.stride}, count, p.tokens);
  product.template add<form::nt>({count, p.tokens, p.width}, p.scale, p.queries_from(query), p.keys,
                                 block<T>{p.scores, p.stride}, p.workspace);
}

/// Turns a row of scores into probabilities, and answers the log of the sum of exponentials.
template <class T>
inline T softmax_row(T* row, std::size_t n) noexcept {
  const T top = largest_of(row, n);
  for (std::size_t j = 0; j < n; ++j) row[j] = exp_of(row[j] - top);
  const T sum = sum_over<T>(n, [row](std::size_t j) { return row[j]; });
  const T share = T{1} / sum;
  for (std::size_t j = 0; j < n; ++j) row[j] *= share;
  return top + std::log(sum);
}

/// The factor of a piece's head, 1 where there are none.
template <class T>
[[nodiscard]] inline T factor_of(const view<const T>& factors,
                                 const attention_piece<T>& p) noexcept {
  if (factors.empty()) return T{1};
  return factors.data[(factors.rows == 1 ? 0 : p.sequence * factors.cols) + p.head];
}

/// Dropout's row of a query. Precondition: something is dropped.
template <class T>
[[nodiscard]] inline dropout_row row_of(const packed_sequences& s,
                                        const attention_piece<T>& p,
                                        std::size_t query) noexcept {
  return {s.example.data[p.sequence], static_cast<std::uint32_t>(query),
          static_cast<std::uint32_t>(p.head)};
}

/// Scores of a block of queries, softmax, dropout, product with the values, factor. Without an
/// ungated to keep, the context is made in place.
template <class T, class P>
inline void compute(workers<T, P>& w, const attention<T>& v) {
  const bool drops = v.drop.rate > 0.0;
  for_heads(w, v.qkv, v.heads, v.sequences, [&](const attention_piece<T>& p) {
    const T factor = factor_of(v.factors, p);
    for_query_blocks(p, [&](std::size_t query, std::size_t count) {
      score_block(w.product(), p, query, count);
      for (std::size_t i = 0; i < count; ++i) {
        T* row = p.scores + i * p.stride;
        const T log_sum = softmax_row(row, p.tokens);
        if (!v.log_sum.empty()) {
          v.log_sum.data[(p.first + query + i) * v.heads + p.head] = log_sum;
        }
        if (drops) drop_row(v.drop, row_of(v.sequences, p, query + i), row, p.tokens);
      }
      const view<T>& kept = v.ungated.empty() ? v.context : v.ungated;
      const block<T> ungated = p.columns_of(kept, query), out = p.columns_of(v.context, query);
      clear(ungated, count, p.width);
      w.product().template add<form::nn>({count, p.width, p.tokens}, T{1},
                                         block<const T>{p.scores, p.stride}, p.values, ungated,
                                         p.workspace);
      for (std::size_t i = 0; i < count; ++i) {
        const T* from = ungated.data + i * ungated.stride;
        T* to = out.data + i * out.stride;
        for (std::size_t j = 0; j < p.width; ++j) to[j] = factor * from[j];
      }
    });
  });
}

/// One row of the backward pass. In: probabilities, and the gradient of the dropped probabilities.
/// Out: dropped probabilities, and the gradient of the scores p (m g - dot), where m are dropout's
/// factors and dot = sum p m g.
template <class T>
inline void score_gradient_row(const dropout_bits& drop,
                               const dropout_row& row,
                               T dot,
                               T* probabilities,
                               T* gradient,
                               std::size_t n) noexcept {
  if (!(drop.rate > 0.0)) {
    for (std::size_t j = 0; j < n; ++j) gradient[j] = probabilities[j] * (gradient[j] - dot);
    return;
  }
  T factors[dropout_columns];
  for (std::size_t first = 0; first < n; first += dropout_columns) {
    const std::size_t m = std::min(dropout_columns, n - first);
    dropout_factors(drop, row, first, m, factors);
    T *p = probabilities + first, *g = gradient + first;
    for (std::size_t j = 0; j < m; ++j) {
      g[j] = p[j] * (factors[j] * g[j] - dot);
      p[j] *= factors[j];
    }
  }
}

/// Probabilities are computed again from log_sum, a block of queries at a time. The dot product of
/// a query's probabilities and their gradients is that of context and its gradient.
/// Source: T. Dao et al., "FlashAttention", NeurIPS 2022, section 3.1 and appendix B.
template <class T, class P>
inline void compute(workers<T, P>& w, const attention_backward<T>& v) {
  const std::size_t width = v.dcontext.cols;
  const bool drops = v.drop.rate > 0.0;
  for_heads(w, v.qkv, v.heads, v.sequences, [&](const attention_piece<T>& p) {
    const T factor = factor_of(v.factors, p);
    T* start = v.dqkv.data + p.first * v.dqkv.cols + p.head * p.width;
    const block<T> dkeys{start + width, v.dqkv.cols}, dvalues{start + 2 * width, v.dqkv.cols};
    clear(block<T>{start, v.dqkv.cols}, p.tokens, p.width);
    clear(dkeys, p.tokens, p.width);
    clear(dvalues, p.tokens, p.width);

    for_query_blocks(p, [&](std::size_t query, std::size_t count) {
      const block<const T> dout = p.columns_of(v.dcontext, query);
      const block<const T> context = p.columns_of(v.context, query);
      const block<const T> probabilities{p.scores, p.stride}, dscores{p.other, p.stride};
      score_block(w.product(), p, query, count);
      clear<T>({p.other, p.stride}, count, p.tokens);
      w.product().template add<form::nt>({count, p.tokens, p.width}, factor, dout, p.values,
                                         block<T>{p.other, p.stride}, p.workspace);
      for (std::size_t i = 0; i < count; ++i) {
        T* row = p.scores + i * p.stride;
        const T log_sum = v.log_sum.data[(p.first + query + i) * v.heads + p.head];
        for (std::size_t j = 0; j < p.tokens; ++j) row[j] = exp_of(row[j] - log_sum);
        const T *a = dout.data + i * dout.stride, *b = context.data + i * context.stride;
        const T dot = sum_over<T>(p.width, [a, b](std::size_t j) { return a[j] * b[j]; });
        const dropout_row place = drops ? row_of(v.sequences, p, query + i) : dropout_row{};
        score_gradient_row(v.drop, place, dot, row, p.other + i * p.stride, p.tokens);
      }
      w.product().template add<form::tn>({p.tokens, p.width, count}, factor, probabilities, dout,
                                         dvalues, p.workspace);
      w.product().template add<form::nn>({count, p.width, p.tokens}, p.scale, dscores, p.keys,
                                         block<T>{start + query * v.dqkv.cols, v.dqkv.cols},
                                         p.workspace);
      w.product().template add<form::tn>({p.tokens, p.width, count}, p.scale, dscores,
                                         p.queries_from(query), dkeys, p.workspace);
    });
  });
}

/// -sum p ln p of a row of scores, in nats and in double. ln p is the score less their log_sum, so
/// that a probability too small for T adds 0.
template <class T>
[[nodiscard]] inline double entropy_of(const T* scores, std::size_t n) noexcept {
  const double top = static_cast<double>(largest_of(scores, n));
  double sum = 0.0, weighted = 0.0;
  for (std::size_t j = 0; j < n; ++j) {
    const double below = static_cast<double>(scores[j]) - top;
    const double e = std::exp(below);
    sum += e;
    weighted += e * below;
  }
  return std::log(sum) - weighted / sum;
}

/// Off the training path, so exponentials for the entropy are the library's, in double.
template <class T, class P>
inline void compute(workers<T, P>& w, const attention_statistics<T>& v) {
  double* parts = w.slots(v.sequences.count() * v.heads);
  for_heads(w, v.qkv, v.heads, v.sequences, [&](const attention_piece<T>& p) {
    std::size_t before = 0;  // numbers of the sequences in front
    for (std::size_t b = 0; b < p.sequence; ++b) {
      const auto n =
          static_cast<std::size_t>(v.sequences.offsets.data[b + 1] - v.sequences.offsets.data[b]);
      before += v.heads * n * n;
    }
    double entropy = 0.0;
    for_query_blocks(p, [&](std::size_t query, std::size_t count) {
      score_block(w.product(), p, query, count);
      for (std::size_t i = 0; i < count; ++i) {
        T* row = p.scores + i * p.stride;
        if (!v.entropy.empty()) entropy += entropy_of(row, p.tokens);
        if (v.probabilities.empty()) continue;
        softmax_row(row, p.tokens);
        std::copy_n(row, p.tokens,
                    v.probabilities.data + before + (p.head * p.tokens + query + i) * p.tokens);
      }
    });
    parts[p.sequence * v.heads + p.head] = entropy;
  });
  if (v.entropy.empty()) return;
  for (std::size_t b = 0; b < v.sequences.count(); ++b) {
    for (std::size_t h = 0; h < v.heads; ++h) v.entropy.data[h] += parts[b * v.heads + h];
  }
}

}  // namespace tombola::eigen
