#include <functional>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/random.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/io/ticket_file.hpp"
#include "tombola/io/trace_file.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

struct tally {
  std::size_t refused = 0;
  std::size_t read = 0;
};

/// Reads every truncation and `flips` copies with one byte changed; any other exception than
/// tombola::error ends the test, a crash the program.
tally harass(const std::string& good,
             std::size_t flips,
             const std::function<void(const std::filesystem::path&)>& read) {
  const scratch_folder folder;
  const auto path = folder / "x";
  tally t;
  const auto attempt = [&](const std::string& content) {
    put(path, content);
    try {
      read(path);
      ++t.read;
    } catch (const error&) {
      ++t.refused;
    }
  };
  attempt(good);
  REQUIRE(t.read == 1);
  for (std::size_t n = 0; n < good.size(); ++n) attempt(good.substr(0, n));
  // No prefix of a file is a file.
  CHECK(t.read == 1);
  const random_stream random{7, purpose::subset};
  for (std::size_t i = 0; i < flips; ++i) {
    std::string bad = good;
    char& c = bad[random.below(good.size(), 2 * i)];
    c = static_cast<char>(static_cast<unsigned char>(c) ^ (1 + random.below(255, 2 * i + 1)));
    attempt(bad);
  }
  CHECK(t.read + t.refused == 1 + good.size() + flips);
  return t;
}

ticket example() {
  ticket t{{{"heads", {3, 4}}, {"mlps", {3}}}};
  t.set(0, 5, false);
  t.origin.task = "SST-2";
  t.origin.seed = 3;
  return t;
}

}  // namespace

TEST_CASE("hostile: damaged safetensors") {
  const scratch_folder folder;
  const std::vector<float> w{1, 2, 3, 4, 5, 6};
  const auto raw = std::as_bytes(std::span{w});
  io::write_safetensors(folder / "x",
                        std::vector<io::tensor_to_write>{{"w", io::dtype::f32, {2, 3}, raw},
                                                         {"b", io::dtype::bf16, {12}, raw},
                                                         {"m", io::dtype::boolean, {24}, raw}},
                        {{"format", "pt"}});
  const auto t = harass(get(folder / "x"), 3000, [](const auto& path) {
    const io::safetensors_file file{path};
    for (const auto& tensor : file.tensors()) (void)io::to_floats(tensor);
  });
  CHECK(t.refused > 1000);
}

TEST_CASE("hostile: damaged arrays") {
  const scratch_folder folder;
  const std::vector<double> v{0, 1, 1, 0, 1, 1};
  io::write_npy(folder / "x", {2, 3}, std::span<const double>{v});
  const std::string good = get(folder / "x");
  CHECK(harass(good, 3000, [](const auto& path) { (void)io::read_npy(path); }).refused > 500);
  // A mask of doubles has no spare bits: every changed data byte but the sign of a zero is noticed.
  const auto t = harass(good, 3000, [](const auto& path) { (void)io::read_mask_npy(path); });
  CHECK(t.refused > 1300);
}

TEST_CASE("hostile: damaged tickets and traces") {
  const scratch_folder folder;
  io::write_ticket(folder / "x", example());
  CHECK(harass(get(folder / "x"), 3000, [](const auto& path) {
          const ticket t = io::read_ticket(path);
          // What is let through is a ticket: nothing is kept that does not exist.
          CHECK(t.count() <= t.size());
          (void)io::fingerprint(t);
        }).refused > 1000);
  trace t{.baseline = 1, .threshold = 0.9, .steps = {}};
  t.steps.push_back({"heads", example(), 0.95, true, {{{"mlps", {3}}, {1, 2, 3}}}});
  io::write_trace(folder / "x", t);
  CHECK(harass(get(folder / "x"), 2000, [](const auto& path) {
          (void)io::read_trace(path);
        }).refused > 1000);
}
