// Neurons from the search to the smaller model.

#include "tests/driver/program.hpp"
#include <nlohmann/json.hpp>

#include "tombola/core/ticket.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

TEST_CASE("neurons: found, scored, retrained, controlled, compacted and reported") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string runs = (here / "runs").string();
  const std::string full = last_line(succeed(world.train(world.model, runs)));
  const auto found = json_of("find-masks --prune neurons --guard 0.5 --step 0.25 --run " + full +
                             " --out " + runs);
  const fs::path run{found["folder"].get<std::string>()};
  const ticket t = io::read_ticket(run / "ticket.safetensors");
  REQUIRE(t.groups().size() == 1);
  CHECK(t.groups()[0] == group{"neurons", {2, 32}});
  // Steps of 16 of 64.
  CHECK(t.count() < 64);
  CHECK(t.count() % 16 == 0);
  CHECK(t.origin.criterion == "per_example");
  CHECK(found["ticket"]["family"] == "neurons");
  CHECK(found["ticket"]["kept"]["neurons"] == t.count());
  CHECK_FALSE(fs::exists(run / "head_mask.npy"));

  const std::string file = (run / "ticket.safetensors").string();
  const auto scored = json_of("evaluate --run " + full + " --ticket " + file + " --out " + runs);
  CHECK(scored["score"] == found["score"]);
  const auto again = nlohmann::json::parse(
      succeed(world.train(world.model, runs, "--ticket " + file + " --json")));
  CHECK(again["retrained"] == true);
  CHECK(again["ticket"]["family"] == "neurons");

  const fs::path small = here / "small";
  const auto compact =
      json_of("compact --run " + full + " --ticket " + file + " --out " + small.string());
  const auto parameters = [&](std::size_t i) {
    return compact["costs"][i]["parameters"].get<int>();
  };
  // A neuron is a row of 16, a bias, a column of 16.
  CHECK(parameters(0) - parameters(1) == static_cast<int>(64 - t.count()) * 33);
  CHECK(json_of("evaluate --run " + full + " --model " + small.string() + " --out " +
                runs)["score"] == scored["score"]);
  succeed("report " + runs + " --out " + (here / "report").string());

  refuses("find-masks --quiet --prune neurons --mode study --run " + full + " --out " +
              (here / "no").string(),
          {"mode study", "neurons"}, here / "no");
}
