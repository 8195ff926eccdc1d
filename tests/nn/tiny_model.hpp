#pragma once

// A model small enough for finite differences, with weights so large that nothing about it is
// trivial, and batches for it.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/backend/reference.hpp"
#include "tombola/core/packed_batch.hpp"
#include "tombola/core/random.hpp"
#include "tombola/nn/bert.hpp"

namespace tombola::test {

inline nn::bert_config tiny_config(nn::head_kind head) {
  nn::bert_config c;
  c.vocabulary = 11;
  c.positions = 6;
  c.segments = 2;
  c.hidden = 6;
  c.layers = 2;
  c.heads = 3;
  c.intermediate = 7;
  c.epsilon = 1e-3;
  c.hidden_dropout = 0.2;
  c.attention_dropout = 0.3;
  c.classifier_dropout = 0.25;
  c.head = head;
  c.labels = head == nn::head_kind::regression ? 1 : 3;
  if (head == nn::head_kind::masked_lm) c.labels = 2;
  return c;
}

/// The same for another architecture, with as much of it as it has.
inline nn::bert_config tiny_config(nn::head_kind head, const nn::architecture& family) {
  nn::bert_config c = tiny_config(head);
  c.family = &family;
  c.positions += family.position_offset;
  if (family.keys.segments == nullptr) c.segments = 0;
  if (family.keys.epsilon == nullptr) c.epsilon = family.epsilon;
  return c;
}

/// Weights N(0, 0.5^2), those of layer norms N(1, 0.2^2).
template <class B>
void randomise(nn::bert<B>& model, std::uint64_t seed) {
  using number = typename B::parameter;
  auto& p = model.parameters();
  for (std::size_t i = 0; i < p.layout().slots().size(); ++i) {
    const random_stream r{seed, purpose::initialisation, static_cast<std::uint32_t>(i)};
    const bool norm = p.layout()[i].cols == 0 && p.layout()[i].name.ends_with(".weight");
    std::vector<number> values(p.layout()[i].size());
    for (std::size_t u = 0; u < values.size(); ++u) {
      values[u] = static_cast<number>((norm ? 1.0 : 0.0) + (norm ? 0.2 : 0.5) * r.normal(u));
    }
    model.device().write(std::span<const number>{values}, p.stored(i));
  }
  p.refresh();
}

/// Three sequences of 4, 1 and 3 tokens with everything that a head of this kind is told.
inline packed_batch tiny_batch(nn::head_kind head, std::uint32_t first_place = 5) {
  packed_batch b;
  b.add(std::vector<std::int32_t>{2, 7, 7, 3}, std::vector<std::int32_t>{0, 0, 1, 1}, first_place);
  b.add(std::vector<std::int32_t>{9}, std::vector<std::int32_t>{0}, first_place + 1);
  b.add(std::vector<std::int32_t>{4, 10, 0}, std::vector<std::int32_t>{1, 0, 1}, first_place + 2);
  if (head == nn::head_kind::classification) b.labels = {2, 0, 1};
  if (head == nn::head_kind::regression) b.targets = {0.5F, -1.0F, 2.0F};
  if (head == nn::head_kind::masked_lm) {
    b.masked_rows = {1, 4, 6, 7};
    b.masked_ids = {7, 2, 2, 10};
  }
  return b;
}

/// Tokens, sequences and masked tokens of that batch.
inline constexpr nn::batch_limits tiny_limits{8, 3, 4};

template <class B, class T>
std::vector<std::remove_const_t<T>> values_of(B& b, view<T> v) {
  std::vector<std::remove_const_t<T>> out(v.size());
  b.read(view<const std::remove_const_t<T>>{v.data, v.rows, v.cols},
         std::span<std::remove_const_t<T>>{out});
  return out;
}

/// Mean loss of the batch in w; its gradients are kept for backward.
template <class B>
double mean_loss(nn::bert<B>& model, nn::workspace<B>& w, const nn::dropout_plan& drop) {
  model.forward(w, drop);
  const std::size_t n = w.masked_lm.has_value() ? w.batch.masked() : w.batch.sequences();
  double sum = 0.0;
  for (const double x : values_of(model.device(), model.loss(w, 1.0 / static_cast<double>(n)))) {
    sum += x;
  }
  return sum / static_cast<double>(n);
}

}  // namespace tombola::test
