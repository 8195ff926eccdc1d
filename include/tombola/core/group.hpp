#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "tombola/core/error.hpp"

namespace tombola {

/// Product of extents. Throws shape_error, naming `what`, where it does not fit 64 bits.
[[nodiscard]] inline std::size_t checked_product(const std::vector<std::size_t>& extents,
                                                 const std::string& what) {
  std::size_t n = 1;
  for (const std::size_t e : extents) {
    if (e != 0 && n > std::numeric_limits<std::size_t>::max() / e) {
      throw shape_error(what + ": the product of its extents does not fit 64 bits");
    }
    n *= e;
  }
  return n;
}

/// All units of one kind in one place: `heads` (12 x 12), `mlps` (12),
/// `encoder.layer.0.attention.self.query.weight` (768 x 768).
///
/// Units are numbered row-major over the extents. A group without extents has one unit.
struct group {
  std::string name;
  std::vector<std::size_t> extents;

  /// Number of units. Throws shape_error where the product overflows.
  [[nodiscard]] std::size_t size() const {
    return checked_product(extents, "group " + printable(name));
  }

  friend bool operator==(const group&, const group&) = default;
};

/// `heads (12 x 12)`, for messages: printable.
[[nodiscard]] inline std::string to_string(const group& g) {
  std::string s = printable(g.name) + " (";
  for (std::size_t i = 0; i < g.extents.size(); ++i) {
    s += (i == 0 ? "" : " x ") + std::to_string(g.extents[i]);
  }
  return s + ")";
}

/// Whether a group holds structures, by the names that tombola gives them: attention heads, whole
/// MLPs or the neurons between their matrices. All other groups hold single weights.
[[nodiscard]] inline bool holds_structures(const group& g) {
  return g.name == "heads" || g.name == "mlps" || g.name == "neurons";
}

/// Throws shape_error, naming both, unless a ticket's group has the extents of the model's: the same
/// number of units in another order would be other units.
inline void require_same_group(const group& of_ticket, const group& of_model) {
  if (of_ticket == of_model) return;
  throw shape_error("ticket: group " + to_string(of_ticket) + ", the model has " +
                    to_string(of_model));
}

}  // namespace tombola
