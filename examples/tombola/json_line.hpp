#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace tombola::driver {

/// A value on one line, which it ends. A path or an address in it need not be UTF-8: what is not
/// becomes U+FFFD.
inline std::string json_line(const nlohmann::json& j) {
  return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace tombola::driver
