#pragma once

#include <string>
#include <vector>

#include "tombola/core/scores.hpp"
#include "tombola/core/ticket.hpp"

namespace tombola {

/// One candidate that a search tried.
struct trace_step {
  std::string phase;                    ///< `heads`, `mlps`, `joint`, `weights`, ...
  ticket candidate;                     ///< what was tried
  double metric = 0.0;                  ///< of the candidate; larger is better
  bool accepted = false;                ///< whether the guard let it pass
  std::vector<tombola::scores> scores;  ///< under the candidate, where the search took them
};

/// What a search did, candidate by candidate.
struct trace {
  double baseline = 0.0;   ///< metric of the full model, or of the start
  double threshold = 0.0;  ///< candidates at or above it are accepted
  std::vector<trace_step> steps;
  std::string measure = {};  ///< what these numbers are, in words; empty: the metric itself
  double seconds = 0.0;      ///< that an unfinished search has taken; 0: not known
};

}  // namespace tombola
