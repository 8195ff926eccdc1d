#pragma once

#include <string>

#include "tombola/backend/precision.hpp"
#include "tombola/core/error.hpp"
#include "tombola/eigen/backend.hpp"

// What this project's own programs compute on where oneDNN is not there, or not wanted.

namespace tombola {

using default_backend = eigen::backend<float>;

/// Throws input_error for bfloat16.
[[nodiscard]] inline default_backend make_default_backend(int threads, product_precision p) {
  if (p != product_precision::float32) {
    throw input_error(
        "precision bfloat16: this program was built with Eigen's products, expected float32");
  }
  return default_backend{threads};
}

/// Of the precisions that there are.
[[nodiscard]] inline product_precision faster_precision(int) {
  return product_precision::float32;
}

[[nodiscard]] inline std::string default_products_in_words() {
  return "Eigen " + std::to_string(EIGEN_WORLD_VERSION) + '.' +
         std::to_string(EIGEN_MAJOR_VERSION) + '.' + std::to_string(EIGEN_MINOR_VERSION);
}

}  // namespace tombola
