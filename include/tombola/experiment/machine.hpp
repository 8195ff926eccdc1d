#pragma once

#include <fstream>
#include <string>
#include <thread>

namespace tombola::experiment {

/// The machine in words: `AMD EPYC, 2 cores`. For provenance only; no result depends on it.
[[nodiscard]] inline std::string machine_in_words() {
  std::string model = "unknown processor";
  std::ifstream info{"/proc/cpuinfo"};
  for (std::string line; std::getline(info, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      model = line.substr(colon + 2);
      break;
    }
  }
  const unsigned cores = std::thread::hardware_concurrency();
  return model + ", " + std::to_string(cores) + (cores == 1 ? " core" : " cores");
}

}  // namespace tombola::experiment
