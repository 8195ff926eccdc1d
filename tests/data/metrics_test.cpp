#include "tombola/data/metrics.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/error.hpp"

namespace {

using namespace tombola;
using namespace tombola::data;
using test::sentence;

using classes = std::vector<std::int32_t>;
using numbers = std::vector<double>;

}  // namespace

TEST_CASE("class metrics of a table done by hand") {
  // 3 true positives, 1 false positive, 2 false negatives, 4 true negatives.
  const classes p{1, 1, 1, 1, 0, 0, 0, 0, 0, 0}, t{1, 1, 1, 0, 1, 1, 0, 0, 0, 0};
  CHECK(accuracy(p, t) == Approx(0.7));
  CHECK(f1(p, t).value == Approx(6.0 / 9));
  CHECK(matthews(p, t).value == Approx((3 * 4 - 1 * 2) / std::sqrt(4.0 * 5 * 5 * 6)));
  // Renaming the classes changes nothing, whatever numbers they get.
  const auto renamed = [](classes v) {
    for (auto& x : v) x = x == 1 ? -2000000000 : 2000000000;
    return v;
  };
  CHECK(matthews(renamed(p), renamed(t)).value == Approx(matthews(p, t).value));
}

TEST_CASE("what has no answer is 0 with a reason") {
  CHECK(f1(classes{0, 0}, classes{0, 0}).value == 0);
  CHECK(f1(classes{0, 0}, classes{0, 0}).reason == "class 1 is neither predicted nor there");
  CHECK(matthews(classes{1, 1}, classes{0, 1}).reason == "one side is constant");
  CHECK(pearson(numbers{0.1, 0.1, 0.1}, numbers{1, 2, 3}).reason == "one side is constant");
  CHECK(spearman(numbers{1}, numbers{1}).reason == "fewer than two values");
  CHECK(f1(classes{1, 0}, classes{0, 1}).reason.empty());
}

TEST_CASE("correlations of values") {
  CHECK(pearson(numbers{1, 2, 3}, numbers{1, 2, 4}).value == Approx(9 / std::sqrt(84.0)));
  CHECK(spearman(numbers{1, 2, 3}, numbers{1, 20, 400}).value == Approx(1));
  CHECK(average_ranks(numbers{5, 1, 5, 0, 5}) == numbers{4, 2, 4, 1, 4});
  // An offset of 1e9 leaves a correlation alone.
  CHECK(pearson(numbers{1e9 + 1, 1e9 + 2, 1e9 + 3}, numbers{1, 2, 4}).value ==
        Approx(9 / std::sqrt(84.0)).epsilon(1e-12));
}

TEST_CASE("a task's metrics come by name, in its order") {
  const classes p{1, 0, 1, 1}, t{1, 0, 0, 1};
  const auto found = evaluate<std::int32_t>(find_task("MRPC"), p, t);
  REQUIRE(found.size() == 3);
  CHECK(found[0].name == "accuracy");
  CHECK(found[0].value == Approx(0.75));
  CHECK(found[1].name == "f1");
  CHECK(found[1].value == Approx(0.8));
  CHECK(found[2].name == "accuracy_and_f1");
  CHECK(found[2].value == Approx(0.775));
  const auto values = evaluate<double>(find_task("STS-B"), numbers{1, 1}, numbers{0, 5});
  REQUIRE(values.size() == 3);
  CHECK(values[2].name == "pearson_and_spearman");
  CHECK(values[2].value == 0);
  CHECK(values[2].reason == "one side is constant");
}

TEST_CASE("the majority baseline answers what the training labels answer most") {
  CHECK(majority_class(classes{2, 0, 1, 1, 2}) == 1);
  CHECK(majority_class(classes{0, 2, 2}) == 2);
  const auto found = majority_baseline(find_task("SST-2"), classes{1, 1, 0}, classes{0, 0, 0, 1});
  CHECK(found[0].value == Approx(0.25));
  CHECK(sentence<input_error>([] { (void)majority_class({}); }) ==
        "majority class: no labels, expected at least one");
}

TEST_CASE("metrics refuse what cannot be compared") {
  CHECK(sentence<shape_error>([] {
          (void)accuracy(classes{1}, classes{1, 0});
        }) == "metrics: 1 predictions for 2 labels");
  CHECK(sentence<input_error>([] { (void)matthews({}, {}); }) ==
        "metrics: no examples, expected at least one");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(sentence<input_error>([&] {
          (void)spearman(numbers{1, nan}, numbers{1, 2});
        }) == "correlation: value 1 is not a finite number");
  CHECK(sentence<input_error>([] {
          (void)evaluate<double>(find_task("SST-2"), numbers{1}, numbers{1});
        }) == "metrics: accuracy compares classes, not values");
  CHECK(sentence<input_error>([] {
          (void)evaluate<std::int32_t>(find_task("STS-B"), classes{1}, classes{1});
        }) == "metrics: pearson compares values, not classes");
}
