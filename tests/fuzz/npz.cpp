// Archives of arrays.

#include "tombola/io/npz.hpp"

#include <cstring>
#include <span>
#include <vector>

#include "tests/fuzz/support.hpp"

#include "tombola/core/group.hpp"

using namespace tombola;
using namespace std::literals;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& path = fuzz::as_file(fuzz::text_of(data, size));
  const auto file = fuzz::accepted([&] { return io::npz_file{path}; });
  if (!file) return 0;
  for (const std::string& name : file->names()) {
    fuzz::hold(file->contains(name), "an array is found by its name");
    const auto array = fuzz::accepted([&] { return file->array(name); });
    if (!array) continue;
    fuzz::hold(checked_product(array->extents, "array") == array->values.size(),
               "extents cover the values");
    const auto mask = fuzz::accepted([&] { return file->mask(name); });
    if (!mask) continue;
    fuzz::check_mask(mask->mask);
    fuzz::hold(mask->extents == array->extents, "a mask has the extents of its array");
  }
  (void)fuzz::accepted([&] { return file->array("no such array"); });
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const std::vector<double> doubles{0, 1, 1, 0, 0.5, 7};
  const std::vector<float> floats{1, 0};
  mask units{12};
  units.set(3);
  const auto file = [](const std::vector<io::npz_member>& members, io::npz_compression packed) {
    return written([&](const auto& path) { io::write_npz(path, members, packed); });
  };
  for (const auto packed : {io::npz_compression::stored, io::npz_compression::deflated}) {
    to.add(file({}, packed));
    const std::string several = file({{"head_mask", {3, 4}, units, io::mask_number::uint8},
                                      {"values", {2, 3}, std::span{doubles}},
                                      {"\xC3\xA4/x", {2}, std::span{floats}}},
                                     packed);
    to.add(several);
    to.add(several, "head_mask", "head\x1B[1mk");
    to.add(several, "values.npy", "values.txt");
    to.add(several.substr(0, several.size() - 1));
    std::string commented = several + "comment";
    commented[several.size() - 2] = 7;
    to.add(commented);
    to.add(file({{"m", {12}, units}}, packed));
  }
  // Empty, in the numbers of 64 bits.
  std::string empty = "PK\6\6\x2C\0\0\0\0\0\0\0\x2D\0\x2D\0"s;
  empty += std::string(40, '\0') + "PK\6\7"s + std::string(16, '\0');
  empty[72] = 1;
  empty += "PK\5\6\0\0\0\0"s + std::string(12, '\xFF') + std::string(2, '\0');
  to.add(file({}, io::npz_compression::stored) + empty);
  to.words({"PK\1\2"sv, "PK\3\4"sv, "PK\5\6"sv, "PK\6\6"sv, "PK\6\7"sv, ".npy", "\1\0\x10\0"sv,
            "\xFF\xFF\xFF\xFF", "\x08\0"sv, "\x93NUMPY"});
}
