#include "tombola/experiment/ticket_summary.hpp"

#include "tests/support/catch.hpp"

using namespace tombola;

TEST_CASE("a result counts heads, MLPs and neurons by themselves, weights together") {
  const std::vector<group> groups{{"heads", {2, 4}}, {"a.weight", {3, 5}}, {"b.weight", {2, 2}}};
  ticket t{groups};
  t.set(0, 7, false);
  t.set(1, 0, false);
  const auto j = experiment::ticket_json(t, "t.safetensors");
  CHECK(j.at("family") == "weights");
  CHECK(j.at("kept") == nlohmann::json{{"heads", 7}, {"weights", 18}});
  CHECK(j.at("size") == nlohmann::json{{"heads", 8}, {"weights", 19}});
  const auto both = experiment::ticket_json(ticket{{{"heads", {2, 4}}, {"mlps", {2}}}}, "t");
  CHECK(both.at("family") == "heads_mlps");
  CHECK(both.at("kept") == nlohmann::json{{"heads", 8}, {"mlps", 2}});
}
