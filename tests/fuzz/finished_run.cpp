// run.json of a finished run.

#include "tests/fuzz/support.hpp"

#include "tombola/experiment/run.hpp"
#include "tombola/experiment/trained_run.hpp"

using namespace tombola;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& folder = fuzz::as_folder(fuzz::text_of(data, size), {"run.json", "result.json"});
  const auto run = fuzz::accepted([&] { return experiment::read_run(folder); });
  if (!run) return 0;
  const experiment::run_key key{(*run)["step"], (*run)["task"], (*run)["seed"], (*run)["settings"]};
  const auto again = nlohmann::json::parse(key.canonical_text());
  for (const char* member : {"step", "task", "seed", "settings"}) {
    fuzz::hold(again[member] == (*run)[member], "a run survives writing and reading");
  }
  // There is no model in the folder, so that this one is always refused.
  (void)fuzz::accepted([&] { return experiment::open_trained_run(folder, {}); });
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const std::string full =
      R"({"result_version": 1, "seed": 3, "settings": {"rate": 0.1}, "step": "train", "task": "RTE"})";
  to.add(full);
  to.add(full, "3", "18446744073709551615");
  to.add(full, "3", "-3");
  to.add(full, "train", "\\u001b[31m");
  to.add(full, "\"RTE\"", "[\"\\u001b[31m\"]");
  to.add(full, "settings", "setings");
  to.words(
      {"\"step\":", "\"task\":", "\"seed\":", "\"settings\":", "null", "{}", "\\u001b", "1e308"});
}
