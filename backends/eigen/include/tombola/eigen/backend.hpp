#pragma once

#include <concepts>
#include <utility>

#include "tombola/backend/backend.hpp"
#include "tombola/backend/host_storage.hpp"
#include "tombola/eigen/attention.hpp"
#include "tombola/eigen/elementwise.hpp"
#include "tombola/eigen/embedding.hpp"
#include "tombola/eigen/linear.hpp"
#include "tombola/eigen/optimiser.hpp"
#include "tombola/eigen/products.hpp"
#include "tombola/eigen/rowwise.hpp"
#include "tombola/eigen/workers.hpp"

namespace tombola::eigen {

/// The portable backend: host memory, Eigen's products on fixed tiles, OpenMP threads.
///
/// Parameters and activations are both T. Products is the GEMM policy, see products.hpp.
/// The same bits whatever the number of threads, per machine, policy and compiler flags.
/// A verb is done when run() returns. One call at a time: threads that compute at once need a
/// backend each. Scratch grows to what the largest batch needs and is kept.
template <class T = float, class Products = eigen_products>
requires(std::same_as<T, float> || std::same_as<T, double>) && products<Products, T> class backend
    : public host_storage {
public:
  using parameter = T;
  using activation = T;

  /// Throws input_error unless threads is at least 1. Without OpenMP one thread does everything.
  explicit backend(int threads, Products product = Products{})
      : workers_{threads, std::move(product)} {}

  [[nodiscard]] int threads() const noexcept { return workers_.threads(); }
  [[nodiscard]] const Products& product() const noexcept { return workers_.product(); }

  /// Computes a verb whose check() has passed; perform() calls both.
  template <class Verb>
  requires requires(workers<T, Products>& w, const Verb& v) { compute(w, v); }
  void run(const Verb& verb) { compute(workers_, verb); }

private:
  workers<T, Products> workers_;
};

static_assert(tombola::backend<backend<float>>);
static_assert(tombola::backend<backend<double>>);

}  // namespace tombola::eigen
