#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/core/random.hpp"
#include "tombola/nn/parameters.hpp"

namespace tombola::nn {

/// Fresh values for one parameter: N(0, 0.02^2) for matrices, 0 for biases, 1 for the weights of
/// layer norms. A function of seed and index alone.
/// Source: Devlin et al., NAACL 2019, and the study (spec 1.1).
template <backend B>
void initialise(B& b, parameters<B>& p, std::size_t index, std::uint64_t seed) {
  using number = typename B::parameter;
  const slot& s = p.layout()[index];
  std::vector<number> values(s.size(), number{0});
  const std::string_view name = s.name;
  if (s.cols == 0 && name.ends_with(".weight")) {  // layer norms alone have such a vector
    values.assign(values.size(), number{1});
  } else if (s.cols != 0) {
    const random_stream normal{seed, purpose::initialisation, static_cast<std::uint32_t>(index)};
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<number>(0.02 * normal.normal(i));
    }
  }
  b.write(std::span<const number>{values}, p.stored(index));
}

/// Fresh values for all parameters.
template <backend B>
void initialise(B& b, parameters<B>& p, std::uint64_t seed) {
  for (std::size_t i = 0; i < p.layout().slots().size(); ++i) initialise(b, p, i, seed);
}

}  // namespace tombola::nn
