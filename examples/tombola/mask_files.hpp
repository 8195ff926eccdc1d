#pragma once

#include <filesystem>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/algebra/estimate.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola::driver {

/// A file of masks as a ticket: a ticket file, or a 0/1 array as one group called `mask`.
[[nodiscard]] ticket read_masks(const std::filesystem::path& file);

/// All of them. Throws input_error, naming the file, where one's groups are not those of the first.
[[nodiscard]] std::vector<ticket> read_masks(const std::vector<std::filesystem::path>& files);

/// Puts a statistic under its key: a number, or null with the reason under `undefined`.
void put(nlohmann::json& object, const char* key, const estimate& e);

/// `0.6071`, or why there is none.
[[nodiscard]] std::string text_of(const estimate& e);

}  // namespace tombola::driver
