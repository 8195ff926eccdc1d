#include <cstddef>

#include "all_headers.hpp"

std::size_t kept_in_second(const tombola::mask& m);
std::size_t kept_in_second(const tombola::mask& m) {
  return m.count();
}
