// The guard on a lower confidence bound, as a person types it.

#include <algorithm>
#include <string>
#include <vector>

#include "tests/driver/program.hpp"

#include "tombola/io/json.hpp"
#include "tombola/io/ticket_file.hpp"
#include "tombola/io/trace_file.hpp"
#include "tombola/prune/lower_bound.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

/// A model that is right about nearly everything, so that pruning makes it worse by and by.
struct accurate_model {
  folder here;
  std::string runs = (here / "runs").string(), full;

  accurate_model() {
    const std::string data = (here / "data").string();
    succeed("pocket " + data + " --corpus 300 --train 800 --dev 60");
    full = last_line(succeed("train --model " + pocket_world::instance().model + " --data " + data +
                             " --task pocket-sentiment --quiet --max-length 32 --epochs 10 --rate "
                             "3e-3 --out " +
                             runs));
  }
  [[nodiscard]] nlohmann::json find(const std::string& more) const {
    return json_of("find-masks --run " + full + " --out " + runs + " " + more);
  }
};

trace trace_of(const nlohmann::json& result) {
  return io::read_trace(result["folder"].get<std::string>() + "/trace.safetensors");
}

/// What `inspect` says of a search's trace.
nlohmann::json inspected(const nlohmann::json& result) {
  return json_of("inspect " + result["folder"].get<std::string>() + "/trace.safetensors");
}

/// The bound of a share of right answers among n, which needs no more than that.
double bound(double accuracy, std::size_t n, double level) {
  std::vector<double> results(n);
  const auto right = static_cast<std::size_t>(accuracy * static_cast<double>(n) + 0.5);
  std::fill_n(results.begin(), right, 1.0);
  return lower_bound_of_mean(results, {.level = level});
}

}  // namespace

TEST_CASE("a guard with a confidence decides by bounds, and says what its numbers are") {
  const accurate_model t;
  std::size_t stopped_earlier = 0;
  for (const std::string what :
       {"neurons --step 0.1", "neurons --step 0.1 --criterion taylor",
        "weights --weight-step 0.3 --weight-steps 6",
        "weights --weight-step 0.3 --weight-steps 6 --criterion taylor --scope layer"}) {
    INFO(what);
    const std::string line = "--prune " + what + " ";
    const auto by_floor = t.find(line + "--guard-at-least 0.7 --guard-confidence 0.95");
    const auto plain = t.find(line + "--guard-at-least 0.7");
    const auto& search = by_floor["search"];
    CHECK(search["measure"] == "accuracy, lower bound at confidence 0.95");
    CHECK(search["threshold"] == 0.7);
    CHECK(search["plain_metric"] == by_floor["score"]);
    CHECK(search["plain_baseline"] == plain["search"]["baseline"]);
    CHECK_FALSE(plain["search"].contains("measure"));
    CHECK_FALSE(plain["search"].contains("plain_metric"));
    // 60 development sentences.
    CHECK(search["baseline"].get<double>() ==
          Approx(bound(search["plain_baseline"].get<double>(), 60, 0.95)));
    CHECK(search["metric"].get<double>() ==
          Approx(bound(search["plain_metric"].get<double>(), 60, 0.95)));
    CHECK(search["metric"].get<double>() >= 0.7);
    CHECK(trace_of(by_floor).measure == search["measure"]);
    CHECK(trace_of(plain).measure.empty());
    CHECK(inspected(by_floor)["measure"] == search["measure"]);
    CHECK_FALSE(inspected(plain).contains("measure"));
    // The bound lies below the metric of the same candidate: fewer pass.
    const trace bounds = trace_of(by_floor), metrics = trace_of(plain);
    REQUIRE(bounds.steps.size() <= metrics.steps.size());
    for (std::size_t i = 0; i < bounds.steps.size(); ++i) {
      REQUIRE(bounds.steps[i].candidate == metrics.steps[i].candidate);
      CHECK(bounds.steps[i].metric == Approx(bound(metrics.steps[i].metric, 60, 0.95)));
    }
    stopped_earlier += search["candidates"] < plain["search"]["candidates"] ? 1U : 0U;
    CHECK(by_floor["run"]["settings"]["guard_confidence"] == 0.95);
    CHECK_FALSE(plain["run"]["settings"].contains("guard_confidence"));

    const auto drop = t.find(line + "--guard-drop 0.15 --guard-confidence 0.9");
    CHECK(drop["search"]["measure"] ==
          "accuracy less the baseline's, lower bound at confidence 0.9");
    CHECK(drop["search"]["baseline"] == 0.0);  // of itself, nothing is lost
    CHECK(drop["search"]["threshold"] == -0.15);
    CHECK(drop["search"]["plain_metric"].get<double>() >=
          drop["search"]["plain_baseline"].get<double>() - 0.15);

    const auto share = t.find(line + "--guard 0.8 --guard-confidence 0.5");
    CHECK(share["search"]["measure"] ==
          "accuracy less 0.8 of the baseline's, lower bound at confidence 0.5");
    CHECK(share["search"]["threshold"] == 0.0);
    // At one half the bound is the mean itself.
    CHECK(share["search"]["metric"].get<double>() ==
          Approx(share["search"]["plain_metric"].get<double>() -
                 0.8 * share["search"]["plain_baseline"].get<double>())
              .margin(1e-9));
  }
  CHECK(stopped_earlier > 0);
  const ticket found = io::read_ticket(
      t.find("--prune neurons --step 0.1 --guard-at-least 0.7 --guard-confidence 0.95")["folder"]
          .get<std::string>() +
      "/ticket.safetensors");
  CHECK_THAT(found.origin.search, Catch::Matchers::Contains("guard_confidence 0.95"));
  const std::string report = (t.here / "report").string();
  succeed("report " + t.runs + " --out " + report);
  bool said = false;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{report}) {
    said =
        said || (entry.path().extension() == ".html" &&
                 text_of(entry.path()).find("lower bound at confidence 0.95") != std::string::npos);
  }
  CHECK(said);
}

TEST_CASE("a guard with a confidence is refused where nothing is averaged over examples") {
  const accurate_model t;
  const pocket_world& world = pocket_world::instance();
  std::string line = world.train(world.model, t.runs);
  const std::string name = "pocket-sentiment";
  line.replace(line.find(name), name.size(), "pocket-acceptability");
  const std::string other = last_line(succeed(line));
  const std::string out = (t.here / "no").string();
  const auto refused = [&](const std::string& run, const std::string& more,
                           const std::vector<std::string>& words) {
    refuses("find-masks --quiet --prune both --run " + run + " --out " + out + " " + more, words,
            out);
  };
  refused(other, "--guard-confidence 0.95",
          {"accuracy", "SST-2", "MNLI", "pocket-acceptability", "matthews_correlation"});
  refused(t.full, "--guard-confidence 0.3", {"confidence level", "0.3", "0.5 to below 1"});
  refused(t.full, "--guard-confidence 1", {"confidence level", "0.5 to below 1"});
  refused(t.full, "--guard-confidence 0.95 --mode study", {"mode study", "confidence"});
  CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("a search under a bound that was killed goes on to the same bits") {
  const accurate_model t;
  goes_on_to_the_same_bits(
      "find-masks --quiet --prune neurons --guard-at-least 0.01 --guard-confidence 0.95 --step "
      "0.04 --threads 1 --run " +
          t.full + " --out ",
      t.here / ".", {"ticket.safetensors", "trace.safetensors"});
}
