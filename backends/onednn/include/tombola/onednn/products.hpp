#pragma once

#include <cstddef>
#include <cstdint>

#include <oneapi/dnnl/dnnl.h>

#include "tombola/backend/precision.hpp"
#include "tombola/eigen/products.hpp"
#include "tombola/onednn/bfloat16.hpp"
#include "tombola/onednn/one_thread.hpp"

namespace tombola::onednn {

/// A GEMM policy over oneDNN (eigen::products says what it owes), for float.
///
/// In bfloat16 the products of linear layers are rounded, those above `least_rounded`
/// multiplications: small ones and those of attention win nothing by it. Parameters, sums, norms
/// and activations are float32 in memory. oneDNN allocates its packing buffers itself; nothing else
/// does. The bits depend on the version of oneDNN and on the instruction set that it finds.
class products {
public:
  /// Below this many multiplications Eigen's kernels, which are inlined, are faster.
  static constexpr std::size_t least = std::size_t{1} << 15;
  /// Below this many, products in bfloat16 stay in float32.
  static constexpr std::size_t least_rounded = std::size_t{1} << 20;

  /// Throws input_error where bfloat16 is asked for and the processor, or this oneDNN, has no
  /// products of it.
  explicit products(product_precision p = product_precision::float32)
      : rounded_{p == product_precision::bfloat16 ? rounded_products{} : rounded_products::none()} {
  }

  [[nodiscard]] product_precision precision() const noexcept {
    return rounded_.there() ? product_precision::bfloat16 : product_precision::float32;
  }

  template <class T>
  [[nodiscard]] static constexpr std::size_t workspace() noexcept {
    return eigen::eigen_products::workspace<T>();
  }

  template <eigen::form F>
  void add(eigen::extents e,
           float alpha,
           eigen::block<const float> a,
           eigen::block<const float> b,
           eigen::block<float> c,
           float* workspace) const {
    if (is_small(e)) {
      eigen::eigen_products::add<F>(e, alpha, a, b, c, workspace);
    } else {
      multiply<F>(e, alpha, a, b, 1.0F, c);
    }
  }

  template <eigen::form F>
  void put(eigen::extents e,
           eigen::block<const float> a,
           eigen::block<const float> b,
           eigen::block<float> c,
           float* workspace) const {
    if (is_small(e)) {
      eigen::eigen_products::put<F>(e, a, b, c, workspace);
    } else {
      multiply<F>(e, 1.0F, a, b, 0.0F, c);
    }
  }

  [[nodiscard]] bool rounds(eigen::extents whole) const noexcept {
    return rounded_.there() && whole.m * whole.n * whole.k >= least_rounded;
  }

  static void round(const float* from, std::size_t n, std::uint16_t* to) noexcept {
    for (std::size_t i = 0; i < n; ++i) to[i] = rounded(from[i]);
  }

  template <eigen::form F>
  void add_rounded(eigen::extents e,
                   eigen::block<const std::uint16_t> a,
                   eigen::block<const std::uint16_t> b,
                   eigen::block<float> c) const {
    const one_thread guard;
    rounded_.multiply<F>(e, a, b, true, c);
  }

  template <eigen::form F>
  void put_rounded(eigen::extents e,
                   eigen::block<const std::uint16_t> a,
                   eigen::block<const std::uint16_t> b,
                   eigen::block<float> c) const {
    const one_thread guard;
    rounded_.multiply<F>(e, a, b, false, c);
  }

private:
  [[nodiscard]] static bool is_small(eigen::extents e) noexcept { return e.m * e.n * e.k < least; }

  /// c = beta c + alpha a b. With beta 0 c is not read.
  template <eigen::form F>
  static void multiply(eigen::extents e,
                       float alpha,
                       eigen::block<const float> a,
                       eigen::block<const float> b,
                       float beta,
                       eigen::block<float> c) {
    const one_thread guard;
    const auto size = [](std::size_t n) { return static_cast<dnnl_dim_t>(n); };
    const dnnl_status_t status =
        dnnl_sgemm(F == eigen::form::tn ? 'T' : 'N', F == eigen::form::nt ? 'T' : 'N', size(e.m),
                   size(e.n), size(e.k), alpha, a.data, size(a.stride), b.data, size(b.stride),
                   beta, c.data, size(c.stride));
    if (status != dnnl_success) throw failed_product(e, dnnl_status2str(status));
  }

  rounded_products rounded_;
};

static_assert(eigen::rounding_products<products, float>);

}  // namespace tombola::onednn
