#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/algebra/agreement.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/io/npy.hpp"

using namespace tombola;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

// What the study's table calls a kind of unit, its file, and its notebooks' key.
struct kind {
  std::string key, file, notebook;
};
const std::vector<kind> kinds{{"heads_mlps:head_mask", "head_mask.npy", "head"},
                              {"heads_mlps:mlp_mask", "mlp_mask.npy", "mlp"}};

json read(const fs::path& path) {
  std::ifstream in{path};
  return json::parse(in);
}

/// One mask per seed folder of a task, by the folders' names.
std::vector<mask> masks_of(const fs::path& task, const std::string& file) {
  std::vector<fs::path> seeds;
  for (const auto& entry : fs::directory_iterator{task}) seeds.push_back(entry.path());
  std::sort(seeds.begin(), seeds.end());
  std::vector<mask> masks;
  for (const fs::path& seed : seeds) masks.push_back(io::read_mask_npy(seed / file).mask);
  return masks;
}

/// Twelve digits are printed; null stands for undefined, which has a reason here.
void same(const estimate& found,
          const json& expected,
          const std::string& what,
          double relative = 1e-11) {
  INFO(what << ": found " << found.value << " (" << to_string(found.why) << "), expected "
            << expected);
  REQUIRE(found.defined() != expected.is_null());
  if (!found.defined()) return;
  const double e = expected.get<double>();
  REQUIRE(std::abs(found.value - e) <= relative * std::abs(e));
}

/// The study's mean over pairs: of those that are defined.
template <class Measure>
estimate mean_of_defined(const std::vector<pair_overlap>& pairs, Measure measure) {
  double sum = 0.0, n = 0.0;
  estimate last = undefined(reason::too_few_masks);
  for (const pair_overlap& p : pairs) {
    const estimate e = measure(p.counts);
    if (!e.defined()) {
      last = e;
      continue;
    }
    sum += e.value;
    n += 1.0;
  }
  return n == 0.0 ? last : defined(sum / n);
}

/// Pairs of seeds whose sizes Cochran's test does not tell apart; an undefined test counts as one
/// that does, as in the study.
std::size_t similar_pairs(const std::vector<mask>& masks) {
  std::size_t similar = 0;
  for (std::size_t i = 0; i < masks.size(); ++i) {
    for (std::size_t j = i + 1; j < masks.size(); ++j) {
      const estimate p = cochran_q(std::vector<mask>{masks[i], masks[j]}).p;
      if (p.defined() && p.value >= 0.05) ++similar;
    }
  }
  return similar;
}

}  // namespace

TEST_CASE("golden agreement of the study's masks over seeds") {
  const auto folder = test::shared("data/lottery-masks/masks/heads_mlps");
  const auto file = test::shared("spec/goldens.json");
  if (!folder || !file) return;
  const json goldens = read(*file);
  std::size_t tasks = 0;
  for (const kind& k : kinds) {
    for (const auto& [task, e] : goldens.at("computed").at("stats").at(k.key).items()) {
      const std::string what = k.key + " " + task;
      const auto masks = masks_of(*folder / task, k.file);
      REQUIRE(masks.size() == e.at("df").get<std::size_t>() + 1);
      const survival s = count_survival(masks);
      const cochran c = cochran_q(s);
      same(c.q, e.at("Q"), what + " Q");
      same(c.p, e.at("p"), what + " p");
      REQUIRE(c.degrees == e.at("df").get<std::size_t>());
      same(fleiss_kappa(s), e.at("fleiss_kappa"), what + " Fleiss");
      same(krippendorff_alpha(s), e.at("kripp_alpha"), what + " Krippendorff");
      REQUIRE(s.kept_by_all() == e.at("survive_all5").get<std::size_t>());
      REQUIRE(s.kept_by_any() == e.at("survive_any").get<std::size_t>());
      const auto pairs = count_overlaps(masks);
      same(mean_of_defined(pairs, jaccard), e.at("jaccard_mean"), what + " jaccard");
      same(mean_of_defined(pairs, phi), e.at("phi_mean"), what + " phi");
      REQUIRE(similar_pairs(masks) == e.at("pairs_similar").get<std::size_t>());
      ++tasks;
    }
  }
  CHECK(tasks >= 2);
}

TEST_CASE("golden agreement as the study's notebooks print it") {
  const auto folder = test::shared("data/lottery-masks/masks/heads_mlps");
  const auto file = test::shared("spec/goldens.json");
  if (!folder || !file) return;
  const json goldens = read(*file);
  const json& printed = goldens.at("notebooks").at("statistics_on_pruning");
  for (const auto& [task, kappa] : printed.at("fleiss_kappa_heads").items()) {
    const estimate found = fleiss_kappa(masks_of(*folder / task, kinds[0].file));
    INFO(task << ": found " << found.value << ", printed " << kappa);
    // The notebooks compute kappa in single precision.
    CHECK(std::abs(found.value - kappa.get<double>()) <= 4e-7);
  }
  std::map<std::string, std::string> file_of;
  for (const kind& k : kinds) file_of[k.notebook] = k.file;
  for (const auto& [key, e] : printed.at("cochran_p_and_similar_pairs_of_10").items()) {
    const std::size_t colon = key.find(':');
    const auto masks = masks_of(*folder / key.substr(colon + 1), file_of.at(key.substr(0, colon)));
    same(cochran_q(masks).p, e.at(0), key + " p");
    CHECK(similar_pairs(masks) == e.at(1).get<std::size_t>());
  }
  // Alpha of one task's masks, and of two tasks' together; the folder has nine of the 13 tasks.
  const json& alpha = printed.at("krippendorff_alpha");
  std::size_t compared = 0;
  for (const auto& [cell, file_name] :
       std::map<std::string, std::string>{{"cell9_head_mask", kinds[0].file},
                                          {"cell17_head_mask", kinds[0].file},
                                          {"cell13_mlp_mask", kinds[1].file},
                                          {"cell20_mlp_mask", kinds[1].file}}) {
    for (const auto& [key, e] : alpha.at(cell).items()) {
      std::vector<mask> masks;
      bool all_there = true;
      std::istringstream tasks{key};
      for (std::string task; std::getline(tasks, task, ',');) {
        all_there = all_there && fs::exists(*folder / task);
        if (!all_there) break;
        for (mask& m : masks_of(*folder / task, file_name)) masks.push_back(std::move(m));
      }
      if (!all_there) continue;
      same(krippendorff_alpha(masks), e, cell + " " + key);
      ++compared;
    }
  }
  CHECK(compared > 0);
}
