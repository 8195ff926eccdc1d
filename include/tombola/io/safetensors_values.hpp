#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/dtype.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::io {

/// A number that a tensor can be read as and written from without loss: the floats of 4 and 8
/// bytes, and the integers of 1 to 8.
template <class T>
concept tensor_number = std::same_as<T, float> || std::same_as<T, double> ||
    std::same_as<T, std::int8_t> || std::same_as<T, std::int16_t> ||
    std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t> ||
    std::same_as<T, std::uint8_t> || std::same_as<T, std::uint16_t> ||
    std::same_as<T, std::uint32_t> || std::same_as<T, std::uint64_t>;

/// The type that T is in a file.
template <tensor_number T>
[[nodiscard]] constexpr dtype dtype_of() noexcept {
  if constexpr (std::floating_point<T>) return sizeof(T) == 8 ? dtype::f64 : dtype::f32;
  constexpr std::size_t place = sizeof(T) == 1 ? 3 : sizeof(T) == 2 ? 2 : sizeof(T) == 4 ? 1 : 0;
  constexpr dtype with_sign[]{dtype::i64, dtype::i32, dtype::i16, dtype::i8};
  constexpr dtype without[]{dtype::u64, dtype::u32, dtype::u16, dtype::u8};
  return std::is_signed_v<T> ? with_sign[place] : without[place];
}

namespace detail {

/// x as T where T holds exactly it.
template <tensor_number T, class From>
[[nodiscard]] bool holds_exactly(From x, T& to) noexcept {
  if constexpr (std::integral<T> && std::integral<From>) {
    if (!std::in_range<T>(x)) return false;
    to = static_cast<T>(x);
    return true;
  } else if constexpr (std::integral<T>) {
    // 2^digits is a float exactly, T's largest number may not be.
    const From end =
        static_cast<From>(std::uint64_t{1} << (std::numeric_limits<T>::digits - 1)) * 2;
    if (!(x >= (std::is_signed_v<T> ? -end : From{0}) && x < end)) return false;
    to = static_cast<T>(x);
    return static_cast<From>(to) == x;
  } else if constexpr (std::integral<From>) {
    // There and back, but never past the integer's end: 2^64 - 1 becomes 2^64 as a float.
    to = static_cast<T>(x);
    From back{};
    return holds_exactly<From>(to, back) && back == x;
  } else {
    to = static_cast<T>(x);
    return static_cast<From>(to) == x || x != x;
  }
}

template <class From, tensor_number T, class Convert>
void exact_values(const tensor_entry& t, std::vector<T>& values, Convert convert) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto x = convert(load<From>(t.bytes.data() + i * sizeof(From)));
    if (!holds_exactly(x, values[i])) {
      throw format_error("tensor " + shown(t.name),
                         "element " + std::to_string(i) + " is " + shown(x) + ", which " +
                             std::string{info(dtype_of<T>()).name} + " does not hold exactly");
    }
  }
}

}  // namespace detail

/// All elements of a tensor of any type as T, row-major, none of them changed: F64 as double and
/// I32 as std::int32_t always, wider or other types where every element fits. NaN is NaN of any
/// float.
///
/// Throws format_error, naming tensor, element and number, at the first that T does not hold
/// exactly. Cost: one pass.
template <tensor_number T>
[[nodiscard]] std::vector<T> values_as(const tensor_entry& t) {
  std::vector<T> values(t.size());
  const auto as_is = [](auto x) { return x; };
  switch (t.type) {
    case dtype::f64:
      detail::exact_values<double>(t, values, as_is);
      break;
    case dtype::f32:
      detail::exact_values<float>(t, values, as_is);
      break;
    case dtype::f16:
      detail::exact_values<std::uint16_t>(t, values, half_to_float);
      break;
    case dtype::bf16:
      detail::exact_values<std::uint16_t>(t, values, bfloat_to_float);
      break;
    case dtype::i64:
      detail::exact_values<std::int64_t>(t, values, as_is);
      break;
    case dtype::i32:
      detail::exact_values<std::int32_t>(t, values, as_is);
      break;
    case dtype::i16:
      detail::exact_values<std::int16_t>(t, values, as_is);
      break;
    case dtype::i8:
      detail::exact_values<std::int8_t>(t, values, as_is);
      break;
    case dtype::u64:
      detail::exact_values<std::uint64_t>(t, values, as_is);
      break;
    case dtype::u32:
      detail::exact_values<std::uint32_t>(t, values, as_is);
      break;
    case dtype::u16:
      detail::exact_values<std::uint16_t>(t, values, as_is);
      break;
    case dtype::u8:
      detail::exact_values<std::uint8_t>(t, values, as_is);
      break;
    case dtype::boolean:
      detail::exact_values<std::uint8_t>(
          t, values, [](std::uint8_t b) { return static_cast<std::uint8_t>(b != 0 ? 1 : 0); });
      break;
  }
  return values;
}

/// A view of numbers, row-major, as a tensor for write_safetensors, which checks that they cover
/// the shape. The numbers must live until then.
template <tensor_number T>
[[nodiscard]] tensor_to_write tensor_of(std::string name,
                                        std::vector<std::size_t> shape,
                                        std::span<const T> values) {
  return {std::move(name), dtype_of<T>(), std::move(shape), std::as_bytes(values)};
}

}  // namespace tombola::io
