#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"

#include "tombola/data/glue.hpp"
#include "tombola/data/hans.hpp"
#include "tombola/data/text.hpp"

namespace {

using namespace tombola;
using namespace tombola::data;

}  // namespace

TEST_CASE("golden glue: labels of the official splits", "[golden]") {
  const auto folder = test::shared("data/glue");
  if (!folder) return;
  struct expectation {
    std::string task, split;
    std::vector<std::size_t> rows;  // of each label in index order; of all for a regression
  };
  // The development sets are those of experiments.md section 2.1.
  const std::vector<expectation> files{
      {"CoLA", "train", {2528, 6023}},    {"CoLA", "dev", {322, 721}},
      {"SST-2", "train", {29780, 37569}}, {"SST-2", "dev", {428, 444}},
      {"RTE", "train", {1249, 1241}},     {"RTE", "dev", {146, 131}},
      {"STS-B", "train", {5749}},         {"STS-B", "dev", {1500}},
      {"QNLI", "dev", {2702, 2761}},
  };
  for (const expectation& f : files) {
    INFO(f.task << " " << f.split);
    const labelled_examples found = read_examples(find_task(f.task), *folder / f.task, f.split);
    std::vector<std::size_t> rows(f.rows.size());
    double sum = 0;
    for (const example& e : found.examples) {
      ++rows.at(static_cast<std::size_t>(e.label));
      sum += static_cast<double>(e.target);
    }
    CHECK(rows == f.rows);
    CHECK(found.skipped == 0);
    if (f.task == "STS-B" && f.split == "dev") {
      CHECK(sum / 1500 == Approx(2.36391).epsilon(0).margin(5e-6));
    }
  }
}

TEST_CASE("golden glue: every row of a sample is read, whatever its columns", "[golden]") {
  const auto folder = test::shared("data/glue");
  if (!folder) return;
  for (const auto& [task, split] :
       std::vector<std::pair<std::string, std::string>>{{"QNLI", "train"},
                                                        {"MNLI", "train"},
                                                        {"MNLI", "dev"},
                                                        {"MNLI", "dev_matched_hard"},
                                                        {"MNLI", "dev_mismatched_hard"},
                                                        {"MNLI", "official-layout-sample"},
                                                        {"QQP", "train"},
                                                        {"QQP", "dev"},
                                                        {"QQP", "official-layout-sample"}}) {
    INFO(task << " " << split);
    const labelled_examples found = read_examples(find_task(task), *folder / task, split);
    const std::string text = read_utf8(found.file);
    CHECK(found.examples.size() + 1 == split_lines(text).size());
    std::map<std::int32_t, std::size_t> rows;
    for (const example& e : found.examples) {
      ++rows[e.label];
      CHECK(!e.a.empty());
      CHECK(!e.b.empty());
    }
    CHECK(rows.size() == find_task(task).labels.size());
  }
}

TEST_CASE("golden glue: HANS has 5000 pairs of each heuristic and label", "[golden]") {
  const auto folder = test::shared("data/hans");
  if (!folder) return;
  for (const std::string split : {"train", "dev"}) {
    std::map<std::pair<std::string, std::int32_t>, std::size_t> pairs;
    for (const hans_example& e : read_hans(*folder, split)) ++pairs[{e.heuristic, e.pair.label}];
    CHECK(pairs.size() == 6);
    for (const std::string heuristic : {"lexical_overlap", "subsequence", "constituent"}) {
      CHECK(pairs[{heuristic, 0}] == 5000);
      CHECK(pairs[{heuristic, 1}] == 5000);
    }
  }
}
