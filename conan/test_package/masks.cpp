// What most users of the package want: the overlap of two masks.
#include <cstdio>

#include <tombola/tombola.hpp>

int main() {
  tombola::mask first{144}, second{144};
  for (std::size_t head = 0; head < 60; ++head) {
    first.set(head);
    second.set(head + 20);
  }
  const tombola::overlap o = tombola::count_overlap(first, second);
  std::printf("both keep %zu heads, Jaccard %.3f\n", o.both, tombola::jaccard(o).value);
  return o.both == 40 && tombola::jaccard(o).value == 0.5 ? 0 : 1;
}
