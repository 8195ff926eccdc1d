#include "tombola/prune/lower_bound.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/core/random.hpp"
#include "tombola/prune/resume.hpp"

using namespace tombola;

namespace {

const double infinity = std::numeric_limits<double>::infinity();

/// Seven units that each get a seventh of the examples right, example i while unit i % 7 or unit 7
/// is kept: pruning one of them costs nothing until unit 7 is gone.
struct example_model {
  std::size_t count = 42;
  int asked = 0;
  std::vector<float> worth{1, 2, 3, 4, 5, 6, 7, 8};

  std::vector<group> groups() const { return {{"units", {8}}}; }
  std::vector<tombola::scores> scores(const ticket&) const { return {{groups()[0], worth}}; }
  double metric(const ticket& t) {
    double sum = 0.0;
    for (const double x : results(t)) sum += x;
    return sum / static_cast<double>(count);
  }
  std::vector<double> examples(const ticket& t) { return ++asked, results(t); }

  std::vector<double> results(const ticket& t) const {
    std::vector<double> right(count);
    for (std::size_t i = 0; i < count; ++i) right[i] = t[0][i % 7] || t[0][7] ? 1.0 : 0.0;
    return right;
  }
};

static_assert(example_objective<example_model>);
static_assert(objective<lower_bound_objective<example_model>>);
static_assert(!example_objective<lower_bound_objective<example_model>>);

}  // namespace

TEST_CASE("quantiles are those of the printed tables") {
  using detail::normal_quantile, detail::student_quantile;
  // The tables give six digits; the others are from the incomplete beta function in 30 digits.
  CHECK(normal_quantile(0.95) == Approx(1.6448536269514722).epsilon(1e-14));
  CHECK(normal_quantile(0.975) == Approx(1.959963984540054).epsilon(1e-14));
  CHECK(normal_quantile(0.5) == 0.0);
  CHECK(student_quantile(0.95, 1) == Approx(6.313751514675043).epsilon(1e-12));
  CHECK(student_quantile(0.95, 2) == Approx(2.919985580353726).epsilon(1e-12));
  CHECK(student_quantile(0.975, 10) == Approx(2.2281388519862747).epsilon(1e-12));
  CHECK(student_quantile(0.99, 30) == Approx(2.4572615424005914).epsilon(1e-12));
  CHECK(student_quantile(0.995, 120) == Approx(2.617421145106866).epsilon(1e-12));
  CHECK(student_quantile(0.5, 7) == 0.0);
  // With one degree the distribution is Cauchy's, with two it has a closed form.
  CHECK(student_quantile(0.999, 1) == Approx(std::tan(std::numbers::pi * 0.499)).epsilon(1e-11));
  CHECK(student_quantile(0.75, 2) == Approx(std::sqrt(2.0 / 3.0)).epsilon(1e-12));
}

TEST_CASE("the expansion for many degrees of freedom meets the sum") {
  for (const double level : {0.51, 0.75, 0.95, 0.999}) {
    for (const std::size_t n : {1000U, 1001U, 5000U}) {
      const double by_sum = detail::smallest_reaching(
          2.0 * level - 1.0, [n](double t) { return detail::student_within(t, n); });
      CHECK(detail::student_quantile(level, n) == Approx(by_sum).epsilon(1e-10));
    }
    CHECK(detail::student_quantile(level, 100'000'000) ==
          Approx(detail::normal_quantile(level)).epsilon(1e-7));
  }
}

TEST_CASE("bounds by hand") {
  // Mean 3, variance 2.5 of five: a standard error of sqrt(0.5). t of 4 degrees at 0.95 is
  // 2.131847.
  const std::vector<double> x{1, 2, 3, 4, 5};
  CHECK(lower_bound_of_mean(x) == Approx(3.0 - 2.1318467863 * std::sqrt(0.5)).epsilon(1e-9));
  CHECK(lower_bound_of_mean(x, {.kind = bound_kind::normal}) ==
        Approx(3.0 - 1.6448536270 * std::sqrt(0.5)).epsilon(1e-9));
  CHECK(lower_bound_of_mean(x, {.level = 0.99}) ==
        Approx(3.0 - 3.7469473880 * std::sqrt(0.5)).epsilon(1e-9));
  CHECK(lower_bound_of_mean(x, {.level = 0.5}) == 3.0);
  // Differences -1, 0, 0, 1, -1, with share 0.5 of the baseline: 0.5 more where it is 1.
  const std::vector<double> base{1, 1, 0, 0, 1}, other{0, 1, 0, 1, 0};
  const std::vector<double> differences{-1, 0, 0, 1, -1}, half{-0.5, 0.5, 0, 1, -0.5};
  CHECK(lower_bound_of_difference(base, other) == lower_bound_of_mean(differences));
  CHECK(lower_bound_of_difference(base, other, 0.5) == lower_bound_of_mean(half));
}

TEST_CASE("one example, equal results and no spread have defined answers") {
  const std::vector<double> one{0.7}, same(9, 0.1);
  CHECK(lower_bound_of_mean(one) == -infinity);
  CHECK(lower_bound_of_mean(same) == 0.1);  // exactly, whatever the sum of nine tenths rounds to
  CHECK(lower_bound_of_difference(same, same) == 0.0);
  const std::vector<double> base{1, 0, 1}, worse{0.5, -0.5, 0.5};
  CHECK(lower_bound_of_difference(base, worse) == -0.5);
}

TEST_CASE("what is no result or no level is refused") {
  const std::vector<double> x{1, 0, 1}, nan{0, std::nan(""), 0}, inf{0, 0, infinity}, two{1, 0};
  CHECK_THROWS_WITH(lower_bound_of_mean({}), "guard: bound of no result, expected at least one");
  CHECK_THROWS_WITH(lower_bound_of_mean(nan),
                    "guard: the result of example 1 is nan, expected a finite number");
  CHECK_THROWS_AS(lower_bound_of_difference(x, inf), input_error);
  CHECK_THROWS_WITH(lower_bound_of_difference(x, two),
                    "guard: results of 2 examples, expected 3, as many as the full model's");
  for (const double level : {0.49, 1.0, -1.0, std::nan("")}) {
    CHECK_THROWS_AS(lower_bound_of_mean(x, {.level = level}), input_error);
    CHECK_THROWS_AS(lower_bound_rule::drop(0.1, {.level = level}), input_error);
  }
  CHECK_THROWS_AS(lower_bound_rule::drop(-0.1), input_error);
  CHECK_THROWS_AS(lower_bound_rule::share_of_baseline(1.5), input_error);
  CHECK_THROWS_AS(lower_bound_rule::at_least(std::nan("")), input_error);
}

TEST_CASE("the mean lies above the bound as often as the level says") {
  // 10,000 samples of six normal numbers around 2: five standard deviations of a share of 0.95 are
  // 0.011, of one of 0.8 are 0.02. The normal quantile is too small for six and misses more often.
  const random_stream r{11, purpose::subset};
  int t95 = 0, t80 = 0, normal95 = 0;
  const int samples = 10'000;
  for (int s = 0; s < samples; ++s) {
    std::vector<double> x(6);
    for (std::size_t i = 0; i < 6; ++i) {
      x[i] = 2.0 + r.normal(static_cast<std::uint64_t>(s) * 6 + i);
    }
    t95 += lower_bound_of_mean(x) <= 2.0;
    t80 += lower_bound_of_mean(x, {.level = 0.8}) <= 2.0;
    normal95 += lower_bound_of_mean(x, {.kind = bound_kind::normal}) <= 2.0;
  }
  CHECK(t95 / 10'000.0 == Approx(0.95).margin(0.011));
  CHECK(t80 / 10'000.0 == Approx(0.8).margin(0.02));
  CHECK(normal95 / 10'000.0 < 0.935);
}

TEST_CASE("each rule holds its bound against its floor") {
  const std::vector<double> base{1, 1, 0, 0, 1, 1, 1, 0}, other{0, 1, 0, 1, 0, 1, 1, 0};
  const auto drop = lower_bound_rule::drop(0.25);
  CHECK(drop.bound(base, other) == lower_bound_of_difference(base, other));
  CHECK(drop.on_bounds().threshold(0.0) == -0.25);
  const auto share = lower_bound_rule::share_of_baseline(0.9, {.level = 0.8});
  CHECK(share.bound(base, other) == lower_bound_of_difference(base, other, 0.9, {.level = 0.8}));
  CHECK(share.on_bounds().threshold(0.0) == 0.0);
  const auto floor = lower_bound_rule::at_least(0.3);
  CHECK(floor.bound(base, other) == lower_bound_of_mean(other));
  CHECK(floor.on_bounds().threshold(0.0) == 0.3);
  // The share of a mean that is not above 0 says nothing; the other rules do not ask.
  const std::vector<double> zero(4, 0.0), one{1.0};
  CHECK_THROWS_WITH(share.require_usable(zero), Catch::Contains("above 0"));
  CHECK_NOTHROW(drop.require_usable(zero));
  CHECK_NOTHROW(floor.require_usable(zero));
  CHECK_THROWS_WITH(drop.require_usable(one),
                    "guard: 1 examples, expected at least 2: a bound needs their spread");
}

TEST_CASE("a search stops where the bound falls, earlier than where the metric does") {
  example_model o;
  o.worth = {1, 2, 3, 4, 5, 6, 7, 0};  // unit 7 goes first, then a seventh of the examples a step
  const prune_result by_metric = prune(o, {.rule = guard::drop(0.3)});
  CHECK(by_metric.accepted.count() == 5);  // 7 gone, and 0 and 1: a drop of 2/7
  const prune_result by_bound = prune_by_lower_bound(o, lower_bound_rule::drop(0.3));
  // After unit 0 six of 42 differences are -1: -0.1429 - 1.6829 * 0.0547 = -0.2348. After unit 1
  // twelve: -0.2857 - 1.6829 * 0.0706 = -0.4045.
  CHECK(by_bound.accepted.count() == 6);
  REQUIRE(by_bound.steps.steps.size() == 4);
  CHECK(by_bound.steps.baseline == 0.0);
  CHECK(by_bound.steps.threshold == -0.3);
  CHECK(by_bound.steps.steps[1].metric == 0.0);
  CHECK(by_bound.steps.steps[2].metric == Approx(-0.2348).margin(0.0001));
  CHECK(by_bound.steps.steps[3].metric == Approx(-0.4045).margin(0.0001));
  // With more examples the same drops are surer.
  example_model many = o;
  many.count = 42'000;
  CHECK(prune_by_lower_bound(many, lower_bound_rule::drop(0.3)).accepted.count() == 5);
  // A floor, and a share of a baseline of 1: after unit 0 the mean's bound is 0.8571 - 0.0920.
  CHECK(prune_by_lower_bound(o, lower_bound_rule::at_least(0.76)).accepted.count() == 6);
  CHECK(prune_by_lower_bound(o, lower_bound_rule::at_least(0.77)).accepted.count() == 7);
  CHECK(prune_by_lower_bound(o, lower_bound_rule::share_of_baseline(0.76)).accepted.count() == 6);
  CHECK(prune_by_lower_bound(o, lower_bound_rule::share_of_baseline(0.77)).accepted.count() == 7);
}

TEST_CASE("the full model's results are taken once, and other sizes refused") {
  example_model o;
  const prune_result r = prune_by_lower_bound(o, lower_bound_rule::drop(0.0), {.share = 0.5});
  CHECK(o.asked == static_cast<int>(r.steps.steps.size()));
  o.count = 1;
  CHECK_THROWS_AS(prune_by_lower_bound(o, lower_bound_rule::drop(0.1)), input_error);
  o.count = 0;
  CHECK_THROWS_AS(prune_by_lower_bound(o, lower_bound_rule::drop(0.1)), input_error);
  lower_bound_metric changing{[calls = 3](const ticket&) mutable {
                                return std::vector<double>(static_cast<std::size_t>(--calls), 1.0);
                              },
                              ticket{{{"units", {8}}}}, lower_bound_rule::drop(0.1)};
  ticket less{{{"units", {8}}}};
  less.set(0, 0, false);
  CHECK_THROWS_AS(changing(less), shape_error);
}

TEST_CASE("a search by bounds goes on from its trace") {
  example_model o;
  const auto rule = lower_bound_rule::drop(0.4);
  const prune_result whole = prune_by_lower_bound(o, rule);
  for (std::size_t cut = 0; cut <= whole.steps.steps.size(); ++cut) {
    trace earlier;
    earlier.steps.assign(whole.steps.steps.begin(),
                         whole.steps.steps.begin() + static_cast<std::ptrdiff_t>(cut));
    o.asked = 0;
    lower_bound_objective bounded{o, rule};
    remembering_objective again{bounded, earlier};
    const prune_result r = prune(again, {.rule = rule.on_bounds()});
    CHECK(r.accepted == whole.accepted);
    REQUIRE(r.steps.steps.size() == whole.steps.steps.size());
    for (std::size_t i = 0; i < r.steps.steps.size(); ++i) {
      CHECK(r.steps.steps[i].metric == whole.steps.steps[i].metric);
      CHECK(r.steps.steps[i].accepted == whole.steps.steps[i].accepted);
    }
    if (cut == whole.steps.steps.size()) CHECK(o.asked == 0);
  }
}

TEST_CASE("weights are pruned by a bound too") {
  std::vector<float> w(20);
  for (std::size_t i = 0; i < 20; ++i) w[i] = static_cast<float>(i + 1);
  const std::vector<weight_span> spans{{{"w", {20}}, w}};
  // Fifty examples; each weight that goes makes one of them wrong.
  const auto examples = [](const ticket& t) {
    std::vector<double> right(50, 1.0);
    for (std::size_t i = 0; i < 20 - t.count(); ++i) right[i] = 0.0;
    return right;
  };
  const auto rule = lower_bound_rule::at_least(0.8);
  const prune_result r =
      prune_weights(spans, lower_bound_metric{examples, full_ticket(spans), rule},
                    share_of_whole{0.05, 20}, rule.on_bounds());
  // 5 wrong: 0.9 - 1.677 * 0.0429 = 0.828; 6: 0.88 - 1.677 * 0.0464 = 0.802; 7: 0.777.
  CHECK(r.accepted.count() == 14);
}
