#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/core/detail/compare_magnitudes.hpp"
#include "tombola/io/dtype.hpp"

namespace tombola::checkpoint::detail {

// Magnitudes as integers that order as they do: the bits of the float without its sign, in the
// narrowest type that holds all of the weights that are ranked together. 16 bits where all are of
// one half type, 32 where none is wider than F32, else 64. Widening is exact.

template <class Key>
inline constexpr Key infinite_key = std::same_as<Key, std::uint32_t>
                                        ? static_cast<Key>(0x7F800000U)
                                        : static_cast<Key>(0x7FF0000000000000U);

/// The bits of an element, from any address.
template <class T>
[[nodiscard]] T element(std::span<const std::byte> bytes, std::size_t i) noexcept {
  return io::detail::load<T>(bytes.data() + i * sizeof(T));
}

/// Calls f(key_of), where key_of(i) is the key of element i of these bytes. Precondition: Key holds
/// the type; 16 bits hold both half types, but not one beside the other.
template <class Key, class F>
void with_keys(io::dtype type, std::span<const std::byte> bytes, F f) {
  constexpr std::uint16_t half = 0x7FFF;
  if constexpr (std::same_as<Key, std::uint16_t>) {
    f([bytes](std::size_t i) { return static_cast<Key>(element<std::uint16_t>(bytes, i) & half); });
  } else {
    const auto widened = [](float x) -> Key {
      if constexpr (std::same_as<Key, std::uint32_t>) {
        return std::bit_cast<std::uint32_t>(x);
      } else {
        return std::bit_cast<std::uint64_t>(static_cast<double>(x));
      }
    };
    switch (type) {
      case io::dtype::bf16:
        return f([bytes, widened](std::size_t i) {
          return widened(io::bfloat_to_float(element<std::uint16_t>(bytes, i) & half));
        });
      case io::dtype::f16:
        return f([bytes, widened](std::size_t i) {
          return widened(io::half_to_float(element<std::uint16_t>(bytes, i) & half));
        });
      case io::dtype::f32:
        return f([bytes, widened](std::size_t i) {
          return widened(std::bit_cast<float>(element<std::uint32_t>(bytes, i) &
                                              tombola::detail::magnitude_bits));
        });
      default:
        if constexpr (std::same_as<Key, std::uint64_t>) {
          return f([bytes](std::size_t i) {
            return element<std::uint64_t>(bytes, i) & ~(std::uint64_t{1} << 63);
          });
        }
    }
  }
}

/// The key of infinity: what is above it is NaN.
template <class Key>
[[nodiscard]] Key infinity_of(io::dtype type) noexcept {
  if constexpr (std::same_as<Key, std::uint16_t>) {
    return type == io::dtype::bf16 ? 0x7F80 : 0x7C00;
  } else {
    return infinite_key<Key>;
  }
}

/// Bytes of the narrowest key for these weights: 2, 4 or 8.
[[nodiscard]] inline std::size_t key_bytes(const source& from, std::span<const weights> all) {
  bool bf16 = false, f16 = false, f32 = false;
  for (const weights& w : all) {
    const io::dtype type = from.tensors()[w.tensor].type;
    if (type == io::dtype::f64) return 8;
    bf16 = bf16 || type == io::dtype::bf16;
    f16 = f16 || type == io::dtype::f16;
    f32 = f32 || type == io::dtype::f32;
  }
  return f32 || (bf16 && f16) ? 4 : 2;
}

}  // namespace tombola::checkpoint::detail
