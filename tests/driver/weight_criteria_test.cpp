// Searches over weights by criterion, scope, schedule and pattern, as a person types them.

#include <algorithm>
#include <string>

#include "tests/driver/program.hpp"

#include "tombola/io/json.hpp"
#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::test;

TEST_CASE("every criterion finds a ticket that says so; the default keeps its name") {
  const trained t;
  const std::string few = "--prune weights --weight-step 0.3 --weight-steps 2 ";
  const std::string plain = t.find(few, t.runs);
  CHECK(t.find(few + "--criterion magnitude --scope global --schedule share_of_left", t.runs) ==
        plain);
  for (const char* name : {"criterion", "scope", "schedule", "pattern"}) {
    CHECK_FALSE(settings_of(plain).contains(name));
  }
  const ticket by_magnitude = io::read_ticket(plain + "/ticket.safetensors");
  CHECK(by_magnitude.origin.criterion == "magnitude");
  for (const std::string criterion : {"random", "taylor", "fisher", "snip", "wanda"}) {
    INFO(criterion);
    const std::string run = t.find(few + "--threads 1 --criterion " + criterion, t.runs);
    CHECK(run != plain);
    CHECK(settings_of(run).at("criterion") == criterion);
    const ticket found = io::read_ticket(run + "/ticket.safetensors");
    CHECK(found.origin.criterion == criterion);
    CHECK(found.count() == by_magnitude.count());
    CHECK_FALSE(
        std::equal(found.masks().begin(), found.masks().end(), by_magnitude.masks().begin()));
    // Bit for bit with two threads.
    const std::string again = t.find(few + "--threads 2 --criterion " + criterion,
                                     (t.here / ("two-" + criterion)).string());
    CHECK(text_of(again + "/ticket.safetensors") == text_of(run + "/ticket.safetensors"));
    CHECK(text_of(again + "/trace.safetensors") == text_of(run + "/trace.safetensors"));
  }
}

TEST_CASE("scope, schedule and pattern of a search over weights") {
  const trained t;
  const std::string rows =
      t.find("--prune weights --criterion wanda --scope row --schedule one_shot --weight-step 0.5",
             t.runs);
  const ticket half = io::read_ticket(rows + "/ticket.safetensors");
  for (std::size_t g = 0; g < half.groups().size(); ++g) {
    const std::size_t in = half.groups()[g].extents.back();
    for (std::size_t first = 0; first < half[g].size(); first += in) {
      std::size_t kept = 0;
      for (std::size_t u = first; u < first + in; ++u) kept += half[g][u] ? 1U : 0U;
      REQUIRE(kept * 2 == in);
    }
  }
  CHECK(settings_of(rows).at("scope") == "row");
  CHECK(settings_of(rows).at("schedule") == "one_shot");
  CHECK_FALSE(settings_of(rows).contains("weight_steps"));

  const std::string pattern = t.find("--prune weights --nm 1:4", t.runs);
  const ticket quarter = io::read_ticket(pattern + "/ticket.safetensors");
  CHECK(quarter.count() * 4 == quarter.size());
  CHECK(settings_of(pattern).at("pattern") == "1:4");
  CHECK_FALSE(settings_of(pattern).contains("weight_share"));
  CHECK(quarter.origin.search.find("pattern 1:4") != std::string::npos);

  const std::string cubic = t.find(
      "--prune weights --schedule cubic --weight-step 0.6 --weight-steps 3 --scope layer", t.runs);
  CHECK(io::read_json(cubic + "/result.json").at("search").at("candidates") == 4);
  const ticket end = io::read_ticket(cubic + "/ticket.safetensors");
  for (std::size_t g = 0; g < end.groups().size(); ++g) {
    CHECK(static_cast<double>(end[g].count()) ==
          Approx(0.4 * static_cast<double>(end[g].size())).margin(1.0));
  }

  // What does not go together is said in one sentence, and nothing is written.
  const std::string out = (t.here / "no").string();
  const auto refused = [&](const std::string& more, const std::vector<std::string>& words) {
    refuses("find-masks --quiet --run " + t.full + " --out " + out + " " + more, words, out);
  };
  refused("--prune heads --schedule cubic", {"--schedule", "of weights", "heads"});
  refused("--prune both --weight-step 0.1", {"--weight-step", "of weights", "both"});
  refused("--prune mlps --weight-steps 3", {"--weight-steps", "of weights", "mlps"});
  refused("--prune neurons --nm 2:4", {"--nm", "of weights", "neurons"});
  refused("--prune weights --step 0.2", {"--step", "heads, MLPs and neurons", "weights"});
  refused("--prune weights --mode study --criterion taylor", {"mode study", "magnitude"});
  refused("--prune weights --nm 2:5", {"2 of every 5", "query.weight (16 x 16)"});
  refused("--prune weights --nm 5:4", {"--nm", "5:4", "N from 1 to M"});
  refused("--prune weights --nm 0:4", {"--nm", "0:4", "N from 1 to M"});
  refused("--prune weights --schedule one_shot --weight-steps 5", {"--weight-steps", "one_shot"});
  CHECK_FALSE(std::filesystem::exists(out));
  for (const char* more : {"--nm 2:4 --scope row", "--nm 2:4 --weight-step 0.1",
                           "--criterion largest", "--scope head"}) {
    INFO(more);
    CHECK(test::tombola("find-masks --run r --out o --prune weights " + std::string{more}).code ==
          2);
  }
}

TEST_CASE("a search by criterion that was killed goes on to the same bits") {
  const trained t;
  const std::string line =
      "find-masks --quiet --prune weights --criterion fisher --guard-at-least 0 "
      "--weight-step 0.02 --weight-steps 60 --threads 1 --run " +
      t.full + " --out ";
  goes_on_to_the_same_bits(line, t.here / ".", {"ticket.safetensors", "trace.safetensors"});
}
