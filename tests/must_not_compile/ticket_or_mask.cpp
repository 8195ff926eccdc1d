// refused: no match for .*operator\||invalid operands to binary expression
#include "tombola/algebra/sets.hpp"

// A mask does not say which group of a ticket it is meant for.
int main() {
  tombola::ticket t{{tombola::group{"heads", {2, 2}}}};
  const tombola::mask m{4};
  t.replace(0, t.at("heads") | m);
#ifdef WRONG
  (void)(t | m);
#endif
}
