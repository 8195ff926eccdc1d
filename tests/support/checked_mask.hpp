#pragma once

#include <cstddef>
#include <set>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/algebra/sets.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/random.hpp"

namespace tombola::test {

/// Sizes around the ends of words.
inline const std::vector<std::size_t> word_sizes{0, 1, 2, 63, 64, 65, 127, 128, 129, 144, 1000};

/// A mask beside a std::set of the same units: every operation is done on both and compared.
class checked_mask {
public:
  explicit checked_mask(std::size_t n = 0) : bits_{n}, size_{n} { check(); }
  checked_mask(mask bits, std::set<std::size_t> units)
      : bits_{std::move(bits)}, units_{std::move(units)}, size_{bits_.size()} {
    check();
  }

  /// Units kept with probability `share`.
  static checked_mask random(std::size_t n, double share, const random_stream& r) {
    checked_mask m{n};
    for (std::size_t i = 0; i < n; ++i) m.set(i, r.uniform(i) < share);
    m.check();
    return m;
  }

  [[nodiscard]] const mask& bits() const { return bits_; }
  [[nodiscard]] const std::set<std::size_t>& units() const { return units_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const std::uint64_t> words() const { return bits_.words(); }

  void set(std::size_t i, bool kept) {
    bits_.set(i, kept);
    if (kept) {
      units_.insert(i);
    } else {
      units_.erase(i);
    }
  }

  /// Keeps what `keep(in a, in b)` says, and compares with what the algebra made of the bits.
  template <class F>
  static checked_mask result(const checked_mask& a, const checked_mask& b, mask bits, F keep) {
    std::set<std::size_t> units;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (keep(a.units_.count(i) != 0, b.units_.count(i) != 0)) units.insert(i);
    }
    return {std::move(bits), std::move(units)};
  }

  /// Same units on both sides, and nothing past the end.
  void check() const {
    REQUIRE(bits_.size() == size_);
    REQUIRE(bits_.words().size() == words_for(size_));
    REQUIRE(bits_.count() == units_.size());
    if (!bits_.words().empty()) REQUIRE((bits_.words().back() & ~tail_bits(size_)) == 0);
    std::size_t differences = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      if (bits_[i] != (units_.count(i) != 0)) ++differences;
    }
    REQUIRE(differences == 0);
  }

private:
  mask bits_;
  std::set<std::size_t> units_;
  std::size_t size_;
};

static_assert(unit_set<checked_mask>);

/// k random twins over n units, of different densities.
inline std::vector<checked_mask> random_masks(std::size_t k, std::size_t n, std::uint64_t seed) {
  std::vector<checked_mask> masks;
  for (std::size_t j = 0; j < k; ++j) {
    const random_stream r{seed, purpose::control, static_cast<std::uint32_t>(j)};
    masks.push_back(checked_mask::random(n, r.uniform(1'000'000), r));
  }
  return masks;
}

}  // namespace tombola::test
