#pragma once

#include <cstddef>
#include <fstream>
#include <string>

namespace bench {

/// Most memory that the program has had so far, in bytes; 0 where the system does not say.
inline std::size_t peak_memory() {
  std::ifstream status{"/proc/self/status"};
  for (std::string key; status >> key;) {
    std::size_t kib = 0;
    if (key == "VmHWM:" && status >> kib) return kib << 10;
  }
  return 0;
}

/// How much more memory than now the work takes at its peak, in bytes.
template <class Work>
std::size_t memory_of(Work work) {
  std::ofstream{"/proc/self/clear_refs"} << 5;  // the peak starts anew
  const std::size_t before = peak_memory();
  work();
  return peak_memory() - before;
}

}  // namespace bench
