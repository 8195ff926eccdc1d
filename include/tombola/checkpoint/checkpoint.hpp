#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"
#include "tombola/io/descriptor.hpp"
#include "tombola/io/dtype.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::checkpoint {

/// Files that a checkpoint may be cut into: all are kept open, and while it is written anew as many
/// again, of the 1024 that a process usually may.
inline constexpr std::size_t max_shards = 400;

/// A tensor of a checkpoint and where its bytes lie.
struct stored_tensor {
  std::string name;
  io::dtype type;
  std::vector<std::size_t> shape;
  std::size_t shard = 0;     ///< place in source::shards()
  std::uint64_t offset = 0;  ///< of its first byte in that file
  std::uint64_t bytes = 0;

  /// Number of elements.
  [[nodiscard]] std::uint64_t size() const noexcept { return bytes / io::info(type).bytes; }
};

/// One file of a checkpoint, open for reading.
struct shard {
  std::filesystem::path path;
  io::descriptor file;
  std::uint64_t bytes = 0;
};

/// Whether the `format` in a file's metadata is that of a ticket or a trace, which are no
/// checkpoints; a compact model is one.
[[nodiscard]] constexpr bool is_mask_format(std::string_view format) noexcept {
  return format == "tombola-ticket" || format == "tombola-trace";
}

namespace detail {

/// The names of an index and the file that it says they lie in. Throws format_error, naming the
/// index, unless it is {"weight_map": {name: file, ...}, ...} and every file is a plain name: an
/// index must not lead out of its folder, nor choose what a terminal does.
[[nodiscard]] inline std::map<std::string, std::string> read_index(
    const std::filesystem::path& path) {
  const auto whole = io::read_json(path);
  const auto map = io::require<nlohmann::json>(whole, "weight_map", path);
  if (!map.is_object()) {
    throw format_error(path.string(), "'weight_map' is " + io::shown_value(map) +
                                          ", expected an object of tensor names and files");
  }
  std::map<std::string, std::string> files;
  for (const auto& [name, file] : map.items()) {
    if (!file.is_string()) {
      throw format_error(path.string(), "tensor " + io::shown(name) + " lies in " +
                                            io::shown_value(file) +
                                            ", expected the name of a file");
    }
    const std::string shard = file.get<std::string>();
    const std::filesystem::path as_path{shard};
    if (as_path.filename() != as_path || shard.empty() || shard == "." || shard == ".." ||
        has_control_characters(shard)) {
      throw format_error(path.string(), "tensor " + io::shown(name) + " lies in " +
                                            io::shown(shard) +
                                            ", expected the name of a file beside the index");
    }
    files.emplace(name, shard);
  }
  return files;
}

/// Whether the file is a ticket or a trace.
[[nodiscard]] inline bool is_ours(const std::filesystem::path& file) {
  try {
    const io::safetensors_file f{file};
    const auto format = f.metadata().find("format");
    return format != f.metadata().end() && is_mask_format(format->second);
  } catch (const error&) {
    return false;  // whoever reads it will say what is wrong
  }
}

/// The files of a folder whose names end so, but for ours, in the order of their names.
[[nodiscard]] inline std::vector<std::filesystem::path> files_ending(
    const std::filesystem::path& folder, std::string_view ending) {
  std::set<std::filesystem::path> found;
  std::error_code code;
  std::filesystem::directory_iterator at{folder, code};
  for (; !code && at != std::filesystem::directory_iterator{}; at.increment(code)) {
    const std::string name = at->path().filename().string();
    std::error_code gone;  // what vanishes meanwhile is no file
    if (!name.starts_with('.') && name.ends_with(ending) && at->is_regular_file(gone) &&
        !is_ours(at->path())) {
      found.insert(at->path());
    }
  }
  if (code) throw input_error(folder.string() + ": cannot be read: " + code.message());
  return {found.begin(), found.end()};
}

}  // namespace detail

/// What the weights of a checkpoint's folder lie in: `model.safetensors`, else its index, else the
/// only `*.safetensors.index.json`, else the only `*.safetensors` that is neither ticket nor trace;
/// nothing where there is none. Throws input_error, naming the folder, where that leaves a choice.
[[nodiscard]] inline std::optional<std::filesystem::path> find_weights(
    const std::filesystem::path& folder) {
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"}) {
    std::error_code code;
    if (std::filesystem::exists(folder / name, code)) return folder / name;
  }
  for (const char* ending : {".safetensors.index.json", ".safetensors"}) {
    const auto found = detail::files_ending(folder, ending);
    if (found.size() == 1) return found.front();
    if (found.size() > 1) {
      throw input_error(folder.string() + ": has " + std::to_string(found.size()) + " files *" +
                        ending + ", expected one, or to be told which");
    }
  }
  return std::nullopt;
}

/// The same, for a folder that must have some: throws input_error also where there is none.
[[nodiscard]] inline std::filesystem::path weights_in(const std::filesystem::path& folder) {
  if (auto found = find_weights(folder)) return *std::move(found);
  throw input_error(folder.string() +
                    ": has no *.safetensors with weights of its own, expected a checkpoint");
}

/// Whether weights_in finds some.
[[nodiscard]] inline bool holds_weights(const std::filesystem::path& folder) {
  try {
    return find_weights(folder).has_value();
  } catch (const error&) {
    return false;
  }
}

/// A checkpoint of any architecture: one safetensors file, or several and the index that says which
/// tensor lies in which. Headers are read and checked, tensors are not touched.
///
/// Moves, does not copy. Memory: the headers.
class source {
public:
  /// A `*.safetensors` file, a `*.index.json`, or a folder with either (weights_in).
  ///
  /// Throws input_error if a file cannot be opened, or format_error, naming the file: if a file is
  /// not valid safetensors, an index leads elsewhere than beside itself, two shards have a tensor
  /// of one name, or index and shards do not name the same tensors in the same places. The index's
  /// total size is not believed: writers count tied tensors differently.
  explicit source(const std::filesystem::path& path) : path_{path} {
    std::error_code code;
    if (std::filesystem::is_directory(path, code)) path_ = weights_in(path);
    if (path_.extension() == ".json") {
      open_shards();
    } else {
      open(path_);
    }
    for (std::size_t t = 0; t < tensors_.size(); ++t) by_name_.emplace(tensors_[t].name, t);
  }

  /// In the order of the shards, and of their bytes in each.
  [[nodiscard]] std::span<const stored_tensor> tensors() const noexcept { return tensors_; }
  /// Those of an index come in the order of their names.
  [[nodiscard]] std::span<const shard> shards() const noexcept { return shards_; }
  /// The place of the tensor of this name, or nothing. Cost: logarithmic.
  [[nodiscard]] const std::size_t* find(std::string_view name) const noexcept {
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? nullptr : &at->second;
  }
  /// The file that was opened: the safetensors file or the index.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] bool has_index() const noexcept { return path_.extension() == ".json"; }

  /// Bytes of a tensor from byte `first` on. Throws runtime_failure, naming the file, where reading
  /// fails or the file has become shorter. Several threads may read at once.
  void read(const stored_tensor& t, std::uint64_t first, std::span<std::byte> to) const {
    io::read_at(shards_[t.shard].file, t.offset + first, to, shards_[t.shard].path);
  }

private:
  void open(const std::filesystem::path& path) {
    io::descriptor file = io::open_for_reading(path);
    const io::safetensors_file header{path};
    for (const io::tensor_entry& t : header.tensors()) {
      tensors_.push_back(
          {t.name, t.type, t.shape, shards_.size(), header.offset_of(t), t.bytes.size()});
    }
    shards_.push_back({path, std::move(file), header.size()});
  }

  void open_shards() {
    const std::string index = path_.string();
    const auto listed = detail::read_index(path_);
    std::set<std::string> files;
    for (const auto& [name, file] : listed) files.insert(file);
    if (files.empty()) throw format_error(index, "names no tensor, expected some");
    if (files.size() > max_shards) {
      throw format_error(index, "names " + std::to_string(files.size()) +
                                    " files, expected at most " + std::to_string(max_shards));
    }
    for (const std::string& file : files) open(path_.parent_path() / file);

    std::map<std::string_view, std::string> seen;
    for (const stored_tensor& t : tensors_) {
      const std::string file = shards_[t.shard].path.filename().string();
      const auto [other, is_new] = seen.emplace(t.name, file);
      if (!is_new) {
        throw format_error(index, "tensor " + io::shown(t.name) + " lies in both " +
                                      io::shown(other->second) + " and " + io::shown(file) +
                                      ", expected one of them");
      }
      const auto at = listed.find(t.name);
      if (at == listed.end()) {
        throw format_error(
            index, "does not name the tensor " + io::shown(t.name) + " of " + io::shown(file));
      }
      if (at->second != file) {
        throw format_error(index, "says that tensor " + io::shown(t.name) + " lies in " +
                                      io::shown(at->second) + ", found it in " + io::shown(file));
      }
    }
    for (const auto& [name, file] : listed) {
      if (!seen.contains(name)) {
        throw format_error(index, "says that tensor " + io::shown(name) + " lies in " +
                                      io::shown(file) + ", which does not have it");
      }
    }
  }

  std::filesystem::path path_;
  std::vector<shard> shards_;
  std::vector<stored_tensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace tombola::checkpoint
