// Searches over heads, MLPs and neurons by criterion and scope, as a person types them.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/driver/program.hpp"

#include "tombola/core/trace.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/ticket_file.hpp"
#include "tombola/io/trace_file.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

trace trace_of(const std::string& run) {
  return io::read_trace(run + "/trace.safetensors");
}

/// Units left in each layer.
std::vector<std::size_t> per_layer(const mask& m, std::size_t layers) {
  std::vector<std::size_t> left(layers);
  for (std::size_t u = 0; u < m.size(); ++u) left[u / (m.size() / layers)] += m[u] ? 1U : 0U;
  return left;
}

}  // namespace

TEST_CASE("every criterion ranks structures in its own way and says so") {
  const trained t;
  for (const std::string what : {"neurons", "heads", "mlps", "both"}) {
    const std::string line = "--prune " + what + " --step 0.25 ";
    const std::string plain = t.find(line, t.runs);
    CHECK(t.find(line + "--criterion sensitivity --scope global", t.runs) == plain);
    const auto known = settings_of(plain);
    CHECK(known.at("estimator") == "per_example");
    CHECK_FALSE(known.contains("criterion"));
    CHECK_FALSE(known.contains("scope"));
    CHECK(io::read_ticket(plain + "/ticket.safetensors").origin.criterion == "per_example");

    std::vector<std::string> criteria{"magnitude", "random", "taylor", "wanda"};
    if (what == "heads") criteria.push_back("entropy");
    std::map<std::string, trace> found{{"sensitivity", trace_of(plain)}};
    for (const std::string& c : criteria) {
      INFO(what << " by " << c);
      const std::string run = t.find(line + "--threads 1 --criterion " + c, t.runs);
      CHECK(run != plain);
      CHECK(settings_of(run).at("criterion") == c);
      CHECK_FALSE(settings_of(run).contains("estimator"));
      const ticket good = io::read_ticket(run + "/ticket.safetensors");
      CHECK(good.origin.criterion == c);
      CHECK_THAT(good.origin.search, Catch::Matchers::Contains("criterion " + c));
      found[c] = trace_of(run);
      CHECK(std::filesystem::exists(run + "/head_mask.npy") == (what != "neurons"));
      if (what != "neurons") continue;
      // Bit for bit with two threads.
      const std::string again =
          t.find(line + "--threads 2 --criterion " + c, (t.here / ("two-" + c)).string());
      CHECK(text_of(again + "/trace.safetensors") == text_of(run + "/trace.safetensors"));
    }
    const std::size_t group = what == "mlps" ? 1 : 0;
    for (const auto& [a, of_a] : found) {
      for (const auto& [b, of_b] : found) {
        INFO(what << ": " << a << " and " << b);
        REQUIRE(of_a.steps.size() == of_b.steps.size());
        if (a == b) continue;
        if (what == "neurons") {
          CHECK_FALSE(of_a.steps[1].candidate == of_b.steps[1].candidate);
        } else if (what != "mlps") {  // two MLPs score 0 and 1 by any criterion
          CHECK_FALSE(of_a.steps[0].scores[group] == of_b.steps[0].scores[group]);
        }
      }
    }
    if (what != "neurons") continue;
    // Scores are those of the ticket accepted last: pruned neurons have no gradient.
    const trace& taylor = found.at("taylor");
    for (std::size_t i = 1; i + 1 < taylor.steps.size(); ++i) {
      for (std::size_t u = 0; u < 64; ++u) {
        if (!taylor.steps[i].candidate[0][u]) CHECK(taylor.steps[i].scores[0][u] == 0.0F);
      }
    }
  }
}

TEST_CASE("under scope layer every layer loses its share") {
  const trained t;
  const trace all = trace_of(t.find("--prune neurons --step 0.25", t.runs));
  const std::string run = t.find("--prune neurons --step 0.25 --scope layer", t.runs);
  CHECK(settings_of(run).at("scope") == "layer");
  CHECK(settings_of(run).at("estimator") == "per_example");
  const trace each = trace_of(run);
  REQUIRE(each.steps.size() == 5);
  REQUIRE(all.steps.size() == 5);
  bool uneven = false;
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(per_layer(each.steps[i].candidate[0], 2) == std::vector<std::size_t>(2, 32 - 8 * i));
    CHECK(all.steps[i].candidate.count() == 64 - 16 * i);
    const auto left = per_layer(all.steps[i].candidate[0], 2);
    uneven = uneven || left[0] != left[1];
  }
  CHECK(uneven);  // or this test says nothing
  const trace heads =
      trace_of(t.find("--prune heads --step 0.5 --scope layer --criterion wanda", t.runs));
  REQUIRE(heads.steps.size() == 3);
  CHECK(per_layer(heads.steps[1].candidate[0], 2) == std::vector<std::size_t>{1, 1});
  CHECK(heads.steps[2].candidate[1].count() == 2);  // MLPs stay
}

TEST_CASE("criteria and scopes that make no sense are refused in a sentence") {
  const trained t;
  const std::string out = (t.here / "no").string();
  const auto refused = [&](const std::string& more, const std::vector<std::string>& words) {
    refuses("find-masks --quiet --run " + t.full + " --out " + out + " " + more, words, out);
  };
  for (const std::string what : {"mlps", "both", "neurons"}) {
    refused("--prune " + what + " --criterion entropy", {"entropy is of heads", what});
  }
  refused("--prune heads --criterion snip", {"snip", "not for heads", "taylor"});
  refused("--prune weights --criterion entropy", {"entropy", "not for weights", "fisher"});
  refused("--prune heads --criterion size", {"--criterion", "size", "entropy"});
  refused("--prune heads --estimator squared --criterion taylor", {"--estimator", "taylor"});
  refused("--prune weights --estimator squared", {"--estimator", "weights"});
  refused("--prune mlps --scope layer", {"scope layer", "one MLP", "mlps"});
  refused("--prune both --scope layer", {"scope layer", "one MLP", "both"});
  refused("--prune heads --scope row", {"--scope", "row", "heads", "global or layer"});
  refused("--prune heads --mode study --criterion magnitude", {"mode study", "criterion"});
  refused("--prune heads --mode study --scope layer", {"mode study", "scope"});
  CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("a search over neurons by gradients that was killed goes on to the same bits") {
  const trained t;
  goes_on_to_the_same_bits(
      "find-masks --quiet --prune neurons --criterion taylor --scope layer --guard-at-least 0 "
      "--step 0.04 --threads 1 --run " +
          t.full + " --out ",
      t.here / ".", {"ticket.safetensors", "trace.safetensors"});
}
