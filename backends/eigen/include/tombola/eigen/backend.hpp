#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

#include "tombola/backend/backend.hpp"
#include "tombola/backend/host_buffer.hpp"
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
requires(std::same_as<T, float> || std::same_as<T, double>) && products<Products, T> class backend {
public:
  using parameter = T;
  using activation = T;

  /// Throws input_error unless threads is at least 1. Without OpenMP one thread does everything.
  explicit backend(int threads) : workers_{threads} {}

  [[nodiscard]] int threads() const noexcept { return workers_.threads(); }

  /// n zeros. Throws runtime_failure where the memory is not there.
  template <class U>
  [[nodiscard]] host_buffer<U> allocate(std::size_t n) {
    return host_buffer<U>{n};
  }

  /// Host to backend. Throws shape_error unless both have the same count, as do read and copy.
  template <class U>
  void write(std::span<const std::type_identity_t<U>> host, view<U> to) {
    require_length(to, host.size(), "write", "destination");
    std::copy(host.begin(), host.end(), to.data);
  }

  /// Backend to host.
  template <class U>
  void read(view<U> from, std::span<std::remove_const_t<U>> host) {
    require_length(from, host.size(), "read", "source");
    std::copy_n(from.data, host.size(), host.begin());
  }

  template <class U>
  void copy(view<const std::type_identity_t<U>> from, view<U> to) {
    require_length(to, from.size(), "copy", "destination");
    std::copy_n(from.data, from.size(), to.data);
  }

  template <class U>
  void fill(view<U> to, std::type_identity_t<U> value) {
    std::fill_n(to.data, to.size(), value);
  }

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
