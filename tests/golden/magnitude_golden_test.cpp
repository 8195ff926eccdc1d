#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/io/safetensors.hpp"
#include "tombola/prune/schedule.hpp"
#include "tombola/prune/weights.hpp"

using namespace tombola;
using nlohmann::json;

namespace {

json read_json(const std::filesystem::path& p) {
  return json::parse(std::ifstream{p});
}

/// Some tensors of a file as weights that own their values.
struct owned_weights {
  std::vector<std::vector<float>> values;
  std::vector<weight_span> spans;

  owned_weights(const io::safetensors_file& f, const std::vector<std::string>& names) {
    for (const std::string& name : names) values.push_back(io::to_floats(f.at(name)));
    for (std::size_t g = 0; g < names.size(); ++g) {
      spans.push_back({{names[g], f.at(names[g]).shape}, values[g]});
    }
  }
};

/// Bit i of byte i / 8 at position i % 8, the last byte filled with zeros.
mask unpacked(std::span<const std::byte> bytes, std::size_t n) {
  REQUIRE(bytes.size() == (n + 7) / 8);
  std::vector<std::uint64_t> words(words_for(n));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    words[i / 8] |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * (i % 8));
  }
  return mask::from_words(n, std::move(words));
}

/// Smallest magnitude kept and largest removed.
std::pair<double, double> edges(const owned_weights& w, const ticket& t) {
  double smallest_kept = INFINITY, largest_removed = -INFINITY;
  for (std::size_t g = 0; g < w.values.size(); ++g) {
    for (std::size_t i = 0; i < w.values[g].size(); ++i) {
      const double m = std::abs(static_cast<double>(w.values[g][i]));
      if (t[g][i]) {
        smallest_kept = std::min(smallest_kept, m);
      } else {
        largest_removed = std::max(largest_removed, m);
      }
    }
  }
  return {smallest_kept, largest_removed};
}

void check_case(const std::string& name,
                const json& expected,
                const owned_weights& w,
                const io::safetensors_file& masks) {
  INFO(name);
  const auto first =
      expected.at("largest_first").get<bool>() ? removal::largest_first : removal::smallest_first;
  ticket t = full_ticket(w.spans);
  REQUIRE(t.size() == expected.at("of").get<std::size_t>());
  std::vector<std::size_t> removed;
  for (const double share : expected.at("shares")) {
    removed.push_back(share_of(share, t.count()));
    t = remove_by_magnitude(w.spans, t, removed.back(), first);
  }
  CHECK(removed == expected.at("removed_by_step").get<std::vector<std::size_t>>());
  CHECK(t.count() == expected.at("kept").get<std::size_t>());
  const auto by_group = expected.at("kept_by_group").get<std::vector<std::size_t>>();
  REQUIRE(by_group.size() == w.spans.size());
  for (std::size_t g = 0; g < by_group.size(); ++g) {
    const std::string& tensor = w.spans[g].group.name;
    INFO(tensor);
    CHECK(t[g].count() == by_group[g]);
    CHECK(t[g] == unpacked(masks.at(name + "/" + tensor).bytes, t[g].size()));
  }
  const auto [smallest_kept, largest_removed] = edges(w, t);
  if (t.count() > 0) CHECK(smallest_kept == expected.at("smallest_kept").get<double>());
  if (t.count() < t.size()) CHECK(largest_removed == expected.at("largest_removed").get<double>());
}

}  // namespace

TEST_CASE("golden magnitude: every mask, bit for bit") {
  const auto folder = test::shared("goldens/magnitude");
  const auto model = test::shared("goldens/tiny-bert/model.safetensors");
  if (!folder || !model) return;
  const json expected = read_json(*folder / "expected.json");
  const io::safetensors_file masks{*folder / "masks.safetensors"};
  const std::map<std::string, io::safetensors_file> files = [&] {
    std::map<std::string, io::safetensors_file> m;
    m.try_emplace("weights", *model);
    m.try_emplace("ties", *folder / "ties.safetensors");
    return m;
  }();
  REQUIRE(!expected.at("cases").empty());
  for (const auto& [name, c] : expected.at("cases").items()) {
    const auto names = expected.at("groups").at(c.at("groups").get<std::string>());
    check_case(
        name, c,
        {files.at(c.at("tensors").get<std::string>()), names.get<std::vector<std::string>>()},
        masks);
  }
}

TEST_CASE("golden magnitude: the tied tensors keep their denormals on the way in") {
  const auto folder = test::shared("goldens/magnitude");
  if (!folder) return;
  const json expected = read_json(*folder / "expected.json");
  const io::safetensors_file ties{*folder / "ties.safetensors"};
  std::vector<float> magnitudes;
  for (const json& name : expected.at("groups").at("weights")) {
    for (const float v : io::to_floats(ties.at(name.get<std::string>())))
      magnitudes.push_back(std::abs(v));
  }
  std::sort(magnitudes.begin(), magnitudes.end());
  const auto end = std::unique(magnitudes.begin(), magnitudes.end());
  CHECK(end - magnitudes.begin() == expected.at("distinct_magnitudes_in_ties").get<long>());
}

TEST_CASE("golden magnitude: survivors of 30 steps of 5 percent") {
  const auto folder = test::shared("goldens/magnitude");
  if (!folder) return;
  const json expected = read_json(*folder / "expected.json");
  REQUIRE(!expected.at("survivors").empty());
  for (const auto& [n, left] : expected.at("survivors").items()) {
    INFO(n);
    CHECK(survivors(share_of_left{0.05, left.size() - 1}, std::stoul(n)) ==
          left.get<std::vector<std::size_t>>());
  }
}
