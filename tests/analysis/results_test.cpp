#include "tombola/analysis/results.hpp"

#include <filesystem>
#include <string>

#include "tests/analysis/fabricated.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/error.hpp"

using namespace tombola::analysis;
using tombola::test::made_result;
using tombola::test::temporary_folder;
using tombola::test::write_text;

namespace {

/// The sentence with which a result.json of this text is refused, without the file's name.
std::string refusal(const std::string& text) {
  const temporary_folder dir;
  const auto file = dir.path() / "result.json";
  write_text(file, text);
  try {
    static_cast<void>(read_result(file));
  } catch (const tombola::format_error& e) {
    const std::string what = e.what();
    REQUIRE(what.starts_with(file.string() + ": "));
    return what.substr(file.string().size() + 2);
  }
  return "accepted";
}

std::string changed(const std::string& from, const std::string& to) {
  made_result r;
  r.ticket = tombola::test::made_ticket("good", "heads", 4);
  std::string text = tombola::test::to_json(r);
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a result is read member by member") {
  const temporary_folder dir;
  made_result made{"evaluate", "SST-2", 42, "0.875", "null", "", true};
  made.ticket = tombola::test::made_ticket("super", "weights", 3);
  tombola::test::write_result(dir.path(), made);
  const result r = read_result(dir.path() / "result.json");
  CHECK(r.step == run_step::evaluate);
  CHECK(r.task == "SST-2");
  CHECK(r.seed == 42);
  CHECK(r.metric == "accuracy");
  CHECK(*r.score == 0.875);
  CHECK(*r.metrics.at("accuracy") == 0.875);
  CHECK_FALSE(r.majority);
  REQUIRE(r.ticket);
  CHECK(r.ticket->kind == ticket_kind::super);
  CHECK(r.ticket->family == ticket_family::weights);
  CHECK(r.ticket->kept.at("heads") == 3);
  CHECK(r.ticket->size.at("heads") == 8);
  CHECK(r.retrained);
  CHECK(r.seconds == 1.5);
  CHECK(r.run == R"({"epochs":1})");
  REQUIRE(r.inputs.size() == 1);
  CHECK(r.inputs[0].sha256 == "00ff");
}

TEST_CASE("how a run was trained and its ticket found may be missing") {
  const temporary_folder dir;
  made_result made;
  made.ticket = tombola::test::made_ticket("good", "heads", 4);
  const std::string text = tombola::test::to_json(made);
  write_text(dir.path() / "result.json", text);
  CHECK(read_result(dir.path() / "result.json").setting.empty());
  CHECK(read_result(dir.path() / "result.json").ticket->search.empty());
  std::string with = text;
  with.insert(with.find('{') + 1, R"("setting": "rows 8", )");
  with.insert(with.find("\"kind\""), R"("search": "mode study", )");
  write_text(dir.path() / "result.json", with);
  CHECK(read_result(dir.path() / "result.json").setting == "rows 8");
  CHECK(read_result(dir.path() / "result.json").ticket->search == "mode study");
  with = text;
  with.insert(with.find('{') + 1, R"("setting": 3, )");
  CHECK(refusal(with).find("'setting'") != std::string::npos);
}

TEST_CASE("an undefined score is null and stays undefined") {
  const temporary_folder dir;
  made_result made;
  made.score = "null";
  tombola::test::write_result(dir.path(), made);
  CHECK_FALSE(read_result(dir.path() / "result.json").score);
}

TEST_CASE("why a score of 0 is undefined stands in `undefined`, under its metric") {
  const temporary_folder dir;
  const auto read = [&](const std::string& members) {
    std::string text = tombola::test::to_json({});
    text.insert(text.find('{') + 1, members);
    write_text(dir.path() / "result.json", text);
    return read_result(dir.path() / "result.json").undefined;
  };
  CHECK(read("").empty());
  CHECK(read(R"("undefined":{"accuracy":"one side is constant"},)") == "one side is constant");
  CHECK(read(R"("undefined":{"f1":"one side is constant"},)").empty());
  std::string mean = tombola::test::to_json({});
  mean.replace(mean.find(R"("metric":"accuracy")"), 19, R"("metric":"accuracy_and_f1")");
  mean.insert(mean.find('{') + 1, R"("undefined":{"f1":"no positives"},)");
  write_text(dir.path() / "result.json", mean);
  CHECK(read_result(dir.path() / "result.json").undefined == "no positives");
  CHECK(refusal(changed(R"("step")", R"("undefined":"why","step")")) ==
        "'undefined' is '\"why\"', expected an object of reasons");
}

TEST_CASE("an ill-formed result names file, key, what was found and what was expected") {
  CHECK(refusal("{").starts_with("is not JSON: line 1"));
  CHECK(refusal("[]") == "found a list where an object with 'format' was expected");
  CHECK(refusal(changed("tombola-result", "other")) ==
        "'format' is 'other', expected 'tombola-result'");
  CHECK(refusal(changed(R"("version":1)", R"("version":2)")) == "'version' is 2, expected 1");
  CHECK(refusal(changed(R"("train")", R"("fly")")) ==
        "'step' is 'fly', expected one of pretrain, train, find-masks, evaluate");
  CHECK(refusal(changed(R"("score":0.9,)", "")) == "has no 'score', expected a number or null");
  CHECK(refusal(changed(R"("score":0.9)", R"("score":"high")")) ==
        "'score' is '\"high\"', expected a number");
  CHECK(refusal(changed(R"("seed":1)", R"("seed":-1)")) ==
        "'seed' is '-1', expected a whole number of 0 or more");
  CHECK(refusal(changed(R"("kind":"good")", R"("kind":"lucky")")) ==
        "'kind' is 'lucky', expected one of good, random, bad, inverted, super, super bad, super "
        "random");
  CHECK(refusal(changed(R"("kept":{"heads":4})", R"("kept":{"heads":9})")) ==
        "'kept' says 9 units of 'heads' and 'size' 8, expected a size of at least as many");
  CHECK(refusal(changed(R"("kept":{"heads":4})", R"("kept":{"toes":4})")) ==
        "'kept' says 4 units of 'toes' and 'size' none, expected a size of at least as many");
  CHECK(refusal(changed(R"("kept":{"heads":4})", R"("kept":[4])")) ==
        "'kept' is a list, expected an object of counts by group");
  CHECK(refusal(changed(R"("metrics":{"accuracy":0.9})", R"("metrics":3)")) ==
        "'metrics' is '3', expected an object of numbers");
  CHECK(refusal(changed(R"("seconds":1.5)", R"("seconds":-2)")) ==
        "'seconds' is -2, expected a number of 0 or more");
  CHECK(refusal(changed(R"("path":"/m",)", "")) == "has no 'path', expected a string");
}

TEST_CASE("results are found three folders down and in order, unfinished runs are passed over") {
  const temporary_folder dir;
  const auto put = [&](const std::string& at, std::uint64_t seed) {
    made_result r;
    r.seed = seed;
    tombola::test::write_result(dir.path() / at, r);
  };
  put("b", 2);
  put("a/b/c", 1);
  put("a/b/c/d", 9);  // too deep
  put(".hidden", 9);
  std::filesystem::create_directories(dir.path() / "unfinished");
  std::filesystem::create_directory_symlink(dir.path(), dir.path() / "loop");
  const auto results = read_results(dir.path());
  REQUIRE(results.size() == 2);
  CHECK(results[0].seed == 1);
  CHECK(results[1].seed == 2);
  CHECK(read_results(dir.path() / "unfinished").empty());
}

TEST_CASE("what is no folder is refused by name") {
  const temporary_folder dir;
  write_text(dir.path() / "file", "x");
  CHECK_THROWS_AS(read_results(dir.path() / "file"), tombola::input_error);
  CHECK_THROWS_WITH(read_results(dir.path() / "missing"),
                    (dir.path() / "missing").string() +
                        ": cannot be read as a folder: No such file or directory");
}
