#include <vector>

#include <tombola/backend/reference.hpp>
#include <tombola/data/wordpiece.hpp>
#include <tombola/eigen/backend.hpp>

// One product on both backends: the package brings what its components need, library and all.
template <tombola::backend B>
double product(B& device) {
  using real = typename B::activation;
  auto x = device.template allocate<real>(6), w = device.template allocate<real>(6);
  auto y = device.template allocate<real>(4);
  device.write(std::vector<real>{1, 2, 3, 4, 5, 6}, {x.data(), 2, 3});
  device.write(std::vector<real>{1, 0, 1, 0, 1, 0}, {w.data(), 2, 3});
  tombola::perform(device,
                   tombola::linear<real>{{x.data(), 2, 3}, {w.data(), 2, 3}, {}, {y.data(), 2, 2}});
  std::vector<real> host(4);
  device.read({y.data(), 2, 2}, host);
  return static_cast<double>(host[2]);
}

int main() {
  tombola::reference_backend<double> plain;
  tombola::eigen_backend<float> fast;
  return product(plain) == 10 && product(fast) == 10 ? 0 : 1;
}
