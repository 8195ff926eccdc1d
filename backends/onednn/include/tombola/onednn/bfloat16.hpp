#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <oneapi/dnnl/dnnl.hpp>

#include "tombola/core/error.hpp"
#include "tombola/eigen/products.hpp"

namespace tombola::onednn {

/// The upper half of a float's bits, rounded to the nearest, ties to even. NaN stays NaN.
[[nodiscard]] inline std::uint16_t rounded(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t up = bits + 0x7FFFU + ((bits >> 16U) & 1U);
  const std::uint32_t quiet = bits | 0x0040'0000U;
  const bool nan = (bits & 0x7FFF'FFFFU) > 0x7F80'0000U;
  return static_cast<std::uint16_t>((nan ? quiet : up) >> 16U);
}

/// Products of bfloat16 numbers with float32 sums, by oneDNN's matmul with sizes given at each call:
/// one compiled program for each form, whatever the sizes.
///
/// A value that is cheap to copy; copies share the programs, which never change.
class rounded_products {
public:
  /// Operands are rounded in blocks of this many rows, columns and terms of a sum.
  static constexpr std::size_t rows = 384, columns = 384, depth = 1024;

  [[nodiscard]] static rounded_products none() noexcept { return rounded_products{nullptr}; }

  /// Throws input_error where there is no such product.
  rounded_products() : programs_{std::make_shared<const programs>()} {}

  [[nodiscard]] bool there() const noexcept { return programs_ != nullptr; }

  /// In floats.
  [[nodiscard]] static constexpr std::size_t workspace() noexcept {
    return (rows + columns) * depth / 2;
  }

  /// c += alpha a b, as eigen::products has it. Precondition: there().
  template <eigen::form F>
  void add(eigen::extents e,
           float alpha,
           eigen::block<const float> a,
           eigen::block<const float> b,
           eigen::block<float> c,
           float* workspace) const {
    auto* left = reinterpret_cast<std::uint16_t*>(workspace);
    std::uint16_t* right = left + rows * depth;
    constexpr bool deep_a = F == eigen::form::tn, wide_b = F != eigen::form::nt;
    for (std::size_t k = 0; k < e.k; k += depth) {
      const std::size_t terms = std::min(depth, e.k - k);
      for (std::size_t j = 0; j < e.n; j += columns) {
        const std::size_t n = std::min(columns, e.n - j);
        const float* from = b.data + (wide_b ? k * b.stride + j : j * b.stride + k);
        round_block(from, b.stride, wide_b ? terms : n, wide_b ? n : terms, 1.0F, right);
        for (std::size_t i = 0; i < e.m; i += rows) {
          const std::size_t m = std::min(rows, e.m - i);
          const float* start = a.data + (deep_a ? k * a.stride + i : i * a.stride + k);
          round_block(start, a.stride, deep_a ? terms : m, deep_a ? m : terms, alpha, left);
          multiply<F>({m, n, terms}, left, right, c.data + i * c.stride + j, c.stride);
        }
      }
    }
  }

private:
  struct programs {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    std::array<dnnl::matmul, 3> of;  ///< by form

    programs() {
      using dnnl::memory;
      constexpr auto any = DNNL_RUNTIME_DIM_VAL;
      const auto make = [&](bool transposed_a, bool transposed_b) {
        const auto by_rows = memory::dims{any, 1}, by_columns = memory::dims{1, any};
        const memory::desc a{
            {any, any}, memory::data_type::bf16, transposed_a ? by_columns : by_rows};
        const memory::desc b{
            {any, any}, memory::data_type::bf16, transposed_b ? by_columns : by_rows};
        const memory::desc c{{any, any}, memory::data_type::f32, by_rows};
        dnnl::post_ops sum;
        sum.append_sum(1.0F);
        dnnl::primitive_attr attributes;
        attributes.set_post_ops(sum);
        // Nothing of the program's own memory is shared by the threads that run it.
        attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        return dnnl::matmul{{{a, b, c}, attributes, engine}};
      };
      try {
        of = {make(false, false), make(false, true), make(true, false)};
      } catch (const dnnl::error& e) {
        throw input_error(std::string{"bfloat16: oneDNN has no such product on this processor: "} +
                          e.what());
      }
    }
  };

  explicit rounded_products(std::nullptr_t) noexcept {}

  static void round_block(const float* from,
                          std::size_t stride,
                          std::size_t lines,
                          std::size_t length,
                          float factor,
                          std::uint16_t* to) noexcept {
    for (std::size_t i = 0; i < lines; ++i) {
      const float* line = from + i * stride;
      for (std::size_t j = 0; j < length; ++j) to[i * length + j] = rounded(factor * line[j]);
    }
  }

  template <eigen::form F>
  void multiply(
      eigen::extents e, std::uint16_t* a, std::uint16_t* b, float* c, std::size_t stride) const {
    using dnnl::memory;
    const auto size = [](std::size_t n) { return static_cast<memory::dim>(n); };
    const memory::dim m = size(e.m), n = size(e.n), k = size(e.k);
    const auto half = memory::data_type::bf16;
    const memory::desc left{
        {m, k}, half, F == eigen::form::tn ? memory::dims{1, m} : memory::dims{k, 1}};
    const memory::desc right{
        {k, n}, half, F == eigen::form::nt ? memory::dims{1, k} : memory::dims{n, 1}};
    const memory::desc sum{{m, n}, memory::data_type::f32, {size(stride), 1}};
    dnnl::stream stream{programs_->engine};
    programs_->of[static_cast<std::size_t>(F)].execute(
        stream, {{DNNL_ARG_SRC, memory{left, programs_->engine, a}},
                 {DNNL_ARG_WEIGHTS, memory{right, programs_->engine, b}},
                 {DNNL_ARG_DST, memory{sum, programs_->engine, c}}});
    stream.wait();
  }

  std::shared_ptr<const programs> programs_;
};

}  // namespace tombola::onednn
