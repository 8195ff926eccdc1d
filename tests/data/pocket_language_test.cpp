#include "tombola/data/pocket_language.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/error.hpp"
#include "tombola/data/masked_lm.hpp"
#include "tombola/data/wordpiece.hpp"

namespace {

using namespace tombola;
using namespace tombola::data;
using test::sentence;

/// Reads a sentence by the grammar that pocket_grammar.hpp states, knowing nothing of how it is
/// written. Numbers are sets: 1 singular, 2 plural, 3 either, 0 neither.
class reader {
public:
  explicit reader(const std::string& text) {
    std::istringstream in{text};
    for (std::string w; in >> w;) words_.push_back(w);
    words_.emplace_back("(end)");
  }

  [[nodiscard]] bool accepts() {
    if (is(pocket::good_openers) || is(pocket::bad_openers)) {
      ++at_;
      if (!take(",")) return false;
    }
    const int n = noun_phrase();
    if (n == 0 || !modifier(n)) return false;
    const int link = number_in(pocket::linking_verbs),
              still = number_in(pocket::intransitive_verbs);
    if ((link | still | number_in(pocket::transitive_verbs)) != n) return false;
    ++at_;
    if (link != 0) {
      if (!opinion()) return false;
    } else if (still != 0) {
      if (is(pocket::adverbs)) ++at_;
    } else if (noun_phrase() == 0) {
      return false;
    }
    return take(".") && at_ + 1 == words_.size();
  }

  [[nodiscard]] std::size_t size() const { return words_.size() - 1; }

private:
  template <class List>
  [[nodiscard]] bool is(const List& list) const {
    return std::find(list.begin(), list.end(), words_[at_]) != list.end();
  }
  template <class List>
  [[nodiscard]] int number_in(const List& list) const {
    for (const pocket::inflected& w : list) {
      if (w.singular == words_[at_]) return 1;
      if (w.plural == words_[at_]) return 2;
    }
    return 0;
  }
  bool take(const std::string& word) { return words_[at_] == word && ++at_ != 0; }

  int noun_phrase() {
    const int determiner =
        (is(pocket::singular_determiners) ? 1 : 0) | (is(pocket::plural_determiners) ? 2 : 0);
    if (determiner == 0) return 0;
    ++at_;
    if (is(pocket::plain_adjectives)) ++at_;
    const int noun = number_in(pocket::nouns);
    if (noun != 0) ++at_;
    return determiner & noun;
  }

  bool modifier(int n) {
    if (is(pocket::prepositions)) return ++at_, noun_phrase() != 0;
    if (!take("that")) return true;
    int subject = n;
    const bool verb_first = number_in(pocket::transitive_verbs) != 0;
    if (!verb_first) subject = noun_phrase();
    if (subject == 0 || number_in(pocket::transitive_verbs) != subject) return false;
    ++at_;
    return !verb_first || noun_phrase() != 0;
  }

  bool opinion() {
    const bool denied = take("not");
    if (is(pocket::intensifiers)) ++at_;
    const auto adjective = [this] {
      return (is(pocket::good_adjectives) || is(pocket::bad_adjectives)) && ++at_ != 0;
    };
    if (!adjective()) return false;
    return !take(denied ? "but" : "and") || adjective();
  }

  std::vector<std::string> words_;
  std::size_t at_ = 0;
};

/// Polarity of an opinion read off its words: of the first adjective, turned round by `not`.
std::optional<bool> polarity(const std::string& text) {
  std::istringstream in{text};
  bool denied = false;
  for (std::string w; in >> w;) {
    const auto in_list = [&](const auto& l) { return std::find(l.begin(), l.end(), w) != l.end(); };
    denied = denied || w == "not";
    if (in_list(pocket::good_adjectives)) return !denied;
    if (in_list(pocket::bad_adjectives)) return denied;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("every generated sentence is of the language and 6 to 16 tokens long") {
  std::set<std::string> known, used;
  for (const std::string& w : pocket_vocabulary()) CHECK(known.insert(w).second);
  CHECK(known.size() >= 150);
  CHECK(known.size() <= 300);
  std::set<std::size_t> lengths;
  for (const std::string& line : generate_corpus(5, 5000)) {
    reader r{line};
    if (!r.accepts()) FAIL(line);
    lengths.insert(r.size());
    std::istringstream in{line};
    for (std::string w; in >> w;) {
      if (known.count(w) == 0) FAIL(w);
      used.insert(w);
    }
    const bool good =
        line.starts_with("luckily") || line.starts_with("thankfully") || line.starts_with("gladly");
    if (line.find(',') != line.npos && polarity(line) != good) FAIL(line);
  }
  CHECK(*lengths.begin() == 6);
  CHECK(*lengths.rbegin() == 16);
  CHECK(used.size() == known.size() - 5);
}

TEST_CASE("acceptability: the label says whether the grammar takes the sentence") {
  const std::vector<example> examples = generate_acceptability(5, 4000);
  std::size_t acceptable = 0;
  std::set<std::string> texts;
  for (const example& e : examples) {
    if (reader{e.a}.accepts() != (e.label == 1)) FAIL(e.label << ": " << e.a);
    if (e.a.find(',') != e.a.npos) FAIL(e.a);
    acceptable += e.label == 1 ? 1U : 0U;
    texts.insert(e.a);
  }
  CHECK(texts.size() == 4000);
  CHECK(acceptable > 1850);
  CHECK(acceptable < 2150);
}

TEST_CASE("sentiment: the label is the polarity, and no opener gives it away") {
  std::size_t good = 0, denied = 0;
  for (const example& e : generate_sentiment(5, 4000)) {
    if (!reader{e.a}.accepts() || e.a.find(',') != e.a.npos) FAIL(e.a);
    if (polarity(e.a) != (e.label == 1)) FAIL(e.label << ": " << e.a);
    good += e.label == 1 ? 1U : 0U;
    denied += e.a.find(" not ") != e.a.npos ? 1U : 0U;
  }
  CHECK(good > 1850);
  CHECK(good < 2150);
  CHECK(denied > 1100);
  CHECK(denied < 1650);
}

TEST_CASE("no example is there twice") {
  std::set<std::string> texts;
  for (const example& e : generate_sentiment(5, 20000)) texts.insert(e.a);
  CHECK(texts.size() == 20000);
}

TEST_CASE("the language is a function of the seed, and a short text begins a longer one") {
  const auto corpus = generate_corpus(1, 300);
  CHECK(corpus == generate_corpus(1, 300));
  CHECK(corpus != generate_corpus(2, 300));
  CHECK(generate_corpus(1, 100) == std::vector<std::string>(corpus.begin(), corpus.begin() + 100));
  CHECK(sentence<input_error>([] { (void)generate_corpus(1, 10'000'001); }) ==
        "pocket language: found a request for 10000001 sentences, expected at most 10000000");
}

TEST_CASE("pocket data are files that the readers of real data take") {
  const test::scratch_folder folder;
  write_pocket_data(folder / "deep/pocket", 3, {.corpus = 200, .train = 300, .dev = 100});
  const std::filesystem::path data = folder / "deep/pocket";
  const wordpiece w{vocabulary::read(data / "vocab.txt")};
  const corpus c = read_corpus(data / "corpus.txt", w, 32);
  CHECK(c.sentences.size() == 200);
  CHECK(c.blank_lines == 0);
  CHECK(c.sentences.truncated() == 0);
  std::vector<std::string> metrics;
  for (const std::string name : {"pocket-acceptability", "pocket-sentiment"}) {
    INFO(name);
    const task_description task = open_task(data, name);
    const auto train = read_examples(task, data / name, "train").examples;
    const auto dev = read_examples(task, data / name, "dev").examples;
    CHECK(train.size() == 300);
    CHECK(dev.size() == 100);
    std::set<std::string> texts;
    for (const auto& part : {train, dev}) {
      const encoded_set set = encode_examples(task, part, w, 32);
      CHECK(set.truncated() == 0);
      for (std::size_t i = 0; i < set.size(); ++i) {
        // Every word is one piece that the vocabulary has.
        const auto ids = set[i].ids;
        CHECK(std::count(ids.begin(), ids.end(), w.pieces().unknown()) == 0);
        CHECK(ids.size() == reader{part[i].a}.size() + 2);
        texts.insert(part[i].a);
      }
    }
    CHECK(texts.size() == 400);
    for (const metric m : task.reported) metrics.emplace_back(to_string(m));
  }
  CHECK(metrics == std::vector<std::string>{"matthews_correlation", "accuracy", "accuracy"});

  const std::string before = test::get(data / "pocket-sentiment/dev.tsv");
  write_pocket_data(data, 3, {.corpus = 200, .train = 300, .dev = 100});
  CHECK(test::get(data / "pocket-sentiment/dev.tsv") == before);

  CHECK(sentence<input_error>([&] { write_pocket_data(folder / "none", 3, {.train = 0}); }) ==
        "pocket language: found a size of 0, expected at least 1 of everything");
  CHECK(!std::filesystem::exists(folder / "none"));
  test::put(folder / "file", "");
  CHECK(sentence<input_error>([&] {
          write_pocket_data(folder / "file", 3, {.corpus = 1, .train = 1, .dev = 1});
        }).starts_with((folder / "file").string() + ": cannot be created: "));
}
