// What the study computed of its importances and entropies, and its heat maps, as arrays over task,
// seed, layer and head.

#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/analysis/importance_statistics.hpp"
#include "tombola/analysis/important_units.hpp"
#include "tombola/analysis/mask_folder.hpp"
#include "tombola/analysis/study_arrays.hpp"
#include "tombola/analysis/study_statistics.hpp"
#include "tombola/io/json.hpp"

using namespace tombola;
using namespace tombola::analysis;
using nlohmann::json;

namespace {

/// Nine tasks: the summed maps count units that more than 5 tasks keep, the others those that every
/// seed keeps, which is a mean of exactly 1 and is asked for as more than 0.9 of five seeds.
constexpr double stable_of_all = 5.0, in_every_seed = 0.9;

/// Twelve digits are recorded.
void same(const map_summary& s, double mean, double deviation, std::size_t stable) {
  CHECK(s.mean == Approx(mean).epsilon(1e-11).margin(1e-15));
  CHECK(s.deviation.value() == Approx(deviation).epsilon(1e-11).margin(1e-15));
  CHECK(s.above == stable);
}

void same(const map_summary& s, const json& e, const char* stable) {
  same(s, e.at("mean_survival_mean").get<double>(), e.at("mean_survival_std").get<double>(),
       e.at(stable).get<std::size_t>());
}

/// The summed map and then the map of every task, against lists in that order.
template <std::size_t Axes>
void same_maps(const study_array<Axes>& a, const json& e, std::size_t all, std::size_t first) {
  const auto check = [&](const map_summary& s, std::size_t at) {
    same(s, e.at("mean").at(at).get<double>(), e.at("std").at(at).get<double>(),
         e.at("stable").at(at).get<std::size_t>());
  };
  INFO("all tasks");
  check(summarise(over_seeds(summed_over_tasks(a)), 0, stable_of_all), all);
  const auto maps = over_seeds(a);
  for (std::size_t t = 0; t < a.tasks.size(); ++t) {
    INFO(a.tasks[t]);
    check(summarise(maps, t, in_every_seed), first + t);
  }
}

}  // namespace

TEST_CASE("golden arrays: heat maps of survivors") {
  const auto folder = test::shared("data/lottery-masks/masks");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const json computed = io::read_json(*goldens).at("computed");
  const ticket_set set = read_mask_set(*folder / "heads_mlps");
  const auto heads = study_array_of<2>(set, "heads");
  const auto mlps = study_array_of<1>(set, "mlps");
  REQUIRE(heads.values.shape() == std::array<std::size_t, 4>{9, 5, 12, 12});
  REQUIRE(mlps.values.shape() == std::array<std::size_t, 3>{9, 5, 12});
  // The files read as arrays of numbers are the same as through the masks.
  CHECK((read_study_array<2>(*folder / "heads_mlps", "head_mask.npy").values == heads.values));
  CHECK((read_study_array<1>(*folder / "heads_mlps", "mlp_mask.npy").values == mlps.values));

  const json& all = computed.at("heatmaps_all_tasks");
  const auto alone = read_study_array<2>(*folder / "heads", "head_mask.npy");
  const auto mlps_alone = read_study_array<1>(*folder / "mlps", "mlp_mask.npy");
  const auto summed = [](const auto& a) {
    return summarise(over_seeds(summed_over_tasks(a)), 0, stable_of_all);
  };
  same(summed(heads), all.at("heads_together"), "stable_gt5");
  same(summed(mlps), all.at("mlps_together"), "stable_gt5");
  same(summed(alone), all.at("heads_separate"), "stable_gt5");
  same(summed(mlps_alone), all.at("mlps_separate"), "stable_gt5");
  const auto head_maps = over_seeds(heads);
  const auto mlp_maps = over_seeds(mlps);
  for (const auto& [task, e] : computed.at("heatmaps_task").items()) {
    INFO(task);
    same(summarise(head_maps, heads.task(task), in_every_seed), e.at("head_mask"), "stable");
    same(summarise(mlp_maps, mlps.task(task), in_every_seed), e.at("mlp_mask"), "stable");
  }
}

TEST_CASE("golden arrays: survivors by layer") {
  const auto folder = test::shared("data/lottery-masks/masks");
  if (!folder) return;
  // Mean survivors per head of nine tasks, by layer, as the study's maps give them to two places.
  const auto by_layer = [&](const char* set) {
    return over_seeds(
        layer_means(summed_over_tasks(read_study_array<2>(*folder / set, "head_mask.npy"))));
  };
  const auto together = by_layer("heads_mlps"), separate = by_layer("heads");
  const std::vector<double> expected{5.55, 5.17, 4.93, 4.92, 4.80, 5.08,
                                     5.10, 5.23, 4.48, 3.80, 3.67, 4.48};
  const std::vector<double> alone{4.18, 3.95, 3.37, 3.68, 3.97, 3.75,
                                  3.52, 3.83, 3.65, 2.88, 3.27, 3.85};
  for (std::size_t l = 0; l < 12; ++l) {
    CHECK(together.mean(0, l) == Approx(expected[l]).margin(5.1e-3));
    CHECK(separate.mean(0, l) == Approx(alone[l]).margin(5.1e-3));
  }
}

TEST_CASE("golden arrays: the most important heads and MLPs") {
  const auto folder = test::shared("data/lottery-masks/masks/heads_mlps");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const json e = io::read_json(*goldens).at("notebooks").at("most_important_component_heatmaps");
  const ticket_set set = read_mask_set(*folder);
  const auto heads = most_important(
      set, "heads", read_study_array<2>(*folder, "head_importance.npy"), most_important_heads);
  const auto mlps = most_important(set, "mlps", read_study_array<1>(*folder, "mlp_importance.npy"),
                                   most_important_mlps);
  // The lists: heads of all tasks, MLPs of all tasks, then nine tasks' heads, then their MLPs.
  same_maps(study_array_of<2>(heads, "heads"), e, 0, 2);
  same_maps(study_array_of<1>(mlps, "mlps"), e, 1, 11);
}

TEST_CASE("golden arrays: importances are normalised by layer, then to 0 and 1") {
  const auto folder = test::shared("data/lottery-masks/masks");
  if (!folder) return;
  std::size_t arrays = 0;
  for (const std::string set : {"heads", "heads_mlps", "heads_mlps_on_train"}) {
    if (!std::filesystem::exists(*folder / set)) {
      WARN("not in the reference data: " << set);
      continue;
    }
    const auto a = read_study_array<2>(*folder / set, "head_importance.npy");
    CHECK(a.left_out.empty());
    const std::size_t units = 144;
    for (std::size_t i = 0; i < a.tasks.size() * a.seeds.size(); ++i, ++arrays) {
      INFO(set << ", " << a.tasks[i / a.seeds.size()] << ", seed " << a.seeds[i % a.seeds.size()]);
      const auto form = normal_form_of({a.values.data() + i * units, units}, 12);
      REQUIRE(form);
      CHECK(form->least == 0.0);
      CHECK(form->largest == 1.0);
      CHECK(form->slope > 0.5);  // far from the map that takes everything to one number
      // The recorded largest deviation is 1.2e-7, float's rounding.
      CHECK(form->deviation <= 1.21e-7);
      // Least of the scores before they were mapped: an absolute value, as the study takes it.
      CHECK(form->offset >= 0.0);
    }
  }
  CHECK(arrays >= 90);  // nine tasks, five seeds, two sets
  for (const std::string set : {"mlps", "heads_mlps"}) {
    const auto a = read_study_array<1>(*folder / set, "mlp_importance.npy");
    CHECK(xt::all(xt::equal(xt::amin(a.values, {2}), 0.0)));
    CHECK(xt::all(xt::equal(xt::amax(a.values, {2}), 1.0)));
  }
}

TEST_CASE("golden arrays: attention entropy by layer") {
  const auto folder = test::shared("data/lottery-masks/masks/heads");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const json e = io::read_json(*goldens).at("computed").at("attention_entropy_CoLA_layer_mean");
  const auto entropy = read_study_array<2>(*folder, "attn_entropy.npy");
  // Committed for one task; the others are named.
  REQUIRE(entropy.tasks == std::vector<std::string>{"CoLA"});
  CHECK(entropy.left_out.size() == 8);
  const auto layers = layer_means(entropy);
  REQUIRE(e.size() == layers.seeds.size());
  for (const auto& [seed, means] : e.items()) {
    INFO(seed);
    const std::size_t s = layers.seed(seed.substr(5));  // seed_1337
    for (std::size_t l = 0; l < 12; ++l) {
      // Recorded from sums in float: seven digits.
      CHECK(layers.values(0, s, l) == Approx(means.at(l).get<double>()).epsilon(2e-7));
    }
  }
}
