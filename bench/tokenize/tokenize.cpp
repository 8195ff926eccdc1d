// How many megabytes of text a second does the tokenizer take in: SST-2's training sentences, ids
// only, with one thread and with all?

#include "bench/support/rounds.hpp"

#include "tombola/core/detail/threads.hpp"
#include "tombola/data/glue.hpp"
#include "tombola/data/vocabulary.hpp"
#include "tombola/data/wordpiece.hpp"

int main(int argc, char** argv) {
  using namespace bench;
  using namespace tombola;
  const model_options o = read_model_options(argc, argv);
  const data::wordpiece tokenizer{data::vocabulary::read(o.vocabulary())};
  const data::task_description& task = data::find_task("SST-2");
  const auto rows = data::read_examples(task, o.glue() / task.name, "train").examples;
  double bytes = 0.0;
  for (const data::example& e : rows) bytes += static_cast<double>(e.a.size());

  const auto tokens_with = [&](std::size_t threads) {
    std::vector<std::size_t> tokens(threads);
    tombola::detail::in_slices(rows.size(), 256, threads,
                               [&](std::size_t t, std::size_t begin, std::size_t end) {
                                 std::vector<std::int32_t> ids;
                                 for (std::size_t i = begin; i < end; ++i) {
                                   ids.clear();
                                   tokenizer.append(rows[i].a, ids);
                                   tokens[t] += ids.size() + 2;  // [CLS], [SEP]
                                 }
                               });
    std::size_t all = 0;
    for (const std::size_t n : tokens) all += n;
    return all;
  };
  const std::size_t expected = tokens_with(1);
  table t{"tokenize", "MB/s", o};
  for (int threads = 1; threads <= o.threads; threads += std::max(1, o.threads - 1)) {
    t.ask({.name = "SST-2 train, " + std::to_string(rows.size()) + " sentences, " +
                   std::to_string(threads) + (threads == 1 ? " thread" : " threads"),
           .amount = bytes / 1e6,
           .work =
               [&] {
                 require_equal(tokens_with(static_cast<std::size_t>(threads)), expected, "tokens");
               },
           .rivals = {"tokenize"},
           .threads = threads});
  }
  t.finish({{"tokens", expected}});
}
