#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "tombola/backend/forward.hpp"

// How fast this processor multiplies, for the choice of a precision and for benchmarks.

namespace tombola {

/// GFLOP/s of a feed-forward layer's product of BERT-base over so many rows, the best of a few.
template <class B>
[[nodiscard]] double product_rate(B& b, std::size_t rows, int repetitions) {
  constexpr std::size_t outputs = 3072, inputs = 768;
  const std::vector<float> x(rows * inputs, 0.5F), w(outputs * inputs, 0.25F);
  std::vector<float> y(rows * outputs);
  const linear<float> verb{
      {x.data(), rows, inputs}, {w.data(), outputs, inputs}, {}, {y.data(), rows, outputs}};
  double best = 0.0;
  for (int i = 0; i < repetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    perform(b, verb);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::max(best, 2e-9 * static_cast<double>(rows * outputs * inputs) / taken.count());
  }
  return best;
}

}  // namespace tombola
