// refused: no match for .*operator\|=|no viable overloaded '\|='
#include "tombola/algebra/sets.hpp"

// A view's words belong to somebody else, such as a mapped file: it is read, never changed.
int main() {
  const tombola::mask a{3}, b{3};
  const tombola::mask_view v = a;
  tombola::mask united = v | b;
  united |= v;
#ifdef WRONG
  tombola::mask_view w = a;
  w |= b;
#endif
}
