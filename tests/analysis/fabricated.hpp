#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <unistd.h>

#include "tombola/core/ticket.hpp"
#include "tombola/core/trace.hpp"
#include "tombola/io/ticket_file.hpp"
#include "tombola/io/trace_file.hpp"

namespace tombola::test {

/// A folder of its own that goes when the test does.
class temporary_folder {
public:
  temporary_folder() {
    static int made = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("tombola-analysis-" + std::to_string(::getpid()) + "-" + std::to_string(made++));
    std::filesystem::create_directories(path_);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

inline void write_text(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream{file, std::ios::binary} << text;
}

inline std::string read_text(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// What a made-up result.json says. `ticket` is its JSON, or null.
struct made_result {
  std::string step = "train";
  std::string task = "acceptability";
  std::uint64_t seed = 1;
  std::string score = "0.9";
  std::string majority = "0.5";
  std::string ticket = "null";
  bool retrained = false;
  std::string seconds = "1.5";
};

inline std::string made_ticket(const std::string& kind, const std::string& family, int kept) {
  return R"({"file":"ticket.safetensors","kind":")" + kind + R"(","family":")" + family +
         R"(","fingerprint":"f)" + kind + R"(","kept":{"heads":)" + std::to_string(kept) +
         R"(},"size":{"heads":8}})";
}

inline std::string to_json(const made_result& r) {
  return R"({"format":"tombola-result","version":1,"step":")" + r.step +
         R"(","run":{"epochs":1},"task":")" + r.task + R"(","seed":)" + std::to_string(r.seed) +
         R"(,"metric":"accuracy","score":)" + r.score + R"(,"metrics":{"accuracy":)" + r.score +
         R"(},"majority":)" + r.majority + R"(,"ticket":)" + r.ticket + R"(,"retrained":)" +
         (r.retrained ? "true" : "false") + R"(,"seconds":)" + r.seconds +
         R"(,"tokens_per_second":2000,"machine":"two cores","commit":"abc",)" +
         R"("inputs":[{"name":"model","path":"/m","sha256":"00ff"}]})";
}

inline void write_result(const std::filesystem::path& folder, const made_result& r) {
  write_text(folder / "result.json", to_json(r));
}

/// A ticket over heads (2 x 4) and MLPs (2) that keeps the heads of the given bits.
inline ticket small_ticket(unsigned head_bits, unsigned mlp_bits) {
  ticket t{{{"heads", {2, 4}}, {"mlps", {2}}}};
  for (unsigned i = 0; i < 8; ++i) t.set(0, i, (head_bits >> i & 1U) != 0);
  for (unsigned i = 0; i < 2; ++i) t.set(1, i, (mlp_bits >> i & 1U) != 0);
  return t;
}

/// A search of three candidates, the last one rejected.
inline trace small_trace() {
  trace t{0.9, 0.81, {}};
  t.steps.push_back({"full", small_ticket(0xFF, 3), 0.9, true, {}});
  t.steps.push_back({"joint", small_ticket(0x7F, 3), 0.85, true, {}});
  t.steps.push_back({"heads", small_ticket(0x0F, 3), 0.6, false, {}});
  return t;
}

/// The same, found by a search whose settings are known.
inline std::string found_by(const std::string& search, std::string t) {
  return t.insert(1, R"("search":")" + search + R"(",)");
}

/// A finished study of one task: full, good, random and bad, masked and retrained. The scores of
/// seed s, in hundredths: full 90 + s, good 85, random 70 - 10 s (but seed 3: 88), bad 55, and
/// retrained good 91, random 86, bad 40.
inline void write_study(const std::filesystem::path& out,
                        std::uint64_t seeds,
                        const std::string& task = "acceptability") {
  const unsigned heads[] = {0x0F, 0x1E, 0x0F};
  for (std::uint64_t s = 1; s <= seeds; ++s) {
    const auto folder = [&](const std::string& name) {
      return out / (name + "-s" + std::to_string(s));
    };
    const std::string search = "guard_share 0.9, mode standard, select dev";
    const auto good = found_by(search, made_ticket("good", "heads_mlps", 4)),
               bad = found_by(search, made_ticket("bad", "heads_mlps", 4)),
               random = found_by(search, made_ticket("random", "heads_mlps", 4));
    write_result(folder("train"),
                 {"train", task, s, "0.9" + std::to_string(s), "0.5", "null", false});
    write_result(folder("find"), {"find-masks", task, s, "0.99", "0.5", good, false});
    const auto seed_ticket = small_ticket(heads[(s - 1) % 3], 3);
    io::write_ticket(folder("find") / "ticket.safetensors", seed_ticket);
    io::write_trace(folder("find") / "trace.safetensors", small_trace());
    write_result(folder("good"), {"evaluate", task, s, "0.85", "0.5", good, false});
    write_result(folder("random"),
                 {"evaluate", task, s, s == 3 ? "0.88" : "0." + std::to_string(70 - 10 * s), "0.5",
                  random, false});
    write_result(folder("bad"), {"evaluate", task, s, "0.55", "0.5", bad, false});
    write_result(folder("good-again"), {"train", task, s, "0.91", "0.5", good, true});
    write_result(folder("random-again"), {"train", task, s, "0.86", "0.5", random, true});
    write_result(folder("bad-again"), {"train", task, s, "0.40", "0.5", bad, true});
  }
}

}  // namespace tombola::test
