#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include "tombola/core/detail/count_bits.hpp"
#include "tombola/core/detail/threads.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/random.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// What the benchmarks of masks share: masks to work on, a pure read of memory as the limit, and one
// way to time several answers to one question in turn and to print them.

namespace bench {

using tombola::mask;

/// Bits of the encoder's weight matrices of BERT-base.
inline constexpr std::size_t bert_base_weights = 84'934'656;

/// A mask of n units that keeps eleven in sixteen, drawn by the seed 64 units at once: of a
/// probability's binary digits, the last first, a 1 joins what a coin keeps and a 0 takes it away.
inline mask random_mask(std::size_t n, std::uint64_t seed) {
  const tombola::random_stream random{seed, tombola::purpose::control};
  mask m{n};
  for (std::size_t w = 0; w < tombola::words_for(n); ++w) {
    const auto coin = [&](std::uint64_t i) { return random.bits(4 * w + i); };
    m.set_word(w, coin(3) | (coin(2) & (coin(1) | coin(0))));  // 0.1011
  }
  return m;
}

/// Reads all words and does next to nothing with them.
#if defined(__x86_64__)
__attribute__((target("avx2"))) inline std::uint64_t read_words(std::span<const std::uint64_t> a) {
  __m256i x = _mm256_setzero_si256(), y = x, z = x, w = x;
  std::size_t i = 0;
  const auto at = [&a](std::size_t k) { return reinterpret_cast<const __m256i*>(a.data() + k); };
  for (; i + 16 <= a.size(); i += 16) {
    x = _mm256_or_si256(x, _mm256_loadu_si256(at(i)));
    y = _mm256_or_si256(y, _mm256_loadu_si256(at(i + 4)));
    z = _mm256_or_si256(z, _mm256_loadu_si256(at(i + 8)));
    w = _mm256_or_si256(w, _mm256_loadu_si256(at(i + 12)));
  }
  std::uint64_t last[4], all = 0;
  x = _mm256_or_si256(_mm256_or_si256(x, y), _mm256_or_si256(z, w));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(last), x);
  for (const std::uint64_t word : last) all |= word;
  for (; i < a.size(); ++i) all |= a[i];
  return all;
}
#else
inline std::uint64_t read_words(std::span<const std::uint64_t> a) {
  std::uint64_t all = 0;
  for (const std::uint64_t word : a) all |= word;
  return all;
}
#endif

/// One answer to a question. Ours, rivals and the limit are told apart by their place.
struct answer {
  std::string name;
  std::size_t threads = 1;
  std::function<void()> work;
};

/// The limit of every question: each thread reads its slice of each of these runs of words.
inline answer read_once(std::vector<std::span<const std::uint64_t>> runs, std::size_t threads) {
  return {"read once", threads, [runs = std::move(runs), threads] {
            std::vector<std::uint64_t> sums(threads);
            tombola::detail::in_slices(threads, 1, threads,
                                       [&](std::size_t t, std::size_t, std::size_t) {
                                         for (const auto& run : runs) {
                                           const std::size_t begin = run.size() * t / threads;
                                           const std::size_t end = run.size() * (t + 1) / threads;
                                           sums[t] ^= read_words(run.subspan(begin, end - begin));
                                         }
                                       });
            benchmark::DoNotOptimize(sums);
          }};
}

/// Collects the seconds of every repetition.
class seconds_reporter : public benchmark::BenchmarkReporter {
public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& r : runs) {
      if (r.run_type != Run::RT_Iteration) continue;
      seconds[r.run_name.function_name].push_back(r.real_accumulated_time /
                                                  static_cast<double>(r.iterations));
    }
  }
  std::map<std::string, std::vector<double>> seconds;
};

inline double median(std::vector<double> v) {
  if (v.empty()) return 0.0;
  std::sort(v.begin(), v.end());
  return v.size() % 2 == 1 ? v[v.size() / 2] : (v[v.size() / 2 - 1] + v[v.size() / 2]) / 2.0;
}

/// A question: what is asked, of how much, and its answers. All take turns in one run.
struct question {
  std::string name, size;
  answer ours = {};
  std::vector<answer> rivals = {};        ///< the naive way first
  std::optional<answer> limit = {};       ///< what no answer can beat: reading the same bytes once
  std::vector<std::string> missing = {};  ///< rivals that are not installed
  nlohmann::json notes = nlohmann::json::object();  ///< what else the summary says

  /// Times all, prints a line for each and the summary last. Returns the exit code.
  int run(int argc, char** argv) const {
    // Repetitions of all take turns; what the caller says counts.
    std::string turns = "--benchmark_enable_random_interleaving=true";
    std::string often = "--benchmark_repetitions=9", briefly = "--benchmark_min_time=0.05";
    std::vector<char*> arguments{argv[0], turns.data(), often.data(), briefly.data()};
    arguments.insert(arguments.end(), argv + 1, argv + argc);
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
    std::vector<answer> all{ours};
    all.insert(all.end(), rivals.begin(), rivals.end());
    if (limit) all.push_back(*limit);
    for (const answer& a : all) {
      benchmark::RegisterBenchmark(a.name.c_str(),
                                   [&a](benchmark::State& state) {
                                     for (auto _ : state) a.work();
                                   })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
    seconds_reporter seen;
    benchmark::RunSpecifiedBenchmarks(&seen);
    nlohmann::json last{{"question", name},
                        {"size", size},
                        {"unit", "s"},
                        {"threads", ours.threads},
                        {"isa", tombola::detail::fastest_bits().name},
                        {"flags", flags()}};
    last.update(notes);
    double best = 0.0;
    for (const answer& a : all) {
      const auto values = seen.seconds[a.name];
      const double middle = median(values);
      std::printf("%s\n", nlohmann::json{{"name", name + "/" + a.name},
                                         {"workload", {{"size", size}}},
                                         {"unit", "s"},
                                         {"better", "lower"},
                                         {"values", values},
                                         {"median", middle},
                                         {"threads", a.threads}}
                              .dump()
                              .c_str());
      if (limit && a.name == limit->name) {
        last["limit"] = middle;
      } else if (a.name == ours.name) {
        last["ours"] = middle;
      } else if (best == 0.0 || middle < best) {
        best = middle;
        last["rival"] = middle;
        last["rival_name"] = a.name;
      }
    }
    for (const std::string& rival : missing) {
      std::printf(
          "%s\n",
          nlohmann::json{{"name", name + "/" + rival}, {"error", "not installed"}}.dump().c_str());
    }
    if (!limit) last["limit"] = nullptr;
    if (rivals.empty()) last["rival"] = nullptr, last["ratio"] = nullptr;
    if (!rivals.empty()) last["ratio"] = best / last["ours"].get<double>();
    if (limit) last["over_limit"] = last["ours"].get<double>() / last["limit"].get<double>();
    std::printf("%s\n", last.dump().c_str());
    return 0;
  }

  /// Whether the program may use what this machine has, or only what every x86-64 has.
  static const char* flags() {
#if defined(__AVX2__)
    return "native";
#else
    return "default";
#endif
  }
};

/// Ends the program where an answer is wrong: a benchmark of wrong answers says nothing.
inline void require_equal(std::uint64_t found, std::uint64_t expected, const char* what) {
  if (found == expected) return;
  std::fprintf(stderr, "%s: found %llu, expected %llu\n", what,
               static_cast<unsigned long long>(found), static_cast<unsigned long long>(expected));
  std::exit(1);
}

}  // namespace bench
