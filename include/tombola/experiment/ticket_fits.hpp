#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/config.hpp"

namespace tombola::experiment {

/// Throws input_error, naming the ticket's file and the model's folder, unless the ticket has a
/// group and the model has each of its groups with the same extents: `heads`, `mlps` and `neurons`
/// where it is whole, and its parameters by their names.
///
/// The config is enough to know that, so that a run can be refused before its folder is made.
inline void require_ticket_fits(const ticket& t,
                                const std::filesystem::path& file,
                                const nn::bert_config& c,
                                const std::filesystem::path& model) {
  if (t.groups().empty()) {
    throw format_error(file.string(), "the ticket has no group, expected at least one");
  }
  std::vector<group> there = nn::gate_groups(c);
  there.push_back(nn::neuron_group(c));
  const std::size_t structures = there.size();
  nn::parameter_layout layout;
  nn::lay_out(c, layout);
  for (const nn::slot& s : layout.slots()) there.push_back({s.name, s.extents()});
  for (const group& g : t.groups()) {
    const auto same =
        std::find_if(there.begin(), there.end(), [&g](const group& h) { return h.name == g.name; });
    if (same == there.end()) {
      throw input_error(file.string() + ": has the group " + to_string(g) +
                        ", but no parameter of " + model.string() + " has this name");
    }
    if (c.is_compact() && same - there.begin() < static_cast<std::ptrdiff_t>(structures)) {
      throw input_error(file.string() + ": covers units of a whole model, " + model.string() +
                        " is compact; expected a ticket over its weights, or none");
    }
    if (*same != g) {
      throw shape_error(file.string() + ": has the group " + to_string(g) + ", but " +
                        model.string() + " has " + to_string(*same));
    }
  }
}

}  // namespace tombola::experiment
