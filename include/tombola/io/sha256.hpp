#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/io/descriptor.hpp"

namespace tombola::io {

/// SHA-256 of bytes that come in pieces.
///
/// For names and for noticing change, not for secrets. About 200 MB/s a core.
/// Source: FIPS 180-4, sections 4.1.2, 4.2.2, 5.1.1, 5.3.3 and 6.2.
class sha256 {
public:
  /// Appends bytes. How they are cut into pieces does not matter.
  constexpr void update(std::span<const std::byte> bytes) noexcept {
    length_ += bytes.size();
    while (!bytes.empty()) {
      const std::size_t n = std::min(bytes.size(), block_.size() - used_);
      std::copy_n(bytes.begin(), n, block_.begin() + static_cast<std::ptrdiff_t>(used_));
      used_ += n;
      bytes = bytes.subspan(n);
      if (used_ == block_.size()) compress();
    }
  }
  void update(std::string_view text) noexcept {
    update(std::as_bytes(std::span{text.data(), text.size()}));
  }

  /// The hash of everything so far. Call once, last.
  [[nodiscard]] constexpr std::array<std::byte, 32> digest() noexcept {
    const std::uint64_t bits = length_ * 8;
    constexpr std::array<std::byte, 1> one{std::byte{0x80}};
    constexpr std::array<std::byte, 1> zero{};
    update(one);
    while (used_ != block_.size() - 8) update(zero);
    std::array<std::byte, 8> tail{};
    for (std::size_t i = 0; i < 8; ++i) tail[i] = static_cast<std::byte>(bits >> (56 - 8 * i));
    update(tail);
    std::array<std::byte, 32> out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::byte>(state_[i / 4] >> (24 - 8 * (i % 4)));
    }
    return out;
  }

  /// digest() as 64 lower-case hexadecimal digits.
  [[nodiscard]] std::string hex() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string s;
    for (const std::byte b : digest()) {
      s += digits[std::to_integer<std::size_t>(b) >> 4];
      s += digits[std::to_integer<std::size_t>(b) & 15];
    }
    return s;
  }

private:
  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  static constexpr std::array<std::uint32_t, 64> k{
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
      0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
      0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
      0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
      0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
      0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
      0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
      0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
      0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
      0xc67178f2};

  [[nodiscard]] constexpr std::array<std::uint32_t, 64> schedule() const noexcept {
    std::array<std::uint32_t, 64> w{};
    for (std::size_t i = 0; i < block_.size(); ++i) {
      w[i / 4] = w[i / 4] << 8 | std::to_integer<std::uint32_t>(block_[i]);
    }
    for (std::size_t t = 16; t < 64; ++t) {
      const std::uint32_t a = w[t - 15], b = w[t - 2];
      w[t] = w[t - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[t - 7] +
             (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
    }
    return w;
  }

  constexpr void compress() noexcept {
    const auto w = schedule();
    auto [a, b, c, d, e, f, g, h] = state_;
    for (std::size_t t = 0; t < 64; ++t) {
      const std::uint32_t t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                               ((e & f) ^ (~e & g)) + k[t] + w[t];
      const std::uint32_t t2 =
          (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g;
      g = f;
      f = e;
      e = d + t1;
      d = c;
      c = b;
      b = a;
      a = t1 + t2;
    }
    const std::array<std::uint32_t, 8> now{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < now.size(); ++i) state_[i] += now[i];
    used_ = 0;
  }

  /// The first 32 bits of the fractional parts of the square roots of the first eight primes.
  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> block_{};
  std::size_t used_ = 0;
  std::uint64_t length_ = 0;
};

/// 64 hexadecimal digits for bytes or for text.
[[nodiscard]] inline std::string sha256_hex(std::span<const std::byte> bytes) {
  sha256 h;
  h.update(bytes);
  return h.hex();
}
[[nodiscard]] inline std::string sha256_hex(std::string_view text) {
  sha256 h;
  h.update(text);
  return h.hex();
}

/// 64 hexadecimal digits for a file's content, read a megabyte at a time. Throws input_error or
/// runtime_failure, naming the file, where it cannot be read.
[[nodiscard]] inline std::string sha256_hex_of_file(const std::filesystem::path& path) {
  const descriptor fd = open_for_reading(path);
  std::vector<std::byte> piece(std::size_t{1} << 20);
  sha256 h;
  while (const std::size_t n = read_some(fd, piece.data(), piece.size(), path)) {
    h.update(std::span{piece}.first(n));
  }
  return h.hex();
}

}  // namespace tombola::io
