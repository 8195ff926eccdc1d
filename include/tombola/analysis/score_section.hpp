#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/analysis/dots.hpp"
#include "tombola/analysis/markup.hpp"
#include "tombola/analysis/report_style.hpp"
#include "tombola/analysis/result.hpp"
#include "tombola/analysis/score_tables.hpp"
#include "tombola/analysis/scores_by_ticket.hpp"
#include "tombola/analysis/settings.hpp"
#include "tombola/analysis/table.hpp"
#include "tombola/analysis/verdicts.hpp"

namespace tombola::analysis {

/// The scores of a group as dots: a row for each kind of ticket and phase, a dot for each seed; the
/// majority class and the full model's mean as lines.
[[nodiscard]] inline dot_figure score_figure(const score_group& g) {
  dot_figure f;
  f.title = g.task + ": " + g.metric + " of full model and tickets, each seed a dot";
  f.axis = g.metric;
  for (const score_row& r : g.rows) {
    dot_row row;
    row.label = name_of(r.kind) + (!r.kind ? " model" : r.retrained ? ", retrained" : ", masked");
    for (const seed_score& s : r.seeds) {
      row.dots.push_back({"seed " + std::to_string(s.seed), s.score, detail::undefined_words(s)});
    }
    row.mean = r.over_seeds.mean;
    row.deviation = r.over_seeds.deviation;
    row.emphasis = r.retrained;
    f.rows.push_back(std::move(row));
  }
  if (g.majority) f.lines.push_back({"majority class", *g.majority});
  const score_row* full = g.find(std::nullopt, false);
  if (full != nullptr && full->over_seeds.mean) {
    f.lines.push_back({"full model", *full->over_seeds.mean});
  }
  return f;
}

namespace detail {

[[nodiscard]] constexpr std::string_view badge_class(outcome o) noexcept {
  switch (o) {
    case outcome::holds:
      return "badge yes";
    case outcome::in_part:
      return "badge part";
    case outcome::does_not_hold:
      return "badge no";
    case outcome::by_construction:
    case outcome::cannot_tell:
      break;
  }
  return "badge";
}

/// The claims, a block for each task and family.
[[nodiscard]] inline std::string verdict_list(std::span<const verdict> all) {
  markup m;
  m.open("div", {{"class", "grid"}});
  std::string heading;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const verdict& v = all[i];
    const std::string here = v.task + ", " + in_words(v.family);
    if (i == 0 || here != heading) {
      if (i > 0) m.close().close();
      m.open("div").leaf("h3", here).open("ul", {{"class", "verdicts"}}).line();
      heading = here;
    }
    m.open("li").leaf("span", {{"class", std::string{badge_class(v.decision)}}},
                      to_string(v.decision));
    m.leaf("span", {{"class", "claim"}}, v.claim).leaf("small", v.finding).close().line();
  }
  if (!all.empty()) m.close().close();
  m.close();
  return m.str();
}

/// How many of the claims hold, for the first line.
[[nodiscard]] inline std::string tally(std::span<const verdict> all) {
  std::size_t count[5] = {0, 0, 0, 0, 0};
  for (const verdict& v : all) ++count[static_cast<std::size_t>(v.decision)];
  const std::string built =
      count[4] == 0 ? "" : " By construction: " + std::to_string(count[4]) + ".";
  return "Of " + std::to_string(all.size()) + " claims checked here, " + std::to_string(count[0]) +
         " hold, " + std::to_string(count[1]) + " hold in part, " + std::to_string(count[2]) +
         " do not hold, and of " + std::to_string(count[3]) + " nothing can be told." + built;
}

/// What `units kept` counts, where tickets have units of several kinds.
[[nodiscard]] inline std::string kept_words(std::span<const score_group> groups) {
  bool both = false, all = false;
  for (const score_group& g : groups) {
    both = both || g.family == ticket_family::heads_mlps;
    all = all || g.family == ticket_family::structures;
  }
  if (!both && !all) return {};
  return std::string{"Units kept counts "} + (all ? "heads, MLPs and neurons" : "heads and MLPs") +
         " alike, each as one unit. ";
}

}  // namespace detail

/// What the study claims, and what was found. scored: claims about scores are among them.
[[nodiscard]] inline std::string findings_section(std::span<const verdict> all, bool scored) {
  markup m;
  m.open("section", {{"id", "findings"}}).leaf("h2", "Findings").leaf("p", detail::tally(all));
  if (scored) {
    m.leaf("p", {{"class", "note"}},
           "Claims are listed for which there are runs. A claim holds where it does in every seed "
           "that is compared, in part where it does in some. Of full by the means: the ratio of "
           "the two means over those seeds. By construction: the search took no ticket below "
           "that score on these examples, so it could not fail. The majority class is the "
           "commonest one of the training set.");
  }
  m.raw(detail::verdict_list(all)).close().line();
  return m.str();
}

/// Table and figure of every group.
[[nodiscard]] inline std::string score_section(std::span<const score_group> groups) {
  markup m;
  m.open("section", {{"id", "scores"}}).leaf("h2", "Scores");
  m.leaf(
      "p", {{"class", "note"}},
      "Masked: the trained model under the ticket, before retraining. Retrained: trained again "
      "from the start inside the ticket. A hollow or full dot is one seed, a bar the mean, a "
      "line one sample deviation (n - 1) to each side. Majority class: what always answering the "
      "training set's commonest class scores. Of full, of gain: ratios of means over the seeds "
      "that also have a full model; of "
      "gain is the share of what the full model gains over the majority class. " +
          detail::kept_words(groups) +
          "Good tickets were chosen on the examples they are scored on, unless the search used "
          "--select train: before retraining their scores are optimistic.");
  for (const score_group& g : groups) {
    const std::string over = in_words(family_and_variant(g.family, g.variant));
    m.leaf("h3", g.task + ", " + over);
    m.raw(detail::framed(g.task, g.metric + (g.family ? "; tickets over " + over : ""),
                         draw(score_figure(g))));
    m.raw(to_html(score_table(g))).line();
    if (const std::string why = undefined_note(g); !why.empty()) {
      m.leaf("p", {{"class", "note"}}, why).line();
    }
  }
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis
