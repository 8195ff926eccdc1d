#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/support/question.hpp"
#include <nlohmann/json.hpp>

// Questions about models: ours and the rivals of a folder of scripts take turns, round after round.

namespace bench {

/// What the questions about models are told on the command line.
struct model_options {
  std::filesystem::path shared = [] {
    const char* there = std::getenv("TOMBOLA_SHARED");
    return std::filesystem::path{there != nullptr ? there : "../shared"};
  }();
  std::size_t rounds = 5;
  int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  std::string only;  ///< rows whose name holds this

  [[nodiscard]] std::filesystem::path glue() const { return shared / "data/glue"; }
  [[nodiscard]] std::filesystem::path vocabulary() const {
    return shared / "data/vocab/bert-base-uncased-vocab.txt";
  }
};

/// Reads --shared DIR, --rounds N, --threads N, --only TEXT. Ends the program with 2 for anything
/// else, with 0 and a word where the data are not there.
inline model_options read_model_options(int argc, char** argv) {
  model_options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--shared") {
      o.shared = value;
    } else if (name == "--rounds") {
      o.rounds = std::strtoul(value.c_str(), nullptr, 10);
    } else if (name == "--threads") {
      o.threads = std::atoi(value.c_str());
    } else if (name == "--only") {
      o.only = value;
    } else {
      o.rounds = 0;
    }
  }
  if (argc % 2 == 0 || o.rounds == 0 || o.threads < 1) {
    std::fprintf(stderr, "usage: %s [--shared DIR] [--rounds N] [--threads N] [--only TEXT]\n",
                 argv[0]);
    std::exit(2);
  }
  if (!std::filesystem::exists(o.glue()) || !std::filesystem::exists(o.vocabulary())) {
    std::printf("skipped: there is no data/glue and data/vocab in %s; --shared says where\n",
                o.shared.c_str());
    std::exit(0);
  }
  return o;
}

/// One row of a question's table: our work, and the rivals' scripts that do the same.
struct row {
  std::string name;     ///< `BERT-base, CoLA, batch 32`
  double amount = 1.0;  ///< sequences or bytes that one call of `work` takes in
  double limit = 0.0;   ///< the rate that the machine's peak would give; 0: not known
  std::function<void()> work = {};
  std::function<double()> value =
      {};  ///< instead of work: what one round gives, in the table's unit
  std::vector<std::string> rivals = {};  ///< arguments of rivals.py, without --repeat and --threads
  int threads = 1;
  std::string line = {};  ///< where a script prints several lines: the name of the one that counts
};

/// What came out of the rounds of one command.
struct measured {
  std::string name;
  std::vector<double> values;
  bool disturbed = false;
};

/// Rows of one question, in one unit.
class table {
public:
  /// unit as the rivals print it: `sequences/s`, `tokens/s`, `MB/s`: amount over seconds; `s`; or
  /// `x`, a ratio that a row gives by itself.
  table(std::string question, std::string unit, model_options o)
      : question_{std::move(question)}, unit_{std::move(unit)}, options_{std::move(o)} {}

  /// Measures a row and prints a line for each command.
  void ask(const row& r) {
    if (r.name.find(options_.only) == std::string::npos) return;
    static_cast<void>(r.value ? r.value() : (r.work(), 0.0));  // warm
    measured ours{"tombola", {}};
    std::vector<measured> rivals;
    for (const std::string& arguments : r.rivals) rivals.push_back({arguments, {}});
    for (std::size_t i = 0; i < options_.rounds; ++i) {
      if (i % 2 == 0) time(r, ours);
      for (measured& rival : rivals) run(r, rival);
      if (i % 2 == 1) time(r, ours);
    }
    nlohmann::json said{{"size", r.name},       {"unit", unit_},
                        {"threads", r.threads}, {"isa", tombola::detail::fastest_bits().name},
                        {"rival", nullptr},     {"rival_name", nullptr},
                        {"ratio", nullptr},     {"limit", nullptr}};
    said["ours"] = median(ours.values);
    said["ours_range"] = range(ours.values);
    if (r.limit > 0.0) said["limit"] = r.limit;
    print(r, ours);
    nlohmann::json all = nlohmann::json::array();
    for (const measured& rival : rivals) {
      print(r, rival);
      if (rival.values.empty()) continue;
      const double theirs = median(rival.values);
      const double ratio = higher() ? median(ours.values) / theirs : theirs / median(ours.values);
      all.push_back({{"name", rival.name},
                     {"median", theirs},
                     {"range", range(rival.values)},
                     {"ratio", ratio},
                     {"disturbed", rival.disturbed}});
      if (said["ratio"].is_null() || ratio < said["ratio"].get<double>()) {
        said["rival"] = theirs, said["rival_name"] = rival.name, said["ratio"] = ratio;
      }
    }
    said["rivals"] = all;
    rows_.push_back(std::move(said));
  }

  /// The last line: the first row's figures, and all rows.
  void finish(nlohmann::json notes = nlohmann::json::object()) const {
    nlohmann::json last{{"question", question_}, {"rows", rows_}, {"flags", question::flags()}};
    if (!rows_.empty()) {
      for (const char* key :
           {"size", "ours", "rival", "rival_name", "limit", "unit", "ratio", "threads", "isa"}) {
        last[key] = rows_.front()[key];
      }
    }
    last.update(notes);
    std::printf("%s\n", last.dump().c_str());
  }

private:
  [[nodiscard]] bool higher() const { return unit_ != "s"; }
  [[nodiscard]] static nlohmann::json range(const std::vector<double>& v) {
    const auto [low, high] = std::minmax_element(v.begin(), v.end());
    return {*low, *high};
  }

  void time(const row& r, measured& ours) const {
    if (r.value) {
      ours.values.push_back(r.value());
      return;
    }
    const auto start = std::chrono::steady_clock::now();
    r.work();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    ours.values.push_back(higher() ? r.amount / taken.count() : taken.count());
  }

  /// One run of a rival's script: its values in our unit.
  void run(const row& r, measured& rival) const {
    const char* python = std::getenv("TOMBOLA_PYTHON");
    const std::string command = std::string{python != nullptr ? python : "python3"} + " " +
                                (options_.shared / "bench/rivals.py").string() + " " + rival.name +
                                " --repeat 1 --threads " + std::to_string(r.threads) +
                                " 2>/dev/null";
    std::FILE* out = ::popen(command.c_str(), "r");
    if (out == nullptr) return;
    std::string text;
    for (int c = std::fgetc(out); c != EOF; c = std::fgetc(out)) {
      if (c != '\n') {
        text += static_cast<char>(c);
        continue;
      }
      const auto said = nlohmann::json::parse(text, nullptr, false);
      text.clear();
      if (!said.is_object() || said.value("unit", "") != unit_) continue;
      if (said.value("threads", 0) != r.threads) continue;
      if (!r.line.empty() && said.value("name", "") != r.line) continue;
      for (const double v : said["values"]) rival.values.push_back(v);
      rival.disturbed = rival.disturbed || said.value("others", 0.0) > 0.1;
    }
    ::pclose(out);
  }

  void print(const row& r, const measured& m) const {
    nlohmann::json said{{"name", question_ + "/" + m.name},
                        {"workload", {{"size", r.name}}},
                        {"unit", unit_},
                        {"better", higher() ? "higher" : "lower"},
                        {"threads", r.threads}};
    if (m.values.empty()) {
      said["error"] = "not installed";
    } else {
      said["values"] = m.values;
      said["median"] = median(m.values);
    }
    std::printf("%s\n", said.dump().c_str());
    std::fflush(stdout);
  }

  std::string question_, unit_;
  model_options options_;
  nlohmann::json rows_ = nlohmann::json::array();
};

}  // namespace bench
