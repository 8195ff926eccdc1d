#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fnmatch.h>

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/io/dtype.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::checkpoint {

/// One group of weights of a checkpoint.
struct weights {
  tombola::group group;             ///< the tensor's name and shape
  std::size_t tensor = 0;           ///< place in source::tensors()
  std::optional<std::size_t> mask;  ///< place of the mask that PyTorch's pruning keeps beside it
  std::vector<std::size_t> copies;  ///< tensors tied to it: the same bytes under another name
};

/// The weights that were chosen, and how many tensors were passed over.
struct choice {
  std::vector<weights> chosen;
  std::size_t not_floating = 0;  ///< of whole numbers
  std::size_t flat = 0;          ///< of fewer than two extents: biases, norms
};

/// Whether elements of this type can be weights: F64, F32, F16 and BF16.
[[nodiscard]] constexpr bool is_floating(io::dtype t) noexcept {
  return t == io::dtype::f64 || t == io::dtype::f32 || t == io::dtype::f16 || t == io::dtype::bf16;
}

namespace detail {

/// Whether a name matches one of the patterns.
[[nodiscard]] inline bool matches(const std::string& name, std::span<const std::string> patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) {
    return ::fnmatch(p.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
  });
}

/// The weights behind a tensor: itself, or what PyTorch's pruning splits a parameter `name` into,
/// a floating `name_orig` and `name_mask` of one shape; nothing for the mask itself.
[[nodiscard]] inline std::optional<weights> weights_behind(const source& from, std::size_t place) {
  constexpr std::string_view orig = "_orig", mask = "_mask";
  const stored_tensor& t = from.tensors()[place];
  const auto pair_of = [&](std::string_view ending, std::string_view other) -> const std::size_t* {
    if (!t.name.ends_with(ending)) return nullptr;
    const std::string name = t.name.substr(0, t.name.size() - ending.size()) + std::string{other};
    const std::size_t* at = from.find(name);
    if (at == nullptr || from.tensors()[*at].shape != t.shape) return nullptr;
    const stored_tensor& values = ending == orig ? t : from.tensors()[*at];
    return is_floating(values.type) ? at : nullptr;
  };
  if (pair_of(mask, orig) != nullptr) return std::nullopt;
  weights w{{t.name, t.shape}, place, std::nullopt, {}};
  if (const std::size_t* at = pair_of(orig, mask)) {
    w.group.name = t.name.substr(0, t.name.size() - orig.size());
    w.mask = *at;
  }
  return w;
}

}  // namespace detail

/// The weights of a checkpoint: floating-point tensors whose names match one of the patterns, or
/// without a pattern those of two or more extents (matrices, embeddings, convolutions).
///
/// A parameter that PyTorch's pruning has split is one group under its own name. Patterns are those
/// of file names: `*` is any text, dots and slashes included, `?` one byte, `[ab]` one of
/// several. Throws input_error where a pattern matches nothing, or nothing is left; format_error,
/// naming the file, where two groups would have one name.
[[nodiscard]] inline choice choose(const source& from, std::span<const std::string> patterns = {}) {
  choice c;
  std::set<std::string> names;
  std::vector<bool> used(patterns.size(), false);
  for (std::size_t place = 0; place < from.tensors().size(); ++place) {
    auto w = detail::weights_behind(from, place);
    if (!w) continue;
    for (std::size_t p = 0; p < patterns.size(); ++p) {
      if (detail::matches(w->group.name, patterns.subspan(p, 1))) used[p] = true;
    }
    if (!patterns.empty() && !detail::matches(w->group.name, patterns)) continue;
    if (!is_floating(from.tensors()[place].type)) {
      ++c.not_floating;
    } else if (patterns.empty() && w->group.extents.size() < 2) {
      ++c.flat;
    } else {
      if (!names.insert(w->group.name).second) {
        throw format_error(from.path().string(), "has the parameter " + io::shown(w->group.name) +
                                                     " twice, whole and with a mask beside it");
      }
      c.chosen.push_back(std::move(*w));
    }
  }
  for (std::size_t p = 0; p < patterns.size(); ++p) {
    if (!used[p]) {
      throw input_error(from.path().string() + ": no tensor matches " + io::shown(patterns[p]));
    }
  }
  if (c.chosen.empty()) {
    throw input_error(from.path().string() + ": has no weights to look at among " +
                      std::to_string(from.tensors().size()) + " tensors, expected " +
                      (patterns.empty() ? "one of two or more extents in F64, F32, F16 or BF16"
                                        : "a match in F64, F32, F16 or BF16"));
  }
  return c;
}

/// The groups of some weights, in their order.
[[nodiscard]] inline std::vector<group> groups_of(std::span<const weights> all) {
  std::vector<group> groups;
  groups.reserve(all.size());
  for (const weights& w : all) groups.push_back(w.group);
  return groups;
}

}  // namespace tombola::checkpoint
