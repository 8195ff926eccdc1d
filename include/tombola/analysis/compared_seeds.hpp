#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tombola/analysis/moments.hpp"
#include "tombola/analysis/scores_by_ticket.hpp"
#include "tombola/analysis/settings.hpp"

namespace tombola::analysis {

/// Scores side by side, seed by seed, and the seeds that are left out because there is nothing to
/// compare in them.
struct compared_seeds {
  std::vector<double> first, second;                          ///< [seed] of those that count
  std::vector<std::pair<std::string, std::size_t>> left_out;  ///< why, and how many

  [[nodiscard]] std::size_t size() const noexcept { return first.size(); }

  void add(double a, double b) {
    first.push_back(a);
    second.push_back(b);
  }

  void leave_out(const std::string& why) {
    const auto at = std::find_if(left_out.begin(), left_out.end(),
                                 [&](const auto& other) { return other.first == why; });
    if (at == left_out.end()) {
      left_out.emplace_back(why, 1);
    } else {
      ++at->second;
    }
  }

  /// `in 1 seed both are the same ticket`; several such split by a comma; empty where none is.
  [[nodiscard]] std::string left_out_text() const {
    std::string all;
    for (const auto& [why, n] : left_out) {
      all += (all.empty() ? "in " : ", in ") + std::to_string(n) + (n == 1 ? " seed " : " seeds ") +
             why;
    }
    return all;
  }
};

namespace detail {

[[nodiscard]] inline const seed_score* score_of(const score_row* row, std::uint64_t seed) {
  if (row == nullptr) return nullptr;
  for (const seed_score& s : row->seeds) {
    if (s.seed == seed) return &s;
  }
  return nullptr;
}

/// Whether both were scored under one and the same ticket, as far as is known.
[[nodiscard]] inline bool same_ticket(const seed_score* a, const seed_score* b) {
  return a != nullptr && b != nullptr && !a->ticket.empty() && a->ticket == b->ticket;
}

}  // namespace detail

/// What the commonest class scores in a seed of the group: its own, else the group's.
[[nodiscard]] inline std::optional<double> majority_of(const score_group& g, const seed_score& s) {
  return s.majority ? s.majority : g.majority;
}

/// Two tickets in the seeds that have both. Where a search keeps all or nothing, the good, the
/// random and the bad ticket are one: such a seed says nothing of which is better.
[[nodiscard]] inline compared_seeds compare_tickets(const score_row* a, const score_row* b) {
  compared_seeds c;
  if (a == nullptr || b == nullptr) return c;
  for (const seed_score& x : a->seeds) {
    const seed_score* y = detail::score_of(b, x.seed);
    if (y == nullptr) continue;
    if (detail::same_ticket(&x, y)) {
      c.leave_out("both are the same ticket");
    } else {
      c.add(x.score, y->score);
    }
  }
  return c;
}

/// A kind of ticket and the full model of the same seed. Left out: seeds whose ticket keeps
/// everything, which compare the full model with itself; of random and bad, those whose ticket is
/// the good one; and seeds whose full model learnt nothing that a ticket could keep.
[[nodiscard]] inline compared_seeds compare_with_full(const score_group& g,
                                                      ticket_kind kind,
                                                      bool retrained) {
  compared_seeds c;
  const score_row *row = g.find(kind, retrained), *all = g.find(std::nullopt, false);
  if (row == nullptr || all == nullptr) return c;
  const bool control = kind == ticket_kind::random || kind == ticket_kind::bad;
  for (const seed_score& s : row->seeds) {
    const seed_score* full = detail::score_of(all, s.seed);
    if (full == nullptr) continue;
    const auto is_good = [&](bool phase) {
      return detail::same_ticket(&s, detail::score_of(g.find(ticket_kind::good, phase), s.seed));
    };
    const auto majority = majority_of(g, *full);
    if (majority && full->score <= *majority) {
      c.leave_out("the full model does not beat the majority class");
    } else if (full->score <= 0.0) {
      c.leave_out("the full model's score is not above 0");
    } else if (s.keeps_all) {
      c.leave_out("the ticket keeps everything");
    } else if (control && (is_good(retrained) || is_good(!retrained))) {
      c.leave_out("the ticket is the good one");
    } else {
      c.add(s.score, full->score);
    }
  }
  return c;
}

}  // namespace tombola::analysis
