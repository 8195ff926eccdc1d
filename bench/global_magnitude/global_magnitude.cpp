// How long does global magnitude pruning of BERT-base's encoder take: 30 % of 84.9 million weights
// in 72 matrices, in one ranking, exactly?

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "bench/support/memory.hpp"
#include "bench/support/question.hpp"

#include "tombola/core/random.hpp"
#include "tombola/prune/weights.hpp"

using namespace tombola;

namespace {

/// What one writes without a library: magnitudes side by side, the k-th by nth_element, and a
/// comparison with it. Weights as large as the k-th go with it, here none.
std::vector<mask> concatenated(const std::vector<weight_span>& weights, std::size_t k) {
  std::vector<float> magnitudes;
  for (const weight_span& w : weights) {
    for (const float x : w.values) magnitudes.push_back(std::abs(x));
  }
  const auto kth = magnitudes.begin() + static_cast<std::ptrdiff_t>(k);
  std::nth_element(magnitudes.begin(), kth, magnitudes.end());
  std::vector<mask> masks;
  for (const weight_span& w : weights) {
    mask m{w.values.size()};
    for (std::size_t i = 0; i < w.values.size(); ++i) m.set(i, std::abs(w.values[i]) >= *kth);
    masks.push_back(std::move(m));
  }
  return masks;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::vector<float>> values;
  std::vector<weight_span> weights;
  for (std::size_t layer = 0; layer < 12; ++layer) {
    for (const auto& [rows, columns] : std::vector<std::pair<std::size_t, std::size_t>>{
             {768, 768}, {768, 768}, {768, 768}, {768, 768}, {3072, 768}, {768, 3072}}) {
      const random_stream random{7, purpose::initialisation,
                                 static_cast<std::uint32_t>(values.size())};
      std::vector<float>& v = values.emplace_back(rows * columns);
      // Four numbers of two uniform 16-bit halves each: a triangle, smooth enough and quickly
      // drawn.
      for (std::size_t i = 0; i < v.size(); i += 4) {
        const auto words = random.words(i / 4);
        for (std::size_t j = 0; j < 4; ++j) {
          const double a = words[j] >> 16, b = words[j] & 0xFFFF;
          v[i + j] = static_cast<float>((a - b + 0x1p-16 * static_cast<double>(j)) * 0x1p-20);
        }
      }
      weights.push_back({{std::to_string(values.size()), {rows, columns}}, {}});
    }
  }
  for (std::size_t m = 0; m < values.size(); ++m) weights[m].values = values[m];
  std::size_t n = 0;
  for (const auto& v : values) n += v.size();
  const std::size_t k = static_cast<std::size_t>(0.3 * static_cast<double>(n));

  const std::size_t before = bench::peak_memory();
  const ticket found = remove_by_magnitude(weights, k);
  const std::size_t grown = bench::peak_memory() - before;
  bench::require_equal(found.size() - found.count(), k, "removed");
  float largest_gone = 0.0F, smallest_kept = 1e9F;
  for (std::size_t g = 0; g < weights.size(); ++g) {
    for (std::size_t i = 0; i < weights[g].values.size(); ++i) {
      const float x = std::abs(weights[g].values[i]);
      if (found[g][i]) {
        smallest_kept = std::min(smallest_kept, x);
      } else {
        largest_gone = std::max(largest_gone, x);
      }
    }
  }
  bench::require_equal(largest_gone <= smallest_kept, 1, "no removed weight above a kept one");

  bench::question q{.name = "global_magnitude",
                    .size = "72 matrices, 84,934,656 floats, 30 % removed"};
  q.ours = {"tombola", threads, [&] { benchmark::DoNotOptimize(remove_by_magnitude(weights, k)); }};
  q.rivals.push_back({"concatenate and nth_element", 1,
                      [&] { benchmark::DoNotOptimize(concatenated(weights, k)); }});
  std::vector<std::span<const std::uint64_t>> runs;  // two floats to a word
  for (const auto& v : values) {
    runs.push_back({reinterpret_cast<const std::uint64_t*>(v.data()), v.size() / 2});
  }
  q.limit = bench::read_once(runs, threads);
  q.notes = {{"memory_beyond_weights_and_masks_bytes", grown > n / 8 ? grown - n / 8 : 0}};
  return q.run(argc, argv);
}
