// Every overlap and every number of agreement against plain loops, on random cases.

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_units.hpp"

#include "tombola/algebra/agreement.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/stability.hpp"
#include "tombola/algebra/survival.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

constexpr std::size_t cases = 10'800;

/// Whether an estimate is this number, or undefined where the number is 0 / 0.
bool is_about(const estimate& e, double x, double tolerance = 1e-12) {
  if (std::isnan(x)) return !e.defined();
  return e.defined() && std::abs(e.value - x) <= tolerance * std::max(1.0, std::abs(x));
}

/// A quotient; 0 / 0 and x / 0 are NaN.
double over(double a, double b) {
  return b == 0.0 ? std::nan("") : a / b;
}

/// The table of two masks, counted unit by unit.
struct plain_table {
  double both = 0, first_only = 0, second_only = 0, neither = 0;

  plain_table(const plain_units& x, const plain_units& y) {
    for (std::size_t u = 0; u < x.n; ++u) {
      (x.has(u) ? (y.has(u) ? both : first_only) : (y.has(u) ? second_only : neither)) += 1;
    }
  }
  [[nodiscard]] bool is(const overlap& o) const {
    return static_cast<double>(o.both) == both && static_cast<double>(o.first_only) == first_only &&
           static_cast<double>(o.second_only) == second_only &&
           static_cast<double>(o.neither) == neither;
  }
};

/// Pairs of masks that differ on a unit, summed over units, straight from the definition.
double disagreements(const std::vector<plain_units>& all) {
  double sum = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = i + 1; j < all.size(); ++j) {
      for (std::size_t u = 0; u < all[i].n; ++u) sum += all[i].has(u) != all[j].has(u) ? 1 : 0;
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("twins: the overlap of two masks and every measure of it") {
  random_units random{11};
  first_fault fault;
  for (std::size_t c = 0; c < cases; ++c) {
    const std::size_t n = random_units::size_of(c);
    const plain_units x = random.draw(n), y = random.draw(n);
    const plain_table t{x, y};
    const overlap o = count_overlap(x.as_mask(), y.as_mask(), 1 + c % 2);
    const double a = t.both + t.first_only, b = t.both + t.second_only;
    const double all = static_cast<double>(n);
    fault.check(t.is(o), "count_overlap", c, n);
    fault.check(is_about(jaccard(o), over(t.both, a + t.second_only)), "jaccard", c, n);
    fault.check(is_about(dice(o), over(2 * t.both, a + b)), "dice", c, n);
    fault.check(is_about(containment_of_first(o), over(t.both, a)), "first in second", c, n);
    fault.check(is_about(containment_of_second(o), over(t.both, b)), "second in first", c, n);
    fault.check(is_about(overlap_coefficient(o), over(t.both, std::min(a, b))), "coefficient", c,
                n);
    fault.check(static_cast<double>(hamming(o)) == t.first_only + t.second_only, "hamming", c, n);
    const double cross = t.both * t.neither - t.first_only * t.second_only;
    fault.check(is_about(phi(o), over(cross, std::sqrt(a * b * (all - a) * (all - b)))), "phi", c,
                n);
    const double chance = (a * b + (all - a) * (all - b)) / (all * all);
    const double observed = (t.both + t.neither) / all;
    fault.check(is_about(cohen_kappa(o), n == 0 || a * b + (all - a) * (all - b) == all * all
                                             ? std::nan("")
                                             : (observed - chance) / (1.0 - chance)),
                "cohen_kappa", c, n);
  }
  CHECK(fault.text() == "");
  CHECK(fault.checks() == 9 * cases);
}

TEST_CASE("twins: all pairs of several masks") {
  random_units random{12};
  first_fault fault;
  for (std::size_t c = 0; c < cases; ++c) {
    const std::size_t n = random_units::size_of(c), k = random.below(6);
    const auto plain = random.draw_several(k, n);
    const auto pairs = count_overlaps(as_masks(plain), 1 + c % 3);
    std::size_t at = 0;
    bool same = pairs.size() == (k < 2 ? 0 : k * (k - 1) / 2);
    for (std::size_t i = 0; i < k && same; ++i) {
      for (std::size_t j = i + 1; j < k && same; ++j, ++at) {
        same = pairs[at].first == i && pairs[at].second == j &&
               plain_table{plain[i], plain[j]}.is(pairs[at].counts);
      }
    }
    fault.check(same, "count_overlaps", c, n);
  }
  CHECK(fault.text() == "");
}

TEST_CASE("twins: agreement of several masks, from the definitions") {
  random_units random{13};
  first_fault fault;
  for (std::size_t c = 0; c < cases; ++c) {
    const std::size_t n = random_units::size_of(c), k = 2 + random.below(5);
    const auto plain = random.draw_several(k, n);
    const auto masks = as_masks(plain);
    const double units = static_cast<double>(n), raters = static_cast<double>(k);
    double kept = 0, columns = 0,
           rows = 0;  // sums of sizes, of their squares, of survivals squared
    for (const plain_units& one : plain) {
      const double size = static_cast<double>(one.kept.size());
      kept += size, columns += size * size;
    }
    for (std::size_t u = 0; u < n; ++u) {
      double r = 0;
      for (const plain_units& one : plain) r += one.has(u) ? 1 : 0;
      rows += r * r;
    }
    // Fleiss: the share of agreeing pairs beside what the shares of ratings give.
    const double share = kept / (units * raters), differ = disagreements(plain);
    const double agreeing = 1.0 - differ / (units * raters * (raters - 1.0) / 2.0);
    const double chance = share * share + (1.0 - share) * (1.0 - share);
    const bool constant = n == 0 || kept == 0 || kept == units * raters;
    const double fleiss = constant ? std::nan("") : (agreeing - chance) / (1.0 - chance);
    fault.check(is_about(fleiss_kappa(masks), fleiss, 1e-10), "fleiss_kappa", c, n);
    // Krippendorff: observed over expected disagreement among all pairable values.
    const double values = units * raters;
    const double expected = 2.0 * kept * (values - kept) / (values * (values - 1.0));
    const double seen = 2.0 * differ / (raters - 1.0) / values;
    fault.check(
        is_about(krippendorff_alpha(masks), constant ? std::nan("") : 1.0 - seen / expected, 1e-10),
        "krippendorff_alpha", c, n);
    // Cochran's Q as spec and textbooks have it.
    const double below = raters * kept - rows;
    const double q = (raters - 1.0) * (raters * columns - kept * kept);
    fault.check(is_about(cochran_q(masks).q, n == 0 ? std::nan("") : over(q, below), 1e-10),
                "cochran_q", c, n);
    // Nogueira: 1 - mean of the units' unbiased variances over what the mean size gives.
    double variances = 0;
    for (std::size_t u = 0; u < n; ++u) {
      double r = 0;
      for (const plain_units& one : plain) r += one.has(u) ? 1 : 0;
      const double p = r / raters;
      variances += raters / (raters - 1.0) * p * (1.0 - p);
    }
    const stability s = nogueira(masks, 1 + c % 2);
    fault.check(
        is_about(s.value,
                 constant ? std::nan("") : 1.0 - variances / units / (share * (1.0 - share)), 1e-9),
        "nogueira", c, n);
    fault.check(s.value.defined() == s.variance.defined() &&
                    (!s.variance.defined() || s.variance.value >= 0.0),
                "variance of nogueira", c, n);
    // Both ways to count give the same.
    const auto pairs = count_overlaps(masks);
    fault.check(fleiss_kappa(agreement_counts_of(pairs)) == fleiss_kappa(masks), "from pairs", c,
                n);
  }
  CHECK(fault.text() == "");
  CHECK(fault.checks() == 6 * cases);
}
