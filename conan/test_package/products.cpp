// onednn: a product large enough for oneDNN, of a matrix with itself turned by a permutation.
#include <cstddef>
#include <cstdio>
#include <vector>

#include <tombola/eigen/backend.hpp>
#include <tombola/onednn/products.hpp>

int main() {
  constexpr std::size_t n = 64;
  using view = tombola::view<float>;
  tombola::eigen::backend<float, tombola::onednn::products> device{1};
  auto x = device.allocate<float>(n * n), w = device.allocate<float>(n * n),
       y = device.allocate<float>(n * n);
  std::vector<float> numbers(n * n), next(n * n), found(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) numbers[i * n + k] = static_cast<float>(i * n + k);
    next[i * n + (i + 1) % n] = 1.0F;
  }
  const view in{x.data(), n, n}, weight{w.data(), n, n}, out{y.data(), n, n};
  device.write(numbers, in);
  device.write(next, weight);
  tombola::perform(device, tombola::linear<float>{in, weight, {}, out});
  device.read(out, found);
  bool good = true;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      good = good && found[i * n + k] == numbers[i * n + (k + 1) % n];
    }
  }
  std::puts(good ? "oneDNN's products are there" : "a product is not what it should be");
  return good ? 0 : 1;
}
