#pragma once

// Needs libcurl and zlib: the component tombola::fetch.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"
#include "tombola/fetch/address.hpp"
#include "tombola/fetch/catalogue.hpp"
#include "tombola/fetch/copy.hpp"
#include "tombola/fetch/download.hpp"
#include "tombola/fetch/mrpc.hpp"
#include "tombola/fetch/unpack.hpp"
#include "tombola/fetch/workplace.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/sha256.hpp"

namespace tombola::fetch {

/// A file that is there, and was checked.
struct fetched_file {
  std::string name;  ///< inside the folder; of the file itself where there is none
  std::uint64_t size = 0;
  std::string sha256;
};

/// What there is after a fetch.
struct fetched {
  std::filesystem::path at;  ///< the folder or file
  bool was_there = false;    ///< complete before the call
  std::vector<fetched_file> files;
};

/// Name of the file in a fetched folder that says what it is made of.
inline constexpr std::string_view record_name = ".fetched.json";

namespace detail {

[[nodiscard]] inline fetched_file described(const std::filesystem::path& folder,
                                            const std::string& name) {
  const auto file = folder / name;
  std::error_code code;
  const auto size = std::filesystem::file_size(file, code);
  if (code) throw runtime_failure(file.string() + ": has gone: " + code.message());
  return {name, size, io::sha256_hex_of_file(file)};
}

inline void write_record(const thing& t,
                         const std::filesystem::path& folder,
                         const std::vector<fetched_file>& files) {
  nlohmann::json from = nlohmann::json::array(), made = nlohmann::json::array();
  for (const remote_file& f : t.files) {
    from.push_back({{"address", without_password(f.address)}, {"sha256", f.sha256}});
  }
  for (const fetched_file& f : files) {
    if (f.name == record_name) {
      throw format_error(t.name,
                         "holds " + f.name + ", the name of what says where files are from");
    }
    made.push_back({{"name", f.name}, {"size", f.size}, {"sha256", f.sha256}});
  }
  io::write_json(folder / record_name, {{"name", t.name}, {"from", from}, {"files", made}});
}

/// The files of a folder that an earlier call made of the same sources, if all are as they were;
/// else none.
[[nodiscard]] inline std::vector<fetched_file> files_there(const thing& t,
                                                           const std::filesystem::path& folder) {
  const auto record = folder / record_name;
  std::error_code code;
  if (!std::filesystem::is_regular_file(record, code)) return {};
  try {
    const nlohmann::json j = io::read_json(record, std::size_t{16} << 20);
    const auto from = io::require<std::vector<nlohmann::json>>(j, "from", record);
    bool same = from.size() == t.files.size();
    for (std::size_t i = 0; same && i < from.size(); ++i) {
      same = io::require<std::string>(from[i], "sha256", record) == t.files[i].sha256;
    }
    std::vector<fetched_file> files;
    for (const auto& f : io::require<std::vector<nlohmann::json>>(j, "files", record)) {
      const auto name = io::require<std::string>(f, "name", record);
      same = same && is_plain_path(name) && escape_of(name).empty();
      if (!same || !std::filesystem::is_regular_file(folder / name, code)) return {};
      files.push_back(described(folder, name));
      if (files.back().sha256 != io::require<std::string>(f, "sha256", record)) return {};
    }
    return files;
  } catch (const input_error&) {
    return {};  // somebody else's file: the folder is then not ours
  }
}

/// Brings the files of a thing into a workplace, checked.
inline void bring(const thing& t, const std::string& from, workplace& place, const manner& how) {
  std::uint64_t before = 0;
  const std::uint64_t all = t.size();
  for (remote_file f : t.files) {
    if (!from.empty() && !is_address(from)) {
      copy_from_folder(f, t.name, from, place / f.name, [&](std::uint64_t done) {
        if (how.watch) how.watch(before + done, all);
      });
    } else {
      if (!from.empty()) f.address = mirrored(f.address, from);
      download(f, place, how, before, all);
    }
    before += f.size;
  }
}

/// Makes the folder `ready` of the files in a workplace.
[[nodiscard]] inline std::vector<fetched_file> make_ready(const thing& t,
                                                          const workplace& place,
                                                          const std::filesystem::path& ready) {
  std::error_code code;
  std::filesystem::remove_all(ready, code);  // of an earlier call that was killed
  std::filesystem::create_directory(ready, code);
  if (code) throw runtime_failure(ready.string() + ": cannot be made: " + code.message());
  std::vector<std::string> names;
  std::vector<fetched_file> files;
  switch (t.form) {
    case packing::plain:
      for (const remote_file& f : t.files) {
        std::filesystem::rename(place / f.name, ready / f.name, code);
        if (code) throw runtime_failure(f.name + ": renaming failed: " + code.message());
        files.push_back({f.name, std::filesystem::file_size(ready / f.name), f.sha256});
      }
      break;
    case packing::zip:
      names = unpack(place / t.files.at(0).name, t.files.at(0).name, t.inside, t.members, ready);
      break;
    case packing::mrpc:
      write_mrpc(place / t.files.at(1).name, place / t.files.at(2).name, place / t.files.at(0).name,
                 ready);
      names = {"train.tsv", "dev.tsv", "test.tsv"};
      break;
  }
  for (const std::string& name : names) files.push_back(described(ready, name));
  return files;
}

/// 64 hexadecimal digits in lower case. Throws input_error where a text is none.
[[nodiscard]] inline std::string checked_sha256(std::string_view text) {
  std::string s = lower_case(text);
  if (s.size() != 64 || s.find_first_not_of("0123456789abcdef") != s.npos) {
    throw input_error("fetch: the SHA-256 is " + io::shown(text) +
                      ", expected 64 hexadecimal digits");
  }
  return s;
}

/// A folder to be made in, and those above it; of those that were made, the empty ones go again.
class made_folders {
public:
  explicit made_folders(const std::filesystem::path& folder) {
    std::error_code code;
    for (auto at = folder; !at.empty() && !std::filesystem::exists(at, code);
         at = at.parent_path()) {
      made_.push_back(at);
    }
    if (!folder.empty()) std::filesystem::create_directories(folder, code);
    if (code) {
      remove();  // of several some may be there by now
      throw input_error(folder.string() + ": cannot be made: " + code.message());
    }
  }
  made_folders(const made_folders&) = delete;
  made_folders& operator=(const made_folders&) = delete;
  ~made_folders() { remove(); }

private:
  void remove() const noexcept {
    std::error_code not_empty;  // then something in it is kept, and the folder with it
    for (const auto& folder : made_) std::filesystem::remove(folder, not_empty);
  }

  std::vector<std::filesystem::path> made_;
};

}  // namespace detail

/// Makes a folder of a thing, which appears complete or not at all. Folders above it are made.
///
/// from: empty for the addresses of the table; a local folder, whose files are copied (as
/// copy_from_folder() finds them); or the address of a mirror (see mirrored()).
/// A folder that an earlier call made, complete and unchanged, is left alone.
///
/// Throws input_error, naming what it is about, where the folder is there and something else, or
/// where an address or a file is refused: wrong size or SHA-256, wrong redirect, a member of an
/// archive that leads out of the folder. Nothing is kept then. Throws transfer_failure where the
/// connection fails; what a later call can go on from is then kept in `.NAME.fetching` beside the
/// folder, as it is when how.watch throws.
[[nodiscard]] inline fetched fetch_thing(const thing& t,
                                         const std::filesystem::path& folder,
                                         const std::string& from = {},
                                         const manner& how = {}) {
  const auto target = folder.has_filename() ? folder : folder.parent_path();
  std::error_code code;
  const auto there = std::filesystem::symlink_status(target, code);
  if (std::filesystem::exists(there) &&
      !(std::filesystem::is_directory(there) && std::filesystem::is_empty(target, code))) {
    auto files = detail::files_there(t, target);
    if (!files.empty()) return {target, true, std::move(files)};
    throw input_error(target.string() + ": is there already and not what was fetched as " + t.name +
                      ", expected a new or empty folder");
  }
  if (!from.empty() && !is_address(from) && !std::filesystem::is_directory(from, code)) {
    throw input_error(from + ": is no folder, expected one or an http(s) address");
  }
  const detail::made_folders above{target.parent_path()};
  workplace place{target};
  detail::bring(t, from, place, how);
  const std::string ready = "ready";
  auto files = detail::make_ready(t, place, place / ready);
  detail::write_record(t, place / ready, files);
  place.publish(ready);
  return {target, false, std::move(files)};
}

/// Fetches what is at an address into a file, which appears complete or not at all.
///
/// sha256: 64 hexadecimal digits; size: bytes, 0 where they are not known: then at most
/// most_of_unknown are taken. A file of that SHA-256 that is there already is left alone. Throws as
/// fetch_thing() does.
[[nodiscard]] inline fetched fetch_file(const std::string& address,
                                        std::string_view sha256,
                                        std::uint64_t size,
                                        const std::filesystem::path& out,
                                        const manner& how = {}) {
  check_address(address);
  if (!out.has_filename()) {
    throw input_error("'" + out.string() + "': names no file, expected a name to write to");
  }
  const remote_file wanted{"file", address, size, detail::checked_sha256(sha256)};
  std::error_code code;
  if (std::filesystem::exists(std::filesystem::symlink_status(out, code))) {
    const std::string found = std::filesystem::is_regular_file(out, code)
                                  ? "has the SHA-256 " + io::sha256_hex_of_file(out)
                                  : "is no file";
    if (!found.ends_with(wanted.sha256)) {
      throw input_error(out.string() + ": is there already and " + found + ", expected " +
                        wanted.sha256 + " or nothing");
    }
    return {out, true, {{out.filename().string(), std::filesystem::file_size(out), wanted.sha256}}};
  }
  const detail::made_folders above{out.parent_path()};
  workplace place{out};
  download(wanted, place, how, 0, size);
  const auto bytes = std::filesystem::file_size(place / wanted.name);
  place.publish(wanted.name);
  return {out, false, {{out.filename().string(), bytes, wanted.sha256}}};
}

/// The zip archive at an address as a thing whose folder is all that it holds.
/// Throws input_error where the address or the SHA-256 is none.
[[nodiscard]] inline thing archive_at(const std::string& address,
                                      std::string_view sha256,
                                      std::uint64_t size) {
  check_address(address);
  return {shown_address(address),
          "an archive",
          kind::other,
          packing::zip,
          {{"archive.zip", address, size, detail::checked_sha256(sha256)}}};
}

}  // namespace tombola::fetch
