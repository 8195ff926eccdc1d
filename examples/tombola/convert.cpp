// convert: masks from one kind of file to another.

#include <algorithm>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "examples/tombola/json_line.hpp"
#include "examples/tombola/mask_commands.hpp"
#include "examples/tombola/mask_files.hpp"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tombola/io/sentence.hpp"

namespace tombola::driver {

namespace {

/// All groups of all files, or those that are asked for, in the order of the files. Where the file
/// is one ticket, where it comes from goes along.
ticket gather(const convert_options& o) {
  std::vector<group> groups;
  std::vector<mask> masks;
  provenance origin;
  std::vector<std::string> there;
  for (const auto& file : o.files) {
    const ticket t = read_named_masks(file);
    if (o.files.size() == 1) origin = t.origin;
    for (std::size_t g = 0; g < t.groups().size(); ++g) {
      const std::string& name = t.groups()[g].name;
      if (std::find(there.begin(), there.end(), name) != there.end()) {
        throw input_error(file.string() + ": has a group " + io::shown(name) +
                          " that a file before it has too, expected each once");
      }
      there.push_back(name);
      if (!o.groups.empty() &&
          std::find(o.groups.begin(), o.groups.end(), name) == o.groups.end()) {
        continue;
      }
      groups.push_back(t.groups()[g]);
      masks.push_back(t[g]);
    }
  }
  for (const std::string& name : o.groups) {
    if (std::find(there.begin(), there.end(), name) == there.end()) {
      throw input_error("convert: no group " + io::shown(name) + " in the files, found " +
                        fmt::format("{}", fmt::join(there, ", ")));
    }
  }
  ticket all{std::move(groups), std::move(masks)};
  all.origin = std::move(origin);
  return all;
}

}  // namespace

void convert(const convert_options& o, const common_options& c) {
  const ticket t = gather(o);
  write_masks(o.out, t, o.number, "name one with --group, or write .npz");
  if (c.json) {
    nlohmann::json groups = nlohmann::json::array();
    for (std::size_t g = 0; g < t.groups().size(); ++g) {
      groups.push_back({{"name", t.groups()[g].name},
                        {"extents", t.groups()[g].extents},
                        {"kept", t[g].count()},
                        {"size", t[g].size()}});
    }
    std::cout << json_line({{"file", o.out.string()}, {"groups", groups}});
    return;
  }
  for (std::size_t g = 0; g < t.groups().size(); ++g) {
    std::cout << fmt::format("{}: keeps {} of {} units\n", to_string(t.groups()[g]), t[g].count(),
                             t[g].size());
  }
  std::cout << o.out.string() << '\n';
}

}  // namespace tombola::driver
