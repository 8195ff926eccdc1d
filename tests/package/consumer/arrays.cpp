// Arrays of another library in, an archive out and in again: the components xtensor and zlib.
#include <cstddef>
#include <vector>

#include <tombola/interop/xtensor.hpp>
#include <tombola/io/npz.hpp>
#include <tombola/tombola.hpp>

// argv[1]: the archive to write.
int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const xt::xarray<double> importance{{0.1, 0.9, 0.4}, {0.8, 0.2, 0.7}};
  const tombola::mask good = tombola::interop::mask_from(importance > 0.5);
  const tombola::mask best =
      tombola::keep_highest(tombola::interop::scores_from("heads", importance), 3);
  const std::vector<std::size_t> extents{2, 3};
  const std::vector<tombola::io::npz_member> members{
      {"heads", extents, best, tombola::io::mask_number::boolean}};
  tombola::io::write_npz(argv[1], members, tombola::io::npz_compression::deflated);
  const tombola::io::npz_file archive{argv[1]};
  return best == good && archive.mask("heads").mask == good ? 0 : 1;
}
