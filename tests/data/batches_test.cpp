#include "tombola/data/batches.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/error.hpp"
#include "tombola/data/features.hpp"
#include "tombola/data/wordpiece.hpp"

namespace {

using namespace tombola;
using namespace tombola::data;
using test::sentence;

using ids = std::vector<std::int32_t>;

// 0 [PAD] 1 [UNK] 2 [CLS] 3 [SEP] 4 a 5 b 6 c 7 d
wordpiece letters() {
  return wordpiece{vocabulary::from_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\nc\nd\n", "v")};
}

ids copy(std::span<const std::int32_t> s) {
  return {s.begin(), s.end()};
}

}  // namespace

TEST_CASE("truncation is what dropping one token at a time gives") {
  for (std::size_t first = 0; first < 12; ++first) {
    for (std::size_t second = 0; second < 12; ++second) {
      for (std::size_t room = 0; room < 24; ++room) {
        std::size_t a = first, b = second;
        while (a + b > room) a > b ? --a : --b;
        const kept_lengths kept = truncate_pair(first, second, room);
        if (kept.first != a || kept.second != b) {
          FAIL(first << ", " << second << " to " << room << ": " << kept.first << ", "
                     << kept.second << " instead of " << a << ", " << b);
        }
      }
    }
  }
  SUCCEED();
}

TEST_CASE("examples become [CLS] a [SEP] and [CLS] a [SEP] b [SEP]") {
  const wordpiece w = letters();
  encoded_set set{7};
  set.add(w, "a b", 1);
  set.add(w, "a b", "c", 0);
  set.add(w, "a b c d a b", 1);
  set.add(w, "a b c", "d c b", 1);
  set.add(w, "", "", 0);
  set.add(w, "a b c d", "a", 0);

  CHECK(copy(set[0].ids) == ids{2, 4, 5, 3});
  CHECK(copy(set[0].segments) == ids{0, 0, 0, 0});
  CHECK(set[0].label == 1);
  CHECK(copy(set[1].ids) == ids{2, 4, 5, 3, 6, 3});
  CHECK(copy(set[1].segments) == ids{0, 0, 0, 0, 1, 1});
  CHECK(copy(set[2].ids) == ids{2, 4, 5, 6, 7, 4, 3});
  CHECK(copy(set[3].ids) == ids{2, 4, 5, 3, 7, 6, 3});
  CHECK(copy(set[3].segments) == ids{0, 0, 0, 0, 1, 1, 1});
  CHECK(copy(set[4].ids) == ids{2, 3, 3});
  CHECK(copy(set[4].segments) == ids{0, 0, 1});
  CHECK(copy(set[5].ids) == ids{2, 4, 5, 6, 3, 4, 3});
  CHECK(set.size() == 6);
  CHECK(set.tokens() == 34);
  CHECK(set.longest() == 7);
  CHECK(set.truncated() == 3);
  CHECK(sentence<input_error>([] { encoded_set{3}; }) ==
        "maximal length of a sequence: found 3 tokens, expected at least 4");
}

TEST_CASE("a task decides what a set knows of each example") {
  const std::vector<example> rows{{"a", "b", 1, 0}, {"c", "d", 0, 2.5F}};
  const encoded_set values = encode_examples(find_task("STS-B"), rows, letters(), 8);
  CHECK(values.kind() == answer::value);
  CHECK(values[1].target == 2.5F);
  CHECK(copy(values[1].ids) == ids{2, 6, 3, 7, 3});
  const encoded_set labels = encode_examples(find_task("SST-2"), rows, letters(), 8);
  CHECK(labels.kind() == answer::label);
  CHECK(copy(labels[0].ids) == ids{2, 4, 3});

  packed_batch batch;
  fill_batch(values, file_order(2), 0, 2, batch);
  CHECK(batch.labels.empty());
  CHECK(batch.targets == std::vector{0.0F, 2.5F});
  fill_batch(labels, file_order(2), 0, 2, batch);
  CHECK(batch.labels == ids{1, 0});
  CHECK(batch.targets.empty());
}

TEST_CASE("a fingerprint changes with whatever a model can see") {
  const wordpiece w = letters();
  const auto print = [&](auto... parts) {
    encoded_set set{8};
    (parts(set), ...);
    return set.fingerprint();
  };
  const auto one = [&](std::string_view a, std::int32_t label, float target) {
    return [=, &w](encoded_set& set) { set.add(w, a, label, target); };
  };
  const auto pair = [&](encoded_set& set) { set.add(w, "a", "b", 1); };
  const std::set<std::string> prints{
      print(),
      print(one("a", 1, 0)),
      print(one("b", 1, 0)),
      print(one("a", 0, 0)),
      print(one("a", 1, 0.5F)),
      print(pair),
      print(one("a", 1, 0), one("b", 1, 0)),
      print(one("b", 1, 0), one("a", 1, 0)),
  };
  CHECK(prints.size() == 8);
  CHECK(print(one("a", 1, 0)) == print(one("a", 1, 0)));
  // Of nothing it is the SHA-256 of no bytes.
  CHECK(print() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("orders are permutations of seed and epoch") {
  const auto sorted = [](std::vector<std::size_t> v) {
    std::sort(v.begin(), v.end());
    return v;
  };
  const auto order = epoch_order(100, 7, 0);
  CHECK(sorted(order) == file_order(100));
  CHECK(order != file_order(100));
  CHECK(order == epoch_order(100, 7, 0));
  CHECK(order != epoch_order(100, 7, 1));
  CHECK(order != epoch_order(100, 8, 0));
}

TEST_CASE("a subset is drawn by seed, without repetition, in file order") {
  const auto rows = random_subset(1000, 50, 3);
  CHECK(rows.size() == 50);
  CHECK(std::is_sorted(rows.begin(), rows.end()));
  CHECK(std::set<std::size_t>(rows.begin(), rows.end()).size() == 50);
  CHECK(rows.back() < 1000);
  CHECK(rows != random_subset(1000, 50, 4));
  // Another draw by the same seed is another one.
  CHECK(rows == random_subset(1000, 50, 3, 0));
  const auto other = random_subset(1000, 50, 3, 1);
  std::vector<std::size_t> both;
  std::ranges::set_intersection(rows, other, std::back_inserter(both));
  CHECK(both.size() < 10);  // 2.5 are expected
  CHECK(random_subset(5, 5, 1) == file_order(5));
  CHECK(sentence<input_error>([] { (void)random_subset(5, 6, 1); }) == "cannot draw 6 rows from 5");
  const std::vector<std::string> all{"x", "y", "z"};
  CHECK(pick<std::string>(all, std::vector<std::size_t>{2, 0}) ==
        std::vector<std::string>{"z", "x"});
}

TEST_CASE("batches pack their part of the order, each example with its place") {
  const wordpiece w = letters();
  encoded_set set{8};
  set.add(w, "a", 10);
  set.add(w, "b c", 11);
  set.add(w, "d", 12);
  const std::vector<std::size_t> order{2, 1, 0};
  packed_batch batch;
  fill_batch(set, order, 1, 2, batch);
  CHECK(batch.ids == ids{2, 5, 6, 3, 2, 4, 3});
  CHECK(batch.positions == ids{0, 1, 2, 3, 0, 1, 2});
  CHECK(batch.offsets == ids{0, 4, 7});
  CHECK(batch.example == std::vector<std::uint32_t>{1, 2});
  CHECK(batch.labels == ids{11, 10});
  fill_batch(set, order, 0, 1, batch);
  CHECK(batch.ids == ids{2, 7, 3});
  CHECK(batch.labels == ids{12});
  fill_batch(set, order, 3, 0, batch);
  CHECK(batch.sequences() == 0);

  CHECK(sentence<shape_error>([&] { fill_batch(set, order, 2, 2, batch); }) ==
        "batch: 2 examples from place 2 of an order of 3");
  CHECK(sentence<shape_error>([&] { fill_batch(set, std::vector<std::size_t>{3}, 0, 1, batch); }) ==
        "batch: example 3 of a set of 3");
  CHECK(batch_count(0, 32) == 0);
  CHECK(batch_count(64, 32) == 2);
  CHECK(batch_count(65, 32) == 3);
  CHECK(sentence<input_error>([] { (void)batch_count(1, 0); }) ==
        "batch size: found 0, expected at least 1");
}
