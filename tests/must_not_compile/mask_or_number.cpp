// refused: no match for .*operator\|=|no viable overloaded '\|='
#include "tombola/algebra/sets.hpp"

// A mask is no number: units are set by name, words by set_word.
int main() {
  tombola::mask m{3};
  m.set(0);
  m |= tombola::mask{3};
#ifdef WRONG
  m |= 1;
#endif
}
