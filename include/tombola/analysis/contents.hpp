#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "tombola/analysis/markup.hpp"

namespace tombola::analysis {

/// A section of a page and its place in the table of contents.
struct page_part {
  std::string id;    ///< its anchor
  std::string kind;  ///< `Scores`, `Sizes`, ...
  std::string over;  ///< which of its kind: what its tickets are over; empty where there is one
  std::string body;
};

/// The most sections of one kind that the contents list one by one.
inline constexpr std::size_t max_listed_parts = 4;

/// The table of contents. Sections of one kind that stand together are folded into one entry where
/// there are more than max_listed_parts; opening it takes no script.
[[nodiscard]] inline std::string contents(std::span<const page_part> parts) {
  markup m;
  const auto link = [&m](const page_part& p, const std::string& words) {
    m.open("li").leaf("a", {{"href", "#" + p.id}}, words).close();
  };
  m.open("nav").open("ul");
  for (std::size_t i = 0, end = 0; i < parts.size(); i = end) {
    while (end < parts.size() && parts[end].kind == parts[i].kind) ++end;
    const auto alike = parts.subspan(i, end - i);
    if (alike.size() <= max_listed_parts) {
      for (const page_part& p : alike) link(p, p.over.empty() ? p.kind : p.kind + ": " + p.over);
      continue;
    }
    m.open("li").open("details");
    m.leaf("summary", parts[i].kind + " (" + std::to_string(alike.size()) + ")").open("ul");
    for (const page_part& p : alike) link(p, p.over.empty() ? p.kind : p.over);
    m.close().close().close();
  }
  m.close().close();
  return m.str();
}

}  // namespace tombola::analysis
