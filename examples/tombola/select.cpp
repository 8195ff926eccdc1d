// select: scores to a mask.

#include "tombola/prune/select.hpp"

#include <array>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "examples/tombola/checkpoint_commands.hpp"
#include "examples/tombola/json_line.hpp"
#include "examples/tombola/mask_commands.hpp"
#include "examples/tombola/mask_files.hpp"
#include "examples/tombola/score_files.hpp"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tombola/prune/schedule.hpp"
#include "tombola/prune/select_rows.hpp"
#include "tombola/prune/select_within.hpp"
#include "tombola/prune/weights.hpp"

namespace tombola::driver {

namespace {

std::size_t to_remove(const select_options& o, std::size_t size, const std::string& of) {
  const std::size_t keep = o.share ? share_of(*o.share, size) : *o.count;
  if (keep > size) {
    throw input_error("select: asked to keep " + std::to_string(keep) + " units of " +
                      std::to_string(size) + " in " + of);
  }
  return size - keep;
}

/// In one ranking over all groups of the ticket.
ticket select_from(const ticket& full,
                   std::span<const scores> ranked,
                   const select_options& o,
                   const std::string& of,
                   std::size_t threads) {
  const std::size_t k = to_remove(o, full.size(), of);
  if (o.least || o.most) {
    const limits each{o.least.value_or(0), o.most.value_or(limits{}.most)};
    return remove_lowest_within(full, ranked, k, part::layer, std::array{each});
  }
  std::vector<weight_span> spans;
  for (const scores& s : ranked) spans.push_back({s.group(), s.values()});
  return remove_by_score(spans, full, k, threads);
}

ticket make(const select_options& o, std::size_t threads) {
  if (!o.share && !o.count && o.keep_of.empty()) {
    throw input_error("select: how many is not said, expected --keep-share, --keep or --keep-of");
  }
  std::vector<scores> ranked = read_scores(o.scores);
  std::vector<group> groups;
  for (scores& s : ranked) {
    s = normalised(s, o.how);
    groups.push_back(s.group());
  }
  ticket t{std::move(groups)};
  if (!o.keep_of.empty()) {
    const auto [n, m] = pattern_of(o.keep_of, "select: --keep-of");
    for (std::size_t g = 0; g < ranked.size(); ++g) t.replace(g, keep_n_of_m(ranked[g], n, m));
    return t;
  }
  if (o.within == select_options::scope::all) {
    return select_from(t, ranked, o, "all groups", threads);
  }
  for (std::size_t g = 0; g < ranked.size(); ++g) {
    const ticket one{{ranked[g].group()}};
    const std::string name = to_string(ranked[g].group());
    t.replace(g, select_from(one, std::span{ranked}.subspan(g, 1), o, name, threads)[0]);
  }
  return t;
}

}  // namespace

void select(const select_options& o, const common_options& c) {
  const ticket t = make(o, static_cast<std::size_t>(c.threads));
  write_masks(o.out, t, io::mask_number::float32);
  nlohmann::json groups = nlohmann::json::object();
  for (std::size_t g = 0; g < t.groups().size(); ++g) {
    groups[t.groups()[g].name] = {{"kept", t[g].count()}, {"size", t[g].size()}};
    if (!c.json && t.groups().size() > 1) {
      std::cout << fmt::format("{}: keeps {} of {} units\n", t.groups()[g].name, t[g].count(),
                               t[g].size());
    }
  }
  if (c.json) {
    std::cout << json_line(
        {{"file", o.out.string()}, {"kept", t.count()}, {"size", t.size()}, {"groups", groups}});
  } else {
    std::cout << fmt::format("keeps {} of {} units\n{}\n", t.count(), t.size(), o.out.string());
  }
}

}  // namespace tombola::driver
