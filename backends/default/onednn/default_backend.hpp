#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "tombola/backend/precision.hpp"
#include "tombola/core/error.hpp"
#include "tombola/eigen/backend.hpp"
#include "tombola/onednn/products.hpp"

// What this project's own programs compute on where oneDNN is there.

namespace tombola {

using default_backend = eigen::backend<float, onednn::products>;

/// Throws input_error where bfloat16 is asked for and cannot be had.
[[nodiscard]] inline default_backend make_default_backend(int threads, product_precision p) {
  return default_backend{threads, onednn::products{p}};
}

/// GFLOP/s of a layer's product, the best of a few.
[[nodiscard]] inline double product_rate(default_backend& b) {
  constexpr std::size_t rows = 768, outputs = 3072, inputs = 768;
  const std::vector<float> x(rows * inputs, 0.5F), w(outputs * inputs, 0.25F);
  std::vector<float> y(rows * outputs);
  const linear<float> verb{
      {x.data(), rows, inputs}, {w.data(), outputs, inputs}, {}, {y.data(), rows, outputs}};
  double best = 0.0;
  for (int i = 0; i < 4; ++i) {
    const auto start = std::chrono::steady_clock::now();
    perform(b, verb);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::max(best, 2e-9 * static_cast<double>(rows * outputs * inputs) / taken.count());
  }
  return best;
}

/// bfloat16 where its products run at more than 1.2 times the rate of float32's on this processor,
/// which is measured: some have the instructions and are slower for them.
[[nodiscard]] inline product_precision faster_precision(int threads) {
  auto plain = make_default_backend(threads, product_precision::float32);
  try {
    auto rounded = make_default_backend(threads, product_precision::bfloat16);
    return product_rate(rounded) > 1.2 * product_rate(plain) ? product_precision::bfloat16
                                                             : product_precision::float32;
  } catch (const input_error&) {  // there are no such products here
    return product_precision::float32;
  }
}

[[nodiscard]] inline std::string default_products_in_words() {
  const dnnl_version_t* v = dnnl_version();
  return "oneDNN " + std::to_string(v->major) + '.' + std::to_string(v->minor) + '.' +
         std::to_string(v->patch);
}

}  // namespace tombola
