#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "tombola/backend/host_buffer.hpp"
#include "tombola/core/error.hpp"

namespace tombola::eigen {

/// The threads of a backend and the memory they work in.
///
/// Work is cut into pieces whose borders follow from the shapes alone; threads only decide who does
/// which piece and when. A piece writes what no other piece writes, so that the bits of a result do
/// not depend on the number of threads. Without OpenMP everything runs on the calling thread.
/// Products is the GEMM policy, see products.hpp.
template <class T, class Products>
class workers {
public:
  /// Throws input_error unless threads is at least 1.
  explicit workers(int threads, Products product = Products{})
      : threads_{threads}, product_{std::move(product)} {
    if (threads < 1) {
      throw input_error("eigen backend: " + std::to_string(threads) +
                        " threads, expected 1 or more");
    }
  }

  [[nodiscard]] int threads() const noexcept { return threads_; }
  [[nodiscard]] const Products& product() const noexcept { return product_; }

  /// Promises each thread n numbers of scratch in the next share(). They hold anything.
  /// Memory only grows: after the first batch of the largest size nothing is allocated any more.
  void plan(std::size_t n) {
    const std::size_t line = host_buffer<T>::alignment / sizeof(T);
    const std::size_t stride = (n + line - 1) / line * line;
    if (stride <= stride_) return;
    stride_ = 0;    // nothing is promised where the system has no memory
    scratch_ = {};  // first, so that old and new are never held together
    scratch_ = host_buffer<T>{stride * static_cast<std::size_t>(threads_)};
    stride_ = stride;
  }

  /// n numbers of 16 bits that all threads see, for operands that a policy rounds. They hold
  /// anything; memory only grows.
  [[nodiscard]] std::uint16_t* halves(std::size_t n) {
    if (halves_.size() < n) {
      halves_ = {};
      halves_ = host_buffer<std::uint16_t>{n};
    }
    return halves_.data();
  }

  /// n doubles for partial sums, one per piece; each piece sets its own, then the caller adds them
  /// in the order of the pieces.
  [[nodiscard]] double* slots(std::size_t n) {
    if (slots_.size() < n) slots_.resize(n);
    return slots_.data();
  }

  /// Calls piece(index, scratch) for every index below count, in any order. What a piece throws is
  /// thrown again when all have ended; of several, one.
  template <class Piece>
  void share(std::size_t count, const Piece& piece) {
#ifdef _OPENMP
    if (threads_ > 1 && count > 1) {
      const auto end = static_cast<std::ptrdiff_t>(count);
      const int team = static_cast<int>(std::min(count, static_cast<std::size_t>(threads_)));
      std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic) num_threads(team)
      for (std::ptrdiff_t i = 0; i < end; ++i) {
        const auto thread = static_cast<std::size_t>(omp_get_thread_num());
        try {
          piece(static_cast<std::size_t>(i), scratch_.data() + thread * stride_);
        } catch (...) {
#pragma omp critical(tombola_eigen_failure)
          failure = std::current_exception();
        }
      }
      if (failure) std::rethrow_exception(failure);
      return;
    }
#endif
    for (std::size_t i = 0; i < count; ++i) piece(i, scratch_.data());
  }

  /// Calls part(first, last, scratch) for ranges of `size` numbers that cover 0 to n - 1.
  template <class Part>
  void share_range(std::size_t n, std::size_t size, const Part& part) {
    share((n + size - 1) / size,
          [&](std::size_t i, T* scratch) { part(i * size, std::min(n, (i + 1) * size), scratch); });
  }

private:
  int threads_;
  Products product_;
  std::size_t stride_ = 0;
  host_buffer<T> scratch_;
  host_buffer<std::uint16_t> halves_;
  std::vector<double> slots_;
};

/// Pieces big enough that starting one costs little, small enough that two threads end together.
inline constexpr std::size_t elements_per_piece = 8192;

/// Rows of `cols` numbers to a piece: about elements_per_piece numbers.
[[nodiscard]] constexpr std::size_t rows_per_piece(std::size_t cols) noexcept {
  return std::max<std::size_t>(1, elements_per_piece / std::max<std::size_t>(1, cols));
}

}  // namespace tombola::eigen
