#include "tombola/prune/study.hpp"

#include <numeric>

#include "tests/support/catch.hpp"
#include "tests/support/toy_objective.hpp"

using namespace tombola;
using test::scripted_objective;
using test::toy_objective;

namespace {

std::string bits(const prune_result& r) {
  return scripted_objective::to_bits(r.accepted);
}

std::vector<std::string> phases(const trace& t) {
  std::vector<std::string> names;
  for (const auto& s : t.steps) names.push_back(s.phase);
  return names;
}

using words = std::vector<std::string>;

/// Spec 4.1 to 4.3 again, as a plain loop over flags: one variable for each of the text's.
struct by_the_text {
  toy_objective o;
  double threshold = 0.0, score = 0.0, best = 0.0;
  ticket accepted_heads, accepted_mlps, tried;  // of each only its own group is looked at
  std::vector<scores> importance;

  by_the_text(const toy_objective& of, double share) : o{of}, tried{test::toy_groups()} {
    accepted_heads = accepted_mlps = tried;
    evaluate();
    best = score;
    threshold = share * score;
  }
  void evaluate() {
    score = o.metric(tried);
    importance = o.scores(tried);
  }
  bool zero_lowest(std::size_t g, const ticket& accepted, std::size_t n) {
    bool any = false;
    for (; n > 0 && tried[g].count() > 0; --n) {
      std::size_t lowest = tried[g].size();
      for (std::size_t u = 0; u < tried[g].size(); ++u) {
        if (!accepted[g][u] || !tried[g][u]) continue;
        if (lowest == tried[g].size() || importance[g][u] <= importance[g][lowest]) lowest = u;
      }
      tried.set(g, lowest, false);
      any = true;
    }
    return any;
  }
  void together(std::size_t n) {
    while (score >= threshold) {
      best = score;
      accepted_heads = tried;
      if (!zero_lowest(0, accepted_heads, n)) break;
      accepted_mlps = tried;
      if (!zero_lowest(1, accepted_mlps, 1)) break;
      evaluate();
    }
  }
  void alone(std::size_t g, std::size_t n) {
    tried.replace(0, accepted_heads[0]);
    tried.replace(1, accepted_mlps[1]);
    score = best;
    while (score >= threshold) {
      best = score;
      (g == 0 ? accepted_heads : accepted_mlps) = tried;
      if (!zero_lowest(g, tried, n)) break;
      evaluate();
    }
  }
  std::string result() const {
    ticket t = accepted_heads;
    t.replace(1, accepted_mlps[1]);
    return scripted_objective::to_bits(t);
  }
};

}  // namespace

TEST_CASE("heads go in steps, by the scores of the candidate just accepted") {
  scripted_objective o{{{1.0, {5, 1, 2, 4, 3}, {1}},
                        {0.92, {1, 9, 9, 2, 3}, {1}},    // 10011 1
                        {0.90, {0, 0, 0, 0, 0}, {1}},    // 00001 1, exactly at the threshold
                        {0.89, {0, 0, 0, 0, 0}, {1}}}};  // 00000 1
  const prune_result r = study::search_heads(o, {.amount = 0.5});
  CHECK(o.asked == words{"11111 1", "10011 1", "00001 1", "00000 1"});
  CHECK(bits(r) == "00001 1");
  CHECK(phases(r.steps) == words{"full", "heads", "heads", "heads"});
  CHECK(r.steps.threshold == 0.9);
  CHECK(r.steps.steps[3].scores.size() == 2);
  CHECK(r.accepted.origin.kind == "good");
}

TEST_CASE("MLPs go one at a time, whatever the amount") {
  scripted_objective o{{{1.0, {1}, {3, 1, 2, 4}},
                        {1.0, {1}, {1, 0, 2, 3}},    // 1 1011
                        {1.0, {1}, {0, 0, 2, 1}},    // 1 0011
                        {0.5, {1}, {0, 0, 0, 0}}}};  // 1 0010
  CHECK(bits(study::search_mlps(o, {.amount = 1.0})) == "1 0011");
  CHECK(o.asked == words{"1 1111", "1 1011", "1 0011", "1 0010"});
}

TEST_CASE("a search that nothing stops ends with nothing") {
  const std::vector<test::scripted_answer> fine(9, {1.0, {1, 2, 3}, {1, 2}});
  scripted_objective heads{fine}, mlps{fine}, both{fine};
  CHECK(bits(study::search_heads(heads)) == "000 11");
  CHECK(bits(study::search_mlps(mlps)) == "111 00");
  CHECK(heads.asked.size() == 4);
  CHECK(mlps.asked.size() == 3);
  CHECK(bits(study::search_joint(both)) == "000 00");
  CHECK(both.asked == words{"111 11", "011 01", "001 00", "000 00"});
}

TEST_CASE("phases two and three start from the scores of rejected candidates") {
  scripted_objective o{{{1.0, {4, 3, 2, 1}, {3, 2, 1}},
                        {0.95, {1, 2, 9, 9}, {1, 2, 9}},  // joint 1100 110
                        {0.5, {2, 1, 9, 9}, {2, 1, 9}},   // joint 0000 010, rejected
                        {0.92, {1, 9, 9, 9}, {1, 2, 9}},  // heads 1000 110: head 1, not head 0
                        {0.3, {1, 9, 9, 9}, {2, 1, 9}},   // heads 0000 110, rejected
                        {0.91, {9, 9, 9, 9}, {1, 9, 9}},  // mlps 1000 100: MLP 1, not MLP 0
                        {0.1, {9, 9, 9, 9}, {9, 9, 9}}}};
  const prune_result r = study::search_joint(o, {.amount = 0.5});
  CHECK(o.asked ==
        words{"1111 111", "1100 110", "0000 010", "1000 110", "0000 110", "1000 100", "1000 000"});
  CHECK(phases(r.steps) == words{"full", "joint", "joint", "heads", "heads", "mlps", "mlps"});
  CHECK(bits(r) == "1000 100");
}

TEST_CASE("out of heads, the MLPs handed on are one removal behind") {
  scripted_objective o{{{1.0, {1, 2}, {1, 2, 3}},
                        {1.0, {9, 2}, {9, 2, 3}},    // joint 01 011
                        {1.0, {0, 0}, {7, 9, 8}},    // joint 00 001, accepted; then out of heads
                        {0.0, {0, 0}, {0, 0, 0}}}};  // mlps 00 010: MLP 2 goes in MLP 1's stead
  const prune_result r = study::search_joint(o, {.amount = 0.5});
  CHECK(o.asked == words{"11 111", "01 011", "00 001", "00 010"});
  CHECK(bits(r) == "00 011");
}

TEST_CASE("out of MLPs, the heads chosen in that step stay") {
  scripted_objective o{{{1.0, {1, 2, 3, 4}, {1}},
                        {1.0, {9, 4, 3, 2}, {0}},    // joint 0111 0; then out of MLPs
                        {0.2, {9, 9, 9, 9}, {0}}}};  // heads 0110 0, rejected
  CHECK(bits(study::search_joint(o, {.amount = 0.25})) == "0111 0");
  CHECK(o.asked == words{"1111 1", "0111 0", "0110 0"});
}

TEST_CASE("on drawn toys the searches are those of the text") {
  std::size_t unlike_the_default = 0, one_behind = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const double share = std::vector<double>{0.9, 0.6, 0.3, 0.0}[seed % 4];
    const double amount = seed % 3 == 0 ? 0.5 : 0.25;
    const std::size_t k = amount == 0.5 ? 4 : 2;
    const study::search_options options{.threshold = share, .amount = amount};
    toy_objective o = toy_objective::drawn(seed);
    by_the_text heads{o, share}, mlps{o, share}, both{o, share};
    heads.alone(0, k);
    mlps.alone(1, 1);
    both.together(k);
    one_behind +=
        both.accepted_mlps[1].count() > both.tried[1].count() && both.score >= both.threshold;
    both.alone(0, k / 2);
    both.alone(1, 1);
    REQUIRE(bits(study::search_heads(o, options)) == heads.result());
    REQUIRE(bits(study::search_mlps(o, options)) == mlps.result());
    const prune_result joint = study::search_joint(o, options);
    REQUIRE(bits(joint) == both.result());
    const auto general = prune(o, {.share = amount, .rule = guard::study(share)});
    unlike_the_default += bits(general) != bits(joint);
  }
  CHECK(unlike_the_default > 20);
  CHECK(one_behind > 20);
}

TEST_CASE("a baseline below zero stops the study's searches at once, one of zero never") {
  scripted_objective below{{{-0.5, {1, 2}, {1}}}};
  CHECK(bits(study::search_joint(below)) == "11 1");
  scripted_objective zero{{{0.0, {1, 2}, {1}}, {0.0, {1, 2}, {1}}, {0.0, {1, 2}, {1}}}};
  CHECK(bits(study::search_heads(zero)) == "00 1");
}

TEST_CASE("the study's groups have to be there") {
  toy_objective o = toy_objective::drawn(1);
  CHECK_THROWS_WITH(study::search_joint(o, {.mlps = "ffn"}),
                    "objective: has no group ffn, which the study's search prunes");
  CHECK_THROWS_AS(study::search_heads(o, {.heads = "ffn"}), input_error);
  CHECK_THROWS_AS(study::search_heads(o, {.amount = 0.0}), input_error);
  CHECK_THROWS_AS(study::search_heads(o, {.threshold = 1.5}), input_error);
}

namespace {

struct hundred_weights {
  std::vector<float> values = std::vector<float>(100);
  std::vector<weight_span> spans;
  hundred_weights() {
    for (std::size_t i = 0; i < 100; ++i) values[i] = static_cast<float>(i * 37 % 101);
    spans = {{{"w", {10, 10}}, values}};
  }
};

}  // namespace

TEST_CASE("thirty steps keep the ticket before the last one evaluated") {
  const hundred_weights w;
  const prune_result r = study::search_weights(w.spans, [](const ticket&) { return 1.0; });
  const auto left = survivors(share_of_left{0.05, 30}, 100);
  REQUIRE(r.steps.steps.size() == 31);
  for (std::size_t i = 0; i <= 30; ++i) CHECK(r.steps.steps[i].candidate.count() == left[i]);
  CHECK(r.accepted.count() == left[29]);
  CHECK(left[29] > left[30]);
  CHECK(
      std::ranges::equal(r.accepted.masks(), remove_by_magnitude(w.spans, 100 - left[29]).masks()));
}

TEST_CASE("a rejected step of weights is dropped") {
  const hundred_weights w;
  const auto r = study::search_weights(
      w.spans, [](const ticket& t) { return static_cast<double>(t.count()); });
  // 95, 90 (the product 4.75 rounds to 5), then 86 < 90.
  CHECK(r.accepted.count() == 90);
  CHECK(r.steps.steps.size() == 4);
  CHECK(r.steps.steps[2].accepted);
  CHECK_FALSE(r.steps.steps[3].accepted);
}

TEST_CASE("a step that removes nothing ends the search of weights") {
  const std::vector<float> w(12, 1.0F);
  const std::vector<weight_span> spans{{{"w", {12}}, w}};
  int asked = 0;
  const auto r = study::search_weights(spans, [&](const ticket&) { return ++asked, 1.0; });
  // 12, 11, 10: round(0.5) is 0.
  CHECK(r.accepted.count() == 10);
  CHECK(asked == 3);
  CHECK(study::search_weights(spans, [](const ticket&) { return 1.0; }, {.total_steps = 0})
            .accepted.count() == 12);
  CHECK_THROWS_AS(study::search_weights(spans, [](const ticket&) { return 1.0; }, {.amount = 1.5}),
                  input_error);
}
