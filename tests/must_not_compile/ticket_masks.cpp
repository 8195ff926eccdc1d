// refused: discards qualifiers|not viable.*const|not marked const
#include "tombola/core/ticket.hpp"

// A mask inside a ticket cannot be changed to one that does not cover its group.
int main() {
  tombola::ticket t{{tombola::group{"heads", {2, 2}}}};
  t.set(0, 1, false);
#ifdef WRONG
  t.masks()[0].flip();
#endif
}
