#pragma once

#include <cctype>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace tombola::test {

/// Whether every element is closed in order and every attribute quoted and given once. Empty if
/// so, else what is wrong and where.
inline std::string ill_formed(const std::string& s) {
  std::vector<std::string> open;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '<') continue;
    if (s.compare(i, 9, "<!DOCTYPE") == 0) continue;
    const bool closes = s[i + 1] == '/';
    std::size_t at = i + (closes ? 2 : 1);
    std::string name;
    while (at < s.size() && std::isalnum(static_cast<unsigned char>(s[at]))) name += s[at++];
    if (name.empty()) return "no name at " + s.substr(i, 40);
    std::set<std::string> attributes;
    while (at < s.size() && s[at] == ' ') {
      const std::size_t equals = s.find("=\"", at);
      const std::size_t end = s.find('"', equals + 2);
      if (equals == std::string::npos || end == std::string::npos) return "attribute in " + name;
      const std::string value = s.substr(equals + 2, end - equals - 2);
      if (value.find('<') != std::string::npos) return "< in an attribute of " + name;
      if (!attributes.insert(s.substr(at + 1, equals - at - 1)).second) return "twice in " + name;
      at = end + 1;
    }
    const bool alone = s.compare(at, 2, "/>") == 0;
    if (!alone && s[at] != '>') return "end of tag at " + s.substr(i, 60);
    if (closes) {
      if (open.empty() || open.back() != name) return "</" + name + "> without its start";
      open.pop_back();
    } else if (!alone) {
      open.push_back(name);
    }
    i = at;
  }
  return open.empty() ? "" : "<" + open.back() + "> is never closed";
}

inline std::size_t count_of(const std::string& s, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t i = s.find(what); i != std::string::npos; i = s.find(what, i + 1)) ++n;
  return n;
}

}  // namespace tombola::test
