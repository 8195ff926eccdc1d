// task.json, and a table that is read by it: the input is both, with a byte 0 between them.

#include "tests/fuzz/support.hpp"

#include "tombola/data/glue.hpp"
#include "tombola/data/task_file.hpp"

using namespace tombola;
using namespace std::literals;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::string_view description = text.substr(0, text.find('\0'));
  const auto& path = fuzz::as_file(description);
  const auto task = fuzz::accepted([&] { return data::read_task_description(path); });
  if (!task) return 0;
  const auto again = fuzz::scratch() / "again.json";
  data::write_task_description(again, *task);
  const data::task_description same = data::read_task_description(again);
  fuzz::hold(same.name == task->name && same.first.name == task->first.name &&
                 same.is_pair() == task->is_pair() && same.label.name == task->label.name &&
                 same.labels == task->labels && same.reported == task->reported &&
                 same.selection == task->selection && same.dev_files == task->dev_files,
             "a task survives writing and reading");
  const auto& folder =
      fuzz::as_folder(text.substr(std::min(text.size(), description.size() + 1)), {"table.tsv"});
  const auto rows = fuzz::accepted([&] { return data::read_examples(*task, folder, "table"); });
  if (!rows) return 0;
  fuzz::hold(!rows->examples.empty(), "a table has rows");
  for (const data::example& e : rows->examples) {
    fuzz::hold(task->is_regression() ? e.label == 0
                                     : static_cast<std::size_t>(e.label) < task->labels.size(),
               "a label is one of the task's");
  }
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const std::string pairs = R"({"name": "toy", "first": "a", "second": "b", "label": "l",
"labels": ["no", "yes"], "reported": ["accuracy", "f1"], "selection": "accuracy",
"dev_files": ["dev.tsv"]})";
  const std::string table = "\0a\tb\tl\nx\ty\tyes\nz\t\tno\n"s;
  to.add(pairs + table);
  to.add(pairs + table, "\tno", "\tmaybe");
  to.add(pairs + table, "\"no\"", "\"\\u001b[31m\"");
  to.add(pairs, "dev.tsv", "../dev.tsv");
  to.add(pairs, "toy", "t/y");
  to.add(pairs, "\"f1\"", "\"f2\"");
  const std::string regression = R"({"name": "toy", "first": "a", "label": "\u001b[31m",
"reported": ["pearson"], "selection": "pearson"})";
  to.add(regression + "\0a\t\x1B[31m\nx\t1.5\n"s);
  to.add(regression + "\0a\t\x1B[31m\nx\tone\n"s);
  to.words({"\"name\":", "\"first\":", "\"second\":", "\"label\":", "\"labels\":", "\"reported\":",
            "\"selection\":", "\"train_files\":", "\"dev_files\":", "accuracy_and_f1",
            "matthews_correlation", "spearman", "pearson_and_spearman", "\\u001b", "null"});
}
