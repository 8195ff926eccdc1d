#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numbers>

namespace tombola::eigen {

// The functions below are free of branches and calls for float, so that the compiler turns a loop
// over them into vector code. In double they are the standard library's: double is for checking.

/// a where the condition holds, else b. In bits, because the compiler makes a branch of `?:`
/// between numbers that were computed, and does not turn a loop with branches into vector code.
[[nodiscard]] inline float choose(bool condition, float a, float b) noexcept {
  const std::uint32_t all = std::uint32_t{0} - static_cast<std::uint32_t>(condition);
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(a) & all) |
                              (std::bit_cast<std::uint32_t>(b) & ~all));
}

/// exp(x); for float 0 below -87.3 and within 2 ulp above. A NaN gives a NaN.
/// Precondition: x <= 88 (softmax and gelu ask for no x above 0, rounding aside).
///
/// x = n ln 2 + r with |r| <= ln 2 / 2; exp(r) by the degree 6 polynomial of Cephes' expf
/// (S. Moshier, 1989), 2^n by setting the exponent's bits.
template <std::floating_point T>
[[nodiscard]] inline T exp_of(T x) noexcept {
  if constexpr (std::same_as<T, float>) {
    const bool tiny = x < -87.3f;
    const float inside = choose(tiny, 0.0f, x);
    // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits of the sum.
    const float magic = 12582912.0f;
    const float shifted = inside * std::numbers::log2e_v<float> + magic;
    const float n = shifted - magic;
    const float r = (inside - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    const std::uint32_t exponent = (std::bit_cast<std::uint32_t>(shifted) + 127U) << 23;
    return choose(tiny, 0.0f, p * std::bit_cast<float>(exponent));
  } else {
    return std::exp(x);
  }
}

/// What gelu and its derivative need of the normal distribution at one point.
template <class T>
struct normal_point {
  T below;    ///< probability of a number below z, in [0, 1]
  T density;  ///< exp(-z^2 / 2) / sqrt(2 pi)
};

/// For float, absolute errors below 1e-7; that of `below` is relative, 3e-6, down to z = -9, so
/// that gelu is good far below 0 as well.
///
/// P(below -t) = exp(-t^2 / 2) R(t) for t >= 0; R is the scaled complementary error function, here
/// a rational function of degree 4 / 5 fitted to [0, 13.5] by weighted least squares (Lawson's
/// iteration; relative error 5.2e-9 before rounding). All coefficients are positive: nothing
/// cancels.
template <std::floating_point T>
[[nodiscard]] inline normal_point<T> normal_at(T z) noexcept {
  if constexpr (std::same_as<T, float>) {
    const float e = exp_of(-0.5f * z * z);
    const float size = std::fabs(z);
    const float t = choose(size > 14.0f, 14.0f, size);  // e is 0 there, and p / q stays a number
    float p = 0.004036979451f;
    p = p * t + 0.04009793663f;
    p = p * t + 0.1816454691f;
    p = p * t + 0.4361457656f;
    p = p * t + 0.5000000026f;
    float q = 0.01011906799f;
    q = q * t + 0.1005178316f;
    q = q * t + 0.4652742682f;
    q = q * t + 1.195894704f;
    q = q * t + 1.670176461f;
    q = q * t + 1.0f;
    const float tail = e * (p / q);
    return {choose(z < 0.0f, tail, 1.0f - tail), e * 0.3989422804f};
  } else {
    const T below = T{0.5} * std::erfc(-z / std::numbers::sqrt2_v<T>);
    const T density =
        std::exp(T{-0.5} * z * z) * std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>;
    return {below, density};
  }
}

/// z P(z), P being the normal distribution: gelu in its exact (erf) form.
/// Source: D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016.
template <class T>
[[nodiscard]] inline T gelu_of(T z) noexcept {
  return z * normal_at(z).below;
}

/// d gelu / dz = P(z) + z p(z), p being the density.
template <class T>
[[nodiscard]] inline T gelu_slope(T z) noexcept {
  const normal_point<T> at = normal_at(z);
  return at.below + z * at.density;
}

/// term(0) + ... + term(n - 1) in sixteen interleaved sums, added pairwise at the end: an order
/// that vector registers can follow, the same on every machine.
template <class T, class Term>
[[nodiscard]] inline T sum_over(std::size_t n, const Term& term) noexcept {
  constexpr std::size_t lanes = 16;
  T sum[lanes] = {};
  const std::size_t whole = n / lanes * lanes;
  for (std::size_t i = 0; i < whole; i += lanes) {
    for (std::size_t j = 0; j < lanes; ++j) sum[j] += term(i + j);
  }
  for (std::size_t j = 0; j < n - whole; ++j) sum[j] += term(whole + j);
  for (std::size_t w = lanes / 2; w > 0; w /= 2) {
    for (std::size_t j = 0; j < w; ++j) sum[j] += sum[j + w];
  }
  return sum[0];
}

/// The largest of n >= 1 numbers, none of them NaN.
template <class T>
[[nodiscard]] inline T largest_of(const T* x, std::size_t n) noexcept {
  constexpr std::size_t lanes = 16;
  T top[lanes];
  for (std::size_t j = 0; j < lanes; ++j) top[j] = x[0];
  const std::size_t whole = n / lanes * lanes;
  for (std::size_t i = 0; i < whole; i += lanes) {
    for (std::size_t j = 0; j < lanes; ++j) top[j] = top[j] < x[i + j] ? x[i + j] : top[j];
  }
  for (std::size_t j = 0; j < n - whole; ++j)
    top[j] = top[j] < x[whole + j] ? x[whole + j] : top[j];
  for (std::size_t j = 1; j < lanes; ++j) top[0] = top[0] < top[j] ? top[j] : top[0];
  return top[0];
}

}  // namespace tombola::eigen
