#include "tombola/algebra/stability.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/algebra/agreement.hpp"
#include "tombola/algebra/multiple_testing.hpp"
#include "tombola/core/random.hpp"

using namespace tombola;

namespace {

std::vector<mask> draw(std::size_t k, std::size_t n, double share, std::uint64_t seed) {
  std::vector<mask> masks;
  for (std::size_t j = 0; j < k; ++j) {
    const random_stream random{seed, purpose::subset, static_cast<std::uint32_t>(j)};
    mask m{n};
    for (std::size_t i = 0; i < n; ++i) m.set(i, random.uniform(i) < share);
    masks.push_back(m);
  }
  return masks;
}

}  // namespace

TEST_CASE("Nogueira's stability is Fleiss' kappa of the 0/1 table") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto masks = draw(2 + seed % 8, 1 + seed, 0.5, seed);
    const estimate kappa = fleiss_kappa(masks), value = nogueira(masks).value;
    REQUIRE(kappa.defined() == value.defined());
    if (value.defined()) REQUIRE(value.value == Approx(kappa.value).margin(1e-12));
    if (!value.defined()) REQUIRE(value.why == kappa.why);
  }
}

TEST_CASE("the variance of the stability, worked by hand") {
  // Of twelve units two masks keep the first six, the third half of those and as many others: share
  // 1 / 2, stability 1 / 3, influences 1, 1 and 2 / 3.
  mask a{12}, b{12};
  for (std::size_t i = 0; i < 9; ++i) a.set(i, i < 6), b.set(i, i >= 3);
  const stability s = nogueira(std::vector<mask>{a, a, b});
  CHECK(s.value.value == Approx(1.0 / 3).epsilon(1e-14));
  CHECK(s.variance.value == Approx(8.0 / 243).epsilon(1e-12));
  CHECK(s.upper(1.0).value - s.value.value == Approx(std::sqrt(s.variance.value)).epsilon(1e-12));
}

TEST_CASE("two masks have a stability, and no spread that it could be off by") {
  const auto two = draw(2, 400, 0.5, 3), six = draw(6, 400, 0.5, 1);
  const stability s = nogueira(two);
  CHECK(s.value.value == Approx(fleiss_kappa(two).value).margin(1e-12));
  CHECK(s.variance.why == reason::too_few_masks);
  CHECK(s.lower().why == reason::too_few_masks);
  CHECK(s.upper().why == reason::too_few_masks);
  CHECK(p_of_difference(s, nogueira(six)).why == reason::too_few_masks);
  CHECK(p_of_difference(nogueira(six), s).why == reason::too_few_masks);
  CHECK(nogueira(draw(3, 400, 0.5, 3)).lower().defined());
}

TEST_CASE("the interval of the stability holds what it should about as often as it should") {
  // 300 times forty masks of which each unit is kept with its own probability; the stability of the
  // process is known from a thousand masks.
  const auto process = [](std::size_t k, std::uint64_t seed) {
    std::vector<mask> masks;
    for (std::size_t j = 0; j < k; ++j) {
      const random_stream random{seed, purpose::subset, static_cast<std::uint32_t>(j)};
      mask m{60};
      for (std::size_t i = 0; i < 60; ++i) m.set(i, random.uniform(i) < (i < 20 ? 0.9 : 0.2));
      masks.push_back(m);
    }
    return masks;
  };
  const double truth = nogueira(process(1000, 1)).value.value;
  std::size_t holds = 0;
  for (std::uint64_t seed = 2; seed < 302; ++seed) {
    const stability s = nogueira(process(40, seed));
    holds += s.lower().value <= truth && truth <= s.upper().value ? 1U : 0U;
  }
  CHECK(holds > 273);  // 95 % are 285
  CHECK(holds < 297);
}

TEST_CASE("two stabilities differ where their intervals are far apart") {
  const auto firm = draw(6, 400, 0.5, 1);
  std::vector<mask> close;
  for (const mask& m : firm) {
    mask c = firm[0];
    for (std::size_t i = 0; i < 20; ++i) c.set(i, m[i]);
    close.push_back(c);
  }
  const stability loose = nogueira(firm), tight = nogueira(close);
  CHECK(tight.value.value > 0.9);
  CHECK(p_of_difference(loose, tight).value < 1e-6);
  CHECK(p_of_difference(loose, loose) == defined(1.0));
  const std::vector<mask> same(3, firm[0]);
  CHECK(p_of_difference(nogueira(same), nogueira(same)).why == reason::masks_are_identical);
  CHECK(nogueira(std::vector<mask>{firm[0]}).value.why == reason::too_few_masks);
  CHECK(p_of_difference(nogueira(std::vector<mask>{firm[0]}), loose).why == reason::too_few_masks);
  CHECK(nogueira(same).lower() == defined(1.0));
}

TEST_CASE("Kuncheva's index asks for one size") {
  CHECK(kuncheva(overlap_of_sizes(12, 4, 4, 4)) == defined(1.0));
  CHECK(kuncheva(overlap_of_sizes(12, 4, 4, 0)) == defined(-0.5));
  CHECK(kuncheva(overlap_of_sizes(12, 4, 5, 4)).why == reason::sizes_differ);
  CHECK(kuncheva(overlap_of_sizes(12, 12, 12, 12)).why == reason::a_mask_is_constant);
  CHECK(kuncheva(overlap{}).why == reason::no_units);
}

TEST_CASE("p-values adjusted for several tests") {
  // Worked by hand: sorted 0.01, 0.02, 0.03, 0.04.
  const std::vector<double> p{0.04, 0.01, 0.03, 0.02};
  const auto h = holm(p), b = benjamini_hochberg(p);
  const std::vector<double> holm_expected{0.06, 0.04, 0.06, 0.06}, bh_expected(4, 0.04);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(h[i] == Approx(holm_expected[i]));
    CHECK(b[i] == Approx(bh_expected[i]));
  }
  CHECK(holm(std::vector<double>{0.9, 0.8}) == std::vector<double>{1.0, 1.0});
  CHECK(benjamini_hochberg(std::vector<double>{0.9, 0.8}) == std::vector<double>{0.9, 0.9});
  CHECK(holm({}).empty());
  CHECK_THROWS_WITH(holm(std::vector<double>{0.5, 1.5}),
                    "p-value 1 is 1.500000, expected a number from 0 to 1");
  CHECK_THROWS_AS(benjamini_hochberg(std::vector<double>{std::nan("")}), input_error);
}

TEST_CASE("one p-value of several tests") {
  CHECK(combined_p({}) == 1.0);
  CHECK(combined_p(std::vector<double>{std::log(0.3)}) == Approx(0.3).epsilon(1e-14));
  // Of two tests it is P (1 - ln P), P the product of their p-values.
  const double product = 0.2 * 0.01;
  CHECK(combined_p(std::vector<double>{std::log(0.2), std::log(0.01)}) ==
        Approx(product * (1.0 - std::log(product))).epsilon(1e-13));
  CHECK(combined_p(std::vector<double>{0.0, 0.0, 0.0}) == 1.0);
  CHECK(combined_p(std::vector<double>(3, -1e5)) == 0.0);
  CHECK(combined_p(std::vector<double>{-std::numeric_limits<double>::infinity(), -1.0}) == 0.0);
  CHECK_THROWS_WITH(combined_p(std::vector<double>{-1.0, 0.5}),
                    "logarithm 1 of a p-value is 0.500000, expected a number up to 0");
  CHECK_THROWS_AS(combined_p(std::vector<double>{std::nan("")}), input_error);
}
