#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/group.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/io/ticket_file.hpp"

namespace tombola::io {

/// Writes the file that write_ticket writes, piece by piece, for a ticket that nobody wants to
/// hold.
///
/// Groups must be known beforehand; bits come in any order and from several threads. Memory: the
/// groups' names.
class ticket_writer {
public:
  /// Throws input_error, naming the file, for too many groups, two of one name, or a name that is
  /// not UTF-8; else as atomic_file does.
  ticket_writer(const std::filesystem::path& path,
                std::span<const group> groups,
                const provenance& origin)
      : file_{path} {
    std::vector<tensor_to_write> tensors;
    for (const group& g : groups) {
      tensors.push_back({g.name, dtype::u8, {detail::bytes_for(g.size())}, {}});
    }
    const std::string name = path.string();
    const std::string header = detail::header_text(
        detail::order_to_write(tensors, name), detail::ticket_metadata(groups, origin, path), name);
    const std::uint64_t length = header.size();
    file_.write(std::as_bytes(std::span{&length, 1}));
    file_.write(header);
    std::uint64_t at = sizeof length + length;
    for (const tensor_to_write& t : tensors) {
      begin_.push_back(at);
      at += t.shape[0];
    }
  }

  /// Writes the bits of units [first, first + units) of a group, one per unit, 64 in a word.
  /// Preconditions: first is a multiple of 8; bits of the last word past `units` are 0.
  void write(std::size_t group,
             std::uint64_t first,
             std::size_t units,
             std::span<const std::uint64_t> words) const {
    file_.write_at(begin_[group] + first / 8, std::as_bytes(words).first(detail::bytes_for(units)));
  }

  /// Makes the file appear. Precondition: each unit was written once.
  void commit() { file_.commit(); }

private:
  atomic_file file_;
  std::vector<std::uint64_t> begin_;  ///< of each group, in the file
};

}  // namespace tombola::io
