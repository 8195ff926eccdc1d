#include <string>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/algebra/survival.hpp"
#include "tombola/analysis/bert_sizes.hpp"
#include "tombola/analysis/size_agreement.hpp"
#include "tombola/analysis/super_tickets.hpp"
#include "tombola/analysis/task_pairs.hpp"
#include "tombola/analysis/ticket_sizes.hpp"
#include "tombola/core/error.hpp"

using namespace tombola;
using namespace tombola::analysis;

namespace {

mask bits(std::vector<int> values) {
  return mask::from_values(values);
}

ticket heads(std::vector<int> values) {
  return ticket{{{"heads", {2, 2}}}, {bits(std::move(values))}};
}

/// Two tasks, seeds 1 and 2; b lists them the other way round and has a third.
ticket_set sample() {
  return {"s",
          {{"a", {{"1", heads({1, 1, 0, 0}), {}}, {"2", heads({1, 0, 0, 0}), {}}}},
           {"b",
            {{"2", heads({1, 1, 0, 1}), {}},
             {"1", heads({1, 0, 0, 0}), {}},
             {"3", heads({1, 1, 0, 0}), {}}}}}};
}

/// One layer of two heads, 4 wide, an MLP of 8, 10 words, 6 positions, 2 segments, 3 labels.
bert_architecture tiny() {
  return {1, 2, 4, 8, 10, 6, 2, 3};
}

}  // namespace

TEST_CASE("sizes: the parameters of a small BERT, counted by hand") {
  const bert_parameters p = parameters_of(tiny());
  CHECK(p.embeddings == 10 * 4 + 6 * 4 + 2 * 4 + 2 * 4);
  CHECK(p.head == 3 * (4 * 2 + 2) + 4 * 2);  // Q, K, V with biases, columns of the output
  CHECK(p.mlp == 4 * 8 + 8 + 8 * 4 + 4);
  CHECK(p.pooler == 4 * 4 + 4);
  CHECK(p.classifier == 3 * 4 + 3);
  CHECK(p.total == 80 + 2 * 38 + 4 + 2 * 8 + 76 + 20 + 15);
  CHECK(p.prunable_weights == 2 * 38 + 4 + 76);
  CHECK(p.output_biases == 4);
}

TEST_CASE("sizes: what is left when heads and MLPs go") {
  const bert_parameters p = parameters_of(tiny());
  CHECK(parameters_left(tiny(), bits({1, 1}), bits({1})) == p.total);
  CHECK(parameters_left(tiny(), bits({1, 0}), bits({1})) == p.total - 38);
  CHECK(parameters_left(tiny(), bits({1, 1}), bits({0})) == p.total - 76);
  // The last head takes the output's bias with it.
  CHECK(parameters_left(tiny(), bits({0, 0}), bits({1})) == p.total - 2 * 38 - 4);
  CHECK_THROWS_AS(parameters_left(tiny(), bits({1}), bits({1})), shape_error);
  CHECK_THROWS_AS(parameters_left(tiny(), bits({1, 1}), bits({1, 1})), shape_error);
}

TEST_CASE("sizes: the share of the embeddings is exact unless the study is asked") {
  const bert_parameters p = parameters_of(tiny());
  const double total = static_cast<double>(p.total);
  CHECK(subnetwork_size(tiny(), total) == Approx(1.0 - 80.0 / total));
  CHECK(subnetwork_size(tiny(), 80.0) == 0.0);
  CHECK(subnetwork_size(tiny(), total, embedding_share::rounded_as_study) == Approx(0.79));
  CHECK_THROWS_AS(subnetwork_size(tiny(), total + 1.0), input_error);
  CHECK_THROWS_AS(subnetwork_size(tiny(), -1.0), input_error);
  CHECK(parameters_left_of_weights(tiny(), 1.0) == total);
  CHECK(parameters_left_of_weights(tiny(), 0.5) == Approx(total - 78.0));
  CHECK(parameters_left_of_weights(tiny(), 0.5, output_biases::left_alone) == Approx(total - 76.0));
  CHECK_THROWS_AS(parameters_left_of_weights(tiny(), 1.5), input_error);
}

TEST_CASE("sizes: numbers that are no architecture are refused") {
  bert_architecture a = tiny();
  a.heads = 3;
  CHECK_THROWS_WITH(parameters_of(a),
                    "architecture: hidden is 4, expected a multiple of the 3 heads");
  a = tiny();
  a.layers = 0;
  CHECK_THROWS_WITH(parameters_of(a), "architecture: layers is 0, expected 1 to 1048576");
  a = tiny();
  a.vocabulary = most_of_architecture + 1;
  CHECK_THROWS_AS(parameters_of(a), input_error);
  // The largest numbers still fit 64 bits.
  constexpr std::size_t most = most_of_architecture;
  const bert_parameters p = parameters_of({most, 1, most, most, most, most, most, most});
  CHECK(p.total > p.prunable_weights);
  CHECK(p.prunable_weights / most == p.head + p.attention_bias + p.mlp);
}

TEST_CASE("sizes: of a set's tickets, a missing group being whole") {
  const auto model = [](const std::string&) { return bert_architecture{2, 2, 4, 8, 10, 6, 2, 2}; };
  const auto all = ticket_sizes(sample(), model);  // heads 2 x 2, no MLPs
  REQUIRE(all.size() == 2);
  const std::size_t total = parameters_of(model("")).total;
  CHECK(all[0].parameters == std::vector<std::size_t>{total - 2 * 38 - 4, total - 3 * 38 - 4});
  CHECK(all[0].sizes[0] == subnetwork_size(model(""), static_cast<double>(total - 80)));
  const auto as_study = ticket_sizes(sample(), model, embedding_share::rounded_as_study);
  const double share = 80.0 / static_cast<double>(total);  // of the embeddings
  CHECK(*as_study[1].over_seeds.mean - *all[1].over_seeds.mean == Approx(share - 0.21));
  CHECK(ticket_size_table(all).rows.size() == 2);
}

TEST_CASE("super tickets: what every seed keeps, beside independent seeds") {
  const auto all = super_tickets(sample());
  REQUIRE(all.size() == 2);
  CHECK(all[0].in_all[0] == bits({1, 0, 0, 0}));
  CHECK(all[0].in_none == 2);
  // Seeds that keep 2 and 1 of 4 units: 4 x 1/2 x 1/4 in both, 4 x 1/2 x 3/4 in neither.
  CHECK(all[0].expected_all == Approx(0.5));
  CHECK(all[0].expected_none == Approx(1.5));
  CHECK(all[1].in_all[0] == bits({1, 0, 0, 0}));
  CHECK(all[1].in_none == 1);
  CHECK(all[1].seeds == 3);
  const auto pairs = super_pairs(all);
  REQUIRE(pairs.size() == 1);
  CHECK(pairs[0].counts.both == 1);
  CHECK(super_table(all).rows.size() == 2);
  const table t = super_pair_table(pairs);
  REQUIRE(t.rows.size() == 1);
  CHECK(plain_text(t.rows[0][7]) == "0.25");  // 1 x 1 / 4 by chance
}

TEST_CASE("task pairs: seeds matched by name, and chance beside them") {
  const auto pairs = task_pairs(sample(), "heads");
  REQUIRE(pairs.size() == 3);  // a-a, a-b, b-b
  CHECK(pairs[0].first == pairs[0].second);
  CHECK(*pairs[0].shared.mean == 1.5);  // sizes 2 and 1
  CHECK_FALSE(pairs[0].expected.mean);
  CHECK(pairs[0].crossings == 1);
  // Seed 1: {0, 1} and {0}; seed 2: {0} and {0, 1, 3}.
  CHECK(pairs[1].shared.count == 2);
  CHECK(*pairs[1].shared.mean == 1.0);
  CHECK(*pairs[1].shared.deviation == 0.0);
  CHECK(*pairs[1].expected.mean == Approx((2.0 * 1.0 / 4.0 + 1.0 * 3.0 / 4.0) / 2.0));
  CHECK(pairs[1].crossings == 6);
  CHECK(pairs[1].krippendorff == krippendorff_alpha(std::vector<mask>{
                                     bits({1, 1, 0, 0}), bits({1, 0, 0, 0}), bits({1, 1, 0, 1}),
                                     bits({1, 0, 0, 0}), bits({1, 1, 0, 0})}));
  CHECK(*pairs[2].shared.mean == 2.0);  // sizes 3, 1, 2
  CHECK(task_pairs(sample(), "mlps").empty());
  const table t = task_pair_table(pairs);
  CHECK(t.rows.size() == 3);
  CHECK(reasons_of(t, t.rows[0]) ==
        "expected: a task with itself; p: a task with itself; adjusted_p: a task with itself");
}

TEST_CASE("task pairs: the study compares a seed with later ones") {
  // a has two seeds, b three: seed 1 with 2 and 3, seed 2 with 3, by place.
  CHECK(task_pairs(sample(), "heads", pair_rule::as_study)[1].crossings == 3);
}

TEST_CASE("sizes of two tickets: what an undefined test says") {
  const overlap identical = overlap_of_sizes(10, 4, 4, 4);
  CHECK(of_one_size(identical));
  CHECK_FALSE(of_one_size(identical, pair_rule::as_study));
  // (b - c)^2 / (b + c) = 4: p = 0.0455; 3: p = 0.083.
  CHECK_FALSE(of_one_size(overlap_of_sizes(10, 4, 0, 0)));
  CHECK(of_one_size(overlap_of_sizes(10, 3, 0, 0)));
  CHECK(of_one_size(overlap_of_sizes(10, 5, 5, 0)));  // disjoint, of one size
  const std::vector<pair_overlap> pairs{{0, 1, overlap_of_sizes(10, 0, 0, 0)},
                                        {0, 2, overlap_of_sizes(10, 4, 2, 2)}};
  CHECK(pairs_of_one_size(pairs) == 2);
  CHECK(pairs_of_one_size(pairs, pair_rule::as_study) == 1);
  CHECK_FALSE(mean_over_pairs(pairs, jaccard, pair_rule::correct).defined());
  CHECK(mean_over_pairs(pairs, jaccard, pair_rule::as_study).value == 0.5);
  CHECK(mean_over_pairs(std::vector<pair_overlap>{}, jaccard, pair_rule::as_study) ==
        undefined(reason::too_few_masks));
  CHECK_FALSE(share_in_all(count_survival(std::vector<mask>{mask{4}, mask{4}})).defined());
  const auto all = agreements_of(sample());
  const table t = size_agreement_table(all);
  CHECK(t.rows.size() == 2);
  CHECK(plain_text(t.rows[0][12]) == "0.5");  // {0} of {0, 1}
}
