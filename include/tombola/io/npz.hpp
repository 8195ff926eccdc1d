#pragma once

// Needs zlib: the component tombola::zlib.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/mapped_file.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/npz_member.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/io/zip_directory.hpp"
#include "tombola/io/zip_writing.hpp"
#include "tombola/io/zlib_streams.hpp"

namespace tombola::io {

/// An .npz archive, as numpy.savez and numpy.savez_compressed write: a zip archive of .npy arrays,
/// stored or deflated, and of nothing else. Arrays are read when they are asked for.
class npz_file {
public:
  /// Reads the directory. Throws input_error if the file cannot be opened, format_error if it is no
  /// zip archive, or holds something that is not named as an array; both name it.
  explicit npz_file(const std::filesystem::path& path) : path_{path}, file_{path} {
    entries_ = detail::zip_reader{file_.bytes(), path.string()}.read();
    for (const detail::zip_entry& e : entries_) {
      if (e.name.size() <= suffix.size() || !std::string_view{e.name}.ends_with(suffix)) {
        throw format_error(path.string(),
                           "holds " + shown(e.name) + ", expected .npy arrays alone");
      }
      names_.push_back(e.name.substr(0, e.name.size() - suffix.size()));
    }
  }

  /// Of the arrays, without `.npy`, in the archive's order.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
  [[nodiscard]] bool contains(std::string_view name) const noexcept {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
  }

  /// An array of numbers, or of 0 and 1. Throws input_error, naming the archive, if it holds none
  /// of this name; format_error if the array is damaged; and as read_npy and read_mask_npy do.
  /// Memory: the unpacked array's besides, where it is deflated.
  [[nodiscard]] npy_array array(std::string_view name) const {
    return read<npy_array>(name, detail::npy_array_in);
  }
  [[nodiscard]] npy_mask mask(std::string_view name) const {
    return read<npy_mask>(name, detail::npy_mask_in);
  }

private:
  static constexpr std::string_view suffix = ".npy";

  template <class Result>
  [[nodiscard]] Result read(std::string_view name,
                            Result (*read_in)(std::span<const std::byte>,
                                              const std::string&)) const {
    const auto at = std::find(names_.begin(), names_.end(), name);
    if (at == names_.end()) {
      std::string there;
      for (std::size_t k = 0; k < std::min<std::size_t>(names_.size(), 8); ++k) {
        there += (k == 0 ? "" : ", ") + shown(names_[k]);
      }
      throw input_error(path_.string() + ": holds no array " + shown(name) + ", but " +
                        (there.empty() ? "none at all" : there) +
                        (names_.size() > 8 ? ", ..." : ""));
    }
    const detail::zip_entry& e = entries_[static_cast<std::size_t>(at - names_.begin())];
    const auto packed = file_.bytes().subspan(e.data_at, e.packed);
    std::vector<std::byte> unpacked;
    std::span<const std::byte> bytes = packed;
    if (e.method == detail::zip_method::deflated) {
      detail::inflate_stream{}.unpack(packed, e, path_.string(), [&](auto piece) {
        unpacked.insert(unpacked.end(), piece.begin(), piece.end());
      });
      bytes = unpacked;
    }
    if (detail::crc_of(bytes) != e.crc) {
      throw format_error(path_.string(),
                         "holds " + shown(e.name) + " damaged: its checksum is another");
    }
    return read_in(bytes, path_.string() + ": " + shown(e.name));
  }

  std::filesystem::path path_;
  mapped_file file_;
  std::vector<detail::zip_entry> entries_;
  std::vector<std::string> names_;
};

/// How the arrays of an archive are packed. A mask of 0 and 1 shrinks to a few hundredths.
enum class npz_compression { stored, deflated };

namespace detail {

/// Throws input_error unless a name can stand in an archive that any reader takes.
inline void check_member_name(const std::filesystem::path& path, const std::string& name) {
  constexpr std::size_t longest = std::numeric_limits<std::uint16_t>::max() - 4;
  const auto bad = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\\'; };
  if (name.empty() || name.size() > longest || name.front() == '/' ||
      std::any_of(name.begin(), name.end(), bad)) {
    throw input_error(path.string() + ": an array cannot be called " + shown(name) +
                      ", expected 1 to " + std::to_string(longest) +
                      " bytes without control characters and backslashes, and no slash first");
  }
}

}  // namespace detail

/// Writes an archive that numpy.load reads; the same arrays give the same bytes with one version of
/// zlib. The file appears complete or not at all.
///
/// Throws shape_error if a member's extents do not cover it, input_error if a name is empty, has
/// control characters or stands twice; else as atomic_file does; all name the file. Memory: the
/// packed bytes of one member, where they are deflated.
inline void write_npz(const std::filesystem::path& path,
                      std::span<const npz_member> members,
                      npz_compression compression) {
  std::set<std::string_view> names;
  for (const npz_member& m : members) {
    detail::check_member_name(path, m.name());
    if (!names.insert(m.name()).second) {
      throw input_error(path.string() + ": two arrays are called " + shown(m.name()));
    }
    detail::check_extents(path, m.extents(), m.size());
  }
  atomic_file out{path};
  std::vector<detail::zip_entry> entries;
  std::uint64_t at = 0;
  for (const npz_member& m : members) {
    detail::zip_entry e{m.name() + ".npy", {}, 0, 0, 0, at, 0};
    std::vector<std::byte> packed;
    detail::deflate_stream stream;
    const bool deflated = compression == npz_compression::deflated;
    m.each_piece([&](std::span<const std::byte> bytes) {
      e.crc = detail::crc_of(bytes, e.crc);
      e.size += bytes.size();
      if (deflated) stream.put(bytes, false, packed);
    });
    if (deflated) stream.put({}, true, packed);
    e.method = deflated ? detail::zip_method::deflated : detail::zip_method::stored;
    e.packed = deflated ? packed.size() : e.size;
    const std::string header = detail::zip_local_header(e);
    out.write(header);
    if (deflated) {
      out.write(packed);
    } else {
      m.each_piece([&](std::span<const std::byte> bytes) { out.write(bytes); });
    }
    at += header.size() + e.packed;
    entries.push_back(std::move(e));
  }
  out.write(detail::zip_directory(entries, at));
  out.commit();
}

}  // namespace tombola::io
