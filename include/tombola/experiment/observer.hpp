#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "tombola/core/error.hpp"

namespace tombola::experiment {

/// How far a piece of work has come.
struct progress {
  std::string what;       ///< `train SST-2 seed 1`
  std::size_t done = 0;   ///< steps, batches or candidates
  std::size_t total = 0;  ///< 0 where nobody knows
  double loss = 0.0;      ///< mean over the last batches; NaN where there is none
  double tokens_per_second = 0.0;
  double seconds_left = 0.0;  ///< NaN where nobody knows
};

/// Who watches a run. Every member may be empty.
struct observer {
  std::function<void(const progress&)> report;   ///< called now and then
  std::function<void(const std::string&)> note;  ///< one sentence worth knowing
  std::function<bool()> stop;                    ///< asked after each step; true ends the run

  void tell(const progress& p) const {
    if (report) report(p);
  }
  void say(const std::string& sentence) const {
    if (note) note(sentence);
  }
  [[nodiscard]] bool wants_stop() const { return stop && stop(); }
};

/// The observer asked for an end; what was done so far is kept and the run can be resumed.
class interrupted : public runtime_failure {
public:
  using runtime_failure::runtime_failure;
};

}  // namespace tombola::experiment
