#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

namespace tombola::detail {

// Thresholding floats by magnitude, 64 at a time into the bits of a word: the innermost loop of
// magnitude selection. As in count_bits.hpp every instruction set has its own kernel, the processor
// is asked which it has, and all variants give the same bits.

inline constexpr std::uint32_t magnitude_bits = 0x7FFFFFFF;

/// Magnitudes of floats order as these integers do, denormals and zeros of both signs included.
[[nodiscard]] inline std::uint32_t magnitude_key(float w) noexcept {
  return std::bit_cast<std::uint32_t>(w) & magnitude_bits;
}

/// Keys in a range, both ends in it. flip: 0, or magnitude_bits for the opposite order.
struct magnitude_range {
  std::uint32_t flip = 0;
  std::uint32_t low = 0;
  std::uint32_t high = 0;
};

/// One instruction set's kernels. n counts words, which stand for 64 floats each.
struct magnitude_kernels {
  const char* name;
  /// The largest magnitude key; above that of infinity there is a NaN.
  std::uint32_t (*largest)(const float* values, std::size_t n) noexcept;
  /// Bit u of below[w] says that the key of value 64 w + u, after the flip, lies below the range,
  /// bit u of within[w] that it lies in it.
  void (*sort)(const float* values,
               std::size_t n,
               magnitude_range range,
               std::uint64_t* below,
               std::uint64_t* within) noexcept;
};

[[nodiscard]] inline std::uint32_t largest_magnitude_plain(const float* values,
                                                           std::size_t n) noexcept {
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < 64 * n; ++i) most = std::max(most, magnitude_key(values[i]));
  return most;
}

inline void sort_magnitudes_plain(const float* values,
                                  std::size_t n,
                                  magnitude_range range,
                                  std::uint64_t* below,
                                  std::uint64_t* within) noexcept {
  for (std::size_t w = 0; w < n; ++w) {
    std::uint64_t lower = 0, inside = 0;
    for (std::size_t u = 0; u < 64; ++u) {
      const std::uint32_t key = magnitude_key(values[64 * w + u]) ^ range.flip;
      lower |= std::uint64_t{key < range.low} << u;
      inside |= std::uint64_t{key >= range.low && key <= range.high} << u;
    }
    below[w] = lower, within[w] = inside;
  }
}

inline constexpr magnitude_kernels plain_magnitudes{"plain", largest_magnitude_plain,
                                                    sort_magnitudes_plain};

#if defined(__x86_64__) && defined(__GNUC__)

[[nodiscard]] __attribute__((target("avx2"))) inline __m256i load_magnitudes(
    const float* values) noexcept {
  return _mm256_and_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(values)),
                          _mm256_set1_epi32(static_cast<int>(magnitude_bits)));
}

[[nodiscard]] __attribute__((target("avx2"))) inline std::uint32_t largest_magnitude_avx2(
    const float* values, std::size_t n) noexcept {
  __m256i most = _mm256_setzero_si256(), other = most;
  for (std::size_t i = 0; i < 64 * n; i += 16) {
    most = _mm256_max_epu32(most, load_magnitudes(values + i));
    other = _mm256_max_epu32(other, load_magnitudes(values + i + 8));
  }
  std::uint32_t all[8];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(all), _mm256_max_epu32(most, other));
  return *std::max_element(all, all + 8);
}

/// Keys have 31 bits, so that signed comparisons, the only ones there are, order them.
__attribute__((target("avx2"))) inline void sort_magnitudes_avx2(const float* values,
                                                                 std::size_t n,
                                                                 magnitude_range range,
                                                                 std::uint64_t* below,
                                                                 std::uint64_t* within) noexcept {
  const __m256i flip = _mm256_set1_epi32(static_cast<int>(range.flip));
  const __m256i low = _mm256_set1_epi32(static_cast<int>(range.low));
  const __m256i high = _mm256_set1_epi32(static_cast<int>(std::min(range.high, magnitude_bits)));
  for (std::size_t w = 0; w < n; ++w) {
    std::uint64_t lower = 0, upper = 0;
    for (std::size_t u = 0; u < 64; u += 8) {
      const __m256i key = _mm256_xor_si256(load_magnitudes(values + 64 * w + u), flip);
      const __m256i is_lower = _mm256_cmpgt_epi32(low, key);
      const __m256i is_upper = _mm256_cmpgt_epi32(key, high);
      const int l = _mm256_movemask_ps(_mm256_castsi256_ps(is_lower));
      const int h = _mm256_movemask_ps(_mm256_castsi256_ps(is_upper));
      lower |= std::uint64_t{static_cast<std::uint32_t>(l)} << u;
      upper |= std::uint64_t{static_cast<std::uint32_t>(h)} << u;
    }
    below[w] = lower, within[w] = ~(lower | upper);
  }
}

inline constexpr magnitude_kernels avx2_magnitudes{"avx2", largest_magnitude_avx2,
                                                   sort_magnitudes_avx2};

[[nodiscard]] __attribute__((target("avx512f"))) inline std::uint32_t largest_magnitude_avx512(
    const float* values, std::size_t n) noexcept {
  const __m512i bits = _mm512_set1_epi32(static_cast<int>(magnitude_bits));
  __m512i most = _mm512_setzero_si512();
  for (std::size_t i = 0; i < 64 * n; i += 16) {
    const __m512i key = _mm512_and_si512(_mm512_loadu_si512(values + i), bits);
    most = _mm512_mask_mov_epi32(most, _mm512_cmpgt_epu32_mask(key, most), key);
  }
  std::uint32_t all[16];
  _mm512_storeu_si512(all, most);
  return *std::max_element(all, all + 16);
}

__attribute__((target("avx512f"))) inline void sort_magnitudes_avx512(
    const float* values,
    std::size_t n,
    magnitude_range range,
    std::uint64_t* below,
    std::uint64_t* within) noexcept {
  const __m512i bits = _mm512_set1_epi32(static_cast<int>(magnitude_bits));
  const __m512i flip = _mm512_set1_epi32(static_cast<int>(range.flip));
  const __m512i low = _mm512_set1_epi32(static_cast<int>(range.low));
  const __m512i high = _mm512_set1_epi32(static_cast<int>(range.high));
  for (std::size_t w = 0; w < n; ++w) {
    std::uint64_t lower = 0, upper = 0;
    for (std::size_t u = 0; u < 64; u += 16) {
      const __m512i stored = _mm512_loadu_si512(values + 64 * w + u);
      const __m512i key = _mm512_xor_si512(_mm512_and_si512(stored, bits), flip);
      lower |= std::uint64_t{_mm512_cmplt_epu32_mask(key, low)} << u;
      upper |= std::uint64_t{_mm512_cmpgt_epu32_mask(key, high)} << u;
    }
    below[w] = lower, within[w] = ~(lower | upper);
  }
}

inline constexpr magnitude_kernels avx512_magnitudes{"avx512", largest_magnitude_avx512,
                                                     sort_magnitudes_avx512};

/// The variants that this processor has, slowest first; `f(kernels)` for each.
template <class F>
void for_each_magnitude_kernels(F f) {
  f(plain_magnitudes);
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) f(avx2_magnitudes);
  if (__builtin_cpu_supports("avx512f")) f(avx512_magnitudes);
}

#else

template <class F>
void for_each_magnitude_kernels(F f) {
  f(plain_magnitudes);
}

#endif

/// The fastest kernels of this processor.
[[nodiscard]] inline const magnitude_kernels& fastest_magnitudes() noexcept {
  static const magnitude_kernels* const chosen = [] {
    const magnitude_kernels* last = &plain_magnitudes;
    for_each_magnitude_kernels([&last](const magnitude_kernels& k) { last = &k; });
    return last;
  }();
  return *chosen;
}

}  // namespace tombola::detail
