#pragma once

// How a verb is judged: against the reference in double, against finite differences of its own
// forward, and against itself with more threads.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "tests/backend/conformance/rig.hpp"
#include "tests/support/finite_difference.hpp"

#include "tombola/backend/reference.hpp"

namespace tombola::test {

/// What every case of a verb has. A case runs itself on any backend:
///   template <class B> results forward(B&, const matrices& inputs) const;
///   template <class B> results backward(B&, const matrices& inputs) const;
/// backward answers "d" + name for every input that it differentiates.
struct verb_case {
  matrices inputs{};
  matrices start{};        ///< what 'added to' outputs hold before
  matrices cotangents{};   ///< d loss / d output, for the outputs that the loss looks at
  double terms = 1.0;      ///< of the longest sum behind an output
  double magnitude = 1.0;  ///< of what is added up or exponentiated on the way, where above 1
  bool in_place = false;   ///< outputs over inputs where the verb allows it
};

/// How far two computations of an output may be apart: a sum of n rounded terms, in any order,
/// wanders by sqrt(n) rounding errors of its partial sums; each step before and after it (a
/// product, an exponential, a scaling) adds one or two. The errors are relative to the largest
/// numbers met: those of the output, 1, or what the case names. A wrong term or factor is off by
/// 1e-2 and more.
template <class A>
[[nodiscard]] double tolerance(const verb_case& c, double largest) {
  return static_cast<double>(std::numeric_limits<A>::epsilon()) * (8.0 + 2.0 * std::sqrt(c.terms)) *
         c.magnitude * std::max(1.0, largest);
}

/// A factory may allow more, and says how much: `static double allowed(const verb_case&, double
/// largest)` is added to what its activations' type allows.
template <class Factory>
[[nodiscard]] double tolerance_of(const verb_case& c, double largest) {
  using activation = typename decltype(Factory::make(1))::activation;
  double within = tolerance<activation>(c, largest);
  if constexpr (requires { Factory::allowed(c, largest); }) within += Factory::allowed(c, largest);
  return within;
}

[[nodiscard]] inline double largest_of(const std::vector<double>& v) {
  double largest = 0.0;
  for (const double x : v) largest = std::max(largest, std::abs(x));
  return largest;
}

/// One assertion for an output, about the element that is furthest off; NaN is as far as it gets.
inline void check_close(const std::string& name,
                        const std::vector<double>& found,
                        const std::vector<double>& expected,
                        double within) {
  INFO("output " << name);
  REQUIRE(found.size() == expected.size());
  std::size_t worst = 0;
  double distance = -1.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double d = std::abs(found[i] - expected[i]);
    if (!(d <= distance)) worst = i, distance = d;
    if (std::isnan(d)) break;
  }
  if (found.empty()) return;
  INFO("element " << worst << ": found " << found[worst] << ", expected " << expected[worst]
                  << ", tolerance " << within);
  CHECK(distance <= within);
}

template <class Factory>
void check_close(const results& found, const results& expected, const verb_case& c) {
  REQUIRE(found.size() == expected.size());
  for (const auto& [name, numbers] : expected) {
    REQUIRE(found.contains(name));
    check_close(name, found.at(name), numbers, tolerance_of<Factory>(c, largest_of(numbers)));
  }
}

/// The same bits, with 2 and 3 threads as with 1.
template <class Factory, class Run>
void check_threads(const results& with_one, Run&& run) {
  if constexpr (Factory::threaded) {
    for (const int threads : {2, 3}) {
      auto b = Factory::make(threads);
      INFO(threads << " threads");
      CHECK(run(b) == with_one);
    }
  }
}

/// The case with nothing in place: what the reference runs.
template <class Case>
[[nodiscard]] Case apart(Case c) {
  c.in_place = false;
  return c;
}

template <class Factory, class Case>
void check_forward(const Case& c) {
  auto b = Factory::make(1);
  reference_backend<double> reference;
  const results found = c.forward(b, c.inputs);
  check_close<Factory>(found, apart(c).forward(reference, c.inputs), c);
  check_threads<Factory>(found, [&c](auto& other) { return c.forward(other, c.inputs); });
}

template <class Factory, class Case>
void check_backward(const Case& c) {
  auto b = Factory::make(1);
  reference_backend<double> reference;
  const results found = c.backward(b, c.inputs);
  check_close<Factory>(found, apart(c).backward(reference, c.inputs), c);
  check_threads<Factory>(found, [&c](auto& other) { return c.backward(other, c.inputs); });
}

/// backward against differences of the same backend's forward. In double only: in float the
/// differences of the forward verb are mostly rounding. Every input that backward answers for is
/// differentiated, number by number.
template <class Factory, class Case>
void check_gradient(const Case& c) {
  auto b = Factory::make(1);
  if constexpr (std::same_as<typename decltype(b)::activation, double>) {
    results gradients = c.backward(b, c.inputs);
    std::size_t compared = 0;
    for (const auto& [name, input] : c.inputs) {
      if (!gradients.contains("d" + name)) continue;
      auto& found = gradients.at("d" + name);
      if (c.start.contains("d" + name)) {
        const auto& before = c.start.at("d" + name).values;
        for (std::size_t i = 0; i < found.size(); ++i) found[i] -= before[i];
      }
      matrices moved = c.inputs;
      const auto loss = [&, &key = name](const std::vector<double>& x) {
        moved.at(key).values = x;
        const results outputs = apart(c).forward(b, moved);
        double sum = 0.0;
        for (const auto& [output, weights] : c.cotangents) {
          for (std::size_t i = 0; i < weights.values.size(); ++i) {
            sum += weights.values[i] * outputs.at(output)[i];
          }
        }
        return sum;
      };
      const auto expected = finite_difference(loss, input.values);
      // See finite_difference: 1e-12 for functions of order 1; these have values up to 100.
      check_close("d" + name, found, expected, 1e-9 * std::max(1.0, largest_of(expected)));
      ++compared;
    }
    CHECK(compared > 0);
  }
}

}  // namespace tombola::test
