#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/analysis/fabricated.hpp"
#include "tests/analysis/well_formed.hpp"
#include "tests/support/catch.hpp"

#include "tombola/analysis/importance_section.hpp"
#include "tombola/analysis/layer_lines.hpp"
#include "tombola/analysis/published_section.hpp"
#include "tombola/analysis/read_importance.hpp"
#include "tombola/analysis/size_section.hpp"
#include "tombola/analysis/super_section.hpp"
#include "tombola/analysis/task_section.hpp"
#include "tombola/io/npy.hpp"

using namespace tombola;
using namespace tombola::analysis;
using tombola::test::count_of;
using tombola::test::ill_formed;
using tombola::test::temporary_folder;
using tombola::test::write_text;

namespace {

ticket heads(const std::vector<int>& bits, std::vector<std::size_t> extents) {
  return {{{"heads", std::move(extents)}}, {mask::from_values(bits)}};
}

/// Two tasks that keep the same 8 of 16 heads in both seeds, and one that keeps the others.
ticket_set alike() {
  std::vector<int> low(16, 0), high(16, 0);
  for (std::size_t u = 0; u < 16; ++u) (u < 8 ? low : high)[u] = 1;
  const ticket a = heads(low, {4, 4}), b = heads(high, {4, 4});
  return {"set",
          {{"a", {{"1", a, {}}, {"2", a, {}}}},
           {"b", {{"1", a, {}}, {"2", a, {}}}},
           {"c", {{"1", b, {}}, {"2", b, {}}}}}};
}

bool holds(const std::string& s, const std::string& part) {
  return s.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("stars stand for adjusted probabilities") {
  CHECK(significance_mark(std::nullopt) == "");
  CHECK(significance_mark(0.05) == "");
  CHECK(significance_mark(std::nextafter(0.05, 0.0)) == "");  // a rounding, not a smaller number
  CHECK(significance_mark(0.049) == "*");
  CHECK(significance_mark(0.0099) == "**");
  CHECK(significance_mark(0.0009) == "***");
}

TEST_CASE("tasks: overlap with its probability, combined over seeds and adjusted") {
  const auto all = compare_tasks(alike());
  REQUIRE(all.size() == 1);
  const auto& pairs = all[0].pairs;
  REQUIRE(pairs.size() == 6);
  // a and b: one of the 12870 ways to choose 8 of 16, twice. Of two p: P (1 - ln P), P their
  // product.
  const double once = 1.0 / 12870.0, both = once * once * (1.0 - 2.0 * std::log(once));
  CHECK(*pairs[1].p == Approx(both).epsilon(1e-10));
  CHECK(*pairs[1].adjusted_p == Approx(3.0 * both).epsilon(1e-10));
  CHECK(*pairs[2].p == 1.0);  // a and c share nothing
  CHECK_FALSE(pairs[0].p);
  const heat_map h = shared_units_map(pairs, false);
  CHECK(h.rows == std::vector<std::string>{"a", "b", "c"});
  CHECK(*h.values[3] == 8.0);
  CHECK(h.marks[3] == "***");
  CHECK(h.marks[6] == "");
  CHECK(h.marks[0] == "");
  CHECK_FALSE(h.values[1]);
  CHECK(holds(h.notes[3], "Chance gives 4, and as much with p = "));
  const std::string page = task_section(all, "set", "x");
  CHECK(ill_formed(page) == "");
  CHECK(holds(page, ">8.0***<"));
  CHECK(compare_tasks({"set", {alike().tasks[0]}}).empty());
}

TEST_CASE("tasks without a common seed have no overlap, and the reason is its tooltip") {
  ticket_set set = alike();
  set.tasks[1].seeds[0].seed = "3", set.tasks[1].seeds[1].seed = "4";
  const auto all = compare_tasks(set);
  CHECK_FALSE(all[0].pairs[1].p);
  const std::string page = task_section(all, "set", "x");
  CHECK(holds(page, "<title>task b, task a: No seed that both tasks have</title>"));
  CHECK_FALSE(holds(page, "nan"));
}

TEST_CASE("super tickets: sizes, what two tasks share, and which units they are") {
  const super_comparison all = compare_super_tickets(alike());
  REQUIRE(all.parts.size() == 1);
  const auto& pairs = all.parts[0].pairs;
  REQUIRE(pairs.size() == 3);
  CHECK(pairs[0].p == Approx(1.0 / 12870.0).epsilon(1e-12));
  CHECK(pairs[0].adjusted_p == Approx(3.0 / 12870.0).epsilon(1e-12));
  CHECK(pairs[1].p == 1.0);
  const table t = super_pair_table(pairs);
  CHECK(plain_text(t.rows[0].back()) == shortest(pairs[0].adjusted_p));
  const heat_map s = super_map(all.parts[0].tickets, pairs, false);
  CHECK(*s.values[0] == 8.0);
  CHECK(*s.values[6] == 0.0);
  CHECK(s.marks[3] == "***");
  CHECK(*super_map(all.parts[0].tickets, pairs, true).values[0] == 0.5);

  const auto maps = super_unit_maps(all);
  REQUIRE(maps.size() == 1);
  CHECK(*maps[0].values[0] == 2.0);  // a and b keep head 0 of layer 0
  CHECK(*maps[0].values[15] == 1.0);
  REQUIRE(all.units.size() == 16);
  CHECK(all.units[5].layer == 1);
  CHECK(all.units[5].unit == 1);
  CHECK(all.units[5].tasks == std::vector<std::string>{"a", "b"});
  CHECK(*all.units[5].mean_tasks == 2.0);
  CHECK_FALSE(all.units[5].stable);  // of three tasks, more than two
  CHECK(to_csv(super_unit_table(all.units)).find("set,heads,1,1,2,\"a, b\",2,no\r\n") !=
        std::string::npos);
  const std::string page = super_section(all, "set", "x");
  CHECK(ill_formed(page) == "");
  CHECK(holds(page, "<title>layer 0, head 0: 2</title>"));
  CHECK(holds(page, "what more than 2 tasks keep"));
}

TEST_CASE("super tickets: a unit may be stable without being in one, and pairs adjust by kind") {
  const auto of = [](const std::string& name, unsigned first, unsigned second) {
    return task_tickets{
        name, {{"1", test::small_ticket(first, 3), {}}, {"2", test::small_ticket(second, 1), {}}}};
  };
  // Head 0 is in one seed or the other of every task, head 7 in both of every task.
  const ticket_set set{"<s>", {of("<b>", 0x81, 0x80), of("u", 0x81, 0x80), of("v", 0x81, 0x80)}};
  super_comparison all = compare_super_tickets(set);
  REQUIRE(all.parts.size() == 2);
  REQUIRE(all.units.size() == 2);  // head 7 and the MLP of layer 0
  CHECK(all.units[0].stable);
  CHECK(all.units[0].tasks.size() == 3);
  CHECK(all.units[1].part == "mlps");
  CHECK(all.units[1].layer == 0);
  CHECK(all.parts[0].pairs[0].adjusted_p == Approx(3.0 / 8.0));  // 3 pairs of heads, not 6
  CHECK(all.parts[1].pairs[0].adjusted_p == 1.0);
  const std::string page = super_section(all, set.name, "x");
  CHECK(ill_formed(page) == "");
  CHECK_FALSE(holds(page, "<b>"));
  CHECK(super_pairs(all_tickets_of(all))[0].adjusted_p == Approx(3.0 / 8.0));

  // Two of three seeds of four tasks keep head 0: 8/3 tasks on average, more than 2.5.
  ticket_set most{"s", {}};
  for (const std::string task : {"t", "u", "v", "w"}) {
    most.tasks.push_back(of(task, 0x01, 0x01));
    most.tasks.back().seeds.push_back({"3", test::small_ticket(0x00, 0), {}});
  }
  all = compare_super_tickets(most);
  REQUIRE(all.units.size() == 2);  // that head and an MLP
  CHECK(all.units[0].tasks.empty());
  CHECK(*all.units[0].mean_tasks == Approx(8.0 / 3.0));
  CHECK(all.units[0].stable);
  most.tasks[0].seeds[0].seed = "4", most.tasks[1].seeds[1].seed = "5",
  most.tasks[2].seeds[2].seed = "6";
  CHECK(compare_super_tickets(most).units.empty());  // no common seed, nothing known to be stable
  // One seed of each task has nothing to have in every seed.
  for (task_tickets& t : most.tasks) t.seeds.resize(1);
  CHECK(compare_super_tickets(most).parts.empty());
}

TEST_CASE("sizes: shares with their range, and parameters where the model is BERT-base") {
  const ticket_set set = alike();
  CHECK(sizes_of(set).empty());
  const bar_figure f = kept_bars(agreements_of(set));
  REQUIRE(f.bars.size() == 3);
  CHECK(*f.bars[0].value == 0.5);
  CHECK(f.bars[0].interval == std::pair{0.5, 0.5});
  CHECK(ill_formed(size_section(agreements_of(set), {}, "set", "x")) == "");

  std::vector<int> all(144, 1);
  ticket_set base{"base", {{"STS-B", {{"1", heads(all, {12, 12}), {}}}}}};
  const auto sizes = sizes_of(base);
  REQUIRE(sizes.size() == 1);
  // 109,483,778 with two labels, 769 less with one.
  CHECK(sizes[0].parameters == std::vector<std::size_t>{109483009});
  const bar_figure g = size_bars(sizes);
  CHECK(*g.bars[0].value == Approx(1.0 - 23837184.0 / 109483009.0));
  CHECK_FALSE(g.bars[0].interval);
  CHECK(ill_formed(size_section(agreements_of(base), sizes, "base", "x")) == "");
  base.tasks[0].seeds[0].value = ticket{{{"heads", {12, 12}}, {"w", {3}}}};
  CHECK(sizes_of(base).empty());
}

TEST_CASE("layers: tasks that keep a unit, mean over a layer's units") {
  const auto all = layers_of(alike());
  REQUIRE(all.size() == 1);
  CHECK(all[0].layers.size() == 4);
  CHECK(*all[0].layers[0].mean == 2.0);  // a and b keep every head of layer 0
  CHECK(*all[0].layers[3].mean == 1.0);
  CHECK(*all[0].layers[3].deviation == 0.0);
  const line_figure f = layer_lines(all, 3);
  CHECK(f.places == std::vector<std::string>{"0", "1", "2", "3"});
  CHECK(*f.series[0].values[1] == 2.0);
  CHECK(layer_table("set", all).rows.size() == 4);
  ticket_set apart = alike();
  for (auto& s : apart.tasks[0].seeds) s.seed += "0";
  CHECK(layers_of(apart).empty());
}

TEST_CASE("importance: the most important of the kept units, and how far seeds agree") {
  const temporary_folder folder;
  ticket_set set{"set", {{"t", {}}}};
  const std::vector<std::vector<double>> scores{{4, 3, 2, 1, 9, 0}, {4, 3, 2, 1, 0, 9}};
  for (std::size_t s = 0; s < 2; ++s) {
    const std::string seed = std::to_string(s + 1);
    const auto here = folder.path() / "t" / ("seed_" + seed);
    std::filesystem::create_directories(here);
    io::write_npy(here / "head_importance.npy", {2, 3}, std::span<const double>{scores[s]});
    set.tasks[0].seeds.push_back({seed, heads({1, 1, 1, 0, 0, 0}, {2, 3}), {}});
  }
  const auto found = read_importance(folder.path(), set);
  REQUIRE(found.size() == 1);
  CHECK(found[0].k == 6);  // as many as there are
  CHECK(found[0].best.tasks[0].seeds[0].value.count() == 3);
  CHECK(found[0].best.tasks[0].seeds[1].files ==
        std::vector{folder.path() / "t/seed_2/head_importance.npy"});
  const importance_agreement& a = found[0].agreement.at(0);
  CHECK(a.pairs == 1);
  // Ranks 2 3 4 5 1 6 and 2 3 4 5 6 1: rho = 1 - 6 * 50 / (6 * 35).
  CHECK(a.spearman.value == Approx(1.0 - 300.0 / 210.0));
  CHECK(a.top.value == 1.0);
  const auto two = importance_agreement_of("set", "t", "heads", scores, 2);
  CHECK(two.top.value == 0.5);
  const auto alone = importance_agreement_of("set", "t", "heads", std::span{scores}.first(1), 2);
  CHECK(alone.top.why == reason::too_few_masks);
  CHECK(ill_formed(importance_section(found, "set", "x")) == "");
  CHECK(importance_table(found).rows.size() == 1);
  // No importances, no section.
  CHECK(read_importance(folder.path() / "t", set).empty());
  std::filesystem::remove(folder.path() / "t/seed_2/head_importance.npy");
  CHECK_THROWS_AS(read_importance(folder.path(), set), format_error);
}

TEST_CASE("published scores are found beside the masks and drawn as the study's table") {
  const temporary_folder folder;
  CHECK(scores_beside(folder.path()).empty());
  write_text(folder.path() / "evaluate_masked/no_mask/results.json",
             R"({"RTE": {"acc": [0.6, 0.02]}, "<b>": {"acc": [0.5, 0]}})");
  std::filesystem::create_directories(folder.path() / "masks/set");
  const auto at = scores_beside(folder.path() / "masks/set");
  CHECK(at == folder.path() / "evaluate_masked");
  CHECK(scores_beside(folder.path() / "masks") == at);
  CHECK(scores_beside(folder.path()) == at);
  CHECK(scores_beside(folder.path() / "masks/set/x").empty());
  const temporary_folder elsewhere;
  std::filesystem::create_directory_symlink(folder.path() / "masks", elsewhere.path() / "link");
  CHECK(std::filesystem::equivalent(scores_beside(elsewhere.path() / "link"), at));
  const published_results r{"s", read_published_scores(at), {"RTE", "<b>", "CoLA"}};
  const heat_map h = published_map(r, "weights");
  CHECK(h.rows.size() == 8);
  CHECK(h.rows[1] == "full model, trained");
  CHECK(*h.values[3] == 0.6);
  CHECK(*h.deviations[3] == Approx(0.02 * std::sqrt(1.25)));
  CHECK_FALSE(h.values[5]);
  const std::string page = published_section(r, "x");
  CHECK(ill_formed(page) == "");
  CHECK(holds(page, "no score of no_mask"));
  CHECK(to_csv(all_published(r.scores)).find("no_mask,RTE,acc,0.6,0.02,0.0223606") !=
        std::string::npos);
  CHECK(r.scores[0].file == at / "no_mask/results.json");
  CHECK(reasons_of(all_published(r.scores, 1), all_published(r.scores, 1).rows[0]) ==
        "deviation: a deviation takes two seeds or more");
}
