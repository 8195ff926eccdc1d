#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

namespace tombola::detail {

/// Slices that [0, count) is cut into for `threads` threads: at least one, and at most one per
/// grain.
[[nodiscard]] constexpr std::size_t slices_for(std::size_t count,
                                               std::size_t grain,
                                               std::size_t threads) noexcept {
  const std::size_t grains = count / grain + (count % grain != 0 ? 1 : 0);
  return std::max<std::size_t>(1, std::min(threads, grains));
}

/// Calls f(t, begin, end) for that many slices of [0, count), one thread each, the last in the
/// caller's. Slices begin at multiples of `grain` and none is empty, unless count is 0; one thread
/// starts nothing.
///
/// Which thread does what depends on `threads`: only for sums of integers and for disjoint writes.
/// An exception of any slice is rethrown after all have ended.
template <class F>
void in_slices(std::size_t count, std::size_t grain, std::size_t threads, F f) {
  const std::size_t grains = count / grain + (count % grain != 0 ? 1 : 0);
  const std::size_t slices = slices_for(count, grain, threads);
  const auto begin = [&](std::size_t t) { return std::min(count, grains * t / slices * grain); };
  if (slices == 1) {
    f(std::size_t{0}, std::size_t{0}, count);
    return;
  }
  std::vector<std::exception_ptr> failed(slices);
  const auto guarded = [&](std::size_t t) {
    try {
      f(t, begin(t), begin(t + 1));
    } catch (...) {
      failed[t] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    others.reserve(slices - 1);
    for (std::size_t t = 0; t + 1 < slices; ++t) others.emplace_back(guarded, t);
    guarded(slices - 1);
  }
  for (const std::exception_ptr& e : failed) {
    if (e) std::rethrow_exception(e);
  }
}

}  // namespace tombola::detail
