#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tests/analysis/fabricated.hpp"
#include "tests/analysis/well_formed.hpp"
#include "tests/support/catch.hpp"
#include <nlohmann/json.hpp>

#include "tombola/analysis/report_input.hpp"
#include "tombola/analysis/write_report.hpp"
#include "tombola/core/error.hpp"
#include "tombola/io/npy.hpp"

using namespace tombola;
using namespace tombola::analysis;
using test::count_of;
using test::made_result;
using test::temporary_folder;

namespace {

std::string page_of(const std::filesystem::path& folder) {
  return make_report(read_report_input(folder), {"A report"});
}

/// What a page that needs nothing else has none of.
void check_self_contained(const std::string& page) {
  CHECK(test::ill_formed(page) == "");
  for (const char* outside :
       {"<script", "<link", "<img", "<iframe", "src=", "@import", "url(", "http:", "https:"}) {
    INFO(outside);
    CHECK(page.find(outside) == std::string::npos);
  }
  CHECK(count_of(page, "href=\"") == count_of(page, "href=\"#"));
  CHECK(page.find("NaN") == std::string::npos);
  CHECK(page.find(">nan<") == std::string::npos);
  CHECK(page.find("prefers-color-scheme:dark") != std::string::npos);
  CHECK(page.find("@media print") != std::string::npos);
}

void write_masks(const std::filesystem::path& dir) {
  for (const std::string at : {"A/seed_1", "A/seed_2", "B/seed_1", "B/seed_2"}) {
    std::filesystem::create_directories(dir / at);
    const ticket t = test::small_ticket(at.back() == '1' ? 0x3CU : 0x0FU, 1);
    io::write_mask_npy(dir / at / "head_mask.npy", {2, 4}, t[0], io::mask_number::float32);
    io::write_mask_npy(dir / at / "mlp_mask.npy", {2}, t[1], io::mask_number::float32);
  }
}

}  // namespace

TEST_CASE("a report of a study says what was found, from one file that needs nothing else") {
  const temporary_folder dir;
  test::write_study(dir.path(), 3);
  const std::string page = page_of(dir.path());
  check_self_contained(page);
  // Good 0.85 beats random 0.60 and 0.50, but not 0.88 in seed 3.
  CHECK(page.find("in 2 of 3 seeds, means 0.8500 and 0.6600") != std::string::npos);
  CHECK(page.find("93.5 % of full by the means, 90 % or more in 3 of 3 seeds") !=
        std::string::npos);
  CHECK(page.find("By construction: 1.<") != std::string::npos);
  CHECK(page.find("by the search&#39;s own guard, on these examples; 92.4 % of full") !=
        std::string::npos);
  CHECK(page.find("Units kept counts heads and MLPs alike") != std::string::npos);
  CHECK(page.find("43.5 % of full by the means, 90 % or more in 0 of 3 seeds") !=
        std::string::npos);
  CHECK(page.find(">does not hold<") != std::string::npos);
  CHECK(page.find("1: 0.9100, 2: 0.9200, 3: 0.9300") != std::string::npos);
  CHECK(count_of(page, "class=\"rejected\"") == 3);  // one in each search
  CHECK(count_of(page, "guard: 0.81<") == 3);
  CHECK(page.find("Cochran&#39;s Q tests whether the seeds keep equally many units") !=
        std::string::npos);
  CHECK(page.find(">00ff<") != std::string::npos);
  CHECK(page.find("24 runs: 12 train, 3 find-masks, 9 evaluate") != std::string::npos);
  CHECK(page.find("{&quot;epochs&quot;:1}") != std::string::npos);
  CHECK(page == page_of(dir.path()));
}

TEST_CASE("the written tables hold the numbers of the page") {
  const temporary_folder dir, out;
  test::write_study(dir.path(), 3);
  const auto written = write_report(read_report_input(dir.path()), out.path() / "deep/er", {"t"});
  CHECK(written.page == out.path() / "deep/er/report.html");
  CHECK(test::read_text(written.page).starts_with("<!DOCTYPE html>"));
  const auto j = nlohmann::json::parse(test::read_text(out.path() / "deep/er/tables.json"));
  const auto& good = j["scores"][1];
  CHECK(good["ticket"] == "good");
  CHECK(good["phase"] == "masked");
  CHECK(good["mean"] == Approx(0.85).epsilon(1e-15));
  CHECK(good["kept_share"] == 0.5);
  CHECK(j["scores"][0]["deviation"] == Approx(0.01).epsilon(1e-12));
  CHECK(j["agreement"][0]["pairs"] == 3);
  CHECK(j["overlap"].size() == 6);
  CHECK(j["overlap"][1]["jaccard"] == 1.0);  // seeds 1 and 3
  CHECK(j["overlap"][0]["jaccard"] == 0.6);
  CHECK(j["overlap"][0]["p_at_least"] == Approx(17.0 / 70.0).epsilon(1e-12));
  CHECK(j["searches"].size() == 9);
  CHECK(j["searches"][2]["kept_share"] == 0.6);
  CHECK(j["runs"].size() == 24);
  CHECK(j["survivors"].size() == 10);
  const std::string csv = test::read_text(out.path() / "deep/er/tables/scores_by_seed.csv");
  CHECK(csv.find("acceptability,heads_mlps,random,masked,3,0.88,1,0\r\n") != std::string::npos);
  const std::string tex = test::read_text(out.path() / "deep/er/tables/scores.tex");
  CHECK(tex.find("& 0.5000 & good & masked & 0.8500 & ") != std::string::npos);
  CHECK(tex.find("acceptability & heads\\_mlps & accuracy & ") != std::string::npos);
  const std::string txt = test::read_text(out.path() / "deep/er/tables/scores.txt");
  CHECK(txt.find("\nacceptability  heads_mlps  accuracy    0.5000  good    masked     0.8500 ") !=
        std::string::npos);
  CHECK(written.tables.size() == 1 + 3 * j.size());
  for (const auto& t : written.tables) CHECK(std::filesystem::exists(t));
}

TEST_CASE("searches stand beside each other, without what they leave alone") {
  const temporary_folder dir;
  test::write_study(dir.path(), 3);
  // A second way to search: it kept one MLP of two and every head, and was measured by itself.
  for (const std::string s : {"1", "2"}) {
    const auto folder = dir.path() / ("other-s" + s);
    const std::string found =
        R"({"file":"ticket.safetensors","kind":"good","family":"heads_mlps",)"
        R"("search":"guard_share 0.9, mode standard, prune mlps, select dev",)"
        R"("fingerprint":"f)" +
        s +
        R"(","kept":{"heads":8,"mlps":1},)"
        R"("size":{"heads":8,"mlps":2}})";
    test::write_result(
        folder, {"find-masks", "acceptability", std::stoull(s), s == "1" ? "0.89" : "0.87", "0.5",
                 found, false, s == "1" ? "7" : "8"});
    io::write_ticket(folder / "ticket.safetensors", test::small_ticket(0xFF, s == "1" ? 1 : 2));
    io::write_trace(folder / "trace.safetensors", test::small_trace());
  }
  const report_input in = read_report_input(dir.path());
  const report_numbers n = compute(in);
  REQUIRE(n.searches.size() == 3);
  const search_outcome& heads = n.searches[0];
  CHECK(heads.set == "heads_mlps, plain");
  CHECK(heads.part == "heads");
  CHECK(heads.tickets == 3);
  CHECK(heads.units == 8);
  CHECK(heads.least == 4);
  CHECK(heads.most == 4);
  CHECK(heads.jaccard.value == Approx((0.6 + 1.0 + 0.6) / 3.0).epsilon(1e-12));
  CHECK(*heads.score == Approx(0.85).epsilon(1e-15));  // evaluated, not what the search measured
  CHECK(*heads.of_full == Approx(0.85 / 0.92).epsilon(1e-12));
  CHECK(*heads.seconds.mean == 1.5);
  CHECK(n.searches[1].part == "mlps");  // which that search looked at and kept
  CHECK(n.searches[1].least == 2);
  const search_outcome& mlps = n.searches[2];
  CHECK(mlps.set == "heads_mlps, prune mlps");
  CHECK(mlps.part == "mlps");
  CHECK(mlps.tickets == 2);
  CHECK(mlps.jaccard.value == 0.0);
  CHECK(mlps.expected_jaccard.value == 0.5);
  CHECK(*mlps.score == Approx(0.88).epsilon(1e-15));
  CHECK(*mlps.seconds.mean == 7.5);
  const std::string csv = to_csv(comparison_table(n.searches));
  CHECK(csv.find("\"heads_mlps, prune mlps\",mlps,2,2,1,1,1,0.5,0.88,0.96174863") !=
        std::string::npos);
  CHECK(csv.find(",0,0.5,7.5") != std::string::npos);

  CHECK(n.verdicts[0].claim == "the full model beats the majority class");
  std::vector<std::string> agree;
  for (const verdict& v : n.verdicts) {
    if (v.claim.starts_with("seeds agree")) agree.push_back(v.family + ": " + v.claim);
  }
  CHECK(agree ==
        std::vector<std::string>{"heads_mlps, plain: seeds agree on heads more than chance",
                                 "heads_mlps, prune mlps: seeds agree on MLPs more than chance"});
  const std::string page = make_report(in, n);
  check_self_contained(page);
  CHECK(count_of(page, "the full model beats the majority class") == 1);
  CHECK(page.find("What each search keeps, and how far its tickets agree") != std::string::npos);
  CHECK(page.find("<td class=\"short\">MLPs, prune") == std::string::npos);
  CHECK(page.find(">heads and MLPs, plain</td>") != std::string::npos);
  CHECK(page.find("href=\"#compared\">Searches compared<") != std::string::npos);
}

TEST_CASE("a search that could prune nothing keeps its place among the others") {
  const temporary_folder dir;
  test::write_study(dir.path(), 2);
  for (const std::string s : {"1", "2"}) {
    io::write_ticket(dir.path() / ("find-s" + s) / "ticket.safetensors",
                     test::small_ticket(0xFF, 3));
  }
  const report_numbers n = compute(read_report_input(dir.path()));
  REQUIRE(n.searches.size() == 2);
  CHECK(n.searches[0].part == "heads");
  CHECK(n.searches[1].part == "mlps");
  CHECK(n.searches[1].least == 2);
}

TEST_CASE("a claim of the full model is said once a task and way to train it") {
  const temporary_folder dir;
  test::write_study(dir.path(), 2);
  // Other tickets, whose runs say no majority class; and models that were trained otherwise.
  test::write_result(dir.path() / "weights", {"evaluate", "acceptability", 1, "0.7", "null",
                                              test::made_ticket("good", "heads", 4), false});
  std::string other = test::to_json({"train", "acceptability", 1, "0.4", "0.5", "null", false});
  other.insert(1, R"("setting":"rate 1",)");
  test::write_text(dir.path() / "other/result.json", other);
  std::vector<std::string> said;
  for (const verdict& v : compute(read_report_input(dir.path())).verdicts) {
    if (v.claim == full_model_claim) {
      said.push_back(v.family + ": " + std::string{to_string(v.decision)});
    }
  }
  CHECK(said ==
        std::vector<std::string>{"none, rate 1: does not hold", "none, settings not known: holds"});
}

TEST_CASE("what tells a search apart is the same in all tasks") {
  const temporary_folder dir;
  test::write_study(dir.path() / "a", 2);
  test::write_study(dir.path() / "b", 2, "sentiment");
  // The second task was searched in another way too, the first was not.
  const auto again = dir.path() / "b/again";
  test::write_result(again, {"find-masks", "sentiment", 1, "0.9", "0.5",
                             test::found_by("guard_share 0.9, mode study, select dev",
                                            test::made_ticket("good", "heads_mlps", 4)),
                             false});
  io::write_ticket(again / "ticket.safetensors", test::small_ticket(0x0F, 3));
  io::write_trace(again / "trace.safetensors", test::small_trace());
  const report_input in = read_report_input(dir.path());
  REQUIRE(in.sets.size() == 2);
  CHECK(in.sets[0].name == "heads_mlps, mode standard");
  CHECK(in.sets[0].tasks.size() == 2);
  CHECK(in.sets[1].name == "heads_mlps, mode study");
  CHECK(in.sets[1].tasks.size() == 1);
  std::vector<std::string> rows;
  for (const search_outcome& o : compute(in).searches) {
    if (o.part == "heads") rows.push_back(o.task + ": " + o.set);
  }
  CHECK(rows == std::vector<std::string>{"acceptability: heads_mlps, mode standard",
                                         "sentiment: heads_mlps, mode standard",
                                         "sentiment: heads_mlps, mode study"});
}

TEST_CASE("sections of a kind are folded in the contents where there are many") {
  std::vector<page_part> parts{{"findings", "Findings", "", ""}};
  for (const std::string n : {"1", "2", "3", "4"}) parts.push_back({"s" + n, "Sizes", n, ""});
  const std::string few = contents(parts);
  CHECK(test::ill_formed(few) == "");
  CHECK(few.find("<details") == std::string::npos);
  CHECK(few.find(">Sizes: 4<") != std::string::npos);
  parts.push_back({"s5", "Sizes", "5", ""});
  parts.push_back({"provenance", "Provenance", "", ""});
  const std::string many = contents(parts);
  CHECK(test::ill_formed(many) == "");
  CHECK(many.find("<summary>Sizes (5)</summary>") != std::string::npos);
  CHECK(many.find("href=\"#s5\">5<") != std::string::npos);
  CHECK(many.find("href=\"#findings\">Findings<") != std::string::npos);
  CHECK(count_of(many, "href=") == 7);
}

TEST_CASE("one seed: what is undefined is said, nothing is NaN") {
  const temporary_folder dir;
  test::write_study(dir.path(), 1);
  const std::string page = page_of(dir.path());
  check_self_contained(page);
  CHECK(page.find(one_value) != std::string::npos);
  CHECK(page.find("One seed alone has nothing to agree with") != std::string::npos);
  CHECK(page.find("class=\"whisker\"") == std::string::npos);
  CHECK(page.find("in 1 of 1 seed,") != std::string::npos);
  const auto in = read_report_input(dir.path());
  const std::string json = to_json(report_tables(in, compute(in)));
  const auto j = nlohmann::json::parse(json);
  CHECK(j["scores"][0]["deviation"].is_null());
  CHECK(j["scores"][0]["deviation_missing"] == one_value);
}

TEST_CASE("hostile names stay text") {
  const temporary_folder dir;
  const std::string hostile = "</svg><script>alert(1)</script>\\\"'&\\u202e";
  test::write_study(dir.path(), 2, hostile);
  const std::string page = make_report(read_report_input(dir.path()), {"<b>&"});
  check_self_contained(page);
  CHECK(page.find("<b>") == std::string::npos);
  CHECK(page.find("&lt;/svg&gt;&lt;script&gt;alert(1)") != std::string::npos);
  CHECK(page.find("\xE2\x80\xAE") == std::string::npos);
}

TEST_CASE("a folder of masks gives survivors, agreement and what tasks share") {
  const temporary_folder dir;
  write_masks(dir.path());
  const report_input in = read_report_input(dir.path());
  CHECK(in.results.empty());
  CHECK(in.files.size() == 8);
  CHECK(in.files[0].sha256.size() == 64);
  const std::string page = make_report(in);
  check_self_contained(page);
  CHECK(page.find("All 2 tasks together") != std::string::npos);
  CHECK(page.find("4 tickets, tasks 2, seeds 2") != std::string::npos);
  CHECK(page.find("What tasks share") != std::string::npos);
  CHECK(page.find(in.files[0].sha256) != std::string::npos);
  CHECK(page.find("id=\"scores\"") == std::string::npos);
  CHECK(page.find("majority") == std::string::npos);  // words on scores stay away, too
}

TEST_CASE("what lies beside the masks is read with them, and is named as an input") {
  const temporary_folder dir;
  const auto masks = dir.path() / "masks/set";
  write_masks(masks);
  for (const std::string at : {"A/seed_1", "A/seed_2", "B/seed_1", "B/seed_2"}) {
    const std::vector<double> scores{8, 7, 6, 5, 4, 3, 2, 1};
    io::write_npy(masks / at / "head_importance.npy", {2, 4}, std::span<const double>{scores});
  }
  test::write_text(dir.path() / "evaluate_masked/no_mask/results.json",
                   R"({"A": {"acc": [0.625, 0.02]}})");
  const report_input in = read_report_input(masks);
  REQUIRE(in.files.size() == 8 + 4 + 1);
  CHECK(in.files[8].name == "set, importances, A, seed 1");
  CHECK(in.files[8].path == (masks / "A/seed_1/head_importance.npy").string());
  CHECK(in.files[12].name == "scores of no_mask");
  CHECK(in.files[12].sha256.size() == 64);
  const std::string page = make_report(in);
  check_self_contained(page);
  for (const char* id : {"importance-1", "published", "super-1", "tasks-1"}) {
    INFO(id);
    CHECK(count_of(page, "id=\"" + std::string{id} + "\"") == 1);
    CHECK(count_of(page, "href=\"#" + std::string{id} + "\"") == 1);
  }
  CHECK(page.find(in.files[12].sha256) != std::string::npos);
  CHECK(page.find("0.625") != std::string::npos);
  test::write_text(dir.path() / "evaluate_masked/no_mask/results.json", "[]");
  CHECK_THROWS_AS(read_report_input(masks), format_error);
}

TEST_CASE("two searches of one seed are told apart, and count once where they found one ticket") {
  const temporary_folder dir;
  test::write_study(dir.path(), 2);
  std::filesystem::copy(dir.path() / "find-s1", dir.path() / "find-s1-again");
  CHECK(read_report_input(dir.path()).sets[0].tasks[0].seeds.size() == 2);
  io::write_ticket(dir.path() / "find-s1-again/ticket.safetensors", test::small_ticket(0x3C, 3));
  const report_input in = read_report_input(dir.path());
  REQUIRE(in.sets.size() == 1);
  REQUIRE(in.sets[0].tasks[0].seeds.size() == 3);
  CHECK(in.sets[0].tasks[0].seeds[1].seed == "1 (2)");
}

TEST_CASE("a folder that is no study is refused, and nothing is written") {
  const temporary_folder dir;
  CHECK_THROWS_WITH(read_report_input(dir.path()),
                    dir.path().string() +
                        ": holds neither a result.json within 3 folders nor masks as "
                        "<task>/seed_<number>/head_mask.npy, expected one of them");
  test::write_study(dir.path(), 1);
  std::filesystem::remove(dir.path() / "find-s1/trace.safetensors");
  CHECK_THROWS_AS(read_report_input(dir.path()), input_error);
  test::write_text(dir.path() / "broken/result.json", "{}");
  CHECK_THROWS_WITH(read_report_input(dir.path()), (dir.path() / "broken/result.json").string() +
                                                       ": has no 'format', expected a string");
  test::write_text(dir.path() / "file", "x");
  CHECK_THROWS_AS(write_report({}, dir.path() / "file"), input_error);
  CHECK(test::read_text(dir.path() / "file") == "x");
}

TEST_CASE("tickets of one task that differ in shape are refused by name") {
  const temporary_folder dir;
  test::write_study(dir.path(), 2);
  io::write_ticket(dir.path() / "find-s2/ticket.safetensors", ticket{{{"heads", {2, 4}}}});
  CHECK_THROWS_WITH(read_report_input(dir.path()),
                    (dir.path() / "find-s2/ticket.safetensors").string() + ": does not fit " +
                        (dir.path() / "find-s1/ticket.safetensors").string() +
                        ": tickets of 2 and 1 groups");
}

// Hidden: report_screens.sh runs it to get pages for a browser.
TEST_CASE("sample reports for a browser", "[.screens]") {
  const char* folder = std::getenv("TOMBOLA_SCREENS");
  REQUIRE(folder != nullptr);
  const std::filesystem::path out = folder;
  const temporary_folder runs, masks;
  test::write_study(runs.path(), 3);
  write_masks(masks.path());
  write_report(read_report_input(runs.path()), out / "runs", {"A study in small"});
  write_report(read_report_input(masks.path()), out / "masks", {"Masks"});
}
