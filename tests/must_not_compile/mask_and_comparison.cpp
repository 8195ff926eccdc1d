// refused: no match for .*operator&|invalid operands to binary expression
#include "tombola/algebra/sets.hpp"

// == binds before &: without parentheses a mask would meet the answer of a comparison.
int main() {
  const tombola::mask a{3}, b{3}, c{3};
  (void)((a & b) == c);
#ifdef WRONG
  (void)(a & b == c);
#endif
}
