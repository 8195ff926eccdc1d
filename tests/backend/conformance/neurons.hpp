#pragma once

// scale_columns and neuron_dots: the gates of an MLP's neurons, and what they get.

#include <cmath>
#include <cstddef>
#include <vector>

#include "tests/backend/conformance/attention.hpp"
#include "tests/backend/conformance/compare.hpp"

namespace tombola::test {

/// y = gelu(pre) * factors, pre coming out of a product with the unit matrix.
struct neurons_case : verb_case {
  packed_lengths packed;

  neurons_case(std::vector<std::size_t> lengths, std::size_t neurons) : packed{std::move(lengths)} {
    inputs = {{"pre", random_matrix(packed.tokens(), neurons, 91)},
              {"factors", random_matrix(1, neurons, 92)}};
    inputs["factors"].values[0] = 0.0;  // a neuron that is pruned
    cotangents = {{"y", random_matrix(packed.tokens(), neurons, 93)}};
    terms = static_cast<double>(packed.tokens());
  }

  [[nodiscard]] std::size_t neurons() const { return inputs.at("pre").cols; }

  template <class B>
  view<typename B::activation> activate(rig<B>& r, const matrices& from) const {
    const std::size_t n = neurons();
    matrix unit = constant_matrix(n, n, 0.0);
    for (std::size_t i = 0; i < n; ++i) unit.values[i * n + i] = 1.0;
    const auto up = r.out("up", packed.tokens(), n);
    r.perform(linear_gelu<typename B::activation>{.x = r.in(from.at("pre")),
                                                  .weight = r.in(unit),
                                                  .bias = r.in(constant_matrix(n, 1, 0.0)),
                                                  .pre = {},
                                                  .y = up});
    return up;
  }

  template <class B>
  results forward(B& b, const matrices& from) const {
    using A = typename B::activation;
    rig<B> r{b};
    const auto up = activate(r, from);
    const auto y = in_place ? up : r.out("y", packed.tokens(), neurons());
    r.perform(scale_columns<A>{.x = up, .factors = r.in(from.at("factors")), .y = y});
    results found = r.finish();
    if (in_place) found["y"] = found.at("up");
    found.erase("up");
    return found;
  }

  template <class B>
  results backward(B& b, const matrices& from) const {
    using A = typename B::activation;
    rig<B> r{b};
    const auto pre = r.in(from.at("pre")), dy = r.in(cotangents.at("y"));
    const std::size_t T = packed.tokens(), n = neurons();
    const auto dup = r.out("dup", T, n);
    r.perform(scale_columns<A>{.x = dy, .factors = r.in(from.at("factors")), .y = dup});
    r.perform(gelu_backward<A>{.pre = pre, .dy = dup, .dpre = r.out("dpre", T, n)});
    r.perform(neuron_dots<A>{.pre = pre,
                             .dy = dy,
                             .sequences = packed.in(r, false),
                             .sums = r.out("sums", packed.count(), n),
                             .absolutes = r.out("absolutes", packed.count(), n)});
    results found = r.finish();
    found["dfactors"].assign(n, 0.0);
    for (std::size_t i = 0; i < found.at("sums").size(); ++i) {
      found["dfactors"][i % n] += found.at("sums")[i];
    }
    return found;
  }
};

template <class Factory>
void neurons_conform() {
  SECTION("scale_columns and neuron_dots") {
    for (const std::size_t n : sizes{1, 3, 64, 130}) {
      for (const bool in_place : {false, true}) {
        neurons_case c{{1, 5, 17}, n};
        c.in_place = in_place;
        INFO(n << " neurons" << (in_place ? " in place" : ""));
        check_forward<Factory>(c);
        check_backward<Factory>(c);
      }
    }
    check_gradient<Factory>(neurons_case{{2, 3}, 5});
  }
}

}  // namespace tombola::test
