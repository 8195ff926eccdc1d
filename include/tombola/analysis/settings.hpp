#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/analysis/result.hpp"

namespace tombola::analysis {

/// The items of a setting: `mode study, guard 0.9` has two.
[[nodiscard]] inline std::vector<std::string> setting_items(std::string_view setting) {
  constexpr std::string_view between = ", ";
  std::vector<std::string> items;
  while (!setting.empty()) {
    const std::size_t end = std::min(setting.find(between), setting.size());
    items.emplace_back(setting.substr(0, end));
    setting.remove_prefix(std::min(end + between.size(), setting.size()));
  }
  return items;
}

/// A name for each of several settings: the items that not all of them have.
///
/// One setting alone needs no name and gets an empty one. Among several, an empty setting is
/// `settings not known`, and one that has only what all have is `plain`. Names are distinct: one
/// that is taken gets a number.
[[nodiscard]] inline std::map<std::string, std::string> setting_names(
    const std::set<std::string>& settings) {
  std::map<std::string, std::size_t> having;  // settings that have the item
  for (const std::string& s : settings) {
    const auto items = setting_items(s);
    for (const auto& item : std::set<std::string>{items.begin(), items.end()}) ++having[item];
  }
  std::map<std::string, std::string> names;
  std::set<std::string> taken;
  for (const std::string& s : settings) {
    std::string& name = names[s];
    if (settings.size() == 1) continue;
    for (const std::string& item : setting_items(s)) {
      if (having[item] < settings.size()) name += (name.empty() ? "" : ", ") + item;
    }
    if (name.empty()) name = s.empty() ? "settings not known" : "plain";
    const std::string wanted = name;
    for (std::size_t n = 2; !taken.insert(name).second; ++n) {
      name = wanted + " (" + std::to_string(n) + ")";
    }
  }
  return names;
}

/// What tells apart results that must not be averaged: how the models of one task were trained, and
/// how the tickets of one family were found. What tells a search apart is the same in all tasks, so
/// that tickets of several tasks stand together only where they were found alike.
class variants {
public:
  explicit variants(std::span<const result> results) {
    std::map<std::string, std::set<std::string>> settings;
    std::map<ticket_family, std::set<std::string>> searches;
    for (const result& r : results) {
      settings[r.task].insert(r.setting);
      if (r.ticket) searches[r.ticket->family].insert(r.ticket->search);
    }
    for (const auto& [task, of_task] : settings) settings_[task] = setting_names(of_task);
    for (const auto& [family, found] : searches) searches_[family] = setting_names(found);
  }

  /// What tells how r's model was trained from how others of its task were; empty where all are
  /// alike. Precondition: r is one of the results.
  [[nodiscard]] std::string setting_of(const result& r) const {
    return settings_.at(r.task).at(r.setting);
  }

  /// The words that are added to task and family, such as `mode study`: of setting and search.
  /// Empty where all are alike. Precondition: r is one of the results.
  [[nodiscard]] std::string name_of(const result& r) const {
    std::string name = setting_of(r);
    if (!r.ticket) return name;
    const std::string& search = searches_.at(r.ticket->family).at(r.ticket->search);
    if (!name.empty() && !search.empty()) name += ", ";
    return name + search;
  }

private:
  std::map<std::string, std::map<std::string, std::string>> settings_;
  std::map<ticket_family, std::map<std::string, std::string>> searches_;
};

/// `weights`, or `weights, mode study` where that must be told apart.
[[nodiscard]] inline std::string family_and_variant(std::optional<ticket_family> family,
                                                    const std::string& variant) {
  const std::string name = family ? std::string{to_string(*family)} : "none";
  return variant.empty() ? name : name + ", " + variant;
}

}  // namespace tombola::analysis
