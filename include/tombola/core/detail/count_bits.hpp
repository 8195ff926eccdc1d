#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#endif

namespace tombola::detail {

/// Bits of two sets of words: in both, in the first, in the second.
struct common_counts {
  std::uint64_t both = 0;
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

/// Bits that each of two sets of words shares with each of two others.
struct square_counts {
  std::uint64_t first_first = 0, first_second = 0, second_first = 0, second_second = 0;
};

// Counting bits, the innermost loop of the algebra. A build with default flags may use no vector
// register and not even the popcount instruction, 5 GB/s instead of what memory gives; so each
// kernel exists once per instruction set and the processor is asked which it has, once per process.
// All variants give the same counts: a test runs those that the machine has against the plain one.

/// One instruction set's kernels. n counts words of 64 bits.
struct bit_kernels {
  const char* name;
  /// Bits of a.
  std::uint64_t (*count)(const std::uint64_t* a, std::size_t n) noexcept;
  /// Bits of a & b.
  std::uint64_t (*count_and)(const std::uint64_t* a,
                             const std::uint64_t* b,
                             std::size_t n) noexcept;
  /// Bits of a & b, of a and of b in one pass.
  common_counts (*count_three)(const std::uint64_t* a,
                               const std::uint64_t* b,
                               std::size_t n) noexcept;
  /// Bits of each a[i] & b[j], named square_counts. Every vector is loaded once for two counts,
  /// where the instruction set counts as fast as it loads.
  square_counts (*count_square)(const std::uint64_t* const (&a)[2],
                                const std::uint64_t* const (&b)[2],
                                std::size_t n) noexcept;
};

[[nodiscard]] inline std::uint64_t count_plain(const std::uint64_t* a, std::size_t n) noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<std::uint64_t>(std::popcount(a[i]));
  return sum;
}
[[nodiscard]] inline std::uint64_t count_and_plain(const std::uint64_t* a,
                                                   const std::uint64_t* b,
                                                   std::size_t n) noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<std::uint64_t>(std::popcount(a[i] & b[i]));
  return sum;
}

[[nodiscard]] inline common_counts count_three_plain(const std::uint64_t* a,
                                                     const std::uint64_t* b,
                                                     std::size_t n) noexcept {
  common_counts c;
  for (std::size_t i = 0; i < n; ++i) {
    c.both += static_cast<std::uint64_t>(std::popcount(a[i] & b[i]));
    c.first += static_cast<std::uint64_t>(std::popcount(a[i]));
    c.second += static_cast<std::uint64_t>(std::popcount(b[i]));
  }
  return c;
}

/// The four counts one after another, each by `count_and`.
template <auto count_and>
[[nodiscard]] square_counts count_square_by_pairs(const std::uint64_t* const (&a)[2],
                                                  const std::uint64_t* const (&b)[2],
                                                  std::size_t n) noexcept {
  return {count_and(a[0], b[0], n), count_and(a[0], b[1], n), count_and(a[1], b[0], n),
          count_and(a[1], b[1], n)};
}

inline constexpr bit_kernels plain_bits{"plain", count_plain, count_and_plain, count_three_plain,
                                        count_square_by_pairs<count_and_plain>};

#if defined(__x86_64__) && defined(__GNUC__)

/// 256 bits of a, from word i on.
struct load_one {
  const std::uint64_t* a;
  __attribute__((target("avx2"), always_inline)) __m256i operator()(std::size_t i) const noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i));
  }
};
/// 256 bits of a & b.
struct load_and {
  const std::uint64_t *a, *b;
  __attribute__((target("avx2"), always_inline)) __m256i operator()(std::size_t i) const noexcept {
    return _mm256_and_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i)),
                            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i)));
  }
};

/// Adds three bits in each place: their sum is 2 * high + low. `low` is an addend too.
__attribute__((target("avx2"))) inline __m256i carry_save(__m256i& low,
                                                          __m256i b,
                                                          __m256i c) noexcept {
  const __m256i one_of_two = _mm256_xor_si256(low, b);
  const __m256i high = _mm256_or_si256(_mm256_and_si256(low, b), _mm256_and_si256(one_of_two, c));
  low = _mm256_xor_si256(one_of_two, c);
  return high;
}

/// Bits of each of the four words, by looking up the count of every half byte.
__attribute__((target("avx2"))) inline __m256i count_each_word(__m256i v) noexcept {
  const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                          0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i half = _mm256_set1_epi8(0x0F);
  const __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(v, half));
  const __m256i high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(v, 4), half));
  return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

__attribute__((target("avx2"))) inline std::uint64_t sum_of_words(__m256i v) noexcept {
  std::uint64_t words[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(words), v);
  return words[0] + words[1] + words[2] + words[3];
}

/// Counts 32 words one by one, four at each call, on the units for whole numbers, which have
/// nothing to do while the vector units add.
struct count_beside {
  const std::uint64_t* words;
  std::uint64_t even = 0, odd = 0;

  __attribute__((target("avx2,popcnt"), always_inline)) void operator()(std::size_t k) noexcept {
    const std::uint64_t* w = words + 4 * k;
    even += static_cast<std::uint64_t>(__builtin_popcountll(w[0]));
    odd += static_cast<std::uint64_t>(__builtin_popcountll(w[1]));
    even += static_cast<std::uint64_t>(__builtin_popcountll(w[2]));
    odd += static_cast<std::uint64_t>(__builtin_popcountll(w[3]));
    // Says that the sums are needed here: the compiler would move all counting behind the adders.
    __asm__ volatile("" : : "r"(even), "r"(odd));
  }
};
struct nothing_beside {
  void operator()(std::size_t) const noexcept {}
};

/// Bits counted so far, as numbers of weight 1, 2, 4, 8 in each place, and sixteens as sums.
/// Sixteen vectors go through carry-save adders before any bit is counted, so that one vector
/// costs six instructions.
/// Source: W. Mula, N. Kurz, D. Lemire, "Faster population counts using AVX2 instructions",
/// Computer Journal 61(1), 2018 (the Harley-Seal method).
struct carry_save_counter {
  __m256i total, ones, twos, fours, eights;

  __attribute__((target("avx2"))) carry_save_counter() noexcept
      : total{_mm256_setzero_si256()}, ones{total}, twos{total}, fours{total}, eights{total} {}

  /// Adds 64 words from word i on. beside(0) to beside(7) are called between the adders.
  template <class Load, class Beside>
  __attribute__((target("avx2"), always_inline)) inline void add(Load load,
                                                                 std::size_t i,
                                                                 Beside& beside) noexcept {
    __m256i a = carry_save(ones, load(i), load(i + 4));
    beside(0);
    __m256i b = carry_save(ones, load(i + 8), load(i + 12));
    beside(1);
    __m256i four_a = carry_save(twos, a, b);
    a = carry_save(ones, load(i + 16), load(i + 20));
    beside(2);
    b = carry_save(ones, load(i + 24), load(i + 28));
    beside(3);
    __m256i four_b = carry_save(twos, a, b);
    const __m256i eight_a = carry_save(fours, four_a, four_b);
    a = carry_save(ones, load(i + 32), load(i + 36));
    beside(4);
    b = carry_save(ones, load(i + 40), load(i + 44));
    beside(5);
    four_a = carry_save(twos, a, b);
    a = carry_save(ones, load(i + 48), load(i + 52));
    beside(6);
    b = carry_save(ones, load(i + 56), load(i + 60));
    beside(7);
    four_b = carry_save(twos, a, b);
    const __m256i eight_b = carry_save(fours, four_a, four_b);
    const __m256i sixteens = carry_save(eights, eight_a, eight_b);
    total = _mm256_add_epi64(total, count_each_word(sixteens));
  }
  template <class Load>
  __attribute__((target("avx2"), always_inline)) inline void add(Load load,
                                                                 std::size_t i) noexcept {
    nothing_beside none;
    add(load, i, none);
  }

  [[nodiscard]] __attribute__((target("avx2"))) std::uint64_t sum() const noexcept {
    __m256i all = _mm256_slli_epi64(total, 4);
    all = _mm256_add_epi64(all, _mm256_slli_epi64(count_each_word(eights), 3));
    all = _mm256_add_epi64(all, _mm256_slli_epi64(count_each_word(fours), 2));
    all = _mm256_add_epi64(all, _mm256_slli_epi64(count_each_word(twos), 1));
    return sum_of_words(_mm256_add_epi64(all, count_each_word(ones)));
  }
};

[[nodiscard]] __attribute__((target("avx2"))) inline std::uint64_t count_avx2(
    const std::uint64_t* a, std::size_t n) noexcept {
  carry_save_counter bits;
  std::size_t i = 0;
  for (; i + 64 <= n; i += 64) bits.add(load_one{a}, i);
  return bits.sum() + count_plain(a + i, n - i);
}
[[nodiscard]] __attribute__((target("avx2"))) inline std::uint64_t count_and_avx2(
    const std::uint64_t* a, const std::uint64_t* b, std::size_t n) noexcept {
  carry_save_counter bits;
  std::size_t i = 0;
  for (; i + 64 <= n; i += 64) bits.add(load_and{a, b}, i);
  return bits.sum() + count_and_plain(a + i, b + i, n - i);
}
/// Two counters take turns on 512 bytes of each side, and the second side's own bits are counted
/// beside them: vectors alone would be the bottleneck, not memory.
[[nodiscard]] __attribute__((target("avx2,popcnt"))) inline common_counts count_three_avx2(
    const std::uint64_t* a, const std::uint64_t* b, std::size_t n) noexcept {
  carry_save_counter both, first;
  count_beside second{b};
  std::size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    second.words = b + i;
    both.add(load_and{a, b}, i, second);
    second.words = b + i + 32;
    first.add(load_one{a}, i, second);
  }
  common_counts c = count_three_plain(a + i, b + i, n - i);
  c.both += both.sum(), c.first += first.sum(), c.second += second.even + second.odd;
  return c;
}

inline constexpr bit_kernels avx2_bits{"avx2", count_avx2, count_and_avx2, count_three_avx2,
                                       count_square_by_pairs<count_and_avx2>};

/// The sum goes through memory: g++ 12 warns, wrongly, of its own reduction.
__attribute__((target("avx512f"))) inline std::uint64_t sum_of_words(__m512i v) noexcept {
  std::uint64_t words[8], sum = 0;
  _mm512_storeu_si512(words, v);
  for (const std::uint64_t w : words) sum += w;
  return sum;
}
[[nodiscard]] __attribute__((target("avx512f,avx512vpopcntdq"))) inline std::uint64_t count_avx512(
    const std::uint64_t* a, std::size_t n) noexcept {
  __m512i sum = _mm512_setzero_si512(), other = sum;
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_loadu_si512(a + i)));
    other = _mm512_add_epi64(other, _mm512_popcnt_epi64(_mm512_loadu_si512(a + i + 8)));
  }
  return sum_of_words(_mm512_add_epi64(sum, other)) + count_plain(a + i, n - i);
}
[[nodiscard]] __attribute__((target("avx512f,avx512vpopcntdq"))) inline std::uint64_t
count_and_avx512(const std::uint64_t* a, const std::uint64_t* b, std::size_t n) noexcept {
  __m512i sum = _mm512_setzero_si512(), other = sum;
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m512i x = _mm512_and_si512(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i));
    const __m512i y =
        _mm512_and_si512(_mm512_loadu_si512(a + i + 8), _mm512_loadu_si512(b + i + 8));
    sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(x));
    other = _mm512_add_epi64(other, _mm512_popcnt_epi64(y));
  }
  return sum_of_words(_mm512_add_epi64(sum, other)) + count_and_plain(a + i, b + i, n - i);
}

[[nodiscard]] __attribute__((target("avx512f,avx512vpopcntdq"))) inline common_counts
count_three_avx512(const std::uint64_t* a, const std::uint64_t* b, std::size_t n) noexcept {
  __m512i both = _mm512_setzero_si512(), first = both, second = both;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m512i x = _mm512_loadu_si512(a + i), y = _mm512_loadu_si512(b + i);
    both = _mm512_add_epi64(both, _mm512_popcnt_epi64(_mm512_and_si512(x, y)));
    first = _mm512_add_epi64(first, _mm512_popcnt_epi64(x));
    second = _mm512_add_epi64(second, _mm512_popcnt_epi64(y));
  }
  common_counts c = count_three_plain(a + i, b + i, n - i);
  c.both += sum_of_words(both), c.first += sum_of_words(first), c.second += sum_of_words(second);
  return c;
}

/// 512 bits in a register. Says that they stay there: the compiler would load them at each use.
__attribute__((target("avx512f"), always_inline)) inline __m512i load_once(
    const std::uint64_t* words) noexcept {
  __m512i v = _mm512_loadu_si512(words);
  __asm__("" : "+v"(v));
  return v;
}
[[nodiscard]] __attribute__((target("avx512f,avx512vpopcntdq"))) inline square_counts
count_square_avx512(const std::uint64_t* const (&a)[2],
                    const std::uint64_t* const (&b)[2],
                    std::size_t n) noexcept {
  __m512i s00 = _mm512_setzero_si512(), s01 = s00, s10 = s00, s11 = s00;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m512i x0 = load_once(a[0] + i), x1 = load_once(a[1] + i);
    const __m512i y0 = load_once(b[0] + i), y1 = load_once(b[1] + i);
    s00 = _mm512_add_epi64(s00, _mm512_popcnt_epi64(_mm512_and_si512(x0, y0)));
    s01 = _mm512_add_epi64(s01, _mm512_popcnt_epi64(_mm512_and_si512(x0, y1)));
    s10 = _mm512_add_epi64(s10, _mm512_popcnt_epi64(_mm512_and_si512(x1, y0)));
    s11 = _mm512_add_epi64(s11, _mm512_popcnt_epi64(_mm512_and_si512(x1, y1)));
  }
  square_counts c =
      count_square_by_pairs<count_and_plain>({a[0] + i, a[1] + i}, {b[0] + i, b[1] + i}, n - i);
  c.first_first += sum_of_words(s00), c.first_second += sum_of_words(s01);
  c.second_first += sum_of_words(s10), c.second_second += sum_of_words(s11);
  return c;
}

inline constexpr bit_kernels avx512_bits{"avx512", count_avx512, count_and_avx512,
                                         count_three_avx512, count_square_avx512};

/// The variants that this processor has, slowest first; `f(kernels)` for each.
template <class F>
void for_each_bit_kernels(F f) {
  f(plain_bits);
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt")) f(avx2_bits);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq")) {
    f(avx512_bits);
  }
}

#else

template <class F>
void for_each_bit_kernels(F f) {
  f(plain_bits);
}

#endif

/// The fastest kernels of this processor.
[[nodiscard]] inline const bit_kernels& fastest_bits() noexcept {
  static const bit_kernels* const chosen = [] {
    const bit_kernels* last = &plain_bits;
    for_each_bit_kernels([&last](const bit_kernels& k) { last = &k; });
    return last;
  }();
  return *chosen;
}

}  // namespace tombola::detail
