#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/algebra/detail/count_range.hpp"
#include "tombola/algebra/granularity.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/unit_sets.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola {

// Groups whose first extent is the layer, such as heads (12 x 12) or mlps (12), layer by layer.
//
// A layer's units lie after one another, so a layer is a slice of the mask. All throw shape_error
// for a group without extents, and for a mask that does not cover its group.

/// Number of layers of a group: its first extent.
[[nodiscard]] inline std::size_t layers_of(const group& g) {
  if (g.extents.empty()) {
    throw shape_error("layers_of: group " + to_string(g) +
                      " has no extents, expected the number of layers first");
  }
  return g.extents[0];
}

/// One layer of a group: its name, and its extents without the first. That of `heads (12 x 12)` is
/// `heads (12)`, that of `mlps (12)` is `mlps ()`, which has one unit.
[[nodiscard]] inline group layer_group(const group& g) {
  (void)layers_of(g);
  return {g.name, {g.extents.begin() + 1, g.extents.end()}};
}

namespace detail {

/// Throws shape_error, starting with `what`, unless the mask has one bit for each of g's units.
template <unit_set A>
void require_cover(const A& a, const group& g, const char* what) {
  if (a.size() != g.size()) {
    throw shape_error(std::string{what} + ": mask over " + std::to_string(a.size()) +
                      " units, expected " + std::to_string(g.size()) + " of group " + to_string(g));
  }
}

/// Units in each layer. Throws input_error, starting with `what`, where there is no layer l.
[[nodiscard]] inline std::size_t layer_width(const group& g, std::size_t l, const char* what) {
  const std::size_t layers = layers_of(g);
  if (l >= layers) {
    throw input_error(std::string{what} + ": layer " + std::to_string(l) + " of group " +
                      to_string(g) + ", expected one below " + std::to_string(layers));
  }
  return g.size() / layers;
}

/// Calls f(first unit, units of a layer) for every layer of g.
///
/// Throws shape_error for layers without units: (2^40 x 0) would ask for 2^40 answers about
/// nothing.
template <class F>
void for_layers(const group& g, const char* what, F f) {
  const std::size_t layers = layers_of(g), units = g.size();
  if (layers != 0 && units == 0) {
    throw shape_error(std::string{what} + ": the layers of group " + to_string(g) +
                      " have no units, expected one or more");
  }
  for (std::size_t l = 0; l < layers; ++l) f(l * (units / layers), units / layers);
}

/// Place of a ticket's group. Throws input_error where there is none of this name.
[[nodiscard]] inline std::size_t place_of_group(const ticket& t,
                                                std::string_view name,
                                                const char* what) {
  if (const auto place = t.find(name)) return *place;
  throw input_error(std::string{what} + ": the ticket has no group " + std::string{name});
}

}  // namespace detail

/// The units of layer l as a mask of layer_group(g). Throws input_error where there is no such
/// layer.
template <unit_set A>
[[nodiscard]] mask layer(const A& a, const group& g, std::size_t l) {
  const std::size_t width = detail::layer_width(g, l, "layer");
  detail::require_cover(a, g, "layer");
  return slice(a, l * width, width);
}

/// The other way round: the units of layer l of m become those of `of_layer`, the others stay.
///
/// Throws input_error where there is no such layer, shape_error also if `of_layer` does not cover
/// the layer; m is unchanged then. Nothing is allocated. Precondition: of_layer is no view of m.
template <unit_set B>
void put_layer(mask& m, const group& g, std::size_t l, const B& of_layer) {
  const std::size_t width = detail::layer_width(g, l, "put_layer");
  detail::require_cover(m, g, "put_layer");
  detail::require_cover(of_layer, layer_group(g), "put_layer");
  put_slice(m, l * width, of_layer);
}

/// Units that each layer keeps: [layers]. Throws shape_error also for layers without units.
/// Cost: one pass over the words.
template <unit_set A>
[[nodiscard]] std::vector<std::size_t> count_by_layer(const A& a, const group& g) {
  detail::require_cover(a, g, "count_by_layer");
  const std::span<const std::uint64_t> words = a.words();
  std::vector<std::size_t> kept;
  detail::for_layers(g, "count_by_layer", [&](std::size_t first, std::size_t width) {
    kept.push_back(detail::count_range(words, first, width));
  });
  return kept;
}

/// The overlap of two masks in each layer: [layers], the strata of chance_within(). They add up to
/// count_overlap(a, b). Throws as count_by_layer. Cost: three passes over the words.
template <unit_set A, unit_set B>
[[nodiscard]] std::vector<overlap> count_overlap_by_layer(const A& a, const B& b, const group& g) {
  detail::require_cover(a, g, "count_overlap_by_layer");
  detail::require_cover(b, g, "count_overlap_by_layer");
  const std::span<const std::uint64_t> x = a.words(), y = b.words();
  std::vector<overlap> counts;
  detail::for_layers(g, "count_overlap_by_layer", [&](std::size_t first, std::size_t width) {
    counts.push_back(overlap_of_sizes(width, detail::count_range(x, first, width),
                                      detail::count_range(y, first, width),
                                      detail::count_common_range(x, y, first, width)));
  });
  return counts;
}

// Of one group of a ticket, by its name. Throw input_error where the ticket has no such group.

/// Layer l of one group as a ticket of that group alone. Its provenance is empty: it is a part of
/// what a search found.
[[nodiscard]] inline ticket layer(const ticket& t, std::string_view name, std::size_t l) {
  const std::size_t place = detail::place_of_group(t, name, "layer");
  const group& g = t.groups()[place];
  std::vector<mask> masks;
  masks.push_back(layer(t[place], g, l));
  return ticket{{layer_group(g)}, std::move(masks)};
}

[[nodiscard]] inline std::vector<std::size_t> count_by_layer(const ticket& t,
                                                             std::string_view name) {
  const std::size_t place = detail::place_of_group(t, name, "count_by_layer");
  return count_by_layer(t[place], t.groups()[place]);
}

/// Throws shape_error also where the two tickets have other groups.
[[nodiscard]] inline std::vector<overlap> count_overlap_by_layer(const ticket& a,
                                                                 const ticket& b,
                                                                 std::string_view name) {
  require_same_groups(a, b);
  const std::size_t place = detail::place_of_group(a, name, "count_overlap_by_layer");
  return count_overlap_by_layer(a[place], b[place], a.groups()[place]);
}

}  // namespace tombola
