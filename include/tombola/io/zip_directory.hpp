#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/dtype.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::io::detail {

// Source of every number in this file: PKWARE, .ZIP File Format Specification 6.3.10, 2022,
// sections 4.3 to 4.5.

enum class zip_method : std::uint16_t { stored = 0, deflated = 8 };

/// A file in a zip archive.
struct zip_entry {
  std::string name;
  zip_method method = zip_method::stored;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0;     ///< bytes in the archive
  std::uint64_t size = 0;       ///< bytes when unpacked, as the archive claims
  std::uint64_t header_at = 0;  ///< of its local header
  std::uint64_t data_at = 0;    ///< of the packed bytes
  std::uint32_t mode = 0;       ///< type and rights of a file as Unix has them; 0 where not given
};

/// Signatures, the bytes of a record without its variable parts, and what stands in a field of 2 or
/// 4 bytes whose number is elsewhere, in 8.
inline constexpr std::uint32_t zip_local = 0x04034b50, zip_central = 0x02014b50,
                               zip_end = 0x06054b50, zip_end64 = 0x06064b50,
                               zip_locator64 = 0x07064b50;
inline constexpr std::size_t zip_local_bytes = 30, zip_central_bytes = 46, zip_end_bytes = 22,
                             zip_end64_bytes = 56, zip_locator64_bytes = 20;
inline constexpr std::uint16_t zip_elsewhere16 = 0xFFFF;
inline constexpr std::uint32_t zip_elsewhere32 = 0xFFFFFFFF;
/// Of an extra field that holds the numbers of 8 bytes.
inline constexpr std::uint16_t zip_extra64 = 1;

/// Reads the directory at the end of a zip archive. What an archive claims is checked before it is
/// believed: entries lie inside the file, before the directory, one after the other without
/// overlap, under names of their own, and say the same at their place as in the directory.
class zip_reader {
public:
  zip_reader(std::span<const std::byte> bytes, const std::string& file)
      : bytes_{bytes}, file_{file} {}

  /// The entries in the directory's order. Throws format_error, naming the file. Memory: that of
  /// the names.
  [[nodiscard]] std::vector<zip_entry> read() {
    find_directory();
    std::vector<zip_entry> entries;
    std::set<std::string_view> names;
    std::uint64_t at = directory_at_;
    for (std::uint64_t k = 0; k < count_; ++k) {
      entries.push_back(entry(at));
      check_local(entries.back());
    }
    if (at != directory_end_) {
      complain("has " + std::to_string(directory_end_ - at) + " bytes after the " +
               std::to_string(count_) + " entries of its directory");
    }
    for (const zip_entry& e : entries) {
      if (!names.insert(e.name).second) complain("holds " + shown(e.name) + " twice");
    }
    check_overlaps(entries);
    return entries;
  }

private:
  [[noreturn]] void complain(const std::string& what) const { throw format_error(file_, what); }

  template <class T>
  [[nodiscard]] T number(std::uint64_t at) const {
    return load<T>(bytes_.data() + at);
  }
  /// Whether n bytes from `at` on lie before `end`.
  [[nodiscard]] static bool fits(std::uint64_t at, std::uint64_t n, std::uint64_t end) noexcept {
    return at <= end && n <= end - at;
  }

  void find_directory() {
    if (bytes_.size() < 4 ||
        (number<std::uint32_t>(0) != zip_local && number<std::uint32_t>(0) != zip_end)) {
      complain("does not start as a zip archive does");
    }
    const std::uint64_t end = find_end();
    const auto disk = number<std::uint16_t>(end + 4), first = number<std::uint16_t>(end + 6);
    const auto here = number<std::uint16_t>(end + 8), all = number<std::uint16_t>(end + 10);
    const auto size = number<std::uint32_t>(end + 12), from = number<std::uint32_t>(end + 16);
    if (disk != 0 || first != 0 || here != all) complain("is one part of a zip archive of several");
    count_ = all;
    std::uint64_t length = size, before = end;
    directory_at_ = from;
    if (all == zip_elsewhere16 || size == zip_elsewhere32 || from == zip_elsewhere32) {
      before = find_end64(end);
      count_ = number<std::uint64_t>(before + 32);
      length = number<std::uint64_t>(before + 40);
      directory_at_ = number<std::uint64_t>(before + 48);
    }
    if (!fits(directory_at_, length, before)) {
      complain("claims a directory of " + std::to_string(length) + " bytes from byte " +
               std::to_string(directory_at_) + ", which the " + std::to_string(before) +
               " bytes before its end do not hold");
    }
    directory_end_ = directory_at_ + length;
  }

  /// Where the end record lies: the last place whose comment reaches the end of the file exactly.
  [[nodiscard]] std::uint64_t find_end() const {
    constexpr std::size_t longest = std::numeric_limits<std::uint16_t>::max();
    for (std::size_t comment = 0; comment <= longest; ++comment) {
      if (bytes_.size() < zip_end_bytes + comment) break;
      const std::uint64_t at = bytes_.size() - zip_end_bytes - comment;
      if (number<std::uint32_t>(at) == zip_end && number<std::uint16_t>(at + 20) == comment) {
        return at;
      }
    }
    complain("has no directory at its end, as where an archive is cut off");
  }

  [[nodiscard]] std::uint64_t find_end64(std::uint64_t end) const {
    if (end < zip_locator64_bytes ||
        number<std::uint32_t>(end - zip_locator64_bytes) != zip_locator64) {
      complain("refers to a directory of 64-bit numbers, but does not say where");
    }
    const auto at = number<std::uint64_t>(end - zip_locator64_bytes + 8);
    if (!fits(at, zip_end64_bytes, end - zip_locator64_bytes) ||
        number<std::uint32_t>(at) != zip_end64) {
      complain("has no directory of 64-bit numbers at byte " + std::to_string(at) +
               ", where it says that there is one");
    }
    return at;
  }

  /// The directory's entry at `at`, which moves on to the next.
  [[nodiscard]] zip_entry entry(std::uint64_t& at) const {
    if (!fits(at, zip_central_bytes, directory_end_) || number<std::uint32_t>(at) != zip_central) {
      complain("has no directory entry at byte " + std::to_string(at) + ", expected " +
               std::to_string(count_) + " of them");
    }
    const auto name = number<std::uint16_t>(at + 28), extra = number<std::uint16_t>(at + 30),
               comment = number<std::uint16_t>(at + 32);
    const std::uint64_t tail = std::uint64_t{name} + extra + comment;
    if (!fits(at + zip_central_bytes, tail, directory_end_)) {
      complain("has a directory entry at byte " + std::to_string(at) + " that runs past its end");
    }
    zip_entry e;
    e.name = text(at + zip_central_bytes, name);
    const auto flags = number<std::uint16_t>(at + 8), method = number<std::uint16_t>(at + 10);
    if ((flags & 1U) != 0) complain("holds " + shown(e.name) + " encrypted");
    if (method != 0 && method != 8) {
      complain("holds " + shown(e.name) + " compressed by method " + std::to_string(method) +
               ", expected 0 (stored) or 8 (deflated)");
    }
    e.method = static_cast<zip_method>(method);
    e.crc = number<std::uint32_t>(at + 16);
    e.packed = number<std::uint32_t>(at + 20);
    e.size = number<std::uint32_t>(at + 24);
    e.header_at = number<std::uint32_t>(at + 42);
    e.mode = number<std::uint16_t>(at + 40);
    read_extra64(e, at + zip_central_bytes + name, extra);
    at += zip_central_bytes + tail;
    return e;
  }

  /// Numbers that do not fit 4 bytes stand in an extra field, in this order.
  void read_extra64(zip_entry& e, std::uint64_t at, std::uint64_t length) const {
    std::vector<std::uint64_t*> wanted;
    for (std::uint64_t* n : {&e.size, &e.packed, &e.header_at}) {
      if (*n == zip_elsewhere32) wanted.push_back(n);
    }
    const std::uint64_t end = at + length;
    while (!wanted.empty()) {
      if (!fits(at, 4, end)) complain("holds " + shown(e.name) + " without its 64-bit sizes");
      const auto kind = number<std::uint16_t>(at), bytes = number<std::uint16_t>(at + 2);
      at += 4;
      if (!fits(at, bytes, end)) {
        complain("holds " + shown(e.name) + " with an extra field that runs past its entry");
      }
      if (kind == zip_extra64) {
        if (bytes < 8 * wanted.size()) {
          complain("holds " + shown(e.name) + " without its 64-bit sizes");
        }
        for (std::size_t k = 0; k < wanted.size(); ++k) {
          *wanted[k] = number<std::uint64_t>(at + 8 * k);
        }
        return;
      }
      at += bytes;
    }
  }

  void check_local(zip_entry& e) const {
    const std::string what = "holds " + shown(e.name);
    if (!fits(e.header_at, zip_local_bytes, directory_at_) ||
        number<std::uint32_t>(e.header_at) != zip_local) {
      complain(what + " nowhere: there is no header at byte " + std::to_string(e.header_at));
    }
    const auto name = number<std::uint16_t>(e.header_at + 26),
               extra = number<std::uint16_t>(e.header_at + 28);
    e.data_at = e.header_at + zip_local_bytes + name + extra;
    if (!fits(e.data_at, e.packed, directory_at_)) {
      complain(what + " as " + std::to_string(e.packed) + " bytes from byte " +
               std::to_string(e.data_at) + ", which run into the directory");
    }
    if (text(e.header_at + zip_local_bytes, name) != e.name ||
        number<std::uint16_t>(e.header_at + 8) != static_cast<std::uint16_t>(e.method)) {
      complain(what + " under another name or method than its directory says");
    }
    if (e.method == zip_method::stored && e.packed != e.size) {
      complain(what + " stored as " + std::to_string(e.packed) + " bytes, but claims " +
               std::to_string(e.size));
    }
    // A deflated byte gives 1032 bytes at most. Source: RFC 1951, whose longest match is 258 bytes
    // and whose shortest code for one is 2 bits.
    if (e.size / 1032 > e.packed) {
      complain(what + " as " + std::to_string(e.packed) + " bytes, which cannot unpack to the " +
               std::to_string(e.size) + " it claims");
    }
  }

  /// Entries that share bytes let a small archive unpack to more than any file could hold.
  void check_overlaps(const std::vector<zip_entry>& entries) const {
    std::vector<const zip_entry*> sorted;
    for (const zip_entry& e : entries) sorted.push_back(&e);
    std::sort(sorted.begin(), sorted.end(), [](const zip_entry* a, const zip_entry* b) {
      return std::tie(a->header_at, a->name) < std::tie(b->header_at, b->name);
    });
    for (std::size_t k = 1; k < sorted.size(); ++k) {
      if (sorted[k - 1]->data_at + sorted[k - 1]->packed > sorted[k]->header_at) {
        complain("holds " + shown(sorted[k - 1]->name) + " and " + shown(sorted[k]->name) +
                 " in the same bytes");
      }
    }
  }

  /// Reading char through std::byte memory is what the aliasing rules allow.
  [[nodiscard]] std::string text(std::uint64_t at, std::uint64_t n) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + at, n};
  }

  std::span<const std::byte> bytes_;
  const std::string& file_;
  std::uint64_t count_ = 0;
  std::uint64_t directory_at_ = 0;
  std::uint64_t directory_end_ = 0;
};

}  // namespace tombola::io::detail
