// Weights in rounds of pruning and retraining: searches that go on from a ticket, and the script.

#include <sstream>
#include <string>
#include <vector>

#include "tests/driver/program.hpp"

#include "tombola/algebra/sets.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/ticket_file.hpp"
#include "tombola/io/trace_file.hpp"
#include "tombola/prune/schedule.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* one_step = "--schedule share_of_left --weight-steps 1 --weight-step 0.2 ";

std::string search(const std::string& run, const std::string& more, const std::string& out) {
  return "find-masks --prune weights --guard-at-least=-1 --run " + run + " --out " + out + " " +
         more;
}

/// What the script prints, a row of words for each line.
std::vector<std::vector<std::string>> rows_of(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    rows.emplace_back();
    for (std::string word; words >> word;) rows.back().push_back(word);
  }
  return rows;
}

}  // namespace

TEST_CASE("a search goes on from the ticket that a run was trained under") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string runs = (here / "runs").string();
  const std::string full = last_line(succeed(world.train(world.model, runs)));
  const auto first = json_of(search(full, one_step, runs));
  const std::string file = first["folder"].get<std::string>() + "/ticket.safetensors";
  CHECK_FALSE(first["search"].contains("start"));
  const auto retrained = nlohmann::json::parse(
      succeed(world.train(world.model, runs, "--ticket " + file + " --json")));
  const std::string run = retrained["folder"].get<std::string>();

  const auto second = json_of(search(run, one_step, runs));
  const ticket before = io::read_ticket(file),
               after = io::read_ticket(second["folder"].get<std::string>() + "/ticket.safetensors");
  CHECK(is_subset(after, before));
  const std::size_t n = before.size();
  CHECK(before.count() == n - share_of(0.2, n));
  CHECK(after.count() == before.count() - share_of(0.2, before.count()));
  CHECK(after.origin.parent == io::fingerprint(before));
  CHECK(second["search"]["start"]["kept"] == before.count());
  CHECK(second["search"]["start"]["size"] == n);
  // The baseline is the run's own metric, not that of the full model.
  CHECK(second["search"]["baseline"] == retrained["score"]);
  const trace way = io::read_trace(second["folder"].get<std::string>() + "/trace.safetensors");
  CHECK(way.steps[0].phase == "start");
  CHECK(way.steps[0].candidate.count() == before.count());
  CHECK_THAT(after.origin.search,
             Catch::Matchers::Contains("start_kept " + std::to_string(before.count())));

  // What was gone counts where the schedule says what is gone at the end; other criteria go on,
  // too.
  const auto half =
      json_of(search(run, "--schedule one_shot --weight-step 0.5 --criterion taylor", runs));
  CHECK(half["ticket"]["kept"]["weights"] == n - share_of(0.5, n));
  CHECK(is_subset(io::read_ticket(half["folder"].get<std::string>() + "/ticket.safetensors"),
                  before));
  goes_on_to_the_same_bits(
      "find-masks --quiet --prune weights --guard-at-least=-1 --threads 1 --weight-step 0.02 "
      "--criterion wanda --run " +
          run + " --out ",
      here / ".", {"ticket.safetensors", "trace.safetensors"});
  succeed("report " + runs + " --out " + (here / "report").string());

  // Nothing but weights in mode standard, and no other tickets.
  const std::string out = (here / "no").string();
  const auto refused = [&](const std::string& more, const std::vector<std::string>& words) {
    refuses("find-masks --quiet --out " + out + " " + more, words, out);
  };
  refused("--prune both --run " + run, {"trained under a ticket", "--prune weights"});
  refused("--prune weights --mode study --run " + run, {"trained under a ticket", "mode standard"});
  const std::string heads =
      last_line(succeed("find-masks --quiet --prune heads --guard-at-least 0 --step 0.5 --run " +
                        full + " --out " + runs)) +
      "/ticket.safetensors";
  const std::string other = last_line(succeed(world.train(world.model, runs, "--ticket " + heads)));
  refused("--prune weights --run " + other, {"under a ticket of heads_mlps", "one of weights"});
  const std::string study =
      last_line(succeed("find-masks --quiet --prune weights --mode study --guard 0.5 --run " +
                        full + " --out " + runs));
  const std::string odd = last_line(
      succeed(world.train(world.model, runs, "--ticket " + study + "/ticket.safetensors")));
  refused("--prune weights --run " + odd, {"other weights", "mode study", "six matrices"});
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("rewinding.sh prunes and retrains in rounds and ends at its guard") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const auto script = [&](const std::string& environment, const std::string& more = "") {
    const std::string out = (here / "out").string(), err = (here / "err").string();
    const std::string line = "env TOMBOLA=" + std::string{TOMBOLA_DRIVER} + " " + environment +
                             " examples/rewinding.sh " + world.model + " " + world.data +
                             " pocket-sentiment " + (here / "runs").string() +
                             " --max-length 32 --rate 1e-3 --epochs 2 " + more + " >" + out +
                             " 2>" + err + " </dev/null";
    const int status = std::system(line.c_str());
    return answer{WIFEXITED(status) ? WEXITSTATUS(status) : 128, text_of(out), text_of(err)};
  };
  const answer two = script("ROUNDS=2 SHARE=0.3 GUARD=0");
  INFO(two.out << two.err);
  REQUIRE(two.code == 0);
  const auto rows = rows_of(two.out);
  REQUIRE(rows.size() == 5);
  CHECK(rows[0].back() == "accuracy");
  CHECK(rows[1][0] == "0");
  CHECK(rows[1][1] == "all");
  const std::string last = rows[4].back();
  const ticket t = io::read_ticket(last);
  const std::size_t n = t.size(), once = n - share_of(0.3, n);
  CHECK(rows[2][1] == std::to_string(once));
  CHECK(rows[3][1] == std::to_string(once - share_of(0.3, once)));
  CHECK(t.count() == once - share_of(0.3, once));
  CHECK(rows[3][2] == "49.0%");
  CHECK(rows[3].size() == 4);
  // Three models were trained, two searches made; asked again, nothing is computed anew.
  std::size_t trained = 0, searched = 0;
  for (const auto& entry : fs::directory_iterator{here / "runs"}) {
    const std::string name = entry.path().filename().string();
    trained += name.rfind("train-", 0) == 0 ? 1U : 0U;
    searched += name.rfind("find-masks-", 0) == 0 ? 1U : 0U;
  }
  CHECK(trained == 3);
  CHECK(searched == 2);
  const auto when = fs::last_write_time(last);
  CHECK(script("ROUNDS=2 SHARE=0.3 GUARD=0").out == two.out);
  CHECK(fs::last_write_time(last) == when);

  const answer strict = script("ROUNDS=2 SHARE=0.3 GUARD=2");
  REQUIRE(strict.code == 0);
  const auto ended = rows_of(strict.out);
  REQUIRE(ended.size() == 4);  // no second round
  CHECK_THAT(strict.out, Catch::Matchers::Contains("below 2 of the full model's"));
  CHECK_THAT(strict.out, Catch::Matchers::Contains("last ticket that passed: none"));
  // What a step says is wrong ends the script with its code.
  const answer wrong = script("ROUNDS=1", "--epochs 0");
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Catch::Matchers::Contains("--epochs"));
  CHECK(wrong.out.empty());
}
