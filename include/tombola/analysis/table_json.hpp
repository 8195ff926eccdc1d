#pragma once

// Heavy: the JSON library.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include <nlohmann/json.hpp>

#include "tombola/analysis/table.hpp"

namespace tombola::analysis {

/// Tables as one JSON object: by name, a list of rows, each an object by column key.
///
/// Numbers have all their digits. A missing one is null, and `<key>_missing` beside it says why.
/// Text that is not UTF-8 has U+FFFD in place of the bytes that are wrong.
[[nodiscard]] inline std::string to_json(std::span<const table> tables) {
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  for (const table& t : tables) {
    auto& rows = all[t.name] = nlohmann::ordered_json::array();
    for (const auto& row : t.rows) {
      nlohmann::ordered_json object = nlohmann::ordered_json::object();
      for (std::size_t c = 0; c < row.size(); ++c) {
        const std::string& key = t.columns[c].key;
        std::visit(
            [&](const auto& value) {
              if constexpr (requires { value.why; }) {
                object[key] = nullptr;
                object[key + "_missing"] = value.why;
              } else {
                object[key] = value;
              }
            },
            row[c].value);
      }
      rows.push_back(std::move(object));
    }
  }
  return all.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace tombola::analysis
