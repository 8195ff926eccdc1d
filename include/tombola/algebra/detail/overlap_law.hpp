#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "tombola/algebra/chance.hpp"
#include "tombola/algebra/overlap.hpp"

namespace tombola::detail {

/// A law of what both masks keep: the probability of each number from `lowest` on. They add up to 1.
struct law_of_both {
  std::size_t lowest = 0;
  std::vector<double> probability;
};

/// The hypergeometric law of a pair's sizes, up to where its tails fall below `negligible` times the
/// probability near its mean.
[[nodiscard]] inline law_of_both hypergeometric_law(const overlap& o, double negligible) {
  const std::size_t n = o.size(), a = o.first(), b = o.second();
  const std::size_t lowest = a > n - b ? a - (n - b) : 0, highest = std::min(a, b);
  const auto mean = static_cast<std::size_t>(expected_both(o));
  const overlap middle = overlap_of_sizes(n, a, b, std::clamp(mean, lowest, highest));
  const auto walk = [&](auto odds, auto step) {
    std::vector<double> weights;
    overlap at = middle;
    double weight = 1.0;
    for (double r = odds(at); r > 0.0 && weight * r > negligible; r = odds(at)) {
      at = step(at);
      weights.push_back(weight *= r);
    }
    return weights;
  };
  const std::vector<double> below = walk(odds_of_one_less, one_less),
                            above = walk(odds_of_one_more, one_more);
  law_of_both law{middle.both - below.size(), {below.rbegin(), below.rend()}};
  law.probability.push_back(1.0);
  law.probability.insert(law.probability.end(), above.begin(), above.end());
  double sum = 0.0;
  for (const double p : law.probability) sum += p;
  for (double& p : law.probability) p /= sum;
  return law;
}

/// The law of a sum of two numbers that are drawn apart. Cost: the product of their lengths.
[[nodiscard]] inline law_of_both convolved(const law_of_both& a, const law_of_both& b) {
  law_of_both sum{a.lowest + b.lowest,
                  std::vector<double>(a.probability.size() + b.probability.size() - 1, 0.0)};
  for (std::size_t i = 0; i < a.probability.size(); ++i) {
    for (std::size_t j = 0; j < b.probability.size(); ++j) {
      sum.probability[i + j] += a.probability[i] * b.probability[j];
    }
  }
  return sum;
}

/// Draws from a law: the number that a uniform one in [0, 1) stands for, in constant time on the
/// average.
/// Source: H.-C. Chen, Y. Asau, "On generating random variates from an empirical distribution",
/// AIIE Transactions 6(2), 1974 (the table of where to begin).
class law_sampler {
public:
  explicit law_sampler(const law_of_both& law) : lowest_{law.lowest} {
    cumulative_.reserve(law.probability.size());
    double sum = 0.0;
    for (const double p : law.probability) cumulative_.push_back(sum += p);
    for (double& c : cumulative_) c /= sum;
    const std::size_t count = cumulative_.size();
    begin_.reserve(count);
    for (std::size_t part = 0, i = 0; part < count; ++part) {
      while (cumulative_[i] * static_cast<double>(count) <= static_cast<double>(part)) ++i;
      begin_.push_back(i);
    }
  }

  [[nodiscard]] std::size_t at(double uniform) const noexcept {
    const std::size_t count = cumulative_.size();
    const auto part = static_cast<std::size_t>(uniform * static_cast<double>(count));
    std::size_t i = begin_[std::min(part, count - 1)];
    while (i + 1 < count && cumulative_[i] <= uniform) ++i;
    while (i > 0 && cumulative_[i - 1] > uniform) --i;  // where a product was rounded up
    return lowest_ + i;
  }

private:
  std::size_t lowest_;
  std::vector<double> cumulative_;
  std::vector<std::size_t> begin_;
};

}  // namespace tombola::detail
