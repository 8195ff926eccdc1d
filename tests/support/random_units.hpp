#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tombola/core/mask.hpp"

namespace tombola::test {

/// Units of a mask the slow way, and how many there are.
struct plain_units {
  std::size_t n = 0;
  std::set<std::size_t> kept;

  [[nodiscard]] bool has(std::size_t u) const { return kept.count(u) != 0; }
  [[nodiscard]] mask as_mask() const {
    mask m{n};
    for (const std::size_t u : kept) m.set(u);
    return m;
  }
};

/// Random cases for twin tests: sizes around the ends of words, densities from none to all.
class random_units {
public:
  explicit random_units(std::uint64_t seed) : bits_{seed} {}

  [[nodiscard]] std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>{0, n - 1}(bits_);
  }
  /// The size of case c: each in turn.
  [[nodiscard]] static std::size_t size_of(std::size_t c) {
    constexpr std::array<std::size_t, 9> sizes{0, 1, 63, 64, 65, 127, 128, 129, 1000};
    return sizes[c % sizes.size()];
  }
  [[nodiscard]] plain_units draw(std::size_t n) {
    constexpr std::array<double, 5> densities{0.0, 0.02, 0.5, 0.98, 1.0};
    std::bernoulli_distribution keeps{densities[below(densities.size())]};
    plain_units u{n, {}};
    for (std::size_t i = 0; i < n; ++i) {
      if (keeps(bits_)) u.kept.insert(u.kept.end(), i);
    }
    return u;
  }
  [[nodiscard]] std::vector<plain_units> draw_several(std::size_t k, std::size_t n) {
    std::vector<plain_units> all;
    for (std::size_t i = 0; i < k; ++i) all.push_back(draw(n));
    return all;
  }

private:
  std::mt19937_64 bits_;
};

[[nodiscard]] inline std::vector<mask> as_masks(const std::vector<plain_units>& all) {
  std::vector<mask> masks;
  for (const plain_units& u : all) masks.push_back(u.as_mask());
  return masks;
}

/// Whether a mask is what a predicate says of each of n units, and holds no bit past them.
template <class Predicate>
[[nodiscard]] bool is(const mask& m, std::size_t n, Predicate keeps) {
  if (m.size() != n) return false;
  std::size_t count = 0;
  for (std::size_t u = 0; u < n; ++u) {
    if (m[u] != keeps(u)) return false;
    count += keeps(u) ? 1U : 0U;
  }
  for (std::size_t u = n; u < m.words().size() * 64; ++u) {
    if ((m.words()[u / 64] >> (u % 64) & 1U) != 0) return false;
  }
  return m.count() == count;
}

/// What went wrong first, or empty: one check for many cases.
class first_fault {
public:
  void check(bool good, const char* what, std::size_t c, std::size_t n) {
    ++checks_;
    if (good || !text_.empty()) return;
    text_ = std::string{what} + ", case " + std::to_string(c) + ", " + std::to_string(n) + " units";
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::size_t checks() const { return checks_; }

private:
  std::string text_;
  std::size_t checks_ = 0;
};

}  // namespace tombola::test
