#include <cstdio>

#include "tombola/tombola.hpp"

int main() {
  // Which of 144 heads survived in two runs: the first keeps 0 to 59, the second 20 to 79.
  tombola::mask first{144}, second{144};
  for (std::size_t head = 0; head < 60; ++head) {
    first.set(head);
    second.set(head + 20);
  }

  const tombola::overlap o = tombola::count_overlap(first, second);
  std::printf("both keep %zu heads, chance gives %.1f\n", o.both, tombola::expected_both(o));
  std::printf("Jaccard %.3f, chance gives %.3f\n", tombola::jaccard(o).value,
              tombola::expected_jaccard(o).value);
  std::printf("as much by chance: p = %.2g\n", tombola::p_at_least(o));
}
