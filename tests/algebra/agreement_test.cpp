#include "tombola/algebra/agreement.hpp"

#include <bit>
#include <cmath>
#include <vector>

#include "tests/support/checked_mask.hpp"

using namespace tombola;

namespace {

std::vector<mask> masks_of(const std::vector<std::vector<int>>& rows) {
  std::vector<mask> masks;
  for (const auto& row : rows) masks.push_back(mask::from_values(row));
  return masks;
}

}  // namespace

TEST_CASE("agreement numbers are those of the textbook formulas, unit by unit") {
  for (const std::size_t k : {2U, 3U, 5U, 8U}) {
    const std::size_t n = 144;
    const auto m = test::random_masks(k, n, k);
    const double kd = static_cast<double>(k), nd = static_cast<double>(n);
    double total = 0, agree = 0, observed = 0, rows = 0, squares = 0;
    for (const auto& c : m) {
      const double size = static_cast<double>(c.units().size());
      total += size;
      squares += size * size;
    }
    for (std::size_t i = 0; i < n; ++i) {
      double kept = 0;
      for (const auto& c : m) kept += c.units().count(i) != 0 ? 1.0 : 0.0;
      const double pruned = kd - kept;
      agree += (kept * kept + pruned * pruned - kd) / (kd * (kd - 1)) / nd;
      observed += 2 * kept * pruned / (kd - 1) / (kd * nd);
      rows += kept * kept;
    }
    const double q = total / (kd * nd), by_chance = q * q + (1 - q) * (1 - q);
    CHECK(fleiss_kappa(m).value == Approx((agree - by_chance) / (1 - by_chance)).margin(1e-13));
    const double expected = 2 * total * (kd * nd - total) / (kd * nd * (kd * nd - 1));
    CHECK(krippendorff_alpha(m).value == Approx(1 - observed / expected).margin(1e-13));
    const cochran c = cochran_q(m);
    CHECK(c.degrees == k - 1);
    CHECK(c.q.value ==
          Approx((kd - 1) * (kd * squares - total * total) / (kd * total - rows)).epsilon(1e-12));
    CHECK(std::exp(c.log_p.value) == Approx(c.p.value).epsilon(1e-13));
  }
}

TEST_CASE("agreement from the overlaps of all pairs is that from survival counts") {
  for (const std::size_t k : {2U, 3U, 9U, 70U}) {
    const auto checked = test::random_masks(k, 200, k);
    std::vector<mask> masks;
    for (const auto& c : checked) {
      mask m{c.size()};
      for (const std::size_t unit : c.units()) m.set(unit);
      masks.push_back(m);
    }
    const auto pairs = count_overlaps(masks);
    const agreement_counts a = agreement_counts_of(pairs);
    const agreement_counts b = agreement_counts_of(count_survival(masks));
    CHECK(a.units == b.units);
    CHECK(a.sizes == b.sizes);
    CHECK(a.disagreements == b.disagreements);
    CHECK(fleiss_kappa(a) == fleiss_kappa(masks));
    CHECK(cochran_q(a).q == cochran_q(masks).q);
  }
  CHECK(fleiss_kappa(agreement_counts_of(std::vector<pair_overlap>{})).why ==
        reason::too_few_masks);
}

TEST_CASE("over all placements kappa averages to what its comment says") {
  const unsigned n = 5;
  const auto average = [&](int first, int second) {
    double sum = 0.0;
    int count = 0;
    for (unsigned a = 0; a < 1U << n; ++a) {
      for (unsigned b = 0; b < 1U << n; ++b) {
        if (std::popcount(a) != first || std::popcount(b) != second) continue;
        sum += fleiss_kappa(std::vector<mask>{mask::from_words(n, {a}), mask::from_words(n, {b})})
                   .value;
        ++count;
      }
    }
    return sum / count;
  };
  CHECK(average(2, 2) == Approx(0.0).margin(1e-14));
  // Shares 0.2 and 0.6: q = 0.4, variance 0.04, k - 1 = 1.
  CHECK(average(1, 3) == Approx(-0.04 / (0.4 * 0.6)).epsilon(1e-13));
}

TEST_CASE("Cochran's Q tests sizes and not overlap") {
  const cochran apart = cochran_q(masks_of({{1, 1, 0, 0}, {0, 0, 1, 1}}));
  CHECK(apart.q == defined(0.0));
  CHECK(apart.p == defined(1.0));
  CHECK(apart.log_p == defined(0.0));
  // Two masks: McNemar's test without continuity correction, (b - c)^2 / (b + c).
  CHECK(cochran_q(masks_of({{1, 1, 1, 1, 0}, {1, 0, 0, 0, 1}})).q == defined(4.0 / 4));
}

TEST_CASE("degenerate tables have a reason") {
  const auto all = masks_of({{1, 1}, {1, 1}}), none = masks_of({{0, 0}, {0, 0}, {0, 0}});
  const auto one = masks_of({{1, 0}}), same = masks_of({{1, 0}, {1, 0}});
  const std::vector<mask> no_units(2), no_masks;
  const auto whys = [](const std::vector<mask>& m) {
    const cochran c = cochran_q(m);
    CHECK(c.p == c.q);
    CHECK(c.log_p == c.q);
    CHECK(krippendorff_alpha(m).why == fleiss_kappa(m).why);
    return std::vector<reason>{fleiss_kappa(m).why, c.q.why};
  };
  using r = reason;
  CHECK(whys(all) == std::vector<r>{r::masks_are_constant, r::masks_are_identical});
  CHECK(whys(none) == std::vector<r>{r::masks_are_constant, r::masks_are_identical});
  CHECK(whys(one) == std::vector<r>{r::too_few_masks, r::too_few_masks});
  CHECK(whys(no_masks) == std::vector<r>{r::too_few_masks, r::too_few_masks});
  CHECK(whys(no_units) == std::vector<r>{r::no_units, r::no_units});
  CHECK(fleiss_kappa(same) == defined(1.0));
  CHECK(krippendorff_alpha(same) == defined(1.0));
  CHECK(cochran_q(same).q.why == reason::masks_are_identical);
  CHECK(cochran_q(no_masks).degrees == 0);
}

TEST_CASE("tickets pool their groups") {
  const std::vector<group> groups{{"a", {2}}, {"b", {2}}};
  const auto m = masks_of({{1, 0}, {0, 0}, {1, 1}, {0, 1}});
  const std::vector<ticket> two{{groups, {m[0], m[1]}}, {groups, {m[2], m[3]}}};
  const auto flat = masks_of({{1, 0, 0, 0}, {1, 1, 0, 1}});
  CHECK(fleiss_kappa(two) == fleiss_kappa(flat));
  CHECK(krippendorff_alpha(two) == krippendorff_alpha(flat));
  CHECK(cochran_q(two).q == cochran_q(flat).q);
}

TEST_CASE("kappa within strata takes out what layers have in common") {
  const auto counts = [](const std::vector<mask>& masks) {
    return agreement_counts_of(count_survival(masks));
  };
  // Both masks keep most of the first layer and little of the second, and agree no further.
  const auto first = counts(masks_of({{1, 1, 1, 0}, {1, 1, 0, 1}}));
  const auto second = counts(masks_of({{1, 0, 0, 0}, {0, 1, 0, 0}}));
  const auto both = counts(masks_of({{1, 1, 1, 0, 1, 0, 0, 0}, {1, 1, 0, 1, 0, 1, 0, 0}}));
  CHECK(fleiss_kappa(both).value == 0.0);
  // Each layer: 2 disagreements; chance gives 6 / 2 * 2 / 4 = 1.5.
  const std::vector<agreement_counts> layers{first, second};
  CHECK(fleiss_kappa_within(layers).value == Approx(1.0 - 4.0 / 3.0));
  CHECK(fleiss_kappa_within(std::vector<agreement_counts>{first}).value ==
        Approx(fleiss_kappa(first).value));
  // Layers that every mask keeps or prunes whole say nothing, however alike they look together.
  const auto kept = counts(masks_of({{1, 1}, {1, 1}})), pruned = counts(masks_of({{0, 0}, {0, 0}}));
  const std::vector<agreement_counts> constant{kept, pruned}, mixed{kept, first, pruned};
  CHECK(fleiss_kappa_within(constant).why == reason::masks_are_constant);
  CHECK(fleiss_kappa_within(mixed).value == Approx(fleiss_kappa(first).value));
  CHECK(fleiss_kappa_within({}).why == reason::no_units);
  CHECK(fleiss_kappa_within(std::vector<agreement_counts>{counts(masks_of({{1, 0}}))}).why ==
        reason::too_few_masks);
}

TEST_CASE("counts of 85 million units keep their digits") {
  // Five masks whose sizes differ by one unit each; every unit of the middle band differs.
  const std::size_t n = 84'934'656, h = n / 2;
  survival s{n, {h - 2, h - 1, h, h + 1, h + 2}, {0, 0, 0, 0, 0, 0}};
  s.units_by_survival[2] = h;
  s.units_by_survival[3] = h;
  // Sum of squared differences over pairs: 4 * 1 + 3 * 4 + 2 * 9 + 16 = 50.
  CHECK(cochran_q(s).q.value == Approx(4.0 * 50.0 / (6.0 * static_cast<double>(n))).epsilon(1e-14));
  CHECK(fleiss_kappa(s).value == Approx(1.0 - 6.0 / 5.0).epsilon(1e-14));
}

TEST_CASE("the tail of chi square, against closed forms") {
  using detail::log_chi_square_tail;
  for (const double q : {0.0, 1e-9, 0.3, 3.841458820694124, 50.0, 79.9, 80.1, 700.0, 1e5, 1e9}) {
    const double x = q / 2;
    CHECK(log_chi_square_tail(q, 2) == Approx(-x).epsilon(1e-14));
    CHECK(log_chi_square_tail(q, 4) == Approx(std::log1p(x) - x).epsilon(1e-14).margin(1e-15));
    if (q > 0.0 && q < 1000.0) {
      const double one = std::erfc(std::sqrt(x));
      const double three = one + 2 * std::sqrt(x / std::numbers::pi) * std::exp(-x);
      CHECK(log_chi_square_tail(q, 1) == Approx(std::log(one)).epsilon(1e-13).margin(1e-15));
      CHECK(log_chi_square_tail(q, 3) == Approx(std::log(three)).epsilon(1e-13).margin(1e-15));
    }
  }
  CHECK(std::exp(log_chi_square_tail(3.841458820694124, 1)) == Approx(0.05).epsilon(1e-13));
  // Far out, one degree: exp(-x) / sqrt(pi x).
  CHECK(log_chi_square_tail(2e9, 1) ==
        Approx(-1e9 - 0.5 * std::log(std::numbers::pi * 1e9)).epsilon(1e-15));
  // Many degrees pass the largest double on the way; near the median the tail is a half.
  for (const std::size_t degrees : {2000U, 2001U, 20000U}) {
    const double d = static_cast<double>(degrees);
    const double median = d * std::pow(1 - 2 / (9 * d), 3);
    CHECK(std::exp(log_chi_square_tail(median, degrees)) == Approx(0.5).margin(1e-4));
  }
}
