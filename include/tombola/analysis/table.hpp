#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tombola/algebra/estimate.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/core/error.hpp"

namespace tombola::analysis {

/// Why a number is missing, in words for a reader.
struct missing {
  std::string why;
};

/// How a page shows a number; files always get all digits.
enum class number_form { plain, percent, probability };

/// One entry of a table: text, a count, a number, or the reason why there is none.
struct cell {
  std::variant<std::string, std::uint64_t, double, missing> value;
  int digits = 4;  ///< places on a page, of a plain number
  number_form form = number_form::plain;
};

[[nodiscard]] inline cell text_cell(std::string_view s) {
  return {std::string{s}};
}
[[nodiscard]] inline cell count_cell(std::size_t n) {
  return {std::uint64_t{n}};
}

/// A number; one that is not finite becomes `missing` with the reason.
[[nodiscard]] inline cell number_cell(double x,
                                      int digits = 4,
                                      number_form form = number_form::plain,
                                      const std::string& why = "not a finite number") {
  if (!std::isfinite(x)) return {missing{why}};
  return {x, digits, form};
}
/// A number, or the given reason where there is none.
[[nodiscard]] inline cell number_cell(const std::optional<double>& x,
                                      const std::string& why,
                                      int digits = 4,
                                      number_form form = number_form::plain) {
  return x ? number_cell(*x, digits, form, why) : cell{missing{why}};
}
/// A statistic, with its own reason where it is undefined.
[[nodiscard]] inline cell number_cell(const estimate& e,
                                      int digits = 4,
                                      number_form form = number_form::plain) {
  return e.defined() ? number_cell(e.value, digits, form) : cell{missing{to_string(e.why)}};
}

/// A column: its name in files (snake_case) and its heading on a page.
struct column {
  std::string key;
  std::string heading;
};

/// A table that is written as CSV, as JSON and on a page from one place, so that they agree.
struct table {
  std::string name;     ///< of its file, snake_case
  std::string caption;  ///< one sentence
  std::vector<column> columns;
  std::vector<std::vector<cell>> rows;  ///< each as long as columns

  /// Appends a row. Throws shape_error unless it has one cell per column.
  void add(std::vector<cell> row) {
    if (row.size() != columns.size()) {
      throw shape_error("table " + name + ": a row of " + std::to_string(row.size()) +
                        " cells for " + std::to_string(columns.size()) + " columns");
    }
    rows.push_back(std::move(row));
  }
};

/// The entry as a file has it: numbers with all their digits, nothing for a missing one.
[[nodiscard]] inline std::string plain_text(const cell& c) {
  if (const auto* s = std::get_if<std::string>(&c.value)) return *s;
  if (const auto* n = std::get_if<std::uint64_t>(&c.value)) return std::to_string(*n);
  if (const auto* x = std::get_if<double>(&c.value)) return shortest(*x);
  return {};
}

/// The entry as a page has it: rounded; an en dash where there is no number.
[[nodiscard]] inline std::string page_text(const cell& c) {
  const auto* x = std::get_if<double>(&c.value);
  if (x == nullptr) {
    return std::holds_alternative<missing>(c.value) ? std::string{en_dash} : plain_text(c);
  }
  if (c.form == number_form::probability) return probability(*x);
  return c.form == number_form::percent ? fixed(100.0 * *x, 1) + " %" : fixed(*x, c.digits);
}

/// Whether the entry of a row says why something is missing, as `heading: reason`.
[[nodiscard]] inline std::string reasons_of(const table& t, const std::vector<cell>& row) {
  std::string all;
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (const auto* m = std::get_if<missing>(&row[c].value)) {
      all += (all.empty() ? "" : "; ") + t.columns[c].key + ": " + m->why;
    }
  }
  return all;
}

/// One field: quoted where it holds a comma, a quote or a line break; quotes doubled.
[[nodiscard]] inline std::string csv_field(std::string_view s) {
  if (s.find_first_of(",\"\r\n") == std::string_view::npos) return std::string{s};
  std::string quoted = "\"";
  for (const char c : s) quoted += c == '"' ? std::string{"\"\""} : std::string{c};
  return quoted + "\"";
}

/// The table as CSV with a heading line of keys; a last column `missing` says why a number is
/// missing, where any is. Lines end in CR LF. Source: RFC 4180.
[[nodiscard]] inline std::string to_csv(const table& t) {
  const bool any = std::any_of(t.rows.begin(), t.rows.end(),
                               [&](const auto& row) { return !reasons_of(t, row).empty(); });
  std::string out;
  for (std::size_t c = 0; c < t.columns.size(); ++c) {
    out += (c == 0 ? "" : ",") + csv_field(t.columns[c].key);
  }
  out += any ? ",missing\r\n" : "\r\n";
  for (const auto& row : t.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      out += (c == 0 ? "" : ",") + csv_field(plain_text(row[c]));
    }
    out += (any ? "," + csv_field(reasons_of(t, row)) : "") + "\r\n";
  }
  return out;
}

namespace detail {

/// Whether a column holds numbers, so that it is set to the right.
[[nodiscard]] inline bool is_numeric(const table& t, std::size_t c) {
  return std::any_of(t.rows.begin(), t.rows.end(), [c](const auto& row) {
    return std::holds_alternative<double>(row[c].value) ||
           std::holds_alternative<std::uint64_t>(row[c].value);
  });
}

/// Every reason why a number is missing, once each, in the order of the rows.
[[nodiscard]] inline std::string all_reasons(const table& t) {
  std::vector<std::string> reasons;
  for (const auto& row : t.rows) {
    for (const cell& c : row) {
      const auto* gone = std::get_if<missing>(&c.value);
      if (gone != nullptr &&
          std::find(reasons.begin(), reasons.end(), gone->why) == reasons.end()) {
        reasons.push_back(gone->why);
      }
    }
  }
  std::string all;
  for (const std::string& r : reasons) all += (all.empty() ? "" : "; ") + r;
  return all;
}

/// Text that stays on one line, text that may break, and numbers.
[[nodiscard]] inline std::string class_of(const cell& c) {
  const auto* s = std::get_if<std::string>(&c.value);
  return s == nullptr ? "number" : s->size() <= 24 ? "short" : "long";
}

}  // namespace detail

/// The table for a page, inside a frame that scrolls where the page is narrow. Missing numbers show
/// their reason as a tooltip and, once each, under the table.
[[nodiscard]] inline std::string to_html(const table& t) {
  markup m;
  m.open("div", {{"class", "scroll"}, {"tabindex", "0"}}).open("table");
  m.leaf("caption", t.caption).open("thead").open("tr");
  for (std::size_t c = 0; c < t.columns.size(); ++c) {
    m.leaf("th", {{"scope", "col"}, {"class", detail::is_numeric(t, c) ? "number" : "text"}},
           t.columns[c].heading);
  }
  m.close().close().open("tbody").line();
  for (const auto& row : t.rows) {
    m.open("tr");
    for (const cell& c : row) {
      const auto* gone = std::get_if<missing>(&c.value);
      const std::string type = detail::class_of(c);
      if (type == "number") {
        m.leaf("td", {{"class", type}, {"title", gone != nullptr ? gone->why : plain_text(c)}},
               page_text(c));
      } else {
        m.leaf("td", {{"class", type}}, page_text(c));
      }
    }
    m.close().line();
  }
  m.close().close().close().line();
  if (const std::string why = detail::all_reasons(t); !why.empty()) {
    m.leaf("p", {{"class", "note"}}, "A dash stands where there is no number: " + why + ".").line();
  }
  return m.str();
}

/// The same, folded away where it has more than `longest` rows; opening it takes no script.
[[nodiscard]] inline std::string to_html_folded(const table& t, std::size_t longest) {
  if (t.rows.size() <= longest) return to_html(t);
  markup m;
  m.open("details").leaf("summary", t.caption + " (" + std::to_string(t.rows.size()) + " rows)");
  m.raw(to_html(t)).close().line();
  return m.str();
}

/// The table without the columns of these keys, for a page that says the same elsewhere.
[[nodiscard]] inline table without(table t, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    const auto at = std::find_if(t.columns.begin(), t.columns.end(),
                                 [key](const column& c) { return c.key == key; });
    if (at == t.columns.end()) continue;
    const auto place = at - t.columns.begin();
    t.columns.erase(at);
    for (auto& row : t.rows) row.erase(row.begin() + place);
  }
  return t;
}

}  // namespace tombola::analysis
