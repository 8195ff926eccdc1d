#include <cstdio>
#include <vector>

#include "tombola/algebra/chance.hpp"
#include "tombola/algebra/overlap.hpp"
#include "tombola/prune/controls.hpp"

// Three tickets over the heads and MLPs of BERT-base, and for every pair and group: how many units
// both keep, and how many they would if only their sizes were given.
int main() {
  tombola::ticket good{{{"heads", {12, 12}}, {"mlps", {12}}}};
  for (std::size_t head = 100; head < 144; ++head) good.set(0, head, false);
  for (std::size_t mlp = 8; mlp < 12; ++mlp) good.set(1, mlp, false);

  const std::vector<const char*> names{"good", "random", "bad"};
  const std::vector<tombola::ticket> tickets{good, tombola::random_like(good, 1),
                                             tombola::bad_like(good, 1)};
  for (std::size_t a = 0; a < tickets.size(); ++a) {
    for (std::size_t b = a + 1; b < tickets.size(); ++b) {
      const auto groups = tombola::count_overlap_by_group(tickets[a], tickets[b]);
      for (std::size_t g = 0; g < groups.size(); ++g) {
        const tombola::overlap& o = groups[g];
        std::printf("%-6s and %-6s %-5s: both keep %3zu, chance gives %5.1f; Jaccard %.2f, %.2f\n",
                    names[a], names[b], good.groups()[g].name.c_str(), o.both,
                    tombola::expected_both(o), tombola::jaccard(o).value,
                    tombola::expected_jaccard(o).value);
      }
    }
  }
}
