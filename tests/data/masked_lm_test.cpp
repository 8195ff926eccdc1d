#include "tombola/data/masked_lm.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/error.hpp"
#include "tombola/data/batches.hpp"
#include "tombola/data/wordpiece.hpp"

namespace {

using namespace tombola;
using namespace tombola::data;
using test::sentence;

/// Five special tokens and `words` words w0, w1, ...
wordpiece numbered(std::size_t words) {
  std::string text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (std::size_t i = 0; i < words; ++i) text += "w" + std::to_string(i) + "\n";
  return wordpiece{vocabulary::from_text(text, "v")};
}

/// `sentences` sentences; sentence i has i % 40 words.
encoded_set sentences_of(const wordpiece& w, std::size_t sentences) {
  encoded_set set{64, answer::none};
  for (std::size_t i = 0; i < sentences; ++i) {
    std::string text;
    for (std::size_t j = 0; j < i % 40; ++j) text += "w" + std::to_string((i + j) % 90) + " ";
    set.add(w, text);
  }
  return set;
}

}  // namespace

TEST_CASE("masking hides the share it says and keeps what stood there") {
  const wordpiece w = numbered(90);
  const encoded_set set = sentences_of(w, 4000);
  packed_batch batch, before;
  fill_batch(set, file_order(set.size()), 0, set.size(), batch);
  before = batch;
  mask_tokens(batch, w.pieces(), 1, 0);

  CHECK(std::is_sorted(batch.masked_rows.begin(), batch.masked_rows.end()));
  std::vector<std::size_t> chosen(batch.sequences());
  std::vector<bool> is_chosen(batch.tokens());
  std::size_t sequence = 0, masked = 0, kept = 0;
  for (std::size_t i = 0; i < batch.masked_rows.size(); ++i) {
    const auto row = static_cast<std::size_t>(batch.masked_rows[i]);
    while (batch.offsets[sequence + 1] <= batch.masked_rows[i]) ++sequence;
    ++chosen[sequence];
    is_chosen[row] = true;
    REQUIRE(batch.masked_ids[i] == before.ids[row]);
    REQUIRE(batch.masked_ids[i] >= 5);
    masked += batch.ids[row] == 4 ? 1U : 0U;
    kept += batch.ids[row] == before.ids[row] ? 1U : 0U;
  }
  for (std::size_t b = 0; b < batch.sequences(); ++b) {
    const double n = batch.offsets[b + 1] - batch.offsets[b] - 2;
    REQUIRE(chosen[b] ==
            static_cast<std::size_t>(n == 0 ? 0 : std::max(1L, std::lround(0.15 * n))));
  }
  for (std::size_t row = 0; row < batch.tokens(); ++row) {
    if (!is_chosen[row]) REQUIRE(batch.ids[row] == before.ids[row]);
  }
  // About 12,000 tokens were chosen: shares within four standard deviations. The random entries
  // are [MASK] or the token itself once in 95 times each.
  const double n = static_cast<double>(batch.masked_rows.size());
  CHECK(n > 10000);
  CHECK(static_cast<double>(masked) / n == Approx(0.8 + 0.1 / 95).margin(0.016));
  CHECK(static_cast<double>(kept) / n == Approx(0.1 + 0.1 / 95).margin(0.012));
}

TEST_CASE("what is masked depends on seed, epoch and example, not on the batch") {
  const wordpiece w = numbered(90);
  const encoded_set set = sentences_of(w, 200);
  const auto masked = [&](std::size_t first, std::size_t count, std::uint64_t seed,
                          std::uint32_t epoch) {
    packed_batch batch;
    fill_batch(set, file_order(set.size()), first, count, batch);
    mask_tokens(batch, w.pieces(), seed, epoch);
    return batch.ids;
  };
  const auto whole = masked(0, 200, 1, 0);
  auto halves = masked(0, 90, 1, 0);
  const auto second = masked(90, 110, 1, 0);
  halves.insert(halves.end(), second.begin(), second.end());
  CHECK(whole == halves);
  CHECK(whole != masked(0, 200, 2, 0));
  CHECK(whole != masked(0, 200, 1, 1));
}

TEST_CASE("a rule's shares are obeyed and checked") {
  const wordpiece w = numbered(90);
  const encoded_set set = sentences_of(w, 100);
  packed_batch batch;
  fill_batch(set, file_order(100), 0, 100, batch);
  const packed_batch before = batch;
  mask_tokens(batch, w.pieces(), 1, 0, {.share = 1, .masked = 0, .random_id = 0});
  CHECK(batch.ids == before.ids);
  CHECK(batch.masked_rows.size() == before.tokens() - 2 * before.sequences());
  mask_tokens(batch, w.pieces(), 1, 0, {.share = 1, .masked = 1, .random_id = 0});
  CHECK(std::count(batch.ids.begin(), batch.ids.end(), 4) ==
        static_cast<std::ptrdiff_t>(batch.masked_rows.size()));
  CHECK(sentence<input_error>([&] {
          mask_tokens(batch, w.pieces(), 1, 0, {.share = 0.15, .masked = 0.8, .random_id = 0.3});
        }) ==
        "masking rule: found shares 0.150000, 0.800000 and 0.300000, expected numbers in [0, 1], "
        "the last two at most 1 together");
  CHECK(sentence<input_error>([&] {
          mask_tokens(batch, w.pieces(), 1, 0, {.share = std::nan("")});
        }).starts_with("masking rule: "));
  const vocabulary bare = vocabulary::from_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", "v");
  CHECK(sentence<input_error>([&] { mask_tokens(batch, bare, 1, 0); }).starts_with("vocabulary: "));
}

TEST_CASE("a corpus is one sentence a line, blank lines left out and counted") {
  const wordpiece w = numbered(9);
  const test::scratch_folder folder;
  test::put(folder / "corpus.txt", "w1 w2\n\n  \nw3 w4 w5 w6\nw7");
  const corpus c = read_corpus(folder / "corpus.txt", w, 5);
  CHECK(c.blank_lines == 2);
  REQUIRE(c.sentences.size() == 3);
  CHECK(c.sentences.truncated() == 1);
  CHECK(c.sentences.kind() == answer::none);
  const auto ids = c.sentences[2].ids;
  CHECK(std::vector<std::int32_t>(ids.begin(), ids.end()) == std::vector<std::int32_t>{2, 12, 3});
  packed_batch batch;
  fill_batch(c.sentences, file_order(3), 0, 3, batch);
  CHECK(batch.labels.empty());
  CHECK(batch.targets.empty());

  test::put(folder / "empty.txt", "\n \n");
  CHECK(sentence<format_error>([&] { (void)read_corpus(folder / "empty.txt", w, 5); },
                               (folder / "empty.txt").string() + ": ") ==
        "has no text, expected one sentence a line");
}

TEST_CASE("the unigram loss is the entropy of what can be masked") {
  const wordpiece w = numbered(4);
  encoded_set set{16, answer::none};
  CHECK(unigram_loss(set, w.pieces()) == 0.0);
  set.add(w, "w0 w0 w1");
  set.add(w, "w2 w3 w0 w0 w1");
  // Shares 1/2, 1/4, 1/8 and 1/8.
  CHECK(unigram_loss(set, w.pieces()) == Approx(1.75 * std::log(2.0)).epsilon(1e-15));
  // The floor of everything that knows no context: any other shares lose more on the same words.
  const double even = std::log(4.0);
  CHECK(unigram_loss(set, w.pieces()) < even);
}
