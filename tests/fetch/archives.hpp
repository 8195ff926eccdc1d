#pragma once

// Small zip archives, those among them that nobody should unpack.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tombola/io/zip_writing.hpp"
#include "tombola/io/zlib_streams.hpp"

namespace tombola::test {

struct made_member {
  std::string name, content;
  std::uint32_t mode = 0100644;
  bool deflated = true;
};

[[nodiscard]] inline std::string archive_of(const std::vector<made_member>& members) {
  namespace d = io::detail;
  std::string all;
  std::vector<d::zip_entry> entries;
  for (const made_member& m : members) {
    const auto bytes = std::as_bytes(std::span{m.content});
    std::vector<std::byte> packed{bytes.begin(), bytes.end()};
    if (m.deflated) {
      packed.clear();
      d::deflate_stream{}.put(bytes, true, packed);
    }
    d::zip_entry e;
    e.name = m.name;
    e.method = m.deflated ? d::zip_method::deflated : d::zip_method::stored;
    e.crc = d::crc_of(bytes);
    e.packed = packed.size();
    e.size = bytes.size();
    e.header_at = all.size();
    e.mode = m.mode;
    all += d::zip_local_header(e);
    all.append(reinterpret_cast<const char*>(packed.data()), packed.size());
    entries.push_back(e);
  }
  return all + d::zip_directory(entries, all.size());
}

}  // namespace tombola::test
