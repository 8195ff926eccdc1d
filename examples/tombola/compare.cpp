// compare: the overlap of every pair of masks, group by group and in all, beside what chance gives.

#include <cmath>
#include <iostream>
#include <string>

#include "examples/tombola/mask_commands.hpp"
#include "examples/tombola/mask_files.hpp"
#include <fmt/format.h>

#include "tombola/algebra/chance.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/algebra/stability.hpp"

namespace tombola::driver {

namespace {

nlohmann::json to_json(const overlap& o) {
  nlohmann::json j{{"units", o.size()},
                   {"first", o.first()},
                   {"second", o.second()},
                   {"both", o.both},
                   {"first_only", o.first_only},
                   {"second_only", o.second_only},
                   {"neither", o.neither},
                   {"expected_both", expected_both(o)},
                   {"hamming", hamming(o)},
                   {"p_at_least", p_at_least(o)},
                   {"log_p_at_least", log_p_at_least(o)},
                   {"p_at_most", p_at_most(o)},
                   {"log_p_at_most", log_p_at_most(o)}};
  put(j, "jaccard", jaccard(o));
  put(j, "expected_jaccard", expected_jaccard(o));
  put(j, "chance_corrected_jaccard", chance_corrected_jaccard(o));
  put(j, "dice", dice(o));
  put(j, "containment_of_first", containment_of_first(o));
  put(j, "containment_of_second", containment_of_second(o));
  put(j, "overlap_coefficient", overlap_coefficient(o));
  put(j, "phi", phi(o));
  put(j, "cohen_kappa", cohen_kappa(o));
  put(j, "kuncheva", kuncheva(o));
  return j;
}

/// A probability that may be far below the smallest double.
std::string probability(double p, double log_p) {
  return p > 1e-300 ? fmt::format("{:.3g}", p) : fmt::format("1e{:.0f}", log_p / std::log(10.0));
}

void print(const std::string& name, const overlap& o) {
  std::cout << fmt::format(
      "  {}: keep {} and {} of {}, both {}\n"
      "    jaccard {} (chance {}), at least this by chance: p = {}\n"
      "    dice {}, overlap coefficient {}, phi {}, kappa {}, hamming {}\n",
      name, o.first(), o.second(), o.size(), o.both, text_of(jaccard(o)),
      text_of(expected_jaccard(o)), probability(p_at_least(o), log_p_at_least(o)), text_of(dice(o)),
      text_of(overlap_coefficient(o)), text_of(phi(o)), text_of(cohen_kappa(o)), hamming(o));
}

}  // namespace

void compare(const std::vector<std::filesystem::path>& files, const common_options& c) {
  if (files.size() < 2) {
    throw input_error("compare: " + std::to_string(files.size()) + " file, expected at least two");
  }
  const std::vector<ticket> all = read_masks(files);
  nlohmann::json pairs = nlohmann::json::array();
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = i + 1; j < all.size(); ++j) {
      const auto by_group = count_overlap_by_group(all[i], all[j]);
      nlohmann::json pair{{"first_file", files[i].string()},
                          {"second_file", files[j].string()},
                          {"all", to_json(count_overlap(all[i], all[j]))},
                          {"groups", nlohmann::json::object()}};
      if (!c.json) std::cout << files[i].string() << "  and  " << files[j].string() << '\n';
      const bool few = by_group.size() <= 4;
      for (std::size_t g = 0; g < by_group.size(); ++g) {
        const std::string& name = all[i].groups()[g].name;
        pair["groups"][name] = to_json(by_group[g]);
        if (!c.json && few) print(name, by_group[g]);
      }
      if (!c.json && by_group.size() > 1) print("all", count_overlap(all[i], all[j]));
      pairs.push_back(std::move(pair));
    }
  }
  if (c.json) std::cout << nlohmann::json{{"pairs", pairs}}.dump() << '\n';
}

}  // namespace tombola::driver
