// How long does the overlap of two masks of BERT-base's encoder take, against reading them once?

#include "tombola/algebra/overlap.hpp"

#include <bit>
#include <thread>

#include "bench/support/question.hpp"

#if __has_include(<roaring/roaring.h>)
#include <roaring/roaring.h>
#endif

using namespace tombola;

namespace {

/// What one writes without a library.
std::size_t count_bit_by_word(const mask& a, const mask& b) {
  std::size_t both = 0;
  for (std::size_t w = 0; w < a.words().size(); ++w) {
    both += static_cast<std::size_t>(std::popcount(a.words()[w] & b.words()[w]));
  }
  return both;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  const mask a = bench::random_mask(bench::bert_base_weights, 1);
  const mask b = bench::random_mask(bench::bert_base_weights, 2);
  const std::size_t expected = count_bit_by_word(a, b);
  bench::require_equal(count_overlap(a, b, threads).both, expected, "ours");

  bench::question q{.name = "overlap", .size = "2 masks of 84,934,656 bits"};
  q.ours = {"tombola", threads, [&] { benchmark::DoNotOptimize(count_overlap(a, b, threads)); }};
  q.rivals.push_back({"popcount loop, both masks alone", 1,
                      [&] { benchmark::DoNotOptimize(count_bit_by_word(a, b)); }});
#if __has_include(<roaring/roaring.h>)
  const auto roaring = [](const mask& m) {
    roaring_bitmap_t* r = roaring_bitmap_create();
    for (std::size_t i = 0; i < m.size(); ++i) {
      if (m[i]) roaring_bitmap_add(r, static_cast<std::uint32_t>(i));
    }
    return r;
  };
  roaring_bitmap_t *ra = roaring(a), *rb = roaring(b);
  bench::require_equal(roaring_bitmap_and_cardinality(ra, rb), expected, "CRoaring");
  q.rivals.push_back({"CRoaring, and_cardinality", 1,
                      [&] { benchmark::DoNotOptimize(roaring_bitmap_and_cardinality(ra, rb)); }});
#else
  q.missing.push_back("CRoaring, and_cardinality");
#endif
  q.limit = bench::read_once({a.words(), b.words()}, threads);
  const int code = q.run(argc, argv);
#if __has_include(<roaring/roaring.h>)
  roaring_bitmap_free(ra);
  roaring_bitmap_free(rb);
#endif
  return code;
}
