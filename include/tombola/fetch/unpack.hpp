#pragma once

// Needs zlib: with libcurl the component tombola::fetch.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/descriptor.hpp"
#include "tombola/io/mapped_file.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/io/zip_directory.hpp"
#include "tombola/io/zlib_streams.hpp"

namespace tombola::fetch {

/// The most that an archive may unpack to: 64 GiB.
inline constexpr std::uint64_t most_unpacked = std::uint64_t{64} << 30;

namespace detail {

/// How a member's path leads out of the folder, or nothing.
[[nodiscard]] inline std::string_view escape_of(std::string_view name) noexcept {
  if (name.starts_with('/')) return "whose path is absolute";
  for (bool last = false; !last;) {
    const auto slash = name.find('/');
    if (name.substr(0, slash) == "..") return "whose path climbs out of the folder";
    last = slash == name.npos;
    if (!last) name.remove_prefix(slash + 1);
  }
  return {};
}

/// Whether a member can be a file here: parts with a name, and nothing that another system or a
/// terminal takes for more than a character.
[[nodiscard]] inline bool is_plain_path(std::string_view name) noexcept {
  constexpr std::size_t longest = 1000;
  if (name.size() > longest || name.find('\\') != name.npos || has_control_characters(name)) {
    return false;
  }
  for (bool last = false; !last;) {
    const auto slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part.empty() || part == ".") return false;
    last = slash == name.npos;
    if (!last) name.remove_prefix(slash + 1);
  }
  return true;
}

/// Throws format_error, naming the archive, if any member is not a file or folder inside, whether
/// it is wanted or not.
inline void check_members(const std::vector<io::detail::zip_entry>& entries,
                          const std::string& archive) {
  constexpr std::uint32_t type = 0xF000, file = 0x8000, folder = 0x4000;
  std::uint64_t all = 0;
  for (const io::detail::zip_entry& e : entries) {
    const std::string holds = "holds " + io::shown(e.name) + ", ";
    if (const auto fault = escape_of(e.name); !fault.empty()) {
      throw format_error(archive, holds + std::string{fault});
    }
    const std::uint32_t what = e.mode & type;
    if (what != 0 && what != file && what != folder) {
      throw format_error(archive, holds + "which is a link or device, expected files alone");
    }
    all += std::min(e.size, most_unpacked + 1);
    if (all > most_unpacked) {
      throw format_error(archive, "unpacks to more than " + std::to_string(most_unpacked) +
                                      " bytes, the most that is unpacked here");
    }
  }
}

/// Throws format_error, naming the archive, where the member cannot be a file or is damaged;
/// runtime_failure where the disk is full.
inline void unpack_member(std::span<const std::byte> archive_bytes,
                          const io::detail::zip_entry& e,
                          const std::string& archive,
                          const std::filesystem::path& to) {
  if (!is_plain_path(e.name)) {
    throw format_error(archive, "holds " + io::shown(e.name) +
                                    ", expected a path of plain names with / between them");
  }
  std::error_code code;
  std::filesystem::create_directories(to.parent_path(), code);
  if (io::is_full_disk(code.value())) io::cannot_create(to.parent_path(), code.value());
  if (code || std::filesystem::exists(std::filesystem::symlink_status(to, code))) {
    throw format_error(
        archive, "holds " + io::shown(e.name) + " where another member of it is a file or folder");
  }
  io::atomic_file out{to};
  std::uint32_t crc = 0;
  const auto put = [&](std::span<const std::byte> bytes) {
    crc = io::detail::crc_of(bytes, crc);
    out.write(bytes);
  };
  const auto packed = archive_bytes.subspan(e.data_at, e.packed);
  if (e.method == io::detail::zip_method::stored) {
    put(packed);
  } else {
    io::detail::inflate_stream{}.unpack(packed, e, archive, put);
  }
  if (crc != e.crc) {
    throw format_error(archive, "holds " + io::shown(e.name) + " damaged: its checksum is another");
  }
  out.commit();
}

}  // namespace detail

/// Unpacks a zip archive into an empty folder: the named members of its folder `inside`, without
/// that folder, or all members where none is named. Returns their names.
///
/// An archive with a member that is not a file or folder inside it (its path climbs out or is
/// absolute, it is a link) is refused whole, whether that member is wanted or not. Throws
/// format_error, naming the archive, for this, for one that is damaged, lacks a member or unpacks
/// to more than most_unpacked; and as io::atomic_file does. What was unpacked before stays: the
/// folder is the caller's. `called`: what sentences call the archive.
inline std::vector<std::string> unpack(const std::filesystem::path& archive,
                                       const std::string& called,
                                       const std::string& inside,
                                       const std::vector<std::string>& members,
                                       const std::filesystem::path& folder) {
  const io::mapped_file file{archive};
  const auto entries = io::detail::zip_reader{file.bytes(), called}.read();
  detail::check_members(entries, called);
  if (members.empty()) {
    std::vector<std::string> names;
    for (const auto& e : entries) {
      if (e.name.ends_with('/')) continue;
      detail::unpack_member(file.bytes(), e, called, folder / e.name);
      names.push_back(e.name);
    }
    return names;
  }
  for (const std::string& name : members) {
    const std::string full = inside.empty() ? name : inside + "/" + name;
    const auto at =
        std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.name == full; });
    if (at == entries.end()) {
      throw format_error(called, "holds no " + io::shown(full) + ", expected it");
    }
    detail::unpack_member(file.bytes(), *at, called, folder / name);
  }
  return members;
}

}  // namespace tombola::fetch
