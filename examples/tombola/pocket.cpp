// pocket: the small generated language, for trying everything out without any model or data.

#include <iostream>

#include "examples/tombola/commands.hpp"
#include <fmt/format.h>

#include "tombola/data/pocket_language.hpp"

namespace tombola::driver {

void pocket(const std::filesystem::path& folder, std::uint64_t seed, const common_options& c) {
  const data::pocket_sizes sizes;
  data::write_pocket_data(folder, seed, sizes);
  if (c.json) {
    std::cout << nlohmann::json{{"folder", folder.string()}, {"seed", seed}}.dump() << '\n';
  } else {
    std::cout << folder.string() << '\n';
  }
}

}  // namespace tombola::driver
