#pragma once

// What a backend has to pass. In the test file of a backend:
//
//   struct my_float {
//     static constexpr bool threaded = true;  // make(n) runs on n threads: compared bit for bit
//     static my_backend<float> make(int threads) { return my_backend<float>{threads}; }
//   };
//   TEMPLATE_TEST_CASE("my backend", "[conformance]", my_float, my_double) {
//     test::conforms<TestType>();
//   }
//
// Finite differences are taken where activations are double: give the suite a double instance too.

#include "tests/backend/conformance/attention.hpp"
#include "tests/backend/conformance/neurons.hpp"
#include "tests/backend/conformance/norms.hpp"
#include "tests/backend/conformance/optimiser.hpp"
#include "tests/backend/conformance/products.hpp"
#include "tests/backend/conformance/rows.hpp"
#include "tests/backend/conformance/storage.hpp"

namespace tombola::test {

template <class Factory>
void conforms() {
  static_assert(backend<decltype(Factory::make(1))>);
  storage_conforms<Factory>();
  rows_conform<Factory>();
  products_conform<Factory>();
  norms_conform<Factory>();
  attention_conforms<Factory>();
  neurons_conform<Factory>();
  optimiser_conforms<Factory>();
}

}  // namespace tombola::test
