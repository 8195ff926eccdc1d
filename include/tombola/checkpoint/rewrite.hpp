#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/checkpoint/pieces.hpp"
#include "tombola/core/error.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/atomic_folder.hpp"
#include "tombola/io/descriptor.hpp"
#include "tombola/io/json.hpp"

namespace tombola::checkpoint::detail {

/// A checkpoint written anew with other weights: the same files, headers and places.
class rewrite {
public:
  /// Throws input_error if the folder is that of the checkpoint or cannot be made.
  rewrite(const source& from, const std::filesystem::path& folder)
      : from_{&from}, folder_{checked(from, folder)} {
    for (const shard& s : from.shards()) {
      files_.push_back(std::make_unique<io::atomic_file>(folder_.path() / s.path.filename()));
    }
  }

  /// Where further files can be put.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return folder_.path(); }

  /// Does some work, and speaks of the folder to come where it fails in the temporary one.
  template <class Work>
  auto named(Work work) const {
    return folder_.named(std::move(work));
  }

  /// Copies all bytes but those of these weights, their copies and masks.
  void copy_rest(std::span<const weights> all, const manner& how, progress& p) const {
    struct range {
      std::uint64_t begin, end;
    };
    std::vector<std::vector<range>> taken(files_.size());
    const auto take = [&](std::size_t tensor) {
      const stored_tensor& t = from_->tensors()[tensor];
      taken[t.shard].push_back({t.offset, t.offset + t.bytes});
    };
    for (const weights& w : all) {
      take(w.tensor);
      if (w.mask) take(*w.mask);
      for (const std::size_t copy : w.copies) take(copy);
    }
    struct task {
      std::size_t shard;
      range bytes;
    };
    std::vector<task> tasks;
    for (std::size_t f = 0; f < files_.size(); ++f) {
      auto& ranges = taken[f];
      ranges.push_back({from_->shards()[f].bytes, from_->shards()[f].bytes});
      std::sort(ranges.begin(), ranges.end(),
                [](const range& a, const range& b) { return a.begin < b.begin; });
      std::uint64_t at = 0;
      for (const range& r : ranges) {
        for (; at < r.begin; at = std::min<std::uint64_t>(r.begin, at + piece_bytes)) {
          tasks.push_back({f, {at, std::min<std::uint64_t>(r.begin, at + piece_bytes)}});
        }
        at = std::max(at, r.end);
      }
    }
    const std::size_t workers = workers_for(tasks.size(), how);
    std::vector<std::vector<std::byte>> rooms(workers, std::vector<std::byte>(piece_bytes));
    over_tasks(tasks.size(), workers, p, [&](std::size_t i, std::size_t worker) {
      const auto [f, bytes] = tasks[i];
      const shard& s = from_->shards()[f];
      const auto to =
          std::span{rooms[worker]}.first(static_cast<std::size_t>(bytes.end - bytes.begin));
      io::read_at(s.file, bytes.begin, to, s.path);
      files_[f]->write_at(bytes.begin, to);
      p.add(to.size());
    });
  }

  /// Writes elements from `first` on, whose bytes are given, with zeros where s.kept says so; and
  /// the like to copies, and to the mask beside them. The mask's bytes are those in s.
  void write(const weights& w, std::uint64_t first, std::span<std::byte> bytes, space& s) const {
    const stored_tensor& t = from_->tensors()[w.tensor];
    const std::size_t width = io::info(t.type).bytes;
    zero_pruned(bytes, width, s.kept);
    put(t, first * width, bytes);
    for (const std::size_t copy : w.copies) put(from_->tensors()[copy], first * width, bytes);
    if (!w.mask) return;
    const stored_tensor& m = from_->tensors()[*w.mask];
    const std::size_t mask_width = io::info(m.type).bytes;
    const auto mask_bytes = std::span{s.mask_bytes}.first(bytes.size() / width * mask_width);
    zero_pruned(mask_bytes, mask_width, s.kept);
    put(m, first * mask_width, mask_bytes);
  }

  /// Copies a small file that lies beside the checkpoint.
  void add(const std::filesystem::path& file) const {
    io::write_file(folder_.path() / file.filename(), io::read_bytes(file, io::max_json_bytes));
  }

  /// Makes the folder appear; the index goes with the shards.
  void commit() {
    for (auto& file : files_) file->commit();
    if (from_->has_index()) {
      add(from_->path());
    }
    folder_.commit();
  }

private:
  static const std::filesystem::path& checked(const source& from,
                                              const std::filesystem::path& folder) {
    std::error_code code;
    const auto home = from.path().has_parent_path() ? from.path().parent_path() : ".";
    if (std::filesystem::equivalent(home, folder, code)) {
      throw input_error(folder.string() +
                        ": is the checkpoint's own folder, expected another to write to");
    }
    for (const shard& s : from.shards()) {
      if (s.path.filename() == "ticket.safetensors") {
        throw input_error(s.path.string() +
                          ": has the name that the ticket beside the pruned checkpoint takes");
      }
    }
    return folder;
  }

  void put(const stored_tensor& t, std::uint64_t at, std::span<const std::byte> bytes) const {
    files_[t.shard]->write_at(t.offset + at, bytes);
  }

  const source* from_;
  io::atomic_folder folder_;
  std::vector<std::unique_ptr<io::atomic_file>> files_;
};

}  // namespace tombola::checkpoint::detail
