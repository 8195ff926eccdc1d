#pragma once

#include <filesystem>
#include <string>

#include "examples/tombola/common_options.hpp"
#include <nlohmann/json.hpp>

#include "tombola/algebra/structure.hpp"

namespace tombola::driver {

/// Kept units, sparsity, empty rows and columns, blocks that keep to the pattern; null where there
/// is no such number.
void put(nlohmann::json& j, const structure& s, n_of_m pattern);

/// All tensors of a checkpoint: floating-point ones with their structure, and sums over them.
[[nodiscard]] nlohmann::json describe_checkpoint(const std::filesystem::path& file,
                                                 n_of_m pattern,
                                                 const common_options& c);

/// A tensor, or a group of a ticket, on one line.
[[nodiscard]] std::string line_of(const nlohmann::json& j);

}  // namespace tombola::driver
