#pragma once

// attention, attention_backward with head_dots, and attention_statistics.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/backend/conformance/compare.hpp"

namespace tombola::test {

/// A packed batch: the tokens of each of its sequences.
struct packed_lengths {
  std::vector<std::int32_t> offsets{0};
  std::vector<std::uint32_t> example{};
  std::size_t longest = 0, pairs = 0;

  explicit packed_lengths(const std::vector<std::size_t>& lengths) {
    for (const std::size_t n : lengths) {
      offsets.push_back(offsets.back() + static_cast<std::int32_t>(n));
      example.push_back(static_cast<std::uint32_t>(500 + 7 * example.size()));
      longest = std::max(longest, n);
      pairs += n * n;
    }
  }
  [[nodiscard]] std::size_t tokens() const { return static_cast<std::size_t>(offsets.back()); }
  [[nodiscard]] std::size_t count() const { return example.size(); }
  template <class B>
  packed_sequences in(rig<B>& r, bool with_example) const {
    return {r.in(offsets), with_example ? r.in(example) : view<const std::uint32_t>{}, longest,
            pairs};
  }
};

struct attention_shape {
  std::vector<std::size_t> lengths;
  std::size_t heads, size;
};

/// Lengths 0 and 1, one sequence and many, and a sequence beyond the tiles; sizes of a head from 1.
[[nodiscard]] inline std::vector<attention_shape> attention_shapes() {
  return {{{1}, 1, 1},         {{5}, 3, 5},      {{1, 7, 3, 1, 12}, 2, 8}, {{3, 0, 2}, 2, 3},
          {{2, 33, 1}, 3, 32}, {{17, 4}, 2, 64}, {{70, 1, 131}, 2, 16}};
}

enum class factor_rows { none, one, each };

struct attention_case : verb_case {
  packed_lengths packed;
  std::size_t heads;
  factor_rows rows;
  double rate;
  bool keep = true;  ///< ungated and log_sum wanted

  attention_case(const attention_shape& s, factor_rows f, double dropout_rate)
      : packed{s.lengths}, heads{s.heads}, rows{f}, rate{dropout_rate} {
    const std::size_t width = s.heads * s.size;
    inputs = {{"qkv", random_matrix(packed.tokens(), 3 * width, 51)}};
    if (f != factor_rows::none) {
      inputs["factors"] = random_matrix(f == factor_rows::one ? 1 : packed.count(), heads, 52);
      inputs["factors"].values[0] = 0.0;  // a head that is pruned
    }
    cotangents = {{"context", random_matrix(packed.tokens(), width, 53)}};
    terms = static_cast<double>(packed.longest + s.size);
    magnitude = 3.0;  // the scores: an error of theirs is relative in the probabilities
  }

  [[nodiscard]] dropout_bits drop() const { return {{0xabcdef01, 99}, rate}; }
  [[nodiscard]] std::size_t width() const { return inputs.at("qkv").cols / 3; }

  template <class B>
  attention<typename B::activation> perform_forward(rig<B>& r, const matrices& from) const {
    attention<typename B::activation> v;
    v.qkv = r.in(from.at("qkv"));
    v.heads = heads;
    v.sequences = packed.in(r, rate > 0.0);
    v.factors = r.in(rows == factor_rows::none ? matrix{} : from.at("factors"));
    v.drop = drop();
    v.context = r.out("context", packed.tokens(), width());
    v.ungated = r.out("ungated", keep ? packed.tokens() : 0, width());
    v.log_sum = r.out("log_sum", keep ? packed.tokens() : 0, heads);
    r.perform(v);
    return v;
  }

  template <class B>
  results forward(B& b, const matrices& from) const {
    rig<B> r{b};
    perform_forward(r, from);
    return r.finish();
  }

  template <class B>
  results backward(B& b, const matrices& from) const {
    using A = typename B::activation;
    rig<B> r{b};
    const auto v = perform_forward(r, from);
    const auto dcontext = r.in(cotangents.at("context"));
    r.perform(attention_backward<A>{.qkv = v.qkv,
                                    .heads = heads,
                                    .sequences = v.sequences,
                                    .factors = v.factors,
                                    .drop = v.drop,
                                    .context = v.context,
                                    .log_sum = v.log_sum,
                                    .dcontext = dcontext,
                                    .dqkv = r.out("dqkv", packed.tokens(), 3 * width())});
    r.perform(
        head_dots<A>{.a = v.ungated, .b = dcontext, .dots = r.out("dots", packed.tokens(), heads)});
    results found = r.finish();
    if (rows != factor_rows::none) found["dfactors"] = factor_gradient(found.at("dots"));
    return found;
  }

  /// The gradient of a factor: the dots of the tokens that it multiplies, summed.
  [[nodiscard]] std::vector<double> factor_gradient(const std::vector<double>& dots) const {
    std::vector<double> gradient(inputs.at("factors").values.size());
    for (std::size_t b = 0; b < packed.count(); ++b) {
      const auto end = static_cast<std::size_t>(packed.offsets[b + 1]);
      for (auto t = static_cast<std::size_t>(packed.offsets[b]); t < end; ++t) {
        for (std::size_t h = 0; h < heads; ++h) {
          gradient[(rows == factor_rows::one ? 0 : b) * heads + h] += dots[t * heads + h];
        }
      }
    }
    return gradient;
  }
};

struct attention_statistics_case : verb_case {
  packed_lengths packed;
  std::size_t heads;
  bool entropy = true, probabilities = true;

  explicit attention_statistics_case(const attention_shape& s) : packed{s.lengths}, heads{s.heads} {
    inputs = {{"qkv", random_matrix(packed.tokens(), 3 * s.heads * s.size, 55)}};
    start = {{"entropy", random_matrix(heads, 1, 56)}};
    terms = static_cast<double>(packed.longest + s.size);
    magnitude = 3.0;
  }

  template <class B>
  results forward(B& b, const matrices& from) const {
    rig<B> r{b};
    attention_statistics<typename B::activation> v;
    v.qkv = r.in(from.at("qkv"));
    v.heads = heads;
    v.sequences = packed.in(r, false);
    v.entropy = r.inout_double("entropy", entropy ? start.at("entropy") : matrix{});
    v.probabilities = r.out("probabilities", probabilities ? heads * packed.pairs : 0, 1);
    r.perform(v);
    return r.finish();
  }
};

/// With all scores equal and the values of token j the j-th unit vector, context shows which
/// probabilities were dropped: the same ones on every backend.
template <class Factory>
void check_attention_dropped() {
  const std::size_t n = 11, heads = 3;
  attention_case c{{{n, n - 1}, heads, n}, factor_rows::none, 0.4};
  matrix& qkv = c.inputs["qkv"];
  for (std::size_t t = 0; t < qkv.rows; ++t) {
    for (std::size_t i = 0; i < qkv.cols; ++i) {
      const bool value = i >= 2 * heads * n && (i - 2 * heads * n) % n == t % n;
      qkv.values[t * qkv.cols + i] = value ? 1.0 : 0.0;
    }
  }
  auto b = Factory::make(1);
  reference_backend<double> reference;
  const auto found = c.forward(b, c.inputs).at("context");
  const auto expected = c.forward(reference, c.inputs).at("context");
  bool same = found.size() == expected.size();
  for (std::size_t i = 0; same && i < found.size(); ++i) {
    same = (found[i] == 0.0) == (expected[i] == 0.0);
  }
  CHECK(same);
}

template <class Factory, class Check>
void for_attention_options(const attention_shape& s, Check&& check) {
  for (const double rate : {0.0, 0.3}) {
    for (const auto f : {factor_rows::none, factor_rows::one, factor_rows::each}) {
      INFO(s.lengths.size() << " sequences, " << s.heads << " heads of " << s.size << ", rate "
                            << rate << ", factors " << static_cast<int>(f));
      check(attention_case{s, f, rate});
    }
  }
}

template <class Factory>
void attention_conforms() {
  // Scores of several thousands: an exponential of one overflows even a double. Most probabilities
  // are 0 there, some in double too: 0 ln 0 adds nothing to an entropy.
  const auto extreme = [](auto c) {
    matrix& qkv = c.inputs["qkv"];
    for (std::size_t i = 0; i < qkv.values.size(); ++i) {
      if (i % qkv.cols < 2 * qkv.cols / 3) qkv.values[i] *= 64.0;
    }
    c.magnitude = 20000.0;
    return c;
  };
  SECTION("attention") {
    for (const auto& s : attention_shapes()) {
      for_attention_options<Factory>(s, [](auto c) {
        check_forward<Factory>(c);
        c.keep = false;
        check_forward<Factory>(c);
      });
    }
    check_forward<Factory>(extreme(attention_case{{{9, 4}, 2, 8}, factor_rows::one, 0.0}));
    check_attention_dropped<Factory>();
  }
  SECTION("attention_backward and head_dots") {
    for (const auto& s : attention_shapes()) {
      for_attention_options<Factory>(s, [](const auto& c) { check_backward<Factory>(c); });
    }
    for_attention_options<Factory>({{1, 4, 0, 3}, 2, 3},
                                   [](const auto& c) { check_gradient<Factory>(c); });
    check_backward<Factory>(extreme(attention_case{{{9, 4}, 2, 8}, factor_rows::one, 0.0}));
  }
  SECTION("attention_statistics") {
    for (const auto& s : attention_shapes()) {
      INFO(s.lengths.size() << " sequences, " << s.heads << " heads of " << s.size);
      attention_statistics_case c{s};
      check_forward<Factory>(c);
      c.entropy = false;
      check_forward<Factory>(c);
      c.entropy = true, c.probabilities = false;
      check_forward<Factory>(c);
    }
    check_forward<Factory>(extreme(attention_statistics_case{{{9, 4}, 2, 8}}));
  }
}

}  // namespace tombola::test
