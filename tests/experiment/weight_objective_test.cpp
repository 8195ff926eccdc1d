// What a search over weights asks of a model: metric and scores, in one pass where one can do.

#include "tombola/experiment/weight_objective.hpp"

#include <string>
#include <utility>
#include <vector>

#include "tests/experiment/digits.hpp"
#include "tests/nn/tiny_model.hpp"

#include "tombola/prune/objective.hpp"

using namespace tombola;
using namespace tombola::test;
using namespace tombola::experiment;

namespace {

using exact = reference_backend<double>;
using criterion = weight_criterion;

/// Three examples, which are two batches of up to two.
struct fixture {
  exact b;
  nn::bert<exact> model{b, tiny_config(nn::head_kind::classification)};
  data::encoded_set set = three_examples();
  data::task_description task = three_classes();
  std::vector<group> groups = nn::weight_groups(model.config(), nn::prunable::weights);
  std::size_t batches = 0;  ///< that went through the model while somebody watched
  observer watch;

  fixture() {
    randomise(model, 5);
    watch.stop = [this] {
      ++batches;
      return false;
    };
  }

  /// Every third weight is gone, from the first or another one on.
  [[nodiscard]] ticket without(std::size_t first) const {
    std::vector<mask> masks;
    for (const group& g : groups) {
      mask m = mask::all_kept(g.size());
      for (std::size_t i = first; i < g.size(); i += 3) m.set(i, false);
      masks.push_back(std::move(m));
    }
    return {groups, std::move(masks)};
  }
};

}  // namespace

TEST_CASE("metric and scores of a ticket of weights, and how many passes they take") {
  static_assert(example_objective<weight_objective<exact>>);
  static_assert(!measuring_objective<weight_objective<exact>>);  // scores of all weights are many
  fixture f;
  const ticket first = f.without(0), second = f.without(1);
  const observer nobody;
  const weight_score_settings how{.batch = 2, .seed = 7};
  for (const criterion c : {criterion::magnitude, criterion::random, criterion::taylor,
                            criterion::fisher, criterion::snip, criterion::wanda}) {
    INFO(to_string(c));
    weight_objective<exact> o{f.model, f.task, f.set, c, how, f.watch};
    CHECK(o.groups() == f.groups);
    masked_metric<exact> plain{f.model, f.task, f.set, 2, nobody};
    const auto scored = [&](const ticket& t) {
      f.model.apply(t, nn::weight_form::study);
      return score_weights(f.model, f.set, f.groups, c, how);
    };
    for (const ticket& t : {first, second}) {
      f.batches = 0;
      const double metric = o.metric(t);
      const std::vector<scores> found = o.scores(t);
      CHECK(f.batches == (c == criterion::fisher ? 5U : 2U));
      CHECK(o.scores(t) == found);  // nothing new is computed
      CHECK(f.batches == (c == criterion::fisher ? 5U : 2U));
      CHECK(metric == plain(t));
      CHECK(o.examples(t) == plain.examples(t));
      CHECK(found == scored(t));
    }
    // Scores under a ticket that was not the last to be measured.
    CHECK(o.metric(second) == plain(second));
    CHECK(o.scores(first) == scored(first));
    CHECK_FALSE((c != criterion::random && o.scores(first) == scored(second)));
  }
}
