#pragma once

#include <tuple>
#include <type_traits>

#include "tombola/backend/reference.hpp"
#include "tombola/eigen/backend.hpp"

namespace tombola::test {

/// Backends that recorded numbers are compared on: the specification in double, the CPU in float.
using golden_backends = std::tuple<reference_backend<double>, eigen::backend<float>>;

template <class B>
B make_backend() {
  if constexpr (std::is_constructible_v<B, int>) {
    return B{2};
  } else {
    return B{};
  }
}

}  // namespace tombola::test
