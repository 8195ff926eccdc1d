// How long do Fleiss' kappa, Krippendorff's alpha, Cochran's Q and Nogueira's stability of five
// seeds take together, over BERT-base's encoder?

#include "tombola/algebra/agreement.hpp"

#include <cmath>
#include <thread>
#include <vector>

#include "bench/support/question.hpp"

#include "tombola/algebra/stability.hpp"

using namespace tombola;

namespace {

struct numbers {
  double fleiss = 0.0, alpha = 0.0, q = 0.0, stability = 0.0, variance = 0.0;
};

/// One pass over memory gives all.
numbers ours(const std::vector<mask>& masks, std::size_t threads) {
  const auto pairs = count_overlaps(masks, threads);
  const agreement_counts c = agreement_counts_of(pairs);
  const stability s = nogueira(pairs);
  return {fleiss_kappa(c).value, krippendorff_alpha(c).value, cochran_q(c).q.value, s.value.value,
          s.variance.value};
}

/// Unit by unit, as the formulas stand.
numbers naive(const std::vector<mask>& masks) {
  const std::size_t k = masks.size(), n = masks[0].size();
  std::vector<double> sizes(k, 0.0), together(k, 0.0);
  double rows = 0.0;
  for (std::size_t u = 0; u < n; ++u) {
    double r = 0.0;
    for (std::size_t i = 0; i < k; ++i) r += masks[i][u] ? 1.0 : 0.0;
    for (std::size_t i = 0; i < k; ++i) {
      if (masks[i][u]) sizes[i] += 1.0, together[i] += r;
    }
    rows += r * r;
  }
  const double kd = static_cast<double>(k), nd = static_cast<double>(n);
  double total = 0.0, squares = 0.0;
  for (const double s : sizes) total += s, squares += s * s;
  const double share = total / kd / nd, chance = share * (1.0 - share);
  const double differing = (kd * total - rows) / (kd * (kd - 1.0) * nd);  // of two masks on a unit
  numbers x;
  x.fleiss = x.stability = 1.0 - differing / chance;
  x.alpha = 1.0 - differing / chance * (kd * nd - 1.0) / (kd * nd);
  x.q = (kd - 1.0) * (kd * squares - total * total) / (kd * total - rows);
  std::vector<double> influence(k);
  double mean = 0.0;
  for (std::size_t i = 0; i < k; ++i) {
    const double own = sizes[i] / nd;
    influence[i] = (together[i] / kd / nd - own * share +
                    x.stability / 2.0 * (2.0 * own * share - own - share + 1.0)) /
                   chance;
    mean += influence[i] / kd;
  }
  for (const double i : influence) x.variance += 4.0 / (kd * kd) * (i - mean) * (i - mean);
  return x;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  std::vector<mask> masks;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    masks.push_back(bench::random_mask(bench::bert_base_weights, seed));
  }
  const numbers a = ours(masks, threads), b = naive(masks);
  for (const auto& [x, y] : {std::pair{a.fleiss, b.fleiss},
                             {a.alpha, b.alpha},
                             {a.q, b.q},
                             {a.stability, b.stability},
                             {a.variance, b.variance}}) {
    // Unit by unit, Cochran's Q is a small difference of large numbers: half its digits are noise.
    if (std::abs(x - y) > 1e-7 * std::max(1.0, std::abs(y))) {
      std::fprintf(stderr, "ours gives %.17g, unit by unit %.17g\n", x, y);
      return 1;
    }
  }
  bench::question q{.name = "agreement", .size = "5 masks of 84,934,656 bits"};
  q.ours = {"tombola", threads, [&] { benchmark::DoNotOptimize(ours(masks, threads)); }};
  q.rivals.push_back({"unit by unit", 1, [&] { benchmark::DoNotOptimize(naive(masks)); }});
  std::vector<std::span<const std::uint64_t>> runs;
  for (const mask& m : masks) runs.push_back(m.words());
  q.limit = bench::read_once(runs, threads);
  return q.run(argc, argv);
}
