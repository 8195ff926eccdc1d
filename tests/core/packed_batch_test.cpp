#include "tombola/core/packed_batch.hpp"

#include <span>

#include "tests/support/catch.hpp"

using namespace tombola;
using numbers = std::vector<std::int32_t>;

TEST_CASE("sequences lie end to end with offsets and positions of their own") {
  packed_batch b;
  CHECK(b.sequences() == 0);
  CHECK(b.longest() == 0);
  b.add(numbers{2, 7, 3}, numbers{0, 0, 1}, 40);
  b.add(numbers{2, 3}, numbers{0, 0}, 9);
  CHECK(b.tokens() == 5);
  CHECK(b.sequences() == 2);
  CHECK(b.longest() == 3);
  CHECK(b.ids == numbers{2, 7, 3, 2, 3});
  CHECK(b.segments == numbers{0, 0, 1, 0, 0});
  CHECK(b.positions == numbers{0, 1, 2, 0, 1});
  CHECK(b.offsets == numbers{0, 3, 5});
  CHECK(b.example == std::vector<std::uint32_t>{40, 9});
}

TEST_CASE("a sequence is not empty and has a segment for every token") {
  packed_batch b;
  CHECK_THROWS_AS(b.add(numbers{}, numbers{}, 0), shape_error);
  CHECK_THROWS_WITH(b.add(numbers{1, 2}, numbers{0}, 0),
                    "packed_batch: a sequence of 2 ids and 1 segments");
  CHECK(b.tokens() == 0);
  CHECK(b.offsets == numbers{0});
}

TEST_CASE("a cleared batch is an empty one") {
  packed_batch b;
  b.add(numbers{1}, numbers{0}, 0);
  b.labels = {1};
  b.targets = {0.5F};
  b.masked_rows = {0};
  b.masked_ids = {1};
  b.clear();
  CHECK(b.sequences() == 0);
  CHECK(b.offsets == numbers{0});
  CHECK((b.ids.empty() && b.segments.empty() && b.positions.empty() && b.example.empty()));
  CHECK((b.labels.empty() && b.targets.empty() && b.masked_rows.empty() && b.masked_ids.empty()));
}

TEST_CASE("a batch holds no more tokens than its offsets can say") {
  packed_batch b;
  b.add(numbers{1}, numbers{0}, 0);
  // Said to be 2^60 numbers, of which none is read. Were they let in, memory would refuse at once.
  const std::int32_t number = 1;
  const std::span<const std::int32_t> many{&number, std::size_t{1} << 60};
  CHECK_THROWS_WITH(b.add(many, many, 0),
                    "packed_batch: a sequence of 1152921504606846976 tokens after 1, expected at "
                    "most 2147483647 in all");
  CHECK(b.tokens() == 1);
}
