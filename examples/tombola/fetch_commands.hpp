#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "examples/tombola/common_options.hpp"

namespace CLI {
class App;
}

namespace tombola::driver {

struct fetch_options {
  common_options common;
  std::vector<std::string> names;  ///< of things, or one address
  bool list = false;
  std::string from;        ///< a folder or mirror; empty: the addresses of the table
  std::string sha256;      ///< of what is at the address
  std::uint64_t size = 0;  ///< of it; 0 where it is not known
  bool unpack = false;
  std::filesystem::path out;
};

/// Adds `fetch`; `o` must outlive the parsing.
void add_fetch_command(CLI::App& root, fetch_options& o);

}  // namespace tombola::driver
