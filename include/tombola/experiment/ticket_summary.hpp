#pragma once

// Heavy to include: holds JSON values.

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tombola/core/group.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/ticket_file.hpp"

namespace tombola::experiment {

/// Which units a ticket is about: `heads`, `mlps`, `heads_mlps`, `neurons`, `structures` for
/// neurons with others of these, or `weights`.
[[nodiscard]] inline std::string family_of(const ticket& t) {
  if (t.groups().empty() || !std::ranges::all_of(t.groups(), holds_structures)) return "weights";
  const bool heads = t.find("heads").has_value(), mlps = t.find("mlps").has_value();
  const bool neurons = t.find("neurons").has_value();
  if (neurons) return heads || mlps ? "structures" : "neurons";
  return heads && mlps ? "heads_mlps" : heads ? "heads" : "mlps";
}

/// What a result says about a ticket. Weights of all groups are counted together, heads, MLPs and
/// neurons by themselves.
[[nodiscard]] inline nlohmann::json ticket_json(const ticket& t, const std::string& file) {
  const std::string family = family_of(t);
  std::map<std::string, std::size_t> kept, size;
  for (std::size_t i = 0; i < t.groups().size(); ++i) {
    const group& g = t.groups()[i];
    const std::string name = holds_structures(g) ? g.name : "weights";
    kept[name] += t[i].count();
    size[name] += t[i].size();
  }
  return {{"file", io::path_json(file)},
          {"kind", t.origin.kind.empty() ? "good" : t.origin.kind},
          {"family", family},
          {"fingerprint", io::fingerprint(t)},
          {"kept", kept},
          {"size", size},
          {"search", t.origin.search}};
}

/// Notes the ticket that a model is trained or scored under, with all that the result tells of it.
/// A search that is not known is left out, so that folders keep their names.
inline void put_ticket(nlohmann::json& settings, const std::optional<ticket>& t) {
  settings["ticket"] = t ? nlohmann::json(io::fingerprint(*t)) : nlohmann::json(nullptr);
  settings["ticket_kind"] = t ? nlohmann::json(t->origin.kind) : nlohmann::json(nullptr);
  if (t && !t->origin.search.empty()) settings["ticket_search"] = t->origin.search;
}

}  // namespace tombola::experiment
