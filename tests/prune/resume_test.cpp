#include "tombola/prune/resume.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/toy_objective.hpp"

#include "tombola/prune/pruner.hpp"
#include "tombola/prune/study.hpp"

using namespace tombola;
using test::toy_objective;

namespace {

void check_same(const trace& a, const trace& b) {
  REQUIRE(a.steps.size() == b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    CHECK(a.steps[i].phase == b.steps[i].phase);
    CHECK(a.steps[i].candidate == b.steps[i].candidate);
    CHECK(a.steps[i].metric == b.steps[i].metric);
    CHECK(a.steps[i].scores == b.steps[i].scores);
  }
}

}  // namespace

TEST_CASE("a search cut off after any step ends as if it had not been") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    toy_objective o = toy_objective::drawn(seed);
    const auto whole = prune(o, {.rule = guard::share_of_baseline(0.5)});
    const auto joint = study::search_joint(o, {.threshold = 0.5, .amount = 0.25});
    for (const auto& [full, general] : {std::pair{&whole, true}, std::pair{&joint, false}}) {
      for (std::size_t cut = 0; cut <= full->steps.steps.size(); ++cut) {
        trace earlier;
        earlier.steps.assign(full->steps.steps.begin(),
                             full->steps.steps.begin() + static_cast<std::ptrdiff_t>(cut));
        o.metrics_asked = 0;
        remembering_objective again{o, earlier};
        const auto r = general ? prune(again, {.rule = guard::share_of_baseline(0.5)})
                               : study::search_joint(again, {.threshold = 0.5, .amount = 0.25});
        CHECK(r.accepted == full->accepted);
        check_same(r.steps, full->steps);
        std::size_t unknown = 0;  // a search may try again what an earlier phase rejected
        for (const trace_step& step : full->steps.steps) {
          unknown += detail::find_step(earlier, step.candidate) == nullptr;
        }
        CHECK(static_cast<std::size_t>(o.metrics_asked) == unknown);
        if (cut == full->steps.steps.size()) CHECK(o.metrics_asked == 0);
      }
    }
  }
}

TEST_CASE("an objective that measures in one pass is remembered as one") {
  test::scripted_objective o{{{1.0, {1, 2}, {1}}, {1.0, {1, 2}, {1}}, {0.1, {1, 2}, {1}}}};
  const auto first = study::search_heads(o);
  remembering_objective again{o, first.steps};
  static_assert(measuring_objective<decltype(again)>);
  CHECK(study::search_heads(again).accepted == first.accepted);
  CHECK(o.asked.size() == 3);
}

TEST_CASE("the trace of another model is of no use and does no harm") {
  test::scripted_objective other{{{9.0, {1, 2}, {1}}, {9.0, {1, 2}, {1}}, {0.1, {1, 2}, {1}}}};
  const auto strange = study::search_heads(other);
  toy_objective o = toy_objective::drawn(2);
  remembering_objective again{o, strange.steps};
  CHECK(prune(again).accepted == prune(o).accepted);
}

TEST_CASE("a metric over weights is remembered too") {
  const std::vector<float> w{5, 4, 3, 2, 1, 6, 7, 8, 9, 10};
  const std::vector<weight_span> spans{{{"w", {10}}, w}};
  int asked = 0;
  const auto metric = [&](const ticket& t) { return ++asked, static_cast<double>(t.count()); };
  const auto first = prune_weights(spans, metric, share_of_whole{0.1, 9}, guard::at_least(5));
  trace earlier;
  earlier.steps.assign(first.steps.steps.begin(), first.steps.steps.begin() + 4);
  asked = 0;
  const auto again = prune_weights(spans, remembering_metric(metric, earlier),
                                   share_of_whole{0.1, 9}, guard::at_least(5));
  CHECK(again.accepted == first.accepted);
  check_same(again.steps, first.steps);
  CHECK(asked == 3);
}
