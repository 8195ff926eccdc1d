// No step after the first allocates: every call of the C library's allocator is counted.

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "tests/nn/tiny_model.hpp"

#include "tombola/eigen/backend.hpp"
#include "tombola/nn/gate_estimates.hpp"
#include "tombola/nn/optimizer.hpp"

// The allocator is this program's own, in front of the C library's, where that has names for it and
// no sanitizer has put its own there.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TOMBOLA_COUNTS_ALLOCATIONS 1
#endif

namespace {

std::atomic<std::size_t> bytes_asked_for{0};

}  // namespace

#ifdef TOMBOLA_COUNTS_ALLOCATIONS
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t n) {
  bytes_asked_for += n;
  return __libc_malloc(n);
}
void* calloc(std::size_t n, std::size_t size) {
  bytes_asked_for += n * size;
  return __libc_calloc(n, size);
}
void* realloc(void* p, std::size_t n) {
  bytes_asked_for += n;
  return __libc_realloc(p, n);
}
void* memalign(std::size_t alignment, std::size_t n) {
  bytes_asked_for += n;
  return __libc_memalign(alignment, n);
}
void* aligned_alloc(std::size_t alignment, std::size_t n) {
  return memalign(alignment, n);
}
int posix_memalign(void** p, std::size_t alignment, std::size_t n) {
  *p = memalign(alignment, n);
  return *p == nullptr ? ENOMEM : 0;
}
}
#endif

using namespace tombola;
using namespace tombola::test;

namespace {

using backend_type = eigen::backend<float>;

/// Bytes that `work` asks for, in all threads.
template <class F>
std::size_t bytes_of(const F& work) {
  const std::size_t before = bytes_asked_for;
  work();
  return bytes_asked_for - before;
}

bool can_count() {
#ifdef TOMBOLA_COUNTS_ALLOCATIONS
  return true;
#else
  WARN("skipped: a sanitizer, or another C library, has the allocator");
  return false;
#endif
}

/// Large enough for every product to be cut into tiles.
nn::bert_config config_of(nn::head_kind head) {
  nn::bert_config c = tiny_config(head);
  c.hidden = 96;
  c.heads = 3;
  c.intermediate = 384;
  return c;
}

}  // namespace

TEST_CASE("what allocates is noticed") {
  if (!can_count()) return;
  CHECK(bytes_of([] {
          const auto* volatile kept = new double[100];
          delete[] kept;
        }) >= 800);
}

TEST_CASE("no training step after the first allocates a byte") {
  if (!can_count()) return;
  for (const nn::head_kind head :
       {nn::head_kind::classification, nn::head_kind::regression, nn::head_kind::masked_lm}) {
    for (const int threads : {1, 2}) {
      backend_type b{threads};
      nn::bert<backend_type> model{b, config_of(head)};
      randomise(model, 3);
      nn::optimizer<backend_type> o{b, model.parameters(), {}};
      nn::workspace<backend_type> w{b, model.config(), tiny_limits, nn::keep::gradients};
      const packed_batch batch = tiny_batch(head);
      const auto step = [&] {
        const nn::dropout_plan drop{true, 1, 0};
        w.batch.write(batch, model.config());
        model.forward(w, drop);
        model.loss(w, 1.0 / 3.0);
        model.backward(w, nn::gradients_of::weights, drop);
        o.step(1.0);
      };
      step();
      CAPTURE(threads);
      CHECK(bytes_of([&] { step(), step(); }) == 0);
      CHECK_FALSE(o.has_failed());
    }
  }
}

TEST_CASE("no forward pass after the first allocates a byte") {
  if (!can_count()) return;
  for (const int threads : {1, 2}) {
    backend_type b{threads};
    nn::bert<backend_type> model{b, config_of(nn::head_kind::classification)};
    randomise(model, 3);
    nn::workspace<backend_type> w{b, model.config(), tiny_limits, nn::keep::nothing};
    const packed_batch batch = tiny_batch(nn::head_kind::classification);
    const auto pass = [&] {
      w.batch.write(batch, model.config());
      model.forward(w);
    };
    pass();
    CAPTURE(threads);
    CHECK(bytes_of([&] { pass(), pass(); }) == 0);
  }
}
