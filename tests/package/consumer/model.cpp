#include <vector>

#include <tombola/backend/reference.hpp>
#include <tombola/data/wordpiece.hpp>
#include <tombola/eigen/backend.hpp>

// [1 2 3; 4 5 6] times the transpose of [1 0 1; 0 1 0].
template <tombola::backend B>
std::vector<float> product(B& device) {
  using view = tombola::view<float>;
  auto x = device.template allocate<float>(6), w = device.template allocate<float>(6);
  auto y = device.template allocate<float>(4);
  const view left{x.data(), 2, 3}, right{w.data(), 2, 3}, result{y.data(), 2, 2};
  device.write(std::vector<float>{1, 2, 3, 4, 5, 6}, left);
  device.write(std::vector<float>{1, 0, 1, 0, 1, 0}, right);
  tombola::perform(device, tombola::linear<float>{left, right, {}, result});
  std::vector<float> host(4);
  device.read(result, host);
  return host;
}

// The package brings what its components need, libraries included: utf8proc takes the accent off.
bool reads_accents() {
  const auto pieces =
      tombola::data::vocabulary::from_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\ncafe\n", "vocab.txt");
  return tombola::data::wordpiece{pieces}.encode("Caf\xc3\x89") == std::vector{4};
}

int main() {
  const std::vector<float> expected{4, 2, 10, 5};
  tombola::reference_backend<float> plain;
  tombola::eigen::backend<float> fast{2};
  return product(plain) == expected && product(fast) == expected && reads_accents() ? 0 : 1;
}
