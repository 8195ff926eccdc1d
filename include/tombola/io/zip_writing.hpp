#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <type_traits>

#include "tombola/io/zip_directory.hpp"

namespace tombola::io::detail {

/// Little-endian numbers, one after the other.
class zip_bytes {
public:
  template <class T>
  zip_bytes& put(std::type_identity_t<T> x) {
    static_assert(std::is_unsigned_v<T>);
    for (std::size_t k = 0; k < sizeof(T); ++k) text_ += static_cast<char>((x >> (8 * k)) & 0xFFU);
    return *this;
  }
  zip_bytes& put_text(const std::string& s) {
    text_ += s;
    return *this;
  }
  [[nodiscard]] const std::string& str() const noexcept { return text_; }

private:
  std::string text_;
};

[[nodiscard]] constexpr std::uint32_t in32(std::uint64_t n) noexcept {
  return n < zip_elsewhere32 ? static_cast<std::uint32_t>(n) : zip_elsewhere32;
}

/// Version 2.0 unpacks deflated entries, 4.5 64-bit numbers.
[[nodiscard]] constexpr std::uint16_t zip_version(bool wide) noexcept {
  return wide ? 45 : 20;
}

/// What a local header and a directory entry have in common. The date is the first that the format
/// can say, 1980-01-01: the same content gives the same bytes. Names are UTF-8 (flag 0x800).
inline void put_common(zip_bytes& b, const zip_entry& e, bool wide, std::size_t extra) {
  constexpr std::uint16_t utf8 = 0x800, midnight = 0, first_day = 1 << 5 | 1;
  b.put<std::uint16_t>(zip_version(wide)).put<std::uint16_t>(utf8);
  b.put<std::uint16_t>(static_cast<std::uint16_t>(e.method));
  b.put<std::uint16_t>(midnight).put<std::uint16_t>(first_day).put<std::uint32_t>(e.crc);
  b.put<std::uint32_t>(in32(e.packed)).put<std::uint32_t>(in32(e.size));
  b.put<std::uint16_t>(static_cast<std::uint16_t>(e.name.size()));
  b.put<std::uint16_t>(static_cast<std::uint16_t>(extra));
}

/// The extra field for the numbers of these that do not fit 4 bytes.
[[nodiscard]] inline std::string zip_extra(std::initializer_list<std::uint64_t> numbers) {
  zip_bytes wide;
  for (const std::uint64_t n : numbers) {
    if (n >= zip_elsewhere32) wide.put<std::uint64_t>(n);
  }
  if (wide.str().empty()) return {};
  zip_bytes field;
  field.put<std::uint16_t>(zip_extra64);
  field.put<std::uint16_t>(static_cast<std::uint16_t>(wide.str().size()));
  return field.put_text(wide.str()).str();
}

/// The header in front of an entry's bytes. A local header with 64-bit sizes has both of them.
[[nodiscard]] inline std::string zip_local_header(const zip_entry& e) {
  const bool wide = std::max(e.packed, e.size) >= zip_elsewhere32;
  zip_entry said = e;
  if (wide) said.packed = said.size = zip_elsewhere32;
  zip_bytes extra;
  if (wide) {
    extra.put<std::uint16_t>(zip_extra64).put<std::uint16_t>(16);
    extra.put<std::uint64_t>(e.size).put<std::uint64_t>(e.packed);
  }
  zip_bytes b;
  b.put<std::uint32_t>(zip_local);
  put_common(b, said, wide, extra.str().size());
  return b.put_text(e.name).put_text(extra.str()).str();
}

[[nodiscard]] inline std::string zip_directory_entry(const zip_entry& e) {
  const std::string extra = zip_extra({e.size, e.packed, e.header_at});
  zip_bytes b;
  b.put<std::uint32_t>(zip_central).put<std::uint16_t>(zip_version(!extra.empty()));
  put_common(b, e, !extra.empty(), extra.size());
  // No comment, disk 0, no attributes but the mode.
  b.put<std::uint16_t>(0).put<std::uint16_t>(0).put<std::uint16_t>(0);
  b.put<std::uint32_t>(e.mode << 16);
  b.put<std::uint32_t>(in32(e.header_at));
  return b.put_text(e.name).put_text(extra).str();
}

/// The directory of entries whose bytes end at `at`, and the records that close the archive.
[[nodiscard]] inline std::string zip_directory(std::span<const zip_entry> entries,
                                               std::uint64_t at) {
  zip_bytes b;
  for (const zip_entry& e : entries) b.put_text(zip_directory_entry(e));
  const std::uint64_t count = entries.size(), length = b.str().size();
  if (count >= zip_elsewhere16 || std::max(length, at) >= zip_elsewhere32) {
    b.put<std::uint32_t>(zip_end64).put<std::uint64_t>(zip_end64_bytes - 12);
    b.put<std::uint16_t>(zip_version(true)).put<std::uint16_t>(zip_version(true));
    b.put<std::uint32_t>(0).put<std::uint32_t>(0);
    b.put<std::uint64_t>(count).put<std::uint64_t>(count);
    b.put<std::uint64_t>(length).put<std::uint64_t>(at);
    b.put<std::uint32_t>(zip_locator64).put<std::uint32_t>(0);
    b.put<std::uint64_t>(at + length).put<std::uint32_t>(1);
  }
  const auto short_count =
      static_cast<std::uint16_t>(std::min<std::uint64_t>(count, zip_elsewhere16));
  b.put<std::uint32_t>(zip_end).put<std::uint16_t>(0).put<std::uint16_t>(0);
  b.put<std::uint16_t>(short_count).put<std::uint16_t>(short_count);
  b.put<std::uint32_t>(in32(length)).put<std::uint32_t>(in32(at)).put<std::uint16_t>(0);
  return b.str();
}

}  // namespace tombola::io::detail
