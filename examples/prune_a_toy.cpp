#include <cstdio>
#include <vector>

#include "tombola/prune/pruner.hpp"
#include "tombola/prune/study.hpp"

// A model of twelve numbers: what each of 8 heads and 4 MLPs contributes. Its metric is the sum of
// what is left; the score of a unit is what the metric would lose without it.
int main() {
  const std::vector<tombola::group> groups{{"heads", {2, 4}}, {"mlps", {4}}};
  const std::vector<std::vector<float>> worth{{9, 1, 4, 0, 6, 2, 7, 3}, {8, 1, 5, 2}};

  auto objective = tombola::make_objective(
      groups,
      [&](const tombola::ticket&) {
        return std::vector<tombola::scores>{{groups[0], worth[0]}, {groups[1], worth[1]}};
      },
      [&](const tombola::ticket& t) {
        double sum = 0;
        for (std::size_t g = 0; g < groups.size(); ++g) {
          for (std::size_t u = 0; u < t[g].size(); ++u) sum += t[g][u] ? worth[g][u] : 0;
        }
        return sum;
      });

  const auto print = [](const char* how, const tombola::prune_result& found) {
    std::printf("%s: %zu candidates, threshold %.1f\n", how, found.steps.steps.size() - 1,
                found.steps.threshold);
    for (std::size_t g = 0; g < found.accepted.groups().size(); ++g) {
      std::printf("  %-6s", found.accepted.groups()[g].name.c_str());
      for (std::size_t u = 0; u < found.accepted[g].size(); ++u) {
        std::printf(" %d", found.accepted[g][u] ? 1 : 0);
      }
      std::printf("\n");
    }
  };
  print("general", tombola::prune(objective, {.rule = tombola::guard::share_of_baseline(0.8)}));
  print("study's", tombola::study::search_joint(objective, {.threshold = 0.8, .amount = 0.25}));
}
