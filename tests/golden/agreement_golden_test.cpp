#include <fstream>
#include <set>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/algebra/agreement.hpp"
#include "tombola/algebra/chance.hpp"
#include "tombola/algebra/rank_biased_overlap.hpp"
#include "tombola/algebra/stability.hpp"

using namespace tombola;
using nlohmann::json;

namespace {

json read(const std::filesystem::path& path) {
  std::ifstream in{path};
  return json::parse(in);
}

/// The tolerance of the goldens: 1e-12 * max(1, magnitude).
void same(double found, const json& expected, const std::string& what) {
  INFO(what << ": found " << found << ", expected " << expected);
  REQUIRE(expected.is_number());
  const double e = expected.get<double>();
  REQUIRE(std::abs(found - e) <= 1e-12 * std::max(1.0, std::abs(e)));
}

void same(const estimate& found, const json& expected, const std::string& what) {
  INFO(what << ": found " << found.value << " (" << to_string(found.why) << "), expected "
            << expected);
  REQUIRE(found.defined() != expected.is_null());
  if (found.defined()) same(found.value, expected, what);
}

void same_pair(const overlap& o, const json& e, const std::string& what) {
  REQUIRE(o.both == e.at("both").get<std::size_t>());
  REQUIRE(o.first_only == e.at("first_only").get<std::size_t>());
  REQUIRE(o.second_only == e.at("second_only").get<std::size_t>());
  REQUIRE(o.neither == e.at("neither").get<std::size_t>());
  REQUIRE(hamming(o) == e.at("hamming").get<std::size_t>());
  same(jaccard(o), e.at("jaccard"), what + " jaccard");
  same(dice(o), e.at("dice"), what + " dice");
  same(containment_of_first(o), e.at("containment_of_first"), what + " containment");
  same(overlap_coefficient(o), e.at("overlap_coefficient"), what + " overlap coefficient");
  same(phi(o), e.at("phi"), what + " phi");
  same(cohen_kappa(o), e.at("cohen_kappa"), what + " kappa");
  same(kuncheva(o), e.at("kuncheva"), what + " Kuncheva");
  const json& chance = e.at("chance");
  same(expected_both(o), chance.at("mean"), what + " chance mean");
  same(variance_of_both(o), chance.at("variance"), what + " chance variance");
  same(log_p_at_least(o), chance.at("log_p_at_least"), what + " upper tail");
  same(log_p_at_most(o), chance.at("log_p_at_most"), what + " lower tail");
}

void same_study(const rank_biased_study& o, const json& e) {
  same(o.at_depth, e.at("rbo_at_k"), "study's cut-off sum");
  same(o.least, e.at("min"), "study's least");
  same(o.residual, e.at("residual"), "study's residual");
  same(o.extrapolated, e.at("extrapolated"), "study's extrapolated");
  same(o.average_overlap, e.at("average_overlap"), "study's average overlap");
}

/// The reason that a sentence of the goldens stands for.
void same_reason(const estimate& found, const json& table, const char* key) {
  if (found.defined()) return;
  static const std::map<reason, std::string> sentences{
      {reason::too_few_masks, "one mask"},
      {reason::masks_are_constant, "every mask keeps all, or every mask none"},
      {reason::masks_are_identical, "no unit on which the masks differ"}};
  REQUIRE(sentences.at(found.why) == table.at("undefined").at(key).get<std::string>());
}

}  // namespace

TEST_CASE("golden agreement tables") {
  const auto path = test::shared("goldens/agreement/tables.json");
  if (!path) return;
  std::size_t undefined_answers = 0;
  const json file = read(*path);
  REQUIRE_FALSE(file.at("tables").empty());
  for (const json& t : file.at("tables")) {
    const auto name = t.at("name").get<std::string>();
    std::vector<mask> masks;
    for (const json& row : t.at("masks")) {
      mask m{t.at("n").get<std::size_t>()};
      const auto bits = row.get<std::string>();
      REQUIRE(bits.size() == m.size());
      for (std::size_t i = 0; i < bits.size(); ++i) m.set(i, bits[i] == '1');
      masks.push_back(m);
    }
    REQUIRE(masks.size() == t.at("k").get<std::size_t>());

    const survival s = count_survival(masks);
    REQUIRE(s.sizes == t.at("sizes").get<std::vector<std::size_t>>());
    REQUIRE(s.units_by_survival == t.at("units_by_survival").get<std::vector<std::size_t>>());
    same(fleiss_kappa(s), t.at("fleiss_kappa"), name + " Fleiss");
    same_reason(fleiss_kappa(s), t, "fleiss_kappa");
    same(krippendorff_alpha(s), t.at("krippendorff_alpha"), name + " Krippendorff");
    same_reason(krippendorff_alpha(s), t, "krippendorff_alpha");
    const cochran c = cochran_q(s);
    const json& q = t.at("cochran_q");
    REQUIRE(c.q.defined() != q.is_null());
    same_reason(c.q, t, "cochran_q");
    if (q.is_null()) {
      ++undefined_answers;
    } else {
      REQUIRE(c.degrees == q.at("df").get<std::size_t>());
      same(c.q, q.at("q"), name + " Q");
      same(c.p, q.at("p"), name + " p");
      same(c.log_p, q.at("log_p"), name + " log p");
    }

    const auto null = expected_survival(s);
    const json& independent = t.at("independent");
    same(null.mean, independent.at("mean_survival"), name + " mean survival");
    same(null.variance, independent.at("variance_of_survival"), name + " variance of survival");
    const json& by_survival = independent.at("expected_units_by_survival");
    REQUIRE(by_survival.size() == null.expected_units_by_survival.size());
    for (std::size_t r = 0; r < by_survival.size(); ++r) {
      same(null.expected_units_by_survival[r], by_survival[r], name + " expected survival");
    }

    const stability n = nogueira(masks);
    const json& stable = t.at("nogueira");
    REQUIRE(n.value.defined() != stable.is_null());
    same_reason(n.value, t, "nogueira");
    if (!stable.is_null()) {
      same(n.value, stable.at("stability"), name + " stability");
      if (masks.size() < 3) {  // the published formula has an answer there, which we do not give
        REQUIRE(n.variance.why == reason::too_few_masks);
        REQUIRE(n.upper().why == reason::too_few_masks);
      } else {
        same(n.variance, stable.at("variance"), name + " variance of stability");
        same(n.lower(), stable.at("lower"), name + " lower end");
        same(n.upper(), stable.at("upper"), name + " upper end");
      }
    }

    const auto pairs = count_overlaps(masks);
    REQUIRE(pairs.size() == t.at("pairs").size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const json& e = t.at("pairs")[i];
      REQUIRE(pairs[i].first == e.at("first").get<std::size_t>());
      REQUIRE(pairs[i].second == e.at("second").get<std::size_t>());
      same_pair(pairs[i].counts, e, name);
    }
    const json& means = t.at("means_over_pairs");
    const auto distance = [](const overlap& o) { return defined(static_cast<double>(hamming(o))); };
    same(mean_pairwise_jaccard(masks), means.at("jaccard"), name + " mean jaccard");
    same(mean_over_pairs(pairs, dice), means.at("dice"), name + " mean dice");
    same(mean_over_pairs(pairs, distance), means.at("hamming"), name + " mean hamming");
    same(mean_over_pairs(pairs, phi), means.at("phi"), name + " mean phi");
    same(mean_over_pairs(pairs, cohen_kappa), means.at("cohen_kappa"), name + " mean kappa");
  }
  CHECK(undefined_answers > 0);
}

TEST_CASE("golden chance up to 85 million units") {
  const auto path = test::shared("goldens/agreement/chance.json");
  if (!path) return;
  const json file = read(*path);
  REQUIRE_FALSE(file.at("overlaps").empty());
  for (const json& e : file.at("overlaps")) {
    const overlap o =
        overlap_of_sizes(e.at("n").get<std::size_t>(), e.at("first").get<std::size_t>(),
                         e.at("second").get<std::size_t>(), e.at("both").get<std::size_t>());
    same_pair(o, e, e.at("n").dump() + " units, " + e.at("both").dump() + " shared");
    // Tails also to 1e-9 of their own size, however small.
    for (const auto& [found, key] : {std::pair{log_p_at_least(o), "log_p_at_least"},
                                     std::pair{log_p_at_most(o), "log_p_at_most"}}) {
      const double expected = e.at("chance").at(key).get<double>();
      INFO(e.dump() << " " << key << ": found " << found);
      REQUIRE(std::abs(found - expected) <= 1e-9 * std::abs(expected));
    }
  }
  REQUIRE_FALSE(file.at("poisson_binomial").empty());
  for (const json& e : file.at("poisson_binomial")) {
    const auto law = poisson_binomial(e.at("densities").get<std::vector<double>>());
    REQUIRE(law.size() == e.at("pmf").size());
    for (std::size_t r = 0; r < law.size(); ++r) same(law[r], e.at("pmf")[r], "Poisson-binomial");
  }
}

TEST_CASE("golden rankings: correlations and rank-biased overlap of scores") {
  const auto path = test::shared("goldens/agreement/rankings.json");
  if (!path) return;
  const json file = read(*path);
  REQUIRE_FALSE(file.at("scores").empty());
  for (const json& s : file.at("scores")) {
    const auto x = s.at("x").get<std::vector<double>>(), y = s.at("y").get<std::vector<double>>();
    same(pearson(x, y), s.at("pearson"), "Pearson");
    same(spearman(x, y), s.at("spearman"), "Spearman");
    same(kendall_tau_b(x, y), s.at("kendall_tau_b"), "Kendall");
    const json& top = s.at("top");
    REQUIRE(top_overlap(x, y, top.at("k").get<std::size_t>()) ==
            top.at("overlap").get<std::size_t>());
    for (const json& r : s.at("rbo")) {
      same(rank_biased_overlap(x, y, r.at("p").get<double>()), r.at("extrapolated"), "overlap");
    }
    for (const json& r : s.at("rbo_study")) {
      same_study(rank_biased_overlap_study(ranking_of(x), ranking_of(y), r.at("p").get<double>()),
                 r);
    }
  }
}

TEST_CASE("golden rankings: rank-biased overlap of lists") {
  const auto path = test::shared("goldens/agreement/rankings.json");
  if (!path) return;
  const json file = read(*path);
  REQUIRE_FALSE(file.at("lists").empty());
  for (const json& l : file.at("lists")) {
    std::map<std::string, std::size_t> items;
    const auto list = [&items](const json& entries) {
      ranking r;
      for (const json& entry : entries) {
        r.emplace_back();
        for (const json& item : entry) {
          const auto at = items.emplace(item.get<std::string>(), items.size()).first;
          r.back().push_back(at->second);
        }
      }
      return r;
    };
    const ranking first = list(l.at("first")), second = list(l.at("second"));
    for (const json& r : l.value("rbo", json::array())) {  // only lists without ties have one
      const rank_biased o = rank_biased_overlap(first, second, r.at("p").get<double>());
      same(o.least, r.at("min"), "least");
      same(o.residual, r.at("residual"), "residual");
      same(o.extrapolated, r.at("extrapolated"), "extrapolated");
    }
    for (const json& r : l.at("rbo_study")) {
      same_study(rank_biased_overlap_study(first, second, r.at("p").get<double>()), r);
    }
  }
}
