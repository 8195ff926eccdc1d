#include "tombola/io/trace_file.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

trace example() {
  trace t{.baseline = 0.1, .threshold = -std::numeric_limits<double>::infinity(), .steps = {}};
  ticket candidate{{{"heads", {2, 3}}, {"mlps", {2}}}};
  t.steps.push_back({"heads", candidate, 1.0 / 3, true, {}});
  candidate.set(0, 4, false);
  candidate.origin.task = "RTE";
  candidate.origin.seed = 7;
  t.steps.push_back({"joint",
                     candidate,
                     -0.0,
                     false,
                     {{{"heads", {2, 3}}, {1, 0x1.0p-149F, -3, 4, 5, 0.1F}},
                      {{"mlps", {2}}, {std::numeric_limits<float>::infinity(), 0}}}});
  return t;
}

void check_same(const trace& a, const trace& b) {
  CHECK(a.baseline == b.baseline);
  CHECK(a.threshold == b.threshold);
  REQUIRE(a.steps.size() == b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    CHECK(a.steps[i].phase == b.steps[i].phase);
    CHECK(a.steps[i].candidate == b.steps[i].candidate);
    CHECK(a.steps[i].metric == b.steps[i].metric);
    CHECK(std::signbit(a.steps[i].metric) == std::signbit(b.steps[i].metric));
    CHECK(a.steps[i].accepted == b.steps[i].accepted);
    CHECK(a.steps[i].scores == b.steps[i].scores);
  }
}

/// The tensors of a trace file as they are, under metadata that `change` has edited.
template <class Change>
void rewrite(const std::filesystem::path& path, Change change) {
  const io::safetensors_file file{path};
  auto metadata = file.metadata();
  auto description = io::parse_json(metadata.at("trace"), path);
  std::vector<io::tensor_to_write> tensors;
  for (const auto& t : file.tensors()) tensors.push_back({t.name, t.type, t.shape, t.bytes});
  change(description, tensors);
  metadata["trace"] = description.dump();
  io::write_safetensors(path, tensors, metadata);
}

}  // namespace

TEST_CASE("trace file: what is written is read back, bit for bit") {
  const scratch_folder folder;
  const auto path = folder / "trace.safetensors";
  io::write_trace(path, example());
  check_same(io::read_trace(path), example());
  io::write_trace(path, {});
  check_same(io::read_trace(path), {});
  trace odd{.baseline = std::numeric_limits<double>::infinity(),
            .threshold = std::numeric_limits<double>::quiet_NaN(),
            .steps = {}};
  io::write_trace(path, odd);
  CHECK(io::read_trace(path).baseline == odd.baseline);
  CHECK(std::isnan(io::read_trace(path).threshold));
  CHECK(io::read_trace(path).measure.empty());
  odd.measure = "accuracy, lower bound at confidence 0.95";
  io::write_trace(path, odd);
  CHECK(io::read_trace(path).measure == odd.measure);
  CHECK(io::read_trace(path).seconds == 0.0);
  odd.seconds = 1.0 / 3;
  io::write_trace(path, odd);
  CHECK(io::read_trace(path).seconds == odd.seconds);
}

TEST_CASE("trace file: what is malformed is refused, each with its sentence") {
  const scratch_folder folder;
  const auto path = folder / "trace.safetensors";
  using tensors = std::vector<io::tensor_to_write>;
  const auto refused = [&](auto change) {
    io::write_trace(path, example());
    rewrite(path, change);
    return sentence<format_error>([&] { (void)io::read_trace(path); }, path.string());
  };
  CHECK(refused([](auto& j, tensors&) { j.erase("baseline"); }) ==
        ": has no 'baseline', expected a number");
  CHECK(refused([](auto& j, tensors&) { j["threshold"] = "low"; }) ==
        ": 'threshold' is '\"low\"', expected a number");
  CHECK(refused([](auto& j, tensors&) { j["seconds"] = -2; }) ==
        ": found -2.000000 as its seconds, expected 0 or more");
  CHECK(refused([](auto& j, tensors&) { j["steps"] = 3; }) ==
        ": found '3' as its steps, expected a list");
  CHECK(refused([](auto& j, tensors&) { j["steps"][0]["accepted"] = 1; }) ==
        " (step 0): 'accepted' is '1', expected true or false");
  CHECK(refused([](auto& j, tensors&) { j["steps"][1]["groups"][0]["kept"] = 6; }) ==
        " (step 1): says that 6 units of 'heads' are kept, but its mask keeps 5");
  CHECK(refused([](auto& j, tensors&) { j["steps"].erase(1); }) ==
        ": has 6 tensors, expected 2 for its steps");
  CHECK(refused([](auto& j, tensors&) { j["steps"][0]["groups"][0]["name"] = "x"; }) ==
        ": has no tensor '0/mask/x'");
  CHECK(refused([](auto& j, tensors&) { j["steps"][1]["scores"][1]["extents"] = {3}; }) ==
        ": tensor '1/scores/mlps' is F32 (2,), expected F32 (3,)");
  const std::vector<float> nan{0, std::numeric_limits<float>::quiet_NaN()};
  CHECK(refused([&](auto&, tensors& list) {
          for (auto& t : list) {
            if (t.name == "1/scores/mlps") t.bytes = std::as_bytes(std::span{nan});
          }
        }) == ": tensor '1/scores/mlps': scores for mlps (2): unit 1 is NaN, expected a number");
  CHECK(refused([&](auto& j, tensors& list) {
          j["steps"][1]["scores"][1]["name"] = "\x1B[31m";
          for (auto& t : list) {
            if (t.name != "1/scores/mlps") continue;
            t.name = "1/scores/\x1B[31m";
            t.bytes = std::as_bytes(std::span{nan});
          }
        }) == ": tensor '1/scores/?[31m': scores for ?[31m (2): unit 1 is NaN, expected a number");
  io::write_ticket(path, ticket{});
  CHECK(sentence<format_error>([&] { (void)io::read_trace(path); }, path.string()) ==
        ": is of format 'tombola-ticket', expected 'tombola-trace'");
}

TEST_CASE("trace file: two scores for one group are refused and leave no file") {
  const scratch_folder folder;
  trace t = example();
  t.steps[1].scores.push_back(t.steps[1].scores[0]);
  CHECK(sentence<input_error>([&] { io::write_trace(folder / "t", t); }, (folder / "t").string()) ==
        ": the tensor name '1/scores/heads' is taken");
  CHECK(folder.names().empty());
}
