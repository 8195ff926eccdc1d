#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"

namespace tombola {

/// One float per unit of a group; larger = more important. Infinite values are allowed, NaN is not:
/// no ranking with a NaN in it means anything.
class scores {
public:
  scores() = default;

  /// Throws shape_error if the group has another number of units, input_error at the first NaN,
  /// naming group and unit.
  scores(tombola::group g, std::vector<float> values)
      : group_{std::move(g)}, values_{std::move(values)} {
    if (values_.size() != group_.size()) {
      throw shape_error("scores for " + to_string(group_) + ": " + std::to_string(values_.size()) +
                        " values, expected " + std::to_string(group_.size()));
    }
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (std::isnan(values_[i])) {
        throw input_error("scores for " + to_string(group_) + ": unit " + std::to_string(i) +
                          " is NaN, expected a number");
      }
    }
  }

  [[nodiscard]] const tombola::group& group() const noexcept { return group_; }
  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
  [[nodiscard]] std::span<const float> values() const noexcept { return values_; }
  [[nodiscard]] float operator[](std::size_t i) const noexcept { return values_[i]; }

  friend bool operator==(const scores&, const scores&) = default;

private:
  tombola::group group_{"", {0}};
  std::vector<float> values_;
};

}  // namespace tombola
