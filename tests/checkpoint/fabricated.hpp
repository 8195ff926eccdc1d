#pragma once

// Checkpoints of any types made of plain numbers, and the numbers read back.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/core/random.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/safetensors.hpp"

namespace tombola::test {

/// The half whose value this is, found by trying them all.
inline std::uint16_t half_of(float x) {
  static const std::map<float, std::uint16_t> halves = [] {
    std::map<float, std::uint16_t> all;
    for (std::uint32_t h = 0; h < 0x7C00; ++h) {
      all.emplace(io::half_to_float(static_cast<std::uint16_t>(h)), static_cast<std::uint16_t>(h));
    }
    return all;
  }();
  const std::uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  return static_cast<std::uint16_t>(halves.at(std::fabs(x)) | sign);
}

/// Numbers in a type's bytes. Precondition: the type holds them exactly.
inline std::vector<std::byte> encoded(io::dtype type, const std::vector<double>& values) {
  const std::size_t width = io::info(type).bytes;
  std::vector<std::byte> bytes(values.size() * width);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto put = [&](auto x) { std::memcpy(bytes.data() + i * width, &x, sizeof x); };
    const auto narrow = static_cast<float>(values[i]);
    switch (type) {
      case io::dtype::f64:
        put(values[i]);
        break;
      case io::dtype::f32:
        put(narrow);
        break;
      case io::dtype::f16:
        put(half_of(narrow));
        break;
      case io::dtype::bf16:
        put(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(narrow) >> 16));
        break;
      case io::dtype::i64:
        put(static_cast<std::int64_t>(values[i]));
        break;
      default:
        put(static_cast<std::uint8_t>(values[i]));
    }
  }
  return bytes;
}

struct made_tensor {
  std::string name;
  io::dtype type;
  std::vector<std::size_t> shape;
  std::vector<double> values;
};

inline void write_checkpoint(const std::filesystem::path& file,
                             const std::vector<made_tensor>& tensors,
                             const std::map<std::string, std::string>& metadata = {}) {
  std::vector<std::vector<std::byte>> bytes;
  for (const made_tensor& t : tensors) bytes.push_back(encoded(t.type, t.values));
  std::vector<io::tensor_to_write> all;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    all.push_back({tensors[i].name, tensors[i].type, tensors[i].shape, bytes[i]});
  }
  io::write_safetensors(file, all, metadata);
}

/// Some quarters around 0 that every floating type holds: many ties, some zeros of both signs.
inline std::vector<double> quarters(std::size_t n, std::uint64_t seed) {
  const random_stream random{seed, purpose::subset};
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double magnitude = static_cast<double>(random.bits(2 * i) % 200) / 4.0;
    values[i] = random.bits(2 * i + 1) % 2 == 0 ? magnitude : -magnitude;
  }
  return values;
}

/// The sentence that f throws, or that it throws none; the folder's own name left out.
template <class F>
std::string sentence_of(const std::filesystem::path& folder, F f) {
  try {
    f();
  } catch (const error& e) {
    std::string s = e.what();
    const std::string here = folder.string() + "/";
    for (auto at = s.find(here); at != s.npos; at = s.find(here)) s.erase(at, here.size());
    return s;
  }
  return "(nothing was thrown)";
}

}  // namespace tombola::test
