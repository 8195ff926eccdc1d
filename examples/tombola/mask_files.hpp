#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "examples/tombola/mask_commands.hpp"
#include <nlohmann/json.hpp>

#include "tombola/algebra/estimate.hpp"
#include "tombola/checkpoint/pieces.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/io/npy.hpp"

namespace tombola::driver {

/// How masks are taken from checkpoints.
struct checkpoint_reading {
  std::vector<std::string> only;  ///< patterns of tensor names
  checkpoint::manner manner;
};

/// The format that a safetensors file names in its metadata; empty where it names none.
[[nodiscard]] std::string format_of(const std::filesystem::path& file);

/// The files as they are named, and for a folder the mask files in it and in the folders below: by
/// name, .npy whose name ends in `mask`, .npz, and tickets. A checkpoint's folder counts as a file.
[[nodiscard]] std::vector<std::filesystem::path> mask_files_of(
    const std::vector<std::filesystem::path>& named);

/// A file of masks as a ticket: a ticket file, a 0/1 array (.npy) as one group called `mask`, so
/// that files of different names can be compared, or an archive of them (.npz), each a group. A
/// checkpoint (.safetensors of anybody, .index.json, or a folder with one) gives what is not zero.
/// Throws format_error where there is no group at all.
[[nodiscard]] ticket read_masks(const std::filesystem::path& file,
                                const checkpoint_reading& how = {});

/// The same, but an array's group is named after its file: `heads` for head_mask.npy, `mlps` for
/// mlp_mask.npy, else the name up to `_mask`.
[[nodiscard]] ticket read_named_masks(const std::filesystem::path& file);

/// All of them. Throws input_error, naming the file, where one's groups are not those of the first.
[[nodiscard]] std::vector<ticket> read_masks(const std::vector<std::filesystem::path>& files,
                                             const checkpoint_reading& how = {});

/// The same, with what is left shown on the terminal.
[[nodiscard]] std::vector<ticket> read_masks_of(const std::vector<std::filesystem::path>& files,
                                                const comparison_options& o,
                                                const common_options& c,
                                                const std::string& what);

/// Writes masks as the file's name says: .npy for one group, .npz, or a ticket (.safetensors and
/// all other names). number: of the first two. Throws input_error where .npy would need several
/// groups, and says what the command can do `instead`.
void write_masks(const std::filesystem::path& file,
                 const ticket& t,
                 io::mask_number number,
                 const std::string& instead = "write .npz or .safetensors");

/// Puts a statistic under its key: a number, or null with the reason under `undefined`.
void put(nlohmann::json& object, const char* key, const estimate& e);

/// `0.6071`, or why there is none.
[[nodiscard]] std::string text_of(const estimate& e);

/// A probability that may be far below the smallest double, from itself and its logarithm.
[[nodiscard]] std::string probability(double p, double log_p);

}  // namespace tombola::driver
