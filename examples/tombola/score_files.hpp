#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tombola/core/scores.hpp"

namespace tombola::driver {

/// Scores from files, each array a group: .npy (named after its file, see
/// analysis::group_named_by), .npz, .safetensors, and .csv with the columns `unit` and `score`,
/// also `group`; units are numbered from 0 through each group, in any order, none missing.
///
/// Throws format_error or input_error, naming the file, where one cannot be read, holds NaN or
/// nothing, or has a group of a name that another has.
[[nodiscard]] std::vector<scores> read_scores(const std::vector<std::filesystem::path>& files);

}  // namespace tombola::driver
