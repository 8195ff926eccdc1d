// refused: o\.examples\(t\)
#include <vector>

#include "tombola/prune/lower_bound.hpp"

// A confidence bound is made of single examples: an objective that gives their mean alone has none.
struct toy {
  std::vector<tombola::group> groups() const { return {{"heads", {2}}}; }
  std::vector<tombola::scores> scores(const tombola::ticket&) { return {{groups()[0], {1, 2}}}; }
  double metric(const tombola::ticket&) { return 0.5; }
#ifndef WRONG
  std::vector<double> examples(const tombola::ticket&) {
    return {0.0, 1.0};
  }
#endif
};

int main() {
  toy model;
  const auto rule = tombola::lower_bound_rule::drop(0.1);
  return tombola::prune_by_lower_bound(model, rule).accepted.size() == 2 ? 0 : 1;
}
