// The sizes of the study's subnetworks, from its masks and its numbers of steps by magnitude.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/analysis/bert_sizes.hpp"
#include "tombola/analysis/mask_folder.hpp"
#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/ticket_sizes.hpp"
#include "tombola/io/json.hpp"
#include "tombola/prune/schedule.hpp"

using namespace tombola;
using namespace tombola::analysis;
using nlohmann::json;

namespace {

const std::vector<std::string> seed_order{"1337", "42", "86", "71", "166"};

/// bert-base-uncased with a classifier for the task.
bert_architecture model_for(const std::string& task) {
  bert_architecture a;
  a.labels = task == "MNLI" ? 3 : task == "STS-B" ? 1 : 2;
  return a;
}

/// The size that one seed's ticket has.
double size_of(const ticket_size& t, const std::string& seed) {
  const auto at = std::find(t.seeds.begin(), t.seeds.end(), seed);
  REQUIRE(at != t.seeds.end());
  return t.sizes[static_cast<std::size_t>(at - t.seeds.begin())];
}

/// Percent as the figures' titles round them.
void same_title(const moments& m, const json& title) {
  CHECK(std::round(100.0 * *m.mean) == title.at(0).get<double>());
  CHECK(std::round(100.0 * *m.deviation) == title.at(1).get<double>());
}

}  // namespace

TEST_CASE("golden sizes: parameters of BERT-base") {
  const auto goldens = test::shared("spec/goldens.json");
  if (!goldens) return;
  const json e = io::read_json(*goldens).at("model");
  const bert_parameters p = parameters_of({});
  CHECK(p.total == e.at("params_2_labels").get<std::size_t>());
  CHECK(p.embeddings == e.at("embedding_params").get<std::size_t>());
  CHECK(p.head == e.at("params_per_head").get<std::size_t>());
  CHECK(p.mlp == e.at("mlp_params_per_layer").get<std::size_t>());
  CHECK(p.prunable_weights == e.at("prunable_with_output_bias").get<std::size_t>());
  CHECK(p.prunable_weights - p.output_biases ==
        e.at("prunable_without_output_bias").get<std::size_t>());
}

TEST_CASE("golden sizes: good and super tickets over heads and MLPs") {
  const auto folder = test::shared("data/lottery-masks/masks");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const json file = io::read_json(*goldens);
  const json& expected = file.at("computed").at("subnetwork_size_minus_0.21");
  const json& titles = file.at("notebooks")
                           .at("eval_performance_analysis")
                           .at("figure_titles_size_percent_mean_std");
  constexpr auto study = embedding_share::rounded_as_study;
  const ticket_set tickets = read_mask_set(*folder / "heads_mlps");
  const auto good = ticket_sizes(tickets, model_for, study);
  const auto exact = ticket_sizes(tickets, model_for);
  const auto super = ticket_sizes(read_mask_set(*folder / "heads_mlps_super"), model_for, study);
  REQUIRE(good.size() == 9);
  REQUIRE(super.size() == 9);
  for (std::size_t t = 0; t < good.size(); ++t) {
    const std::string& task = good[t].task;
    INFO(task);
    const json& e = expected.at(task);
    for (std::size_t s = 0; s < seed_order.size(); ++s) {
      CHECK(size_of(good[t], seed_order[s]) ==
            Approx(e.at("importance").at(s).get<double>()).epsilon(1e-11));
    }
    const moments& m = good[t].over_seeds;
    CHECK(*m.mean == Approx(e.at("importance_mean").get<double>()).epsilon(1e-11));
    CHECK(*m.deviation == Approx(e.at("importance_std").get<double>()).epsilon(1e-11));
    same_title(m, titles.at(task).at("importance"));
    REQUIRE(super[t].task == task);
    CHECK(*super[t].over_seeds.mean == Approx(e.at("super_mean").get<double>()).epsilon(1e-11));
    same_title(super[t].over_seeds, titles.at(task).at("super"));

    // The exact share of the embeddings instead of 0.21: every size is lower by the same.
    const bert_parameters p = parameters_of(model_for(task));
    const double share = static_cast<double>(p.embeddings) / static_cast<double>(p.total);
    CHECK(share == Approx(0.217723).margin(1e-5));
    CHECK(*m.mean - *exact[t].over_seeds.mean == Approx(share - 0.21).epsilon(1e-11));
    CHECK(*exact[t].over_seeds.deviation == Approx(*m.deviation).epsilon(1e-11));
  }
}

TEST_CASE("golden sizes: magnitude tickets from their numbers of steps") {
  const auto goldens = test::shared("spec/goldens.json");
  if (!goldens) return;
  const json file = io::read_json(*goldens);
  const json& steps = file.at("computed").at("magnitude_steps");
  const json& expected = file.at("computed").at("subnetwork_size_minus_0.21");
  const json& notebooks = file.at("notebooks");
  const double amount = steps.at("amount_per_step").get<double>();
  const std::size_t weights = parameters_of({}).prunable_weights;
  const auto left =
      survivors(share_of_left{amount, steps.at("max_steps").get<std::size_t>()}, weights);
  std::size_t tasks = 0;
  for (const auto& [task, k_of] : steps.at("k").items()) {
    INFO(task);
    const bert_architecture a = model_for(task);
    std::vector<double> shares, sizes, exact_shares, exact_sizes;
    for (const std::string& seed : seed_order) {
      const auto k = k_of.at("seed_" + seed).get<std::size_t>();
      const auto size = [&](double share) {
        return subnetwork_size(a, parameters_left_of_weights(a, share),
                               embedding_share::rounded_as_study);
      };
      shares.push_back(std::pow(1.0 - amount, static_cast<double>(k)));
      sizes.push_back(size(shares.back()));
      exact_shares.push_back(static_cast<double>(left.at(k)) / static_cast<double>(weights));
      exact_sizes.push_back(size(exact_shares.back()));
    }
    const moments m = moments_of(sizes);
    CHECK(*moments_of(shares).mean ==
          Approx(steps.at("check").at(task).get<double>()).epsilon(1e-11));
    CHECK(*m.mean == Approx(expected.at(task).at("magnitude_mean").get<double>()).epsilon(1e-11));
    CHECK(*m.deviation ==
          Approx(expected.at(task).at("magnitude_std").get<double>()).epsilon(1e-11).margin(1e-15));
    same_title(m, notebooks.at("eval_performance_analysis")
                      .at("figure_titles_size_percent_mean_std")
                      .at(task)
                      .at("magnitude"));
    // Whole numbers of weights: each of at most 29 steps rounds by half a weight at most.
    const double rounding = 29.0 * 0.5 / static_cast<double>(weights);
    CHECK(*moments_of(exact_sizes).mean == Approx(*m.mean).margin(rounding));
    // The study prints the share of weights that survive, in single precision.
    CHECK(*moments_of(exact_shares).mean == Approx(notebooks.at("global_magnitude_pruning_heatmaps")
                                                       .at("average_surviving_weights")
                                                       .at(task)
                                                       .get<double>())
                                                .margin(1.5e-7));
    ++tasks;
  }
  CHECK(tasks == 9);
}

TEST_CASE("golden sizes: layers with six heads left") {
  const auto folder = test::shared("data/lottery-masks/masks");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  // The layers that the study's models lost when they were read back: half of the heads survive.
  const json expected =
      io::read_json(*goldens).at("computed").at("layers_with_exactly_6_heads_(reload_bug)");
  REQUIRE(expected.size() == 8);
  for (const auto& [family, tasks] : expected.items()) {
    const ticket_set set = read_mask_set(*folder / family);
    for (const task_tickets& t : set.tasks) {
      for (const seed_ticket& s : t.seeds) {
        INFO(family << ", " << t.task << ", seed " << s.seed);
        const mask& heads = s.value.at("heads");
        std::size_t layers = 0;
        for (std::size_t l = 0; l < 12; ++l) {
          std::size_t left = 0;
          for (std::size_t h = 0; h < 12; ++h) left += heads[l * 12 + h] ? 1U : 0U;
          layers += left == 6 ? 1U : 0U;
        }
        const auto at = std::find(seed_order.begin(), seed_order.end(), s.seed);
        CHECK(layers == tasks.at(t.task)
                            .at(static_cast<std::size_t>(at - seed_order.begin()))
                            .get<std::size_t>());
      }
    }
  }
}
