#pragma once

#include <cstddef>
#include <vector>

namespace tombola::test {

/// d f / d x[i] for every i, from five-point central differences of f, a function of x in double.
///
/// The error is about step^4 |f'''''| / 30 + 1e-16 |f| / step: for smooth functions of order 1 the
/// default leaves 1e-12. Cost: 4 evaluations for each number.
template <class F>
[[nodiscard]] std::vector<double> finite_difference(F&& f,
                                                    std::vector<double> x,
                                                    double step = 1e-3) {
  std::vector<double> gradient(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double middle = x[i];
    const auto shifted = [&](double steps) {
      x[i] = middle + steps * step;
      return f(x);
    };
    const double near = shifted(1.0) - shifted(-1.0), far = shifted(2.0) - shifted(-2.0);
    gradient[i] = (8.0 * near - far) / (12.0 * step);
    x[i] = middle;
  }
  return gradient;
}

}  // namespace tombola::test
