#include "tombola/data/glue.hpp"

#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/error.hpp"
#include "tombola/data/hans.hpp"

namespace {

using namespace tombola;
using namespace tombola::data;
using test::put;
using test::sentence;

/// What read_examples says against a train file of this content.
std::string refusal(const std::string& task, const std::string& content) {
  const test::scratch_folder folder;
  put(folder / "train.tsv", content);
  return sentence<format_error>(
      [&] { (void)read_examples(find_task(task), folder.path(), "train"); },
      (folder / "train.tsv").string() + ": ");
}

labelled_examples read(const std::string& task, const std::string& content) {
  const test::scratch_folder folder;
  put(folder / "train.tsv", content);
  return read_examples(find_task(task), folder.path(), "train");
}

}  // namespace

TEST_CASE("every GLUE task is sound, and unknown ones are refused with the list") {
  CHECK(glue_tasks().size() == 9);
  for (const task_description& t : glue_tasks()) {
    INFO(t.name);
    CHECK(complaint_about(t).empty());
    CHECK(&find_task(t.name) == &t);
  }
  CHECK(find_task("STS-B").outputs() == 1);
  CHECK(find_task("MNLI").outputs() == 3);
  CHECK(
      sentence<input_error>([] { (void)find_task("SST2"); }) ==
      "unknown task 'SST2', expected one of CoLA, SST-2, MRPC, STS-B, QQP, MNLI, QNLI, RTE, WNLI");
}

TEST_CASE("columns go by the header, in the official layout and any other") {
  const labelled_examples official =
      read("MRPC",
           "\xEF\xBB\xBFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n"
           "1\t7\t8\tHe said \"no\t\"Yes\" she said\r\n");
  REQUIRE(official.examples.size() == 1);
  CHECK(official.examples[0].a == "He said \"no");
  CHECK(official.examples[0].b == "\"Yes\" she said");
  CHECK(official.examples[0].label == 1);

  const labelled_examples moved = read("RTE",
                                       "label\tsentence2\tsentence1\n"
                                       "not_entailment\tb\ta\nentailment\td\tc");
  REQUIRE(moved.examples.size() == 2);
  CHECK(moved.examples[0].a == "a");
  CHECK(moved.examples[0].b == "b");
  CHECK(moved.examples[0].label == 1);
  CHECK(moved.examples[1].label == 0);

  const labelled_examples cola = read("CoLA", "gj04\t0\t*\tThey is.\ngj04\t1\t\tThey are.\n");
  REQUIRE(cola.examples.size() == 2);
  CHECK(cola.examples[0].a == "They is.");
  CHECK(cola.examples[0].label == 0);
  CHECK(cola.examples[1].label == 1);

  CHECK(read("STS-B", "sentence1\tsentence2\tscore\na\tb\t3.25\n").examples[0].target == 3.25F);
}

TEST_CASE("a malformed row is refused with its line; QQP skips short ones and counts them") {
  CHECK(refusal("SST-2", "sentence\tlabel\ngood\t1\nbad\n") ==
        "line 3: found 1 tab-separated fields, expected 2");
  CHECK(refusal("QQP", "question1\tquestion2\tis_duplicate\na\tb\t1\tc\n") ==
        "line 2: found 4 tab-separated fields, expected 3");
  const labelled_examples qqp =
      read("QQP", "question1\tquestion2\tis_duplicate\na\tb\t1\nlost\nc\td\t0\n");
  CHECK(qqp.skipped == 1);
  REQUIRE(qqp.examples.size() == 2);
  CHECK(qqp.examples[1].a == "c");
  CHECK(refusal("QQP", "question1\tquestion2\tis_duplicate\nlost\n") ==
        "has no complete row, expected examples of QQP");
}

TEST_CASE("labels that the task does not have are refused") {
  CHECK(refusal("SST-2", "sentence\tlabel\nfine\t2\n") ==
        "line 2: found the label '2', expected one of 0, 1");
  CHECK(refusal("MNLI", "sentence1\tsentence2\tgold_label\na\tb\t-\n") ==
        "line 2: found the label '-', expected one of contradiction, entailment, neutral");
  for (const std::string score : {"", "nan", "inf", "3.x", "1e99"}) {
    CHECK(refusal("STS-B", "sentence1\tsentence2\tscore\na\tb\t" + score + "\n") ==
          "line 2: found the score '" + score + "', expected a number");
  }
}

TEST_CASE("labels and columns of a task's file do not choose what a terminal does") {
  task_description t;
  t.name = "toy";
  t.labels = {"\x1B[31m", "no"};
  const test::scratch_folder folder;
  put(folder / "train.tsv", "sentence\tlabel\nfine\tmaybe\n");
  const auto refused = [&] {
    return sentence<format_error>([&] { (void)read_examples(t, folder.path(), "train"); },
                                  (folder / "train.tsv").string() + ": ");
  };
  CHECK(refused() == "line 2: found the label 'maybe', expected one of ?[31m, no");
  t.labels.clear();
  t.label.name = "\x1B[32m";
  put(folder / "train.tsv", "sentence\t\x1B[32m\nfine\tone\n");
  CHECK(refused() == "line 2: found the ?[32m 'one', expected a number");
}

TEST_CASE("files without rows, columns or a name are refused") {
  CHECK(refusal("SST-2", "") == "has no rows, expected examples of SST-2");
  CHECK(refusal("SST-2", "sentence\tlabel\n") == "has no rows, expected examples of SST-2");
  CHECK(refusal("CoLA", "") == "has no rows, expected examples of CoLA");
  CHECK(refusal("RTE", "sentence1\tlabel\na\tentailment\n") ==
        "line 1: found the columns 'sentence1, label', expected 'sentence2' among them");
  CHECK(refusal("SST-2", "sentence\tlabel\n\xFF\t1\n") ==
        "line 2: found bytes that are not UTF-8, expected text");

  const test::scratch_folder folder;
  const auto from = [&](const std::string& split) {
    return sentence<input_error>(
        [&] { (void)read_examples(find_task("MNLI"), folder.path(), split); },
        folder.path().string() + ": ");
  };
  CHECK(from("train") == "has no train file of MNLI, expected train.tsv, train-sample.tsv");
  CHECK(from("dev") ==
        "has no dev file of MNLI, expected dev_matched.tsv, dev.tsv, dev-sample.tsv");
  CHECK(from("dev_mismatched") ==
        "has no dev_mismatched file of MNLI, expected dev_mismatched.tsv");
  CHECK(from("../secret")
            .ends_with(
                "split '../secret': expected train, dev or the name of a file without its .tsv"));
  CHECK(
      sentence<format_error>([&] { (void)read_examples(find_task("RTE"), folder / "RTE", "dev"); },
                             (folder / "RTE").string() + ": ") ==
      "there is no such folder, expected the data of RTE");
}

TEST_CASE("the standard name of a split is preferred to a sample's") {
  const test::scratch_folder folder;
  put(folder / "train-sample.tsv", "sentence\tlabel\nsample\t1\n");
  const task_description& task = find_task("SST-2");
  CHECK(read_examples(task, folder.path(), "train").examples[0].a == "sample");
  put(folder / "train.tsv", "sentence\tlabel\nwhole\t1\n");
  CHECK(read_examples(task, folder.path(), "train").examples[0].a == "whole");
  CHECK(read_examples(task, folder.path(), "train-sample").examples[0].a == "sample");
}

TEST_CASE("HANS is read in both layouts") {
  const test::scratch_folder folder;
  put(folder / "heuristics_evaluation_set.txt",
      "gold_label\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\t"
      "sentence2_parse\tsentence1\tsentence2\tpairID\theuristic\tsubcase\ttemplate\n"
      "non-entailment\tp\tq\tr\ts\tOne .\tTwo .\tex0\tsubsequence\tsn_NP/S\ttemp1\n");
  const std::vector<hans_example> official = read_hans(folder.path(), "dev");
  REQUIRE(official.size() == 1);
  CHECK(official[0].pair.a == "One .");
  CHECK(official[0].pair.b == "Two .");
  CHECK(official[0].pair.label == 1);
  CHECK(official[0].heuristic == "subsequence");
  CHECK(official[0].subcase == "sn_NP/S");
  CHECK(official[0].template_id == "temp1");

  put(folder / "heuristics_train_set.tsv",
      "gold_label\tsentence1\tsentence2\theuristic\nentailment\ta\tb\tconstituent\n");
  const std::vector<hans_example> brief = read_hans(folder.path(), "train");
  REQUIRE(brief.size() == 1);
  CHECK(brief[0].pair.label == 0);
  CHECK(brief[0].heuristic == "constituent");
  CHECK(brief[0].subcase.empty());
  put(folder / "heuristics_train_set.tsv", "gold_label\tsentence1\tsentence2\nentailment\ta\tb\n");
  CHECK(sentence<format_error>([&] {
          (void)read_hans(folder.path(), "train");
        }).ends_with("expected 'heuristic' among them"));
}
