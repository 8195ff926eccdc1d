#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "tombola/analysis/settings.hpp"

namespace tombola::analysis {

namespace detail {

/// The value of an item such as `guard_share 0.9`; nothing where the item is another, or no number.
[[nodiscard]] inline std::optional<double> number_of(std::string_view item, std::string_view name) {
  if (!item.starts_with(name) || item.size() <= name.size() || item[name.size()] != ' ') {
    return std::nullopt;
  }
  item.remove_prefix(name.size() + 1);
  double x = 0.0;
  const auto end = std::from_chars(item.data(), item.data() + item.size(), x);
  if (end.ec != std::errc{} || end.ptr != item.data() + item.size()) return std::nullopt;
  return x;
}

}  // namespace detail

/// The score that a search let no ticket fall below on the examples it is scored on here; nothing
/// where the search looked at other examples, or is not known, or where the full model lies below
/// it: nothing was tried then.
///
/// search: how the ticket was found; setting: how the results were made (result.hpp). full: the
/// score of the full model, which the guard measured from. A guard on a lower bound asks for more,
/// never for less.
[[nodiscard]] inline std::optional<double> own_guard(const std::string& search,
                                                     const std::string& setting,
                                                     double full) {
  for (const std::string& item : setting_items(setting)) {
    // Scored on another split, or with another form of the model.
    for (const char* other : {"split ", "scored ", "compact "}) {
      if (item.starts_with(other)) return std::nullopt;
    }
  }
  bool on_dev = false;
  std::optional<double> least;
  for (const std::string& item : setting_items(search)) {
    if (item == "select dev") on_dev = true;
    // A search that went on from a ticket measured from the smaller model's score.
    if (item.starts_with("start_kept ")) return std::nullopt;
    if (const auto share = detail::number_of(item, "guard_share")) least = *share * full;
    if (const auto drop = detail::number_of(item, "guard_drop")) least = full - *drop;
    if (const auto score = detail::number_of(item, "guard_at_least")) least = *score;
  }
  return on_dev && least && *least <= full ? least : std::nullopt;
}

}  // namespace tombola::analysis
