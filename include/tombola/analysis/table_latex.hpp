#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/table.hpp"

namespace tombola::analysis {

namespace detail {

/// What LaTeX takes for a character that means something to it, nothing for any other. The first
/// ten do in every font; `<`, `>` and `|` are other signs in LaTeX's own.
[[nodiscard]] constexpr std::string_view latex_command(char c) noexcept {
  switch (c) {
    case '\\':
      return "\\textbackslash{}";
    case '~':
      return "\\textasciitilde{}";
    case '^':
      return "\\textasciicircum{}";
    case '&':
      return "\\&";
    case '%':
      return "\\%";
    case '$':
      return "\\$";
    case '#':
      return "\\#";
    case '_':
      return "\\_";
    case '{':
      return "\\{";
    case '}':
      return "\\}";
    case '<':
      return "\\textless{}";
    case '>':
      return "\\textgreater{}";
    case '|':
      return "\\textbar{}";
    default:
      return {};
  }
}

}  // namespace detail

/// Text for LaTeX, on one line: characters that mean something to it are escaped, hyphens do not
/// join to a dash, control characters and line separators become blanks; what is no UTF-8, and
/// marks that turn the writing direction around, become the replacement character.
[[nodiscard]] inline std::string latex_text(std::string_view s) {
  std::string out;
  for (const char c : on_one_line(s)) {
    const std::string_view command = detail::latex_command(c);
    if (!command.empty()) {
      out += command;
    } else {
      if (c == '-' && out.ends_with('-')) out += "{}";
      out += c;
    }
  }
  return out;
}

namespace detail {

/// An entry: rounded as on a page, a minus before a number below zero, a dash where there is none.
[[nodiscard]] inline std::string latex_cell(const cell& c) {
  if (std::holds_alternative<missing>(c.value)) return "--";
  const std::string text = latex_text(page_text(c));
  const bool negative = std::holds_alternative<double>(c.value) && text.starts_with('-');
  return negative ? "$-$" + text.substr(1) : text;
}

/// Entries of one line. What ends the line before takes a star or a bracket behind it for its own,
/// so that an entry that starts with one is kept from it.
[[nodiscard]] inline std::string latex_line(const std::vector<std::string>& entries) {
  std::string line;
  for (std::size_t c = 0; c < entries.size(); ++c) line += (c == 0 ? "" : " & ") + entries[c];
  const std::size_t first = line.find_first_not_of(' ');
  const bool taken = first != std::string::npos && (line[first] == '[' || line[first] == '*');
  return (taken ? "{}" : "") + line + " \\\\\n";
}

}  // namespace detail

/// The table as a LaTeX table in the style of the package booktabs: numbers set to the right and
/// rounded as on a page, a dash where there is none, the reasons under the table.
[[nodiscard]] inline std::string to_latex(const table& t) {
  std::string out = "% Needs \\usepackage{booktabs}.\n\\begin{table}\n\\centering\n\\caption{" +
                    latex_text(t.caption) + "}\n\\label{tab:" + t.name + "}\n\\begin{tabular}{";
  for (std::size_t c = 0; c < t.columns.size(); ++c) out += detail::is_numeric(t, c) ? 'r' : 'l';
  out += "}\n\\toprule\n";
  std::vector<std::string> entries;
  for (const column& c : t.columns) entries.push_back(latex_text(c.heading));
  out += detail::latex_line(entries) + "\\midrule\n";
  for (const auto& row : t.rows) {
    entries.clear();
    for (const cell& c : row) entries.push_back(detail::latex_cell(c));
    out += detail::latex_line(entries);
  }
  out += "\\bottomrule\n\\end{tabular}\n";
  if (const std::string why = detail::all_reasons(t); !why.empty()) {
    out += "\\par\\smallskip\\footnotesize A dash stands where there is no number: " +
           latex_text(why) + ".\n";
  }
  return out + "\\end{table}\n";
}

}  // namespace tombola::analysis
