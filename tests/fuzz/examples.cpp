// Tables of GLUE and HANS; the first byte of the input says of which task.

#include "tests/fuzz/support.hpp"

#include "tombola/data/glue.hpp"
#include "tombola/data/hans.hpp"

using namespace tombola;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& folder = fuzz::as_folder(fuzz::text_of(data + 1, size - 1), {"table.tsv"});
  const auto tasks = data::glue_tasks();
  const std::size_t which = data[0] % (tasks.size() + 1);
  if (which == tasks.size()) {
    const auto rows = fuzz::accepted([&] { return data::read_hans(folder, "table"); });
    fuzz::hold(!rows || !rows->empty(), "a table has rows");
    return 0;
  }
  const data::task_description& task = tasks[which];
  const auto rows = fuzz::accepted([&] { return data::read_examples(task, folder, "table"); });
  if (!rows) return 0;
  fuzz::hold(!rows->examples.empty(), "a table has rows");
  for (const data::example& e : rows->examples) {
    fuzz::hold(task.is_regression() ? e.label == 0
                                    : static_cast<std::size_t>(e.label) < task.labels.size(),
               "a label is one of the task's");
    fuzz::hold(task.is_pair() || e.b.empty(), "a second sentence is one of a pair");
    fuzz::hold(e.a.find_first_of("\t\n") == e.a.npos, "a field ends where it ends");
  }
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const auto tasks = data::glue_tasks();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const data::task_description& t = tasks[i];
    const std::string label = t.is_regression() ? "2.5" : t.labels.back();
    std::string table(1, static_cast<char>(i));
    if (!t.has_header) {
      table += "id\t" + label + "\t*\tA sentence.\n";
    } else if (t.is_pair()) {
      table += t.first.name + "\tindex\t" + t.second->name + "\t" + t.label.name +
               "\nOne.\t0\t\xC3\xA4\"\t" + label + "\r\nTwo.\t1\t\t" + label + "\n";
    } else {
      table += t.first.name + "\t" + t.label.name + "\nOne.\t" + label + "\n";
    }
    to.add(table);
    to.add(table, label, "\x1B[31m");
    to.add(table, "\t", " ");
  }
  const std::string hans = std::string(1, static_cast<char>(tasks.size())) +
                           "gold_label\tsentence1\tsentence2\theuristic\tsubcase\ttemplate\n"
                           "entailment\tA.\tB.\tsubsequence\ts\tt\n";
  to.add(hans);
  to.add(hans, "subcase", "other");
  to.add(hans, "heuristic", "other");
  to.words({"\t", "\r\n", "sentence1", "sentence2", "gold_label", "is_duplicate", "entailment",
            "not_entailment", "contradiction", "neutral", "non-entailment", "\xEF\xBB\xBF", "nan",
            "inf", "1e999", "\xC3\xA4", "\x1B[31m"});
}
