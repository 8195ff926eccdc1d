// What inspect says of weights and of the units of a ticket: how many are zero, and where they lie.

#include "examples/tombola/inspect_checkpoint.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "examples/tombola/checkpoint_commands.hpp"
#include "examples/tombola/percent.hpp"
#include "examples/tombola/terminal.hpp"
#include <fmt/format.h>

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/checkpoint/structures.hpp"
#include "tombola/core/error.hpp"

namespace tombola::driver {

namespace {

nlohmann::json or_null(const std::optional<std::uint64_t>& n) {
  return n ? nlohmann::json(*n) : nlohmann::json(nullptr);
}

nlohmann::json share_of_zeros(std::uint64_t kept, std::uint64_t size) {
  if (size == 0) return nullptr;
  return static_cast<double>(size - kept) / static_cast<double>(size);
}

/// All floating-point tensors, whatever their extents; none where the file holds whole numbers
/// alone.
std::vector<checkpoint::weights> all_weights(const checkpoint::source& from) {
  for (const checkpoint::stored_tensor& t : from.tensors()) {
    if (checkpoint::is_floating(t.type)) {
      return checkpoint::choose(from, std::vector<std::string>{"*"}).chosen;
    }
  }
  return {};
}

}  // namespace

void put(nlohmann::json& j, const structure& s, n_of_m pattern) {
  j["kept"] = s.kept;
  j["size"] = s.size;
  j["sparsity"] = share_of_zeros(s.kept, s.size);
  j["empty_rows"] = or_null(s.empty_rows);
  j["empty_columns"] = or_null(s.empty_columns);
  j["pattern"] = {{"kept", pattern.kept},
                  {"of", pattern.of},
                  {"blocks", or_null(s.blocks)},
                  {"fitting", or_null(s.fitting_blocks)}};
}

nlohmann::json describe_checkpoint(const std::filesystem::path& file,
                                   n_of_m pattern,
                                   const common_options& c) {
  terminal screen{c.quiet || c.json};
  const checkpoint::source from{file};
  const auto all = all_weights(from);
  const auto found = checkpoint::structures_of(from, all, pattern, manner_of(c, screen, "inspect"));
  std::map<std::size_t, std::size_t> weights_of;  // tensor to its place in `all`
  for (std::size_t w = 0; w < all.size(); ++w) weights_of.emplace(all[w].tensor, w);
  nlohmann::json tensors = nlohmann::json::array();
  std::uint64_t numbers = 0, bytes = 0, kept = 0, size = 0;
  for (std::size_t i = 0; i < from.tensors().size(); ++i) {
    const checkpoint::stored_tensor& t = from.tensors()[i];
    nlohmann::json j{
        {"name", t.name}, {"type", io::info(t.type).name}, {"shape", t.shape}, {"bytes", t.bytes}};
    if (const auto at = weights_of.find(i); at != weights_of.end()) {
      put(j, found[at->second], pattern);
      if (const auto mask = all[at->second].mask) {
        j["group"] = all[at->second].group.name;
        j["mask"] = from.tensors()[*mask].name;
      }
      kept += found[at->second].kept, size += found[at->second].size;
    }
    numbers += t.size(), bytes += t.bytes;
    tensors.push_back(std::move(j));
  }
  return {{"what", "checkpoint"},
          {"files", from.shards().size()},
          {"numbers", numbers},
          {"bytes", bytes},
          {"kept", kept},
          {"size", size},
          {"sparsity", share_of_zeros(kept, size)},
          {"tensors", std::move(tensors)}};
}

std::string line_of(const nlohmann::json& j) {
  const auto name = [&](const char* key) {
    constexpr std::size_t most = 200;
    return printable(j[key].get<std::string>(), most);
  };
  const bool is_masked = j.contains("mask");
  std::string line = "  " + name(is_masked ? "group" : "name");
  if (j.contains("type")) line += " " + j["type"].get<std::string>();
  line += " " + (j.contains("shape") ? j["shape"] : j["extents"]).dump();
  if (is_masked) line += " (" + name("name") + " by " + name("mask") + ")";
  if (!j.contains("sparsity") || j["sparsity"].is_null()) return line;
  const auto number = [](const nlohmann::json& of) { return of.get<std::uint64_t>(); };
  const std::uint64_t size = number(j["size"]);
  line += fmt::format(": {} zero", percent(size - number(j["kept"]), size));
  const auto count = [&](const char* key, const char* word) {
    if (!j[key].is_number() || j[key] == 0) return;
    line += fmt::format(", {} empty {}{}", j[key].dump(), word, j[key] == 1 ? "" : "s");
  };
  count("empty_rows", "row");
  count("empty_columns", "column");
  const nlohmann::json& p = j["pattern"];
  if (p["blocks"].is_number() && p["blocks"] != 0) {
    line += fmt::format(", {}:{} in {} of blocks", p["kept"].dump(), p["of"].dump(),
                        percent(number(p["fitting"]), number(p["blocks"])));
  }
  return line;
}

}  // namespace tombola::driver
