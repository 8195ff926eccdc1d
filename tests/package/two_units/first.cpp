#include <cstddef>

#include "all_headers.hpp"

std::size_t kept_in_second(const tombola::mask& m);

int main() {
  const tombola::mask m = tombola::mask::all_kept(65);
  return m.count() == 65 && kept_in_second(m) == 65 ? 0 : 1;
}
