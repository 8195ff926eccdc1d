#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"

namespace tombola {

/// Where a ticket comes from. Empty strings mean "not known".
struct provenance {
  std::string task;                   ///< such as SST-2
  std::optional<std::uint64_t> seed;  ///< of the run that found it
  std::string criterion;              ///< such as `cumulative` or `magnitude`
  std::string search;                 ///< how it was found: `name value` items, split by `, `
  std::string kind;                   ///< good, or of a control: random, bad, ...
  std::string parent;                 ///< fingerprint of the ticket it was made from
  std::string model;                  ///< fingerprint of the model that was searched
  std::string data;                   ///< fingerprint of the data it was selected on

  friend bool operator==(const provenance&, const provenance&) = default;
};

class ticket;

/// Throws shape_error, naming the first difference, unless both have the same groups in one order.
inline void require_same_groups(const ticket& a, const ticket& b);

/// A mask for every group of a model, in a fixed order, with its provenance.
///
/// Every mask covers its group exactly; no public call can break that.
class ticket {
public:
  ticket() = default;

  /// All units of all groups kept. Throws input_error if two groups have one name.
  explicit ticket(std::vector<group> groups) : groups_{std::move(groups)} {
    check_names();
    masks_.reserve(groups_.size());
    for (const group& g : groups_) masks_.push_back(mask::all_kept(g.size()));
  }

  /// Throws shape_error if a mask does not cover its group, input_error if two groups have one
  /// name.
  ticket(std::vector<group> groups, std::vector<mask> masks)
      : groups_{std::move(groups)}, masks_{std::move(masks)} {
    check_names();
    if (masks_.size() != groups_.size()) {
      throw shape_error("ticket: " + std::to_string(masks_.size()) + " masks for " +
                        std::to_string(groups_.size()) + " groups");
    }
    for (std::size_t i = 0; i < groups_.size(); ++i) check(i, masks_[i]);
  }

  [[nodiscard]] std::span<const group> groups() const noexcept { return groups_; }
  [[nodiscard]] std::span<const mask> masks() const noexcept { return masks_; }
  [[nodiscard]] const mask& operator[](std::size_t i) const noexcept { return masks_[i]; }

  /// Place of the group of this name, if there is one. Cost: linear in the number of groups.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (groups_[i].name == name) return i;
    }
    return std::nullopt;
  }

  /// The mask of the group of this name. Throws input_error where there is none.
  [[nodiscard]] const mask& at(std::string_view name) const {
    if (const auto i = find(name)) return masks_[*i];
    throw input_error("ticket: has no group " + printable(name));
  }

  /// Keeps or prunes one unit. Precondition: both indices in range.
  void set(std::size_t group_index, std::size_t unit, bool kept) noexcept {
    masks_[group_index].set(unit, kept);
  }

  /// Replaces the mask of one group. Throws shape_error if it does not cover the group.
  void replace(std::size_t group_index, mask m) {
    check(group_index, m);
    masks_[group_index] = std::move(m);
  }

  /// Units in all groups, and how many of them are kept.
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t n = 0;
    for (const mask& m : masks_) n += m.size();
    return n;
  }
  [[nodiscard]] std::size_t count() const noexcept {
    std::size_t n = 0;
    for (const mask& m : masks_) n += m.count();
    return n;
  }

  /// In place, group by group, as the operators of mask do it: union, intersection, symmetric
  /// difference, set difference.
  ///
  /// Groups stay; the provenance becomes empty, because the result is not what a search found: a |=
  /// b leaves what a = a | b would. Throw shape_error, naming the first difference, if the groups
  /// differ, and change nothing then. Nothing is allocated.
  ticket& operator|=(const ticket& b) {
    return combine(b, [](mask& x, const mask& y) { x |= y; });
  }
  ticket& operator&=(const ticket& b) {
    return combine(b, [](mask& x, const mask& y) { x &= y; });
  }
  ticket& operator^=(const ticket& b) {
    return combine(b, [](mask& x, const mask& y) { x ^= y; });
  }
  ticket& operator-=(const ticket& b) {
    return combine(b, [](mask& x, const mask& y) { x -= y; });
  }

  /// Kept becomes pruned and the other way round, in every group. The provenance becomes empty.
  void flip() noexcept {
    for (mask& m : masks_) m.flip();
    origin = provenance{};
  }

  provenance origin;

  friend bool operator==(const ticket&, const ticket&) = default;

private:
  void check(std::size_t i, const mask& m) const {
    if (m.size() != groups_[i].size()) {
      throw shape_error("ticket: mask over " + std::to_string(m.size()) + " units for group " +
                        to_string(groups_[i]));
    }
  }
  void check_names() const {
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (groups_[i].name == groups_[j].name) {
          throw input_error("ticket: two groups are called " + printable(groups_[i].name));
        }
      }
    }
  }

  /// With equal groups the masks have equal sizes, so that f cannot throw halfway.
  template <class F>
  ticket& combine(const ticket& b, F f) {
    require_same_groups(*this, b);
    for (std::size_t i = 0; i < masks_.size(); ++i) f(masks_[i], b.masks_[i]);
    origin = provenance{};
    return *this;
  }

  std::vector<group> groups_;
  std::vector<mask> masks_;
};

inline void require_same_groups(const ticket& a, const ticket& b) {
  const auto ga = a.groups(), gb = b.groups();
  for (std::size_t i = 0; i < ga.size() && i < gb.size(); ++i) {
    if (!(ga[i] == gb[i])) {
      throw shape_error("tickets differ in group " + std::to_string(i) + ": " + to_string(ga[i]) +
                        " and " + to_string(gb[i]));
    }
  }
  if (ga.size() != gb.size()) {
    throw shape_error("tickets of " + std::to_string(ga.size()) + " and " +
                      std::to_string(gb.size()) + " groups");
  }
}

}  // namespace tombola
