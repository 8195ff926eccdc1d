#include "tombola/data/task_file.hpp"

#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/error.hpp"

namespace {

using namespace tombola;
using namespace tombola::data;
using test::sentence;

std::string refusal(const std::string& json) {
  const test::scratch_folder folder;
  test::put(folder / "task.json", json);
  return sentence<format_error>([&] { (void)read_task_description(folder / "task.json"); },
                                (folder / "task.json").string() + ": ");
}

/// A sound task file, with one piece of its text replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string json =
      R"({"name": "pairs", "first": "q", "second": "p", "label": "y", "labels": ["no", "yes"],)"
      R"( "reported": ["accuracy", "f1"], "selection": "f1"})";
  return json.replace(json.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("a task of one's own is read and written") {
  const test::scratch_folder folder;
  test::put(folder / "task.json", changed("\"f1\"}", "\"f1\", \"dev_files\": [\"test.tsv\"]}"));
  const task_description t = read_task_description(folder / "task.json");
  CHECK(t.name == "pairs");
  CHECK(t.first.name == "q");
  REQUIRE(t.second);
  CHECK(t.second->name == "p");
  CHECK(t.label.name == "y");
  CHECK(t.labels == std::vector<std::string>{"no", "yes"});
  CHECK(t.reported == std::vector{metric::accuracy, metric::f1});
  CHECK(t.selection == metric::f1);
  CHECK(t.train_files == std::vector<std::string>{"train.tsv", "train-sample.tsv"});
  CHECK(t.dev_files == std::vector<std::string>{"test.tsv"});

  write_task_description(folder / "again.json", t);
  const task_description u = read_task_description(folder / "again.json");
  CHECK(u.second->name == "p");
  CHECK(u.labels == t.labels);
  CHECK(u.reported == t.reported);
  CHECK(u.selection == t.selection);
  CHECK(u.dev_files == t.dev_files);
  write_task_description(folder / "again.json", find_task("STS-B"));
  CHECK(read_task_description(folder / "again.json").is_regression());
  CHECK(sentence<input_error>([&] { write_task_description(folder / "x", find_task("CoLA")); }) ==
        "task 'CoLA': has no header, expected columns with names");
}

TEST_CASE("a task file that cannot work is refused") {
  CHECK(refusal(changed("\"pairs\"", "\"../up\"")) ==
        "the name '../up' cannot be a folder's, expected letters, digits, - _ .");
  CHECK(refusal(changed("\"first\"", "\"frist\"")) == "has the unknown key 'frist'");
  CHECK(refusal(changed("\"first\": \"q\",", "")) == "has no 'first', expected a string");
  CHECK(refusal(changed("\"no\", ", "")) ==
        "has one label, expected two or more, or none for a regression");
  CHECK(refusal(changed("\"no\"", "\"yes\"")) == "has the label 'yes' twice");
  CHECK(refusal(changed("\"no\"", "\"no\", \"maybe\"")) ==
        "the metric f1 needs two labels, found 3");
  CHECK(refusal(changed("\"accuracy\"", "\"pearson\"")) ==
        "the metric pearson does not fit a classification");
  CHECK(refusal(changed("[\"no\", \"yes\"]", "[]")) ==
        "the metric accuracy does not fit a regression");
  CHECK(refusal(changed("[\"accuracy\", \"f1\"]", "[]")) ==
        "reports no metric, expected at least one");
  CHECK(refusal(changed("\"f1\"}", "\"acc\"}")) ==
        "unknown metric 'acc', expected one of accuracy, f1, accuracy_and_f1, "
        "matthews_correlation, pearson, spearman, pearson_and_spearman");
  CHECK(refusal(changed("\"f1\"}", "\"f1\", \"train_files\": [\"/etc/passwd\"]}")) ==
        "'train_files' holds '/etc/passwd', expected names of files in the same folder");
  CHECK(refusal(changed("\"f1\"}", "\"f1\", \"train_files\": []}")) == "'train_files' is empty");
  CHECK(refusal("[]").ends_with("expected"));
}

TEST_CASE("a data folder's own task goes before GLUE's") {
  const test::scratch_folder folder;
  CHECK(open_task(folder.path(), "SST-2").labels == std::vector<std::string>{"0", "1"});
  std::filesystem::create_directories(folder / "pairs");
  test::put(folder / "pairs/task.json", changed("", ""));
  CHECK(open_task(folder.path(), "pairs").first.name == "q");
  std::filesystem::create_directories(folder / "SST-2");
  test::put(folder / "SST-2/task.json", changed("", ""));
  CHECK(sentence<format_error>([&] {
          (void)open_task(folder.path(), "SST-2");
        }).ends_with("describes the task 'pairs', expected 'SST-2'"));
  CHECK(sentence<input_error>([&] { (void)open_task(folder.path(), "other"); }) ==
        "unknown task 'other': there is no " + (folder / "other/task.json").string() +
            ", and GLUE's are " + known_tasks());
  CHECK(sentence<input_error>([&] {
          (void)open_task(folder.path(), "../pairs");
        }).starts_with("unknown task '../pairs'"));
}
