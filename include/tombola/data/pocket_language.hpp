#pragma once

// Heavy: the whole JSON library, by way of task_file.hpp.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/random.hpp"
#include "tombola/data/glue.hpp"
#include "tombola/data/pocket_grammar.hpp"
#include "tombola/data/pocket_words.hpp"
#include "tombola/data/task.hpp"
#include "tombola/data/task_file.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/atomic_folder.hpp"

namespace tombola::data {

/// How much of the pocket language to generate.
struct pocket_sizes {
  std::size_t corpus = 20000;  ///< sentences for pretraining
  std::size_t train = 4000;    ///< examples of each task
  std::size_t dev = 1000;
};

/// More than this of anything is a slip of the keyboard.
inline constexpr std::size_t most_pocket_sentences = 10'000'000;

namespace detail {

/// Each part of the language draws from a stream of its own.
enum class pocket_part : std::uint32_t { corpus, acceptability, sentiment };

[[nodiscard]] inline random_stream pocket_stream(std::uint64_t seed, pocket_part part) noexcept {
  return {seed, purpose::language, static_cast<std::uint32_t>(part)};
}

inline void check_pocket_size(std::size_t n) {
  if (n > most_pocket_sentences) {
    throw input_error("pocket language: found a request for " + std::to_string(n) +
                      " sentences, expected at most " + std::to_string(most_pocket_sentences));
  }
}

/// n examples with no text twice, so that no development example was trained on.
template <class Make>
[[nodiscard]] std::vector<example> distinct_examples(std::size_t n, Make make) {
  check_pocket_size(n);
  std::vector<example> examples;
  examples.reserve(n);
  std::unordered_set<std::string> seen;
  // Repeats are rare until the short sentences are used up.
  for (std::uint64_t i = 0; examples.size() < n && i < 100 * std::uint64_t{n}; ++i) {
    example e = make(i);
    if (seen.insert(e.a).second) examples.push_back(std::move(e));
  }
  if (examples.size() < n) {
    throw input_error("pocket language: has no " + std::to_string(n) + " different sentences");
  }
  return examples;
}

[[nodiscard]] inline std::string lines_of(std::span<const std::string> lines) {
  std::string text;
  for (const std::string& line : lines) (text += line) += '\n';
  return text;
}

[[nodiscard]] inline std::string table_of(const task_description& task,
                                          std::span<const example> examples) {
  std::string text = task.first.name + '\t' + task.label.name + '\n';
  for (const example& e : examples) {
    text += e.a + '\t' + task.labels[static_cast<std::size_t>(e.label)] + '\n';
  }
  return text;
}

}  // namespace detail

/// Sentences for pretraining, one a line; half of them judge, and half of those say so at once by
/// an opening adverb. The same seed gives the same sentences, and a longer text begins with a
/// shorter one. Throws input_error above most_pocket_sentences; so do the next two.
[[nodiscard]] inline std::vector<std::string> generate_corpus(std::uint64_t seed,
                                                              std::size_t sentences) {
  detail::check_pocket_size(sentences);
  const random_stream r = detail::pocket_stream(seed, detail::pocket_part::corpus);
  std::vector<std::string> lines;
  lines.reserve(sentences);
  for (std::size_t i = 0; i < sentences; ++i) {
    lines.push_back(to_text(pocket::writer{pocket::dice{r, i}}.any(pocket::opener::present)));
  }
  return lines;
}

/// The task of telling sentences of the language from broken ones, after the manner of CoLA.
[[nodiscard]] inline task_description pocket_acceptability_task() {
  task_description t;
  t.name = "pocket-acceptability";
  t.labels = {"unacceptable", "acceptable"};
  t.reported = {metric::matthews, metric::accuracy};
  t.selection = metric::matthews;
  return t;
}

/// The task of telling good opinions from bad ones, after the manner of SST-2.
[[nodiscard]] inline task_description pocket_sentiment_task() {
  task_description t;
  t.name = "pocket-sentiment";
  t.labels = {"negative", "positive"};
  t.reported = {metric::accuracy};
  return t;
}

/// Examples of pocket_acceptability_task, each label about half of the time.
[[nodiscard]] inline std::vector<example> generate_acceptability(std::uint64_t seed,
                                                                 std::size_t n) {
  const random_stream r = detail::pocket_stream(seed, detail::pocket_part::acceptability);
  return detail::distinct_examples(n, [&](std::uint64_t i) {
    // Two numbers a sentence: one to write it, one to break it.
    pocket::sentence s = pocket::writer{pocket::dice{r, 2 * i}}.any(pocket::opener::absent);
    pocket::dice d{r, 2 * i + 1};
    const bool acceptable = d.percent(50);
    if (!acceptable) pocket::corrupt(s, d);
    return example{to_text(s), {}, acceptable ? 1 : 0, 0};
  });
}

/// Examples of pocket_sentiment_task, each label about half of the time. A third denies the
/// opposite, so that adjectives alone tell two thirds of the labels.
[[nodiscard]] inline std::vector<example> generate_sentiment(std::uint64_t seed, std::size_t n) {
  const random_stream r = detail::pocket_stream(seed, detail::pocket_part::sentiment);
  return detail::distinct_examples(n, [&](std::uint64_t i) {
    const bool good = pocket::dice{r, 2 * i + 1}.percent(50);
    const pocket::sentence s =
        pocket::writer{pocket::dice{r, 2 * i}}.opinion(good, pocket::opener::absent);
    return example{to_text(s), {}, good ? 1 : 0, 0};
  });
}

/// Writes the pocket language into a folder, which is created if need be: corpus.txt, vocab.txt,
/// and for each task a folder of its name with train.tsv, dev.tsv and task.json.
///
/// Everything is generated before anything is written. Throws input_error for sizes of 0 or above
/// most_pocket_sentences, else as io::atomic_file.
inline void write_pocket_data(const std::filesystem::path& folder,
                              std::uint64_t seed,
                              const pocket_sizes& sizes = {}) {
  if (sizes.corpus == 0 || sizes.train == 0 || sizes.dev == 0) {
    throw input_error("pocket language: found a size of 0, expected at least 1 of everything");
  }
  detail::check_pocket_size(sizes.train);
  detail::check_pocket_size(sizes.dev);
  const std::string corpus = detail::lines_of(generate_corpus(seed, sizes.corpus));
  struct part {
    task_description task;
    std::vector<example> examples;
  };
  const std::vector<part> parts{
      {pocket_acceptability_task(), generate_acceptability(seed, sizes.train + sizes.dev)},
      {pocket_sentiment_task(), generate_sentiment(seed, sizes.train + sizes.dev)}};

  io::make_folders(folder);
  io::write_file(folder / "corpus.txt", corpus);
  io::write_file(folder / "vocab.txt", detail::lines_of(pocket_vocabulary()));
  for (const part& p : parts) {
    const std::filesystem::path own = folder / p.task.name;
    const std::span<const example> all{p.examples};
    io::make_folders(own);
    io::write_file(own / "train.tsv", detail::table_of(p.task, all.first(sizes.train)));
    io::write_file(own / "dev.tsv", detail::table_of(p.task, all.subspan(sizes.train)));
    write_task_description(own / task_file_name, p.task);
  }
}

}  // namespace tombola::data
