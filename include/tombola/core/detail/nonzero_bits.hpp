#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

namespace tombola::detail {

// Which of many floats are not zero, 64 at a time into the bits of a word. For every width of a
// float it is the same question: whether any bit but the sign's is set. NaN and denormals are not
// zero, -0 is. As in count_bits.hpp the processor is asked which kernels it can run.

/// One instruction set's kernels. n counts words, which stand for 64 numbers each; the numbers may
/// lie at any address.
struct nonzero_kernels {
  const char* name;
  void (*of_2_bytes)(const std::byte* from, std::size_t n, std::uint64_t* to) noexcept;
  void (*of_4_bytes)(const std::byte* from, std::size_t n, std::uint64_t* to) noexcept;
  void (*of_8_bytes)(const std::byte* from, std::size_t n, std::uint64_t* to) noexcept;
};

/// Number: the unsigned integer of the float's width.
template <class Number>
[[nodiscard]] bool is_nonzero(const std::byte* from) noexcept {
  Number bits;
  std::memcpy(&bits, from, sizeof bits);
  return static_cast<Number>(bits << 1U) != 0;
}

template <class Number>
void nonzero_plain(const std::byte* from, std::size_t n, std::uint64_t* to) noexcept {
  for (std::size_t w = 0; w < n; ++w) {
    std::uint64_t bits = 0;
    for (std::size_t u = 0; u < 64; ++u, from += sizeof(Number)) {
      bits |= std::uint64_t{is_nonzero<Number>(from)} << u;
    }
    to[w] = bits;
  }
}

inline constexpr nonzero_kernels plain_nonzero{"plain", nonzero_plain<std::uint16_t>,
                                               nonzero_plain<std::uint32_t>,
                                               nonzero_plain<std::uint64_t>};

#if defined(__x86_64__) && defined(__GNUC__)

/// Vector number i of 256 bits.
__attribute__((target("avx2"), always_inline)) inline __m256i load_vector(const std::byte* from,
                                                                          std::size_t i) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32 * i));
}

__attribute__((target("avx2"))) inline void nonzero_2_avx2(const std::byte* from,
                                                           std::size_t n,
                                                           std::uint64_t* to) noexcept {
  const __m256i zero = _mm256_setzero_si256();
  for (std::size_t w = 0; w < n; ++w, from += 128) {
    std::uint64_t zeros = 0;
    for (std::size_t half = 0; half < 2; ++half) {
      const __m256i a = _mm256_slli_epi16(load_vector(from, 2 * half), 1);
      const __m256i b = _mm256_slli_epi16(load_vector(from, 2 * half + 1), 1);
      // Packing works within 128 bits: quarters come out as a, b, a, b and are put in order.
      const __m256i bytes = _mm256_permute4x64_epi64(
          _mm256_packs_epi16(_mm256_cmpeq_epi16(a, zero), _mm256_cmpeq_epi16(b, zero)), 0xD8);
      zeros |= std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes))}
               << (32 * half);
    }
    to[w] = ~zeros;
  }
}

__attribute__((target("avx2"))) inline void nonzero_4_avx2(const std::byte* from,
                                                           std::size_t n,
                                                           std::uint64_t* to) noexcept {
  const __m256i zero = _mm256_setzero_si256();
  for (std::size_t w = 0; w < n; ++w, from += 256) {
    std::uint64_t zeros = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      const __m256i same = _mm256_cmpeq_epi32(_mm256_slli_epi32(load_vector(from, i), 1), zero);
      const auto eight = static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(same)));
      zeros |= std::uint64_t{eight} << (8 * i);
    }
    to[w] = ~zeros;
  }
}

__attribute__((target("avx2"))) inline void nonzero_8_avx2(const std::byte* from,
                                                           std::size_t n,
                                                           std::uint64_t* to) noexcept {
  const __m256i zero = _mm256_setzero_si256();
  for (std::size_t w = 0; w < n; ++w, from += 512) {
    std::uint64_t zeros = 0;
    for (std::size_t i = 0; i < 16; ++i) {
      const __m256i same = _mm256_cmpeq_epi64(_mm256_slli_epi64(load_vector(from, i), 1), zero);
      const auto four = static_cast<std::uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(same)));
      zeros |= std::uint64_t{four} << (4 * i);
    }
    to[w] = ~zeros;
  }
}

inline constexpr nonzero_kernels avx2_nonzero{"avx2", nonzero_2_avx2, nonzero_4_avx2,
                                              nonzero_8_avx2};

/// Vector number i of 512 bits.
__attribute__((target("avx512f"), always_inline)) inline __m512i load_wide(const std::byte* from,
                                                                           std::size_t i) noexcept {
  return _mm512_loadu_si512(from + 64 * i);
}

__attribute__((target("avx512f,avx512bw"))) inline void nonzero_2_avx512(
    const std::byte* from, std::size_t n, std::uint64_t* to) noexcept {
  const __m512i magnitude = _mm512_set1_epi16(0x7FFF);
  for (std::size_t w = 0; w < n; ++w, from += 128) {
    const std::uint64_t low = _mm512_test_epi16_mask(load_wide(from, 0), magnitude);
    const std::uint64_t high = _mm512_test_epi16_mask(load_wide(from, 1), magnitude);
    to[w] = high << 32 | low;
  }
}

__attribute__((target("avx512f,avx512bw"))) inline void nonzero_4_avx512(
    const std::byte* from, std::size_t n, std::uint64_t* to) noexcept {
  const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
  for (std::size_t w = 0; w < n; ++w, from += 256) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      bits |= std::uint64_t{_mm512_test_epi32_mask(load_wide(from, i), magnitude)} << (16 * i);
    }
    to[w] = bits;
  }
}

__attribute__((target("avx512f,avx512bw"))) inline void nonzero_8_avx512(
    const std::byte* from, std::size_t n, std::uint64_t* to) noexcept {
  const __m512i magnitude = _mm512_set1_epi64(0x7FFFFFFFFFFFFFFF);
  for (std::size_t w = 0; w < n; ++w, from += 512) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      bits |= std::uint64_t{_mm512_test_epi64_mask(load_wide(from, i), magnitude)} << (8 * i);
    }
    to[w] = bits;
  }
}

inline constexpr nonzero_kernels avx512_nonzero{"avx512", nonzero_2_avx512, nonzero_4_avx512,
                                                nonzero_8_avx512};

/// The variants that this processor has, slowest first; `f(kernels)` for each.
template <class F>
void for_each_nonzero_kernels(F f) {
  f(plain_nonzero);
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) f(avx2_nonzero);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) f(avx512_nonzero);
}

#else

template <class F>
void for_each_nonzero_kernels(F f) {
  f(plain_nonzero);
}

#endif

/// The fastest kernels of this processor.
[[nodiscard]] inline const nonzero_kernels& fastest_nonzero() noexcept {
  static const nonzero_kernels* const chosen = [] {
    const nonzero_kernels* last = &plain_nonzero;
    for_each_nonzero_kernels([&last](const nonzero_kernels& k) { last = &k; });
    return last;
  }();
  return *chosen;
}

}  // namespace tombola::detail
