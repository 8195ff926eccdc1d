#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/toy_objective.hpp"

#include "tombola/io/trace_file.hpp"
#include "tombola/prune/lower_bound.hpp"
#include "tombola/prune/pruner.hpp"
#include "tombola/prune/resume.hpp"
#include "tombola/prune/rewinding.hpp"
#include "tombola/prune/study.hpp"

using namespace tombola;
using test::toy_objective;

// Every pruner is stopped after each of its steps, with nothing left but the trace file, and
// started again from that file. It has to end with the same bits, and the same file.

namespace {

/// What stands for the end of the process: nothing that the search had in memory outlives it.
struct killed {};

/// Keeps each step on disk as it comes, and dies after step `last`.
struct recorder {
  std::filesystem::path file;
  std::size_t last;
  trace* kept;

  void operator()(const trace_step& step) const {
    kept->steps.push_back(step);
    io::write_trace(file, *kept);
    if (kept->steps.size() > last) throw killed{};
  }
};

void check_same(const prune_result& a, const prune_result& b) {
  CHECK(a.accepted == b.accepted);
  CHECK(a.steps.baseline == b.steps.baseline);
  CHECK(a.steps.threshold == b.steps.threshold);
  REQUIRE(a.steps.steps.size() == b.steps.steps.size());
  for (std::size_t i = 0; i < a.steps.steps.size(); ++i) {
    const trace_step &x = a.steps.steps[i], &y = b.steps.steps[i];
    CHECK(x.phase == y.phase);
    CHECK(x.candidate == y.candidate);
    CHECK(x.metric == y.metric);
    CHECK(x.accepted == y.accepted);
    CHECK(x.scores == y.scores);
  }
}

/// search: (progress, earlier trace, how often the model was asked) -> prune_result, from nothing
/// but its arguments. fewest: how many steps the search has to have, so that there are cuts to
/// test. again: questions that going on costs beyond those that the trace answers.
template <class Search>
void check_resumes(Search search, std::size_t fewest, int again = 0) {
  const test::scratch_folder folder;
  int asked_by_whole = 0;
  trace whole_trace;
  const prune_result whole =
      search(recorder{folder / "whole", 1'000, &whole_trace}, trace{}, asked_by_whole);
  const std::size_t steps = whole.steps.steps.size();
  REQUIRE(steps >= fewest);
  const std::string expected = test::get(folder / "whole");
  for (std::size_t last = 0; last < steps; ++last) {
    const auto file = folder / std::to_string(last);
    int before = 0, after = 0;
    trace lost;
    CHECK_THROWS_AS(search(recorder{file, last, &lost}, trace{}, before), killed);
    const trace earlier = io::read_trace(file);
    REQUIRE(earlier.steps.size() == last + 1);
    trace written;
    check_same(search(recorder{file, 1'000, &written}, earlier, after), whole);
    CHECK(test::get(file) == expected);
    // What the trace holds is not measured again.
    CHECK(after <= asked_by_whole - before + again);
    if (last + 1 == steps) CHECK(after == 0);
  }
}

/// The same toy, which measures in one pass.
struct measuring_toy {
  toy_objective behind;
  std::vector<group> groups() const { return behind.groups(); }
  double metric(const ticket& t) { return behind.metric(t); }
  std::vector<tombola::scores> scores(const ticket& t) { return behind.scores(t); }
  measurement measure(const ticket& t) { return {metric(t), scores(t)}; }
};
static_assert(measuring_objective<measuring_toy>);

/// And one that gives results of 64 examples: unit u is needed by those of its worth.
struct example_toy : toy_objective {
  explicit example_toy(const toy_objective& o) : toy_objective{o} {}
  std::vector<double> examples(const ticket& t) {
    const double sum = metric(t);
    std::vector<double> results(64);
    for (std::size_t i = 0; i < 64; ++i) results[i] = static_cast<double>(i % 8) < sum ? 1.0 : 0.0;
    return results;
  }
};

template <class Toy, class Run>
auto over(Toy toy, Run run) {
  return [toy, run](const recorder& progress, const trace& earlier, int& asked) {
    Toy fresh = toy;
    remembering_objective remembering{fresh, earlier};
    struct count {
      Toy& toy;
      int& asked;
      ~count() {
        if constexpr (requires { toy.behind; }) {
          asked = toy.behind.metrics_asked;
        } else {
          asked = toy.metrics_asked;
        }
      }
    } counted{fresh, asked};
    return run(remembering, progress);
  };
}

}  // namespace

TEST_CASE("the general pruner resumes after each step, in either order and for chosen groups") {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const toy_objective toy = toy_objective::drawn(seed);
    const auto general = [](auto& o, const recorder& progress) {
      return prune(o, {.rule = guard::share_of_baseline(0.5)}, progress);
    };
    check_resumes(over(toy, general), 5);
    check_resumes(over(measuring_toy{toy}, general), 5);
    check_resumes(
        over(toy,
             [](auto& o, const recorder& progress) {
               return prune(
                   o,
                   {.rule = guard::drop(2.0), .order = prune_order::together, .groups = {"heads"}},
                   progress);
             }),
        3);
  }
}

TEST_CASE("the study's searches resume after each step") {
  const study::search_options options{.threshold = 0.5, .amount = 0.25};
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const toy_objective toy = toy_objective::drawn(seed);
    check_resumes(over(toy,
                       [&](auto& o, const recorder& progress) {
                         return study::search_heads(o, options, progress);
                       }),
                  3);
    check_resumes(over(toy,
                       [&](auto& o, const recorder& progress) {
                         return study::search_mlps(o, options, progress);
                       }),
                  3);
    const auto joint = [&](auto& o, const recorder& progress) {
      return study::search_joint(o, options, progress);
    };
    check_resumes(over(toy, joint), 4);
    check_resumes(over(measuring_toy{toy}, joint), 4);
  }
}

TEST_CASE("a search by lower bounds resumes after each step") {
  const auto rule = lower_bound_rule::drop(0.5);
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const toy_objective toy = toy_objective::drawn(seed);
    check_resumes(
        [&](const recorder& progress, const trace& earlier, int& asked) {
          example_toy fresh{toy};
          lower_bound_objective bounded{fresh, rule};
          remembering_objective again{bounded, earlier};
          struct count {
            example_toy& toy;
            int& asked;
            ~count() { asked = toy.metrics_asked; }
          } counted{fresh, asked};
          return prune(again, {.rule = rule.on_bounds()}, progress);
        },
        4, 1);  // the full model's results, which the next bound is held against
  }
}

TEST_CASE("searches over weights resume after each step") {
  std::vector<float> values(100);
  for (std::size_t i = 0; i < 100; ++i) values[i] = static_cast<float>(i * 37 % 101) - 50.0F;
  const std::vector<weight_span> spans{{{"a", {60}}, std::span{values}.first(60)},
                                       {{"b", {8, 5}}, std::span{values}.subspan(60)}};
  const auto metric_of = [](int& asked) {
    return [&asked](const ticket& t) { return ++asked, std::sqrt(static_cast<double>(t.count())); };
  };
  check_resumes(
      [&](const recorder& progress, const trace& earlier, int& asked) {
        return prune_weights(spans, remembering_metric(metric_of(asked), earlier), cubic{0.9, 12},
                             guard::share_of_baseline(0.6), progress);
      },
      6);
  check_resumes(
      [&](const recorder& progress, const trace& earlier, int& asked) {
        return study::search_weights(spans, remembering_metric(metric_of(asked), earlier),
                                     {.threshold = 0.8, .amount = 0.1, .total_steps = 20},
                                     progress);
      },
      5);
}

namespace {

/// Thirty weights that training draws towards goals, less so where the neighbour is gone.
class rewound_toy {
public:
  explicit rewound_toy(int& asked) : asked_{asked} {
    for (std::size_t i = 0; i < 30; ++i) w_.push_back(static_cast<float>(i * 17 % 31) / 31.0F);
  }
  std::vector<weight_span> weights() const { return {{{"w", {5, 6}}, w_}}; }
  void train(const ticket& t, std::size_t from, std::size_t to) {
    for (std::size_t step = from; step < to; ++step) {
      for (std::size_t i = 0; i < 30; ++i) {
        const float goal = static_cast<float>(i * 7 % 30) / 30.0F + 0.2F * w_[(i + 1) % 30];
        w_[i] = t[0][i] ? w_[i] + 0.3F * (goal - w_[i]) : 0.0F;
      }
    }
  }
  double metric(const ticket& t) {
    ++asked_;
    double sum = 0.0;
    for (std::size_t i = 0; i < 30; ++i) sum += t[0][i] ? static_cast<double>(w_[i]) : 0.0;
    return sum;
  }
  std::vector<float> save() const { return w_; }
  void restore(const std::vector<float>& w) { std::copy(w.begin(), w.end(), w_.begin()); }

private:
  std::vector<float> w_;
  int& asked_;
};

}  // namespace

TEST_CASE("pruning with rewinding resumes after each round") {
  check_resumes(
      [](const recorder& progress, const trace& earlier, int& asked) {
        rewound_toy fresh{asked};
        return prune_with_rewinding(
            fresh, {.rewind_to = 2, .total_steps = 9, .rule = guard::share_of_baseline(0.3)},
            share_of_left{0.2, 8}, progress, earlier);
      },
      6);
}
