#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <oneapi/dnnl/dnnl.hpp>
#include <oneapi/dnnl/dnnl_debug.h>

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

/// What is thrown where oneDNN has not computed a product, mostly for want of memory.
[[nodiscard]] inline runtime_failure failed_product(eigen::extents e, const std::string& why) {
  return runtime_failure("oneDNN: a product of " + std::to_string(e.m) + " x " +
                         std::to_string(e.k) + " by " + std::to_string(e.k) + " x " +
                         std::to_string(e.n) + " was not computed: " + why);
}

/// Products of bfloat16 numbers with float32 sums, by oneDNN's matmul with sizes given at each
/// call: two compiled programs for each form, whatever the sizes.
///
/// A value that is cheap to copy; copies share the programs, which never change.
class rounded_products {
public:
  [[nodiscard]] static rounded_products none() noexcept { return rounded_products{nullptr}; }

  /// Throws input_error where there is no such product.
  rounded_products() : programs_{std::make_shared<const programs>()} {}

  [[nodiscard]] bool there() const noexcept { return programs_ != nullptr; }

  /// c += a b of rounded operands where `adds`, else c = a b. Precondition: there(). Throws
  /// runtime_failure where oneDNN fails.
  template <eigen::form F>
  void multiply(eigen::extents e,
                eigen::block<const std::uint16_t> a,
                eigen::block<const std::uint16_t> b,
                bool adds,
                eigen::block<float> c) const {
    try {
      execute(F, e, a, b, adds, c);
    } catch (const dnnl::error& error) {
      throw failed_product(e, dnnl_status2str(error.status));
    }
  }

private:
  void execute(eigen::form f,
               eigen::extents e,
               eigen::block<const std::uint16_t> a,
               eigen::block<const std::uint16_t> b,
               bool adds,
               eigen::block<float> c) const {
    using dnnl::memory;
    const auto size = [](std::size_t n) { return static_cast<memory::dim>(n); };
    const auto strides = [&](bool transposed, std::size_t stride) {
      return transposed ? memory::dims{1, size(stride)} : memory::dims{size(stride), 1};
    };
    const auto half = memory::data_type::bf16;
    const memory::dim m = size(e.m), n = size(e.n), k = size(e.k);
    const memory::desc left{{m, k}, half, strides(f == eigen::form::tn, a.stride)};
    const memory::desc right{{k, n}, half, strides(f == eigen::form::nt, b.stride)};
    const memory::desc sum{{m, n}, memory::data_type::f32, strides(false, c.stride)};
    // oneDNN takes operands as what could be written to, and reads them.
    const auto readable = [](const std::uint16_t* p) { return const_cast<std::uint16_t*>(p); };
    const auto& program = adds ? programs_->adding : programs_->overwriting;
    dnnl::stream stream{programs_->engine};
    program[static_cast<std::size_t>(f)].execute(
        stream, {{DNNL_ARG_SRC, memory{left, programs_->engine, readable(a.data)}},
                 {DNNL_ARG_WEIGHTS, memory{right, programs_->engine, readable(b.data)}},
                 {DNNL_ARG_DST, memory{sum, programs_->engine, c.data}}});
    stream.wait();
  }

  struct programs {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    std::array<dnnl::matmul, 3> adding, overwriting;  ///< by form

    programs() {
      using dnnl::memory;
      constexpr auto any = DNNL_RUNTIME_DIM_VAL;
      const auto make = [&](bool transposed_a, bool transposed_b, bool adds) {
        const auto by_rows = memory::dims{any, 1}, by_columns = memory::dims{1, any};
        const memory::desc a{
            {any, any}, memory::data_type::bf16, transposed_a ? by_columns : by_rows};
        const memory::desc b{
            {any, any}, memory::data_type::bf16, transposed_b ? by_columns : by_rows};
        const memory::desc c{{any, any}, memory::data_type::f32, by_rows};
        dnnl::post_ops sum;
        if (adds) sum.append_sum(1.0F);
        dnnl::primitive_attr attributes;
        attributes.set_post_ops(sum);
        // Nothing of the program's own memory is shared by the threads that run it.
        attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        return dnnl::matmul{{{a, b, c}, attributes, engine}};
      };
      try {
        for (const bool adds : {true, false}) {
          (adds ? adding : overwriting) = {make(false, false, adds), make(false, true, adds),
                                           make(true, false, adds)};
        }
      } catch (const dnnl::error& e) {
        throw input_error(std::string{"bfloat16: oneDNN has no such product on this processor: "} +
                          e.what());
      }
    }
  };

  explicit rounded_products(std::nullptr_t) noexcept {}

  std::shared_ptr<const programs> programs_;
};

}  // namespace tombola::onednn
