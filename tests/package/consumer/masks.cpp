#include <tombola/tombola.hpp>
#include <tombola/version.hpp>

int main() {
  const tombola::mask a = tombola::mask::all_kept(144);
  const tombola::overlap o = tombola::count_overlap(a, tombola::mask{144});
  return TOMBOLA_VERSION_MAJOR == 0 && o.first_only == 144 && tombola::jaccard(o).value == 0 ? 0
                                                                                             : 1;
}
