// refused: b\.run\((tombola::)?adamw
#include "tombola/backend/reference.hpp"

// A device that lacks one verb is not a backend, and the compiler says which verb.
struct unfinished : tombola::reference_backend<double> {
  using tombola::reference_backend<double>::run;
#ifdef WRONG
  void run(const tombola::adamw<double>&) = delete;
#endif
};

template <tombola::backend B>
void train(B&) {}

int main() {
  unfinished device;
  train(device);
}
