#include "tombola/interop/xtensor.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "tests/support/catch.hpp"
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include "tombola/algebra/overlap.hpp"
#include "tombola/core/error.hpp"

using namespace tombola;
using namespace tombola::interop;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

template <class Error, class Call>
std::string sentence(Call call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return "(nothing was thrown)";
}

}  // namespace

TEST_CASE("an expression becomes scores of a group of its shape") {
  const xt::xtensor<double, 2> a{{1.0, -2.0, 3.0}, {-4.0, 5.0, -6.0}};
  const scores s = scores_from("heads", xt::abs(a) / 2.0);
  CHECK(s.group() == group{"heads", {2, 3}});
  CHECK(std::vector<float>(s.values().begin(), s.values().end()) ==
        std::vector<float>{0.5F, 1.0F, 1.5F, 2.0F, 2.5F, 3.0F});
  // Whole numbers, one axis, no axis.
  CHECK(scores_from("mlps", xt::xarray<int>{3, 1})[1] == 1.0F);
  CHECK(scores_from("one", xt::xarray<float>(7.0F)).size() == 1);
  // A group that is known: only its shape is compared.
  CHECK(scores_from(group{"heads", {2, 3}}, a)[5] == -6.0F);
}

TEST_CASE("units are numbered row-major whatever the layout") {
  const xt::xtensor<float, 2> rows{{0.0F, 1.0F, 2.0F}, {3.0F, 4.0F, 5.0F}};
  xt::xtensor<float, 2, xt::layout_type::column_major> columns = rows;
  CHECK(scores_from("g", columns) == scores_from("g", rows));
  CHECK(scores_from("g", xt::transpose(rows))[1] == 3.0F);
  CHECK(scores_from("g", xt::view(rows, xt::all(), 1))[1] == 4.0F);  // strided
  CHECK(mask_from(columns > 2.5F) == mask_from(rows > 2.5F));
}

TEST_CASE("values that are no scores are named with their index") {
  const xt::xtensor<double, 2> bad{{1.0, 2.0}, {not_a_number, 4.0}};
  CHECK(sentence<input_error>([&] { (void)scores_from("heads", bad); }) ==
        "scores for heads (2 x 2): unit (1, 0) is NaN, expected a number");
  const xt::xtensor<double, 1> wide{1.0, 1e300};
  CHECK(sentence<input_error>([&] { (void)scores_from("mlps", wide); }).find("unit (1) is 1") !=
        std::string::npos);
  CHECK(std::isinf(scores_from("mlps", xt::xtensor<double, 1>{inf})[0]));
  CHECK(sentence<shape_error>([&] {
          (void)scores_from(group{"heads", {4}}, bad);
        }) == "scores_from: an expression of shape heads (2 x 2), expected heads (4)");
}

TEST_CASE("an expression of 0 and 1 becomes a mask") {
  const xt::xtensor<double, 2> importance{{0.1, 0.9}, {0.8, 0.2}};
  const mask m = mask_from(importance > 0.5);
  CHECK(m == mask::from_values(std::vector<int>{0, 1, 1, 0}));
  CHECK(mask_from(xt::xtensor<float, 1>{1.0F, 0.0F}).count() == 1);
  CHECK(mask_from(xt::xtensor<std::uint8_t, 1>{0, 1, 1}).count() == 2);
  CHECK(mask_from(group{"heads", {2, 2}}, importance > 0.5) == m);
  CHECK(mask_from(xt::xtensor<bool, 2>(std::array<std::size_t, 2>{0, 12})).size() == 0);

  CHECK(sentence<input_error>([&] { (void)mask_from(importance); }) ==
        "mask_from: element (0, 0) is 0.100000, expected 0 or 1");
  CHECK(sentence<input_error>([&] {
          (void)mask_from(xt::xtensor<double, 1>{1.0, not_a_number});
        }) == "mask_from: element (1) is NaN, expected 0 or 1");
  CHECK(sentence<shape_error>([&] {
          (void)mask_from(group{"mlps", {4}}, importance > 0.5);
        }) == "mask_from: an expression of shape mlps (2 x 2), expected mlps (4)");
}

TEST_CASE("scores come out as a view without a copy") {
  const scores s{group{"heads", {2, 3}}, {1, 2, 3, 4, 5, 6}};
  const auto v = view(s);
  CHECK(v.data() == s.values().data());
  REQUIRE(v.dimension() == 2);
  CHECK(v(1, 2) == 6.0F);
  CHECK(xt::sum(v, {1})(1) == 15.0F);
  static_assert(std::is_const_v<std::remove_reference_t<decltype(v(0, 0))>>);
  CHECK(scores_from("heads", v) == s);  // round
}

TEST_CASE("a mask comes out lazily or as an array") {
  mask m{70};  // more than a word
  for (const std::size_t i : {0U, 13U, 63U, 64U, 69U}) m.set(i);
  const group g{"heads", {7, 10}};
  const auto v = view(m, g);
  REQUIRE(v.dimension() == 2);
  CHECK(v(1, 3));
  CHECK_FALSE(v(1, 4));
  CHECK(xt::sum(xt::cast<double>(v))() == 5.0);
  CHECK(mask_from(g, v) == m);  // round
  const xt::xarray<bool> bits = array_of(m, g);
  CHECK(mask_from(bits) == m);
  const auto numbers = array_of<std::uint8_t>(m, g);
  CHECK(numbers(6, 3) == 1);
  CHECK(numbers(6, 4) == 1);
  CHECK(xt::sum(xt::cast<int>(numbers))() == 5);
  // The view follows the mask, the array does not.
  m.set(1);
  CHECK(v(0, 1));
  CHECK_FALSE(bits(0, 1));
  CHECK(sentence<shape_error>([&] {
          (void)view(m, group{"heads", {7, 7}});
        }) == "view: a mask over 70 units, expected 49 for heads (7 x 7)");
}

TEST_CASE("a mask's view takes part in expressions of other shapes") {
  mask m{6};
  m.set(1);
  m.set(5);
  const group g{"heads", {2, 3}};
  const xt::xtensor<double, 2> importance{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}};
  CHECK(xt::sum(importance * view(m, g))() == 8.0);
  const xt::xtensor<double, 3> seeds = xt::ones<double>({2, 2, 3});
  CHECK(xt::sum(seeds * view(m, g))() == 4.0);  // broadcast over the first axis
  const scores s = scores_from("heads", importance);
  CHECK(scores_from("heads", view(s) * view(m, g))[5] == 6.0F);
}
