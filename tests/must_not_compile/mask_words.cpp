// refused: read-only|const-qualified
#include "tombola/core/mask.hpp"

// Bits past the end of a mask are 0 because nobody can write words but through set and set_word.
int main() {
  tombola::mask m{3};
  m.set_word(0, ~std::uint64_t{0});
#ifdef WRONG
  m.words()[0] = ~std::uint64_t{0};
#endif
}
