#pragma once

#include <string>

#include "backends/default/product_rate.hpp"

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

/// bfloat16 where its products run at more than 1.2 times the rate of float32's on this processor,
/// which is measured: some have the instructions and are slower for them.
[[nodiscard]] inline product_precision faster_precision(int threads) {
  auto plain = make_default_backend(threads, product_precision::float32);
  try {
    auto rounded = make_default_backend(threads, product_precision::bfloat16);
    const auto rate = [](default_backend& b) { return product_rate(b, 768, 4); };
    return rate(rounded) > 1.2 * rate(plain) ? product_precision::bfloat16
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
