#pragma once

#include <filesystem>
#include <vector>

#include "tombola/core/group.hpp"

namespace tombola::driver {

/// Weights of a model folder on the host, one array for each group, row-major.
/// Throws as loading a model does, and input_error where a group is no parameter of it.
[[nodiscard]] std::vector<std::vector<float>> read_weights(
    const std::filesystem::path& model_folder, const std::vector<group>& groups);

}  // namespace tombola::driver
