#include "tombola/backend/reference.hpp"

#include "tests/backend/conformance.hpp"

using namespace tombola;

namespace {

template <class T>
struct reference_of {
  static constexpr bool threaded = false;
  static reference_backend<T> make(int) { return {}; }
};

}  // namespace

TEMPLATE_TEST_CASE("reference backend",
                   "[conformance]",
                   reference_of<float>,
                   reference_of<double>) {
  test::conforms<TestType>();
}
