// The commands that need no model: arrays in, masks and numbers out.

#include <cmath>
#include <cstddef>
#include <map>
#include <utility>

#include "tests/driver/program.hpp"
#include "tests/support/shared.hpp"

#include "tombola/io/json.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream{file, std::ios::binary} << text;
}

/// A 0/1 array of a text: `1011`.
void write_mask(const fs::path& file,
                const std::vector<std::size_t>& extents,
                const std::string& bits) {
  fs::create_directories(file.parent_path());
  mask m{bits.size()};
  for (std::size_t i = 0; i < bits.size(); ++i) m.set(i, bits[i] == '1');
  io::write_mask_npy(file, extents, m, io::mask_number::float32);
}

std::string bits_of(const mask& m) {
  std::string bits;
  for (std::size_t i = 0; i < m.size(); ++i) bits += m[i] ? '1' : '0';
  return bits;
}

std::string bits_of(const fs::path& file) {
  return bits_of(io::read_mask_npy(file).mask);
}

}  // namespace

TEST_CASE("select keeps the highest scores, the earlier of equals") {
  const folder here;
  const std::string array = (here / "head_importance.npy").string(),
                    out = (here / "out_mask.npy").string();
  io::write_npy(array, {2, 4}, std::vector<double>{5, 1, 1, 4, 1, 9, 8, 7});
  const auto selected = [&](const std::string& how) {
    succeed("select " + array + " " + how + " --out " + out);
    return bits_of(out);
  };
  CHECK(selected("--keep 3") == "00000111");
  CHECK(selected("--keep 6") == "11010111");  // of the three ones, the first
  CHECK(selected("--keep-share 0.5") == "10000111");
  CHECK(selected("--keep 0") == "00000000");
  CHECK(selected("--keep 4 --least 2") == "10010110");  // two in each layer
  CHECK(selected("--keep 4 --most 2 --least 1") == "10010110");
  CHECK(selected("--keep-of 1:2") == "10010110");
  CHECK(selected("--keep-of 2:4") == "10010110");
  // Each layer by its own norm: 5/6.56 and 4/6.56 come before 8/13.96 and 7/13.96.
  CHECK(selected("--keep 3 --normalise layer_l2") == "10010100");
  const auto j = json_of("select " + array + " --keep 5 --out " + out);
  CHECK(j.at("kept") == 5);
  CHECK(j.at("size") == 8);
  CHECK(j.at("groups").at("heads").at("kept") == 5);
}

TEST_CASE("select ranks groups together or each by itself, from any kind of file") {
  const folder here;
  write(here / "scores.csv",
        "group,unit,score\r\na,1,0.5\r\na,0,4\r\nb,0,3\r\nb,2,2\r\nb,1,1e-3\r\n");
  const std::string csv = (here / "scores.csv").string(), ticket_file = (here / "t").string();
  succeed("select " + csv + " --keep 2 --out " + ticket_file);
  ticket t = io::read_ticket(ticket_file);
  CHECK(t.groups()[0] == group{"a", {2}});
  CHECK(bits_of(t[0]) == "10");
  CHECK(bits_of(t[1]) == "100");
  succeed("select " + csv + " --keep 1 --within group --out " + ticket_file);
  t = io::read_ticket(ticket_file);
  CHECK(bits_of(t[0]) == "10");
  CHECK(bits_of(t[1]) == "100");
  succeed("select " + csv + " --keep-share 0.5 --within group --out " + ticket_file);
  t = io::read_ticket(ticket_file);
  CHECK(bits_of(t[0]) == "10");
  CHECK(bits_of(t[1]) == "101");  // 1.5 rounds to the even 2
}

TEST_CASE("convert: arrays to a ticket, to an archive and back, bit for bit") {
  const folder here;
  const std::string heads = (here / "head_mask.npy").string(),
                    mlps = (here / "mlp_mask.npy").string();
  write_mask(heads, {2, 3}, "101100");
  write_mask(mlps, {2}, "01");
  const std::string as_ticket = (here / "both.safetensors").string(),
                    archive = (here / "both.npz").string(), back = (here / "back.npy").string();
  const auto j = json_of("convert " + heads + " " + mlps + " --out " + as_ticket);
  CHECK(j.at("groups")[0] ==
        nlohmann::json::parse(R"({"extents":[2,3],"kept":3,"name":"heads","size":6})"));
  const ticket t = io::read_ticket(as_ticket);
  REQUIRE(t.groups().size() == 2);
  CHECK(t.groups()[1] == group{"mlps", {2}});

  succeed("convert " + as_ticket + " --out " + archive + " --as bool");
  succeed("convert " + archive + " --group heads --out " + back);
  CHECK(text_of(back) == text_of(heads));
  succeed("convert " + archive + " --group mlps --as uint8 --out " + back);
  CHECK(bits_of(back) == "01");
  CHECK(io::read_npy(back).type == io::dtype::u8);

  refuses("convert " + as_ticket + " --out " + back, {"back.npy", "2 groups", "--group"}, back);
  refuses("convert " + as_ticket + " --group ears --out " + back, {"'ears'", "found heads, mlps"},
          back);
  refuses("convert " + heads + " " + heads + " --out " + as_ticket,
          {"head_mask.npy", "'heads'", "expected each once"}, as_ticket);
}

TEST_CASE("compare and agreement take folders, and say how sure they are over all pairs") {
  const folder here;
  write_mask(here / "runs/a/head_mask.npy", {2, 4}, "11110000");
  write_mask(here / "runs/b/head_mask.npy", {2, 4}, "11101000");
  write_mask(here / "runs/c/head_mask.npy", {2, 4}, "00001111");
  write(here / "runs/c/head_importance.npy", "not looked at");
  write(here / "runs/.hidden_mask.npy", "not looked at");
  const std::string runs = (here / "runs").string();
  const auto pairs = json_of("compare " + runs).at("pairs");
  REQUIRE(pairs.size() == 3);
  CHECK(pairs[0].at("first_file") == runs + "/a/head_mask.npy");
  CHECK(pairs[0].at("second_file") == runs + "/b/head_mask.npy");
  CHECK(pairs[0].at("all").at("both") == 3);
  CHECK(pairs[0].at("all").at("jaccard").get<double>() == Approx(0.6).margin(1e-15));
  // 4 of 8 and 4 of 8, 3 or more in common: (4 * 4 + 1) / 70; the smallest of three, times 3.
  CHECK(pairs[0].at("all").at("p_at_least").get<double>() == Approx(17.0 / 70).epsilon(1e-12));
  CHECK(pairs[0].at("all").at("p_at_least_holm").get<double>() == Approx(51.0 / 70).epsilon(1e-12));
  CHECK(pairs[0].at("all").at("p_at_least_benjamini_hochberg").get<double>() ==
        Approx(51.0 / 70).epsilon(1e-12));

  const auto agreed = json_of("agreement " + runs);
  CHECK(agreed.at("files").size() == 3);
  CHECK(agreed.at("all").at("units_by_survival") == nlohmann::json{0, 4, 4, 0});
  // Every unit has one or two of three votes: 1/3 of its pairs agree; half of all votes are 1, so
  // that chance gives 1/2.
  CHECK(agreed.at("all").at("fleiss_kappa").get<double>() == Approx(-1.0 / 3).epsilon(1e-12));

  fs::create_directories(here / "nothing");
  refuses("compare " + (here / "nothing").string(), {"nothing", "no file of masks"}, here.str());
  refuses("agreement " + runs + "/a", {"1 file", "expected at least two"}, here.str());
}

TEST_CASE("a folder of a seed with arrays of heads and of MLPs is one ticket") {
  const folder here;
  const auto seed = [&](const std::string& name, const std::string& heads,
                        const std::string& mlps) {
    write_mask(here / ("set/RTE/" + name + "/head_mask.npy"), {2, 4}, heads);
    write_mask(here / ("set/RTE/" + name + "/mlp_mask.npy"), {2}, mlps);
  };
  seed("seed_1", "11110000", "10");
  seed("seed_2", "11101000", "01");
  const std::string set = (here / "set").string();
  const auto pair = json_of("compare " + set).at("pairs").at(0);
  CHECK(pair.at("first_file") == set + "/RTE/seed_1");
  CHECK(pair.at("groups").at("heads").at("both") == 3);
  CHECK(pair.at("groups").at("mlps").at("both") == 0);
  CHECK(pair.at("all").at("within_groups").at("expected_both").get<double>() == 2.5);
  CHECK(json_of("compare " + set + "/RTE/seed_1 " + set + "/RTE/seed_2").at("pairs").at(0) == pair);
  CHECK(json_of("agreement " + set).at("groups").size() == 2);
  // One array alone is a ticket of one group, and does not fit the others.
  fs::remove(here / "set/RTE/seed_2/mlp_mask.npy");
  refuses("compare " + set, {"seed_2/head_mask.npy", "does not fit", "seed_1"}, set);
}

TEST_CASE("of several groups compare and agreement say what chance gives within each") {
  // Both tickets keep most of one group and little of the other, and no more the same than that.
  const auto ticket_of = [](std::uint64_t first, std::uint64_t second) {
    return ticket{{{"a", {64}}, {"all", {64}}},
                  {mask::from_words(64, {first}), mask::from_words(64, {second})}};
  };
  const folder here;
  const std::string one = (here / "one.safetensors").string(),
                    two = (here / "two.safetensors").string();
  io::write_ticket(one, ticket_of(0x0000FFFFFFFFFFFF, 0xFF));
  io::write_ticket(two, ticket_of(0xFFFFFFFFFFFF0000, 0xFF00));
  const std::string files = one + " " + two;
  const auto all = json_of("compare " + files).at("pairs").at(0).at("all");
  const auto& within = all.at("within_groups");
  CHECK(all.at("expected_both").get<double>() == 24.5);
  CHECK(all.at("p_at_least").get<double>() < 0.05);
  CHECK(within.at("expected_both").get<double>() == 37.0);
  CHECK(within.at("p_at_least").get<double>() > 0.5);
  CHECK(within.at("draws").get<int>() == 0);  // two groups of 64 units: exact
  CHECK(all.at("p_at_least_holm") == within.at("p_at_least"));
  CHECK(
      test::tombola("compare " + files).out.find("where each group keeps its size: chance 0.49") !=
      std::string::npos);
  const auto agreed = json_of("agreement " + files);
  // A group may have any name: "all" is one of the groups and all groups, too.
  CHECK(agreed.at("groups").size() == 2);
  CHECK(agreed.at("groups").at("all").at("units") == 64);
  CHECK(agreed.at("all").at("units") == 128);
  CHECK(agreed.at("all").at("fleiss_kappa").get<double>() > 0.2);
  CHECK(agreed.at("all").at("fleiss_kappa_within_groups").get<double>() < 0.0);
  CHECK(agreed.at("all").at("mean_expected_jaccard").get<double>() ==
        Approx(37.0 / 75).margin(0.02));
  CHECK(agreed.at("all").at("expected_units_by_survival").at(2).get<double>() == Approx(37.0));
}

TEST_CASE("report reads a table that maps files to task and seed, and writes beside it") {
  const folder here;
  write_mask(here / "x/one.npy", {2, 3}, "110100");
  write_mask(here / "x/two.npy", {2, 3}, "110010");
  write(here / "x/masks.csv", "file,task,seed\none.npy,RTE,1\ntwo.npy,RTE,2\n");
  const auto j = json_of("report " + (here / "x/masks.csv").string());
  CHECK(j.at("report") == (here / "x/report.html").string());
  CHECK(j.at("findings").size() == 1);
  CHECK_THAT(text_of(here / "x/report.html"), Catch::Matchers::Contains("RTE"));
  CHECK_THAT(text_of(here / "x/tables/overlap.csv"), Catch::Matchers::Contains(",RTE,"));
  CHECK(fs::exists(here / "x/tables/overlap.tex"));
  CHECK(fs::exists(here / "x/tables/overlap.txt"));
  succeed("report " + (here / "x/masks.csv").string() + " --out " + (here / "y").string());
  CHECK(text_of(here / "y/tables.json") == text_of(here / "x/tables.json"));
  write(here / "x/bad.csv", "file,task\none.npy,RTE\n");
  refuses("report " + (here / "x/bad.csv").string() + " --out " + (here / "z").string(),
          {"bad.csv", "no column 'seed'"}, here / "z");
}

TEST_CASE("inspect describes an archive array by array") {
  const folder here;
  write_mask(here / "head_mask.npy", {2, 3}, "110100");
  const std::string archive = (here / "a.npz").string();
  succeed("convert " + (here / "head_mask.npy").string() + " --out " + archive);
  const auto j = json_of("inspect " + archive);
  CHECK(j.at("what") == "archive");
  CHECK(j.at("arrays").at(0).at("name") == "heads");
  CHECK(j.at("arrays").at(0).at("kept") == 3);
  CHECK_THAT(succeed("inspect " + archive), Catch::Matchers::Contains("name heads"));
}

TEST_CASE("controls of every kind keep what their names say") {
  const folder here;
  std::vector<std::string> files;
  for (const auto& [name, bits] : std::map<std::string, std::string>{
           {"a", "111100000000"}, {"b", "111010000000"}, {"c", "110110000000"}}) {
    files.push_back((here / name / "head_mask.npy").string());
    write_mask(files.back(), {2, 6}, bits);
  }
  const std::string out = (here / "out.npy").string(),
                    all = files[0] + " " + files[1] + " " + files[2];
  const auto made = [&](const std::string& tickets, const std::string& kind) {
    succeed("controls --ticket " + tickets + " --kind " + kind + " --seed 5 --out " + out);
    return bits_of(out);
  };
  const auto kept = [](const std::string& bits) {
    return std::count(bits.begin(), bits.end(), '1');
  };
  CHECK(kept(made(files[0], "random")) == 4);
  CHECK(made(files[0], "random") == made(files[0], "random"));
  const std::string layers = made(files[0], "layers");
  CHECK(kept(layers.substr(0, 6)) == 4);
  CHECK(kept(layers) == 4);
  CHECK(made(files[0], "inverted") == "000011111111");
  const std::string bad = made(files[0], "bad");
  CHECK(kept(bad) == 4);
  CHECK(bad.substr(0, 4) == "0000");
  CHECK(made(all, "super") == "110000000000");
  const std::string bizzaro = made(all, "bizzaro"), midling = made(all, "midling");
  CHECK(kept(bizzaro) == 2);
  CHECK(bizzaro.substr(0, 5) == "00000");  // what none keeps
  CHECK(kept(midling) == 2);
  CHECK(midling.substr(0, 2) == "00");
  refuses("controls --ticket " + all + " --kind bad --out " + out, {"3 tickets", "expected one"},
          out);
  for (const std::string kind : {"super", "bizzaro", "midling"}) {
    refuses("controls --ticket " + files[0] + " --kind " + kind + " --out " + out,
            {"found 1 ticket for kind " + kind + ", expected at least 2"}, out);
    write_mask(here / "study/RTE/seed_1/head_mask.npy", {2, 6}, "111100000000");
    refuses("controls --mode study --ticket " + (here / "study").string() + " --kind " + kind +
                " --out " + (here / "drawn").string(),
            {"found 1 ticket of 'RTE' for kind " + kind + ", expected at least 2"}, here / "drawn");
    CHECK_FALSE(fs::exists(here / "drawn"));
  }
  refuses("controls --mode study --ticket " + files[0] + " --kind random --out " + out,
          {"head_mask.npy", "folder"}, out);
  refuses("controls --mode study --ticket " + here.str() + " --kind random --out " + out,
          {"no masks in it", "seed_<n>"}, out);
}

TEST_CASE("controls say where the control is the ticket that it is held against") {
  const folder here;
  const std::string half = (here / "half_mask.npy").string(),
                    all = (here / "all_mask.npy").string(), out = (here / "out.npy").string();
  write_mask(half, {2, 6}, "111111000000");
  write_mask(all, {2, 6}, "111111111111");
  const auto controls = [&](const std::string& file, const std::string& kind) {
    return "controls --ticket " + file + " --kind " + kind + " --seed 5 --out " + out;
  };
  const std::string note =
      "controls: this random ticket keeps the same units as the ticket it was "
      "drawn from; there is nothing to compare\n";
  CHECK(tombola::test::tombola(controls(all, "random")).err == note);
  CHECK(tombola::test::tombola(controls(all, "random") + " --quiet").err == "");
  CHECK(tombola::test::tombola(controls(half, "random")).err == "");
  CHECK(json_of(controls(all, "random")).at("same_as_given") == true);
  CHECK(json_of(controls(all, "bad")).at("same_as_given") == true);
  CHECK(json_of(controls(half, "bad")).at("same_as_given") == false);
  CHECK(json_of(controls(all, "inverted")).at("same_as_given") == false);
  // The opposites of a super ticket are held against that.
  CHECK(json_of(controls(all + " " + half, "bizzaro")).at("same_as_given") == false);
  CHECK(json_of(controls(all + " " + all, "bizzaro")).at("same_as_given") == true);
  CHECK_FALSE(json_of(controls(all + " " + all, "super")).contains("same_as_given"));
}

TEST_CASE("controls --mode study: four published sets of masks, file by file") {
  const auto root = test::shared("data/lottery-masks/masks");
  if (!root) return;
  const folder here;
  for (const auto& [kind, published] :
       std::map<std::string, std::string>{{"random", "heads_mlps_random"},
                                          {"super", "heads_mlps_super"},
                                          {"bizzaro", "heads_mlps_super_bizzaro"},
                                          {"midling", "heads_mlps_super_midling"}}) {
    const fs::path out = here / kind;
    const auto j = json_of("controls --mode study --kind " + kind + " --ticket " +
                           (*root / "heads_mlps").string() + " --out " + out.string());
    CHECK(j.at("files") == 90);
    std::size_t compared = 0;
    for (const auto& entry : fs::recursive_directory_iterator{*root / published}) {
      if (entry.path().extension() != ".npy") continue;
      const fs::path ours = out / fs::relative(entry.path(), *root / published);
      INFO(entry.path().string());
      REQUIRE(fs::exists(ours));
      const bool same = text_of(ours) == text_of(entry.path());
      CHECK(same);
      ++compared;
    }
    CHECK(compared == 90);
  }
  refuses("controls --mode study --kind bad --ticket " + (*root / "heads_mlps").string() +
              " --out " + (here / "bad").string(),
          {"bad", "expected random, super, bizzaro or midling"}, here / "bad");
}

TEST_CASE("every command shows an example, and completion knows every command") {
  const std::string help = succeed("--help");
  const std::string script = succeed("completion bash");
  for (const char* command :
       {"select", "controls", "compare", "agreement", "convert", "report", "inspect", "pocket",
        "completion", "train", "find-masks", "evaluate", "pretrain", "fetch"}) {
    INFO(command);
    CHECK_THAT(help, Catch::Matchers::Contains(command));
    CHECK_THAT(succeed(std::string{command} + " --help"), Catch::Matchers::Contains("Example:"));
    CHECK_THAT(script, Catch::Matchers::Contains(command));
  }
  // Asked as bash asks: the words so far, and which of them is being typed.
  const folder here;
  write(here / "completion.sh", script +
                                    "ask() { COMP_WORDS=(tombola \"$@\"); COMP_CWORD=$#; _tombola; "
                                    "echo \"${COMPREPLY[*]}\"; }\n"
                                    "ask contr\nask compare --thr\n");
  const std::string said = (here / "said").string();
  REQUIRE(std::system(("bash " + (here / "completion.sh").string() + " >" + said).c_str()) == 0);
  CHECK(text_of(said) == "controls\n--threads\n");
  CHECK_THAT(succeed("completion zsh"), Catch::Matchers::Contains("bashcompinit"));
  CHECK_THAT(succeed("completion fish"), Catch::Matchers::Contains("complete -c tombola"));
}

TEST_CASE("bad input: scores and selections") {
  const folder here;
  const fs::path out = here / "out.npy";
  const std::string to = " --out " + out.string();
  const std::string array = (here / "s.npy").string(), csv = (here / "s.csv").string();
  io::write_npy(array, {2, 3}, std::vector<double>{1, 2, 3, 4, 5, 6});
  SECTION("how many is not said, or cannot be") {
    refuses("select " + array + to, {"--keep-share, --keep or --keep-of"}, out);
    refuses("select " + array + " --keep 7" + to, {"keep 7 units of 6"}, out);
    refuses("select " + array + " --keep-share 1.5" + to, {"--keep-share", "1.5"}, out);
    refuses("select " + array + " --keep-share nan" + to,
            {"--keep-share: found nan, expected a number from 0 to 1"}, out);
    refuses("select " + array + " --keep-of 0:4" + to, {"--keep-of is 0:4", "N from 1 to M"}, out);
    refuses("select " + array + " --keep-of 2/4" + to, {"2/4", "N:M"}, out);
    refuses("select " + array + " --keep-of 1:2" + to, {"1 of every 2", "rows of 3"}, out);
    refuses("select " + array + " --keep 1 --least 1" + to, {"asked to remove 5", "at most 4"},
            out);
    refuses("select " + array + " --keep 1 --keep-share 0.5" + to, {"excludes"}, out);
  }
  SECTION("scores that are none") {
    io::write_npy(array, {2}, std::vector<double>{1, std::nan("")});
    refuses("select " + array + " --keep 1" + to, {"s.npy", "unit 1 is NaN"}, out);
    refuses("select " + (here / "none.npy").string() + " --keep 1" + to, {"none.npy"}, out);
    refuses("select " + array + " " + array + " --keep 1" + to, {"s.npy"}, out);
  }
  SECTION("tables of scores") {
    write(csv, "unit,score\n0,1\n2,5\n");
    refuses("select " + csv + " --keep 1" + to, {"s.csv", "unit 1", "has no score"}, out);
    write(csv, "unit,score\n0,1\n0,5\n");
    refuses("select " + csv + " --keep 1" + to, {"s.csv", "line 3", "has a score already"}, out);
    write(csv, "unit,score\n-1,1\n");
    refuses("select " + csv + " --keep 1" + to, {"s.csv", "line 2", "-1"}, out);
    write(csv, "unit,value\n0,1\n");
    refuses("select " + csv + " --keep 1" + to, {"s.csv", "score"}, out);
    write(csv, "unit,score\n0,much\n");
    refuses("select " + csv + " --keep 1" + to, {"s.csv", "much"}, out);
  }
}
