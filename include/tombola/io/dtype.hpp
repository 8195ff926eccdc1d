#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tombola::io {

static_assert(std::endian::native == std::endian::little,
              "tensor files hold little-endian numbers and are read in place");

/// Element types of a tensor file: those of safetensors that hold one number in whole bytes,
/// without the eight-bit floats.
enum class dtype : std::uint8_t {
  f64,
  f32,
  f16,
  bf16,
  i64,
  i32,
  i16,
  i8,
  u64,
  u32,
  u16,
  u8,
  boolean,
};

/// Name in a safetensors header and bytes of one element.
struct dtype_info {
  std::string_view name;
  std::size_t bytes;
};

namespace detail {
inline constexpr std::array<dtype_info, 13> dtypes{{{"F64", 8},
                                                    {"F32", 4},
                                                    {"F16", 2},
                                                    {"BF16", 2},
                                                    {"I64", 8},
                                                    {"I32", 4},
                                                    {"I16", 2},
                                                    {"I8", 1},
                                                    {"U64", 8},
                                                    {"U32", 4},
                                                    {"U16", 2},
                                                    {"U8", 1},
                                                    {"BOOL", 1}}};
}  // namespace detail

[[nodiscard]] constexpr dtype_info info(dtype t) noexcept {
  return detail::dtypes[static_cast<std::size_t>(t)];
}

/// The type of this name, such as `BF16`; nothing if it is none of ours.
[[nodiscard]] constexpr std::optional<dtype> dtype_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < detail::dtypes.size(); ++i) {
    if (detail::dtypes[i].name == name) return static_cast<dtype>(i);
  }
  return std::nullopt;
}

/// Bytes that a tensor takes; nothing where 64 bits do not hold them.
///
/// An extent of 0 makes the tensor empty, but does not excuse the others: a reader that multiplies
/// in another order would overflow.
[[nodiscard]] inline std::optional<std::uint64_t> byte_count(const std::vector<std::size_t>& shape,
                                                             dtype type) noexcept {
  std::uint64_t n = info(type).bytes;
  bool empty = false;
  for (const std::size_t e : shape) {
    if (e == 0) {
      empty = true;
    } else if (n > std::numeric_limits<std::uint64_t>::max() / e) {
      return std::nullopt;
    } else {
      n *= e;
    }
  }
  return empty ? 0 : n;
}

/// IEEE half precision, exactly: subnormals, infinities and NaN included.
[[nodiscard]] constexpr float half_to_float(std::uint16_t h) noexcept {
  const std::uint32_t sign = std::uint32_t{h & 0x8000U} << 16;
  const std::uint32_t exponent = (h >> 10) & 0x1FU;
  const std::uint32_t fraction = h & 0x3FFU;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1.0p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 0x1F ? 0xFFU : exponent + 112;  // 127 - 15
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

/// bfloat16 is the upper half of a float.
[[nodiscard]] constexpr float bfloat_to_float(std::uint16_t b) noexcept {
  return std::bit_cast<float>(std::uint32_t{b} << 16);
}

namespace detail {

/// One element as stored, from memory of any alignment.
template <class T>
[[nodiscard]] T load(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <class T, class Out, class Convert>
void convert_each(std::span<const std::byte> from, std::span<Out> to, Convert convert) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    to[i] = static_cast<Out>(convert(load<T>(from.data() + i * sizeof(T))));
  }
}

/// Numbers of type t as Out (float or double), each rounded once; values past a float's range
/// become infinite. Precondition: from.size() == to.size() * info(t).bytes.
template <class Out>
void convert(dtype t, std::span<const std::byte> from, std::span<Out> to) {
  const auto as_is = [](auto x) { return x; };
  switch (t) {
    case dtype::f64:
      return convert_each<double>(from, to, as_is);
    case dtype::f32:
      return convert_each<float>(from, to, as_is);
    case dtype::f16:
      return convert_each<std::uint16_t>(from, to, half_to_float);
    case dtype::bf16:
      return convert_each<std::uint16_t>(from, to, bfloat_to_float);
    case dtype::i64:
      return convert_each<std::int64_t>(from, to, as_is);
    case dtype::i32:
      return convert_each<std::int32_t>(from, to, as_is);
    case dtype::i16:
      return convert_each<std::int16_t>(from, to, as_is);
    case dtype::i8:
      return convert_each<std::int8_t>(from, to, as_is);
    case dtype::u64:
      return convert_each<std::uint64_t>(from, to, as_is);
    case dtype::u32:
      return convert_each<std::uint32_t>(from, to, as_is);
    case dtype::u16:
      return convert_each<std::uint16_t>(from, to, as_is);
    case dtype::u8:
      return convert_each<std::uint8_t>(from, to, as_is);
    case dtype::boolean:
      return convert_each<std::uint8_t>(from, to, [](std::uint8_t b) { return b != 0 ? 1 : 0; });
  }
}

}  // namespace detail

}  // namespace tombola::io
