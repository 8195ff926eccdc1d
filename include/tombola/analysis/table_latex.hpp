#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/table.hpp"

namespace tombola::analysis {

/// Text for LaTeX: the ten characters that mean something to it are escaped, control characters
/// become blanks, what is no UTF-8 the replacement character.
[[nodiscard]] inline std::string latex_text(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t n = utf8_length(s, i);
    if (n != 1) {
      out += n == 0 ? replacement : s.substr(i, n);
      i += n == 0 ? 1 : n;
      continue;
    }
    const char c = s[i++];
    if (c == '\\') {
      out += "\\textbackslash{}";
    } else if (c == '~') {
      out += "\\textasciitilde{}";
    } else if (c == '^') {
      out += "\\textasciicircum{}";
    } else if (std::string_view{"&%$#_{}"}.find(c) != std::string_view::npos) {
      out += '\\';
      out += c;
    } else {
      out += static_cast<unsigned char>(c) < ' ' || c == '\x7F' ? ' ' : c;
    }
  }
  return out;
}

/// The table as a LaTeX table in the style of the package booktabs: numbers set to the right and
/// rounded as on a page, a dash where there is none, the reasons under the table.
[[nodiscard]] inline std::string to_latex(const table& t) {
  std::string out = "% Needs \\usepackage{booktabs}.\n\\begin{table}\n\\centering\n\\caption{" +
                    latex_text(t.caption) + "}\n\\label{tab:" + t.name + "}\n\\begin{tabular}{";
  for (std::size_t c = 0; c < t.columns.size(); ++c) out += detail::is_numeric(t, c) ? 'r' : 'l';
  out += "}\n\\toprule\n";
  for (std::size_t c = 0; c < t.columns.size(); ++c) {
    out += (c == 0 ? "" : " & ") + latex_text(t.columns[c].heading);
  }
  out += " \\\\\n\\midrule\n";
  for (const auto& row : t.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      out += (c == 0 ? "" : " & ") + latex_text(page_text(row[c]));
    }
    out += " \\\\\n";
  }
  out += "\\bottomrule\n\\end{tabular}\n";
  if (const std::string why = detail::all_reasons(t); !why.empty()) {
    out += "\\par\\smallskip\\footnotesize A dash stands where there is no number: " +
           latex_text(why) + ".\n";
  }
  return out + "\\end{table}\n";
}

}  // namespace tombola::analysis
