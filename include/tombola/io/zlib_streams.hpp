#pragma once

// Needs zlib: the component tombola::zlib.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <zlib.h>

#include "tombola/core/error.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/io/zip_directory.hpp"

namespace tombola::io::detail {

/// Bytes that zlib is given and asked for at a time; its counters have 32 bits.
inline constexpr std::size_t zlib_piece = std::size_t{1} << 16;

[[nodiscard]] inline std::uint32_t crc_of(std::span<const std::byte> bytes,
                                          std::uint32_t crc = 0) noexcept {
  return static_cast<std::uint32_t>(
      crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

/// A stream of zlib's in raw form, as zip archives hold it, that ends with its owner.
class deflate_stream {
public:
  deflate_stream() {
    if (deflateInit2(&z_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw runtime_failure("zlib cannot start to compress: no memory");
    }
  }
  deflate_stream(const deflate_stream&) = delete;
  deflate_stream& operator=(const deflate_stream&) = delete;
  ~deflate_stream() { deflateEnd(&z_); }

  /// Appends to `out` what these bytes compress to; the last call ends the stream.
  void put(std::span<const std::byte> bytes, bool last, std::vector<std::byte>& out) {
    do {
      const auto piece = bytes.first(std::min(bytes.size(), zlib_piece));
      bytes = bytes.subspan(piece.size());
      // zlib does not write through next_in, but has it without const.
      z_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(piece.data()));
      z_.avail_in = static_cast<uInt>(piece.size());
      do {
        const std::size_t used = out.size();
        out.resize(used + zlib_piece);
        z_.next_out = reinterpret_cast<Bytef*>(out.data() + used);
        z_.avail_out = static_cast<uInt>(zlib_piece);
        deflate(&z_, last && bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
        out.resize(out.size() - z_.avail_out);
      } while (z_.avail_out == 0);
    } while (!bytes.empty());
  }

private:
  z_stream z_{};
};

class inflate_stream {
public:
  inflate_stream() {
    if (inflateInit2(&z_, -MAX_WBITS) != Z_OK) {
      throw runtime_failure("zlib cannot start to unpack: no memory");
    }
  }
  inflate_stream(const inflate_stream&) = delete;
  inflate_stream& operator=(const inflate_stream&) = delete;
  ~inflate_stream() { inflateEnd(&z_); }

  /// Calls take(bytes) with what the bytes unpack to, in pieces: `size` bytes in all and no more.
  /// Throws format_error, naming file and entry. Memory: one piece.
  template <class Take>
  void unpack(std::span<const std::byte> bytes,
              const zip_entry& e,
              const std::string& file,
              Take take) {
    std::vector<std::byte> out(zlib_piece);
    std::uint64_t done = 0;
    int code = Z_OK;
    while (code != Z_STREAM_END) {
      if (z_.avail_in == 0) {
        const auto piece = bytes.first(std::min(bytes.size(), zlib_piece));
        bytes = bytes.subspan(piece.size());
        z_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(piece.data()));
        z_.avail_in = static_cast<uInt>(piece.size());
      }
      z_.next_out = reinterpret_cast<Bytef*>(out.data());
      z_.avail_out = static_cast<uInt>(zlib_piece);
      code = inflate(&z_, Z_NO_FLUSH);
      const std::size_t n = zlib_piece - z_.avail_out;
      if (code == Z_MEM_ERROR) throw runtime_failure(file + ": no memory to unpack it");
      if (code != Z_OK && code != Z_STREAM_END) {
        throw format_error(file, "holds " + shown(e.name) + " with deflated bytes that are broken");
      }
      done += n;
      if (done > e.size) break;
      take(std::span<const std::byte>{out}.first(n));
    }
    if (done != e.size || z_.avail_in != 0 || !bytes.empty()) {
      throw format_error(file, "holds " + shown(e.name) + ", which does not unpack to the " +
                                   std::to_string(e.size) + " bytes it claims");
    }
  }

private:
  z_stream z_{};
};

}  // namespace tombola::io::detail
