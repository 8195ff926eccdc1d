#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/dtype.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/mapped_file.hpp"
#include "tombola/io/safetensors_header.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::io {

/// Bytes of JSON that a header may have; the format's own limit.
inline constexpr std::uint64_t max_safetensors_header = 100'000'000;

/// A tensor in a mapped file. The bytes may start at any address: convert them, do not cast them.
struct tensor_entry {
  std::string name;
  dtype type;
  std::vector<std::size_t> shape;
  std::span<const std::byte> bytes;

  /// Number of elements.
  [[nodiscard]] std::size_t size() const noexcept { return bytes.size() / info(type).bytes; }
};

namespace detail {

/// Bytes that a tensor takes. Throws format_error, naming file and tensor, where 64 bits do not do.
[[nodiscard]] inline std::uint64_t required_bytes(const std::vector<std::size_t>& shape,
                                                  dtype type,
                                                  const std::string& name,
                                                  const std::string& file) {
  if (const auto n = byte_count(shape, type)) return *n;
  throw format_error(file, "tensor " + shown(name) + " has shape " + shown(shape) +
                               ", whose bytes do not fit 64 bits");
}

}  // namespace detail

/// A safetensors file, mapped and validated: header length, JSON, types, shapes and offsets are all
/// checked before the constructor returns, and every byte after the header belongs to one tensor.
/// The format as accepted here is written out in docs/formats.md.
///
/// Memory: the header; tensors stay on the disk until they are read. Moves, does not copy.
class safetensors_file {
public:
  /// Throws input_error if the file cannot be opened, format_error if it is malformed; both name
  /// it.
  explicit safetensors_file(const std::filesystem::path& path) : path_{path}, file_{path} {
    const std::string name = path.string();
    const auto bytes = file_.bytes();
    if (bytes.size() < 8) {
      throw format_error(name,
                         "has " + std::to_string(bytes.size()) +
                             " bytes, expected at least the 8 of a safetensors header length");
    }
    const auto length = detail::load<std::uint64_t>(bytes.data());
    if (length > max_safetensors_header) {
      throw format_error(name, "claims a header of " + std::to_string(length) +
                                   " bytes, expected at most " +
                                   std::to_string(max_safetensors_header));
    }
    if (length > bytes.size() - 8) {
      throw format_error(name, "claims a header of " + std::to_string(length) + " bytes but has " +
                                   std::to_string(bytes.size() - 8) + " after the length");
    }
    const auto text = bytes.subspan(8, static_cast<std::size_t>(length));
    if (text.empty() || text.front() != std::byte{'{'}) {
      throw format_error(name, "header does not start with '{', expected a JSON object");
    }
    // Reading char through std::byte memory is what the aliasing rules allow.
    auto header =
        detail::read_header({reinterpret_cast<const char*>(text.data()), text.size()}, name);
    metadata_ = std::move(header.metadata);
    place(std::move(header.entries), bytes.subspan(8 + text.size()));
  }

  /// In the order of their bytes in the file.
  [[nodiscard]] std::span<const tensor_entry> tensors() const noexcept { return tensors_; }

  /// The tensor of this name, or nullptr. Cost: logarithmic.
  [[nodiscard]] const tensor_entry* find(std::string_view name) const noexcept {
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? nullptr : &tensors_[at->second];
  }

  /// The tensor of this name. Throws format_error, naming file and tensor, where there is none.
  [[nodiscard]] const tensor_entry& at(std::string_view name) const {
    if (const tensor_entry* t = find(name)) return *t;
    throw format_error(path_.string(), "has no tensor " + shown(name));
  }

  [[nodiscard]] const std::map<std::string, std::string>& metadata() const noexcept {
    return metadata_;
  }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// Bytes of the file, and where in it those of one of its tensors begin.
  [[nodiscard]] std::uint64_t size() const noexcept { return file_.bytes().size(); }
  [[nodiscard]] std::uint64_t offset_of(const tensor_entry& t) const noexcept {
    return static_cast<std::uint64_t>(t.bytes.data() - file_.bytes().data());
  }

private:
  /// Checks that the entries tile the data exactly, then hands out their bytes.
  void place(std::vector<detail::header_entry> entries, std::span<const std::byte> data) {
    const std::string file = path_.string();
    // By length after begin, so that an empty tensor comes before the one that starts where it
    // does.
    std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
      return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
    });
    std::uint64_t next = 0;
    tensors_.reserve(entries.size());
    for (auto& e : entries) {
      check_place(e, next, data.size(), file);
      next = e.end;
      by_name_.emplace(e.name, tensors_.size());
      tensors_.push_back(
          {std::move(e.name), e.type, std::move(e.shape), data.subspan(e.begin, e.end - e.begin)});
    }
    if (next != data.size()) {
      throw format_error(file, "has " + std::to_string(data.size() - next) +
                                   " bytes after its last tensor, expected none");
    }
  }

  static void check_place(const detail::header_entry& e,
                          std::uint64_t next,
                          std::uint64_t size,
                          const std::string& file) {
    const std::string who = "tensor " + shown(e.name);
    const std::string range = std::to_string(e.begin) + " to " + std::to_string(e.end);
    if (e.end < e.begin) throw format_error(file, who + " ends before it begins: bytes " + range);
    if (e.end > size) {
      throw format_error(file, who + " takes bytes " + range + " but the file has " +
                                   std::to_string(size) + " bytes of data");
    }
    const std::uint64_t wanted = detail::required_bytes(e.shape, e.type, e.name, file);
    if (e.end - e.begin != wanted) {
      throw format_error(file, who + " of type " + std::string{info(e.type).name} + " and shape " +
                                   shown(e.shape) + " takes " + std::to_string(wanted) +
                                   " bytes but has " + std::to_string(e.end - e.begin));
    }
    if (e.begin != next) {
      throw format_error(file, who + " begins at byte " + std::to_string(e.begin) +
                                   (e.begin < next ? ", inside the tensor before it that ends at "
                                                   : ", leaving a gap after ") +
                                   std::to_string(next));
    }
  }

  std::filesystem::path path_;
  mapped_file file_;
  std::vector<tensor_entry> tensors_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::map<std::string, std::string> metadata_;
};

/// All elements as float, row-major; wider types are rounded, true is 1.
[[nodiscard]] inline std::vector<float> to_floats(const tensor_entry& t) {
  std::vector<float> values(t.size());
  detail::convert(t.type, t.bytes, std::span{values});
  return values;
}

/// All elements as double, row-major; 64-bit integers past 2^53 are rounded.
[[nodiscard]] inline std::vector<double> to_doubles(const tensor_entry& t) {
  std::vector<double> values(t.size());
  detail::convert(t.type, t.bytes, std::span{values});
  return values;
}

/// The same into memory of the caller. Throws shape_error, naming the tensor, if the sizes differ.
inline void copy_floats(const tensor_entry& t, std::span<float> to) {
  if (to.size() != t.size()) {
    throw shape_error("tensor " + shown(t.name) + " " + shown(t.shape) + " has " +
                      std::to_string(t.size()) + " elements, expected " +
                      std::to_string(to.size()));
  }
  detail::convert(t.type, t.bytes, to);
}

/// A tensor to be written; name and bytes are the caller's.
struct tensor_to_write {
  std::string name;
  dtype type;
  std::vector<std::size_t> shape;
  std::span<const std::byte> bytes;  ///< little-endian, row-major
};

namespace detail {

/// The header's JSON, padded with blanks so that the data starts at a multiple of 8.
[[nodiscard]] inline std::string header_text(std::span<const tensor_to_write* const> order,
                                             const std::map<std::string, std::string>& metadata,
                                             const std::string& file) {
  std::string text = "{";
  try {
    if (!metadata.empty()) text += R"("__metadata__":)" + nlohmann::json(metadata).dump() + ",";
    std::uint64_t at = 0;
    for (const tensor_to_write* t : order) {
      const std::uint64_t bytes = required_bytes(t->shape, t->type, t->name, file);
      const nlohmann::json described{
          {"dtype", info(t->type).name}, {"shape", t->shape}, {"data_offsets", {at, at + bytes}}};
      at += bytes;
      text += nlohmann::json(t->name).dump() + ":" + described.dump() + ",";
    }
  } catch (const nlohmann::json::exception& e) {
    throw input_error(file + ": a name cannot be written: " + complaint(e.what()));
  }
  if (text.back() == ',') text.pop_back();
  text += "}";
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() > max_safetensors_header) {
    throw input_error(file + ": would need a header of " + std::to_string(text.size()) +
                      " bytes, expected at most " + std::to_string(max_safetensors_header));
  }
  return text;
}

/// The order in which tensors are written: wider elements first, so that every tensor starts at a
/// multiple of its element, which some readers insist on. Throws input_error, naming the file,
/// where a name is reserved or repeated.
[[nodiscard]] inline std::vector<const tensor_to_write*> order_to_write(
    std::span<const tensor_to_write> tensors, const std::string& file) {
  std::set<std::string_view> names{"__metadata__"};
  std::vector<const tensor_to_write*> order;
  for (const tensor_to_write& t : tensors) {
    if (!names.insert(t.name).second) {
      throw input_error(file + ": the tensor name " + shown(t.name) + " is taken");
    }
    order.push_back(&t);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return info(a->type).bytes > info(b->type).bytes;
  });
  return order;
}

}  // namespace detail

/// Writes a file that appears complete or not at all; the bytes are streamed, not copied.
///
/// Tensors of wider elements come first, in the given order within one width.
/// Throws input_error, naming the file, if a name is reserved, repeated or not UTF-8, or if
/// a tensor's bytes do not fit its shape; else as atomic_file does.
inline void write_safetensors(const std::filesystem::path& path,
                              std::span<const tensor_to_write> tensors,
                              const std::map<std::string, std::string>& metadata = {}) {
  const std::string file = path.string();
  const auto order = detail::order_to_write(tensors, file);
  for (const tensor_to_write& t : tensors) {
    const std::uint64_t wanted = detail::required_bytes(t.shape, t.type, t.name, file);
    if (t.bytes.size() != wanted) {
      throw input_error(file + ": tensor " + shown(t.name) + " of shape " + shown(t.shape) +
                        " takes " + std::to_string(wanted) + " bytes but was given " +
                        std::to_string(t.bytes.size()));
    }
  }
  const std::string header = detail::header_text(order, metadata, file);
  const std::uint64_t length = header.size();
  atomic_file out{path};
  out.write(std::as_bytes(std::span{&length, 1}));
  out.write(header);
  for (const tensor_to_write* t : order) out.write(t->bytes);
  out.commit();
}

}  // namespace tombola::io
