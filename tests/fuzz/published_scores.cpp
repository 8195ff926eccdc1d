// The study's results.json.

#include "tombola/analysis/published_scores.hpp"

#include "tests/fuzz/support.hpp"

using namespace tombola;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& path = fuzz::as_file(fuzz::text_of(data, size));
  const auto scores =
      fuzz::accepted([&] { return analysis::read_published_scores_of(path, "good"); });
  if (!scores) return 0;
  for (const auto& s : *scores) {
    fuzz::hold(s.population_deviation >= 0, "a deviation is none or more");
    fuzz::hold(analysis::find_score(*scores, s.setting, s.task, s.metric) == &s,
               "a score is found by its names");
  }
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  to.add(R"({"CoLA": {"mcc": [0.56, 0.005]}, "SST-2": {"acc": [0.9, 0], "f1": [1e-9, 1]}})");
  to.add(R"({"CoLA": {"mcc": [0.56, -0.005]}})");
  to.add(R"({"CoLA": {"mcc": [0.56]}})");
  to.add(R"({"CoLA": [0.56, 1]})");
  to.add(R"({"\u001b": {"\u001b": ["\u001b"]}})");
  to.words({"\"CoLA\":", "\"mcc\":", "[1, 0]", "null", "1e308", "-0.0", "\\u001b"});
}
