#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include <Eigen/Core>

namespace tombola::eigen {

/// Which operand of a product is read transposed. Matrices are row-major.
enum class form {
  nn,  ///< c += alpha a b      a: [m, k]  b: [k, n]
  nt,  ///< c += alpha a b^T    a: [m, k]  b: [n, k]
  tn,  ///< c += alpha a^T b    a: [k, m]  b: [k, n]
};

/// Sizes of a product c[m, n] += ... with k the dimension that is summed over.
struct extents {
  std::size_t m = 0, n = 0, k = 0;
};

/// A matrix inside a larger one: its first number, and how far apart its rows begin.
template <class T>
struct block {
  T* data = nullptr;
  std::size_t stride = 0;
};

/// A GEMM policy: how the product of one tile is computed. It is the only thing that a BLAS changes
/// in this backend.
///
/// p.add<F>(e, alpha, a, b, c, workspace) adds alpha times the product to c;
/// p.put<F>(e, a, b, c, workspace) writes the product over c, which may hold anything before.
/// Laws: a policy is a value, and several threads call one at once; a call runs on the calling
/// thread alone; the bits of c depend on the arguments only, not on addresses, threads or earlier
/// calls; does not allocate (a library behind it may, and where it cannot the call throws
/// runtime_failure: a product is complete or the step ends); workspace holds workspace<T>()
/// numbers, aligned to 64 bytes.
/// Model: eigen_products.
template <class P, class T>
concept products = std::copyable<P> &&
    requires(const P& p, extents e, T alpha, block<const T> a, block<T> c, T* workspace) {
  { p.template workspace<T>() } -> std::same_as<std::size_t>;
  p.template add<form::nn>(e, alpha, a, a, c, workspace);
  p.template add<form::nt>(e, alpha, a, a, c, workspace);
  p.template add<form::tn>(e, alpha, a, a, c, workspace);
  p.template put<form::nn>(e, a, a, c, workspace);
  p.template put<form::nt>(e, a, a, c, workspace);
  p.template put<form::tn>(e, a, a, c, workspace);
};

/// A policy that rounds both operands of large products to 16 bits, the sums staying in T.
///
/// p.rounds(whole) says whether a product of these sizes is large enough, before it is cut into
/// tiles; p.round(from, n, to) rounds n numbers; p.add_rounded<F>(e, a, b, c) and
/// p.put_rounded<F>(e, a, b, c) are as add with alpha 1 and put, of a tile of rounded operands.
/// Rounding is done once for a product, not once for each tile. Laws as those of products.
template <class P, class T>
concept rounding_products = products<P, T> && requires(const P& p,
                                                       extents e,
                                                       const T* from,
                                                       std::uint16_t* to,
                                                       block<const std::uint16_t> a,
                                                       block<T> c) {
  { p.rounds(e) } -> std::same_as<bool>;
  p.round(from, std::size_t{}, to);
  p.template add_rounded<form::nn>(e, a, a, c);
  p.template add_rounded<form::nt>(e, a, a, c);
  p.template add_rounded<form::tn>(e, a, a, c);
  p.template put_rounded<form::nn>(e, a, a, c);
  p.template put_rounded<form::nt>(e, a, a, c);
  p.template put_rounded<form::tn>(e, a, a, c);
};

/// Eigen's own product kernels.
///
/// Eigen's product expressions would start threads of their own when called from a team of one,
/// take their packing buffers from the heap, and cut the inner dimension by the caches that they
/// find. So this calls the routine below them with blocks of a fixed size. The name is internal to
/// Eigen: written for 3.4, and a change of its signature does not compile.
struct eigen_products {
  /// Blocks of the packed operands, in numbers: the one for rows of the result's transpose sits in
  /// the second-level cache, slivers of the other go through the first level.
  static constexpr std::size_t inner = 256, columns = 240, rows = 512;

  template <class T>
  [[nodiscard]] static constexpr std::size_t workspace() noexcept {
    return inner * (columns + rows);
  }

  template <form F, class T>
  static void add(
      extents e, T alpha, block<const T> a, block<const T> b, block<T> c, T* workspace) {
    if (e.m == 0 || e.n == 0 || e.k == 0) return;
    constexpr int order_a = F == form::tn ? Eigen::ColMajor : Eigen::RowMajor;
    constexpr int order_b = F == form::nt ? Eigen::ColMajor : Eigen::RowMajor;
    using routine =
        Eigen::internal::general_matrix_matrix_product<Eigen::Index, T, order_a, false, T, order_b,
                                                       false, Eigen::RowMajor, 1>;
    const auto index = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
    blocking<T> blocks{e, workspace};
    routine::run(index(e.m), index(e.n), index(e.k), a.data, index(a.stride), b.data,
                 index(b.stride), c.data, 1, index(c.stride), alpha, blocks);
  }

  /// Eigen has no overwriting routine.
  template <form F, class T>
  static void put(extents e, block<const T> a, block<const T> b, block<T> c, T* workspace) {
    for (std::size_t i = 0; i < e.m; ++i) std::fill_n(c.data + i * c.stride, e.n, T{0});
    add<F>(e, T{1}, a, b, c, workspace);
  }

private:
  /// Eigen's description of its packed blocks. It computes the transpose of a row-major result, so
  /// that its A is our b. The inner dimension is cut into equal parts, whatever the machine.
  template <class T>
  class blocking : public Eigen::internal::level3_blocking<T, T> {
  public:
    blocking(extents e, T* workspace) {
      const std::size_t parts = (e.k + inner - 1) / inner;
      const std::size_t part = (e.k + parts - 1) / parts;
      this->m_kc = static_cast<Eigen::Index>(std::min(inner, (part + 7) / 8 * 8));
      this->m_mc = static_cast<Eigen::Index>(std::min(columns, e.n));
      this->m_nc = static_cast<Eigen::Index>(std::min(rows, e.m));
      this->m_blockA = workspace;
      this->m_blockB = workspace + inner * columns;
    }
  };
};

static_assert(products<eigen_products, float>);
static_assert(products<eigen_products, double>);

}  // namespace tombola::eigen
