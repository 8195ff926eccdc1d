#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/io/ticket_file.hpp"
#include "tombola/nn/architecture.hpp"
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

/// The ticket with the names of a model's parameters where its groups have those of a checkpoint's
/// tensors, with a prefix, as those of other tools and of `tombola mask-of` have. Throws
/// input_error where two groups come to one name.
[[nodiscard]] inline ticket with_parameter_names(ticket t, const nn::architecture& family) {
  std::vector<group> groups;
  for (const group& g : t.groups()) {
    groups.push_back({nn::canonical_name(family, g.name), g.extents});
  }
  if (std::ranges::equal(groups, t.groups())) return t;
  ticket named{std::move(groups), {t.masks().begin(), t.masks().end()}};
  named.origin = std::move(t.origin);
  return named;
}

/// Reads a ticket for a model of this config, with the names of its parameters. Throws as
/// io::read_ticket, with_parameter_names and require_ticket_fits do.
[[nodiscard]] inline ticket read_ticket_for(const std::filesystem::path& file,
                                            const nn::bert_config& c,
                                            const std::filesystem::path& model) {
  ticket t = with_parameter_names(io::read_ticket(file), *c.family);
  require_ticket_fits(t, file, c, model);
  return t;
}

}  // namespace tombola::experiment
