// A finished run whose result.json was damaged: one sentence with the file's name.

#include <functional>

#include "tests/driver/program.hpp"

#include "tombola/io/json.hpp"

using namespace tombola;
using namespace tombola::test;

TEST_CASE("a damaged result of a finished run is refused by the file's name") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string runs = (here / "runs").string();
  const std::string full = last_line(succeed(world.train(world.model, runs)));
  const std::string found = last_line(
      succeed("find-masks --quiet --prune both --guard 0.7 --run " + full + " --out " + runs));
  const std::string line =
      world.train(world.model, runs, "--ticket " + found + "/ticket.safetensors");
  const std::filesystem::path file = last_line(succeed(line)) + "/result.json";
  const nlohmann::json whole = io::read_json(file);
  // They are looked at as they lie there: not refuses, which wants no result.
  const auto says = [&](const std::vector<std::string>& words) {
    for (const std::string more : {"", " --json"}) {
      const answer a = test::tombola(line + more);
      INFO(a.out << a.err);
      CHECK(a.code == 2);
      CHECK(a.out.empty());
      CHECK(std::count(a.err.begin(), a.err.end(), '\n') == 1);
      CHECK_THAT(a.err, Catch::Matchers::Contains("result.json: "));
      for (const std::string& word : words) CHECK_THAT(a.err, Catch::Matchers::Contains(word));
    }
  };
  write_text(file, "{}");
  says({"has no 'metric', expected a string"});
  write_text(file, "[]");
  says({"found a list where an object with '", "' was expected"});
  write_text(file, "");
  says({"is not JSON"});
  const auto damaged = [&](const std::function<void(nlohmann::json&)>& damage) {
    nlohmann::json j = whole;
    damage(j);
    io::write_json(file, j);
  };
  damaged([](auto& j) { j.erase("score"); });
  says({"has no 'score'"});
  damaged([](auto& j) { j["score"] = "good"; });
  says({"'score' is", "expected a number"});
  damaged([](auto& j) { j["majority"] = nlohmann::json::array(); });
  says({"'majority' is a list, expected a number"});
  damaged([](auto& j) { j["metrics"] = 7; });
  says({"found '7' where an object"});
  damaged([](auto& j) { j["ticket"] = "here"; });
  says({"where an object with 'kind' was expected"});
  damaged([](auto& j) { j["ticket"]["kept"]["heads"] = -1; });
  says({"'heads' is '-1', expected a whole number"});
  damaged([](auto& j) { j["ticket"]["size"] = nlohmann::json::object(); });
  says({"has no 'heads'"});
  damaged([](auto& j) { j["score"] = nullptr; });
  CHECK_THAT(succeed(line), Catch::Matchers::Contains("undefined"));
}
