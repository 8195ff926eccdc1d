#include "tombola/analysis/study_arrays.hpp"

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "tests/analysis/fabricated.hpp"
#include "tests/support/catch.hpp"

#include "tombola/analysis/important_units.hpp"
#include "tombola/analysis/study_statistics.hpp"
#include "tombola/analysis/survivors.hpp"
#include "tombola/io/npy.hpp"

using namespace tombola;
using namespace tombola::analysis;
namespace fs = std::filesystem;

namespace {

/// Writes `<task>/seed_<seed>/scores.npy` of 2 layers x 2 heads.
void put(const fs::path& folder,
         const std::string& task,
         int seed,
         const std::vector<double>& values,
         const std::vector<std::size_t>& extents = {2, 2}) {
  const fs::path at = folder / task / ("seed_" + std::to_string(seed));
  fs::create_directories(at);
  io::write_npy(at / "scores.npy", extents, std::span<const double>{values});
}

template <class Error, class Call>
std::string sentence(Call call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return "(nothing was thrown)";
}

bool says(const std::string& sentence, const std::string& part) {
  return sentence.find(part) != std::string::npos;
}

ticket heads(std::vector<int> bits) {
  return ticket{{{"heads", {2, 2}}}, {mask::from_values(bits)}};
}

}  // namespace

TEST_CASE("arrays: files of tasks and seeds, seeds by number") {
  const test::temporary_folder folder;
  put(folder.path(), "b", 10, {5, 6, 7, 8});
  put(folder.path(), "b", 9, {1, 2, 3, 4});
  put(folder.path(), "a", 9, {0, 0, 0, 1});
  put(folder.path(), "a", 10, {0, 0, 0, 2});
  fs::create_directories(folder.path() / "c" / "seed_9");  // has none for any seed
  const head_array a = read_study_array<2>(folder.path(), "scores.npy");
  CHECK(a.tasks == std::vector<std::string>{"a", "b"});
  CHECK(a.seeds == std::vector<std::string>{"9", "10"});
  CHECK(a.left_out == std::vector<std::string>{"c"});
  REQUIRE(a.values.shape() == std::array<std::size_t, 4>{2, 2, 2, 2});
  CHECK(a.values(a.task("b"), a.seed("10"), 1, 0) == 7.0);
  CHECK(a.values(0, 0, 1, 1) == 1.0);
  CHECK(
      says(sentence<input_error>([&] { (void)a.task("z"); }), "no task 'z', expected one of a, b"));
}

TEST_CASE("arrays: what is missing or does not fit is named") {
  const test::temporary_folder folder;
  const auto read = [&] { (void)read_study_array<2>(folder.path(), "scores.npy"); };
  CHECK(says(sentence<input_error>(read), "no task has a scores.npy"));
  put(folder.path(), "a", 1, {1, 2, 3, 4});
  put(folder.path(), "a", 2, {1, 2, 3, 4});

  SECTION("a seed without the file") {
    fs::create_directories(folder.path() / "a" / "seed_3");
    CHECK(says(sentence<format_error>(read), "seed_3/scores.npy: is not there"));
  }
  SECTION("a task with other seeds") {
    put(folder.path(), "b", 1, {1, 2, 3, 4});
    CHECK(says(sentence<format_error>(read),
               "b: has 1 seeds with a scores.npy, expected the 2 of a"));
  }
  SECTION("another shape") {
    put(folder.path(), "b", 1, {1, 2}, {1, 2});
    put(folder.path(), "b", 2, {1, 2}, {1, 2});
    CHECK(says(sentence<format_error>(read), "has shape (1, 2), expected (2, 2) as in a"));
  }
  SECTION("another number of axes") {
    CHECK(says(
        sentence<format_error>([&] { (void)read_study_array<1>(folder.path(), "scores.npy"); }),
        "has shape (2, 2), expected one number per layer"));
  }
  SECTION("a number that is not finite") {
    put(folder.path(), "a", 2, {1, 2, std::numeric_limits<double>::quiet_NaN(), 4});
    CHECK(says(sentence<format_error>(read), "element (1, 0) is nan, expected a finite number"));
  }
}

TEST_CASE("arrays: masks as numbers, and what survivors() counts of them") {
  const ticket_set set{"s",
                       {{"a", {{"1", heads({1, 1, 0, 0}), {}}, {"2", heads({1, 0, 0, 1}), {}}}},
                        {"b", {{"2", heads({1, 1, 1, 0}), {}}, {"1", heads({0, 1, 1, 0}), {}}}}}};
  const head_array a = study_array_of<2>(set, "heads");
  CHECK(a.values(1, 0, 0, 0) == 0.0);  // task b, seed 1: matched by name
  CHECK(a.values(1, 1, 0, 0) == 1.0);
  // Twice the same: through the arrays and mask by mask.
  const unit_survival masks = survivors(masks_by_seed(set, "heads"));
  const auto maps = over_seeds(summed_over_tasks(a));
  for (std::size_t u = 0; u < 4; ++u) {
    CHECK(maps.mean(0, u / 2, u % 2) == masks.mean[u]);
    CHECK((*maps.deviation)(0, u / 2, u % 2) == Approx(*masks.deviation[u]));
  }
  const map_summary s = summarise(maps, 0, 1.0);
  const survival_summary expected = summarise(masks, 1.0);
  CHECK(s.mean == Approx(expected.mean));
  CHECK(*s.deviation == Approx(*expected.deviation));
  CHECK(s.above == expected.above);
  // By layer: the mean over the heads.
  const mlp_array layers = layer_means(a);
  CHECK(layers.values(0, 0, 0) == 1.0);
  CHECK(layers.values(0, 1, 1) == 0.5);
}

TEST_CASE("arrays: one seed has no deviation, and sets that do not fit are named") {
  const ticket_set one{"s", {{"a", {{"1", heads({1, 1, 0, 0}), {}}}}}};
  CHECK_FALSE(over_seeds(study_array_of<2>(one, "heads")).deviation.has_value());
  CHECK_THROWS_AS(study_array_of<1>(one, "heads"), shape_error);
  CHECK_THROWS_AS(study_array_of<2>(one, "mlps"), input_error);
  CHECK_THROWS_AS(study_array_of<2>(ticket_set{"s", {}}, "heads"), input_error);
  ticket_set two = one;
  two.tasks.push_back({"b", {{"2", heads({1, 1, 0, 0}), {}}}});
  CHECK(says(sentence<input_error>([&] { (void)study_array_of<2>(two, "heads"); }),
             "b has no seed 1"));
}

TEST_CASE("the most important of the kept units; ties keep the lower one") {
  const ticket_set set{"s",
                       {{"a",
                         {{"1", heads({0, 1, 1, 1}), {}},
                          {"2", heads({1, 1, 1, 1}), {}},
                          {"3", heads({0, 0, 0, 1}), {}}}}}};
  head_array importance;
  importance.tasks = {"a"};
  importance.seeds = {"1", "2", "3"};
  importance.values = {
      {{{9.0, 1.0}, {3.0, 2.0}}, {{1.0, 5.0}, {5.0, 5.0}}, {{1.0, 1.0}, {1.0, 0.0}}}};
  const ticket_set best = most_important(set, "heads", importance, 2);
  const auto kept = [&](std::size_t seed) { return best.tasks[0].seeds[seed].value[0]; };
  CHECK(kept(0) == mask::from_values(std::vector<int>{0, 0, 1, 1}));  // the 9 is pruned
  CHECK(kept(1) == mask::from_values(std::vector<int>{0, 1, 1, 0}));  // three of 5
  CHECK(kept(2) == mask::from_values(std::vector<int>{0, 0, 0, 1}));  // keeps one alone
  CHECK_THROWS_AS(most_important(set, "mlps", importance, 2), input_error);
  importance.tasks = {"b"};
  CHECK_THROWS_AS(most_important(set, "heads", importance, 2), input_error);
}
