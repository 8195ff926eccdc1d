#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/io/malformed.hpp"

#include "tombola/io/trace_file.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

using tensors = std::vector<io::tensor_to_write>;

trace example() {
  trace t{.baseline = 0.75, .threshold = 0.675, .steps = {}};
  const ticket candidate{{{"heads", {2, 3}}, {"mlps", {2}}}};
  t.steps.push_back({"joint", candidate, 0.7, true, {{{"mlps", {2}}, {1, 2}}}});
  return t;
}

/// A good trace after a change of its description and its tensors.
std::string changed(const std::function<void(nlohmann::json&, tensors&)>& change) {
  const scratch_folder folder;
  io::write_trace(folder / "good", example());
  const io::safetensors_file file{folder / "good"};
  auto metadata = file.metadata();
  auto description = io::parse_json(metadata.at("trace"), "good");
  tensors list;
  for (const auto& t : file.tensors()) list.push_back({t.name, t.type, t.shape, t.bytes});
  change(description, list);
  metadata["trace"] = description.dump();
  io::write_safetensors(folder / "bad", list, metadata);
  return get(folder / "bad");
}

/// The same with one member of the description, or of its only step, set or removed.
std::string with(const std::string& key, const nlohmann::json& value) {
  return changed([&](auto& j, tensors&) { j[key] = value; });
}
std::string step_with(const std::string& key, const nlohmann::json& value) {
  return changed([&](auto& j, tensors&) { j["steps"][0][key] = value; });
}
std::string step_without(const std::string& key) {
  return changed([&](auto& j, tensors&) { j["steps"][0].erase(key); });
}

io::tensor_to_write& named(tensors& list, const std::string& name) {
  for (auto& t : list) {
    if (t.name == name) return t;
  }
  throw runtime_failure("no tensor " + name);
}

void read_it(const std::filesystem::path& path) {
  (void)io::read_trace(path);
}

}  // namespace

TEST_CASE("malformed traces: the description") {
  const auto text = [](const std::string& json) {
    const scratch_folder folder;
    io::write_safetensors(folder / "x", tensors{},
                          {{"format", "tombola-trace"}, {"version", "1"}, {"trace", json}});
    return get(folder / "x");
  };
  refuse_each(
      {
          {text(R"({"baseline": 1)"),
           " (trace in its metadata): is not JSON: line 1, column 15: *"},
          {text(R"({"baseline": 1, "baseline": 2})"),
           " (trace in its metadata): JSON object has the key 'baseline' twice"},
          {text("[]"), ": found a list where an object with 'baseline' was expected"},
          {text("{}"), ": has no 'baseline', expected a number"},
          {with("baseline", "Infinity"), ": 'baseline' is '\"Infinity\"', expected a number"},
          {with("baseline", nlohmann::json::array()), ": 'baseline' is a list, expected a number"},
          {with("threshold", nullptr), ": 'threshold' is 'null', expected a number"},
          {with("threshold", false), ": 'threshold' is 'false', expected a number"},
          {changed([](auto& j, tensors&) { j.erase("steps"); }),
           ": has no 'steps', expected a value"},
          {with("steps", nlohmann::json::object()),
           ": found an object as its steps, expected a list"},
          {with("steps", {7}), " (step 0): found '7' where an object with 'phase' was expected"},
          {with("steps", nlohmann::json::array()), ": has 3 tensors, expected 0 for its steps"},
      },
      read_it);
}

TEST_CASE("malformed traces: a step") {
  const std::vector<float> nan{std::numeric_limits<float>::quiet_NaN(), 1};
  const std::vector<double> wide{1, 2};
  const std::uint8_t spare = 0xFF;
  refuse_each(
      {
          {step_with("phase", 1), " (step 0): 'phase' is '1', expected a string"},
          {step_without("metric"), " (step 0): has no 'metric', expected a number"},
          {step_with("metric", "0.7"), " (step 0): 'metric' is '\"0.7\"', expected a number"},
          {step_with("accepted", "yes"),
           " (step 0): 'accepted' is '\"yes\"', expected true or false"},
          {step_without("groups"), " (step 0): has no 'groups', expected a value"},
          {step_with("groups", "heads"),
           " (step 0): found '\"heads\"' as its groups, expected a list"},
          {changed([](auto& j, tensors&) { j["steps"][0]["groups"][1].erase("kept"); }),
           " (step 0): has no 'kept', expected a whole number of 0 or more"},
          {changed([](auto& j, tensors&) { j["steps"][0]["groups"][0]["kept"] = -1; }),
           " (step 0): 'kept' is '-1', expected a whole number of 0 or more"},
          {changed([](auto& j, tensors&) { j["steps"][0]["groups"][0]["kept"] = 5; }),
           " (step 0): says that 5 units of 'heads' are kept, but its mask keeps 6"},
          {changed([](auto& j, tensors&) { j["steps"][0]["groups"][1]["name"] = "heads"; }),
           " (step 0): has two groups 'heads', expected each name once"},
          {changed([&](auto&, tensors& list) {
             named(list, "0/mask/mlps").bytes = std::as_bytes(std::span{&spare, 1});
           }),
           " (step 0): group 'mlps' of 2 units has bits set past its end, expected 0"},
          {changed([](auto&, tensors& list) { named(list, "0/mask/heads").name = "1/mask/heads"; }),
           ": has no tensor '0/mask/heads'"},
          {changed([](auto&, tensors& list) { named(list, "0/scores/mlps").name = "mlps"; }),
           ": has no tensor '0/scores/mlps'"},
          {step_without("provenance"), " (step 0): has no 'provenance', expected a value"},
          {step_with("provenance", {{"seed", -1}}),
           " (step 0): 'seed' is '-1', expected a whole number of 0 or more"},
          {step_without("scores"), " (step 0): has no 'scores', expected a value"},
          {step_with("scores", nullptr), " (step 0): found 'null' as its groups, expected a list"},
          {step_with("scores", nlohmann::json::array()),
           ": has 3 tensors, expected 2 for its steps"},
          {changed([&](auto&, tensors& list) {
             auto& t = named(list, "0/scores/mlps");
             t.type = io::dtype::f64;
             t.bytes = std::as_bytes(std::span{wide});
           }),
           ": tensor '0/scores/mlps' is F64 (2,), expected F32 (2,)"},
          {changed([](auto& j, tensors&) {
             j["steps"][0]["scores"][0]["extents"] = {2, 2};
           }),
           ": tensor '0/scores/mlps' is F32 (2,), expected F32 (4,)"},
          {changed([&](auto&, tensors& list) {
             named(list, "0/scores/mlps").bytes = std::as_bytes(std::span{nan});
           }),
           ": tensor '0/scores/mlps': scores for mlps (2): unit 0 is NaN, expected a number"},
      },
      read_it);
}

TEST_CASE("malformed traces: cut or with a bit turned over") {
  const scratch_folder folder;
  io::write_trace(folder / "x", example());
  const std::string good = get(folder / "x");
  const auto t = damage_each(good, [&](const auto& path) {
    const trace read = io::read_trace(path);
    CHECK(read.steps.size() == 1);
    CHECK(std::filesystem::file_size(path) == good.size());  // no cut file comes this far
  });
  CHECK(t.read > 0);
  CHECK(t.refused > 5 * t.read);
}
