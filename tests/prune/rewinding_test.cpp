#include "tombola/prune/rewinding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/core/random.hpp"

using namespace tombola;

namespace {

/// Everything that training changes: the weights and the speed at which each moves.
struct toy_state {
  std::vector<float> weights, speeds;
  friend bool operator==(const toy_state&, const toy_state&) = default;
};

/// Twenty weights in two tensors, each pulled to a goal of its own by steps with momentum. A weight
/// that is pruned stands at 0 and changes the pull on its neighbour, so that what is trained
/// depends on the ticket; the momentum makes what is trained depend on where training starts.
class toy_network {
public:
  /// What a call of train() met.
  struct call {
    std::size_t kept, from, to;
    toy_state at_start;
  };

  toy_network() {
    const random_stream r{5, purpose::initialisation};
    for (std::size_t i = 0; i < size; ++i) {
      now_.weights.push_back(static_cast<float>(r.normal(i)));
      goals_.push_back(static_cast<float>(r.normal(100 + i)));
    }
    now_.speeds.assign(size, 0.0F);
  }

  std::vector<weight_span> weights() const {
    return {{{"a", {3, 4}}, std::span{now_.weights}.first(12)},
            {{"b", {8}}, std::span{now_.weights}.subspan(12)}};
  }

  void train(const ticket& t, std::size_t from, std::size_t to) {
    calls.push_back({t.count(), from, to, now_});
    for (std::size_t step = from; step < to; ++step) {
      for (std::size_t i = 0; i < size; ++i) {
        const bool kept = i < 12 ? t[0][i] : t[1][i - 12];
        float& w = now_.weights[i];
        if (!kept) w = 0.0F;
        const float pull = goals_[i] - w + 0.3F * now_.weights[(i + 1) % size];
        now_.speeds[i] = 0.8F * now_.speeds[i] + 0.05F * pull / static_cast<float>(1 + step);
        if (kept) w += now_.speeds[i];
      }
    }
  }

  double metric(const ticket& t) {
    ++metrics_asked;
    double sum = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
      if (i < 12 ? t[0][i] : t[1][i - 12]) sum += std::abs(static_cast<double>(now_.weights[i]));
    }
    return sum;
  }

  toy_state save() const { return now_; }
  void restore(const toy_state& s) { now_ = s; }

  std::vector<call> calls;
  int metrics_asked = 0;

private:
  static constexpr std::size_t size = 20;
  toy_state now_;
  std::vector<float> goals_;
};

static_assert(rewindable_model<toy_network>);

struct without_restore {
  std::vector<weight_span> weights() const { return {}; }
  void train(const ticket&, std::size_t, std::size_t) {}
  double metric(const ticket&) { return 0.0; }
  int save() const { return 0; }
};
static_assert(!rewindable_model<without_restore>);

/// The procedure again, a fresh network for each round and nothing saved or restored: the first k
/// steps under the full ticket, the others under the round's.
std::vector<ticket> by_starting_anew(std::size_t k, std::size_t total, std::size_t rounds) {
  std::vector<ticket> tickets{full_ticket(toy_network{}.weights())};
  for (std::size_t round = 0; round < rounds; ++round) {
    toy_network fresh;
    fresh.train(tickets[0], 0, k);
    fresh.train(tickets.back(), k, total);
    // Plain ranking: 20 % of what is left, the smallest, of equal ones the last.
    ticket next = tickets.back();
    for (std::size_t gone = share_of(0.2, tickets.back().count()); gone > 0; --gone) {
      float lowest = std::numeric_limits<float>::infinity();
      std::size_t g_of = 0, u_of = 0;
      const auto weights = fresh.weights();
      for (std::size_t g = 0; g < 2; ++g) {
        for (std::size_t u = 0; u < weights[g].values.size(); ++u) {
          const float m = std::abs(weights[g].values[u]);
          if (next[g][u] && m <= lowest) lowest = m, g_of = g, u_of = u;
        }
      }
      next.set(g_of, u_of, false);
    }
    tickets.push_back(next);
  }
  return tickets;
}

bool same_masks(const ticket& a, const ticket& b) {
  return std::ranges::equal(a.masks(), b.masks());
}

}  // namespace

TEST_CASE("every round restarts from the saved point") {
  for (const std::size_t k : {0U, 1U, 7U}) {
    toy_network model;
    const toy_state initial = model.save();
    const prune_result r =
        prune_with_rewinding(model, {.rewind_to = k, .total_steps = 30}, share_of_left{0.2, 5});
    // To the point and on under the full ticket, then five rounds.
    REQUIRE(model.calls.size() == 7);
    CHECK(model.calls[0].from == 0);
    CHECK(model.calls[0].to == k);
    CHECK(model.calls[0].at_start == initial);
    const toy_state point = model.calls[1].at_start;
    CHECK((point == initial) == (k == 0));
    for (std::size_t i = 1; i < 7; ++i) {
      CHECK(model.calls[i].from == k);
      CHECK(model.calls[i].to == 30);
      CHECK(model.calls[i].at_start == point);  // weights and momentum, bit for bit
      CHECK(model.calls[i].kept == r.steps.steps[i - 1].candidate.count());
    }
    CHECK(!(model.save() == point));
  }
}

TEST_CASE("tickets are those of networks trained anew for each round") {
  std::vector<ticket> last;
  for (const std::size_t k : {0U, 1U, 7U}) {
    toy_network model;
    const prune_result r =
        prune_with_rewinding(model, {.rewind_to = k, .total_steps = 30}, share_of_left{0.2, 5});
    const auto expected = by_starting_anew(k, 30, 5);
    REQUIRE(r.steps.steps.size() == 6);
    for (std::size_t i = 0; i < 6; ++i) {
      CHECK(same_masks(r.steps.steps[i].candidate, expected[i]));
      CHECK(r.steps.steps[i].phase == (i == 0 ? "full" : "rewound"));
      CHECK(r.steps.steps[i].accepted);
    }
    CHECK(same_masks(r.accepted, expected[5]));
    CHECK(r.accepted.origin.kind == "good");
    // 20, 16, 13, 10, 8, 6: a fifth of what is left, rounded.
    CHECK(r.accepted.count() == 6);
    last.push_back(r.accepted);
  }
  CHECK(!same_masks(last[0], last[2]));  // so that the point matters here
}

TEST_CASE("the first trained ticket that the guard rejects ends the rounds") {
  toy_network free, held;
  const rewinding_options options{.rewind_to = 2, .total_steps = 30};
  const prune_result all = prune_with_rewinding(free, options, share_of_left{0.2, 5});
  REQUIRE(all.steps.steps.size() == 6);
  const double third = all.steps.steps[3].metric;
  // The toy's metric falls as weights go, so that a floor just above the third round's stops there.
  REQUIRE(all.steps.steps[2].metric > third);
  auto stricter = options;
  stricter.rule = guard::at_least(std::nextafter(third, 1e9));
  const prune_result stopped = prune_with_rewinding(held, stricter, share_of_left{0.2, 5});
  REQUIRE(stopped.steps.steps.size() == 4);
  CHECK_FALSE(stopped.steps.steps[3].accepted);
  CHECK(same_masks(stopped.accepted, all.steps.steps[2].candidate));
  CHECK(stopped.steps.baseline == all.steps.baseline);
  // A full model that does not pass is where it ends: no round is trained.
  toy_network poor;
  stricter.rule = guard::at_least(1e9);
  CHECK(prune_with_rewinding(poor, stricter).steps.steps.size() == 1);
  CHECK(poor.calls.size() == 2);
}

TEST_CASE("rounds that remove nothing are passed over, and the plan is ten rounds of a fifth") {
  toy_network model;
  const prune_result r = prune_with_rewinding(model, {.total_steps = 3});
  // 20, 16, 13, 10, 8, 6, 5, 4, 3, 2; a fifth of 2 rounds to none.
  REQUIRE(r.steps.steps.size() == 10);
  CHECK(r.accepted.count() == 2);
}

TEST_CASE("an interrupted search with rewinding ends as it would have, training one round more") {
  const rewinding_options options{.rewind_to = 2, .total_steps = 20};
  const share_of_left plan{0.2, 5};
  toy_network model;
  const prune_result whole = prune_with_rewinding(model, options, plan);
  for (std::size_t cut = 0; cut <= 6; ++cut) {
    trace earlier;
    earlier.steps.assign(whole.steps.steps.begin(),
                         whole.steps.steps.begin() + static_cast<std::ptrdiff_t>(cut));
    toy_network again;
    std::size_t seen = 0;
    const prune_result r = prune_with_rewinding(
        again, options, plan, [&](const trace_step&) { ++seen; }, earlier);
    CHECK(r.accepted == whole.accepted);
    CHECK(seen == 6);
    REQUIRE(r.steps.steps.size() == 6);
    for (std::size_t i = 0; i < 6; ++i) {
      CHECK(r.steps.steps[i].candidate == whole.steps.steps[i].candidate);
      CHECK(r.steps.steps[i].metric == whole.steps.steps[i].metric);
      CHECK(r.steps.steps[i].accepted == whole.steps.steps[i].accepted);
    }
    // To the point, the last known round again, and what is missing; nothing of a whole trace.
    CHECK(again.metrics_asked == static_cast<int>(6 - cut));
    CHECK(again.calls.size() == (cut == 6 ? 0 : cut == 0 ? 7 : 2 + 6 - cut));
    if (cut < 6) CHECK(again.save() == model.save());
  }
}

TEST_CASE("a trace of another search is refused") {
  const rewinding_options options{.total_steps = 20};
  toy_network model;
  const prune_result whole = prune_with_rewinding(model, options, share_of_left{0.2, 3});
  const auto go_on = [&](const trace& t, double share) {
    toy_network again;
    return prune_with_rewinding(again, options, share_of_left{share, 3}, no_progress{}, t);
  };
  CHECK_THROWS_WITH(go_on(whole.steps, 0.3),
                    "rewinding: round 1 of the trace keeps 16 weights of 20, expected 14 of those "
                    "that the round before it kept: it is of another search");
  trace moved = whole.steps;  // as many, but one that was gone comes back
  ticket& second = moved.steps[2].candidate;
  for (std::size_t u = 0; u < 12; ++u) {
    if (!moved.steps[1].candidate[0][u]) {
      second.set(0, u, true);
      break;
    }
  }
  for (std::size_t u = 0; u < 12; ++u) {
    if (second[0][u] && moved.steps[1].candidate[0][u]) {
      second.set(0, u, false);
      break;
    }
  }
  REQUIRE(second.count() == 13);
  CHECK_THROWS_AS(go_on(moved, 0.2), input_error);
  trace other;
  other.steps.push_back({"full", ticket{{{"c", {20}}}}, 1.0, true, {}});
  CHECK_THROWS_AS(go_on(other, 0.2), shape_error);
}

TEST_CASE("there has to be something to train after the point") {
  toy_network model;
  CHECK_THROWS_WITH(prune_with_rewinding(model, {.rewind_to = 5, .total_steps = 5}),
                    "rewinding: to step 5 of 5, expected a step before the last one of training");
  CHECK_THROWS_AS(prune_with_rewinding(model, {}), input_error);
  CHECK(model.calls.empty());
}
