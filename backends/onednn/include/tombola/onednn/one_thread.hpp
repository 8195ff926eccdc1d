#pragma once

#include <omp.h>

namespace tombola::onednn {

/// While one lives, oneDNN called from this thread starts no threads of its own.
///
/// Inside a team it never does; outside, it would take as many as OpenMP would. The setting is the
/// calling thread's alone.
class one_thread {
public:
  one_thread() noexcept : before_{omp_in_parallel() != 0 ? 1 : omp_get_max_threads()} {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~one_thread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  one_thread(const one_thread&) = delete;
  one_thread& operator=(const one_thread&) = delete;

private:
  int before_;
};

}  // namespace tombola::onednn
