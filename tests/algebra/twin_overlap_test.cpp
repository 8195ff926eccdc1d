#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/support/random_units.hpp"

#include "tombola/algebra/agreement.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/stability.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

using namespace tombola;
using test::for_cases;
using test::random_case;
using test::set_of_units;
using test::twin;

namespace {

constexpr std::size_t cases = 10'000;

long double real(std::size_t n) {
  return static_cast<long double>(n);
}
estimate answer(long double x) {
  return defined(static_cast<double>(x));
}
estimate share_of(std::size_t part, std::size_t whole, reason why) {
  return whole == 0 ? undefined(why) : answer(real(part) / real(whole));
}

/// The four counts of two sets, from the sets that make them up.
overlap overlap_of(const twin& a, const twin& b) {
  return {test::intersection_of(a.kept, b.kept).size(), test::difference_of(a.kept, b.kept).size(),
          test::difference_of(b.kept, a.kept).size(),
          test::complement_of(test::union_of(a.kept, b.kept), a.n).size()};
}

/// Pearson's correlation of two columns of 0 and 1, unit by unit.
estimate correlation(const twin& a, const twin& b) {
  if (a.n == 0) return undefined(reason::no_units);
  const long double n = real(a.n), x = real(a.kept.size()) / n, y = real(b.kept.size()) / n;
  if (a.kept.empty() || b.kept.empty() || a.kept.size() == a.n || b.kept.size() == b.n) {
    return undefined(reason::a_mask_is_constant);
  }
  long double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < a.n; ++i) {
    const long double dx = (a.kept.contains(i) ? 1 : 0) - x, dy = (b.kept.contains(i) ? 1 : 0) - y;
    xy += dx * dy, xx += dx * dx, yy += dy * dy;
  }
  return answer(xy / std::sqrt(xx * yy));
}

/// Cohen's kappa from observed and expected agreement.
estimate kappa(const twin& a, const twin& b) {
  if (a.n == 0) return undefined(reason::no_units);
  const bool none = a.kept.empty() && b.kept.empty();
  if (none || (a.kept.size() == a.n && b.kept.size() == a.n)) {
    return undefined(reason::masks_are_constant);
  }
  std::size_t equal = 0;
  for (std::size_t i = 0; i < a.n; ++i) equal += a.kept.contains(i) == b.kept.contains(i);
  const long double n = real(a.n), x = real(a.kept.size()) / n, y = real(b.kept.size()) / n;
  const long double observed = real(equal) / n, expected = x * y + (1 - x) * (1 - y);
  return answer((observed - expected) / (1 - expected));
}

/// Kuncheva's index as its paper has it: (r n - s^2) / (s (n - s)).
estimate kuncheva_index(const twin& a, const twin& b) {
  if (a.n == 0) return undefined(reason::no_units);
  const std::size_t s = a.kept.size();
  if (s != b.kept.size()) return undefined(reason::sizes_differ);
  if (s == 0 || s == a.n) return undefined(reason::a_mask_is_constant);
  const long double n = real(a.n), r = real(test::intersection_of(a.kept, b.kept).size());
  return answer((r * n - real(s) * real(s)) / (real(s) * (n - real(s))));
}

/// A 0/1 table of k raters (masks) and n subjects (units), with its sums.
struct ratings {
  std::size_t n, k;
  std::vector<std::size_t> times;  ///< [n] masks that keep the unit
  std::size_t kept = 0;

  explicit ratings(const std::vector<twin>& masks)
      : n{masks[0].n}, k{masks.size()}, times{test::times_kept(n, masks)} {
    kept = std::accumulate(times.begin(), times.end(), std::size_t{0});
  }
  [[nodiscard]] reason why() const {
    if (k < 2) return reason::too_few_masks;
    if (n == 0) return reason::no_units;
    return kept == 0 || kept == n * k ? reason::masks_are_constant : reason::defined;
  }
};

/// Fleiss' kappa from the agreement of each subject.
estimate fleiss(const ratings& t) {
  if (t.why() != reason::defined) return undefined(t.why());
  const long double n = real(t.n), k = real(t.k), q = real(t.kept) / (n * k);
  long double agreement = 0;
  for (const std::size_t r : t.times) {
    const long double yes = real(r), no = k - yes;
    agreement += (yes * yes + no * no - k) / (k * (k - 1)) / n;
  }
  const long double expected = q * q + (1 - q) * (1 - q);
  return answer((agreement - expected) / (1 - expected));
}

/// Krippendorff's alpha from the matrix of coincidences.
estimate alpha(const ratings& t) {
  if (t.why() != reason::defined) return undefined(t.why());
  long double mixed = 0;  // the coincidences of kept and pruned
  for (const std::size_t r : t.times) mixed += real(r) * real(t.k - r) / real(t.k - 1);
  const long double all = real(t.n * t.k), kept = real(t.kept);
  return answer(1 - (all - 1) * mixed / (kept * (all - kept)));
}

/// P(chi square of f degrees >= x), as 1 less the series of the lower incomplete gamma function.
long double chi_square_tail(long double x, std::size_t f) {
  const long double a = real(f) / 2, z = x / 2;
  if (z == 0) return 1;
  long double term = 1 / a, sum = term;
  for (long double i = 1; term > sum * 1e-22L; i += 1) {
    term *= z / (a + i);
    sum += term;
  }
  return 1 - sum * std::exp(a * std::log(z) - z - std::lgamma(a));
}

/// Nogueira's stability by units, and the variance of its estimate by masks.
stability nogueira_of(const std::vector<twin>& masks) {
  const ratings t{masks};
  const reason why = t.why();
  if (why != reason::defined) return {undefined(why), undefined(why)};
  const long double n = real(t.n), k = real(t.k), q = real(t.kept) / k / n;
  long double spread = 0;
  for (const std::size_t r : t.times) {
    const long double p = real(r) / k;
    spread += k / (k - 1) * p * (1 - p) / n;
  }
  const long double value = 1 - spread / (q * (1 - q));
  if (t.k < 3) return {answer(value), undefined(reason::too_few_masks)};
  std::vector<long double> influence;
  long double mean = 0;
  for (const twin& m : masks) {
    long double beside = 0;
    for (const std::size_t i : m.kept) beside += real(t.times[i]) / k / n;
    const long double own = real(m.kept.size()) / n;
    influence.push_back((beside - own * q + value / 2 * (2 * own * q - own - q + 1)) /
                        (q * (1 - q)));
    mean += influence.back() / k;
  }
  long double variance = 0;
  for (const long double x : influence) variance += 4 / (k * k) * (x - mean) * (x - mean);
  return {answer(value), answer(variance)};
}

}  // namespace

TEST_CASE("twin: the overlap of two masks and every measure of it") {
  for_cases(cases, 11, [](random_case& c) {
    const auto m = c.draw_masks(2, c.size());
    const twin &a = m[0], &b = m[1];
    const overlap expected = overlap_of(a, b);
    const overlap o = count_overlap(a.bits, mask_view{b.bits}, 1 + c.below(2));
    c.expect(o == expected, "overlap");
    c.expect(o.first() == a.kept.size() && o.second() == b.kept.size() && o.size() == a.n &&
                 o.either() == test::union_of(a.kept, b.kept).size(),
             "sizes of an overlap");
    c.expect(overlap_of_sizes(a.n, a.kept.size(), b.kept.size(), expected.both) == expected,
             "overlap of sizes");
    const std::size_t both = expected.both;
    c.same(jaccard(o), share_of(both, a.n - expected.neither, reason::nothing_kept), "Jaccard");
    c.same(dice(o), share_of(2 * both, a.kept.size() + b.kept.size(), reason::nothing_kept),
           "Dice");
    c.same(containment_of_first(o), share_of(both, a.kept.size(), reason::first_keeps_nothing),
           "containment of the first");
    c.same(containment_of_second(o), share_of(both, b.kept.size(), reason::second_keeps_nothing),
           "containment of the second");
    c.same(overlap_coefficient(o),
           share_of(both, std::min(a.kept.size(), b.kept.size()), reason::a_mask_keeps_nothing),
           "overlap coefficient");
    c.expect(hamming(o) == test::symmetric_difference_of(a.kept, b.kept).size(), "Hamming");
    c.same(phi(o), correlation(a, b), "phi");
    c.same(cohen_kappa(o), kappa(a, b), "Cohen's kappa");
    c.same(kuncheva(o), kuncheva_index(a, b), "Kuncheva's index");
  });
}

TEST_CASE("twin: the overlaps of all pairs, and means over them") {
  for_cases(cases, 12, [](random_case& c) {
    const std::size_t k = c.below(8);
    const auto m = c.draw_masks(k, c.size());
    const auto masks = test::masks_of(m);
    const auto pairs = count_overlaps(masks, 1 + c.below(2));
    c.expect(pairs.size() == (k == 0 ? 0 : k * (k - 1) / 2), "number of pairs");
    std::size_t at = 0;
    long double sum = 0;
    estimate mean = undefined(reason::too_few_masks);
    bool any_undefined = false;
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = i + 1; j < k; ++j, ++at) {
        const overlap expected = overlap_of(m[i], m[j]);
        c.expect(pairs[at].first == i && pairs[at].second == j, "order of pairs");
        c.expect(pairs[at].counts == expected, "overlap of a pair");
        const std::size_t either = m[i].n - expected.neither;
        if (either == 0) any_undefined = true;
        if (!any_undefined) sum += real(expected.both) / real(either);
      }
    }
    if (at > 0) mean = answer(sum / real(at));
    if (any_undefined) mean = undefined(reason::nothing_kept);
    c.same(mean_over_pairs(pairs, jaccard), mean, "mean Jaccard of pairs");
    c.same(mean_pairwise_jaccard(masks), mean, "mean Jaccard");
  });
}

TEST_CASE("twin: overlaps of tickets, by group and pooled") {
  for_cases(cases, 13, [](random_case& c) {
    const std::vector<std::size_t> sizes{c.size(), 3, random_case::sizes[c.below(8)]};
    std::vector<group> groups;
    std::vector<mask> first, second;
    std::vector<overlap> expected;
    overlap all;
    for (std::size_t g = 0; g < sizes.size(); ++g) {
      const auto m = c.draw_masks(2, sizes[g]);
      groups.push_back({"g" + std::to_string(g), {sizes[g]}});
      first.push_back(m[0].bits);
      second.push_back(m[1].bits);
      expected.push_back(overlap_of(m[0], m[1]));
      all.both += expected.back().both, all.neither += expected.back().neither;
      all.first_only += expected.back().first_only, all.second_only += expected.back().second_only;
    }
    const ticket a{groups, first}, b{groups, second};
    c.expect(count_overlap_by_group(a, b) == expected, "overlap by group");
    c.expect(count_overlap(a, b) == all, "overlap of tickets");
  });
}

TEST_CASE("twin: agreement of k masks") {
  for_cases(cases, 14, [](random_case& c) {
    const std::size_t k = 1 + c.below(9);
    const auto m = c.draw_masks(k, c.size());
    const auto masks = test::masks_of(m);
    const ratings t{m};
    c.same(fleiss_kappa(masks), fleiss(t), "Fleiss' kappa");
    c.same(krippendorff_alpha(masks), alpha(t), "Krippendorff's alpha");

    // Cochran's Q as its paper has it, in whole numbers.
    std::size_t squares = 0, row_squares = 0;
    for (const twin& x : m) squares += x.kept.size() * x.kept.size();
    for (const std::size_t r : t.times) row_squares += r * r;
    const std::size_t bottom = k * t.kept - row_squares;
    const reason why = k < 2         ? reason::too_few_masks
                       : t.n == 0    ? reason::no_units
                       : bottom == 0 ? reason::masks_are_identical
                                     : reason::defined;
    const cochran q = cochran_q(masks);
    c.expect(q.degrees == k - 1, "degrees of Cochran's Q");
    if (why == reason::defined) {
      const long double statistic =
          real(k - 1) * real(k * squares - t.kept * t.kept) / real(bottom);
      c.same(q.q, answer(statistic), "Cochran's Q");
      c.same(q.p, answer(chi_square_tail(statistic, k - 1)), "p of Cochran's Q");
      if (q.p.value > 1e-300) c.same(q.log_p, defined(std::log(q.p.value)), "log p of Cochran's Q");
    } else {
      for (const estimate& e : {q.q, q.p, q.log_p}) c.same(e, undefined(why), "Cochran's Q");
    }

    // From overlaps of pairs as from survival counts.
    if (k > 1) {
      const auto pairs = count_overlaps(masks);
      const agreement_counts counts = agreement_counts_of(std::span<const pair_overlap>{pairs});
      c.same(fleiss_kappa(counts), fleiss(t), "Fleiss' kappa from pairs");
      c.same(krippendorff_alpha(counts), alpha(t), "Krippendorff's alpha from pairs");
      c.same(cochran_q(counts).q, q.q, "Cochran's Q from pairs");
    }
  });
}

TEST_CASE("twin: Nogueira's stability, its variance, interval and test") {
  for_cases(cases, 15, [](random_case& c) {
    const std::size_t k = 1 + c.below(9), n = c.size();
    const auto m = c.draw_masks(k, n), others = c.draw_masks(k, n);
    const stability expected = nogueira_of(m), other = nogueira_of(others);
    const stability s = nogueira(test::masks_of(m));
    c.same(s.value, expected.value, "Nogueira's stability");
    c.same(s.variance, expected.variance, "variance of Nogueira's stability");
    if (!s.variance.defined()) {
      c.same(s.lower(), s.variance, "lower end");
      c.same(s.upper(), s.variance, "upper end");
    } else {
      const double error = std::sqrt(s.variance.value);
      c.same(s.lower(2.5), defined(s.value.value - 2.5 * error), "lower end");
      c.same(s.upper(2.5), defined(s.value.value + 2.5 * error), "upper end");
    }
    const estimate p = p_of_difference(s, nogueira(test::masks_of(others)));
    if (!expected.value.defined()) {
      c.same(p, expected.value, "p of a difference");
    } else if (!other.value.defined()) {
      c.same(p, other.value, "p of a difference");
    } else if (k < 3) {
      c.same(p, undefined(reason::too_few_masks), "p of a difference");
    } else if (const double error = std::sqrt(expected.variance.value + other.variance.value);
               error > 1e-8) {
      const double z = std::abs(expected.value.value - other.value.value) / error;
      const estimate normal = defined(2.0 * (1.0 - 0.5 * std::erfc(-z / std::sqrt(2.0))));
      c.expect(p.defined() && std::abs(p.value - normal.value) < 1e-7, "p of a difference");
    }
  });
}

TEST_CASE("twin: masks of many blocks, in slices for several threads") {
  // A slice is 65,536 units; the last block of words and the last word are not full.
  const std::size_t n = 3 * 65'536 + 20'000 + 7, k = 5;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    random_case c{seed, 16};
    const std::vector<double> shares{0.5, 0.02, 0.98, c.uniform(), c.uniform()};
    std::vector<mask> masks(k, mask{n});
    std::vector<std::vector<bool>> bits(k, std::vector<bool>(n));
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < k; ++j) {
        bits[j][i] = c.uniform() < shares[j];
        masks[j].set(i, bits[j][i]);
      }
    }
    // More threads than slices are not started, nor is memory taken for them.
    for (const std::size_t threads : {std::size_t{1}, std::size_t{2}, std::size_t{3},
                                      std::size_t{4}, std::size_t{9}, ~std::size_t{0}}) {
      const auto pairs = count_overlaps(masks, threads);
      std::size_t at = 0;
      for (std::size_t a = 0; a < k; ++a) {
        for (std::size_t b = a + 1; b < k; ++b, ++at) {
          overlap o;
          for (std::size_t i = 0; i < n; ++i) {
            ++(bits[a][i] ? (bits[b][i] ? o.both : o.first_only)
                          : (bits[b][i] ? o.second_only : o.neither));
          }
          REQUIRE(pairs[at].counts == o);
          REQUIRE(count_overlap(masks[a], masks[b], threads) == o);
        }
      }
      const survival s = count_survival(masks, threads);
      std::vector<std::size_t> by_survival(k + 1, 0);
      for (std::size_t i = 0; i < n; ++i) {
        std::size_t times = 0;
        for (std::size_t j = 0; j < k; ++j) times += bits[j][i];
        ++by_survival[times];
      }
      REQUIRE(s.units_by_survival == by_survival);
    }
  }
}
