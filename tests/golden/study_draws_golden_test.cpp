// What the study drew: fingerprints of its masks, and its layers and heads; and the check values of
// its rank-biased overlap.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/algebra/rank_biased_overlap.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/sha256.hpp"
#include "tombola/prune/study_random.hpp"

using namespace tombola;
using nlohmann::json;

namespace {

/// Bits of a mask in bytes, the first bit highest.
void append_bytes(std::string& bytes, const mask& m) {
  for (std::size_t i = 0; i < m.size(); i += 8) {
    unsigned byte = 0;
    for (std::size_t b = 0; b < 8; ++b) {
      byte = 2 * byte + (i + b < m.size() && m[i + b] ? 1U : 0U);
    }
    bytes += static_cast<char>(byte);
  }
}

/// A list of letters, one to a place.
ranking letters(std::string_view text) {
  ranking r;
  for (const char c : text) r.push_back({static_cast<std::size_t>(c)});
  return r;
}

}  // namespace

TEST_CASE("golden draws: fingerprints of the study's masks") {
  const auto folder = test::shared("data/lottery-masks/masks");
  const auto goldens = test::shared("spec/goldens.json");
  if (!folder || !goldens) return;
  const json hashes = io::read_json(*goldens).at("computed").at("mask_hashes");
  std::size_t compared = 0;
  for (const auto& [family, by_seed] : hashes.items()) {
    if (family == "encoding") continue;
    for (const auto& [path, hash] : by_seed.items()) {
      INFO(family << "/" << path);
      std::string bytes;
      for (const char* file : {"head_mask.npy", "mlp_mask.npy"}) {
        append_bytes(bytes, io::read_mask_npy(*folder / family / path / file).mask);
      }
      REQUIRE(bytes.size() == 20);
      CHECK(io::sha256_hex(bytes).substr(0, 16) == hash.get<std::string>());
      ++compared;
    }
  }
  CHECK(compared == 6 * 45);
}

TEST_CASE("golden draws: 600 layers and heads of the study's maps") {
  const auto goldens = test::shared("spec/goldens.json");
  if (!goldens) return;
  const json rng = io::read_json(*goldens).at("computed").at("rng");
  study::python_random draws{1337};
  std::string text;
  for (int i = 0; i < 600; ++i) {
    const std::size_t layer = draws.below(12), head = draws.below(12);
    text += (i == 0 ? "" : ",") + std::to_string(layer) + " " + std::to_string(head);
  }
  // Recorded as a fingerprint of `layer head,layer head,...`.
  CHECK(io::sha256_hex(text).substr(0, 16) ==
        rng.at("python_seed1337_choice12_pairs_600_sha256").get<std::string>());
}

TEST_CASE("golden draws: check values of rank-biased overlap") {
  // Three places are printed, for a persistence of 0.9.
  const auto abc = letters("abcdefg");
  const rank_biased same = rank_biased_overlap(abc, abc, 0.9);
  CHECK(same.least == Approx(0.767).margin(5.1e-4));
  CHECK(same.residual == Approx(0.233).margin(5.1e-4));
  CHECK(same.extrapolated == Approx(1.0).epsilon(1e-12));
  CHECK(rank_biased_overlap(abc, letters("bacdefg"), 0.9).extrapolated ==
        Approx(0.9).epsilon(1e-12));
  // With ties, in the study's own form.
  const ranking first{{'c', 'a'}, {'b'}, {'d'}}, second{{'a'}, {'c', 'b'}, {'d'}};
  const rank_biased_study tied = rank_biased_overlap_study(first, second, 0.9);
  CHECK(tied.least == Approx(0.489).margin(5.1e-4));
  CHECK(tied.residual == Approx(0.477).margin(5.1e-4));
  CHECK(tied.extrapolated == Approx(0.967).margin(5.1e-4));
  const std::array<double, 7> average{0.0, 0.0, 0.222, 0.292, 0.313, 0.317, 0.312};
  for (std::size_t depth = 1; depth <= average.size(); ++depth) {
    const auto found =
        rank_biased_overlap_study(letters(std::string_view{"abcdefg"}.substr(0, depth)),
                                  letters(std::string_view{"zcavwxy"}.substr(0, depth)), 0.9);
    CHECK(found.average_overlap == Approx(average[depth - 1]).margin(5.1e-4));
  }
}
