#include <vector>

#include <tombola/eigen/backend.hpp>
#include <tombola/onednn/products.hpp>

// Large enough for oneDNN to be called: a row of ones times a matrix of ones.
int main() {
  using view = tombola::view<float>;
  tombola::eigen::backend<float, tombola::onednn::products> device{2};
  constexpr std::size_t n = 64;
  auto x = device.allocate<float>(n * n), w = device.allocate<float>(n * n);
  auto y = device.allocate<float>(n * n);
  const view left{x.data(), n, n}, right{w.data(), n, n}, result{y.data(), n, n};
  device.fill(left, 1.0F);
  device.fill(right, 1.0F);
  tombola::perform(device, tombola::linear<float>{left, right, {}, result});
  std::vector<float> host(n * n);
  device.read(result, host);
  return host == std::vector<float>(n * n, float{n}) ? 0 : 1;
}
