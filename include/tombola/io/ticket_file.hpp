#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/io/sha256.hpp"

namespace tombola::io {

/// Groups that a ticket in a file may have.
inline constexpr std::size_t max_ticket_groups = 100'000;

namespace detail {

/// Bytes of JSON that one metadata entry of ours may hold, written or read.
inline constexpr std::size_t max_metadata_json = std::size_t{32} << 20;

/// Bytes that hold n bits.
[[nodiscard]] constexpr std::size_t bytes_for(std::size_t n) noexcept {
  return n / 8 + (n % 8 != 0 ? 1 : 0);
}

/// The packed bits of a mask: unit i is bit i % 8 of byte i / 8. A view: on a little-endian machine
/// the words lie in memory that way already.
[[nodiscard]] inline std::span<const std::byte> packed(const mask& m) noexcept {
  return std::as_bytes(m.words()).first(bytes_for(m.size()));
}

/// The other way round. Throws format_error unless the tensor is U8 of shape (ceil(n / 8),) and the
/// bits past n are 0.
[[nodiscard]] inline mask unpacked(const tensor_entry& t,
                                   const group& g,
                                   std::size_t n,
                                   const std::string& file) {
  if (t.type != dtype::u8 || t.shape != std::vector<std::size_t>{bytes_for(n)}) {
    throw format_error(file, "tensor " + shown(t.name) + " is " + std::string{info(t.type).name} +
                                 " " + shown(t.shape) + ", expected the packed bits of " +
                                 std::to_string(n) + " units, U8 " +
                                 shown(std::vector<std::size_t>{bytes_for(n)}));
  }
  std::vector<std::uint64_t> words(words_for(n));
  if (n != 0) std::memcpy(words.data(), t.bytes.data(), t.bytes.size());
  if (n != 0 && (words.back() & ~tail_bits(n)) != 0) {
    throw format_error(file, "group " + shown(g.name) + " of " + std::to_string(n) +
                                 " units has bits set past its end, expected 0");
  }
  return mask::from_words(n, std::move(words));
}

[[nodiscard]] inline nlohmann::json to_json(const group& g) {
  return {{"name", g.name}, {"extents", g.extents}};
}

[[nodiscard]] inline group group_from(const nlohmann::json& j, const std::string& file) {
  group g{require<std::string>(j, "name", file),
          require<std::vector<std::size_t>>(j, "extents", file)};
  if (!byte_count(g.extents, dtype::u8)) {
    throw format_error(file, "group " + shown(g.name) + " has extents " + shown(g.extents) +
                                 ", whose product does not fit 64 bits");
  }
  return g;
}

/// Groups of distinct names. Throws format_error, naming the file.
[[nodiscard]] inline std::vector<group> groups_from(const nlohmann::json& list,
                                                    const std::string& file) {
  if (!list.is_array()) {
    throw format_error(file, "found " + shown_value(list) + " as its groups, expected a list");
  }
  if (list.size() > max_ticket_groups) {
    throw format_error(file, "has " + std::to_string(list.size()) + " groups, expected at most " +
                                 std::to_string(max_ticket_groups));
  }
  std::vector<group> groups;
  std::set<std::string> names;
  for (const nlohmann::json& j : list) {
    groups.push_back(group_from(j, file));
    if (!names.insert(groups.back().name).second) {
      throw format_error(
          file, "has two groups " + shown(groups.back().name) + ", expected each name once");
    }
  }
  return groups;
}

/// What is not known is left out.
[[nodiscard]] inline nlohmann::json to_json(const provenance& p) {
  nlohmann::json j = nlohmann::json::object();
  for (const auto& [key, value] : {std::pair{"task", &p.task},
                                   {"criterion", &p.criterion},
                                   {"search", &p.search},
                                   {"kind", &p.kind},
                                   {"parent", &p.parent},
                                   {"model", &p.model},
                                   {"data", &p.data}}) {
    if (!value->empty()) j[key] = *value;
  }
  if (p.seed) j["seed"] = *p.seed;
  return j;
}

[[nodiscard]] inline provenance provenance_from(const nlohmann::json& j, const std::string& file) {
  const auto text = [&](const char* key) {
    return optional_member<std::string>(j, key, file).value_or("");
  };
  return {.task = text("task"),
          .seed = optional_member<std::uint64_t>(j, "seed", file),
          .criterion = text("criterion"),
          .search = text("search"),
          .kind = text("kind"),
          .parent = text("parent"),
          .model = text("model"),
          .data = text("data")};
}

/// JSON for a metadata entry. Throws input_error where it would be refused on reading.
[[nodiscard]] inline std::string metadata_json(const nlohmann::json& value,
                                               const std::filesystem::path& file) {
  std::string text = json_text(value, file);
  if (text.size() > max_metadata_json) {
    throw input_error(file.string() + ": would need " + std::to_string(text.size()) +
                      " bytes of description, expected at most " +
                      std::to_string(max_metadata_json));
  }
  return text;
}

/// An entry of the metadata, or a format_error that names file and key.
[[nodiscard]] inline const std::string& metadata_entry(const safetensors_file& file,
                                                       const std::string& key) {
  const auto at = file.metadata().find(key);
  if (at == file.metadata().end()) {
    throw format_error(file.path().string(), "has no " + shown(key) + " in its metadata");
  }
  return at->second;
}

[[nodiscard]] inline nlohmann::json metadata_value(const safetensors_file& file,
                                                   const std::string& key) {
  const std::string& text = metadata_entry(file, key);
  const std::string name = file.path().string();
  if (text.size() > max_metadata_json) {
    throw format_error(name, shown(key) + " in its metadata has " + std::to_string(text.size()) +
                                 " bytes, expected at most " + std::to_string(max_metadata_json));
  }
  return parse_json(text, name + " (" + key + " in its metadata)");
}

/// Throws format_error unless the file says that it is of this format and of version 1.
inline void require_format(const safetensors_file& file, const std::string& format) {
  const auto at = file.metadata().find("format");
  if (at == file.metadata().end() || at->second != format) {
    throw format_error(
        file.path().string(),
        (at == file.metadata().end() ? "names no format" : "is of format " + shown(at->second)) +
            ", expected " + shown(format));
  }
  if (const std::string& version = metadata_entry(file, "version"); version != "1") {
    throw format_error(file.path().string(),
                       "is of version " + shown(version) + " of its format, expected '1'");
  }
}

/// How the file of a ticket with these groups begins.
[[nodiscard]] inline std::map<std::string, std::string> ticket_metadata(
    std::span<const group> groups, const provenance& origin, const std::filesystem::path& path) {
  if (groups.size() > max_ticket_groups) {
    throw input_error(path.string() + ": a ticket of " + std::to_string(groups.size()) +
                      " groups, expected at most " + std::to_string(max_ticket_groups));
  }
  nlohmann::json list = nlohmann::json::array();
  for (const group& g : groups) list.push_back(to_json(g));
  return {{"format", "tombola-ticket"},
          {"version", "1"},
          {"groups", metadata_json(list, path)},
          {"provenance", metadata_json(to_json(origin), path)}};
}

}  // namespace detail

/// Writes a ticket: a safetensors file with the packed bits of every group and, in its metadata,
/// groups and provenance. The file appears complete or not at all.
///
/// Throws input_error, naming the file, for more than max_ticket_groups groups or a name that is
/// not UTF-8; else as atomic_file does. Cost: the bits are written from where they are.
inline void write_ticket(const std::filesystem::path& path, const ticket& t) {
  const auto metadata = detail::ticket_metadata(t.groups(), t.origin, path);
  std::vector<tensor_to_write> tensors;
  for (std::size_t i = 0; i < t.groups().size(); ++i) {
    const auto bits = detail::packed(t[i]);
    tensors.push_back({t.groups()[i].name, dtype::u8, {bits.size()}, bits});
  }
  write_safetensors(path, tensors, metadata);
}

/// Reads a ticket. Throws input_error if the file cannot be opened, format_error if it is not a
/// ticket: not a valid safetensors file, of another format, without or beyond the tensors of its
/// groups, or with bits set past the end of one. Memory: the bits.
[[nodiscard]] inline ticket read_ticket(const std::filesystem::path& path) {
  const safetensors_file file{path};
  const std::string name = path.string();
  detail::require_format(file, "tombola-ticket");
  std::vector<group> groups = detail::groups_from(detail::metadata_value(file, "groups"), name);
  if (groups.size() != file.tensors().size()) {
    throw format_error(name, "has " + std::to_string(file.tensors().size()) + " tensors for " +
                                 std::to_string(groups.size()) + " groups, expected one each");
  }
  std::vector<mask> masks;
  for (const group& g : groups) {
    masks.push_back(detail::unpacked(file.at(g.name), g, g.size(), name));
  }
  ticket t{std::move(groups), std::move(masks)};
  t.origin = detail::provenance_from(detail::metadata_value(file, "provenance"), name);
  return t;
}

/// SHA-256 of what a ticket keeps, 64 hexadecimal digits: of its groups and bits in their order,
/// not of its provenance. Tickets with one fingerprint prune the same.
///
/// The bytes hashed, numbers being 64 bits little-endian: `tombola-ticket`, 1; then for each group
/// the length of its name, the name, the number of extents, the extents, and the packed bits.
[[nodiscard]] inline std::string fingerprint(const ticket& t) {
  sha256 h;
  const auto number = [&](std::uint64_t n) { h.update(std::as_bytes(std::span{&n, 1})); };
  h.update("tombola-ticket");
  number(1);
  for (std::size_t i = 0; i < t.groups().size(); ++i) {
    const group& g = t.groups()[i];
    number(g.name.size());
    h.update(g.name);
    number(g.extents.size());
    for (const std::size_t e : g.extents) number(e);
    h.update(detail::packed(t[i]));
  }
  return h.hex();
}

}  // namespace tombola::io
