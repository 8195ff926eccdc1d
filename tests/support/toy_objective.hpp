#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/random.hpp"
#include "tombola/prune/objective.hpp"

namespace tombola::test {

inline std::vector<group> toy_groups() {
  return {{"heads", {2, 4}}, {"mlps", {4}}};
}

/// Twelve numbers: what each head and each MLP is worth. Two pruned neighbours of a group cost
/// `bond` on top, so that scores depend on the ticket. A score is what the metric loses by the
/// unit.
class toy_objective {
public:
  explicit toy_objective(std::array<double, 12> worth, double bond = 0.0)
      : worth_{worth}, bond_{bond} {}

  /// Worths that are multiples of 1/8, so that sums are exact and ties occur.
  static toy_objective drawn(std::uint64_t seed) {
    const random_stream r{seed, purpose::subset};
    std::array<double, 12> worth{};
    for (std::size_t i = 0; i < 12; ++i) worth[i] = static_cast<double>(r.below(9, i)) / 8;
    return toy_objective{worth, static_cast<double>(r.below(3, 12)) / 8};
  }

  std::vector<group> groups() const { return toy_groups(); }

  double metric(const ticket& t) {
    ++metrics_asked;
    return value(t);
  }

  std::vector<tombola::scores> scores(const ticket& t) {
    ++scores_asked;
    std::vector<tombola::scores> all;
    for (std::size_t g = 0; g < 2; ++g) {
      std::vector<float> s(t[g].size());
      for (std::size_t u = 0; u < s.size(); ++u) {
        ticket with = t, without = t;
        with.set(g, u, true);
        without.set(g, u, false);
        s[u] = static_cast<float>(value(with) - value(without));
      }
      all.emplace_back(toy_groups()[g], std::move(s));
    }
    return all;
  }

  int metrics_asked = 0;
  int scores_asked = 0;

private:
  double value(const ticket& t) const {
    double sum = 0.0;
    for (std::size_t g = 0; g < 2; ++g) {
      for (std::size_t u = 0; u < t[g].size(); ++u) {
        if (t[g][u]) sum += worth_[g * 8 + u];
        if (u > 0 && !t[g][u] && !t[g][u - 1]) sum -= bond_;
      }
    }
    return sum;
  }

  std::array<double, 12> worth_;
  double bond_;
};

static_assert(objective<toy_objective>);
static_assert(!measuring_objective<toy_objective>);

/// One answer of a scripted objective.
struct scripted_answer {
  double metric;
  std::vector<float> heads, mlps;
};

/// Gives prepared answers in the order it is asked, whatever the ticket, and notes the tickets.
class scripted_objective {
public:
  explicit scripted_objective(std::vector<scripted_answer> answers)
      : answers_{std::move(answers)},
        groups_{{"heads", {answers_.at(0).heads.size()}}, {"mlps", {answers_.at(0).mlps.size()}}} {}

  const std::vector<group>& groups() const { return groups_; }
  double metric(const ticket& t) { return measure(t).metric; }
  std::vector<tombola::scores> scores(const ticket& t) { return measure(t).scores; }
  measurement measure(const ticket& t) {
    const scripted_answer& a = answers_.at(asked.size());
    asked.push_back(to_bits(t));
    return {a.metric, {{groups_[0], a.heads}, {groups_[1], a.mlps}}};
  }

  /// `1100 110`: heads, then MLPs.
  static std::string to_bits(const ticket& t) {
    std::string s;
    for (std::size_t g = 0; g < t.groups().size(); ++g) {
      if (g > 0) s += ' ';
      for (std::size_t u = 0; u < t[g].size(); ++u) s += t[g][u] ? '1' : '0';
    }
    return s;
  }

  std::vector<std::string> asked;

private:
  std::vector<scripted_answer> answers_;
  std::vector<group> groups_;
};

static_assert(measuring_objective<scripted_objective>);

}  // namespace tombola::test
