// refused: m\.words\(\)
#include <vector>

#include "tombola/algebra/overlap.hpp"

// The algebra takes packed bits: a vector of bools has to become a mask first.
int main() {
  const std::vector<bool> kept{true, false};
  const auto m = tombola::mask::from_values(kept);
  (void)tombola::count_overlap(m, m);
#ifdef WRONG
  (void)tombola::count_overlap(m, kept);
#endif
}
