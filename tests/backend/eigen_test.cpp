#include "tests/backend/conformance.hpp"

#include "tombola/eigen/backend.hpp"

using namespace tombola;

namespace {

template <class T>
struct eigen_of {
  static constexpr bool threaded = true;
  static eigen::backend<T> make(int threads) { return eigen::backend<T>{threads}; }
};

}  // namespace

TEMPLATE_TEST_CASE("Eigen backend", "[conformance]", eigen_of<float>, eigen_of<double>) {
  test::conforms<TestType>();
}
