// The control masks that the study published, drawn again bit for bit.

#include <fstream>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/io/npy.hpp"
#include "tombola/prune/study_controls.hpp"

using namespace tombola;

namespace {

const std::vector<std::string> files{"head_mask.npy", "mlp_mask.npy"};

struct published {
  std::filesystem::path root;

  mask operator()(const std::string& family,
                  const std::string& task,
                  int seed,
                  const std::string& file) const {
    return io::read_mask_npy(root / family / task / ("seed_" + std::to_string(seed)) / file).mask;
  }
};

}  // namespace

TEST_CASE("golden controls: the study's random masks") {
  const auto root = test::shared("data/lottery-masks/masks");
  if (!root) return;
  const published read{*root};
  study::mersenne_twister draws{13};
  for (const char* task :
       {"CoLA", "SST-2", "MRPC", "STS-B", "QQP", "MNLI", "QNLI", "RTE", "WNLI"}) {
    for (const int seed : {1337, 42, 86, 71, 166}) {
      for (const auto& file : files) {
        INFO(task << ", seed " << seed << ", " << file);
        REQUIRE(study::random_like(read("heads_mlps", task, seed, file), draws) ==
                read("heads_mlps_random", task, seed, file));
      }
    }
  }
}

TEST_CASE("golden controls: the study's super, bizzaro and midling masks") {
  const auto root = test::shared("data/lottery-masks/masks");
  if (!root) return;
  const published read{*root};
  study::python_random draws{1337};
  for (const char* task :
       {"CoLA", "MNLI", "MRPC", "QNLI", "QQP", "RTE", "SST-2", "STS-B", "WNLI"}) {
    std::vector<study::super_masks> made;
    for (const auto& file : files) {
      std::vector<mask> good;
      for (const int seed : {1337, 42, 86, 71, 166}) {
        good.push_back(read("heads_mlps", task, seed, file));
      }
      made.push_back(study::begin_super(good));
    }
    for (const int seed : {71, 1337, 86, 42, 166}) {
      for (auto& m : made) study::resize_bizzaro(m, draws);
      for (auto& m : made) study::draw_midling(m, draws);
      for (std::size_t i = 0; i < files.size(); ++i) {
        INFO(task << ", seed " << seed << ", " << files[i]);
        REQUIRE(made[i].super == read("heads_mlps_super", task, seed, files[i]));
        REQUIRE(made[i].bizzaro == read("heads_mlps_super_bizzaro", task, seed, files[i]));
        REQUIRE(made[i].midling == read("heads_mlps_super_midling", task, seed, files[i]));
      }
    }
  }
}

TEST_CASE("golden controls: first numbers of the study's generators") {
  const auto path = test::shared("spec/goldens.json");
  if (!path) return;
  std::ifstream in{*path};
  const auto rng = nlohmann::json::parse(in).at("computed").at("rng");
  study::mersenne_twister numpy{13};
  std::vector<double> uniforms(150);
  for (double& u : uniforms) u = numpy.uniform();
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(uniforms[i] == Approx(rng.at("numpy_seed13_rand_first5")[i].get<double>()).margin(1e-12));
    CHECK(uniforms[144 + i] ==
          Approx(rng.at("numpy_seed13_rand_145_to_149")[i].get<double>()).margin(1e-12));
  }
  const auto range = [](std::size_t n) {
    std::vector<std::size_t> all(n);
    for (std::size_t i = 0; i < n; ++i) all[i] = i;
    return all;
  };
  study::python_random python{1337};
  CHECK(python.sample(range(144), 30) ==
        rng.at("python_seed1337_sample_range144_30").get<std::vector<std::size_t>>());
  CHECK(python.sample(range(10), 4) ==
        rng.at("then_sample_range10_4").get<std::vector<std::size_t>>());
  study::python_random pairs{1337};
  for (const auto& pair : rng.at("python_seed1337_choice12_pairs_first20")) {
    CHECK(pairs.below(12) == pair[0].get<std::size_t>());
    CHECK(pairs.below(12) == pair[1].get<std::size_t>());
  }
}
