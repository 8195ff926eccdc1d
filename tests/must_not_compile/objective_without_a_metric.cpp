// refused: o\.metric\(t\)
#include <vector>

#include "tombola/prune/objective.hpp"

// A pruner needs to know how good a ticket is: scores alone are no objective.
struct toy {
  std::vector<tombola::group> groups() const { return {{"heads", {2}}}; }
  std::vector<tombola::scores> scores(const tombola::ticket&) { return {{groups()[0], {1, 2}}}; }
#ifndef WRONG
  double metric(const tombola::ticket& t) {
    return static_cast<double>(t.count());
  }
#endif
};

int main() {
  toy model;
  return tombola::full_ticket(model).count() == 2 ? 0 : 1;
}
