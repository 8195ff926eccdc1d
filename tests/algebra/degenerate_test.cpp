#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/algebra/agreement.hpp"
#include "tombola/algebra/chance.hpp"
#include "tombola/algebra/layers.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/rank_biased_overlap.hpp"
#include "tombola/algebra/rankings.hpp"
#include "tombola/algebra/stability.hpp"
#include "tombola/algebra/stratified.hpp"
#include "tombola/algebra/survival.hpp"

using namespace tombola;

// docs/statistics.md has one table of what every statistic answers in degenerate cases. It is read
// here and computed again, cell by cell: neither can change without the other.

namespace {

/// The columns of the table and the masks they are about. 4 units and 3 masks, as the page says.
const std::vector<std::string> columns{"all kept", "none kept", "one mask", "identical masks",
                                       "no units"};

std::vector<mask> masks_of(const std::string& column) {
  const mask half = mask::from_values(std::vector<int>{1, 1, 0, 0});
  if (column == "all kept") return std::vector<mask>(3, mask::all_kept(4));
  if (column == "none kept") return std::vector<mask>(3, mask{4});
  if (column == "one mask") return {half};
  if (column == "identical masks") return std::vector<mask>(3, half);
  return std::vector<mask>(3, mask{});
}

/// What a statistic says of some masks; nothing where it cannot be asked.
using answer = std::optional<estimate>;
using statistic = std::function<answer(const std::vector<mask>&)>;

estimate as_estimate(const estimate& e) {
  return e;
}
estimate as_estimate(double x) {
  return defined(x);
}
estimate as_estimate(std::size_t n) {
  return defined(static_cast<double>(n));
}

/// A statistic of two masks: its mean over all pairs.
template <class Measure>
statistic of_pairs(Measure measure) {
  return [measure](const std::vector<mask>& masks) {
    return mean_over_pairs(count_overlaps(masks),
                           [&](const overlap& o) { return as_estimate(measure(o)); });
  };
}

template <class F>
statistic of_masks(F f) {
  return [f](const std::vector<mask>& masks) { return as_estimate(f(masks)); };
}

template <class F>
statistic of_survival(F f) {
  return [f](const std::vector<mask>& masks) { return as_estimate(f(count_survival(masks))); };
}

/// A statistic of two lists of scores, here 1 for kept and 0 for pruned.
template <class F>
statistic of_scores(F f) {
  return [f](const std::vector<mask>& masks) -> answer {
    if (masks.size() < 2) return std::nullopt;
    const auto scores = [](const mask& m) {
      std::vector<double> s(m.size());
      for (std::size_t i = 0; i < s.size(); ++i) s[i] = m[i] ? 1.0 : 0.0;
      return s;
    };
    return as_estimate(f(scores(masks[0]), scores(masks[1])));
  };
}

/// Chance within layers of two units, of the first two masks.
template <class F>
statistic of_layers(F f) {
  return [f](const std::vector<mask>& masks) -> answer {
    if (masks.size() < 2) return std::nullopt;
    const group units{"units", {masks[0].size() / 2, 2}};
    return as_estimate(f(chance_within(count_overlap_by_layer(masks[0], masks[1], units), 1, 99)));
  };
}

using list = std::vector<double>;

const std::map<std::string, statistic> statistics{
    {"jaccard", of_pairs(jaccard)},
    {"dice", of_pairs(dice)},
    {"containment_of_first", of_pairs(containment_of_first)},
    {"containment_of_second", of_pairs(containment_of_second)},
    {"overlap_coefficient", of_pairs(overlap_coefficient)},
    {"hamming", of_pairs(hamming)},
    {"phi", of_pairs(phi)},
    {"cohen_kappa", of_pairs(cohen_kappa)},
    {"kuncheva", of_pairs(kuncheva)},
    {"mean_pairwise_jaccard", of_masks(mean_pairwise_jaccard<std::vector<mask>>)},
    {"expected_both", of_pairs(expected_both)},
    {"variance_of_both", of_pairs(variance_of_both)},
    {"z_of_both", of_pairs(z_of_both)},
    {"log_p_at_least", of_pairs(log_p_at_least)},
    {"p_at_least", of_pairs(p_at_least)},
    {"log_p_at_most", of_pairs(log_p_at_most)},
    {"p_at_most", of_pairs(p_at_most)},
    {"expected_jaccard", of_pairs(expected_jaccard)},
    {"chance_corrected_jaccard", of_pairs(chance_corrected_jaccard)},
    {"chance_within(...).expected_both",
     of_layers([](const stratified_chance& c) { return c.expected_both; })},
    {"chance_within(...).variance_of_both",
     of_layers([](const stratified_chance& c) { return c.variance_of_both; })},
    {"chance_within(...).p_at_least",
     of_layers([](const stratified_chance& c) { return c.p_at_least; })},
    {"fleiss_kappa", of_masks([](const auto& m) { return fleiss_kappa(m); })},
    {"krippendorff_alpha", of_masks([](const auto& m) { return krippendorff_alpha(m); })},
    {"cochran_q(...).q", of_masks([](const auto& m) { return cochran_q(m).q; })},
    {"cochran_q(...).p", of_masks([](const auto& m) { return cochran_q(m).p; })},
    {"cochran_q(...).log_p", of_masks([](const auto& m) { return cochran_q(m).log_p; })},
    {"nogueira(...).value", of_masks([](const auto& m) { return nogueira(m).value; })},
    {"nogueira(...).variance", of_masks([](const auto& m) { return nogueira(m).variance; })},
    {"nogueira(...).lower()", of_masks([](const auto& m) { return nogueira(m).lower(); })},
    {"nogueira(...).upper()", of_masks([](const auto& m) { return nogueira(m).upper(); })},
    {"p_of_difference",
     of_masks([](const auto& m) { return p_of_difference(nogueira(m), nogueira(m)); })},
    {"kept_by_all", of_survival([](const survival& s) { return s.kept_by_all(); })},
    {"kept_by_any", of_survival([](const survival& s) { return s.kept_by_any(); })},
    {"kept_by_none", of_survival([](const survival& s) { return s.kept_by_none(); })},
    {"kept_by_at_least(1)", of_survival([](const survival& s) { return s.kept_by_at_least(1); })},
    {"kept_by_share(0.5)", of_survival([](const survival& s) { return s.kept_by_share(0.5); })},
    {"in_periphery", of_survival([](const survival& s) { return s.in_periphery(); })},
    {"expected_survival(...).mean",
     of_survival([](const survival& s) { return expected_survival(s).mean; })},
    {"expected_survival(...).variance",
     of_survival([](const survival& s) { return expected_survival(s).variance; })},
    {"pearson", of_scores(pearson<list, list>)},
    {"spearman", of_scores(spearman<list, list>)},
    {"kendall_tau_b", of_scores(kendall_tau_b<list, list>)},
    {"top_overlap(..., 2)",
     of_scores([](const list& x, const list& y) { return top_overlap(x, y, 2); })},
    {"rank_biased_overlap(..., 0.9)",
     of_scores([](const list& x, const list& y) { return rank_biased_overlap(x, y, 0.9); })},
    {"rank_biased_overlap_study(..., 0.9).extrapolated",
     of_scores([](const list& x, const list& y) {
       return rank_biased_overlap_study(ranking_of(x), ranking_of(y), 0.9).extrapolated;
     })},
};

const std::map<std::string, reason> reasons{
    {"no_units", reason::no_units},
    {"too_few_masks", reason::too_few_masks},
    {"nothing_kept", reason::nothing_kept},
    {"first_keeps_nothing", reason::first_keeps_nothing},
    {"second_keeps_nothing", reason::second_keeps_nothing},
    {"a_mask_keeps_nothing", reason::a_mask_keeps_nothing},
    {"a_mask_is_constant", reason::a_mask_is_constant},
    {"masks_are_constant", reason::masks_are_constant},
    {"masks_are_identical", reason::masks_are_identical},
    {"chance_has_one_answer", reason::chance_has_one_answer},
    {"sizes_differ", reason::sizes_differ},
    {"too_few_units", reason::too_few_units},
    {"scores_are_constant", reason::scores_are_constant},
};

/// The table's row for an answer, for the message of a failure and for who edits the page.
std::string cell_of(const answer& a) {
  if (!a) return "-";
  for (const auto& [name, why] : reasons) {
    if (a->why == why) return "`" + name + "`";
  }
  std::ostringstream s;
  s << a->value + 0.0;
  return s.str();
}

/// Whether a cell says what was computed; numbers to the six digits that the page gives.
bool says(const std::string& cell, const answer& computed) {
  if (!computed || !computed->defined()) return cell == cell_of(computed);
  std::size_t read = 0;
  double value = 0.0;
  try {
    value = std::stod(cell, &read);
  } catch (const std::exception&) {
    return false;
  }
  return read == cell.size() && std::isfinite(computed->value) &&
         std::abs(value - computed->value) <= 5e-6 * std::abs(computed->value);
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in{line.substr(1)};
  for (std::string cell; std::getline(in, cell, '|');) {
    const std::size_t first = cell.find_first_not_of(' '), last = cell.find_last_not_of(' ');
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last + 1 - first));
  }
  return cells;
}

/// The rows of the table under `## Degenerate cases`, cells without spaces round them.
std::vector<std::vector<std::string>> read_table() {
  std::ifstream page{TOMBOLA_SOURCE_DIR "/docs/statistics.md"};
  REQUIRE(page.good());
  std::vector<std::vector<std::string>> rows;
  bool here = false;
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("## ", 0) == 0) here = line == "## Degenerate cases";
    if (here && line.rfind("|", 0) == 0) rows.push_back(cells_of(line));
  }
  return rows;
}

}  // namespace

TEST_CASE("the page's table of degenerate cases is what the functions answer") {
  auto rows = read_table();
  REQUIRE(rows.size() > 2);
  std::vector<std::string> heading{"statistic"};
  heading.insert(heading.end(), columns.begin(), columns.end());
  CHECK(rows[0] == heading);
  rows.erase(rows.begin(), rows.begin() + 2);  // the heading, and the line of dashes below it

  std::map<std::string, int> seen;
  for (const auto& row : rows) {
    INFO("row " << row[0]);
    REQUIRE(row.size() == columns.size() + 1);
    REQUIRE(row[0].size() > 2);
    const std::string name = row[0].substr(1, row[0].size() - 2);  // without back ticks
    CHECK(++seen[name] == 1);
    const auto found = statistics.find(name);
    REQUIRE(found != statistics.end());
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const answer computed = found->second(masks_of(columns[c]));
      if (computed) CHECK(computed->defined() != std::isnan(computed->value));
      INFO(columns[c] << ": the page says " << row[c + 1] << ", computed " << cell_of(computed));
      CHECK(says(row[c + 1], computed));
    }
  }
  for (const auto& [name, f] : statistics) {
    std::string row = "| `" + name + "` |";
    for (const auto& column : columns) row += " " + cell_of(f(masks_of(column))) + " |";
    INFO("not on the page: " << row);
    CHECK(seen.count(name) == 1);
  }
}

TEST_CASE("the comparison of a cell with an answer can fail") {
  CHECK(says("0.5", defined(0.5)));
  CHECK(says("1.73205", defined(std::sqrt(3.0))));
  CHECK(says("0", defined(0.0)));
  CHECK_FALSE(says("1.7321", defined(std::sqrt(3.0) + 1e-4)));
  CHECK_FALSE(says("0", defined(1e-9)));
  CHECK_FALSE(says("0.5", undefined(reason::no_units)));
  CHECK_FALSE(says("`no_units`", defined(0.5)));
  CHECK_FALSE(says("`no_units`", undefined(reason::nothing_kept)));
  CHECK_FALSE(says("-", defined(0.5)));
  CHECK_FALSE(says("0.5 or so", defined(0.5)));
  CHECK_FALSE(says("inf", defined(HUGE_VAL)));
}
