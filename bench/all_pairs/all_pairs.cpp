// How long do the overlaps of all 990 pairs of 45 masks of BERT-base's encoder take: nine tasks of
// five seeds, as in the study?

#include <bit>
#include <thread>
#include <vector>

#include "bench/support/question.hpp"

#include "tombola/algebra/overlap.hpp"

using namespace tombola;

namespace {

std::size_t pairwise(const std::vector<mask>& masks) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < masks.size(); ++i) {
    for (std::size_t j = i + 1; j < masks.size(); ++j) {
      for (std::size_t w = 0; w < masks[i].words().size(); ++w) {
        sum += static_cast<std::size_t>(std::popcount(masks[i].words()[w] & masks[j].words()[w]));
      }
    }
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  std::vector<mask> masks;
  for (std::uint64_t seed = 0; seed < 45; ++seed) {
    masks.push_back(bench::random_mask(bench::bert_base_weights, seed));
  }
  std::size_t sum = 0;
  for (const pair_overlap& p : count_overlaps(masks, threads)) sum += p.counts.both;
  bench::require_equal(sum, pairwise(masks), "ours");

  bench::question q{.name = "all_pairs", .size = "45 masks of 84,934,656 bits, 990 pairs"};
  q.ours = {"tombola", threads, [&] { benchmark::DoNotOptimize(count_overlaps(masks, threads)); }};
  q.rivals.push_back(
      {"pair by pair, popcount loop", 1, [&] { benchmark::DoNotOptimize(pairwise(masks)); }});
  std::vector<std::span<const std::uint64_t>> runs;
  for (const mask& m : masks) runs.push_back(m.words());
  q.limit = bench::read_once(runs, threads);
  return q.run(argc, argv);
}
